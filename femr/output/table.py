"""The tidy table on disk, as CSV, JSON lines or Parquet: written analysis by analysis, readable after any interruption.

While a table is being written, NAME.unfinished lies beside it. After an interruption it tells that the last file may
lack rows; of a Parquet table, which is only readable as a whole, it holds the rows themselves, as JSON lines.
"""

import csv
import io
import json
import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from itertools import chain, groupby, islice
from os import PathLike
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeAlias

from femr.errors import DataError
from femr.files import writing
from femr.output.rows import COLUMNS, REQUIRED_COLUMNS, to_rows
from femr.results import Analysis

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


class TableWriter:
    """Appends analyses to a table, each whole or not at all; a context manager.

    When the block ends without an exception, the table is complete. When it ends with one, or the process is killed,
    what was written so far can be read, and `resume` goes on with it.

    Args:
        path: the table; the ending says which of FORMATS it has. It is overwritten, except with `resume`.
        resume: keep the rows of the files that are complete; their names are then in `done`.
        form: one of FORMATS, where it is not the ending.
    Raises: DataError if there is no such format, it cannot be written or, with `resume`, not be read.
    """

    def __init__(self, path: str | os.PathLike[str], resume: bool = False, form: str | None = None) -> None:
        self.path = Path(path)
        self.done: frozenset[str] = frozenset()
        self._form = form or form_of(self.path)
        self._resume = resume
        self._model: str | None = None
        self._lines = mark_of(self.path) if self._form == ".parquet" else self.path

    def __enter__(self) -> Self:
        with writing(self.path):
            if self._resume and (self.path.exists() or self._lines.exists()):
                self._restore()
            else:
                mark_of(self.path).touch()
                self._lines.write_bytes(HEADERS[self._form])
            mark_of(self.path).touch()
            self._file = io.FileIO(self._lines, "ab")
        return self

    def write(self, analysis: Analysis) -> None:
        """Appends the rows of one analysis. Raises: DataError if they cannot be written; the others are kept."""
        if self._model not in (None, analysis.model):
            raise DataError(f"{self.path.name} was made with {self._model}. Received: {analysis.model}")
        start = self._file.seek(0, os.SEEK_END)
        rest = encode(to_rows(analysis), self._form)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException as error:
            with suppress(OSError):
                self._file.truncate(start)
            if isinstance(error, OSError):
                raise DataError(f"{self.path} cannot be written: {error.strerror}. What was before is kept.") from error
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            with writing(self.path):
                self._finish()
                mark_of(self.path).unlink()
        else:
            # the rows lie in NAME.unfinished in any case
            with suppress(OSError, DataError):
                self._finish()

    def _restore(self) -> None:
        """Keeps the rows of complete files only; swapped in at once, so that nothing can be lost."""
        self.done = done(self.path, self._form)
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            with new.open("wb") as file:
                file.write(HEADERS[self._form])
                for row in read_rows(self.path, self._form):
                    if row["file"] in self.done:
                        file.write(encode([row], self._form))
                        self._model = row["model"]
            new.replace(self._lines)
        finally:
            new.unlink(missing_ok=True)

    def _finish(self) -> None:
        if self._form == ".parquet":
            write_parquet(read_rows(self.path, self._form), self.path)


def read_table(path: str | os.PathLike[str]) -> list[Row]:
    """The rows of a table, all of rows.COLUMNS with the types of TYPES, None where empty.

    Raises: DataError if it is missing, damaged, has no rows, lacks REQUIRED_COLUMNS or has ones that are not known.
    """
    rows = list(read_rows(path))
    if not rows:
        raise DataError(f"The table {Path(path).name} has no rows.")
    return rows


def done(path: str | os.PathLike[str], form: str | None = None) -> frozenset[str]:
    """The files whose rows are complete: all, or all but the last of an interrupted table. Raises: DataError."""
    files = [file for file, _ in groupby(read_rows(path, form), key=lambda row: row["file"]) if file]
    return frozenset(files) - ({files[-1]} if files and mark_of(Path(path)).exists() else frozenset())


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
    """The format that a table's ending says. Raises: DataError, also where what it needs is not installed."""
    form = path.suffix.lower()
    if form not in FORMATS:
        raise DataError(f"Expected a table that ends in {', '.join(FORMATS)}. Received: {path.name}")
    if form == ".parquet" and find_spec("pyarrow") is None:
        raise DataError("A Parquet table needs pyarrow: pip install 'femr[table]'.")
    return form


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
