"""FER2013 in memory: from the four shapes in which people have it to splits of faces, labels and FER+ votes.

Kaggle's fer2013.csv or icml_face_data.csv, a folder tree, Parquet, and a dataset on the Hub, which is Parquet in the
end. Malformed rows raise a DataError that names them: a data set that is quietly smaller gives numbers nobody can
compare.
"""

import csv
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from femr.errors import DataError, printable
from femr.expression.calibration import TRAINING_COUNTS
from femr.faces.crop import FACE_SIDE, Pixels
from femr.files import walk
from femr.results import EMOTIONS, emotion_of

Votes: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Splits: TypeAlias = Mapping[str, "FaceData"]

TRAINING, PUBLIC_TEST, PRIVATE_TEST = SPLITS = ("Training", "PublicTest", "PrivateTest")
"""FER2013's own splits: to learn from, to choose by, and to report once."""

OFFICIAL_COUNTS: Mapping[str, tuple[int, ...]] = {
    TRAINING: TRAINING_COUNTS,
    PUBLIC_TEST: (467, 56, 496, 895, 653, 415, 607),
    PRIVATE_TEST: (491, 55, 528, 879, 594, 416, 626),
}
"""Faces of each expression in the data set that was published (Kaggle, 2013), in the order of EMOTIONS."""

_MIN_VOTES = 3  # for the seven expressions; with fewer a face tells nothing of what people see
_VOTE_COLUMNS = np.array([4, 5, 6, 1, 3, 2, 0])  # of each of EMOTIONS in FER+'s order
_SPLIT_WORDS = {
    **dict.fromkeys(("training", "train"), TRAINING),
    **dict.fromkeys(("publictest", "public_test", "validation", "valid", "val"), PUBLIC_TEST),
    **dict.fromkeys(("privatetest", "private_test", "test"), PRIVATE_TEST),
}
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
_IMAGE_COLUMNS = ("image", "img", "pixels", "img_bytes")
_LABEL_COLUMNS = ("label", "labels", "emotion", "expression")
_SPLIT_COLUMNS = ("usage", "split")
_LONGEST_LINE = 1_000_000  # characters: a face of 48 × 48 pixels has 10,000
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_PIXELS = FACE_SIDE * FACE_SIDE
_SHOWN = 5  # malformed rows that an error names


