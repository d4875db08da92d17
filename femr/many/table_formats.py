"""The three formats of the tidy table: rows as bytes and back, with types that stay the same."""

import csv
import io
import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, islice
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from femr.errors import DataError
from femr.report import COLUMNS, REQUIRED_COLUMNS

TYPES: Mapping[str, type] = MappingProxyType(
    dict.fromkeys(COLUMNS, float)
    | dict.fromkeys(("file", "expression", "unsure_reason", "model", "error"), str)
    | dict.fromkeys(("frame", "face"), int)
    | {"unsure": bool}
)
"""The type of each column; any of them may be empty. In Parquet: double, string, int64 and bool."""

FORMATS = (".csv", ".jsonl", ".parquet")
"""Endings of the files' names, and with them the formats."""

_GROUP = 10_000  # rows of a Parquet row group

Row: TypeAlias = dict[str, Any]

_EMPTY: Mapping[str, None] = MappingProxyType(dict.fromkeys(COLUMNS))


def read_rows(path: str | PathLike[str], form: str | None = None) -> Iterator[Row]:
    """The rows one by one, for tables of any length. Raises: DataError as `read_table`, except for no rows."""
    path = Path(path)
    form = form or form_of(path)
    unfinished = mark_of(path).exists()
    lines = mark_of(path) if unfinished and form == ".parquet" else path
    if not lines.is_file():
        raise DataError(f"There is no table named {path.name}.")
    try:
        if lines.suffix == ".parquet":
            yield from _read_parquet(lines)
        elif form == ".csv":
            yield from _read_csv(lines, unfinished)
        else:
            yield from _read_json_lines(lines, unfinished)
    except DataError as error:
        raise DataError(f"{path.name} {error}") from error.__cause__
    except (OSError, ValueError, TypeError, NotImplementedError, csv.Error) as error:
        raise DataError(f"{path.name} cannot be read as a table; it may be damaged or something else.") from error


def form_of(path: Path) -> str:
    """The format that a table's ending says. Raises: DataError."""
    if path.suffix.lower() not in FORMATS:
        raise DataError(f"Expected a table that ends in {', '.join(FORMATS)}. Received: {path.name}")
    return path.suffix.lower()


def mark_of(path: Path) -> Path:
    """The file that lies beside a table while it is not complete."""
    return path.with_name(f"{path.name}.unfinished")


def _csv_line(values: Iterable[Any]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(values)
    return text.getvalue()


HEADERS: Mapping[str, bytes] = {".csv": _csv_line(COLUMNS).encode(), ".jsonl": b"", ".parquet": b""}
"""What the lines of an empty table begin with."""


def encode(rows: Iterable[Row], form: str) -> bytes:
    """Rows as lines; a Parquet table's are JSON until it is complete."""
    if form == ".csv":
        return "".join(_csv_line(row.values()) for row in rows).encode()
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _read_lines(path: Path, unfinished: bool) -> Iterator[str]:
    """The lines, without a last one that an interruption cut."""
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if unfinished and not line.endswith(b"\n"):
                return
            yield line.decode("utf-8" if number else "utf-8-sig")


def _read_csv(path: Path, unfinished: bool) -> Iterator[Row]:
    records = csv.reader(_read_lines(path, unfinished))
    columns = next(records, [])
    if unfinished and not columns:
        return
    _check(columns)
    for number, record in enumerate(records, start=2):
        if len(record) != len(columns):
            raise DataError(f"is damaged: row {number} has {len(record)} values instead of {len(columns)}.")
        yield _typed(dict(zip(columns, record, strict=True)), number)


def _read_json_lines(path: Path, unfinished: bool) -> Iterator[Row]:
    for number, line in enumerate(_read_lines(path, unfinished), start=1):
        row = json.loads(line)
        if not isinstance(row, dict):
            raise DataError(f"is damaged: row {number} is not an object.")
        _check(row)
        yield _typed(row, number)


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        _check(file.schema_arrow.names)
        columns = [column for column in COLUMNS if column in file.schema_arrow.names]
        schema = pyarrow.schema([_schema().field(column) for column in columns])
        for batch in file.iter_batches(_GROUP, columns=columns):
            yield from (_EMPTY | row for row in batch.select(columns).cast(schema).to_pylist())


def write_parquet(rows: Iterator[Row], path: Path) -> None:
    """Writes a table, beside and then swapped in: whoever reads it finds a whole file."""
    import pyarrow.parquet

    new = path.with_name(f"{path.name}.new")
    try:
        with pyarrow.parquet.ParquetWriter(new, _schema()) as writer:
            # one group even if it is empty
            for group in chain([list(islice(rows, _GROUP))], iter(lambda: list(islice(rows, _GROUP)), [])):
                writer.write_table(pyarrow.Table.from_pylist(group, _schema()))
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _schema() -> Any:
    import pyarrow

    types = {str: pyarrow.string(), float: pyarrow.float64(), int: pyarrow.int64(), bool: pyarrow.bool_()}
    return pyarrow.schema([(column, types[TYPES[column]]) for column in COLUMNS])


def _check(columns: Collection[str]) -> None:
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    if missing:
        raise DataError(f"lacks the columns {', '.join(missing)}.")
    unknown = [str(column) for column in columns if column not in COLUMNS]
    if unknown:
        raise DataError(f"has unknown columns, perhaps of another version of femr: {', '.join(unknown)}.")


def _typed(row: Mapping[str, Any], number: int) -> Row:
    """The row in the order of COLUMNS with the types of TYPES, from text or from JSON's values."""
    typed: Row = {}
    for column in COLUMNS:
        value = row.get(column)
        try:
            typed[column] = None if value in (None, "") else _READERS[TYPES[column]](value)
        except (ValueError, KeyError, TypeError):
            raise DataError(f"is damaged: row {number} has {value!r} as {column}.") from None
    return typed


def _number(value: float | str) -> float:
    if isinstance(value, bool) or not math.isfinite(float(value)):
        raise ValueError
    return float(value)


def _whole(value: float | str) -> int:
    if not _number(value).is_integer():
        raise ValueError
    return int(float(value))


def _text(value: str) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_TRUTH = {"True": True, "False": False, True: True, False: False}
_READERS: Mapping[type, Callable[[Any], Any]] = {str: _text, float: _number, int: _whole, bool: _TRUTH.__getitem__}
