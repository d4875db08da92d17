"""What a path stands for: the pictures and videos of files, folders, patterns, lists, ZIP files and addresses."""

import glob
import lzma
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import product
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import IO, Any, TypeVar, cast

from femr.errors import DataError, ImageError
from femr.files import MOST_LISTED, encoding_of, local, open_file, passed_over, walk
from femr.images import WEB, Picture, Pixels, fetch, load_image, load_picture, read_all
from femr.mending import is_packed

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
_PACKED = (
    OSError, EOFError, ValueError, LookupError, RuntimeError, ArithmeticError, struct.error, zipfile.BadZipFile,
    zlib.error, lzma.LZMAError,
)  # fmt: skip
_ENDING = re.compile(r"\.[^\s.]{1,8}")
_SHOWN = 5  # endings that a sentence tells
_CONTROL = bytes({*range(32)} - set(b"\t\n\v\f\r\x1b"))
_STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Input:
    """A picture or a video that is to be read; may be sent to another process.

    name: as it stands in results. path: a local path, or an address such as s3://bucket/photo.jpg.
    member: the picture's name inside the ZIP file `path`. data: the picture's file, where it can be read but once.
    copy: where what a web address gave is kept, to be read again; see `copied`. fault: why it cannot be read, where
    that is known.
    """

    name: str
    path: str
    member: str | None = None
    data: bytes | None = field(default=None, repr=False)
    copy: str | None = None
    fault: str | None = None

    @property
    def video(self) -> bool:
        """Whether it is a video, by its ending; those inside ZIP files are not read."""
        return self.member is None and self.data is None and _suffix(self.path) in VIDEOS

    def picture(self, archives: "Archives | None" = None) -> Picture:
        """The picture as it is analysed. Raises: ImageError, DataError."""
        return self._read(load_picture, archives)

    def image(self) -> Pixels:
        """The picture in full, as `images.load_image` gives it. Raises: ImageError, DataError."""
        return self._read(load_image, None)

    def _read(self, read: Callable[[IO[bytes]], T], archives: "Archives | None") -> T:
        if self.member is None:
            with self.open() as file:
                return read(file)
        if _suffix(self.member) in VIDEOS:
            raise ImageError("Videos inside ZIP files are not read. Unpack it first.")
        with Archives() if archives is None else nullcontext(archives) as opened:
            archive = opened.open(self.path)
            try:
                with archive.open(self.member) as file:  # no more is unpacked than is read, whatever size it claims
                    return read(file)
            except _PACKED as error:
                raise ImageError("It cannot be unpacked: damaged, encrypted or packed in an unusual way.") from error

    def open(self) -> IO[bytes]:
        """The file, opened. Raises: ImageError if it cannot be."""
        if self.fault is not None:
            raise ImageError(self.fault)
        if self.data is not None:
            return BytesIO(self.data)
        if self.fetched:
            return BytesIO(self._fetch())
        return _open_remote(self.path) if "://" in self.path else open_file(self.path)

    @property
    def fetched(self) -> bool:
        """Whether it is a picture of the web, which may be another one a moment later."""
        return self.path.startswith(WEB) and not self.video

    def _fetch(self) -> bytes:
        if self.copy is None:
            return fetch(self.path)
        with suppress(OSError):
            return Path(self.copy).read_bytes()
        data = fetch(self.path)
        try:
            Path(self.copy).write_bytes(data)
        except OSError:  # the disk is full: it is fetched again
            Path(self.copy).unlink(missing_ok=True)
        return data


class Archives(ExitStack):
    """ZIP files that are read, from one thread or several; each is opened, and its members' list read, but once."""

    def __init__(self) -> None:
        super().__init__()
        self._opened: dict[str, zipfile.ZipFile] = {}
        self._lock = Lock()

    def open(self, path: str) -> zipfile.ZipFile:
        """The ZIP file at a path. Raises: DataError."""
        with self._lock:
            if path not in self._opened:
                try:
                    self._opened[path] = self.enter_context(zipfile.ZipFile(path))
                except _PACKED as error:
                    raise DataError(f"{encodable(Path(path).name)} is damaged or no ZIP file.") from error
            return self._opened[path]


