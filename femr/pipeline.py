"""The stages in order: picture → faces → crops → scores → mood → song."""

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np

from femr.classifier import Classifier, load_classifier
from femr.detector import Detector, MtcnnDetector
from femr.images import Pixels, Source, fit, load_image
from femr.mood import vote
from femr.music import Mode, MusicLibrary
from femr.preprocessing import FACE_SIDE, crop_face
from femr.results import Analysis, Face, FaceEmotion, Song
from femr.songs import load_library
from femr.weights import DEFAULT_MODEL

SCALES = (0.8, 0.9, 1.0, 1.1, 1.25)
"""Crop sizes, relative to FER2013's framing, to average over.

The project's training notes have 68.2 % with one size and 70.5 % with these on 881 colour photos, for this MobileNetV2
behind the mtcnn package's own detector; not measured again with femr's.
"""


class Analyzer:
    """Finds the faces of a picture, reads their expressions, lets them vote and picks a song.

    It keeps nothing between calls and may be called from several threads.
    """

    def __init__(
        self, detector: Detector, classifier: Classifier, library: MusicLibrary, scales: Sequence[float] = SCALES
    ) -> None:
        self._detector = detector
        self._classifier = classifier
        self._scales = tuple(scales)
        self.library = library

    def __call__(self, source: Source, mode: Mode = "match", played: Sequence[Song] = ()) -> Analysis:
        """All that is found in one picture; boxes are in the original picture's pixels.

        Args:
            source: a path, the bytes of a file, an open binary file, a PIL image or an RGB array.
            mode: "match" plays the mood, "lift" answers a hard mood with calm or cheerful music.
            played: the songs of this visit so far, oldest first; none is played again before all others were.
        Raises: ImageError if the picture cannot be read.
        """
        start = perf_counter()
        image = load_image(source)
        small, factor = fit(image)
        loaded = perf_counter()
        faces = self._detector.detect(small)
        detected = perf_counter()
        readings = self._read(small, faces)
        mood = vote(readings)
        song = self.library.pick(mood.emotion, mode, played) if mood.emotion else None
        timings = {"load": loaded - start, "detect": detected - loaded, "classify": perf_counter() - detected}
        original = tuple(replace(reading, face=reading.face.scaled(1 / factor)) for reading in readings)
        return Analysis(image.shape[1], image.shape[0], original, mood, song, self._classifier.facts.name, timings)

    def _read(self, image: Pixels, faces: Sequence[Face]) -> list[FaceEmotion]:
        """Each face with its number and its scores."""
        crops = np.empty((len(faces), len(self._scales), FACE_SIDE, FACE_SIDE), np.uint8)
        for views, face in zip(crops, faces, strict=True):
            for view, scale in zip(views, self._scales, strict=True):
                view[:] = crop_face(image, face, scale)
        scores = self._classifier.classify(crops)
        threshold = self._classifier.facts.unsure_threshold
        return [
            FaceEmotion(number, face, score, unsure=score.top_score < threshold)
            for number, (face, score) in enumerate(zip(faces, scores, strict=True), start=1)
        ]


def load(
    model: str = DEFAULT_MODEL, *, detector: Detector | None = None, library: MusicLibrary | None = None
) -> Analyzer:
    """An analyzer, loaded once and for many pictures.

    Args:
        model: "mobilenet_v2", "custom_cnn" or "ensemble".
        detector, library: to share them between analyzers; None loads MTCNN, and the music that the environment names.
    Raises: ModelError, LibraryError.
    """
    classifier = load_classifier(model)
    return Analyzer(detector or MtcnnDetector(), classifier, library or load_library())
