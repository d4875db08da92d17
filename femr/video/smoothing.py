"""Each face's probabilities, averaged over the last seconds: one odd frame does not change what a face looks like.

The average is exponential in time, not in frames, so that a slow machine and a fast one show the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from femr.results import UNREADABLE, EmotionScores, FaceEmotion

SECONDS = 2.0
"""Default time constant: after so long a new expression has 63 % of the weight."""

_FORGOTTEN = 5.0  # time constants after which less than 1 % is left of a value


@dataclass(frozen=True, slots=True)
class _Average:
    face: FaceEmotion
    time: float


class Smoother:
    """Averages the three answers of faces that keep their numbers.

    Args:
        threshold: a face whose averaged top probability is lower is unsure.
        seconds: the time constant of the average; 0 changes nothing.
    """

    def __init__(self, threshold: float, seconds: float = SECONDS) -> None:
        self._threshold = threshold
        self._seconds = seconds
        self._averages: dict[int, _Average] = {}

    def update(self, faces: Sequence[FaceEmotion], time: float) -> tuple[FaceEmotion, ...]:
        """The same faces with averaged scores; `unsure` follows from them, or from what makes a face unreadable now.

        Args:
            faces: those of one picture, numbered by femr.video.tracking.
            time: seconds, not before the time of the last call.
        """
        limit = time - _FORGOTTEN * self._seconds
        self._averages = {number: old for number, old in self._averages.items() if old.time >= limit}
        return tuple(self._smooth(face, time) for face in faces)

    def _smooth(self, face: FaceEmotion, time: float) -> FaceEmotion:
        face = self._average(face, time)
        self._averages[face.number] = _Average(face, time)
        unsure = face.scores.top_score < self._threshold or face.unsure_reason in UNREADABLE
        return replace(face, unsure=unsure, unsure_reason=face.unsure_reason if unsure else None)

    def _average(self, new: FaceEmotion, time: float) -> FaceEmotion:
        old = self._averages.get(new.number)
        if old is None or not self._seconds:
            return new
        kept = math.exp((old.time - time) / self._seconds)
        return replace(
            new,
            scores=_mixed(old.face.scores, new.scores, kept),
            vote_shares=_mixed(old.face.vote_shares, new.vote_shares, kept),
            label_scores=_mixed(old.face.label_scores, new.label_scores, kept),
        )


def _mixed(old: EmotionScores, new: EmotionScores, kept: float) -> EmotionScores:
    """The mean, in which the old have the weight `kept`."""
    pairs = zip(old.probabilities, new.probabilities, strict=True)
    # the smaller of the two: rounding must not lead out of 0 to 1
    return EmotionScores(tuple(min(1.0, kept * a + (1 - kept) * b) for a, b in pairs))
