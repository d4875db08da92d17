"""What the tabs share: songs and models, loaded once, their choices, the lane, and errors as visitors see them.

Nothing of a visitor's is kept here.
"""

import html
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

import gradio as gr

import femr
from femr import assets
from femr.errors import FemrError, LibraryError, printable
from femr.images import Picture
from femr.lane import Lane
from femr.music import Mode, MusicLibrary
from femr.results import Analysis, Song
from femr.songs import load_library

if TYPE_CHECKING:  # the page is up before the engine is loaded
    from femr.analyzer import Analyzer
    from femr.faces.detector import Detector

EXAMPLE = assets.folder("examples") / "eileen-collins.jpg"
MODELS = [("Careful", "ensemble"), ("Quick", "mobilenet_v2"), ("Custom network", "custom_cnn")]
MODELS_INFO = "Careful asks two networks and takes longer; Quick asks the faster one, Custom network the other."
MODES = [("Match the mood", "match"), ("Lift it", "lift")]
LANE = Lane()
AGAIN = 10.0
"""Seconds after which an empty music library is read again."""

_LONGEST = 600  # characters of a sentence that names files
NUMBERS = 10**11
"""Songs' are below: hundreds of them go into a header, and those of ten thousand songs differ."""

_loading = Lock()


def music_library() -> MusicLibrary:
    """The songs, read once; where there were none, read again after AGAIN seconds: a folder may be filled meanwhile.

    A library that cannot be read leaves the page without music, not without answers.
    """
    library, read = library_read()
    if not library.songs and monotonic() - read > AGAIN:
        library_read.cache_clear()
        library, _ = library_read()
    return library


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


@cache
def library_read() -> tuple[MusicLibrary, float]:
    """The songs, and when they were read."""
    try:
        return load_library(), monotonic()
    except LibraryError as error:
        return MusicLibrary((), [str(error)]), monotonic()


def tell_of_music() -> None:
    """Says on standard error why there is no music, where there is none; some may come yet."""
    if not (library := music_library()).songs:
        print(f"femr: {printable(library.problems[0], _LONGEST)}", file=sys.stderr)


def analyzer(model: str, smallest_face: int | None = None) -> "Analyzer":
    """A model's analyzer, loaded at its first use. Who comes while it is loaded waits. Raises: FemrError."""
    with _loading:
        return loaded(model, smallest_face)


def warm_up(model: str) -> None:
    """Loads a model and analyses the example, so that no visitor waits for that."""
    try:
        analyzer(model)(EXAMPLE)
    except FemrError as error:  # the page still works with another model
        print(f"femr: {error}", file=sys.stderr)


def read_photo(picture: Picture, model: str, mode: Mode, played: Sequence[Song] = ()) -> Analysis:
    """What a model finds in a visitor's photo, read together with those of others. Raises: FemrError."""
    chosen = analyzer(model)
    return chosen.conclude(picture, LANE.read(chosen, picture) or (), mode, played, file="photo")


@cache
def loaded(model: str, smallest_face: int | None) -> "Analyzer":
    """A model's analyzer, made at the first call. Raises: FemrError."""
    return femr.load(model, detector=_detector(smallest_face), library=music_library())


@cache
def _detector(smallest_face: int | None) -> "Detector":
    from femr.faces.detector import load_detector

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
