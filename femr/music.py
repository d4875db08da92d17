"""The music library: femr's own catalogue, or the user's folder, and the choice of a song for a mood.

Match plays the mood itself. Lift answers a hard mood: after anger and fear, which are tense, something calm; after
disgust and sadness something cheerful (LIFT). The other moods are matched either way.
"""

import json
import logging
import os
import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import mutagen

from femr.emotions import EMOTIONS, Emotion
from femr.errors import LibraryError
from femr.results import Song

Mode: TypeAlias = Literal["match", "lift"]

LIFT: Mapping[Emotion, Emotion] = MappingProxyType(
    {
        Emotion.ANGRY: Emotion.NEUTRAL,
        Emotion.FEAR: Emotion.NEUTRAL,
        Emotion.DISGUST: Emotion.HAPPY,
        Emotion.SAD: Emotion.HAPPY,
    }
)
"""A hard mood → the mood of the songs that answer it. Neutral songs are the calm ones."""

MUSIC_DIR = Path(__file__).parent.parent / "music"
PLAYABLE = (".mp3", ".m4a", ".aac", ".ogg", ".opus", ".oga", ".wav", ".flac")
"""File endings that today's browsers play."""

_log = logging.getLogger(__name__)


class MusicLibrary:
    """Songs by expression. `problems` holds a sentence for each file that was left out."""

    def __init__(self, songs: Iterable[Song], problems: Iterable[str] = ()) -> None:
        self.songs = tuple(songs)
        self.problems = tuple(problems)

    def of(self, emotion: Emotion) -> tuple[Song, ...]:
        """All songs of one expression."""
        return tuple(song for song in self.songs if song.emotion is emotion)

    def pick(self, emotion: Emotion, mode: Mode = "match", last: Song | None = None) -> Song | None:
        """A random song for a mood, not `last` unless it is the only one; None where the library has none."""
        wanted = LIFT.get(emotion, emotion) if mode == "lift" else emotion
        songs = self.of(wanted)
        others = [song for song in songs if last is None or song.path != last.path]
        return random.choice(others or songs) if songs else None


def load_library(own: str | os.PathLike[str] | None = None, extend: bool = False) -> MusicLibrary:
    """femr's catalogue, or the songs of the user's folder instead, or both.

    Args:
        own: a folder with sub-folders named after the expressions; None: the environment's FEMR_MUSIC_DIR, if any.
        extend: add the folder's songs to the catalogue instead of replacing it; FEMR_MUSIC_MODE=extend does the same.
    Raises: LibraryError if the folder is missing or nothing in it can be played.
    """
    own = own or os.environ.get("FEMR_MUSIC_DIR")
    extend = extend or os.environ.get("FEMR_MUSIC_MODE") == "extend"
    parts = [_from_folder(Path(own))] if own else []
    if extend or not own:
        parts.append(_from_catalogue(MUSIC_DIR))
    library = MusicLibrary(chain(*(part.songs for part in parts)), chain(*(part.problems for part in parts)))
    for problem in library.problems:
        _log.warning("%s", problem)
    if not library.songs:
        raise LibraryError(" ".join(["The music library holds no song that can be played.", *library.problems]))
    return library


def _from_catalogue(folder: Path) -> MusicLibrary:
    """The songs that `library.json` names and that are there."""
    try:
        entries = json.loads((folder / "library.json").read_text(encoding="utf-8"))["songs"]
        songs = [_from_entry(folder, entry) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LibraryError("The music library's list, library.json, is missing or damaged.") from error
    problems = [f"{song.path.name} is in the list but not in the library." for song in songs if not song.path.is_file()]
    return MusicLibrary((song for song in songs if song.path.is_file()), problems)


def _from_entry(folder: Path, entry: Mapping[str, Any]) -> Song:
    return Song(
        title=entry["title"],
        path=folder / entry["file"],
        emotion=Emotion(entry["expression"]),
        artist=entry.get("composer"),
        key=entry.get("key"),
        mode=entry.get("mode"),
        tempo=entry.get("tempo"),
        duration=entry.get("duration"),
        licence=entry.get("licence"),
    )


def _from_folder(folder: Path) -> MusicLibrary:
    """The playable files in sub-folders named after the expressions, in any case."""
    if not folder.is_dir():
        raise LibraryError(f"There is no music folder named {folder.name}.")
    songs, problems = [], []
    for emotion, path in _files(folder):
        try:
            songs.append(_from_tags(path, emotion))
        except LibraryError as error:
            problems.append(str(error))
    if not songs and not problems:
        names = ", ".join(EMOTIONS)
        problems.append(f"Expected audio files in sub-folders named {names}.")
    return MusicLibrary(songs, problems)


def _files(folder: Path) -> Iterator[tuple[Emotion, Path]]:
    for sub in sorted(folder.iterdir()):
        if sub.is_dir() and sub.name.lower() in EMOTIONS:
            for path in sorted(sub.rglob("*")):
                if path.is_file() and not path.name.startswith("."):
                    yield Emotion(sub.name.lower()), path


def _from_tags(path: Path, emotion: Emotion) -> Song:
    """A song by its own tags, by its file name where they are silent. Raises: LibraryError if it is not playable."""
    if path.suffix.lower() not in PLAYABLE:
        raise LibraryError(f"{path.name} is left out: browsers do not play this kind of file.")
    try:
        audio = mutagen.File(path, easy=True)
    except (mutagen.MutagenError, OSError, ValueError) as error:
        raise LibraryError(f"{path.name} is left out: it is damaged.") from error
    if audio is None or not getattr(audio.info, "length", 0) > 0:
        raise LibraryError(f"{path.name} is left out: there is no sound in it.")
    tags = audio.tags or {}
    return Song(
        title=_first(tags, "title") or path.stem.replace("_", " ").strip(),
        path=path,
        emotion=emotion,
        artist=_first(tags, "artist"),
        duration=round(float(audio.info.length), 1),
        licence=_first(tags, "copyright"),
    )


def _first(tags: Mapping[str, Any], name: str) -> str | None:
    values = tags.get(name) if name in tags else None
    return str(values[0]).strip() or None if isinstance(values, list) and values else None
