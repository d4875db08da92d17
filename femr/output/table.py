"""The tidy table on disk, as CSV, JSON lines or Parquet: written analysis by analysis, readable after any interruption.

While a table is being written, NAME.unfinished lies beside it. After an interruption it tells that the last file may
lack rows; of a Parquet table, which is only readable as a whole, it holds the rows themselves, as JSON lines.
"""

import codecs
import csv
import io
import json
import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from itertools import chain, count, groupby, islice
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from femr.errors import DataError, printable
from femr.files import encoding_of, replacing, writing
from femr.output.rows import COLUMNS, REQUIRED_COLUMNS, csv_line, from_cell, to_rows
from femr.results import Analysis

TYPES: Mapping[str, type] = {
    **dict.fromkeys(COLUMNS, float),
    **dict.fromkeys(("file", "expression", "unsure_reason", "model", "error"), str),
    **dict.fromkeys(("frame", "face"), int),
    "unsure": bool,
}
"""The type of each column; any of them may be empty. In Parquet: double, string, int64 and bool."""

FORMATS = (".csv", ".jsonl", ".parquet")
"""Endings of the files' names, and with them the formats."""

_DELIMITERS = (",", ";", "\t", "|", " ")
_HEADER_WITHIN = 20  # lines: what may stand above the header
_INDEX = re.compile(r"(?i)|id|index|x|row\.?names?|\.\.\.1|unnamed: \d+|__index_level_\d+__")  # of rows' numbers
_LONGEST_LINE = 1_000_000  # characters: what is no table may have no end of line
_GROUP = 10_000  # rows of a Parquet row group

Row: TypeAlias = dict[str, Any]


class TableWriter:
    """Appends analyses to a table, each whole or not at all; a context manager.

    When the block ends without an exception, the table is complete. When it ends with one, or the process is killed,
    what was written so far can be read, and `resume` goes on with it.

    Args:
        path: the table; the ending says which of FORMATS it has. It is overwritten, except with `resume`.
        resume: keep the rows of the files that were read and are complete; their names are then in `done`.
        form: one of FORMATS, where it is not the ending; what ends in another of them is not read again, and refused.
        excel: mark a CSV as UTF-8, without which Excel does not show é and 日.
    Raises: DataError if there is no such format, it cannot be written or, with `resume`, not be read.
    """

    def __init__(
        self, path: str | os.PathLike[str], resume: bool = False, form: str | None = None, excel: bool = False
    ) -> None:
        self.path = Path(path)
        self.done: frozenset[str] = frozenset()
        self._form = form or _form_of(self.path)
        if self.path.suffix.lower() in FORMATS and _form_of(self.path) != self._form:
            raise DataError(f"Expected a table that ends in {self._form}. Received: {self.path.name}")
        if self.path.is_dir():  # as "" is, too
            raise DataError(f"Expected the name of a table. Received the folder {self.path}")
        self._resume = resume
        header = csv_line(COLUMNS).encode() if self._form == ".csv" else b""
        self._header = codecs.BOM_UTF8 + header if excel and header else header
        self._model: str | None = None
        self._lines = _mark_of(self.path) if self._form == ".parquet" else self.path

    def __enter__(self) -> Self:
        with writing(self.path):
            if self._resume and (self.path.exists() or self._lines.exists()):
                self._restore()
            else:
                _mark_of(self.path).touch()
                self._lines.write_bytes(self._header)
            _mark_of(self.path).touch()
            self._file = io.FileIO(self._lines, "ab")
        return self

    def write(self, analysis: Analysis) -> None:
        """Appends the rows of one analysis. Raises: DataError if they cannot be written; the others are kept."""
        if self._model not in (None, analysis.model):
            raise DataError(f"{self.path.name} was made with {self._model}. Received: {analysis.model}")
        start = self._file.seek(0, os.SEEK_END)
        rest = _encode(to_rows(analysis), self._form)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except BaseException as error:
            with suppress(OSError):
                self._file.truncate(start)
            if isinstance(error, OSError):
                kept = "What was before is kept."
                raise DataError(f"{self.path.name} cannot be written: {error.strerror}. {kept}") from error
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            with writing(self.path):
                self._finish()
                _mark_of(self.path).unlink()
        else:
            # the rows lie in NAME.unfinished in any case
            with suppress(OSError, DataError):
                self._finish()

    def _restore(self) -> None:
        """Keeps the rows of complete files only; swapped in at once, so that nothing can be lost."""
        self.done = done(self.path, self._form)
        with replacing(self._lines) as new, new.open("wb") as file:
            file.write(self._header)
            for row in read_rows(self.path, self._form):
                if row["file"] in self.done:
                    file.write(_encode([row], self._form))
                    self._model = row["model"]

    def _finish(self) -> None:
        if self._form == ".parquet":
            _write_parquet(read_rows(self.path, self._form), self.path)


