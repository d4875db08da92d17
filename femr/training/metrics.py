"""How good predicted probabilities are against labels: pure functions of arrays.

Everywhere `probabilities` is float (n, 7), rows sum to 1, and `labels` int (n,), both in the order of EMOTIONS; n is at
least 1.
"""

from dataclasses import asdict, dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from femr.results import EMOTIONS

Probabilities: TypeAlias = npt.NDArray[np.floating]
Labels: TypeAlias = npt.NDArray[np.integer]

Shares: TypeAlias = npt.NDArray[np.floating]
Rights: TypeAlias = npt.NDArray[np.bool_] | Shares

CALIBRATION_BINS = 15
"""Bins of equal width for the calibration error, as in Guo et al., 2017."""
NATURAL_MIX = (252, 208, 21, 5696, 268, 368, 6868)
"""How often each expression was seen in 13,681 photos of news and films, in the order of EMOTIONS.

The labels of the public collection muxspace/facial_expressions on GitHub (Apache-2.0).
"""
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
    return named_matrix(probabilities.argmax(axis=1), labels)[:, :-1]


def named_matrix(named: Labels, labels: Labels) -> npt.NDArray[np.int64]:
    """Counts int64 (7, 8): row the label, column what was named, the last one that nothing was.

    Args: `named`, int (n,), indices into EMOTIONS, or their number where no face was found.
    """
    matrix = np.zeros((len(EMOTIONS), len(EMOTIONS) + 1), np.int64)
    np.add.at(matrix, (labels, named), 1)
    return matrix


def mean_recall(matrix: npt.NDArray[np.int64]) -> float | None:
    """The mean of the expressions' recalls, 0 to 1, over those that some face is labelled with; None without any."""
    return _mean_of_recalls(matrix, np.ones(len(EMOTIONS)))


def natural_mix(matrix: npt.NDArray[np.int64]) -> float | None:
    """The accuracy to be expected where expressions are as frequent as in NATURAL_MIX: the recalls, weighed so."""
    return _mean_of_recalls(matrix, np.array(NATURAL_MIX, float))


def per_class(matrix: npt.NDArray[np.int64]) -> dict[str, dict[str, float]]:
    """Expression → precision, recall and F1 (0 to 1, and 0 for none of a kind) and its number of faces."""
    right, labelled, predicted = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
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


def calibration_error(tops: Shares, rights: Rights) -> float:
    """Expected calibration error over 15 equal bins, 0 to 1 (Guo et al., 2017); arguments as in `reliability`."""
    return float(sum(abs(right - top) * part for top, right, part in reliability(tops, rights)))


def reliability(tops: Shares, rights: Rights) -> list[tuple[float, float, float]]:
    """The reliability diagram: for each bin with faces, mean probability, mean of what is right, share of all faces.

    Args: `tops`, the probability of each answer, (n,). `rights`, whether it is right, or which share of people agree.
    """
    bins = np.minimum((tops * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    members = [bins == number for number in range(CALIBRATION_BINS) if (bins == number).any()]
    return [(float(tops[m].mean()), float(rights[m].mean()), float(m.mean())) for m in members]


def _of_labels(probabilities: Probabilities, labels: Labels) -> Probabilities:
    return probabilities[np.arange(len(labels)), labels]


def _ratio(part: np.int64, whole: np.int64) -> float:
    return float(part / whole) if whole else 0.0


def _mean_of_recalls(matrix: npt.NDArray[np.int64], mix: npt.NDArray[np.floating]) -> float | None:
    labelled = matrix.sum(axis=1)
    known = labelled > 0
    if not known.any():
        return None
    return float(np.average(np.diagonal(matrix)[known] / labelled[known], weights=mix[known]))
