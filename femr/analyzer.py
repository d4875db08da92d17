"""The stages in order: picture → faces → crops → scores → mood → song."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from femr.errors import ModelError, plural
from femr.expression.classifier import Classifier, load_classifier
from femr.expression.weights import DEFAULT_MODEL
from femr.faces.crop import face_views
from femr.faces.detector import Detector, Follower, load_detector
from femr.faces.quality import unclear
from femr.files import local
from femr.images import WEB, Picture, Pixels, Source, load_picture
from femr.mood import vote
from femr.music import Mode, MusicLibrary, check_mode
from femr.results import Analysis, Face, FaceEmotion, Lent, Reading, Song
from femr.songs import load_library


class Analyzer:
    """Finds the faces of pictures, reads their expressions, lets them vote and picks a song.

    It keeps nothing between calls and may be called from several threads.
    """

    def __init__(self, detector: Detector, classifier: Classifier, library: MusicLibrary) -> None:
        self._detector = detector
        self._classifier = classifier
        self.library = library

    def __reduce__(self) -> NoReturn:
        raise ModelError("An analyzer cannot be pickled: call femr.load() in each process.")

    def __repr__(self) -> str:
        return f"femr's {self.model}, unclear under {self.threshold:.0%}, {plural(len(self.library.songs), 'song')}"

    @property
    def model(self) -> str:
        """The model's name, as in Analysis.model."""
        return self._classifier.facts.name

    @property
    def threshold(self) -> float:
        """The top probability under which the model's answer for a face counts as unsure."""
        return self._classifier.facts.unsure_threshold

    def __call__(self, source: Source, mode: Mode = "match", played: Sequence[Song] = ()) -> Analysis:
        """All that is found in one picture; boxes are in the original picture's pixels.

        Args:
            source: A path, the bytes of a file, an open binary file, a PIL image or an RGB array.
            mode: "match" plays the mood, "lift" answers a hard mood with calm or cheerful music.
            played: The songs of this visit so far, oldest first; none is played again before all others were.

        Raises:
            ImageError: The picture cannot be read.
            LibraryError: There is no such mode.
            ModelError: The networks cannot be run, for want of memory above all.
        """
        check_mode(mode)
        picture = load_picture(source)
        (faces,) = self.read([picture])
        return replace(self.conclude(picture, faces, mode, played, _file(source)), lent=Lent(source))

    def read(self, pictures: Sequence[Picture], follower: Follower | None = None) -> list[tuple[FaceEmotion, ...]]:
        """The faces of each picture with their scores, numbered from left to right; all are read at once.

        Args:
            follower: For the frames of one video in their order.

        Raises:
            ModelError: The networks cannot be run, for want of memory above all.
        """
        if not pictures:
            return []
        found = follower.detect(self._detector, pictures) if follower else self._detector.detect(pictures)
        views = [
            face_views(picture.pixels, face.scaled(picture.scale))
            for picture, faces in zip(pictures, found, strict=True)
            for face in faces
        ]
        read = zip(views, self._classifier.classify(views), strict=True)
        return [
            tuple(self._face_emotion(number, picture, face, *next(read)) for number, face in enumerate(faces, start=1))
            for picture, faces in zip(pictures, found, strict=True)
        ]

    def conclude(
        self,
        picture: Picture,
        faces: Sequence[FaceEmotion],
        mode: Mode = "match",
        played: Sequence[Song] = (),
        file: str | None = None,
    ) -> Analysis:
        """The faces' vote, and a song of the mood that it gives. Args: as for a call; `faces`, what `read` gave."""
        mood = vote(faces)
        song = self.library.pick(mood.emotion, mode, played) if mood.emotion else None
        return Analysis(*picture.size, tuple(faces), mood, song, self.model, file=file, note=picture.note)

    def _face_emotion(self, number: int, picture: Picture, face: Face, views: Pixels, reading: Reading) -> FaceEmotion:
        """A face with its scores; where they are unsure, also with what may have made it hard to read."""
        sure = reading.scores.top_score >= self.threshold
        unsure, reason = unclear(picture.pixels, face.scaled(picture.scale), views[0], sure)
        return FaceEmotion(number, face, reading, unsure, reason)


def _file(source: Source) -> str | None:
    """The path or address of a picture that has one; text that holds the picture itself, as base64, is none."""
    if not isinstance(source, str | os.PathLike):
        return None
    text = os.fspath(source)
    return text if text.startswith(WEB) or os.path.exists(local(text)) else None  # noqa: PTH110 - without an error


def load(
    model: str = DEFAULT_MODEL,
    *,
    detector: Detector | str = "mtcnn",
    library: MusicLibrary | None = None,
    balance: float | None = None,
    smallest_face: int | None = None,
    engine: str | None = None,
) -> Analyzer:
    """An analyzer, as `femr.load` tells of it."""
    classifier = load_classifier(model, balance, engine)
    if isinstance(detector, str):
        detector = load_detector(detector, smallest_face, engine)
    return Analyzer(detector, classifier, library or load_library())
