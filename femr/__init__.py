"""femr: faces, expressions, mood and music of a picture.

    import femr
    analyzer = femr.load()
    analysis = analyzer("party.jpg")
    print(analysis.mood.reason, analysis.song.title)

Importing femr is quick; its networks are loaded by `load`.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from femr.errors import DataError, FemrError, ImageError, LibraryError, ModelError
from femr.expression.weights import DEFAULT_MODEL, MODEL_NAMES
from femr.results import EMOTIONS, Analysis, Emotion, EmotionScores, Face, FaceEmotion, Landmarks, Mood, Song

if TYPE_CHECKING:
    from femr.analyzer import Analyzer
    from femr.batch.folder import analyze_folder
    from femr.engine import Engine
    from femr.faces.detector import Detector
    from femr.music import MusicLibrary
    from femr.video.analysis import analyze_stream, analyze_video

__version__ = "0.2.0"

# TensorFlow reads it when it is loaded. It leaves these kernels out on processors without AVX-512, where they make the
# ensemble a third faster too: 280 to 296 → 207 to 220 ms for 2 megapixels with six faces, two cores of an EPYC
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

_LATER = {
    "Analyzer": "femr.analyzer",
    "analyze_folder": "femr.batch.folder",
    "analyze_video": "femr.video.analysis",
    "analyze_stream": "femr.video.analysis",
}

__all__ = [
    "EMOTIONS",
    "Analysis",
    "Analyzer",
    "DataError",
    "Emotion",
    "EmotionScores",
    "Face",
    "FaceEmotion",
    "FemrError",
    "ImageError",
    "Landmarks",
    "LibraryError",
    "ModelError",
    "Mood",
    "Song",
    "analyze_folder",
    "analyze_stream",
    "analyze_video",
    "available_models",
    "load",
]


def available_models() -> tuple[str, ...]:
    """The names that `load` takes."""
    return MODEL_NAMES


def load(
    model: str = DEFAULT_MODEL,
    *,
    detector: "Detector | str" = "mtcnn",
    library: "MusicLibrary | None" = None,
    balance: float | None = None,
    smallest_face: int | None = None,
    engine: "Engine | None" = None,
) -> "Analyzer":
    """An analyzer, loaded once and for many pictures.

    Args:
        model: "ensemble" (both networks), "mobilenet_v2" (quicker) or "custom_cnn"; or a network on the Hub that
            `femr push` made, "user/name" or "user/name@revision".
        detector: "mtcnn" or "yunet:FILE", with YuNet's ONNX file; or a detector, to share it between analyzers.
        library: To share it between analyzers; None loads the music that the environment names.
        balance: How readily rare expressions are named, 0 (off) to 1; None: the model's own.
        smallest_face: Side in pixels from which a detector by name looks for faces. None: of MTCNN 28, in large
            pictures 1/48 of the long side.
        engine: "openvino" or "keras", the reference, which wants the extra train. None: what FEMR_ENGINE names, else
            the first of them that is installed.

    Raises:
        ModelError: An argument is out of range or names nothing, or weights are missing, damaged or out of reach.
        LibraryError: There is no music to play.
    """
    from femr import analyzer

    return analyzer.load(
        model, detector=detector, library=library, balance=balance, smallest_face=smallest_face, engine=engine
    )


def __getattr__(name: str) -> Any:
    # without loading OpenCV and FFmpeg for those who do not ask for it
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module 'femr' has no attribute {name!r}")