def find(paths: Iterable[str | os.PathLike[str]], passed: Counter[str] | None = None) -> list[Input]:
    """All pictures and videos, in the order of the paths, those of a folder, a pattern or a ZIP file sorted.

    A path may be a file, a folder with those in it, a pattern such as "photos/*.jpg" (** also goes into folders), a
    .txt list of files, folders and ZIP files (one a line, from the current folder or the list's own), a .zip of
    pictures, a web address, one such as s3://bucket/photos that fsspec reads, or "-" for standard input.
    In folders, ZIP files and under addresses what is neither picture nor video is passed over, and what is hidden or
    a machine's own (`files.passed_over`). A folder in a folder that cannot be opened is an input that cannot be read.
    A file that several paths stand for is there once, where it came first.

    Args: `passed`, to count what is passed over and not hidden, by ending; see `tell_passed`.
    Raises: DataError if the only path is a folder, pattern, list or ZIP file that holds nothing to read or cannot be
        read; one of several is an input that cannot be read.
    """
    passed, names = Counter() if passed is None else passed, [local(os.fspath(path)) for path in paths]
    found = _find(names[0], passed) if len(names) == 1 else [each for name in names for each in _tried(name, passed)]
    once: dict[tuple[str, str | None], Input] = {}
    for each in found:
        place = each.path if "://" in each.path else os.path.abspath(each.path)  # noqa: PTH100 - a/../a is a
        once.setdefault((place, each.member), each)
    return list(once.values())


def copied(inputs: Iterable[Input], folder: str) -> list[Input]:
    """The same inputs; pictures of the web are fetched but once, into a folder, and stay there."""
    return [replace(each, copy=f"{folder}/{i}") if each.fetched else each for i, each in enumerate(inputs)]


def tell_passed(passed: Counter[str]) -> str:
    """What `find` passed over, as a sentence; empty if there is nothing."""
    kinds = [f"{count:,} {ending or 'without an ending'}" for ending, count in passed.most_common(_SHOWN)]
    rest = passed.total() - sum(count for _, count in passed.most_common(_SHOWN))
    told = ", ".join([*kinds, *([f"{rest:,} others"] if rest else [])])
    return f"Passed over as neither pictures nor videos by their endings: {told}." if told else ""


def _files(paths: Iterable[str]) -> list[Input]:
    return [Input(encodable(path), path) for path in paths]


def encodable(name: str) -> str:
    """A file's name as text that can be written: names of no encoding exist."""
    return name.encode("utf-8", "backslashreplace").decode()


def _find(path: str, passed: Counter[str]) -> list[Input]:
    is_file, here = os.path.isfile(path), Counter[str]()  # noqa: PTH113 - as all here, without an error for any name
    if path == _STANDARD_INPUT:
        return [Input(path, path, data=b"" if sys.stdin is None else read_all(sys.stdin.buffer))]
    if path.startswith(WEB) and "*" not in path and not path.endswith("/"):
        return _files([path])
    if "://" in path:
        found = _files(name for name in _list_remote(path) if _wanted(name, here, asked=path))
    elif os.path.isdir(path):  # noqa: PTH112
        found = _files(_walk(path, here))
    elif _suffix(path) == ".zip" and is_file:
        found = _members(path, here)
    elif _suffix(path) == ".txt" and is_file:
        found = list(_listed(Path(path), here))
    elif glob.has_magic(path) and not os.path.lexists(path):
        found = _files(_matches(path))
    elif _is_pipe(Path(path)):
        with open_file(path) as file:
            return [Input(encodable(path), path, data=read_all(file))]
    else:
        return _files([path])
    if not found:
        shown = encodable(Path(path).name if is_file else path)  # a ZIP file may lie where a visitor's uploads do
        raise DataError(f"There are no pictures or videos in {shown}. {tell_passed(here)}".rstrip())
    passed.update(here)
    return found


def _tried(path: str, passed: Counter[str]) -> list[Input]:
    """The same of one of several: whatever is wrong with it costs nothing else."""
    try:
        return _find(path, passed)
    except DataError as error:
        return [Input(encodable(path), path, fault=str(error))]


