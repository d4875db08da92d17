"""What each stage hands to the next: frozen dataclasses that check themselves, and show themselves in a line.

How an analysis or a song looks in a notebook, as a picture or as a table is told by output.show, when it is asked for.
Coordinates are pixels of the ORIGINAL picture, x to the right, y down; a box is (x1, y1, x2, y2), x2 and y2 exclusive.
"""

import math
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, get_args

from femr.errors import DataError

if TYPE_CHECKING:
    from pandas import DataFrame
    from PIL.Image import Image

    from femr.output.show import Source

Box: TypeAlias = tuple[float, float, float, float]
Point: TypeAlias = tuple[float, float]

UnsureReason: TypeAlias = Literal["may be no face", "covered", "too small", "cut off", "turned away", "dark", "blurred"]
UNSURE_REASONS: tuple[UnsureReason, ...] = get_args(UnsureReason)
"""Why a face may be hard to read, the first that applies."""
UNREADABLE = UNSURE_REASONS[:2]
"""What makes a face unsure whatever its scores: there they mean nothing."""

_SUM_TOLERANCE = 1e-3
_WORTH_TELLING = 0.01


class Emotion(StrEnum):
    """An expression that a face can show. Its value is the word used in folders, JSON and tables.

    Attributes:
        adjective: The word for a sentence: "2 faces look disgusted".
        emoji: One character that shows the expression.
        color: #RRGGBB, the same in boxes, table, charts and report.
    """

    adjective: str
    emoji: str
    color: str

    ANGRY = "angry", "angry", "😠", "#C8372D"
    DISGUST = "disgust", "disgusted", "🤢", "#5E7D1E"
    FEAR = "fear", "afraid", "😨", "#7048B6"
    HAPPY = "happy", "happy", "😀", "#E0A100"
    SAD = "sad", "sad", "😢", "#2F6FC4"
    SURPRISE = "surprise", "surprised", "😮", "#D9661F"
    NEUTRAL = "neutral", "neutral", "😐", "#6B7785"

    def __new__(cls, word: str, adjective: str = "", emoji: str = "", color: str = "") -> Self:
        """The expression of a word, with what is shown for it; the defaults are for type checkers."""
        emotion = str.__new__(cls, word)
        emotion._value_ = word
        emotion.adjective, emotion.emoji, emotion.color = adjective, emoji, color
        return emotion


EMOTIONS: tuple[Emotion, ...] = tuple(Emotion)


def emotion_of(word: str) -> Emotion | None:
    """The expression that people name by a word, in any case: "happy" and "Happiness" mean happy. None for others."""
    name = word.strip().lower()
    return Emotion(_SYNONYMS.get(name, name)) if name in EMOTIONS or name in _SYNONYMS else None


_SYNONYMS = MappingProxyType(
    {
        "afraid": "fear",
        "anger": "angry",
        "disgusted": "disgust",
        "fearful": "fear",
        "happiness": "happy",
        "sadness": "sad",
        "surprised": "surprise",
    }
)


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Five points of a face. Left and right are the picture's, turned so that the face is upright, not the person's."""

    left_eye: Point
    right_eye: Point
    nose: Point
    mouth_left: Point
    mouth_right: Point

    def points(self) -> tuple[Point, Point, Point, Point, Point]:
        """The five points in the order of the fields."""
        return self.left_eye, self.right_eye, self.nose, self.mouth_left, self.mouth_right


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face: where it is and how sure the detector is that it is one (confidence, 0 to 1)."""

    box: Box
    confidence: float
    landmarks: Landmarks

    def __post_init__(self) -> None:
        x1, y1, x2, y2 = self.box
        if not (x1 < x2 and y1 < y2):
            raise ValueError(f"Expected a box x1 < x2, y1 < y2. Received: {self.box}")
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"Expected a confidence from 0 to 1. Received: {self.confidence}")

    def __repr__(self) -> str:
        x1, y1, x2, y2 = self.box
        return f"a face of {x2 - x1:.0f}×{y2 - y1:.0f} at ({x1:.0f}, {y1:.0f}), confidence {self.confidence:.0%}"

    @property
    def size(self) -> float:
        """The box's longer side in pixels."""
        x1, y1, x2, y2 = self.box
        return max(x2 - x1, y2 - y1)

    def scaled(self, factor: float) -> "Face":
        """The same face in a picture that is `factor` times as large."""
        x1, y1, x2, y2 = (factor * value for value in self.box)
        points = [(factor * x, factor * y) for x, y in self.landmarks.points()]
        return Face((x1, y1, x2, y2), self.confidence, Landmarks(*points))


