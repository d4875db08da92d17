"""The stages in order: picture → faces → crops → scores → mood → song."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter

from femr.expression.classifier import Classifier, load_classifier
from femr.expression.weights import DEFAULT_MODEL
from femr.faces.crop import face_views
from femr.faces.detector import Detector, Follower, MtcnnDetector
from femr.faces.quality import unclear
from femr.images import Pixels, Source, fit, load_picture
from femr.mood import vote
from femr.music import Mode, MusicLibrary
from femr.results import Analysis, Face, FaceEmotion, Reading, Song
from femr.songs import load_library
from femr.video.session import Visit


class Analyzer:
    """Finds the faces of a picture, reads their expressions, lets them vote and picks a song.

    It keeps nothing between calls and may be called from several threads.
    """

    def __init__(self, detector: Detector, classifier: Classifier, library: MusicLibrary) -> None:
        self._detector = detector
        self._classifier = classifier
        self.library = library

    @property
    def model(self) -> str:
        """The model's name, as in Analysis.model."""
        return self._classifier.facts.name

    def __call__(self, source: Source, mode: Mode = "match", played: Sequence[Song] = ()) -> Analysis:
        """All that is found in one picture; boxes are in the original picture's pixels.

        Args:
            source: a path, the bytes of a file, an open binary file, a PIL image or an RGB array.
            mode: "match" plays the mood, "lift" answers a hard mood with calm or cheerful music.
            played: the songs of this visit so far, oldest first; none is played again before all others were.
        Raises: ImageError if the picture cannot be read.
        """
        start = perf_counter()
        picture = load_picture(source)
        loaded = perf_counter() - start
        (analysis,) = self.many([picture.pixels], mode, played)
        file = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        width, height = picture.size
        enlarged = width / picture.pixels.shape[1]
        faces = tuple(replace(face, face=face.face.scaled(enlarged)) for face in analysis.faces)
        timings = {"load": loaded, **analysis.timings}
        return replace(analysis, width=width, height=height, faces=faces, timings=timings, file=file)

    def many(
        self,
        images: Sequence[Pixels],
        mode: Mode = "match",
        played: Sequence[Song] = (),
        follower: Follower | None = None,
    ) -> list[Analysis]:
        """One analysis a picture, RGB uint8 (h, w, 3) each, as if called on each; the faces of all are read at once.

        Timings are each picture's share. Args: `follower`, for the frames of a video in their order.
        """
        if not images:
            return []
        start = perf_counter()
        smaller = [fit(image) for image in images]
        faces = (follower or self._detector.detect_many)([small for small, _ in smaller])
        detected = perf_counter()
        readings = self._read([small for small, _ in smaller], faces)
        share = 1 / len(images)
        timings = {"detect": (detected - start) * share, "classify": (perf_counter() - detected) * share}
        return [
            self._conclude(image, factor, found, mode, played, timings)
            for image, (_, factor), found in zip(images, smaller, readings, strict=True)
        ]

    def follower(self, every: int) -> Follower:
        """For `many`: finds new faces in every nth frame of one video only, which is faster. Raises: DataError."""
        return Follower(self._detector, every)

    def stream(
        self, frames: Iterable[tuple[float, Pixels]], mode: Mode = "match", every: int = 1
    ) -> Iterator[Analysis]:
        """One analysis a frame, with its time and number: faces keep their numbers, scores are averaged over time.

        The song is the one that would play then, by the rules of femr.video.session. Memory stays constant, however
        many frames.
        Args:
            frames: (seconds, RGB uint8 (h, w, 3)) each, in the order of time, all of one size.
            every: in every how many-th frame new faces are looked for.
        """
        visit, follower = self.visit(mode), self.follower(every)
        for number, (time, image) in enumerate(frames):
            (found,) = self.many([image], mode, follower=follower)
            yield visit.step(replace(found, frame=number), time)

    def visit(self, mode: Mode = "match", played: Sequence[Song] = ()) -> Visit:
        """What a live visit holds, with this analyzer's songs and the threshold of its model."""
        return Visit(self.library, self._classifier.facts.unsure_threshold, mode, played=played)

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
        return Analysis(image.shape[1], image.shape[0], original, mood, song, self.model, timings)

    def _read(self, images: Sequence[Pixels], faces: Sequence[Sequence[Face]]) -> list[list[FaceEmotion]]:
        """Each picture's faces with their numbers and scores."""
        views = [face_views(image, face) for image, found in zip(images, faces, strict=True) for face in found]
        readings = iter(self._classifier.classify(views))
        threshold = self._classifier.facts.unsure_threshold
        return [
            [
                _face_emotion(number, image, face, reading, threshold)
                # the faces first: zip would take one reading too many
                for number, (face, reading) in enumerate(zip(found, readings, strict=False), start=1)
            ]
            for image, found in zip(images, faces, strict=True)
        ]


def _face_emotion(number: int, image: Pixels, face: Face, reading: Reading, threshold: float) -> FaceEmotion:
    """A face with its scores; where they are unsure, also with what may have made it hard to read."""
    unsure, reason = unclear(image, face, reading.scores.top_score >= threshold)
    return FaceEmotion(number, face, reading.scores, unsure, reason, reading.vote_shares, reading.label_scores)


def load(
    model: str = DEFAULT_MODEL,
    *,
    detector: Detector | None = None,
    library: MusicLibrary | None = None,
    balance: float | None = None,
    smallest_face: int | None = None,
) -> Analyzer:
    """An analyzer, loaded once and for many pictures.

    Args:
        model: "ensemble" (both networks), "mobilenet_v2" (quicker) or "custom_cnn".
        detector, library: to share them between analyzers; None loads MTCNN, and the music that the environment names.
        balance: how readily rare expressions are named, 0 (off) to 1, see `calibration.Calibration`; None: the model's.
        smallest_face: side in pixels from which faces are looked for, see MtcnnDetector; not with `detector`.
    Raises: ModelError, LibraryError.
    """
    classifier = load_classifier(model, balance)
    return Analyzer(detector or MtcnnDetector(smallest_face), classifier, library or load_library())
