"""How good predicted probabilities are against labels: pure functions of arrays.

Everywhere `probabilities` is float (n, 7), rows sum to 1, and `labels` int (n,), both in the order of EMOTIONS; n is at
least 1.
"""

from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from femr.emotions import EMOTIONS

Probabilities: TypeAlias = npt.NDArray[np.floating]
Labels: TypeAlias = npt.NDArray[np.integer]

CALIBRATION_BINS = 15
"""Bins of equal width for the calibration error, as in Guo et al., 2017."""
_RESAMPLES = 2000
_TINY = 1e-7


@dataclass(frozen=True, slots=True)
class Interval:
    """A share from 0 to 1 with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """The fields under their names."""
        return asdict(self)


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of faces whose most probable expression is their label, 0 to 1."""
    return float(hits(probabilities, labels).mean())


def hits(probabilities: Probabilities, labels: Labels) -> npt.NDArray[np.bool_]:
    """Whether each face was read right: bool (n,)."""
    return np.asarray(probabilities.argmax(axis=1) == labels)


def interval(right: npt.NDArray[np.bool_], seed: int = 0) -> Interval:
    """Share of True with its 95 % percentile bootstrap interval over 2,000 resamples of the faces (Efron, 1979)."""
    # n draws with replacement hold a binomial number of hits: the same resampling, without the indices
    shares = np.random.default_rng(seed).binomial(len(right), right.mean(), _RESAMPLES) / len(right)
    low, high = np.quantile(shares, (0.025, 0.975))
    return Interval(float(right.mean()), float(low), float(high))


def share(right: npt.NDArray[np.bool_]) -> dict[str, float] | None:
    """The same interval for JSON; None for no faces."""
    return interval(right).as_dict() if len(right) else None


def confusion_matrix(probabilities: Probabilities, labels: Labels) -> npt.NDArray[np.int64]:
    """Counts int64 (7, 7): row the label, column the most probable expression."""
    matrix = np.zeros((len(EMOTIONS), len(EMOTIONS)), np.int64)
    np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
    return matrix


def per_class(matrix: npt.NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Expression → precision, recall and F1 (0 to 1, and 0 for none of a kind) and its number of faces."""
    right, labelled, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    return {
        str(emotion): {
            "precision": _ratio(right[i], predicted[i]),
            "recall": _ratio(right[i], labelled[i]),
            "f1": _ratio(2 * right[i], labelled[i] + predicted[i]),
            "images": int(labelled[i]),
        }
        for i, emotion in enumerate(EMOTIONS)
    }


def macro_f1(matrix: npt.NDArray[np.int64]) -> float:
    """Mean F1 of the seven expressions, each counting the same, 0 to 1."""
    return float(np.mean([scores["f1"] for scores in per_class(matrix).values()]))


def negative_log_likelihood(probabilities: Probabilities, labels: Labels) -> float:
    """Mean -ln of the label's probability, in nats; probabilities are clipped at 1e-7."""
    return float(-np.log(np.maximum(_of_labels(probabilities, labels), _TINY)).mean())


def cross_entropy(probabilities: Probabilities, shares: Probabilities) -> float:
    """Mean cross-entropy, in nats, with shares float (n, 7) of votes; faces whose shares are all zero add nothing."""
    return float(-(shares * np.log(np.maximum(probabilities, _TINY))).sum(axis=1).mean())


def brier_score(probabilities: Probabilities, labels: Labels) -> float:
    """Mean squared distance to the one-hot label over all seven expressions, 0 to 2 (Brier, 1950)."""
    wanted = np.eye(len(EMOTIONS))[labels]
    return float(((probabilities - wanted) ** 2).sum(axis=1).mean())


def calibration_error(probabilities: Probabilities, labels: Labels) -> float:
    """Expected calibration error of the top probability over 15 equal bins, 0 to 1 (Guo et al., 2017)."""
    return float(sum(abs(right - top) * share for top, right, share in reliability(probabilities, labels)))


def reliability(probabilities: Probabilities, labels: Labels) -> list[tuple[float, float, float]]:
    """The reliability diagram: for each bin with faces, mean top probability, share read right, share of all faces."""
    top, right = probabilities.max(axis=1), hits(probabilities, labels)
    bins = np.minimum((top * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    members = [bins == number for number in range(CALIBRATION_BINS) if (bins == number).any()]
    return [(float(top[m].mean()), float(right[m].mean()), float(m.mean())) for m in members]


def _of_labels(probabilities: Probabilities, labels: Labels) -> Probabilities:
    return probabilities[np.arange(len(labels)), labels]


def _ratio(part: np.int64, whole: np.int64) -> float:
    return float(part / whole) if whole else 0.0