@dataclass(frozen=True, slots=True)
class EmotionScores(Mapping[Emotion, float]):
    """Seven calibrated probabilities of one face, in the order of EMOTIONS; they sum to 1: expression → probability."""

    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(EMOTIONS):
            raise ValueError(f"Expected {len(EMOTIONS)} probabilities. Received: {len(self.probabilities)}")
        if not all(0 <= p <= 1 for p in self.probabilities) or abs(sum(self.probabilities) - 1) > _SUM_TOLERANCE:
            raise ValueError(f"Expected probabilities that sum to 1. Received: {self.probabilities}")

    def __repr__(self) -> str:
        told = [(p, emotion) for p, emotion in zip(self.probabilities, EMOTIONS, strict=True) if p >= _WORTH_TELLING]
        return " · ".join(f"{emotion} {p:.0%}" for p, emotion in sorted(told, reverse=True))

    def __getitem__(self, emotion: Emotion | str) -> float:
        """The probability of one expression: scores["happy"]. KeyError if there is no such expression."""
        try:
            return self.probabilities[EMOTIONS.index(Emotion(emotion))]
        except ValueError as error:
            raise KeyError(str(error)) from None

    def __iter__(self) -> Iterator[Emotion]:
        return iter(EMOTIONS)

    def __len__(self) -> int:
        return len(EMOTIONS)

    @property
    def top(self) -> Emotion:
        """The most probable expression."""
        return EMOTIONS[self.probabilities.index(self.top_score)]

    @property
    def top_score(self) -> float:
        """The probability of the most probable expression."""
        return max(self.probabilities)

    def as_dict(self) -> dict[str, float]:
        """Expression → probability, in the order of EMOTIONS."""
        return {str(emotion): p for emotion, p in zip(EMOTIONS, self.probabilities, strict=True)}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a classifier says of one face.

    scores: what people would say, calibrated and balanced: what is named, votes and sings.
    vote_shares: the same without balance: which shares of ten people would say which expression.
    label_scores: FER2013's labels, calibrated.
    """

    scores: EmotionScores
    vote_shares: EmotionScores
    label_scores: EmotionScores

    @classmethod
    def of(cls, scores: EmotionScores) -> "Reading":
        """The reading of a classifier that has one answer."""
        return cls(scores, scores, scores)


@dataclass(frozen=True, slots=True)
class FaceEmotion:
    """A face with what was read from it.

    Attributes:
        number: As drawn on the picture: 1, 2, ... from left to right. In a video or a stream it stays with a face while
            that is in view.
        face: Where it is.
        reading: What the classifier says of it.
        unsure: The scores' top is below the threshold under which it is wrong too often to vote.
        unsure_reason: What may have made it so, one of UNSURE_REASONS; None where it is sure or no reason was seen.
        told: Somebody who sees the face has said what it shows.
    """

    number: int
    face: Face
    reading: Reading
    unsure: bool = False
    unsure_reason: UnsureReason | None = None
    told: bool = False

    def __repr__(self) -> str:
        words = f"face {self.number} looks {self.scores.top.adjective}"
        if self.told:
            return f"{words}, as somebody said"
        unclear = f", but is unclear{f' ({self.unsure_reason})' if self.unsure_reason else ''}" if self.unsure else ""
        return f"{words} ({self.scores.top_score:.0%}){unclear}"

    @property
    def scores(self) -> EmotionScores:
        """What people would say, calibrated and balanced."""
        return self.reading.scores

    @property
    def vote_shares(self) -> EmotionScores:
        """The same without balance."""
        return self.reading.vote_shares

    @property
    def label_scores(self) -> EmotionScores:
        """FER2013's labels, calibrated."""
        return self.reading.label_scores

    @property
    def box(self) -> Box:
        """The face's box."""
        return self.face.box