def done(path: str | os.PathLike[str], form: str | None = None) -> frozenset[str]:
    """The files that were read and whose rows are complete: without the last of an interrupted table.

    Raises: DataError.
    """
    groups = groupby(read_rows(path, form), key=lambda row: row["file"])
    files = [(file, any(row["error"] for row in rows)) for file, rows in groups if file]
    failed = {file for file, error in files if error}
    last = {file for file, _ in files[-1:] if _mark_of(Path(path)).exists()}
    return frozenset(file for file, _ in files) - failed - last


def read_rows(path: str | PathLike[str], form: str | None = None) -> Iterator[Row]:
    """The rows one by one, for tables of any length: all of rows.COLUMNS with the types of TYPES, None where empty.

    Raises: DataError if it is missing, damaged, lacks REQUIRED_COLUMNS or has ones that are not known.
    """
    path = Path(path)
    form = form or _form_of(path)
    unfinished = _mark_of(path).exists()
    lines = _mark_of(path) if unfinished and form == ".parquet" else path
    if not (lines.is_file() or lines.is_fifo()):
        raise DataError(f"There is no table named {path.name}.")
    try:
        if form == ".parquet" and not unfinished:
            yield from _read_parquet(lines)
        elif form == ".csv":
            yield from _read_csv(lines, unfinished)
        else:
            yield from _read_json_lines(lines, unfinished)
    except DataError as error:
        raise DataError(f"{path.name} {error}") from error.__cause__
    except (OSError, ValueError, TypeError, NotImplementedError, RecursionError, csv.Error) as error:
        raise DataError(f"{path.name} cannot be read as a table; it may be damaged or something else.") from error


def _form_of(path: Path) -> str:
    """The format that a table's ending says. Raises: DataError, also where what it needs is not installed."""
    form = path.suffix.lower()
    if form not in FORMATS:
        raise DataError(f"Expected a table that ends in {', '.join(FORMATS)}. Received: {path.name}")
    if form == ".parquet" and find_spec("pyarrow") is None:
        raise DataError("A Parquet table needs pyarrow: pip install pyarrow.")
    return form


def _mark_of(path: Path) -> Path:
    """The file that lies beside a table while it is not complete."""
    return path.with_name(f"{path.name}.unfinished")


def _encode(rows: Iterable[Row], form: str) -> bytes:
    """Rows as lines; a Parquet table's are JSON until it is complete."""
    if form == ".csv":
        return "".join(csv_line(row.values()) for row in rows).encode()
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _read_lines(path: Path, unfinished: bool) -> Iterator[str]:
    """The lines, in any of the encodings that spreadsheets write, without a last one that an interruption cut."""
    with path.open("rb") as file:
        encoding = encoding_of(file.peek(2))
        errors = "surrogateescape" if encoding == "utf-8-sig" else None
        text = io.TextIOWrapper(file, encoding, errors, newline="")
        while line := text.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise DataError(f"is damaged: it has a line of over {_LONGEST_LINE:,} characters.")
            if unfinished and not line.endswith("\n"):
                return
            try:
                line.encode()
            except UnicodeEncodeError:  # not UTF-8: as Excel writes it in the West
                line = line.encode(errors="surrogateescape").decode("cp1252")
            yield line


def _read_csv(path: Path, unfinished: bool) -> Iterator[Row]:
    lines = _read_lines(path, unfinished)
    first, delimiter, columns = _header(lines)
    if unfinished and not columns:
        return
    _check(columns)
    least = columns.index("model") + 1  # spreadsheets leave out empty cells at the end
    for number, record in enumerate(csv.reader(lines, delimiter=delimiter), start=first):
        if not any(map(str.strip, record)):
            continue
        if len(record) == len(columns) + 1 and record[0].isdigit():  # R's numbers of rows have no header
            record = record[1:]
        if len(record) < least or any(record[len(columns) :]):
            raise DataError(f"is damaged: row {number} has {len(record)} values instead of {len(columns)}.")
        yield _typed(dict(zip(columns, map(from_cell, record), strict=False)), number)


