"""Where commands write: folders and files, with one clear sentence when they cannot."""

from itertools import count
from pathlib import Path

from femr.errors import writing

BAD_INPUT = 2
"""Exit code when something that was asked for could not be done; the same as argparse's own."""


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it. Raises: DataError."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


def free_name(folder: Path, stem: str, suffix: str = ".jpg") -> Path:
    """A file name that overwrites nothing: two photos of different folders may share theirs."""
    paths = (folder / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}") for number in count(1))
    return next(path for path in paths if not path.exists())
