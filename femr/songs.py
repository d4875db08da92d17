"""The songs on disk: femr's own catalogue, or a folder of the user's with or without a list of facts.

A user's folder holds sub-folders named after the expressions, or a `library.csv` or `library.json` with the catalogue's
fields (`file` and `expression` are needed), or both; without a list, songs with a mood tag may lie anywhere in it. What
neither list nor tags tell is taken from the file's name: "Artist - Title.mp3". A file that no browser plays, or that is
damaged, is named and left out; the others play.
"""

import logging
import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from femr.errors import LibraryError, printable
from femr.files import lacking, local, own_folder, passed_over, walk
from femr.music import MusicLibrary
from femr.results import EMOTIONS, Emotion, Song, emotion_of
from femr.song_facts import LISTS, SPREADSHEETS, Entry, blank, facts_of, plays, read_list, received
from femr.song_tags import moods_of

MUSIC_DIR = own_folder("music")
BESIDE = frozenset({
    ".accurip", ".bmp", ".csv", ".cue", ".db", ".gif", ".htm", ".html", ".heic", ".ico", ".ini", ".jpeg", ".jpg",
    ".json", ".log", ".lrc", ".m3u", ".m3u8", ".md", ".md5", ".nfo", ".pdf", ".pls", ".png", ".sfv", ".tif", ".tiff",
    ".txt", ".url", ".webp", ".wpl", ".xml", ".xspf",
})  # fmt: skip
"""Endings of what lies beside songs and is not meant to play: covers, playlists, lyrics, what programs leave there."""

_AROUND = " \t\"'“”„‘’\u00a0\u200b\ufeff"  # a name in a list
_SHOWN = 5  # problems in one sentence
_EXPECTED = f"sub-folders named {', '.join(EMOTIONS)}, a library.csv, or mood tags with these words"

_log = logging.getLogger(__name__)


def load_library(own: str | os.PathLike[str] | None = None, extend: bool = False) -> MusicLibrary:
    """femr's catalogue, or the songs of the user's folder instead, or both.

    Args:
        own: The user's folder; None: the one that the environment's FEMR_MUSIC_DIR names, if any.
        extend: Add the folder's songs to the catalogue instead of replacing it; FEMR_MUSIC_MODE=extend does the same.

    Raises:
        LibraryError: The folder is missing or nothing in it can be played.
    """
    own = own or os.environ.get("FEMR_MUSIC_DIR")
    extend = extend or os.environ.get("FEMR_MUSIC_MODE") == "extend"
    parts = [read_folder(Path(own))] if own else []
    if extend or not own:
        if not MUSIC_DIR.is_dir():
            raise LibraryError(lacking(MUSIC_DIR))
        parts.append(read_folder(MUSIC_DIR))
    songs, problems = chain(*(part.songs for part in parts)), chain(*(part.problems for part in parts))
    library = MusicLibrary(songs, problems, all(part.complete for part in parts))
    if not library.songs:
        more = len(library.problems) - _SHOWN
        told = [*library.problems[:_SHOWN], *([f"And {more} more."] if more > 0 else [])]
        raise LibraryError(" ".join(["The music library holds no song that can be played.", *told]))
    for problem in library.problems:
        _log.warning("%s", problem)
    return library


def read_folder(folder: Path) -> MusicLibrary:
    """All that can be played from one folder, and what is wrong with the rest. Raises: LibraryError."""
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir raises for a name that is too long
        raise LibraryError(f"There is no music folder named {printable(folder.name)}.")
    root = folder.resolve()
    if not _encodable(root):
        name = printable(root.name)
        raise LibraryError(f"The path of the music folder {name} is not UTF-8; rename the folder, or one above it.")
    found = _Found()
    subs = _sub_folders(root)
    listed = _read_lists(root, found)
    for sub, emotion in subs.items():
        if emotion:
            _read_mood(sub, emotion, found)
    if not listed:
        _read_others(root, [sub for sub, emotion in subs.items() if emotion is None], found)
    if not found.songs and not found.problems:
        found.problems.append(f"Expected audio files in {_EXPECTED}.")
    return MusicLibrary(found.songs.values(), found.problems, complete=found.complete and bool(found.songs))


class _Found:
    """What a folder held so far. `complete`: nothing that was meant to play is left out."""

    def __init__(self) -> None:
        self.songs: dict[tuple[Path, Emotion], Song] = {}
        self.listed: set[str] = set()  # paths of the lists' songs, links in them not followed
        self.problems: list[str] = []
        self.complete = True
        self.names = cache(_names)  # of each folder once
        self._told: set[tuple[str, str]] = set()

    def add(self, place: Path, facts: Mapping[str, Any], where: str | None = None) -> None:
        """One more song, unless it is there for the same expression; or a line that tells why it cannot be.

        `where`: the row of the list that holds the facts.
        """
        name, path = printable(place.name), os.path.normpath(place)
        try:
            self._add(place, facts)
            self.listed |= {path} if where else set()
        except LibraryError as error:
            if (path, str(error)) not in self._told:  # once, though a list and a folder hold it
                self.leave_out(f"{name} ({where})" if where else name, error)
            self._told.add((path, str(error)))

    def leave_out(self, name: str, reason: object) -> None:
        self.problems.append(f"{name} is left out: {reason}")
        self.complete = False

    def leave_out_folder(self, error: OSError) -> None:
        """A line for a folder that cannot be opened, as `walk` tells of one."""
        self.leave_out(f"The folder {printable(Path(error.filename).name)}", f"it cannot be opened: {error.strerror}.")

    def _add(self, place: Path, facts: Mapping[str, Any]) -> None:
        expression = facts.get("expression")
        emotion = emotion_of(expression) if isinstance(expression, str) else None
        if emotion is None:
            raise LibraryError(f"expected an expression of {', '.join(EMOTIONS)}, received {received(expression)}.")
        if not _is_file(place):
            raise LibraryError("it is no file, or a link to one that is gone.")
        path = place.resolve()
        if (path, emotion) not in self.songs:
            if not _encodable(path):
                raise LibraryError("its name, or that of a folder above it, is not UTF-8; rename it.")
            song = self.songs[path, emotion] = Song(path=path, emotion=emotion, **facts_of(path, facts))
            stated = [page for page in (facts.get("link"), facts.get("url")) if not blank(page)]
            if stated and song.link is None:  # it plays all the same
                bad = f"expected the address of a web page, received {received(stated[0])}"
                self.problems.append(f"The link of {printable(place.name)} is left out: {bad}.")


