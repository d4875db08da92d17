"""What faces look like over time: their answers averaged, and whether they are covered most of the time.

The averages are exponential and by time stamps: for any rate, in even or uneven steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from femr.results import UNREADABLE, EmotionScores, FaceEmotion, Reading

SECONDS = 2.0
"""Default time constant: after so long a new expression has 63 % of the weight."""

_FORGOTTEN = 5.0  # time constants after which less than 1 % is left of a value


@dataclass(frozen=True, slots=True)
class _Average:
    """A face's averaged answers, and in what share of the time it was covered, up to `time`."""

    reading: Reading
    covered: float
    time: float


class Smoother:
    """Averages the three answers of faces that keep their numbers, and whether they are covered.

    Args:
        threshold: a face whose averaged top probability is lower is unsure.
        seconds: the time constant of the average; 0 changes nothing.
    """

    def __init__(self, threshold: float, seconds: float = SECONDS) -> None:
        self._threshold = threshold
        self._seconds = seconds
        self._averages: dict[int, _Average] = {}

    def update(self, faces: Sequence[FaceEmotion], time: float) -> tuple[FaceEmotion, ...]:
        """The same faces with averaged scores; `unsure` follows from them, or from what makes a face unreadable.

        A face is covered when it was so most of the time, weighted as its scores are: a hand that passes is no mask.

        Args:
            faces: those of one picture, numbered by femr.video.tracking.
            time: seconds, not before the time of the last call.
        """
        limit = time - _FORGOTTEN * self._seconds
        self._averages = {number: old for number, old in self._averages.items() if old.time >= limit}
        return tuple(self._smooth(face, time) for face in faces)

    def _smooth(self, face: FaceEmotion, time: float) -> FaceEmotion:
        now = self._averages[face.number] = self._average(face, time)
        reason = face.unsure_reason
        if reason != "may be no face":
            reason = "covered" if now.covered >= 0.5 else None if reason == "covered" else reason
        unsure = now.reading.scores.top_score < self._threshold or reason in UNREADABLE
        return replace(face, reading=now.reading, unsure=unsure, unsure_reason=reason if unsure else None)

    def _average(self, face: FaceEmotion, time: float) -> _Average:
        covered = float(face.unsure_reason == "covered")
        old = self._averages.get(face.number)
        if old is None or not self._seconds:
            return _Average(face.reading, covered, time)
        kept = math.exp((old.time - time) / self._seconds)
        answers = zip(_answers(old.reading), _answers(face.reading), strict=True)
        reading = Reading(*(_mixed(before, now, kept) for before, now in answers))
        return _Average(reading, kept * old.covered + (1 - kept) * covered, time)


def _answers(reading: Reading) -> tuple[EmotionScores, ...]:
    return reading.scores, reading.vote_shares, reading.label_scores


def _mixed(old: EmotionScores, new: EmotionScores, kept: float) -> EmotionScores:
    """The mean, in which the old have the weight `kept`."""
    pairs = zip(old.probabilities, new.probabilities, strict=True)
    # the smaller of the two: rounding must not lead out of 0 to 1
    return EmotionScores(tuple(min(1.0, kept * a + (1 - kept) * b) for a, b in pairs))