def _walk(folder: str, passed: Counter[str]) -> Iterator[str]:
    closed: list[str] = []
    paths = walk(folder, lambda error: closed.append(str(error.filename)))
    # a pipe might wait for ever for one that writes
    yield from (str(path) for path in paths if _wanted(path.name, passed) and not _is_pipe(path))
    yield from closed


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _matches(pattern: str) -> list[str]:
    """The files of a pattern. Brackets are a folder's own name where there is one called so: "Party [2019]/*.jpg"."""
    parts = [(part.replace("[", "[[]"), part) if "[" in part else (part,) for part in pattern.split("/")]
    for each in map("/".join, product(*parts)):
        matches = glob.glob(each, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
        files = sorted(match for match in matches if os.path.isfile(match) and not _machine(match, pattern))  # noqa: PTH113
        if files:
            return files
    return []


def _machine(path: str, pattern: str) -> bool:
    """Whether a match is to be passed over. Hidden ones are not: `glob` finds them only where the pattern says so."""
    parts = set(PurePosixPath(path).parts) - set(PurePosixPath(pattern).parts)
    return any(passed_over(part) for part in parts if not part.startswith("."))


def _listed(path: Path, passed: Counter[str]) -> Iterator[Input]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_LISTED + 1)
    except OSError as error:
        raise DataError(f"{encodable(path.name)} cannot be opened: {error.strerror}.") from error
    if len(data) > MOST_LISTED:
        raise DataError(f"{encodable(path.name)} is no list: it is larger than {MOST_LISTED // 1_000_000} MB.")
    if _is_binary(data):
        yield from _files([str(path)])  # photo.jpg.txt
        return
    for line in map(local, filter(None, map(str.strip, _lines(data)))):
        place = None if "://" in line else _place(path.parent, line)
        if place is None or _suffix(place) == ".txt":
            yield from _files([place or line] if place or not line.startswith("#") else [])
        else:
            yield from _tried(place, passed)


def _is_binary(data: bytes) -> bool:
    """Whether it is no text, by the control characters in its beginning."""
    begun = data[:1000]
    odd = len(begun) - len(begun.translate(None, _CONTROL)) > 1 + len(begun) // 20
    return is_packed(data) or (odd and encoding_of(data) == "utf-8-sig")


def _lines(data: bytes) -> list[str]:
    """The lines of a list from anywhere: Windows writes UTF-16; bytes of no encoding stay what they are."""
    encoding = encoding_of(data)
    return data.decode(encoding, "surrogateescape" if encoding == "utf-8-sig" else "replace").splitlines()


def _place(folder: Path, line: str) -> str | None:
    """Where that is which a line names, from the current folder or the list's own; None if it is nowhere.

    As it stands, or without a remark behind it or quotes around it, or as Windows-1252 or Windows' paths have it.
    """
    windows = os.fsencode(line).decode("cp1252", "replace")
    bare = [text.strip().strip("\"'") for text in (line, line.partition(" #")[0], windows)]
    names = (line, *bare, *(text.replace("\\", "/") for text in bare))
    places = (place for name in names if name for place in (name, str(folder / name)))
    return next(filter(os.path.exists, places), None)


def _members(path: str, passed: Counter[str]) -> list[Input]:
    with Archives() as archives:
        names = sorted(info.filename for info in archives.open(path).infolist() if not info.is_dir())
    if len(names) > MOST_MEMBERS:
        raise DataError(f"{encodable(Path(path).name)} holds more than {MOST_MEMBERS:,} files.")
    return [Input(encodable(f"{path}/{name}"), path, name) for name in names if _wanted(name, passed)]


def _wanted(name: str, passed: Counter[str], asked: str = "") -> bool:
    """Whether a file is a picture or a video and not passed over; what is not for its ending alone is counted.

    Args: `name`, with its folders. `asked`, an address with folders that are wanted whatever they are called.
    """
    parts = set(PurePosixPath(name.replace("\\", "/")).parts) - {"..", *PurePosixPath(asked).parts}
    if any(map(passed_over, parts)):
        return False
    suffix = _suffix(name)
    if suffix not in PICTURES | VIDEOS:
        passed[suffix if _ENDING.fullmatch(suffix) else ""] += 1
        return False
    return True


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
        raise DataError(f"{encodable(address)} cannot be reached: {_reason(error)}") from error


def _open_remote(address: str) -> IO[bytes]:
    """The file, opened. Raises: ImageError if it cannot be."""
    try:
        system, path = _system(address)
        return cast(IO[bytes], system.open(path, "rb"))
    except Exception as error:  # each file system has errors of its own
        raise ImageError(f"{encodable(address.rpartition('/')[2])} cannot be opened: {_reason(error)}") from error


def _system(address: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise DataError("Reading addresses needs fsspec: pip install fsspec.") from error
    try:
        system, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise DataError(f"{encodable(address)} cannot be reached: {_reason(error)}.") from error
    return system, str(path)


def _reason(error: Exception) -> str:
    return f"{error or type(error).__name__}".splitlines()[0]
