"""femr music: what a folder of one's own songs would play, and a mood's songs as a playlist."""

import argparse
import sys
from pathlib import Path
from typing import Any

from femr.cli import BAD_INPUT
from femr.errors import FemrError, plural, printable
from femr.results import EMOTIONS, emotion_of


def add(commands: Any) -> None:
    """Declares the command."""
    words = "What a folder of your own songs would play, and a mood's songs to keep."
    music = commands.add_parser("music", help="your own songs", description=words)
    music = music.add_subparsers(required=True, metavar="COMMAND")
    check = music.add_parser("check", help="what would be played", description="What a music folder would play.")
    check.add_argument("folder", type=Path, metavar="DIR", help="sub-folders by expression, or a library.csv or .json")
    check.set_defaults(run=check_music)
    keep = music.add_parser("playlist", help="a mood's songs, to keep", description="A mood's songs as .m3u8.")
    keep.add_argument("mood", help="an expression, such as happy")
    keep.add_argument("--lift", action="store_true", help="answer a hard mood with calm or cheerful songs")
    keep.add_argument("--out", type=Path, metavar="FILE", help="default: MOOD.m3u8")
    keep.set_defaults(run=write_playlist)


def check_music(options: argparse.Namespace) -> int:
    """Prints each mood's songs, and on standard error what is strange; BAD_INPUT if that costs a song."""
    from femr.songs import read_folder

    library = read_folder(options.folder)
    for emotion in EMOTIONS:
        titles = [f"  {song.title} ({printable(song.path.name)})" for song in library.of(emotion)]
        print("\n".join([f"{emotion}:", *(titles or ["  nothing"])]))
    for problem in library.problems:
        print(f"femr: {problem}", file=sys.stderr)
    return 0 if library.complete else BAD_INPUT


def write_playlist(options: argparse.Namespace) -> int:
    """Writes a playlist of all songs that answer a mood."""
    from femr.files import writing
    from femr.output.share import to_m3u8
    from femr.songs import load_library

    emotion = emotion_of(options.mood)
    if emotion is None:
        raise FemrError(f"Expected a mood: {', '.join(EMOTIONS)}. Received: {printable(options.mood)}")
    library, target = load_library(), options.out or Path(f"{emotion}.m3u8")
    songs = library.playlist(emotion, "lift" if options.lift else "match", len(library.songs))
    with writing(target):
        target.write_text(to_m3u8(songs), encoding="utf-8", newline="")
    print(f"{target}: {plural(len(songs), 'song')}")
    return 0
