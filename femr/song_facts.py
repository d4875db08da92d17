"""What is known of one song: by its list, else by its tags, else by its name, "01 - Artist - Title.mp3".

Files and lists hold anything; what is shown is one line of text, and numbers are finite.
"""

import codecs
import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf, isfinite, nan
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from femr.errors import LibraryError, printable
from femr.files import MOST_LISTED, encoding_of
from femr.results import Emotion, emotion_of
from femr.song_tags import LOUDNESS, read_tags

PLAYABLE = (".mp3", ".m4a", ".aac", ".ogg", ".opus", ".oga", ".wav", ".flac")
"""File endings that today's browsers play."""

LISTS = ("library.json", "library.csv", "library.tsv")
"""Names of lists, in whatever case."""
SPREADSHEETS = ("library.xlsx", "library.xls", "library.ods", "library.numbers")
"""Those of lists that have not been saved as one yet."""

_COLUMNS = frozenset({"file", "expression"})
_DELIMITERS = (",", ";", "\t", "|")
_HEADER_WITHIN = 20  # lines: what may stand above the header
_LONGEST_CELL = 10  # lines: a quote that is not closed within them costs its own row, not the rest of the table

_TRACK = re.compile(r"^(?:\d-\d\d|0\d+|\d\d(?=\.| [-–—]))[ .–—-]+(?=\S)")  # "1-04 ", "01 - ", "12. "; not "99 "
_DASH = re.compile(r" [-–—] ")
_NUMBERS = ("valence", "arousal", "tempo", "duration", "loudness")
_BETWEEN = {"duration": (0.0, inf), "loudness": LOUDNESS}  # what else is a slip, and would cut or silence a song
_WORDS = ("title", "key", "mode", "licence")
_TONALITY = {"key", "mode"}
_LONGEST = 200  # characters of a title, or of another word that is shown


@dataclass(frozen=True, slots=True)
class Entry:
    """What a list says of one song: `where` it says so ("row 3 of library.csv"), and its facts by lower-case name."""

    where: str
    facts: Mapping[str, Any]


def facts_of(path: Path, stated: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `results.Song` that are known, but for path and expression; `stated`: what a list says.

    Raises:
        LibraryError: It cannot be played, with the reason.
    """
    tagged = _from_tags(path)
    if "duration" in tagged:  # of which the file knows more than a list
        stated = {name: fact for name, fact in stated.items() if name != "duration"}
    listed = _from_list(stated)
    if _TONALITY & listed.keys():  # half of it from each would be a third
        tagged = {name: fact for name, fact in tagged.items() if name not in _TONALITY}
    return {**_from_name(path), **tagged, **listed}


def plays(name: str) -> bool:
    """Whether browsers play files of such a name."""
    return Path(name).suffix.lower() in PLAYABLE


def blank(value: Any) -> bool:
    """Whether a list's field says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def received(value: Any) -> str:
    """A field's value of the wrong kind, for a sentence."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "an object"
    return "none" if blank(value) else printable(str(value).strip(), 60)


def _from_name(path: Path) -> dict[str, Any]:
    artist, *title = _DASH.split(_TRACK.sub("", path.stem.replace("_", " ")), maxsplit=1)
    if title and title[0].strip():
        return {"title": _line(title[0]), "artist": _line(artist) or None}
    return {"title": _line(artist) or _line(path.name)}


def _from_tags(path: Path) -> dict[str, Any]:
    """What the file says of itself. Raises: LibraryError if it cannot be played."""
    if not plays(path.name):
        raise LibraryError("browsers do not play this kind of file.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise LibraryError(f"it cannot be opened: {error.strerror}.") from error
    try:
        tags = read_tags(path)
    except Exception as error:  # a damaged file makes the library raise nearly anything, MemoryError too
        raise LibraryError("it is damaged.") from error
    if tags.seconds is not None and not 0 < tags.seconds < inf:
        raise LibraryError("there is no sound in it that browsers play.")
    words = {name: _line(word) for name, word in tags.words.items()}
    told = {"duration": round(tags.seconds or 0.0, 1), "tempo": tags.tempo, "loudness": tags.loudness, **words}
    return {name: fact for name, fact in told.items() if fact}


def _line(text: str) -> str:
    """What is shown of a song, as one line that every encoding of Unicode holds."""
    plain = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text)
    words = " ".join(plain.encode(errors="replace").decode().split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _from_list(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a list that are filled in. Raises: LibraryError if one is not what it should be."""
    stated = {key: value for key, value in facts.items() if not blank(value)}
    stated["artist"] = stated.get("composer") or stated.get("artist")
    words = {key: _words(key, stated[key]) for key in (*_WORDS, "artist") if stated.get(key) is not None}
    known: dict[str, Any] = {key: text for key, text in words.items() if text}
    known |= {key: _number(key, stated[key]) for key in _NUMBERS if key in stated}
    if "lifts_from" in stated:
        known["lifts_from"] = _moods(stated["lifts_from"])
    if pages := [page for page in (stated.get("link"), stated.get("url")) if _is_page(page)]:
        known["link"] = pages[0]
    return known


def _words(key: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise LibraryError(f"expected text as its {key}, received {received(value)}.")
    return _line(str(value))


def _is_page(value: Any) -> bool:
    """Whether it is the address of a page that a visitor may be sent to: nothing else that a browser would open."""
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/]\S{0,2000}", value, re.IGNORECASE):
        return False
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets round no number, or a port that is none
        return False


def _number(key: str, value: Any) -> float:
    try:
        # a spreadsheet may write 92,5
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
    except (ValueError, TypeError, OverflowError):
        number = nan
    if isinstance(value, bool) or not isfinite(number):
        raise LibraryError(f"expected a number as its {key}, received {received(value)}.")
    least, most = _BETWEEN.get(key, (-inf, inf))
    if not least < number < most:
        limits = f"over {least:g}" + (f" and under {most:g}" if most < inf else "")
        raise LibraryError(f"expected a {key} {limits}, received {received(value)}.")
    return number


def _moods(value: Any) -> tuple[Emotion, ...]:
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise LibraryError(f"expected names of expressions as its lifts_from, received {received(value)}.")
    return tuple(emotion for emotion in map(emotion_of, words) if emotion)


def read_list(path: Path) -> list[Entry]:
    """A list's entries, those that say nothing too. Raises: LibraryError with the reason why it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_LISTED + 1)
    except OSError as error:
        raise LibraryError(f"it cannot be opened: {error.strerror}.") from error
    if len(data) > MOST_LISTED:
        raise LibraryError(f"it is no list: it is larger than {MOST_LISTED // 1_000_000} MB.")
    text = _decode(data)
    return list(_json_entries(text, path.name) if path.suffix.lower() == ".json" else _csv_entries(text, path.name))


def _decode(data: bytes) -> str:
    encoding = encoding_of(data)
    if encoding != "utf-8-sig":
        return data.decode(encoding, "replace")
    return "".join(map(_decode_line, data.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True)))


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
        reader = csv.reader(record, delimiter=delimiter, skipinitialspace=True)
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