@dataclass(frozen=True, eq=False, slots=True)
class FaceData:
    """Some labelled faces.

    images: gray uint8 (n, 48, 48). labels: int64 (n,), indices into EMOTIONS. votes: FER+ crowd votes int64 (n, 10), in
    FER+'s order (neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, not a face), or None.
    """

    images: Pixels
    labels: npt.NDArray[np.int64]
    votes: Votes | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, rows: Mask | npt.NDArray[np.int64] | slice) -> "FaceData":
        """The chosen faces, by a mask, indices or a slice."""
        return FaceData(self.images[rows], self.labels[rows], None if self.votes is None else self.votes[rows])

    def counts(self) -> tuple[int, ...]:
        """Faces of each expression, in the order of EMOTIONS."""
        return tuple(int(count) for count in np.bincount(self.labels, minlength=len(EMOTIONS)))

    def keys(self) -> list[bytes]:
        """One hash of the pixels a face: equal for pixel-identical faces, whatever their labels."""
        return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in self.images]

    def sha256(self) -> str:
        """SHA-256 of all pixels and labels in their order, hexadecimal: which data a model was made from."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images).tobytes())
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()


class Row(NamedTuple):
    """One face or photo as it is stored.

    where: for an error. image: a picture file's bytes, or pixels as numbers or text. label: a number or a name.
    """

    where: str
    image: Any
    label: Any
    split: Any
    votes: Any = None
    source: str | None = None


def load(source: str | Path) -> dict[str, FaceData]:
    """Split name → its faces, for the splits that the data has.

    Args:
        source: A Kaggle CSV file, a folder tree, a Parquet file or folder, or a Hub dataset id such as "user/name".

    Raises:
        DataError: When it is none of these, is empty, or a row is malformed; nothing is left out silently.
    """
    rows, bad = list[tuple[Pixels, int, str, Any]](), list[str]()
    for row in _rows(source):
        try:
            rows.append((_pixels(row.image), label_of(row.label), _split_of(row.split), row.votes))
        except (ValueError, TypeError) as error:
            bad.append(f"{row.where}: {error}")
    check_rows(bad)
    if not rows:
        raise DataError(f"Expected faces. Received: none ({Path(source).name})")
    images, labels, names, votes = zip(*rows, strict=True)
    known = None if any(one is None for one in votes) else np.asarray(votes, np.int64)
    everything, usage = FaceData(np.stack(images), np.asarray(labels, np.int64), known), np.asarray(names)
    return {split: everything[usage == split] for split in SPLITS if (usage == split).any()}


def differences(splits: Splits) -> list[str]:
    """One sentence for each split that is missing or has other counts; empty for the data set as it was published."""
    sentences = [f"There is no {split} split" for split in SPLITS if split not in splits]
    for split, faces in splits.items():
        counts = zip(EMOTIONS, faces.counts(), OFFICIAL_COUNTS[split], strict=True)
        wrong = [f"{found:,} {name} instead of {official:,}" for name, found, official in counts if found != official]
        if wrong:
            sentences.append(f"{split} is not FER2013's: {', '.join(wrong)}")
    return sentences


def training_faces(splits: Splits, names: Sequence[str] = (TRAINING,)) -> FaceData:
    """The faces of some splits, to learn from. Raises DataError for PrivateTest and an expression without a face."""
    if PRIVATE_TEST in names:
        raise DataError("Expected Training or PublicTest to train on. Received: PrivateTest, kept for the test")
    parts = [split_named(splits, name) for name in names]
    votes = [part.votes for part in parts if part.votes is not None]
    images, labels = (np.concatenate([getattr(part, key) for part in parts]) for key in ("images", "labels"))
    faces = FaceData(images, labels, np.concatenate(votes) if len(votes) == len(parts) else None)
    empty = ", ".join(emotion for emotion, count in zip(EMOTIONS, faces.counts(), strict=True) if not count)
    if empty:
        raise DataError(f"Expected faces of all seven expressions to train on. Received: none that is {empty}")
    return faces


def split_named(splits: Splits, name: str) -> FaceData:
    """One split. Raises DataError, with those there are, when it is missing."""
    if name not in splits:
        raise DataError(f"Expected data with {name}. Received: only {', '.join(splits) or 'nothing'}")
    return splits[name]


def grouped_split(faces: FaceData, held_out: float, seed: int) -> tuple[FaceData, FaceData]:
    """Two parts, the second with about `held_out` (0 to 1) of the faces; pixel-identical ones stay together."""
    groups = np.unique(np.array(faces.keys()), return_inverse=True)[1]
    order = np.random.default_rng(seed).permutation(groups.max() + 1)
    second = np.zeros(len(order), bool)
    second[order[np.cumsum(np.bincount(groups)[order]) <= held_out * len(faces)]] = True
    return faces[~second[groups]], faces[second[groups]]


def unseen(faces: FaceData, trained_on: Iterable[FaceData]) -> Mask:
    """Which faces have pixels that occur in none of the training parts: bool (n,)."""
    seen = {key for part in trained_on for key in part.keys()}  # noqa: SIM118, a method of FaceData, not of a dict
    return np.array([key not in seen for key in faces.keys()], bool)  # noqa: SIM118


def seven_votes(votes: Votes) -> Votes:
    """The votes for the seven expressions in the order of EMOTIONS, int64 (n, 7), of FER+'s ten columns (n, 10)."""
    return votes[:, _VOTE_COLUMNS]


def vote_shares(votes: Votes) -> npt.NDArray[np.float32]:
    """The share of each expression among the seven, float32 (n, 7); zeros for faces with fewer than three votes."""
    seven = seven_votes(votes)
    counts = seven.sum(axis=1, keepdims=True)
    return np.where(counts >= _MIN_VOTES, seven / np.maximum(counts, 1), 0).astype(np.float32)


def majority(votes: Votes) -> tuple[npt.NDArray[np.int64], Mask]:
    """The crowd's expression, index into EMOTIONS int64 (n,), and whether over half of all ten votes agree on it."""
    seven = seven_votes(votes)
    return seven.argmax(axis=1), 2 * seven.max(axis=1) > votes.sum(axis=1)