def _read_lists(root: Path, found: _Found) -> bool:
    """Adds the songs of the lists. Returns: whether there is one."""
    there = False
    files = {path.name.lower(): path for path in root.iterdir() if _is_file(path)}
    for path in (files[name] for name in LISTS if name in files):
        try:
            _read_entries(root, read_list(path), found)
            there = True
        except LibraryError as error:
            found.leave_out(path.name, error)
    for path in (files[name] for name in SPREADSHEETS if name in files and not there):
        found.leave_out(path.name, "expected a list as text; save it as CSV, library.csv.")
    return there


def _read_entries(root: Path, entries: list[Entry], found: _Found) -> None:
    empty = []
    for entry in entries:
        file = entry.facts.get("file")
        if all(map(blank, entry.facts.values())):
            empty.append(entry.where)
        elif not isinstance(file, str) or blank(file):
            found.leave_out(entry.where, f"expected a file and an expression, received {received(file)} as its file.")
        else:
            try:
                place = _place(root, file, found)
            except LibraryError as error:
                found.leave_out(f"{printable(Path(file).name)} ({entry.where})", error)
            else:
                found.add(place, entry.facts, entry.where)
    if empty:  # they cost no song
        found.problems.append(f"{_some(empty)} is left out: it is empty.")


def _place(root: Path, file: str, found: _Found) -> Path:
    """Where a listed file is in the folder. Raises: LibraryError if it is not there."""
    # names from Windows, in quotes, or of an address
    slashed = file.strip(_AROUND).replace("\\", "/")
    forms = (file, slashed, unquote(local(slashed)))
    place = next(filter(None, (_alike(root, form, found.names) for form in forms)), None)
    if place is None:
        raise LibraryError("it is in the list but not in the folder.")
    if not place.resolve().is_relative_to(root):
        raise LibraryError("it lies outside the music folder.")
    return place


def _alike(root: Path, file: str, names: Callable[[Path], dict[str, str]]) -> Path | None:
    """The file whose name is the same but for case, as on Windows, and the form of its accents, as on a Mac."""
    place = root
    for part in PurePosixPath(file).parts:
        place /= part if os.path.lexists(place / part) else names(place).get(_folded(part), part)
    return place if _is_file(place) else None


def _names(folder: Path) -> dict[str, str]:
    """The names in a folder, by what they are where neither case nor accents' forms count."""
    try:
        return {_folded(name): name for name in os.listdir(folder)}  # noqa: PTH208 - nothing but the names
    except (OSError, ValueError):
        return {}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _sub_folders(root: Path) -> dict[Path, Emotion | None]:
    """The folder's sub-folders, with the expression that each is named after. Raises: LibraryError."""
    try:
        names = sorted(os.listdir(root))  # noqa: PTH208 - nothing but the names
    except OSError as error:
        raise LibraryError(f"The music folder {printable(root.name)} cannot be opened: {error.strerror}.") from error
    subs = [root / name for name in names if not passed_over(name)]
    return {sub: emotion_of(sub.name) for sub in subs if os.path.isdir(sub)}  # noqa: PTH112 - as in read_folder


def _read_mood(folder: Path, emotion: Emotion, found: _Found) -> None:
    """Adds the songs of a sub-folder named after an expression, but for those that a list told of."""
    for place in walk(folder, found.leave_out_folder):
        if str(place) not in found.listed and place.suffix.lower() not in BESIDE:
            found.add(place, {"expression": emotion})


def _read_others(root: Path, subs: list[Path], found: _Found) -> None:
    """Adds the songs that lie elsewhere, by their mood tags, and names those that have none."""
    passed = [_some(loose)] if (loose := _read_tagged(sorted(root.iterdir()), found)) else []
    for sub in subs:
        before = len(found.songs)
        if untagged := _read_tagged(walk(sub, found.leave_out_folder), found):
            whole = len(found.songs) == before
            passed.append(f"The folder {printable(sub.name)}" if whole else _some(untagged))
    found.problems += [f"{what} is passed over: expected songs in {_EXPECTED}." for what in passed]


def _read_tagged(places: Iterable[Path], found: _Found) -> list[str]:
    """Adds the songs whose tags name moods. Returns: the names of the others."""
    untagged = []
    for place in places:
        if _meant_to_play(place.name) and _is_file(place):
            moods = moods_of(place)
            for mood in moods:
                found.add(place, {"expression": mood})
            if not moods:
                untagged.append(place.name)
    return untagged


def _meant_to_play(name: str) -> bool:
    return plays(name) and not passed_over(name)


def _some(names: list[str]) -> str:
    return printable(names[0]) + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for names that are too long, or not to be seen


def _encodable(path: Path) -> bool:
    """Whether a browser's address and a JSON document can hold the path."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
