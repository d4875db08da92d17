"""Files and folders, with one clear sentence when they cannot be read or written; and those that femr carries."""

import codecs
import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import IO, TYPE_CHECKING

from femr.errors import DataError, ImageError, printable

if TYPE_CHECKING:
    from av.container import InputContainer

MOST_LISTED = 50_000_000
"""Bytes of a list of files or songs; a larger one is something else, and would take gigabytes."""

_UNFINISHED = ".writing-"
_LONGEST_SHOWN = 80  # characters of a name that is told
_LONGEST_NAME = 230  # bytes: most file systems take 255, of which a number and some endings take their part
# of systems, of NAS of three makers, and of Windows: thumbnails, bins, copies of metadata
_MACHINE_FOLDERS = frozenset({
    "#recycle", "#snapshot", "$recycle.bin", "@eadir", "@recently-snapshot", "@recycle", "@sharebin", "@synoresource",
    "@tmp", "__macosx", "lost+found", "network trash folder", "recycled", "recycler", "system volume information",
    "temporary items", "~snapshot",
})  # fmt: skip


def own_folder(name: str) -> Path:
    """Where models, music or examples lie, whether or not they do: in a wheel's femr/assets, at a clone's top."""
    package = Path(__file__).parent
    inside = package / "assets" / name
    return inside if inside.is_dir() else package.parent / name


def lacking(folder: Path) -> str:
    """The sentence for a folder of femr's own that is not where it should be."""
    return f"This copy of femr lacks its folder {folder.name}; install it from a whole clone."


def local(path: str) -> str:
    """The path itself, or the one of an address that a file manager gives: file:///home/me/a%20b.jpg."""
    if path[:7].lower() != "file://":
        return path
    from urllib.request import url2pathname

    return url2pathname(path[7:].removeprefix("localhost"))


def encoding_of(begun: bytes) -> str:
    """The encoding of a list or table that begins so: UTF-8, or UTF-16 as spreadsheets write it, marked or not."""
    if begun.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in begun[:2]:  # the first character is an ASCII one
        return "utf-16-be" if begun.startswith(b"\0") else "utf-16-le"
    return "utf-8-sig"


def open_file(path: str | os.PathLike[str]) -> IO[bytes]:
    """A file or a named pipe, opened. Raises: ImageError with the reason in a sentence that any name fits in."""
    name = printable(Path(path).name or str(path), _LONGEST_SHOWN)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path("") is the current folder
        if stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISDIR(mode):  # opening a folder tells what is wrong
            return Path(path).open("rb")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it has no name of a file"
        raise ImageError(f"{name} cannot be opened: {reason}.") from error
    raise ImageError(f"There is no file named {name}.")


def open_media(file: str | os.PathLike[str] | IO[bytes], **options: str) -> "InputContainer":
    """A film or song, opened by PyAV; words in it of no encoding are fine. Args: `options`, FFmpeg's own.

    Raises:
        ImportError: PyAV is not installed; or what it raises where the file cannot be opened.
    """
    import av

    if av.__version__ < "19":
        return av.open(file, "r", options=options, metadata_errors="replace")
    return av.open(file, "r", options=options)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns a failure to write a file or folder into one clear sentence. Raises: DataError."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path.name} cannot be written: {error.strerror or error}.") from error


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it. Raises: DataError."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


def passed_over(name: str) -> bool:
    """Whether a file or folder of that name is hidden or a machine's own, be it in a folder, a ZIP file or a data set.

    AppleDouble (._a.jpg) and .ipynb_checkpoints are among the hidden ones.
    """
    return name.startswith(".") or name.lower() in _MACHINE_FOLDERS


def walk(folder: str | os.PathLike[str], tell: Callable[[OSError], None]) -> Iterator[Path]:
    """All files in a folder and those under it, sorted, but for what is `passed_over`.

    Linked folders too; each is entered once, where it lies if that is in the folder, and none above it.
    Args: `tell`, called for each folder that cannot be opened.
    """
    root = Path(os.path.realpath(folder))
    entered = {Path(os.path.realpath(path)) for path in Path(folder).absolute().parents}
    for parent, folders, files in os.walk(folder, onerror=tell, followlinks=True):
        real = Path(os.path.realpath(parent))
        inside = root in real.parents and os.path.islink(parent)  # noqa: PTH114 - as all here, without an error
        if real in entered or real in root.parents or inside:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not passed_over(name))
        yield from (Path(parent, name) for name in sorted(files) if not passed_over(name))


def free_name(folder: Path, stem: str, suffix: str = ".jpg") -> Path:
    """A file name that overwrites nothing: two photos of different folders may share theirs."""
    stem = stem.encode(errors="replace")[:_LONGEST_NAME].decode(errors="ignore")
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
    temporary = path.with_name(f"{_UNFINISHED}{token_hex(8)}{path.suffix}")
    try:
        temporary.touch(exist_ok=False)
        with suppress(OSError):  # there is none yet, or it keeps no modes
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path.name} cannot be written: {error.strerror or error}. {then}".rstrip()) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Removes what an interrupted `replacing` left in a folder."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        path.unlink()


def sha256(path: Path) -> str:
    """A file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_damaged(folder: Path, digests: Mapping[str, str]) -> str | None:
    """The first of some files in a folder whose SHA-256 is another; None where all are as told. Raises: OSError."""
    return next((name for name, digest in digests.items() if sha256(folder / name) != digest), None)
