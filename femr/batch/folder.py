"""Many photos and videos: pictures are decoded by threads, ahead of the networks, which take them in batches."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby, islice
from os import PathLike
from typing import TypeAlias

from femr.analyzer import Analyzer, load
from femr.batch.inputs import Archives, Input, find
from femr.errors import FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Picture
from femr.music import Mode
from femr.results import Analysis
from femr.video.analysis import RATE, analyze_video

BATCH = 8
"""Pictures analysed at once; as many are decoded meanwhile."""

_THREADS = 3

_Decoded: TypeAlias = tuple[str, Picture | FemrError]
"""A file's name, and its picture or why it could not be read."""


def analyze_folder(
    path: str | PathLike[str] | Sequence[str | PathLike[str]],
    model: str = DEFAULT_MODEL,
    rate: float = RATE,
    *,
    analyzer: Analyzer | None = None,
    skip: Collection[str] = (),
    every: int = 1,
) -> Iterator[Analysis]:
    """The analyses of all pictures and videos one by one, in the order of their names, each with its file.

    One that cannot be read has an analysis too, with the reason as its error. A few pictures are in memory at a time.

    Args:
        path: a folder, a pattern, a list, a ZIP file or a file, or several of them; see `inputs.find`.
        model: "mobilenet_v2", "custom_cnn" or "ensemble", unless `analyzer` is given.
        rate: frames a second of videos.
        analyzer: to share a loaded one.
        skip: names of files to leave out, such as those in `TableWriter.done`.
        every: in every how many-th of a video's frames new faces are looked for; more is faster.

    Raises:
        DataError: There is nothing to read.
    """
    paths = [path] if isinstance(path, str | PathLike) else path
    inputs = find(paths)
    yield from analyze_inputs(analyzer or load(model), inputs, rate, skip=skip, every=every)


def analyze_inputs(
    analyzer: Analyzer,
    inputs: Iterable[Input],
    rate: float = RATE,
    mode: Mode = "match",
    *,
    skip: Collection[str] = (),
    every: int = 1,
) -> Iterator[Analysis]:
    """The analyses of inputs in their order: one a picture, one a sampled frame of a video, and one a failure.

    Args:
        rate, every: as in `analyze_folder`.
        skip: names of those to leave out. The batches are the same without it, and with them every last digit.
    """
    for video, group in groupby(batches(inputs, skip), key=lambda batch: batch[0].video):
        if video:
            for (each,) in group:
                yield from _video(analyzer, each, rate, every)
        else:
            for decoded in _decoded(group):
                yield from (each for each in _pictures(analyzer, decoded, mode) if each.file not in skip)


def batches(inputs: Iterable[Input], skip: Collection[str] = ()) -> Iterator[list[Input]]:
    """Up to BATCH pictures or one video each, in order, without those of which all is skipped."""
    for video, group in groupby(inputs, key=lambda each: each.video):
        while batch := list(islice(group, 1 if video else BATCH)):
            if any(each.name not in skip for each in batch):
                yield batch


def _decode(source: Input, archives: Archives) -> _Decoded:
    try:
        return source.name, source.picture(archives)
    except FemrError as error:
        return source.name, error


def _decoded(groups: Iterable[Sequence[Input]]) -> Iterator[list[_Decoded]]:
    """Batches of pictures, the next one being decoded while one is in use."""
    waiting: deque[list[Future[_Decoded]]] = deque()
    with Archives() as archives, ThreadPoolExecutor(_THREADS) as pool:
        try:
            for batch in groups:
                waiting.append([pool.submit(_decode, each, archives) for each in batch])
                if len(waiting) > 1:
                    yield [each.result() for each in waiting.popleft()]
            while waiting:
                yield [each.result() for each in waiting.popleft()]
        finally:
            pool.shutdown(cancel_futures=True)


def _pictures(analyzer: Analyzer, batch: Sequence[_Decoded], mode: Mode) -> Iterator[Analysis]:
    read = iter(analyzer.read([picture for _, picture in batch if isinstance(picture, Picture)]))
    for name, picture in batch:
        if isinstance(picture, Picture):
            yield analyzer.conclude(picture, next(read), mode, file=name)
        else:
            yield Analysis.failed(name, analyzer.model, str(picture))


def _video(analyzer: Analyzer, source: Input, rate: float, every: int) -> Iterator[Analysis]:
    try:
        with source.open() as file:
            yield from analyze_video(file, rate=rate, analyzer=analyzer, name=source.name, every=every)
    except FemrError as error:
        yield Analysis.failed(source.name, analyzer.model, str(error))