def label_of(value: Any) -> int:
    """The index into EMOTIONS of a label: 0 to 6 as a number or text, or a name in any case. ValueError for others."""
    text = str(value).strip().lower()
    if text.isdigit() and int(text) < len(EMOTIONS):
        return int(text)
    emotion = emotion_of(text)
    if emotion is None:
        raise ValueError(f"unknown label {value!r}; expected 0 to 6 or {', '.join(EMOTIONS)}")
    return EMOTIONS.index(emotion)


def check_rows(bad: Sequence[str]) -> None:
    """Return if there are no malformed rows. Raises one DataError with the first few and how many there are."""
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise DataError(f"Expected well-formed rows. Received: {'; '.join(bad[:_SHOWN])}{more}")


def parquet_rows(path: Path) -> Iterator[Row]:
    """Each row of a Parquet file of any uploader's. Raises DataError for a damaged file or missing columns."""
    table = _parquet_table(path)
    image, label, split = (_column(table, names) for names in (_IMAGE_COLUMNS, _LABEL_COLUMNS, _SPLIT_COLUMNS))
    if image is None or label is None:
        raise DataError(f"Expected columns image and label. Received: {', '.join(table.column_names)}")
    names, in_name = _label_names(table, label), _split_in_name(path)
    rows = (row for batch in table.to_batches(max_chunksize=1024) for row in batch.to_pylist())
    for number, row in enumerate(rows, start=1):
        shown = row[label]
        if isinstance(shown, int) and 0 <= shown < len(names):
            shown = names[shown]
        part = row[split] if split else in_name
        yield Row(f"row {number}", _picture(row[image]), shown, part, row.get("ferplus_votes"), row.get("source"))


def first_photo(path: Path) -> bytes | None:
    """The first picture file of a Parquet file without a column for splits: of photos, perhaps; None without any."""
    table = _parquet_table(path)
    image = _column(table, _IMAGE_COLUMNS)
    if image is None or not table.num_rows or _column(table, _SPLIT_COLUMNS):
        return None
    value = _picture(table[image][0].as_py())
    return value if isinstance(value, bytes) else None


def _rows(source: str | Path) -> Iterator[Row]:
    """All rows of a source. Raises DataError when it is none of the four shapes, or cannot be opened."""
    path = Path(source)
    read = {".csv": _csv_rows, ".parquet": parquet_rows}.get(path.suffix.lower())
    try:
        if os.path.isdir(path):  # noqa: PTH112 - as below, without an error for any name
            files = _files(path, {".parquet"})
            yield from chain.from_iterable(map(parquet_rows, files)) if files else _tree_rows(path)
        elif read and os.path.isfile(path):  # noqa: PTH113
            yield from read(path)
        elif isinstance(source, str) and _HUB_ID.fullmatch(source) and not os.path.lexists(path):
            yield from chain.from_iterable(map(parquet_rows, _download(source)))
        else:
            expected = "Expected a CSV or Parquet file, a folder or a Hub dataset"
            raise DataError(f"{expected}. Received: no such thing ({printable(path.name)})")
    except OSError as error:
        name = printable(Path(error.filename or path).name)
        raise DataError(f"{name} cannot be opened: {error.strerror}.") from error


def _csv_rows(path: Path) -> Iterator[Row]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = iter(lambda: file.readline(_LONGEST_LINE), "")  # what is no table may have no end of line
            reader = csv.DictReader(lines, skipinitialspace=True)
            reader.fieldnames = columns = [(name or "").strip().lower() for name in reader.fieldnames or ()]
            if not {"emotion", "pixels"} <= set(columns):
                raise DataError(f"Expected columns emotion, pixels, Usage. Received: {', '.join(columns) or 'none'}")
            for row in reader:
                split = row.get("usage", TRAINING)
                yield Row(f"line {reader.line_num}", row["pixels"] or "", row["emotion"], split)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"Expected a CSV file. Received: one that is not text ({path.name})") from error


def _tree_rows(folder: Path) -> Iterator[Row]:
    """train/<emotion>/* and test/<emotion>/*; a file name such as PublicTest_123.jpg goes before its folder."""
    for path in _files(folder, _PICTURES):
        prefix = path.stem.split("_")[0]
        split = prefix if prefix.lower() in ("training", "publictest", "privatetest") else path.parent.parent.name
        yield Row("/".join(path.parts[-3:]), path.read_bytes(), path.parent.name, split)


