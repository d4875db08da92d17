"""What makes confidence honest: the temperature, the risk-coverage curve and the threshold for "unsure"."""

import numpy as np
import numpy.typing as npt

from femr.expression.calibration import apply_temperature
from femr.training.metrics import Probabilities, Rights, Shares, cross_entropy

_TEMPERATURES = (0.2, 5.0)
_STEPS = 60
_GOLDEN = (5**0.5 - 1) / 2
_PLATEAU = 0.002  # of the faces: gains that count as equal


def fit_temperature(probabilities: Probabilities, shares: Shares) -> float:
    """The temperature with the least cross-entropy, 0.2 to 5, by golden-section search on its logarithm.

    Args: `shares`, float (n, 7), of people's votes, or 1 for the label and 0 elsewhere.
    """

    def cost(logarithm: float) -> float:
        return cross_entropy(apply_temperature(probabilities, float(np.exp(logarithm))), shares)

    low, high = np.log(_TEMPERATURES)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if cost(left) < cost(right) else (left, high)
    return float(np.exp((low + high) / 2))


def risk_coverage(tops: Shares, rights: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The risk-coverage curve, float64 (n, 3): threshold, share of faces kept, share of those read wrong.

    Row i keeps the i + 1 surest faces (El-Yaniv and Wiener, 2010).
    Args: `tops`, each answer's probability, (n,). `rights`, bool (n,), whether it is right.
    """
    order = np.argsort(-tops, kind="stable")
    kept = np.arange(1, len(tops) + 1)
    wrong = np.cumsum(~rights[order])
    return np.stack([tops[order], kept / len(tops), wrong / kept], axis=1)


def unsure_threshold(tops: Shares, rights: Rights) -> float:
    """The probability under which a face counts as unsure: where what is right there falls through one half.

    A face under it would mislead a vote more often than help. Found as the threshold with the most right minus wrong of
    what is kept; rounded to 0.01, and smoothed by taking the middle of the thresholds whose gain is within 2 per
    thousand of the faces of the best.
    Args: `tops`, each answer's probability, (n,). `rights`, whether it is right, or which share of people agree.
    """
    thresholds = np.arange(0.15, 0.96, 0.01)
    gains = np.array([(2.0 * rights[tops >= t] - 1).sum() for t in thresholds]) / len(tops)
    good = thresholds[gains >= gains.max() - _PLATEAU]
    return round(float((good[0] + good[-1]) / 2), 2)
