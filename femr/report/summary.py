"""What a group showed, over photos or over the time of a video, in numbers that single nobody out.

What is counted is faces in pictures, a picture being a photo or a sampled frame of a video: not people, who may be in
many pictures. The rule that protects them, with five faces (LEAST) as its unit:

1. A picture with fewer than five faces is never shown on its own. Frames of a video that have fewer are counted
   nowhere: frames beside each other show the same people, so that many of them together are no more people. Photos that
   have fewer are counted together, as one pool, if the pool has five faces; else nowhere.
2. So all that is shown is a sum of parts that are never taken apart: pictures with five faces or more, and the pool.
   Totals, intervals, mood and best moments are sums over what is shown: nothing is left to be found by subtraction,
   neither within a report nor between two reports of a table with other bins or another threshold. What is left out is
   told as a number of pictures, without faces or expressions.
3. A higher threshold (`least`) asks for more faces in a picture and in the pool. Photos between five and the threshold
   join a pool that has five faces without them, or make one of their own.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Any

from femr.errors import DataError
from femr.report.count import Album, Counted, Tally, read_pictures

LEAST = 5
"""The fewest faces that are shown on their own: default and minimum of the threshold."""


MAX_PLACES = 240
"""As many places as a report shows; more would be a table that nobody reads."""

_FEW = 40  # the places that are aimed for where nobody says how wide a bin is
_BINS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds
_RUNS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)  # photos


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the axis: a bin of a video, a photo, or some photos in a row. `tick`: its short name."""

    label: str
    tick: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A place on the axis with enough faces to be shown. `index`: which place, from 0."""

    label: str
    index: int
    tally: Tally


@dataclass(frozen=True)
class Group:
    """What a report shows.

    places: the whole axis; those without a moment have too few faces. pool: photos with too few faces, together; None
    where there is none or it is too small itself. bin: seconds, None without a video. run: photos a place.
    photos, videos, frames: read. duration: seconds up to the last frame, of all videos. failed: files that could not be
    read. models: their names in the table.
    """

    places: tuple[Place, ...]
    moments: tuple[Moment, ...]
    pool: Tally | None
    least: int
    bin: float | None
    run: int
    photos: int
    videos: int
    frames: int
    duration: float
    failed: int
    models: tuple[str, ...]

    @property
    def total(self) -> Tally:
        """The sum of all that is shown."""
        return Tally.of([*(moment.tally for moment in self.moments), self.pool or Tally()])

    @property
    def left_out(self) -> int:
        """Pictures that are counted nowhere, because they have too few faces or none."""
        return self.photos + self.frames - self.total.pictures

    @property
    def ranked(self) -> tuple[Moment, ...]:
        """The moments from the highest valence to the lowest; of equals the earlier first."""
        return tuple(sorted(self.moments, key=lambda moment: (-moment.tally.valence, moment.index)))


def summarise(
    rows: Iterable[Mapping[str, Any]], least: int = LEAST, seconds: float | None = None, names: bool = False
) -> Group:
    """What the faces of a tidy table add up to, by the rule above.

    Args:
        rows: with report.REQUIRED_COLUMNS, typed, read once, one by one; a video's have a time, a photo's have none.
        least: the threshold, LEAST or more.
        seconds: the width of a video's bins; None: one that gives at most 40 of them.
        names: call photos and videos by their files' names instead of numbers.
    Raises: DataError if the threshold or the bins cannot be, a column is missing, or there are too few faces.
    """
    check_least(least)
    album = read_pictures(rows)
    ends = {file: max(frame.time or 0.0 for frame in frames) for file, frames in album.videos.items()}
    run, width = run_length(len(album.photos)), bin_width(list(ends.values()), seconds)
    places = photo_places([photo.file for photo in album.photos], run, names)
    placed = [(number // run, photo) for number, photo in enumerate(album.photos)]
    for number, (file, frames) in enumerate(album.videos.items(), start=1):
        placed += [(len(places) + bin_of(frame.time or 0.0, width), frame) for frame in frames]
        title = f"{PurePath(file).name if names else f'video {number}'}, " if len(ends) > 1 else ""
        places += video_places(ends[file], width, title)
    group = Group(
        places=tuple(places),
        moments=_moments(places, placed, least),
        pool=_pool(album.photos, least),
        least=least,
        bin=width if ends else None,
        run=run,
        photos=len(album.photos),
        videos=len(album.videos),
        frames=sum(len(frames) for frames in album.videos.values()),
        duration=sum(ends.values()),
        failed=album.failed,
        models=album.models,
    )
    if not group.total.faces:
        raise DataError(_too_few(album, least))
    return group


def check_least(least: int) -> None:
    """Return if a threshold protects people enough. Raises: DataError."""
    if least < LEAST:
        raise DataError(f"Expected a threshold of {LEAST} faces or more, which singles out nobody. Received: {least}")


def _moments(places: Sequence[Place], placed: Iterable[tuple[int, Counted]], least: int) -> tuple[Moment, ...]:
    """Places with pictures that have enough faces, and the sum of these pictures."""
    found: dict[int, list[Tally]] = defaultdict(list)
    for index, picture in placed:
        if picture.faces >= least:
            found[index].append(picture.tally())
    return tuple(Moment(places[index].label, index, Tally.of(found[index])) for index in sorted(found))


def _pool(photos: Iterable[Counted], least: int) -> Tally | None:
    """The photos with too few faces, together; None if they are too few still."""
    some = [photo.tally() for photo in photos if 0 < photo.faces < least]
    small = [tally for tally in some if tally.faces < LEAST]
    if Tally.of(small).faces < LEAST:  # as under any other threshold, or two reports would differ by them alone
        some = [tally for tally in some if tally.faces >= LEAST]
    pool = Tally.of(some)
    return pool if pool.faces >= least else None


def _too_few(album: Album, least: int) -> str:
    faces = [picture.faces for frames in (album.photos, *album.videos.values()) for picture in frames]
    if not any(faces):
        return "There is no face in it, so there is nothing to report."
    places = ["in one frame of a video"] * bool(album.videos) + ["in all photos together"] * bool(album.photos)
    return f"A report needs {least} faces {' or '.join(places)}: with fewer it would tell about single people."


def photo_places(files: Sequence[str], run: int, names: bool = False) -> list[Place]:
    """A place for each `run` photos: "photo 3", its file's name instead if `names`, or "photos 11–20"."""
    if run == 1:
        named = [PurePath(file).name if names else f"photo {number}" for number, file in enumerate(files, start=1)]
        return [Place(name, str(number)) for number, name in enumerate(named, start=1)]
    starts = range(1, len(files) + 1, run)
    return [Place(f"photos {start}–{min(start + run - 1, len(files))}", str(start)) for start in starts]


