"""The four shapes in which people have FER2013 → rows of pixels, labels and splits.

Kaggle's fer2013.csv or icml_face_data.csv, a folder tree, Parquet, and a dataset on the Hub (which is Parquet in the
end). Malformed rows raise a DataError that names them: a data set that is quietly smaller gives numbers nobody can
compare.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from femr.errors import DataError
from femr.faces.crop import FACE_SIDE, Pixels
from femr.results import EMOTIONS, emotion_of
from femr.training import parquet

_SPLITS = MappingProxyType(
    {
        "training": "Training",
        "train": "Training",
        "publictest": "PublicTest",
        "public_test": "PublicTest",
        "validation": "PublicTest",
        "valid": "PublicTest",
        "val": "PublicTest",
        "privatetest": "PrivateTest",
        "private_test": "PrivateTest",
        "test": "PrivateTest",
    }
)
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_PIXELS = FACE_SIDE * FACE_SIDE
_SHOWN = 5


@dataclass(slots=True)
class Rows:
    """Faces in the source's order: grey uint8 (48, 48), index into EMOTIONS, split name, FER+ votes if known."""

    images: list[Pixels] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    votes: list[list[int]] | None = None


def read(source: str | Path) -> Rows:
    """All rows of a source. Raises: DataError when it is none of the four shapes, is empty, or has malformed rows."""
    path = Path(source)
    if path.is_dir():
        files = sorted(path.glob("**/*.parquet"))
        rows = _from_parquet(files) if files else _from_tree(path)
    elif path.suffix.lower() == ".csv" and path.is_file():
        rows = _from_csv(path)
    elif path.suffix.lower() == ".parquet" and path.is_file():
        rows = _from_parquet([path])
    elif parquet.is_hub_id(source):
        rows = _from_parquet(parquet.download(str(source)))
    else:
        raise DataError(
            f"Expected a CSV or Parquet file, a folder or a Hub dataset. Received: no such thing ({path.name})"
        )
    if not rows.labels:
        raise DataError(f"Expected faces. Received: none ({path.name})")
    return rows


def label_of(value: Any) -> int:
    """The index into EMOTIONS of a label: 0 to 6 as a number or text, or a name in any case. ValueError for others."""
    text = str(value).strip().lower()
    if text.isdigit() and int(text) < len(EMOTIONS):
        return int(text)
    emotion = emotion_of(text)
    if emotion is None:
        raise ValueError(f"unknown label {value!r}; expected 0 to 6 or {', '.join(EMOTIONS)}")
    return EMOTIONS.index(emotion)


def split_of(value: Any) -> str:
    """FER2013's name of a split: train, validation and test count as Training, PublicTest and PrivateTest."""
    name = _SPLITS.get(str(value).strip().lower())
    if name is None:
        raise ValueError(f"unknown split {value!r}; expected Training, PublicTest or PrivateTest")
    return name


def decode(data: bytes) -> Pixels:
    """A picture file's pixels: grey uint8 (48, 48). ValueError when it is damaged or of another size."""
    try:
        with Image.open(BytesIO(data)) as picture:
            return _square(np.asarray(picture.convert("L"), np.uint8))
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError("not a picture") from error


def _from_csv(path: Path) -> Rows:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _from_table(csv.DictReader(file, skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"Expected a CSV file. Received: one that is not text ({path.name})") from error


def _from_table(reader: "csv.DictReader[str]") -> Rows:
    columns = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    if not {"emotion", "pixels"} <= columns.keys():
        raise DataError(f"Expected columns emotion, pixels, Usage. Received: {', '.join(columns) or 'none'}")
    emotion, pixels, usage = columns["emotion"], columns["pixels"], columns.get("usage")
    numbered = ((f"line {reader.line_num}", row) for row in reader)
    return _collect(
        numbered,
        lambda row: (_from_text(row[pixels]), label_of(row[emotion]), split_of(row[usage] if usage else "Training")),
    )


def _from_tree(folder: Path) -> Rows:
    """train/<emotion>/* and test/<emotion>/*; a file name such as PublicTest_123.jpg goes before its folder."""
    files = sorted(path for path in folder.glob("**/*") if path.suffix.lower() in _PICTURES)
    numbered = (("/".join(path.parts[-3:]), path) for path in files)
    return _collect(
        numbered, lambda path: (decode(path.read_bytes()), label_of(path.parent.name), _split_in_tree(path))
    )


def _split_in_tree(path: Path) -> str:
    prefix = path.stem.split("_")[0].lower()
    return split_of(prefix if prefix in ("training", "publictest", "privatetest") else path.parent.parent.name)


def _from_parquet(paths: Iterable[Path]) -> Rows:
    votes: list[list[int]] = []

    def parse(row: parquet.Row) -> tuple[Pixels, int, str]:
        image = decode(row.image) if isinstance(row.image, bytes) else _from_values(row.image)
        found = image, label_of(row.label), split_of(row.split)
        if row.votes is not None:
            votes.append(row.votes)
        return found

    rows = _collect((numbered for path in paths for numbered in parquet.rows(path)), parse)
    rows.votes = votes if votes and len(votes) == len(rows.labels) else None
    return rows


def _collect(numbered: Iterator[tuple[str, Any]], parse: Callable[[Any], tuple[Pixels, int, str]]) -> Rows:
    """Every row parsed. Raises: one DataError for all that cannot be, with the first few and how many there are."""
    rows, bad = Rows(), list[str]()
    for where, row in numbered:
        try:
            image, label, split = parse(row)
        except (ValueError, TypeError) as error:
            bad.append(f"{where}: {error}")
            continue
        rows.images.append(image)
        rows.labels.append(label)
        rows.splits.append(split)
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise DataError(f"Expected well-formed rows. Received: {'; '.join(bad[:_SHOWN])}{more}")
    return rows


def _from_text(text: str | None) -> Pixels:
    """Pixels written as 2,304 numbers from 0 to 255 with blanks between them."""
    try:
        return _square(np.frombuffer(bytes(map(int, (text or "").split())), np.uint8))
    except ValueError as error:
        if "pixels" in str(error):
            raise
        raise ValueError("pixels that are not numbers from 0 to 255") from error


def _from_values(values: Any) -> Pixels:
    array = np.asarray(values)
    if array.dtype.kind not in "iu" or (array.size and not (array.min() >= 0 and array.max() <= 255)):
        raise ValueError("pixels that are not numbers from 0 to 255")
    return _square(array.astype(np.uint8).ravel())


def _square(pixels: Pixels) -> Pixels:
    if pixels.size != _PIXELS or (pixels.ndim == 2 and pixels.shape[0] != FACE_SIDE):
        shape = f" ({pixels.shape[1]}×{pixels.shape[0]})" if pixels.ndim == 2 else ""
        raise ValueError(f"{pixels.size:,} pixels{shape} instead of {_PIXELS:,}")
    return pixels.reshape(FACE_SIDE, FACE_SIDE)
