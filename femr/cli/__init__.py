"""The command line: a module a command, or a few that belong together; `femr.__main__` puts them together.

Help ends with examples, and `femr photo.jpg` is `femr analyze photo.jpg`.
"""

import argparse
import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from femr.engine import choose
from femr.errors import FemrError, printable

BAD_INPUT = 2
"""Exit code when something that was asked for could not be done; the same as argparse's own."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
PIPE_CLOSED = 0
"""Exit code when whoever read the output wants no more, such as `head`: they got what they wanted."""

_LAST_PORT = 65_535

EXAMPLES = {
    "femr": ("femr party.jpg", "femr party --csv faces.csv", "femr app"),
    "femr analyze": (
        "femr party.jpg --play --open",
        "femr analyze party --csv faces.csv --annotate out",
        "femr analyze clip.mp4 --timeline out --fps 2",
    ),
    "femr app": ("femr app", "femr app --host 0.0.0.0 --port 7860", "femr app --share"),
    "femr mcp": ("femr mcp", "FEMR_MUSIC_DIR=my-music femr mcp", "FEMR_ENGINE=keras femr mcp"),
    "femr report": (
        "femr report faces.csv",
        "femr report party --out party.html --min-faces 8",
        "femr report clip.mp4 --bin-seconds 30",
    ),
    "femr music check": (
        "femr music check my-music",
        "femr music check my-music/library.csv",
        "FEMR_MUSIC_DIR=my-music femr party.jpg",
    ),
    "femr music playlist": (
        "femr music playlist happy",
        "femr music playlist sad --lift",
        "femr music playlist surprise --out surprise.m3u8",
    ),
    "femr train": (
        "femr train mobilenet_v2 --data fer2013.csv",
        "femr train custom_cnn --data fer2013.parquet --out runs/mine --resume",
        "femr train mobilenet_v2 --data fer2013.csv --epochs 2 --seed 7",
    ),
    "femr evaluate": (
        "femr evaluate ensemble --data fer2013.csv",
        "femr evaluate mine.keras --data fer2013.csv --split PublicTest",
        "femr evaluate ensemble --data photos.parquet --json",
    ),
    "femr publish": (
        "femr publish runs/mine --data fer2013.parquet",
        "femr publish runs/a runs/b --data fer2013.parquet --photos photos.parquet",
        "femr publish ensemble --data fer2013.parquet --force",
    ),
    "femr push": (
        "femr push --repo user/name",
        "femr push --space user/name",
        "femr push --repo user/name --space user/name --private",
    ),
}
"""What stands under the help of each command; under `femr music` stands what its commands have."""


class Parser(argparse.ArgumentParser):
    """A parser, and the class of those of its commands, whose help ends with EXAMPLES."""

    def __init__(self, prog: str, **options: Any) -> None:
        lines = EXAMPLES.get(prog) or [line for name in EXAMPLES if name.startswith(prog) for line in EXAMPLES[name]]
        epilog = "\n  ".join(["examples:", *lines])
        super().__init__(prog, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter, **options)


def with_command(arguments: Sequence[str], commands: Collection[str]) -> list[str]:
    """The arguments with the command that is meant where none stands first: to analyze, or help where there are none.

    A first word without a dot, a slash or a star that is no file either is left: it may be a command misspelt.
    """
    if not arguments:
        return ["--help"]
    first = arguments[0]
    if first in (*commands, "-h", "--help", "--version"):
        return list(arguments)
    given = first.startswith("-") or re.search(r"[./\\*?]", first) or os.path.exists(first)  # noqa: PTH110 - never fails
    return ["analyze", *arguments] if given else list(arguments)


def old_name(parser: argparse.ArgumentParser, name: str, option: str, kind: Callable[[str], Any]) -> None:
    """Lets an option go by the name that it had, which help does not mention."""
    parser.add_argument(name, dest=option, type=kind, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def target(text: str) -> Path:
    """The path of a file or folder to write. Raises: FemrError if it is empty, which would be the current folder."""
    if not text:
        raise FemrError("Expected a name to write to. Received none; a variable may be empty.")
    return Path(text)


def check_targets(files: dict[str, Path | None], folders: dict[str, Path | None], inputs: Iterable[str]) -> None:
    """Raises: FemrError where what an option would write is of the other kind, or may be somebody's picture or video.

    Args: `files` and `folders`, by options; `inputs`, the paths that are read.
    """
    from femr.batch.inputs import PICTURES, VIDEOS  # it loads OpenCV

    media, read = PICTURES | VIDEOS | {".zip"}, {os.path.abspath(path) for path in inputs}  # noqa: PTH100
    for option, path in files.items():
        if path and (_is_folder(path) or path.suffix.lower() in media or os.path.abspath(path) in read):  # noqa: PTH100
            kinds = "which is no folder, input, picture, video or ZIP file"
            raise FemrError(f"Expected a file to write after {option}, {kinds}. Received: {printable(str(path))}")
    for option, path in folders.items():
        if path and path.suffix.lower() in media and not _is_folder(path):
            raise FemrError(f"Expected a folder after {option}. Received: {printable(str(path))}")


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises for a name that is too long


def folder(path: str) -> str:
    """The path of a folder that is there. Raises: ArgumentTypeError."""
    if not _is_folder(Path(path)):
        raise argparse.ArgumentTypeError(f"expected a folder, received {printable(path)}")
    return path


def port(text: str) -> int:
    """A port's number. Raises: ArgumentTypeError."""
    if not text.isdecimal() or not 0 < int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"expected a port from 1 to {_LAST_PORT}, received {printable(text)}")
    return int(text)


def check_environment() -> None:
    """Raises: FemrError where one of the variables names what is not there; an empty one counts as not set."""
    for name, check in _VARIABLES.items():
        try:
            if value := os.environ.get(name):
                check(value)
            else:
                os.environ.pop(name, None)
        except argparse.ArgumentTypeError as error:
            raise FemrError(f"{name}: {error}.") from None


def _extend(word: str) -> None:
    if word != "extend":
        raise argparse.ArgumentTypeError(f"expected extend, received {printable(word)}")


def _number(text: str) -> None:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number, received {printable(text)}")


_VARIABLES: dict[str, Callable[[str], object]] = {
    "FEMR_MUSIC_DIR": folder,
    "FEMR_MUSIC_MODE": _extend,
    "FEMR_MODELS_DIR": folder,
    "FEMR_ENGINE": choose,
    # the numbers that Gradio (6.31) reads as it is imported or served; it searches for ever with a port beyond the last
    "GRADIO_SERVER_PORT": port,
    "GRADIO_NUM_PORTS": _number,
    "GRADIO_NODE_NUM_PORTS": _number,
    "GRADIO_ANALYTICS_MAX_EVENTS": _number,
    "GRADIO_DEBUG": _number,
}
