"""Files and folders, with one clear sentence when they cannot be read or written."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO

from femr.errors import DataError, ImageError, printable

_UNFINISHED = ".writing-"
_READABLE = 0o644  # mkstemp's own mode is for secrets


def open_file(path: Path) -> IO[bytes]:
    """A picture or a video, opened. Raises: ImageError if there is none."""
    if not path.is_file():
        raise ImageError(f"There is no file named {printable(path.name)}.")
    try:
        return path.open("rb")
    except OSError as error:
        raise ImageError(f"{printable(path.name)} cannot be opened: {error.strerror}.") from error


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a failure to write a file or folder into one clear sentence. Raises: DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from error


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it. Raises: DataError."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


def free_name(folder: Path, stem: str, suffix: str = ".jpg") -> Path:
    """A file name that overwrites nothing: two photos of different folders may share theirs."""
    paths = (folder / (f"{stem}{suffix}" if number == 1 else f"{stem}-{number}{suffix}") for number in count(1))
    return next(path for path in paths if not path.exists())


@contextmanager
def replacing(path: Path, then: str = "") -> Iterator[Path]:
    """A temporary path in the same folder, moved onto `path` when the block succeeds and removed when it does not.

    Args:
        then: A sentence for the error on what becomes of the rest.

    Raises:
        DataError: When the disk is full or the folder cannot be written.
    """
    temporary = None
    try:
        handle, name = tempfile.mkstemp(prefix=_UNFINISHED, suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.chmod(_READABLE)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path.name} cannot be written: {error.strerror or error}. {then}".rstrip()) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Removes what an interrupted `replacing` left in a folder."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        path.unlink()
