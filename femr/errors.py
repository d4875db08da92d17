"""What femr raises on purpose. Each message is one sentence that a visitor may read: no server path, no trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FemrError(Exception):
    """Base of all errors that femr raises on purpose."""


class ImageError(FemrError):
    """The picture cannot be read or is outside the limits."""


class ModelError(FemrError):
    """A model is unknown, missing, damaged or cannot be fetched."""


class LibraryError(FemrError):
    """The music library cannot be read, or holds nothing to play."""


class DataError(FemrError):
    """A data set or a table cannot be read or does not hold what it should."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a failure to write a file or folder into one clear sentence. Raises: DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}.") from error
