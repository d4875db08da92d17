"""Videos: frames at a chosen rate by their time stamps, and an analysis of each, with faces that keep their numbers."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from os import PathLike, fspath
from typing import IO, TYPE_CHECKING, Any, TypeVar

from femr.analyzer import Analyzer, load
from femr.errors import DataError, FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Pixels
from femr.music import Mode, MusicLibrary
from femr.results import Analysis
from femr.video.session import Frame, Session
from femr.video.tracking import KEEP

if TYPE_CHECKING:
    from femr.video.reader import Reader, Shot

RATE = 4.0
"""Frames a second that are analysed, by default."""

_RATES = (0.001, 1000)
_LONGEST_STILL = 3600  # seconds that a picture is shown; more is a time stamp that is wrong
_BATCH = 4  # frames analysed at once; as many wait, decoded ahead

Source = str | PathLike[str] | IO[bytes]
T = TypeVar("T")


def exact_rate(rate: float) -> Fraction:
    """Frames a second as a fraction. Raises: DataError if it is not one from 0.001 to 1000."""
    if not _RATES[0] <= rate <= _RATES[1]:
        raise DataError(f"Expected a rate of {_RATES[0]} to {_RATES[1]} frames a second. Received: {rate:g}")
    return Fraction(rate).limit_denominator(1000)


def frames(source: Source, rate: float = RATE) -> Iterator[Frame]:
    """The frames at 0, 1/rate, 2/rate, ... seconds: of each the first one at or after it and before the next.

    Where the film has none, the picture that is shown then comes again, the same array with the same index: a still of
    20 seconds weighs 20 seconds. No more than a picture is held in memory.

    Args:
        source: a path or an open binary file.
        rate: frames a second, 0.001 to 1000.
    Raises: ImageError if it is no video; DataError if it has no frames and, after the last one, if some are missing.
    """
    from femr.video.reader import Reader, to_pixels  # without PyAV photos are read all the same

    exact = exact_rate(rate)
    index = None
    with Reader(source) as reader:
        for time, shot in _sampled(reader, exact):
            if shot.index != index:
                index, image = shot.index, to_pixels(shot.frame, reader.stream)
            yield Frame(float(time), index, image)
        complaint = reader.complaint()
    if complaint or index is None:
        raise DataError(complaint or "The video has no frames.")


def _sampled(reader: "Reader", rate: Fraction) -> "Iterator[tuple[Fraction, Shot]]":
    """What is shown in each 1/rate of a second, and from when on: the first frame in it, else the last one before."""
    last: Shot | None = None
    due = 0
    for shot in reader.shots():
        moment = floor(shot.time * rate)
        if last:
            yield from _still(last, due, moment, rate)
        if moment >= due:
            yield shot.time, shot
        last, due = shot, max(due, moment + 1)
    if last:
        yield from _still(last, due, ceil(reader.end * rate), rate)


def _still(shot: "Shot", start: int, stop: int, rate: Fraction) -> "Iterator[tuple[Fraction, Shot]]":
    """A shot at the moments from start to before stop, which are counted in 1/rate of a second."""
    longest = floor((shot.time + _LONGEST_STILL) * rate)
    return ((moment / rate, shot) for moment in range(start, min(stop, longest)))


def analyze_video(
    source: Source,
    model: str = DEFAULT_MODEL,
    rate: float = RATE,
    *,
    analyzer: Analyzer | None = None,
    name: str | None = None,
    every: int = 1,
) -> Iterator[Analysis]:
    """The analyses of a video's frames one by one, each with file, time and frame; a face keeps its number.

    The song is None: a song is for the whole video, see timeline.Timeline. Decoding runs ahead in a thread.

    Args:
        source: a path or an open binary file.
        rate: frames a second, 0.001 to 1000.
        model: "mobilenet_v2", "custom_cnn" or "ensemble", unless `analyzer` is given.
        analyzer: to share a loaded one.
        name: the file's name in the results, where it is not the path.
        every: in every how many-th of these frames new faces are looked for; more is faster.

    Raises:
        ImageError: It is no video.
        DataError: It has no frames or, after the last one, some are missing; what can be read is yielded before.
    """
    analyzer = analyzer or load(model)
    file = name or (fspath(source) if isinstance(source, str | PathLike) else None)
    keep = max(KEEP, 2 / rate if rate > 0 else 0)
    session = Session(MusicLibrary(()), analyzer.threshold, every=every, smooth=0, keep=keep)
    for batch in _batches(ahead(frames(source, rate), _BATCH), _BATCH):
        for analysis in session.analyze(analyzer, batch):
            yield replace(analysis, file=file)


def analyze_stream(
    images: Iterable[tuple[float, Pixels]],
    model: str = DEFAULT_MODEL,
    mode: Mode = "match",
    *,
    analyzer: Analyzer | None = None,
    every: int = 1,
) -> Iterator[Analysis]:
    """One analysis a picture of a camera or film, with its time and number; faces keep their numbers.

    Scores are averaged over time, and the song is the one that would play then; see `session.Session`. Memory stays
    constant, however many pictures.

    Args:
        images: (seconds, RGB uint8 (h, w, 3)) each, in the order of time, all of one size.
        model: "mobilenet_v2", "custom_cnn" or "ensemble", unless `analyzer` is given.
        mode: "match" or "lift", as for an Analyzer.
        analyzer: to share a loaded one.
        every: in every how many-th picture new faces are looked for; more is faster.
    """
    analyzer = analyzer or load(model)
    session = Session(analyzer.library, analyzer.threshold, mode, every=every)
    for number, (time, image) in enumerate(images):
        yield from session.analyze(analyzer, [Frame(time, number, image)])


def ahead(items: Iterable[T], depth: int) -> Iterator[T]:
    """The same items, up to `depth` of them made ahead in a thread. Raises: what making them raises."""
    iterator: Iterator[Any] = iter(items)
    end = object()
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[Any]] = deque(pool.submit(next, iterator, end) for _ in range(depth))
        try:
            while (item := waiting.popleft().result()) is not end:
                waiting.append(pool.submit(next, iterator, end))
                yield item
        finally:
            pool.shutdown(cancel_futures=True)
            if isinstance(iterator, Generator):
                iterator.close()


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items; the last may be shorter, also when an error ends them."""
    batch: list[T] = []
    try:
        for item in items:
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
    except FemrError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
