"""What all tabs share, loaded once: the songs and, each at its first use, the models. Nothing of a visitor's."""

import sys
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import femr
from femr.errors import FemrError, LibraryError
from femr.music import MusicLibrary
from femr.songs import load_library

if TYPE_CHECKING:  # the page is up before TensorFlow is loaded
    from femr.analyzer import Analyzer
    from femr.faces.detector import Detector

EXAMPLE = Path(__file__).parent.parent / "examples" / "eileen-collins.jpg"

_loading = Lock()


@cache
def music_library() -> MusicLibrary:
    """The songs, read once. A library that cannot be read leaves the page without music, not without answers."""
    try:
        return load_library()
    except LibraryError as error:
        return MusicLibrary((), [str(error)])


def analyzer(model: str) -> "Analyzer":
    """A model's analyzer, loaded at its first use. Who comes while it is loaded waits. Raises: FemrError."""
    with _loading:
        return _analyzer(model)


def warm_up(model: str) -> None:
    """Loads a model and analyses the example, so that no visitor waits for the graphs to be traced."""
    try:
        with _loading:  # two who trace the graphs at once take 90 MB more
            _analyzer(model)(EXAMPLE)
    except FemrError as error:  # the page still works with another model
        print(f"femr: {error}", file=sys.stderr)


@cache
def _analyzer(model: str) -> "Analyzer":
    return femr.load(model, detector=_detector(), library=music_library())


@cache
def _detector() -> "Detector":
    from femr.faces.detector import MtcnnDetector

    return MtcnnDetector()