def _files(folder: Path, endings: Collection[str]) -> list[Path]:
    """The files with one of the endings, sorted, but for what `files.walk` passes over. Raises: OSError."""

    def fail(error: OSError) -> None:
        raise error

    return sorted(path for path in walk(folder, fail) if path.suffix.lower() in endings)


def _download(repo: str) -> list[Path]:
    """The Parquet files of a Hub dataset, from its main branch or else the Hub's own conversion."""
    from huggingface_hub import errors, snapshot_download

    for revision in (None, "refs/convert/parquet"):
        try:
            folder = snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns="*.parquet")
        except (errors.RepositoryNotFoundError, errors.GatedRepoError):
            raise DataError(f"Expected a public dataset on the Hub. Received: {repo}, missing or private") from None
        except errors.RevisionNotFoundError:
            continue
        except (OSError, ValueError, errors.HfHubHTTPError) as error:  # ValueError: a name that cannot be
            raise DataError(f"The dataset {printable(repo)} could not be fetched from the Hub.") from error
        files = sorted(Path(folder).glob("**/*.parquet"))
        if files:
            return files
    raise DataError(f"Expected a dataset with Parquet files. Received: {repo}, without any")


def _parquet_table(path: Path) -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DataError("Reading Parquet files needs pyarrow: pip install pyarrow.") from error
    try:
        return pyarrow.parquet.read_table(path)
    except (OSError, ValueError, pyarrow.ArrowException) as error:  # ValueError: a name that is not UTF-8
        raise DataError(f"Expected a Parquet file. Received: a damaged one ({printable(path.name)})") from error


def _column(table: Any, names: Sequence[str]) -> str | None:
    columns = {name.lower(): name for name in table.column_names}
    return next((columns[name] for name in names if name in columns), None)


def _picture(value: Any) -> Any:
    """What a column of images holds: the Hub's Image feature wraps a picture file in a dict."""
    return value.get("bytes") if isinstance(value, dict) else value


def _label_names(table: Any, label: str) -> list[str]:
    """What the Hub's metadata call labels 0, 1, ..., if they do: uploaders order the expressions freely."""
    metadata = json.loads((table.schema.metadata or {}).get(b"huggingface", "{}"))
    feature = metadata.get("info", {}).get("features", {}).get(label, {})
    return list(feature.get("names") or ()) if isinstance(feature, dict) else []


def _split_in_name(path: Path) -> str:
    """The split that a file's name or folder tells: train-00000-of-00001.parquet. Without one, all is Training."""
    words = re.split(r"[-_.]", path.stem.lower()) + [part.lower() for part in path.parts[-2:-1]]
    return next((word for word in words if word in _SPLIT_WORDS), "train")


def _split_of(value: Any) -> str:
    """FER2013's name of a split: train, validation and test count as Training, PublicTest and PrivateTest."""
    name = _SPLIT_WORDS.get(str(value).strip().lower())
    if name is None:
        raise ValueError(f"unknown split {value!r}; expected Training, PublicTest or PrivateTest")
    return name


def _pixels(value: Any) -> Pixels:
    """A stored face as gray uint8 (48, 48). Raises ValueError when it is damaged or of another size."""
    if isinstance(value, bytes):
        try:
            with Image.open(BytesIO(value)) as picture:
                pixels = np.asarray(picture.convert("L"), np.uint8)
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError("not a picture") from error
    else:
        pixels = _numbers(value)
    if pixels.size != _PIXELS or (pixels.ndim == 2 and pixels.shape[0] != FACE_SIDE):
        shape = f" ({pixels.shape[1]}×{pixels.shape[0]})" if pixels.ndim == 2 else ""
        raise ValueError(f"{pixels.size:,} pixels{shape} instead of {_PIXELS:,}")
    return pixels.reshape(FACE_SIDE, FACE_SIDE)


def _numbers(value: Any) -> Pixels:
    """Pixels written as numbers from 0 to 255, in a list or as text with blanks between them."""
    try:
        numbers = bytes(map(int, value.split())) if isinstance(value, str) else bytes(np.ravel(value).tolist())
    except (ValueError, TypeError) as error:
        raise ValueError("pixels that are not numbers from 0 to 255") from error
    return np.frombuffer(numbers, np.uint8)
