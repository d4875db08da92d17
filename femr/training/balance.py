"""How readily a model is to name rare expressions: what each balance gives, and the rule that chooses one."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from femr.expression.calibration import Calibration
from femr.results import EMOTIONS
from femr.training import metrics
from femr.training.metrics import Labels, Probabilities

Row: TypeAlias = dict[str, float | None]

BALANCES = tuple(step / 10 for step in range(11))
"""Those that are tried."""


def curve(shares: Probabilities, labels: Labels) -> list[Row]:
    """What each of BALANCES gives: rows of balance, accuracy, mean_recall and natural_mix, ready for JSON.

    Args: `shares`, calibrated and not balanced, float (n, 7); zeros where no face was found.
    """
    return [_row(balance, named(shares, balance), labels) for balance in BALANCES]


def named(shares: Probabilities, balance: float) -> Labels:
    """The expression that is named, index into EMOTIONS, int (n,); their number where no face was found."""
    found = shares.any(axis=1)
    return np.where(found, Calibration(balance=balance).apply(shares).argmax(axis=1), len(EMOTIONS))


def choose(curves: Sequence[Sequence[Row]]) -> float:
    """The balance with the highest mean of accuracy, mean recall and natural mix over all curves, the least of equals.

    Accuracy and mean recall alone would give up four points in the natural mix, of what a user mostly sees, for a few
    faces of the rarest expressions: of disgust and fear the majorities and the news photos hold some dozen.
    """
    totals = [sum(_goodness(row) for row in rows) for rows in zip(*curves, strict=True)]
    return BALANCES[int(np.argmax(totals))]


def _row(balance: float, answers: Labels, labels: Labels) -> Row:
    matrix = metrics.named_matrix(answers, labels)
    return {
        "balance": balance,
        "accuracy": float((answers == labels).mean()) if len(labels) else None,
        "mean_recall": metrics.mean_recall(matrix),
        "natural_mix": metrics.natural_mix(matrix),
    }


def _goodness(row: Row) -> float:
    return sum(row[key] or 0.0 for key in ("accuracy", "mean_recall", "natural_mix"))
