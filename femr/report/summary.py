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
from dataclasses import dataclass, field
from itertools import pairwise
from operator import add
from pathlib import PurePath
from typing import Any

from femr.errors import DataError
from femr.music import AFFECT
from femr.output.rows import REQUIRED_COLUMNS
from femr.results import EMOTIONS, Emotion
from femr.wording import clock

UNSURE = "unsure"
"""What a face counts as that the model is unsure of: it has no expression then."""
KINDS = (*EMOTIONS, UNSURE)
"""What a face can count as: each face counts once."""
LEAST = 5
"""The fewest faces that are shown on their own: default and minimum of the threshold."""
MAX_BINS = 240
"""As many bins as a report shows; more would be a table that nobody reads."""

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
_NONE = (0,) * len(EMOTIONS)
_AIM = 40  # the bins that are aimed for where nobody says how wide one is
_BIN_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds
_PHOTOS_A_BIN = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)  # photos


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, `count` of `of`, after Wilson (1927): lower and upper limit, 0 to 1.

    Of nothing nothing is known: (0, 1).
    """
    if not of:
        return 0.0, 1.0
    share, spread = count / of, _Z * _Z / of
    middle, half = share + spread / 2, _Z * math.sqrt(share * (1 - share) / of + spread / (4 * of))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return (0.0 if count == 0 else low), (1.0 if count == of else high)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many faces count as one of KINDS."""

    kind: str
    count: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share. It takes faces as independent, which those of one film are not."""
        return wilson(self.count, self.of)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the faces of some pictures (photos or frames of a video) add up to.

    sure: faces that the model is sure of, by expression, in the order of EMOTIONS. unsure: the others.
    weights: the sum of all faces' probabilities, in the order of EMOTIONS. most: faces in the fullest picture.
    """

    pictures: int = 0
    sure: tuple[int, ...] = _NONE
    unsure: int = 0
    weights: tuple[float, ...] = _NONE
    most: int = 0

    @classmethod
    def of(cls, tallies: "Iterable[Tally]") -> "Tally":
        """The sum of several."""
        return sum(tallies, start=cls())

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.pictures + other.pictures,
            tuple(map(add, self.sure, other.sure)),
            self.unsure + other.unsure,
            tuple(map(add, self.weights, other.weights)),
            max(self.most, other.most),
        )

    @property
    def faces(self) -> int:
        """All faces, the unsure ones too."""
        return sum(self.sure) + self.unsure

    @property
    def shares(self) -> tuple[Share, ...]:
        """The share of each of KINDS among all faces; together they are 1."""
        counts = zip(KINDS, (*self.sure, self.unsure), strict=True)
        return tuple(Share(kind, count, self.faces) for kind, count in counts)

    @property
    def faces_a_picture(self) -> float:
        """The mean number of faces in a picture."""
        return self.faces / self.pictures if self.pictures else 0.0

    @property
    def valence(self) -> float:
        """How pleasant the faces look on average, -1 to 1; 0 without a face.

        It is the mean of music.AFFECT's valences, weighted by the probabilities of all faces.
        """
        total = sum(self.weights)
        named = zip(EMOTIONS, self.weights, strict=True)
        return sum(AFFECT[emotion][0] * weight for emotion, weight in named) / total if total else 0.0

    @property
    def mood(self) -> Emotion | None:
        """The expression most faces count as; a tie goes to the larger sum of probabilities, as in femr.mood.

        Where the model is unsure of all, that sum alone decides. None without a face.
        """
        if not self.faces:
            return None
        votes = dict(zip(EMOTIONS, zip(self.sure, self.weights, strict=True), strict=True))
        return max(EMOTIONS, key=lambda emotion: votes[emotion])


@dataclass
class Counted:
    """A photo (time None) or a frame of a video (time in seconds), and what its faces add up to so far."""

    file: str
    time: float | None
    numbers: set[int] = field(default_factory=set)
    sure: list[int] = field(default_factory=lambda: [0] * len(EMOTIONS))
    weights: list[float] = field(default_factory=lambda: [0.0] * len(EMOTIONS))

    def add(self, row: Mapping[str, Any]) -> None:
        """Counts the face of a row. Raises: DataError."""
        if row["face"] in self.numbers:  # counted twice, three people would pass for six
            raise DataError("The table lists a face twice. Expected each picture once, read by one model.")
        scores = [row[emotion] for emotion in EMOTIONS]
        if row["expression"] not in EMOTIONS or not all(isinstance(p, int | float) and 0 <= p <= 1 for p in scores):
            raise DataError("The table has a face without its expression or its seven probabilities.")
        self.numbers.add(row["face"])
        self.sure[EMOTIONS.index(row["expression"])] += not row["unsure"]
        self.weights = [total + score for total, score in zip(self.weights, scores, strict=True)]

    @property
    def faces(self) -> int:
        """How many faces were counted."""
        return len(self.numbers)

    def tally(self) -> Tally:
        """What was counted."""
        return Tally(1, tuple(self.sure), self.faces - sum(self.sure), tuple(self.weights), self.faces)


