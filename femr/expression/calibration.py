"""From a network's probabilities to those that are shown: temperature scaling, and the balance of rare expressions.

Pure functions of arrays, shared by inference and evaluation; nothing here loads TensorFlow.
"""

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from femr.errors import ModelError

Probabilities: TypeAlias = npt.NDArray[np.floating]

TRAINING_COUNTS = (3995, 436, 4097, 7215, 4830, 3171, 4965)
"""Faces of each expression in FER2013's Training, in the order of EMOTIONS (Kaggle, 2013): 28,709 in all."""

VOTE_SHARES = (0.08598, 0.01729, 0.03607, 0.26322, 0.14772, 0.12180, 0.32792)
"""Each expression's share of the FER+ votes for FER2013's Training, in the order of EMOTIONS.

The mean over its 28,517 faces with at least three votes for the seven of each face's vote shares (Barsoum et al.,
2016).
"""

_TINY = 1e-7


@dataclass(frozen=True, slots=True)
class Calibration:
    """What makes a network's probabilities honest, then fair to rare expressions.

    temperature: divides their logarithms, over 0; more than 1 softens them (Guo et al., 2017).
    balance: 0 (off) to 1, how much of the logarithm of VOTE_SHARES is taken off: at 1 an answer is what it would be if
    all seven expressions were equally frequent (logit adjustment, Menon et al., 2021).

    Raises:
        ModelError: A value is out of range.
    """

    temperature: float = 1.0
    balance: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise ModelError(f"Expected a temperature over 0, such as 1. Received: {self.temperature}")
        if not 0 <= self.balance <= 1:
            raise ModelError(f"Expected a balance from 0 (off) to 1. Received: {self.balance}")

    def apply(self, probabilities: Probabilities) -> npt.NDArray[np.float64]:
        """Calibrated, balanced probabilities, float64 (n, 7), of a network's, (n, 7); rows sum to 1."""
        logits = np.log(np.maximum(probabilities.astype(np.float64), _TINY)) / self.temperature
        return _softmax(logits - self.balance * np.log(VOTE_SHARES))


def apply_temperature(probabilities: Probabilities, temperature: float) -> npt.NDArray[np.float64]:
    """Probabilities float64 (n, 7), softened (temperature over 1) or sharpened (under 1); see `Calibration`."""
    return Calibration(temperature).apply(probabilities)


def _softmax(logits: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Probabilities (n, 7) of a network's logits (n, 7), in their dtype."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