@dataclass(frozen=True, slots=True)
class Mood:
    """The group's mood.

    Attributes:
        emotion: What won the vote; None: no mood.
        reason: The sentence that says why.
        counts: The votes cast.
    """

    emotion: Emotion | None
    reason: str
    counts: Mapping[Emotion, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        sentence, _, _ = self.reason.partition(". ")
        return f"{self.emotion or 'no mood'} · {sentence}"


@dataclass(frozen=True, slots=True)
class Song:
    """A piece of music for a mood. Unknown facts are None.

    Attributes:
        tempo: Beats a minute.
        duration: Seconds.
        valence: -1 to 1.
        arousal: -1 to 1.
        lifts_from: The moods that it helps to leave.
        link: The address of a page about it.
        loudness: Of the whole, in LUFS (EBU R128), as a list or its ReplayGain or R128 tag says.
    """

    title: str
    path: Path
    emotion: Emotion
    artist: str | None = None
    key: str | None = None
    mode: str | None = None
    tempo: float | None = None
    duration: float | None = None
    licence: str | None = None
    valence: float | None = None
    arousal: float | None = None
    lifts_from: tuple[Emotion, ...] | None = None
    link: str | None = None
    loudness: float | None = None

    def __repr__(self) -> str:
        return f"{self.title} ({self.emotion}){f' by {self.artist}' if self.artist else ''}"

    @property
    def facts(self) -> list[str]:
        """What is known of it beside its title, in words: by whom, its key, its tempo, its licence."""
        tonality = " ".join(filter(None, (self.key, self.mode)))
        tempo = f"{self.tempo:.0f} bpm" if self.tempo else None
        return [fact for fact in (self.artist, tonality, tempo, self.licence) if fact]

    def _repr_html_(self) -> str:
        """A player with the song in it, for notebooks."""
        from femr.output import show

        return show.song_to_html(self)


class Lent:
    """A picture that somebody else keeps; called, it gives that picture, or None after they let it go.

    So analyses do not keep pictures in memory. Only arrays and PIL images are lent, and nothing is to another process.
    """

    __slots__ = ("_reference",)

    def __init__(self, picture: object = None) -> None:
        # both have it; bytes cannot be lent, and an open file is at its end once it was read
        lendable = hasattr(type(picture), "__array_interface__")
        self._reference = weakref.ref(picture) if lendable else None

    def __call__(self) -> Any:
        """The picture, or None."""
        return self._reference and self._reference()

    def __reduce__(self) -> tuple[type["Lent"], tuple[()]]:
        return Lent, ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that femr found in one picture or one frame of a video; or the reason why it could not be read.

    Attributes:
        width: The original picture's, upright, in pixels.
        height: The same.
        faces: Those found, each with its number.
        mood: What most of them look like.
        song: One that goes with it; None where there is no mood, or none of it.
        model: The model's name.
        file: Where the picture came from.
        time: Seconds since the video's or stream's start.
        frame: The frame's number, from 0.
        error: Why there is no answer; then everything else is empty.
        note: What of the picture is missing, as a sentence; None if nothing is.
        lent: The picture, while somebody keeps it.

    In a notebook it shows the annotated picture, a bar a face and the song's player. To show, plot or save it, the
    picture is read again from its file or taken from the array or PIL image, if that still exists; else pass it:

        analysis = femr.load()("party.jpg")
        analysis.save("annotated.jpg")
        analysis.face(3).scores["happy"]
    """

    width: int
    height: int
    faces: tuple[FaceEmotion, ...]
    mood: Mood
    song: Song | None
    model: str
    file: str | None = None
    time: float | None = None
    frame: int | None = None
    error: str | None = None
    note: str | None = None
    lent: Lent = field(default_factory=Lent, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for face in self.faces for value in face.box):
            raise ValueError("Expected finite boxes.")

    @classmethod
    def failed(cls, file: str, model: str, error: str) -> "Analysis":
        """The analysis of a file that could not be read, with the sentence that says why."""
        return cls(0, 0, (), Mood(None, error), None, model, file=file, error=error)

    def __repr__(self) -> str:
        if self.error is not None:
            return f"not read · {self.error}"
        time = "" if self.time is None else f", {self.time:g} s"
        return f"{self.mood!r} ({self.width}×{self.height}{time})"

    def _repr_html_(self) -> str:
        """The annotated picture, a bar a face and the song's player, for notebooks."""
        from femr.output import show

        return show.to_html(self)

    def face(self, number: int) -> FaceEmotion:
        """The face of a number, as drawn. Raises: DataError."""
        found = next((face for face in self.faces if face.number == number), None)
        if found is None:
            numbers = ", ".join(str(face.number) for face in self.faces) or "there are no faces"
            raise DataError(f"Expected a face's number: {numbers}. Received: {number}")
        return found

    def plot(self, picture: "Source | None" = None) -> "Image":
        """The picture with its faces boxed and labelled, as a PIL image.

        Args:
            picture: The analysed picture, where it is neither in its file nor in memory any more.

        Raises:
            DataError: The picture is needed, or could not be read in the first place.
        """
        from femr.output import show

        return show.plot(self, picture)

    def show(self, picture: "Source | None" = None) -> None:
        """Show what `plot` gives, in the notebook or in a window. Raises: DataError, also where nothing can show it."""
        from femr.output import show

        show.show(self, picture)

    def save(self, path: str | Path, picture: "Source | None" = None) -> Path:
        """Write what `plot` gives, in the format of the path's ending; the path. Raises: DataError."""
        from femr.output import show

        return show.save(self, Path(path), picture)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, None where there is nothing: the same as in the JSON document of `femr analyze --json`."""
        from femr.output import show

        return show.to_dict(self)

    def to_json(self) -> str:
        """What `to_dict` gives, as JSON."""
        from femr.output import show

        return show.to_json(self)

    def to_df(self) -> "DataFrame":
        """A pandas data frame, a row a face, with the columns of femr's tables. Raises: DataError without pandas."""
        from femr.output import show

        return show.to_df(self)