@dataclass(frozen=True)
class Album:
    """All pictures of a table in its order: photos, and each video's frames by its file. `models`: names it mentions.

    failed: how many files could not be read.
    """

    photos: tuple[Counted, ...]
    videos: Mapping[str, tuple[Counted, ...]]
    failed: int
    models: tuple[str, ...]


def read_pictures(rows: Iterable[Mapping[str, Any]]) -> Album:
    """The pictures of a tidy table, read in one pass. Raises: DataError if it is not one, or lists a face twice."""
    pictures: dict[tuple[str, float | None], Counted] = {}
    models: dict[str, None] = {}
    failed = 0
    for row in rows:
        missing = [name for name in REQUIRED_COLUMNS if name not in row]
        if missing:
            raise DataError(f"Expected a table with the columns of femr. Missing: {', '.join(missing)}")
        models.setdefault(str(row["model"]))
        if row["error"] is not None:
            failed += 1
            continue
        key = str(row["file"]), _time(row["time"])
        picture = pictures.setdefault(key, Counted(*key))
        if row["face"] is not None and row["unsure_reason"] != "may be no face":
            picture.add(row)
    videos: dict[str, list[Counted]] = {}
    for picture in pictures.values():
        if picture.time is not None:
            videos.setdefault(picture.file, []).append(picture)
    photos = tuple(picture for picture in pictures.values() if picture.time is None)
    return Album(photos, {file: tuple(frames) for file, frames in videos.items()}, failed, tuple(models))


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
    is none or it is too small itself. bin_seconds: None without a video. photos_a_bin: how many share one.
    photos, videos, frames: read. duration: seconds up to the last frame, of all videos. failed: files that could not be
    read. models: their names in the table.
    """

    bins: tuple[Bin, ...]
    filled: tuple[FilledBin, ...]
    pool: Tally | None
    least: int
    bin_seconds: float | None
    photos_a_bin: int
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
        rows: With report.REQUIRED_COLUMNS, typed, read once, one by one; a video's have a time, a photo's have none.
        least: The threshold, LEAST or more.
        seconds: The width of a video's bins; None: one that gives at most 40 of them.
        names: Call photos and videos by their files' names instead of numbers.

    Raises:
        DataError: The threshold or the bins are out of range, a column is missing, or there are too few faces.
    """
    check_least(least)
    album = read_pictures(rows)
    ends = {file: max(frame.time or 0.0 for frame in frames) for file, frames in album.videos.items()}
    photos, width = photos_a_bin(len(album.photos)), bin_seconds(list(ends.values()), seconds)
    bins = photo_bins([photo.file for photo in album.photos], photos, names)
    placed = [(number // photos, photo) for number, photo in enumerate(album.photos)]
    for number, (file, frames) in enumerate(album.videos.items(), start=1):
        placed += [(len(bins) + bin_of(frame.time or 0.0, width), frame) for frame in frames]
        title = f"{PurePath(file).name if names else f'video {number}'}, " if len(ends) > 1 else ""
        bins += video_bins(ends[file], width, title)
    group = Group(
        bins=tuple(bins),
        filled=_filled(bins, placed, least),
        pool=_pool(album.photos, least),
        least=least,
        bin_seconds=width if ends else None,
        photos_a_bin=photos,
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


def photo_bins(files: Sequence[str], each: int, names: bool = False) -> list[Bin]:
    """A bin for each so many photos: "photo 3", its file's name instead if `names`, or "photos 11–20"."""
    if each == 1:
        named = [PurePath(file).name if names else f"photo {number}" for number, file in enumerate(files, start=1)]
        return [Bin(name, str(number)) for number, name in enumerate(named, start=1)]
    starts = range(1, len(files) + 1, each)
    return [Bin(f"photos {start}–{min(start + each - 1, len(files))}", str(start)) for start in starts]


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


def bin_seconds(ends: Sequence[float], seconds: float | None) -> float:
    """The width of the bins in seconds: the one asked for, or one that gives few of them.

    Args:
        ends: The last frame's time of each video.

    Raises:
        DataError: It is out of range, or gives too many bins.
    """
    if seconds is None:
        few = (float(width) for width in _BIN_SECONDS if _bin_count(ends, width) <= _AIM)
        width = next(few, math.ceil(max(ends, default=0) / _AIM) + 1.0)
    elif not 0.001 <= seconds < math.inf:
        raise DataError(f"Expected bins of 0.001 seconds or more. Received: {seconds:g}")
    else:
        width = seconds
    bins = _bin_count(ends, width)
    if bins > MAX_BINS:
        raise DataError(f"Expected at most {MAX_BINS} bins of time. Received: {bins} of {width:g} seconds")
    return width


def _bin_count(ends: Sequence[float], seconds: float) -> int:
    return sum(bin_of(end, seconds) + 1 for end in ends)


def _time(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise DataError(f"Expected times in seconds. Received: {value}")
    return float(value)
