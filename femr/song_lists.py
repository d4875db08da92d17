"""The lists of facts that a music folder may hold, `library.json` and `library.csv`, as people keep them.

A spreadsheet may have saved the table: with semicolons or tabs, in UTF-16 or Windows-1252, with capital headers and
empty rows, with a title above the header. What is wrong in a row costs that row.
"""

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femr.errors import LibraryError, printable

NAMES = ("library.json", "library.csv")

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_COLUMNS = frozenset({"file", "expression"})
_DELIMITERS = (",", ";", "\t")
_HEADER_WITHIN = 20  # lines: what may stand above the header
_LONGEST_CELL = 10  # lines: a quote that is not closed within them costs its own row, not the rest of the table


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of one song: `where` it says so ("row 3 of library.csv"), and its facts by lower-case name."""

    where: str
    facts: Mapping[str, Any]


def read_list(path: Path) -> list[Entry]:
    """A list's entries, those that say nothing too. Raises: LibraryError with the reason why it cannot be read."""
    try:
        text = _decode(path.read_bytes())
    except OSError as error:
        raise LibraryError(f"it cannot be opened: {error.strerror}.") from error
    return list(_json_entries(text, path.name) if path.suffix == ".json" else _csv_entries(text, path.name))


def _decode(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if b"\0" in data[:2]:  # both kinds of list begin with an ASCII character
        return data.decode("utf-16-be" if data.startswith(b"\0") else "utf-16-le", "replace")
    return "".join(map(_decode_line, data.splitlines(keepends=True)))


def _decode_line(line: bytes) -> str:
    """A line of UTF-8, or of Windows-1252 where it is none: a row from elsewhere must not spoil the others."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def _json_entries(text: str, name: str) -> Iterator[Entry]:
    try:
        document = json.loads(text, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise LibraryError(f"it is no list in JSON: {error.msg} in line {error.lineno}.") from error
    except RecursionError as error:
        raise LibraryError("it is no list of songs: it is nested too deeply.") from error
    songs = document.get("songs") if isinstance(document, dict) else document
    if not isinstance(songs, list):
        raise LibraryError('expected a list of songs, {"songs": [{"file": …, "expression": …}, …]}.')
    for number, song in enumerate(songs, 1):
        facts = song if isinstance(song, dict) else {"file": song}
        yield Entry(f"entry {number} of {name}", {key.strip().lower(): value for key, value in facts.items()})


def _integer(digits: str) -> int | float:
    """A whole number; one of so many digits that Python refuses it would spoil the list."""
    return int(digits) if len(digits) < 20 else float(digits)


def _csv_entries(text: str, name: str) -> Iterator[Entry]:
    lines = io.StringIO(text, newline=None).readlines()
    start, delimiter, columns = _header(lines)
    for number, record in _records(lines, start + 1):
        reader = csv.reader(record, delimiter=delimiter)
        where = f"row {number} of {name}"
        try:
            for cells in filter(None, reader):
                # a spreadsheet's row may be shorter or longer than its header
                yield Entry(where, dict(zip(columns, cells, strict=False)))
                where = f"row {number + reader.line_num} of {name}"
        except csv.Error:  # a cell of over 131,072 characters
            yield Entry(where, {"file": record[0]})


def _header(lines: list[str]) -> tuple[int, str, list[str]]:
    """The header's place, what stands between its columns, and their names. Raises: LibraryError without one."""
    for place, line in enumerate(lines[:_HEADER_WITHIN]):
        for delimiter in _DELIMITERS:
            columns = [cell.strip().lower() for cell in line.replace('"', "").split(delimiter)]
            if set(columns) >= _COLUMNS:
                return place, delimiter, columns
    first = printable(lines[0].strip(), 60) if lines else ""
    raise LibraryError(f"expected a list with columns file and expression, received {first or 'an empty file'}.")


def _records(lines: list[str], start: int) -> Iterator[tuple[int, list[str]]]:
    """The lines of each row, with the first one's number, from 1: a cell in quotes may hold line breaks."""
    place = start
    while place < len(lines):
        rest = range(place + 1, min(place + _LONGEST_CELL, len(lines)))
        odd = lines[place].count('"') % 2
        end = next((line + 1 for line in rest if lines[line].count('"') % 2), place + 1) if odd else place + 1
        yield place + 1, lines[place:end]
        place = end
