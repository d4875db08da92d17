"""Files behind addresses such as s3://, gs:// and hf://, read with fsspec: see ray-requirements.txt."""

from typing import IO, Any

from femr.errors import DataError, ImageError


def list_files(address: str) -> list[str]:
    """The addresses of all files under a folder's address, or of a pattern's, sorted; or of the file itself.

    Raises: DataError if it cannot be reached.
    """
    system, path = _system(address)
    try:
        if any(sign in path for sign in "*?["):
            found = system.glob(path)
        else:
            found = system.find(path) if system.isdir(path) else [path]
        return sorted(system.unstrip_protocol(name) for name in found)
    except Exception as error:
        raise DataError(f"{address} cannot be reached: {_reason(error)}") from error


def open_file(address: str) -> IO[bytes]:
    """The file, opened. Raises: ImageError if it cannot be."""
    try:
        system, path = _system(address)
        file: IO[bytes] = system.open(path, "rb")
    except Exception as error:  # each file system has errors of its own
        raise ImageError(f"{address.rpartition('/')[2]} cannot be opened: {_reason(error)}") from error
    return file


def _system(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise DataError("Reading addresses needs fsspec: pip install -r femr/many/ray-requirements.txt.") from error
    try:
        system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise DataError(f"{address} cannot be reached: {error}.") from error
    return system, str(path)


def _reason(error: Exception) -> str:
    return f"{error or type(error).__name__}".splitlines()[0]
