"""The axis of a report: photos in a row, bins of a video's time, and what each place on it is called."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath

from femr.errors import DataError

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
