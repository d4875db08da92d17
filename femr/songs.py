"""The songs on disk: femr's own catalogue, or a folder of the user's with or without a list of facts.

A user's folder holds sub-folders named after the expressions, or a `library.csv` or `library.json` with the catalogue's
fields (`file` and `expression` are needed), or both. What neither list nor tags tell is taken from the file's name:
"Artist - Title.mp3". A file that no browser plays, or that is damaged, is named and left out.
"""

import csv
import json
import logging
import os
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import mutagen

from femr.emotions import EMOTIONS, Emotion
from femr.errors import LibraryError
from femr.music import MusicLibrary
from femr.results import Song

MUSIC_DIR = Path(__file__).parent.parent / "music"
PLAYABLE = (".mp3", ".m4a", ".aac", ".ogg", ".opus", ".oga", ".wav", ".flac")
"""File endings that today's browsers play."""

_NUMBERS = ("valence", "arousal", "tempo", "duration")
_WORDS = ("title", "key", "mode", "licence")

_log = logging.getLogger(__name__)


def load_library(own: str | os.PathLike[str] | None = None, extend: bool = False) -> MusicLibrary:
    """femr's catalogue, or the songs of the user's folder instead, or both.

    Args:
        own: the user's folder; None: the one that the environment's FEMR_MUSIC_DIR names, if any.
        extend: add the folder's songs to the catalogue instead of replacing it; FEMR_MUSIC_MODE=extend does the same.
    Raises: LibraryError if the folder is missing or nothing in it can be played.
    """
    own = own or os.environ.get("FEMR_MUSIC_DIR")
    extend = extend or os.environ.get("FEMR_MUSIC_MODE") == "extend"
    parts = [read_folder(Path(own))] if own else []
    if extend or not own:
        parts.append(read_folder(MUSIC_DIR))
    library = MusicLibrary(chain(*(part.songs for part in parts)), chain(*(part.problems for part in parts)))
    for problem in library.problems:
        _log.warning("%s", problem)
    if not library.songs:
        raise LibraryError(" ".join(["The music library holds no song that can be played.", *library.problems]))
    return library


def read_folder(folder: Path) -> MusicLibrary:
    """All that can be played from one folder, and what is wrong with the rest. Raises: LibraryError."""
    if not folder.is_dir():
        raise LibraryError(f"There is no music folder named {folder.name}.")
    songs: dict[Path, Song] = {}
    problems = []
    for path, facts in chain(_listed(folder), _filed(folder)):
        if path in songs:
            continue
        try:
            songs[path] = _song(path, facts)
        except LibraryError as error:
            problems.append(f"{path.name} is left out: {error}")
    if not songs and not problems:
        problems.append(f"Expected audio files in sub-folders named {', '.join(EMOTIONS)}, or a library.csv.")
    return MusicLibrary(songs.values(), problems)


def _listed(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Files of `library.json` and `library.csv`, with what these say of them."""
    for entry in chain(_json_list(folder / "library.json"), _csv_list(folder / "library.csv")):
        file = entry.get("file")
        if not isinstance(file, str) or not file:
            raise LibraryError("Every song in the music library's list needs a file and an expression.")
        yield (folder / file).resolve(), {**entry, "inside": (folder / file).resolve().is_relative_to(folder.resolve())}


def _json_list(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        songs = json.loads(path.read_text(encoding="utf-8"))["songs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LibraryError(f"The music library's list, {path.name}, is damaged.") from error
    if not isinstance(songs, list) or not all(isinstance(song, dict) for song in songs):
        raise LibraryError(f"The music library's list, {path.name}, is damaged.")
    return songs


def _csv_list(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise LibraryError(f"The music library's list, {path.name}, is damaged.") from error


def _filed(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Files in sub-folders named after the expressions, in any case."""
    for sub in sorted(folder.iterdir()):
        if sub.is_dir() and sub.name.lower() in EMOTIONS:
            for path in sorted(sub.rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    yield path.resolve(), {"expression": sub.name.lower()}


def _song(path: Path, facts: Mapping[str, Any]) -> Song:
    """One song: what the list says, else its tags, else its name. Raises: LibraryError with the reason it cannot be."""
    if not facts.get("inside", True):
        raise LibraryError("it lies outside the music folder.")
    if not path.is_file():
        raise LibraryError("it is in the list but not in the folder.")
    expression = str(facts.get("expression", "")).strip().lower()
    if expression not in EMOTIONS:
        raise LibraryError(f"expected an expression of {', '.join(EMOTIONS)}, received {expression or 'none'}.")
    known = {**_from_name(path), **_from_tags(path), **_from_list(facts)}
    return Song(path=path, emotion=Emotion(expression), **known)


def _from_name(path: Path) -> dict[str, Any]:
    artist, dash, title = path.stem.replace("_", " ").partition(" - ")
    return {"title": title.strip(), "artist": artist.strip()} if dash and title.strip() else {"title": artist.strip()}


def _from_tags(path: Path) -> dict[str, Any]:
    """What the file says of itself. Raises: LibraryError if it cannot be played."""
    if path.suffix.lower() not in PLAYABLE:
        raise LibraryError("browsers do not play this kind of file.")
    try:
        audio = mutagen.File(path, easy=True)
    except (mutagen.MutagenError, OSError, ValueError) as error:
        raise LibraryError("it is damaged.") from error
    if audio is None or not getattr(audio.info, "length", 0) > 0:
        raise LibraryError("there is no sound in it.")
    named = {"title": _tag(audio, "title"), "artist": _tag(audio, "artist"), "licence": _tag(audio, "copyright")}
    return {"duration": round(float(audio.info.length), 1), **{key: value for key, value in named.items() if value}}


def _tag(audio: Any, name: str) -> str | None:
    values = audio.tags.get(name) if audio.tags is not None and name in audio.tags else None
    return str(values[0]).strip() or None if isinstance(values, list) and values else None


def _from_list(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a list that are filled in. Raises: LibraryError if a number is none."""
    known: dict[str, Any] = {key: str(facts[key]).strip() for key in _WORDS if facts.get(key)}
    if facts.get("composer") or facts.get("artist"):
        known["artist"] = str(facts.get("composer") or facts.get("artist")).strip()
    for key in _NUMBERS:
        if facts.get(key) not in (None, ""):
            known[key] = _number(key, facts[key])
    if facts.get("lifts_from") is not None:
        words = facts["lifts_from"]
        listed = words.replace(",", " ").split() if isinstance(words, str) else words
        known["lifts_from"] = tuple(Emotion(word) for word in listed if word in EMOTIONS)
    return known


def _number(key: str, value: Any) -> float:
    try:
        return float(value)
    except (ValueError, TypeError):
        raise LibraryError(f"expected a number as its {key}, received {value}.") from None
