"""FER+: which expressions ten people saw in each face of FER2013 (Barsoum et al., 2016, MIT licence)."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Votes: TypeAlias = npt.NDArray[np.int64]

LEAST_VOTES = 3
"""Votes for the seven expressions under which a face tells nothing of what people see."""

_COLUMNS = np.array([4, 5, 6, 1, 3, 2, 0])  # of each of EMOTIONS in FER+'s order


def of_the_seven(votes: Votes) -> Votes:
    """The votes for the seven expressions, in the order of EMOTIONS: int64 (n, 7).

    Args: `votes`, int64 (n, 10) in FER+'s order: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt,
        unknown, not a face.
    """
    return votes[:, _COLUMNS]


def shares(votes: Votes) -> npt.NDArray[np.float32]:
    """The share of each expression among the seven, float32 (n, 7); zeros for faces with fewer than LEAST_VOTES."""
    seven = of_the_seven(votes)
    counts = seven.sum(axis=1, keepdims=True)
    return np.where(counts >= LEAST_VOTES, seven / np.maximum(counts, 1), 0).astype(np.float32)


def majority(votes: Votes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The crowd's expression, index into EMOTIONS int64 (n,), and whether over half of all ten votes agree on it."""
    seven = of_the_seven(votes)
    return seven.argmax(axis=1), 2 * seven.max(axis=1) > votes.sum(axis=1)
