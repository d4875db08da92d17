"""Parquet files with faces, local or from the Hub, with the column and label names of different uploaders."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femr.errors import DataError

_IMAGE = ("image", "img", "pixels", "img_bytes")
_LABEL = ("label", "labels", "emotion", "expression")
_SPLIT = ("usage", "split")
_VOTES, _SOURCE = "ferplus_votes", "source"
_CONVERTED = "refs/convert/parquet"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is stored. image: a picture file's bytes, or numbers; label: a number or a name."""

    image: Any
    label: Any
    split: str
    votes: list[int] | None
    source: str | None


def rows(path: Path) -> Iterator[tuple[str, Row]]:
    """(where it is, row) for each row of a file. Raises: DataError for a damaged file or missing columns."""
    table = _table(path)
    columns = {name.lower(): name for name in table.column_names}
    image, label = _column(columns, _IMAGE), _column(columns, _LABEL)
    split = next((columns[name] for name in _SPLIT if name in columns), None)
    if image is None or label is None:
        raise DataError(f"Expected columns {_IMAGE[0]} and {_LABEL[0]}. Received: {', '.join(table.column_names)}")
    names, from_file = _label_names(table, label), _split_in_name(path)
    number = 0
    for batch in table.to_batches(max_chunksize=1024):
        for row in batch.to_pylist():
            number += 1
            value, shown = row[image], row[label]
            value = value.get("bytes") if isinstance(value, dict) else value
            shown = names[shown] if names and isinstance(shown, int) and 0 <= shown < len(names) else shown
            part = row[split] if split else from_file
            yield f"row {number}", Row(value, shown, part, row.get(_VOTES), row.get(_SOURCE))


def first_picture(path: Path) -> bytes | None:
    """The first picture file in a file without a column for splits: of photos, perhaps; None if there is none.

    Raises: DataError for a damaged file.
    """
    table = _table(path)
    columns = {name.lower(): name for name in table.column_names}
    image = _column(columns, _IMAGE)
    if image is None or not table.num_rows or _column(columns, _SPLIT):
        return None
    value = table[image][0].as_py()
    value = value.get("bytes") if isinstance(value, dict) else value
    return value if isinstance(value, bytes) else None


def is_hub_id(source: str | Path) -> bool:
    """Whether a source reads like a Hub dataset, "user/name", and is no path that exists."""
    return isinstance(source, str) and bool(_HUB_ID.fullmatch(source)) and not Path(source).exists()


def download(repo: str) -> list[Path]:
    """The Parquet files of a Hub dataset, from its main branch or else the Hub's own conversion. Raises: DataError."""
    from huggingface_hub import errors, snapshot_download

    for revision in (None, _CONVERTED):
        try:
            folder = snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns="*.parquet")
        except (errors.RepositoryNotFoundError, errors.GatedRepoError):
            raise DataError(f"Expected a public dataset on the Hub. Received: {repo}, missing or private") from None
        except errors.RevisionNotFoundError:
            continue
        except (OSError, errors.HfHubHTTPError) as error:
            raise DataError(f"The dataset {repo} could not be fetched from the Hub.") from error
        files = sorted(Path(folder).glob("**/*.parquet"))
        if files:
            return files
    raise DataError(f"Expected a dataset with Parquet files. Received: {repo}, without any")


def _table(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise DataError("Reading Parquet files needs pyarrow: pip install 'femr[train]'.") from error
    try:
        return pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DataError(f"Expected a Parquet file. Received: a damaged one ({path.name})") from error


def _column(columns: dict[str, str], names: Sequence[str]) -> str | None:
    return next((columns[name] for name in names if name in columns), None)


def _label_names(table: Any, label: str) -> list[str] | None:
    """What the Hub's metadata call labels 0, 1, ..., None if nothing: uploaders order the expressions freely."""
    metadata = (table.schema.metadata or {}).get(b"huggingface")
    feature = json.loads(metadata).get("info", {}).get("features", {}).get(label, {}) if metadata else {}
    names = feature.get("names") if isinstance(feature, dict) else None
    return [str(name) for name in names] if names else None


def _split_in_name(path: Path) -> str:
    """The split that a file's name or folder tells: train-00000-of-00001.parquet. Without one, all is Training."""
    words = re.split(r"[-_.]", path.stem.lower()) + [part.lower() for part in path.parts[-2:-1]]
    known = ("train", "training", "validation", "valid", "val", "test", "publictest", "privatetest")
    return next((word for word in words if word in known), "train")
