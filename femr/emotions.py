"""The seven expressions, in FER2013's own order, with the names and colours that people see.

The order is that of the networks' outputs and of FER2013's labels (Goodfellow et al., 2013): 0 is angry, 6 is neutral.
"""

from enum import StrEnum
from types import MappingProxyType


class Emotion(StrEnum):
    """An expression that a face can show. Its value is the word used in folders, JSON and tables."""

    ANGRY = "angry"
    DISGUST = "disgust"
    FEAR = "fear"
    HAPPY = "happy"
    SAD = "sad"
    SURPRISE = "surprise"
    NEUTRAL = "neutral"

    @property
    def adjective(self) -> str:
        """The word for a sentence: "2 faces look disgusted"."""
        return _ADJECTIVES[self]

    @property
    def emoji(self) -> str:
        """One character that shows the expression."""
        return _EMOJI[self]

    @property
    def color(self) -> str:
        """The expression's colour as #RRGGBB, the same in boxes, table, charts and report."""
        return _COLORS[self]


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

_ADJECTIVES = MappingProxyType(
    {
        Emotion.ANGRY: "angry",
        Emotion.DISGUST: "disgusted",
        Emotion.FEAR: "afraid",
        Emotion.HAPPY: "happy",
        Emotion.SAD: "sad",
        Emotion.SURPRISE: "surprised",
        Emotion.NEUTRAL: "neutral",
    }
)
_EMOJI = MappingProxyType(
    {
        Emotion.ANGRY: "😠",
        Emotion.DISGUST: "🤢",
        Emotion.FEAR: "😨",
        Emotion.HAPPY: "😀",
        Emotion.SAD: "😢",
        Emotion.SURPRISE: "😮",
        Emotion.NEUTRAL: "😐",
    }
)
_COLORS = MappingProxyType(
    {
        Emotion.ANGRY: "#C8372D",
        Emotion.DISGUST: "#5E7D1E",
        Emotion.FEAR: "#7048B6",
        Emotion.HAPPY: "#E0A100",
        Emotion.SAD: "#2F6FC4",
        Emotion.SURPRISE: "#D9661F",
        Emotion.NEUTRAL: "#6B7785",
    }
)
