"""From a network's probabilities to those that are shown: temperature scaling, and the correction for FER2013's prior.

Pure functions of arrays, shared by inference and evaluation; nothing here loads TensorFlow.
"""

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from femr.errors import ModelError

Probabilities: TypeAlias = npt.NDArray[np.floating]

TRAINING_COUNTS = (3995, 436, 4097, 7215, 4830, 3171, 4965)
"""Faces of each expression in FER2013's Training, in the order of EMOTIONS (Kaggle, 2013): 28,709 in all."""

_TINY = 1e-7


def apply_temperature(probabilities: Probabilities, temperature: float) -> npt.NDArray[np.float64]:
    """Probabilities float64 (n, 7), softened (temperature over 1) or sharpened (under 1); rows sum to 1.

    On the logarithms of the averaged probabilities, so that they tell how often they are right (Guo et al., 2017).
    """
    return _softmax(_logarithms(probabilities) / temperature)


def adjust_prior(probabilities: Probabilities, strength: float) -> npt.NDArray[np.float64]:
    """Calibrated probabilities float64 (n, 7) with less of what FER2013 shows often: log p - strength * log prior.

    The prior is the share of each expression in FER2013's Training: 25 % are happy, 1.5 % disgusted. Strength 0 changes
    nothing, 1 tells what would hold if all seven were equally frequent (logit adjustment, Menon et al., 2021).
    """
    prior = np.array(TRAINING_COUNTS) / sum(TRAINING_COUNTS)
    return _softmax(_logarithms(probabilities) - strength * np.log(prior))


def check_prior_adjustment(strength: float) -> float:
    """The strength itself. Raises: ModelError unless it is a number from 0."""
    if not 0 <= strength < math.inf:
        raise ModelError(f"Expected a prior adjustment from 0 (off) upwards, such as 0.6. Received: {strength}")
    return strength


def _logarithms(probabilities: Probabilities) -> npt.NDArray[np.float64]:
    return np.log(np.maximum(probabilities.astype(np.float64), _TINY))


def _softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
