"""What a group showed, over photos or over the time of a video, in numbers that single nobody out.

The rule that protects people, with five faces (LEAST) as its unit:

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

from femr.errors import DataError, clock
from femr.report.count import Album, Counted, Tally, read_pictures

LEAST = 5
"""The fewest faces that are shown on their own: default and minimum of the threshold."""
MAX_BINS = 240
"""As many bins as a report shows; more would be a table that nobody reads."""

_AIM = 40  # the bins that are aimed for where nobody says how wide one is
_BIN_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds
_PHOTOS_A_BIN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)  # photos


@dataclass(frozen=True, slots=True)
class Bin:
    """A part of the axis: a stretch of a video, a photo, or some photos in a row. `tick`: its short name."""

    label: str
    tick: str


@dataclass(frozen=True, slots=True)
class FilledBin:
    """A bin with enough faces to be shown. `index`: which bin, from 0."""

    label: str
    index: int
    tally: Tally


@dataclass(frozen=True)
class Group:
    """What a report shows.

    bins: the whole axis. filled: those with enough faces. pool: photos with too few faces, together; None where there
    is none or it is too small itself. bin_seconds: None without a video, and where several share a bin.
    photos_a_bin, videos_a_bin: how many share one.
    photos, videos, frames: read. duration: seconds up to the last frame, of all videos. failed: files that could not be
    read. models: their names in the table.
    """

    bins: tuple[Bin, ...]
    filled: tuple[FilledBin, ...]
    pool: Tally | None
    least: int
    bin_seconds: float | None
    photos_a_bin: int
    videos_a_bin: int
    photos: int
    videos: int
    frames: int
    duration: float
    failed: int
    models: tuple[str, ...]

    @property
    def total(self) -> Tally:
        """The sum of all that is shown."""
        return Tally.of([*(one.tally for one in self.filled), self.pool or Tally()])

    @property
    def left_out(self) -> int:
        """Pictures that are counted nowhere, because they have too few faces or none."""
        return self.photos + self.frames - self.total.pictures

    @property
    def ranked(self) -> tuple[FilledBin, ...]:
        """The filled bins from the highest valence to the lowest; of equals the earlier first."""
        return tuple(sorted(self.filled, key=lambda one: (-one.tally.valence, one.index)))


def summarise(
    rows: Iterable[Mapping[str, Any]], least: int = LEAST, seconds: float | None = None, names: bool = False
) -> Group:
    """What the faces of a tidy table add up to, by the rule above.

    Args:
        rows: With rows.REQUIRED_COLUMNS, typed, read once, one by one; a video's have a time, a photo's have none.
        least: The threshold, LEAST or more.
        seconds: The width of a video's bins; None: one that gives at most 40 of them, or MAX_BINS where there are many
            videos, of which several share a bin where there are more than that.
        names: Call photos and videos by their files' names instead of numbers.

    Raises:
        DataError: The threshold or the bins are out of range, a column is missing, or there are too few faces.
    """
    check_least(least)
    album = read_pictures(rows)
    ends = {file: max(frame.time or 0.0 for frame in frames) for file, frames in album.videos.items()}
    photos, videos = photos_a_bin(len(album.photos)), videos_a_bin(len(ends)) if seconds is None else 1
    width = bin_seconds(list(ends.values()), seconds) if videos == 1 else None
    bins = file_bins("photo", [photo.file for photo in album.photos], photos, names)
    placed = [(number // photos, photo) for number, photo in enumerate(album.photos)]
    first = len(bins)
    for number, (file, frames) in enumerate(album.videos.items()):
        if width is None:
            placed += [(first + number // videos, frame) for frame in frames]
            continue
        placed += [(len(bins) + bin_of(frame.time or 0.0, width), frame) for frame in frames]
        title = f"{PurePath(file).name if names else f'video {number + 1}'}, " if len(ends) > 1 else ""
        bins += video_bins(ends[file], width, title)
    if width is None:
        bins += file_bins("video", list(ends), videos, names)
    group = Group(
        bins=tuple(bins),
        filled=_filled(bins, placed, least),
        pool=_pool(album.photos, least),
        least=least,
        bin_seconds=width if ends else None,
        photos_a_bin=photos,
        videos_a_bin=videos,
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


def _filled(bins: Sequence[Bin], placed: Iterable[tuple[int, Counted]], least: int) -> tuple[FilledBin, ...]:
    """The bins with pictures that have enough faces, and the sum of these pictures."""
    found: dict[int, list[Tally]] = defaultdict(list)
    for index, picture in placed:
        if picture.faces >= least:
            found[index].append(picture.tally())
    return tuple(FilledBin(bins[index].label, index, Tally.of(found[index])) for index in sorted(found))


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


def file_bins(noun: str, files: Sequence[str], each: int, names: bool = False) -> list[Bin]:
    """A bin for each so many files: "photo 3", its file's name instead if `names`, or "photos 11–20"."""
    if each == 1:
        named = [PurePath(file).name if names else f"{noun} {number}" for number, file in enumerate(files, start=1)]
        return [Bin(name, str(number)) for number, name in enumerate(named, start=1)]
    starts = range(1, len(files) + 1, each)
    return [Bin(f"{noun}s {start}–{min(start + each - 1, len(files))}", str(start)) for start in starts]


def video_bins(end: float, seconds: float, title: str = "") -> list[Bin]:
    """The bins up to the frame at `end`: "0:10–0:20", with the title before it."""
    edges = [clock(number * seconds) for number in range(bin_of(end, seconds) + 2)]
    return [Bin(f"{title}{start}–{stop}", start) for start, stop in pairwise(edges)]


def bin_of(time: float, seconds: float) -> int:
    """Which bin a time is in: bin k is [k · seconds, (k + 1) · seconds), to the millisecond."""
    return round(1000 * time) // round(1000 * seconds)


def photos_a_bin(photos: int) -> int:
    """How many photos share a bin, so that there are few bins."""
    return next((each for each in _PHOTOS_A_BIN if photos <= each * _AIM), math.ceil(photos / _AIM))


def videos_a_bin(videos: int) -> int:
    """How many videos share a bin: only more than there can be bins."""
    return max(1, math.ceil(videos / MAX_BINS))


def bin_seconds(ends: Sequence[float], seconds: float | None) -> float:
    """The width of the bins in seconds: the one asked for, or one that gives few of them, or as few as there can be.

    Args:
        ends: The last frame's time of each video, of MAX_BINS at most if no width is asked for.

    Raises:
        DataError: It is out of range, or gives too many bins.
    """
    if seconds is None:
        longest = max(ends, default=0.0)
        widths = [*_BIN_SECONDS, math.ceil(longest / _AIM) + 1, math.ceil(longest) + 1]
        return float(next(width for most in (_AIM, MAX_BINS) for width in widths if _bin_count(ends, width) <= most))
    if not 0.001 <= seconds < math.inf:
        raise DataError(f"Expected bins of 0.001 seconds or more. Received: {seconds:g}")
    bins = _bin_count(ends, seconds)
    if bins > MAX_BINS:
        raise DataError(f"Expected at most {MAX_BINS} bins of time. Received: {bins} of {seconds:g} seconds")
    return seconds


def _bin_count(ends: Sequence[float], seconds: float) -> int:
    return sum(bin_of(end, seconds) + 1 for end in ends)
