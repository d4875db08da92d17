"""The people head against FER+: how near its answers are to what ten people said of each face.

Three questions, and they differ. Is the expression that is named the one on which people agree? Do as many people see
it as the vote shares say ("of ten people about 8 would say happy")? And how many agree with the answer, beside how many
could agree with any?
"""

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from femr.expression.calibration import Calibration
from femr.training import calibration, metrics, votes
from femr.training.metrics import Probabilities
from femr.training.votes import Votes

Report: TypeAlias = dict[str, Any]


def ferplus_majority(cast: Votes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The majority by FER+'s own rule: single votes count nothing, then over half of the rest agree.

    The crowd's expression, index into EMOTIONS int64 (n,), and whether there is such a majority (Barsoum et al., 2016).
    """
    return votes.majority(np.where(cast <= 1, 0, cast))


def tune(people: Probabilities, cast: Votes, wanted: float) -> tuple[Calibration, float]:
    """Calibration and threshold for "unsure", from what people voted.

    The temperature is that of the least cross-entropy with the vote shares. Under the threshold fewer than half of the
    voters agree with what is named. To ask for agreement with the majority instead would be lax: where there is one, an
    answer is right nine times of ten, so all but 2 % of the faces would count as sure; and with faces on which no
    majority agrees counted as wrong, 24 % would be unsure.
    Args: `people`, a network's probabilities (n, 7). `cast`, FER+'s votes (n, 10). `wanted`, the balance.
    """
    shares = votes.shares(cast)
    voted = shares.any(axis=1)
    found = Calibration(calibration.fit_temperature(people[voted], shares[voted]), wanted)
    named = found.apply(people[voted])
    return found, calibration.unsure_threshold(*_agreement(named, named, shares[voted]))


def sureness(named: Probabilities, cast: Votes) -> tuple[metrics.Shares, npt.NDArray[np.bool_]]:
    """How sure each answer is, and whether the majority says the same, for the faces that have one.

    Args: `named`, calibrated and balanced probabilities (n, 7).
    """
    labels, agreed = votes.majority(cast)
    return named[agreed].max(axis=1), metrics.hits(named, labels)[agreed]


def reliability(people: Probabilities, cast: Votes, calibrated: Calibration) -> list[tuple[float, float, float]]:
    """The reliability diagram of the vote shares: their top against the share of voters who agree with it."""
    shares = votes.shares(cast)
    voted = shares.any(axis=1)
    expected = replace(calibrated, balance=0.0).apply(people[voted])
    return metrics.reliability(*_agreement(expected, expected, shares[voted]))


def measure(people: Probabilities, cast: Votes, calibrated: Calibration, threshold: float) -> Report | None:
    """The measures of the people head on faces with votes, ready for JSON; None if no face has votes enough.

    Keys: images (faces with three votes or more for the seven); balance, temperature, unsure_threshold.
    Of what is named, calibrated and balanced: accuracy, over the images_majority faces on which over half of all ten
    votes agree; accuracy_ferplus, over images_ferplus, see `ferplus_majority`; mean_recall, natural_mix, per_class and
    confusion_matrix on those majorities; accuracy_unbalanced, the first with balance 0; agreement, the mean share of
    all ten votes that agree with the answer, and agreement_best, with the best possible one; sure, the share of all
    these faces that is not unsure, and accuracy_sure, over the majorities among them.
    Of the vote shares, calibrated and not balanced: cross_entropy with the shares of the votes for the seven, in nats,
    and cross_entropy_least, of those shares themselves; ece_before and ece_after calibration: the gap between their top
    and the share of voters who agree with it; ece_named, the same for the expression that is named.
    """
    shares = votes.shares(cast)
    voted = shares.any(axis=1)
    if not voted.any():
        return None
    people, cast, shares = people[voted], cast[voted], shares[voted]
    plain = replace(calibrated, balance=0.0)
    named, expected = calibrated.apply(people), plain.apply(people)
    labels, agreed = votes.majority(cast)
    rights = metrics.hits(named, labels)[agreed]
    sure = named.max(axis=1) >= threshold
    matrix = metrics.confusion_matrix(named[agreed], labels[agreed])
    return {
        "images": len(people),
        "balance": calibrated.balance,
        "temperature": calibrated.temperature,
        "unsure_threshold": threshold,
        "accuracy": metrics.share(rights),
        "images_majority": int(agreed.sum()),
        "accuracy_unbalanced": metrics.share(metrics.hits(expected, labels)[agreed]),
        **_by_ferplus(named, cast),
        "mean_recall": metrics.mean_recall(matrix),
        "natural_mix": metrics.natural_mix(matrix),
        "per_class": metrics.per_class(matrix),
        "confusion_matrix": matrix.tolist(),
        "cross_entropy": metrics.cross_entropy(expected, shares),
        "cross_entropy_least": metrics.cross_entropy(shares, shares),
        "ece_before": metrics.calibration_error(*_agreement(people, people, shares)),
        "ece_after": metrics.calibration_error(*_agreement(expected, expected, shares)),
        "ece_named": metrics.calibration_error(*_agreement(expected, named, shares)),
        **_votes_won(named, cast),
        "sure": float(sure.mean()),
        "accuracy_sure": metrics.share(rights[sure[agreed]]),
    }


def _by_ferplus(named: Probabilities, cast: Votes) -> Report:
    labels, agreed = ferplus_majority(cast)
    right = metrics.hits(named, labels)[agreed]
    return {"accuracy_ferplus": metrics.share(right), "images_ferplus": len(right)}


def _votes_won(named: Probabilities, cast: Votes) -> Report:
    """Shares of all votes, those for none of the seven too."""
    parts = votes.of_the_seven(cast) / cast.sum(axis=1, keepdims=True)
    return {
        "agreement": float(_of(parts, named.argmax(axis=1)).mean()),
        "agreement_best": float(parts.max(axis=1).mean()),
    }


def _agreement(
    expected: Probabilities, answers: Probabilities, shares: metrics.Shares
) -> tuple[metrics.Shares, metrics.Shares]:
    """Which share of voters is said to agree with each answer, the top of `answers`, and which does."""
    chosen = answers.argmax(axis=1)
    return _of(expected, chosen), _of(shares, chosen)


def _of(table: Probabilities, columns: npt.NDArray[np.integer]) -> Probabilities:
    return np.asarray(table[np.arange(len(table)), columns])
