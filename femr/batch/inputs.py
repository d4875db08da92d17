"""What a path stands for: the pictures and videos of files, folders, patterns, lists, ZIP files and addresses."""

import glob
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import IO, Any, Self, TypeVar

from femr.errors import DataError, ImageError
from femr.files import open_file
from femr.images import Picture, Pixels, load_image, load_picture

PICTURES = frozenset({
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm",
    ".tif", ".tiff", ".webp",
})  # fmt: skip
"""Endings by which pictures are found in folders and ZIP files."""
VIDEOS = frozenset({
    ".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg",
    ".mts", ".mxf", ".ogv", ".qt", ".ts", ".vob", ".webm", ".wmv",
})  # fmt: skip
"""Endings by which a file is taken for a video."""
MOST_MEMBERS = 100_000
"""More files in a ZIP file are refused."""

T = TypeVar("T")

# what reading from a ZIP file raises
_PACKED = (OSError, EOFError, ValueError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class Input:
    """A picture or a video that is to be read; may be sent to another process.

    name: as it stands in results. path: a local path, or an address such as s3://bucket/photo.jpg.
    member: the picture's name inside the ZIP file `path`.
    """

    name: str
    path: str
    member: str | None = None

    @property
    def video(self) -> bool:
        """Whether it is a video, by its ending; those inside ZIP files are not read."""
        return self.member is None and _suffix(self.path) in VIDEOS

    def picture(self, archives: "Archives | None" = None) -> Picture:
        """The picture as it is analysed. Raises: ImageError, DataError."""
        return self._read(load_picture, archives)

    def image(self) -> Pixels:
        """The picture in full, as `images.load_image` gives it. Raises: ImageError, DataError."""
        return self._read(load_image, None)

    def _read(self, read: Callable[[IO[bytes]], T], archives: "Archives | None") -> T:
        if self.member is not None:
            with Archives() if archives is None else nullcontext(archives) as opened:
                return _read_member(opened.open(self.path), self.member, read)
        with self.open() as file:
            return read(file)

    def open(self) -> IO[bytes]:
        """The file, opened. Raises: ImageError if there is none."""
        if "://" in self.path:
            return _open_remote(self.path)
        return open_file(Path(self.path))


class Archives:
    """ZIP files that are read: each is opened once, so the list of its members is read once; a context manager.

    May be used from several threads.
    """

    def __init__(self) -> None:
        self._opened: dict[str, zipfile.ZipFile] = {}
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._opened.values():
            archive.close()

    def open(self, path: str) -> zipfile.ZipFile:
        """The ZIP file at a path. Raises: DataError."""
        with self._lock:
            try:
                if path not in self._opened:
                    self._opened[path] = zipfile.ZipFile(path)
                return self._opened[path]
            except (OSError, zipfile.BadZipFile) as error:
                raise DataError(f"{encodable(Path(path).name)} is damaged or no ZIP file.") from error


def find(paths: Iterable[str | os.PathLike[str]]) -> list[Input]:
    """All pictures and videos, in the order of the paths, those of a folder, a pattern or a ZIP file sorted.

    A path may be a file, a folder with those in it, a pattern such as "photos/*.jpg" (** also goes into folders), a
    .txt list of paths (one a line, from the current folder or the list's own), a .zip of pictures, or an address such
    as s3://bucket/photos that fsspec reads. In folders, files that are neither and hidden ones are passed over.
    Raises: DataError if a folder, pattern, list or ZIP file holds nothing to read or cannot be read.
    """
    return [found for path in paths for found in _find(os.fspath(path))]


def encodable(name: str) -> str:
    """A file's name as text that can be written: names of no encoding exist."""
    return name.encode("utf-8", "backslashreplace").decode()


def _find(path: str) -> Iterator[Input]:
    if "://" in path:
        yield from _some([Input(name, name) for name in _list_remote(path) if _wanted(name)], path)
    elif Path(path).is_dir():
        yield from _some(_files(_walk(path)), path)
    elif Path(path).suffix.lower() == ".zip" and Path(path).is_file():
        yield from _some(_members(path), path)
    elif Path(path).suffix.lower() == ".txt" and Path(path).is_file():
        yield from _some(_files(_listed(Path(path))), path)
    elif glob.has_magic(path) and not Path(path).exists():
        matches = glob.glob(path, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        yield from _some(_files(sorted(match for match in matches if Path(match).is_file())), path)
    else:
        yield from _files([path])


def _some(found: list[Input], path: str) -> list[Input]:
    if not found:
        raise DataError(f"There are no pictures or videos in {encodable(path)}.")
    return found


def _files(paths: Iterable[str]) -> list[Input]:
    return [Input(encodable(path), path) for path in paths]


def _walk(folder: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(parent, name)) for name in sorted(files) if _wanted(name))


def _listed(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    except OSError as error:
        raise DataError(f"{path.name} cannot be opened: {error.strerror}.") from error
    for line in filter(None, map(str.strip, lines)):
        yield line if "://" in line or Path(line).exists() else _beside(path, line)


def _beside(path: Path, line: str) -> str:
    """A path from the list's own folder, if there is such a file."""
    return str(path.parent / line) if (path.parent / line).exists() else line


def _members(path: str) -> list[Input]:
    with Archives() as archives:
        names = sorted(info.filename for info in archives.open(path).infolist() if not info.is_dir())
    if len(names) > MOST_MEMBERS:
        raise DataError(f"{encodable(Path(path).name)} holds more than {MOST_MEMBERS:,} files.")
    return [Input(encodable(f"{path}/{name}"), path, name) for name in names if _wanted(name)]


def _read_member(archive: zipfile.ZipFile, name: str, read: Callable[[IO[bytes]], T]) -> T:
    """A picture in a ZIP file. No more is unpacked than `read` takes, whatever size the file claims."""
    if _suffix(name) in VIDEOS:
        raise ImageError("Videos inside ZIP files are not read. Unpack it first.")
    try:
        with archive.open(name) as file:
            return read(file)
    except _PACKED as error:
        raise ImageError("It cannot be unpacked: damaged, encrypted or packed in an unusual way.") from error


def _wanted(name: str) -> bool:
    """Whether it is a picture or a video and not hidden; macOS puts hidden copies into ZIP files."""
    parts = PurePosixPath(name).parts
    return _suffix(name) in PICTURES | VIDEOS and not any(part.startswith(".") for part in parts[-1:])


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _list_remote(address: str) -> list[str]:
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


def _open_remote(address: str) -> IO[bytes]:
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
        raise DataError("Reading addresses needs fsspec: pip install 'femr[ray]'.") from error
    try:
        system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise DataError(f"{address} cannot be reached: {error}.") from error
    return system, str(path)


def _reason(error: Exception) -> str:
    return f"{error or type(error).__name__}".splitlines()[0]