def _header(lines: Iterator[str]) -> tuple[int, str, list[str]]:
    """The number of the row behind the header, what divides its columns, and their names, or what the first line has.

    A title may stand above it, or Excel's own line, "sep=;".
    """
    found = []
    for number, line in enumerate(islice(lines, _HEADER_WITHIN), start=1):
        delimiter = max(_DELIMITERS, key=line.count)
        columns = [column.strip().lower() for column in next(csv.reader([line], delimiter=delimiter), [])]
        found.append((number + 1, delimiter, columns))
        if set(REQUIRED_COLUMNS) <= set(columns):
            return found[-1]
    return found[0] if found else (2, ",", [])


def _read_json_lines(path: Path, unfinished: bool) -> Iterator[Row]:
    for number, line in enumerate(_read_lines(path, unfinished), start=1):
        if not line.strip():
            continue
        row = json.loads(line)
        if not isinstance(row, dict):
            raise DataError(f"is damaged: row {number} is not an object.")
        _check(row)
        yield _typed(row, number)


def _read_parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        columns = file.schema_arrow.names
        _check(columns)
        known = [column for column in COLUMNS if column in columns]
        rows = (row for batch in file.iter_batches(_GROUP, columns=known) for row in batch.to_pylist())
        yield from map(_typed, rows, count(1))


def _write_parquet(rows: Iterator[Row], path: Path) -> None:
    """Writes a table, beside and then swapped in: whoever reads it finds a whole file."""
    import pyarrow.parquet

    with replacing(path) as new, pyarrow.parquet.ParquetWriter(new, _schema()) as writer:
        # one group even if it is empty
        for group in chain([list(islice(rows, _GROUP))], iter(lambda: list(islice(rows, _GROUP)), [])):
            writer.write_table(pyarrow.Table.from_pylist(group, _schema()))


def _schema() -> Any:
    import pyarrow

    types = {str: pyarrow.string(), float: pyarrow.float64(), int: pyarrow.int64(), bool: pyarrow.bool_()}
    return pyarrow.schema([(column, types[TYPES[column]]) for column in COLUMNS])


def _check(columns: Collection[str]) -> None:
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    if missing:
        raise DataError(f"lacks the columns {', '.join(missing)}.")
    unknown = [str(column) for column in columns if column not in COLUMNS and not _INDEX.fullmatch(str(column))]
    if unknown:
        shown = printable(", ".join(unknown))
        raise DataError(f"has unknown columns, perhaps of another version of femr: {shown}.")


def _typed(row: Mapping[str, Any], number: int) -> Row:
    """The row in the order of COLUMNS with the types of TYPES, from text or from JSON's values."""
    typed: Row = {}
    for column in COLUMNS:
        value = row.get(column)
        try:
            typed[column] = None if _is_missing(value, column) else _READERS[TYPES[column]](value)
        except (ValueError, KeyError, TypeError, OverflowError):
            shown = printable(repr(value), 60)
            raise DataError(f"is damaged: row {number} has {shown} as {column}.") from None
    return typed


def _is_missing(value: Any, column: str) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    # a file may be called NA
    return value in (None, "") or (isinstance(value, str) and column != "file" and value.strip().casefold() in _MISSING)


def _number(value: float | str) -> float:
    number = float(value.replace(",", ".") if isinstance(value, str) else value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError
    return number


def _whole(value: float | str) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError
    return int(number)


def _text(value: str) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _truth(value: bool | float | str) -> bool:
    return _TRUTH[str(value).strip().casefold()]


# as spreadsheets of many languages, R, pandas and polars write them
_YES = "true 1 1.0 t yes wahr vrai verdadero vero verdadeiro waar sant sand sann tosi prawda pravda igaz истина doğru"
_NO = "false 0 0.0 f no falsch faux falso onwaar falskt falsk usann epätosi fałsz nepravda hamis ложь yanlış yanliş"
_TRUTH = dict.fromkeys(_YES.split(), True) | dict.fromkeys(_NO.split(), False)
_MISSING = frozenset(("na", "n/a", "#n/a", "#nv", "nan", "null", "none", "<na>"))
_READERS: Mapping[type, Callable[[Any], Any]] = {str: _text, float: _number, int: _whole, bool: _truth}
