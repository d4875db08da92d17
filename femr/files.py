"""Files and folders, with one clear sentence when they cannot be written."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from femr.errors import DataError


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
