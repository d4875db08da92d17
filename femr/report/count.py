"""Counting faces: what the faces of a photo, of a frame or of many of them add up to, and a table as its pictures.

What is counted is faces in pictures, a picture being a photo or a sampled frame of a video: not people, who may be in
many pictures. Which sums may be shown is for `summary` to say.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import add
from typing import Any

from femr.errors import DataError
from femr.music import AFFECT
from femr.output.rows import REQUIRED_COLUMNS
from femr.results import EMOTIONS, Emotion

KINDS = (*EMOTIONS, "unsure")
"""What a face can count as: each face counts once, and has no expression where the model is unsure of it."""

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
_NONE = (0,) * len(EMOTIONS)


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


def _time(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise DataError(f"Expected times in seconds. Received: {value}")
    return float(value)