def video_places(end: float, seconds: float, title: str = "") -> list[Place]:
    """A place for each bin up to the frame at `end`: "0:10–0:20", with the title before it."""
    edges = [clock(number * seconds) for number in range(bin_of(end, seconds) + 2)]
    return [Place(f"{title}{start}–{stop}", start) for start, stop in pairwise(edges)]


def bin_of(time: float, seconds: float) -> int:
    """Which bin a time is in: bin k is [k · seconds, (k + 1) · seconds), to the millisecond."""
    return round(1000 * time) // round(1000 * seconds)


def run_length(photos: int) -> int:
    """How many photos share a place, so that there are few places."""
    return next((run for run in _RUNS if photos <= run * _FEW), math.ceil(photos / _FEW))


def bin_width(ends: Sequence[float], seconds: float | None) -> float:
    """The width of the bins in seconds: the one asked for, or one that gives few of them.

    Args: `ends`, the last frame's time of each video. Raises: DataError if it cannot be, or gives too many bins.
    """
    if seconds is None:
        few = (float(width) for width in _BINS if _bins(ends, width) <= _FEW)
        width = next(few, math.ceil(max(ends, default=0) / _FEW) + 1.0)
    elif not 0.001 <= seconds < math.inf:
        raise DataError(f"Expected bins of 0.001 seconds or more. Received: {seconds:g}")
    else:
        width = seconds
    bins = _bins(ends, width)
    if bins > MAX_PLACES:
        raise DataError(f"Expected at most {MAX_PLACES} bins of time. Received: {bins} of {width:g} seconds")
    return width


def clock(seconds: float) -> str:
    """A time as 1:05 or 1:01:05; with digits after the point only where there are any."""
    whole, rest = divmod(round(1000 * seconds), 1000)
    minutes, second = divmod(whole, 60)
    fraction = f".{rest:03}".rstrip("0") if rest else ""
    start = f"{minutes // 60}:{minutes % 60:02}" if minutes >= 60 else f"{minutes}"
    return f"{start}:{second:02}{fraction}"


def _bins(ends: Sequence[float], seconds: float) -> int:
    return sum(bin_of(end, seconds) + 1 for end in ends)
