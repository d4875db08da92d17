"""The tidy table on disk, as CSV, JSON lines or Parquet: written analysis by analysis, readable after any interruption.

While a table is being written, NAME.unfinished lies beside it. After an interruption it tells that the last file may
lack rows; of a Parquet table, which is only readable as a whole, it holds the rows themselves, as JSON lines.
"""

import io
import os
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from femr.errors import DataError, writing
from femr.many.table_formats import FORMATS, HEADERS, Row, encode, form_of, mark_of, read_rows, write_parquet
from femr.report import to_rows
from femr.results import Analysis

__all__ = ["FORMATS", "TableWriter", "done", "read_rows", "read_table"]


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
    """The rows of a table, all of report.COLUMNS with the types of TYPES, None where empty.

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
