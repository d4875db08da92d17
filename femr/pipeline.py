"""The stages in order: picture → faces → crops → scores → mood → song."""

import os
from collections.abc import Mapping, Sequence
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
        loaded = perf_counter() - start
        (analysis,) = self.many([image], mode, played)
        file = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        return replace(analysis, timings={"load": loaded, **analysis.timings}, file=file)

    def many(self, images: Sequence[Pixels], mode: Mode = "match", played: Sequence[Song] = ()) -> list[Analysis]:
        """One analysis a picture, RGB uint8 (h, w, 3) each, as if called on each; the faces of all are read at once.

        Timings are each picture's share.
        """
        if not images:
            return []
        start = perf_counter()
        smaller = [fit(image) for image in images]
        faces = [self._detector.detect(small) for small, _ in smaller]
        detected = perf_counter()
        readings = self._read([small for small, _ in smaller], faces)
        share = 1 / len(images)
        timings = {"detect": (detected - start) * share, "classify": (perf_counter() - detected) * share}
        return [
            self._conclude(image, factor, found, mode, played, timings)
            for image, (_, factor), found in zip(images, smaller, readings, strict=True)
        ]

    def _conclude(
        self,
        image: Pixels,
        factor: float,
        readings: Sequence[FaceEmotion],
        mode: Mode,
        played: Sequence[Song],
        timings: Mapping[str, float],
    ) -> Analysis:
        """The vote and the song; boxes in the original picture's pixels."""
        mood = vote(readings)
        song = self.library.pick(mood.emotion, mode, played) if mood.emotion else None
        original = tuple(replace(reading, face=reading.face.scaled(1 / factor)) for reading in readings)
        return Analysis(image.shape[1], image.shape[0], original, mood, song, self._classifier.facts.name, timings)

    def _read(self, images: Sequence[Pixels], faces: Sequence[Sequence[Face]]) -> list[list[FaceEmotion]]:
        """Each picture's faces with their numbers and scores."""
        places = [(image, face) for image, found in zip(images, faces, strict=True) for face in found]
        crops = np.empty((len(places), len(self._scales), FACE_SIDE, FACE_SIDE), np.uint8)
        for views, (image, face) in zip(crops, places, strict=True):
            for view, scale in zip(views, self._scales, strict=True):
                view[:] = crop_face(image, face, scale)
        scores = iter(self._classifier.classify(crops))
        threshold = self._classifier.facts.unsure_threshold
        return [
            [
                FaceEmotion(number, face, score, unsure=score.top_score < threshold)
                # the faces first: zip would take one score too many
                for number, (face, score) in enumerate(zip(found, scores, strict=False), start=1)
            ]
            for found in faces
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
