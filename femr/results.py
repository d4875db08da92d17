"""What each stage hands to the next: frozen dataclasses that check themselves.

Coordinates are pixels of the ORIGINAL picture, x to the right, y down; a box is (x1, y1, x2, y2), x2 and y2 exclusive.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self, TypeAlias, get_args

Box: TypeAlias = tuple[float, float, float, float]
Point: TypeAlias = tuple[float, float]

UnsureReason: TypeAlias = Literal["may be no face", "covered", "too small", "cut off", "turned away", "dark", "blurred"]
UNSURE_REASONS: tuple[UnsureReason, ...] = get_args(UnsureReason)
"""Why a face may be hard to read, the first that applies."""
UNREADABLE = UNSURE_REASONS[:2]
"""What makes a face unsure whatever its scores: there they mean nothing."""

_SUM_TOLERANCE = 1e-3


class Emotion(StrEnum):
    """An expression that a face can show. Its value is the word used in folders, JSON and tables.

    adjective: the word for a sentence: "2 faces look disgusted". emoji: one character that shows the expression.
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
class EmotionScores:
    """Seven calibrated probabilities of one face, in the order of EMOTIONS; they sum to 1."""

    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.probabilities) != len(EMOTIONS):
            raise ValueError(f"Expected {len(EMOTIONS)} probabilities. Received: {len(self.probabilities)}")
        if not all(0 <= p <= 1 for p in self.probabilities) or abs(sum(self.probabilities) - 1) > _SUM_TOLERANCE:
            raise ValueError(f"Expected probabilities that sum to 1. Received: {self.probabilities}")

    def __getitem__(self, emotion: Emotion | str) -> float:
        """The probability of one expression: scores["happy"]. ValueError if there is no such expression."""
        return self.probabilities[EMOTIONS.index(Emotion(emotion))]

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
    """A face with what was read from it, and its number as drawn on the picture (1, 2, ... from left to right).

    unsure: the scores' top is below the threshold under which it is wrong too often to vote.
    unsure_reason: what may have made it so, one of UNSURE_REASONS; None where it is sure or no reason was seen.
    told: somebody who sees the face has said what it shows.
    In a video or a stream the number stays with a face while it is in view.
    """

    number: int
    face: Face
    reading: Reading
    unsure: bool = False
    unsure_reason: UnsureReason | None = None
    told: bool = False

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
    """The group's mood: what won the vote (None: no mood), the sentence that says why, the votes cast."""

    emotion: Emotion | None
    reason: str
    counts: Mapping[Emotion, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Song:
    """A piece of music for a mood. Unknown facts are None.

    tempo: beats a minute. duration: seconds. valence, arousal: -1 to 1. lifts_from: the moods that it helps to leave.
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


@dataclass(frozen=True, slots=True)
class Analysis:
    """All that femr found in one picture or one frame of a video; or the reason why it could not be read.

    width, height: the original picture's, upright, in pixels.
    file: where it came from. time: seconds since the video's or stream's start. frame: the frame's number, from 0.
    error: why there is no answer; then everything else is empty.
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

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for face in self.faces for value in face.box):
            raise ValueError("Expected finite boxes.")

    @classmethod
    def failed(cls, file: str, model: str, error: str) -> "Analysis":
        """The analysis of a file that could not be read, with the sentence that says why."""
        return cls(0, 0, (), Mood(None, error), None, model, file=file, error=error)
