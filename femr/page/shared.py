"""What the tabs share: songs and models, loaded once, their choices, the lane, files in and out, errors in a sentence.

Nothing of a visitor's is kept here, and nothing is opened for one but what was uploaded.
"""

import html
import sys
from abc import ABCMeta
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import gradio as gr
from gradio import processing_utils
from gradio.component_meta import ComponentMeta
from gradio.data_classes import FileData, ListFiles
from gradio.utils import get_upload_folder, is_in_or_equal

import femr
from femr.analyzer import Analyzer
from femr.errors import FemrError, LibraryError, printable
from femr.faces.detector import Detector, load_detector
from femr.files import own_folder
from femr.images import Picture
from femr.music import Mode, MusicLibrary
from femr.page.queues import Lane
from femr.results import Analysis, Song
from femr.songs import load_library

EXAMPLE = own_folder("examples") / "eileen-collins.jpg"
MODELS = [("Careful", "ensemble"), ("Quick", "mobilenet_v2"), ("Custom network", "custom_cnn")]
MODELS_INFO = "Careful asks two networks and takes longer; Quick asks the faster one, Custom network the other."
MODES = [("Match the mood", "match"), ("Lift it", "lift")]
LANE = Lane()
AGAIN = 10.0
"""Seconds after which an empty music library is read again, and one that was empty and is being filled."""

_LONGEST = 600  # characters of a sentence that names files
NUMBERS = 10**11
"""Songs' are below: hundreds of them go into a header, and those of ten thousand songs differ."""

_loading = Lock()


class _Songs:
    """The songs, read once; where there were none, every AGAIN seconds until the folder is filled: two readings agree.

    A library that cannot be read leaves the page without music, not without answers.
    """

    def __init__(self) -> None:
        self._reading = Lock()
        self.forget()

    def forget(self) -> None:
        """They are read anew when somebody asks for them."""
        self._library, self._read, self._settled = MusicLibrary(()), -inf, False

    def library(self) -> MusicLibrary:
        """Those there are; who asks while they are read again gets those of before."""
        if self._settled or (self._read > -inf and self._reading.locked()):
            return self._library
        with self._reading:
            if not self._settled and monotonic() - self._read > AGAIN:
                found, first = _readable(), self._read == -inf
                self._settled = bool(found.songs) and (first or found.songs == self._library.songs)
                if first or not self._settled:
                    self._library = found
                self._read = monotonic()
            return self._library


def _readable() -> MusicLibrary:
    try:
        return load_library()
    except LibraryError as error:
        return MusicLibrary((), [str(error)])


SONGS = _Songs()
music_library = SONGS.library


@cache
def number_of(song: Song) -> int:
    """What a song is called in addresses and by players: the same after a restart, another one for another file.

    It is made of the file's name and size, so it tells nobody where the file lies.
    """
    size = song.path.stat().st_size if song.path.is_file() else 0
    facts = song.path.name, song.emotion, size
    return int.from_bytes(sha256(repr(facts).encode()).digest()[:8]) % NUMBERS


@lru_cache(maxsize=2)
def numbered(library: MusicLibrary) -> dict[int, Song]:
    """The songs by their numbers."""
    return {number_of(song): song for song in library.songs}


def tell_of_music() -> None:
    """Says on standard error why there is no music, where there is none; some may come yet."""
    if not (library := music_library()).songs:
        print(f"femr: {printable(library.problems[0], _LONGEST)}", file=sys.stderr)


def analyzer(model: str, smallest_face: int | None = None) -> Analyzer:
    """A model's analyzer, loaded at its first use, with the songs that are there now. Raises: FemrError.

    Who comes while it is loaded waits.
    """
    library = music_library()
    with _loading:
        found = loaded(model, smallest_face)
        found.library = library
        return found


def warm_up(model: str) -> None:
    """Loads a model and analyses the example, so that no visitor waits for that."""
    import matplotlib

    # Gradio (6.31) asks for it at every event; where none is chosen Matplotlib loads all of itself to choose one: 13 MB
    if matplotlib.get_backend(auto_select=False) is None:
        matplotlib.use("agg")
    try:
        analyzer(model)(EXAMPLE)
    except FemrError as error:  # the page still works with another model
        print(f"femr: {error}", file=sys.stderr)


def read_photo(picture: Picture, model: str, mode: Mode) -> Analysis:
    """What a model finds in a visitor's photo, read together with those of others. Raises: FemrError."""
    chosen = analyzer(model)
    return chosen.conclude(picture, LANE.read(chosen, picture) or (), mode, file="photo")


@cache
def loaded(model: str, smallest_face: int | None) -> Analyzer:
    """A model's analyzer, made at the first call. Raises: FemrError."""
    return femr.load(model, detector=_detector(smallest_face), library=MusicLibrary(()))


@cache
def _detector(smallest_face: int | None) -> Detector:
    return load_detector(smallest_face=smallest_face)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Shows femr's own errors, one sentence each, to the visitor; Gradio hides all others."""
    try:
        yield
    except FemrError as error:
        raise gr.Error(html.escape(str(error)), print_exception=False) from None


def text_of(name: str) -> str:
    """The text of a script or page that lies beside this module."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


class WithoutStub(ComponentMeta):
    """For a component that adds no event: Gradio (6.31) would write a .pyi beside its source, for the events' sake."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> Any:
        """The class alone."""
        return ABCMeta.__new__(cls, name, bases, attributes)


class FilesInput(gr.File, metaclass=WithoutStub):
    """gr.File that hands over paths, and opens nothing but what was uploaded."""

    is_template = True  # looks and behaves like gr.File in the browser

    def preprocess(self, payload: ListFiles | FileData | None) -> list[str]:
        """The paths of the uploaded files, each once, in their order. Raises: gr.Error if one is not there."""
        given = [] if payload is None else payload.root if isinstance(payload, ListFiles) else [payload]
        paths = [file.path for file in given]
        if not all(path and is_uploaded(path) for path in paths):
            raise gr.Error("A file is not here any more. Please choose it again.", print_exception=False)
        return list(dict.fromkeys(paths))


class FilmOutput(gr.Video, metaclass=WithoutStub):
    """gr.Video that shows a file as it is: Gradio's own would convert what it thinks no browser plays, for minutes."""

    is_template = True  # looks and behaves like gr.Video in the browser

    def postprocess(self, value: str | None) -> FileData | None:
        """The file; None where there is no film."""
        return None if value is None else FileData(path=value)


def is_uploaded(path: str) -> bool:
    """Whether a path is that of a file which was uploaded and is still there."""
    try:
        return is_in_or_equal(path, get_upload_folder()) and Path(path).is_file()
    except (OSError, ValueError):  # no file has such a name
        return False


async def _not_fetched(url: str, cache_dir: str) -> str:
    """An address that stood in the place of a file, as it is: it is no upload, so every input here refuses it.

    In place of Gradio's own fetch (6.31), which takes any length and any time, for any input. Its request would be a
    stranger's, made from inside the server's network.
    """
    return url


processing_utils.async_ssrf_protected_download = _not_fetched
