"""The tidy table's rows → one tally a picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from femr.emotions import EMOTIONS
from femr.errors import DataError
from femr.group.tally import Tally
from femr.report import REQUIRED_COLUMNS


@dataclass
class Picture:
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

    photos: tuple[Picture, ...]
    videos: Mapping[str, tuple[Picture, ...]]
    failed: int
    models: tuple[str, ...]


def read_pictures(rows: Iterable[Mapping[str, Any]]) -> Album:
    """The pictures of a tidy table, read in one pass. Raises: DataError if it is not one, or lists a face twice."""
    pictures: dict[tuple[str, float | None], Picture] = {}
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
        picture = pictures.setdefault(key, Picture(*key))
        if row["face"] is not None and row["unsure_reason"] != "may be no face":
            picture.add(row)
    videos: dict[str, list[Picture]] = {}
    for picture in pictures.values():
        if picture.time is not None:
            videos.setdefault(picture.file, []).append(picture)
    photos = tuple(picture for picture in pictures.values() if picture.time is None)
    return Album(photos, {file: tuple(frames) for file, frames in videos.items()}, failed, tuple(models))


def _time(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise DataError(f"Expected times in seconds. Received: {value}")
    return float(value)
