"""Sums over faces: how many look how, in what share, and between which limits that share may lie."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from operator import add

from femr.emotions import EMOTIONS, Emotion
from femr.music import AFFECT

UNSURE = "unsure"
"""What a face counts as that the model is unsure of: it has no expression then."""
KINDS = (*EMOTIONS, UNSURE)
"""What a face can count as: each face counts once."""

_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
_NONE = (0,) * len(EMOTIONS)


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share, `count` of `of`, after Wilson (1927): lower and upper limit, 0 to 1.

    Of nothing nothing is known: (0, 1).
    """
    if not of:
        return 0.0, 1.0
    share, spread = count / of, _Z * _Z / of
    middle, half = share + spread / 2, _Z * sqrt(share * (1 - share) / of + spread / (4 * of))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return (0.0 if count == 0 else low), (1.0 if count == of else high)


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many faces count as one of KINDS."""

    kind: str
    count: int
    of: int

    @property
    def value(self) -> float:
        """The share, 0 to 1."""
        return self.count / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share. It takes faces as independent, which those of one film are not."""
        return wilson(self.count, self.of)


@dataclass(frozen=True, slots=True)
class Tally:
    """What the faces of some pictures (photos or frames of a video) add up to.

    sure: faces that the model is sure of, by expression, in the order of EMOTIONS. unsure: the others.
    weights: the sum of all faces' probabilities, in the order of EMOTIONS. most: faces in the fullest picture.
    """

    pictures: int = 0
    sure: tuple[int, ...] = _NONE
    unsure: int = 0
    weights: tuple[float, ...] = _NONE
    most: int = 0

    @classmethod
    def of(cls, tallies: "Iterable[Tally]") -> "Tally":
        """The sum of several."""
        return sum(tallies, start=cls())

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.pictures + other.pictures,
            tuple(map(add, self.sure, other.sure)),
            self.unsure + other.unsure,
            tuple(map(add, self.weights, other.weights)),
            max(self.most, other.most),
        )

    @property
    def faces(self) -> int:
        """All faces, the unsure ones too."""
        return sum(self.sure) + self.unsure

    @property
    def shares(self) -> tuple[Share, ...]:
        """The share of each of KINDS among all faces; together they are 1."""
        counts = zip(KINDS, (*self.sure, self.unsure), strict=True)
        return tuple(Share(kind, count, self.faces) for kind, count in counts)

    @property
    def faces_a_picture(self) -> float:
        """The mean number of faces in a picture."""
        return self.faces / self.pictures if self.pictures else 0.0

    @property
    def valence(self) -> float:
        """How pleasant the faces look on average, -1 to 1: music.AFFECT's valence of the seven expressions, weighted by
        the probabilities of all faces; 0 without a face.
        """
        total = sum(self.weights)
        named = zip(EMOTIONS, self.weights, strict=True)
        return sum(AFFECT[emotion][0] * weight for emotion, weight in named) / total if total else 0.0

    @property
    def mood(self) -> Emotion | None:
        """The expression most faces count as; a tie goes to the larger sum of probabilities, as in femr.mood.

        Where the model is unsure of all, that sum alone decides. None without a face.
        """
        if not self.faces:
            return None
        votes = dict(zip(EMOTIONS, zip(self.sure, self.weights, strict=True), strict=True))
        return max(EMOTIONS, key=lambda emotion: votes[emotion])
