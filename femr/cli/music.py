"""python -m femr music check: what a folder of one's own songs would play."""

import argparse
import sys
from pathlib import Path
from typing import Any

from femr.cli import BAD_INPUT


def add(commands: Any) -> None:
    """Declares the command."""
    music = commands.add_parser("music", help="your own songs").add_subparsers(required=True, metavar="COMMAND")
    check = music.add_parser("check", help="what would be played", description="What a music folder would play.")
    check.add_argument("folder", type=Path, metavar="DIR", help="sub-folders by expression, or a library.csv or .json")
    check.set_defaults(run=check_music)


def check_music(options: argparse.Namespace) -> int:
    """Prints each mood's songs, and on standard error what is strange; BAD_INPUT if that costs a song."""
    from femr.errors import printable
    from femr.results import EMOTIONS
    from femr.songs import read_folder

    library = read_folder(options.folder)
    for emotion in EMOTIONS:
        titles = [f"  {song.title} ({printable(song.path.name)})" for song in library.of(emotion)]
        print("\n".join([f"{emotion}:", *(titles or ["  nothing"])]))
    for problem in library.problems:
        print(f"femr: {problem}", file=sys.stderr)
    return 0 if library.complete else BAD_INPUT
