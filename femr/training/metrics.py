"""How good predicted probabilities are against labels and votes, and what makes them honest: pure functions of arrays.

Everywhere `probabilities` is float (n, 7), rows sum to 1, `labels` int (n,), both in the order of EMOTIONS, and `votes`
int (n, 10) in FER+'s order; n is at least 1.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from femr.expression.calibration import Calibration, Probabilities, apply_temperature
from femr.expression.facts import ClassScores, Interval, PeopleMeasures
from femr.results import EMOTIONS
from femr.training.data import Mask, Votes, majority, seven_votes, vote_shares

Labels: TypeAlias = npt.NDArray[np.integer]
Matrix: TypeAlias = npt.NDArray[np.int64]
Hits: TypeAlias = Mask | Probabilities
"""Whether each answer is right, or which share of people agree with it: (n,)."""

NATURAL_MIX = (252, 208, 21, 5696, 268, 368, 6868)
"""How often each expression was seen in 13,681 photos of news and films, in the order of EMOTIONS.

The labels of the public collection muxspace/facial_expressions on GitHub (Apache-2.0).
"""

_BINS = 15  # of equal width, for the calibration error, as in Guo et al., 2017
_RESAMPLES = 2000
_TINY = 1e-7
_TEMPERATURES = (0.2, 5.0)
_GOLDEN, _SEARCH_STEPS = (5**0.5 - 1) / 2, 60
_THRESHOLDS = np.arange(0.15, 0.96, 0.01)
_PLATEAU = 0.002  # of the faces: gains that count as equal


def accuracy(probabilities: Probabilities, labels: Labels) -> float:
    """Share of faces whose most probable expression is their label, 0 to 1."""
    return float(hits(probabilities, labels).mean())


def hits(probabilities: Probabilities, labels: Labels) -> Mask:
    """Whether each face was read right: bool (n,)."""
    return np.asarray(probabilities.argmax(axis=1) == labels)


def interval(right: Mask) -> Interval | None:
    """Share of True with its 95 % percentile bootstrap interval over 2,000 resamples (Efron, 1979); None for none."""
    if not len(right):
        return None
    # n draws with replacement hold a binomial number of hits: the same resampling, without the indices
    shares = np.random.default_rng(0).binomial(len(right), right.mean(), _RESAMPLES) / len(right)
    low, high = np.quantile(shares, (0.025, 0.975))
    return Interval(float(right.mean()), float(low), float(high))


def confusion_matrix(named: Labels, labels: Labels) -> Matrix:
    """Counts int64 (7, 8): row the label, column what was named; the last one, index 7, where no face was found."""
    matrix = np.zeros((len(EMOTIONS), len(EMOTIONS) + 1), np.int64)
    np.add.at(matrix, (labels, named), 1)
    return matrix


def mean_recall(matrix: Matrix, mix: Sequence[float] = (1,) * len(EMOTIONS)) -> float | None:
    """The mean of the expressions' recalls, weighed by a mix, over those that some face is labelled with, if any is."""
    labelled = matrix.sum(axis=1)
    known = labelled > 0
    if not known.any():
        return None
    return float(np.average(np.diagonal(matrix)[known] / labelled[known], weights=np.array(mix)[known]))


def natural_mix(matrix: Matrix) -> float | None:
    """The accuracy to be expected where expressions are as frequent as in NATURAL_MIX: the recalls, weighed so."""
    return mean_recall(matrix, NATURAL_MIX)


def per_class(matrix: Matrix) -> dict[str, ClassScores]:
    """The scores of each expression, from a confusion matrix."""
    right, labelled, named = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)[: len(EMOTIONS)]
    # where there is none of a kind, none of it is right either, and the score is 0
    precision, recall = right / np.maximum(named, 1), right / np.maximum(labelled, 1)
    f1 = 2 * right / np.maximum(labelled + named, 1)
    columns = (column.tolist() for column in (precision, recall, f1, labelled))
    return {str(emotion): ClassScores(*scores) for emotion, *scores in zip(EMOTIONS, *columns, strict=True)}


def macro_f1(matrix: Matrix) -> float:
    """Mean F1 of the seven expressions, each counting the same, 0 to 1."""
    return float(np.mean([scores.f1 for scores in per_class(matrix).values()]))


def negative_log_likelihood(probabilities: Probabilities, labels: Labels) -> float:
    """Mean -ln of the label's probability, in nats; probabilities are clipped at 1e-7."""
    return float(-np.log(np.maximum(_chosen(probabilities, labels), _TINY)).mean())


def cross_entropy(probabilities: Probabilities, shares: Probabilities) -> float:
    """Mean cross-entropy, in nats, with shares float (n, 7) of votes; faces whose shares are all zero add nothing."""
    return float(-(shares * np.log(np.maximum(probabilities, _TINY))).sum(axis=1).mean())


def brier_score(probabilities: Probabilities, labels: Labels) -> float:
    """Mean squared distance to the one-hot label over all seven expressions, 0 to 2 (Brier, 1950)."""
    return float(((probabilities - np.eye(len(EMOTIONS))[labels]) ** 2).sum(axis=1).mean())


def calibration_error(tops: Probabilities, rights: Hits) -> float:
    """Expected calibration error over 15 equal bins, 0 to 1 (Guo et al., 2017); arguments as in `reliability`."""
    return float(sum(abs(right - top) * part for top, right, part in reliability(tops, rights)))


def reliability(tops: Probabilities, rights: Hits) -> list[tuple[float, float, float]]:
    """The reliability diagram: for each bin with faces, mean probability, mean of what is right, share of all faces.

    `tops`: the probability of each answer, (n,).
    """
    bins = np.minimum((tops * _BINS).astype(int), _BINS - 1)
    members = [bins == number for number in range(_BINS) if (bins == number).any()]
    return [(float(tops[m].mean()), float(rights[m].mean()), float(m.mean())) for m in members]


def fit_temperature(probabilities: Probabilities, shares: Probabilities) -> float:
    """The temperature, 0.2 to 5, of the least cross-entropy with the shares, by golden section on its logarithm."""

    def cost(logarithm: float) -> float:
        return cross_entropy(apply_temperature(probabilities, float(np.exp(logarithm))), shares)

    low, high = np.log(_TEMPERATURES)
    for _ in range(_SEARCH_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if cost(left) < cost(right) else (left, high)
    return float(np.exp((low + high) / 2))


def risk_coverage(tops: Probabilities, rights: Mask) -> npt.NDArray[np.float64]:
    """The risk-coverage curve, float64 (n, 3): threshold, share of faces kept, share of those read wrong.

    Row i keeps the i + 1 surest faces (El-Yaniv and Wiener, 2010).
    """
    order = np.argsort(-tops, kind="stable")
    kept = np.arange(1, len(tops) + 1)
    return np.stack([tops[order], kept / len(tops), np.cumsum(~rights[order]) / kept], axis=1)


def abstain_threshold(tops: Probabilities, rights: Hits) -> float:
    """The probability under which an answer counts as unsure: where what is right there falls through one half.

    A face under it would mislead a vote more often than help. Found as the threshold with the most right minus wrong of
    what is kept; rounded to 0.01, and smoothed by taking the middle of the thresholds whose gain is within 2 per
    thousand of the faces of the best.
    """
    gains = np.array([(2.0 * rights[tops >= threshold] - 1).sum() for threshold in _THRESHOLDS]) / len(tops)
    good = _THRESHOLDS[gains >= gains.max() - _PLATEAU]
    return round(float((good[0] + good[-1]) / 2), 2)


def ferplus_majority(votes: Votes) -> tuple[npt.NDArray[np.int64], Mask]:
    """As `majority`, by FER+'s own rule (Barsoum et al., 2016): without single votes, over half of the rest agree."""
    return majority(np.where(votes <= 1, 0, votes))


def tune(people: Probabilities, votes: Votes, balance: float) -> tuple[Calibration, float]:
    """Calibration and threshold of the people head, from what people voted.

    The temperature is that of the least cross-entropy with the vote shares. Under the threshold fewer than half of the
    voters agree with what is named; agreement with the majority would be lax, as docs/decisions/calibration.md tells.
    """
    shares = vote_shares(votes)
    voted = shares.any(axis=1)
    found = Calibration(fit_temperature(people[voted], shares[voted]), balance)
    named = found.apply(people[voted])
    return found, abstain_threshold(*_agreement(named, named, shares[voted]))


def people_reliability(people: Probabilities, votes: Votes, tuned: Calibration) -> list[tuple[float, float, float]]:
    """The reliability diagram of the vote shares: their top against the share of voters who agree with it."""
    shares = vote_shares(votes)
    voted = shares.any(axis=1)
    expected = replace(tuned, balance=0.0).apply(people[voted])
    return reliability(*_agreement(expected, expected, shares[voted]))


def measure_people(people: Probabilities, votes: Votes, tuned: Calibration, threshold: float) -> PeopleMeasures | None:
    """The measures of the people head; None if no face has votes enough."""
    shares = vote_shares(votes)
    voted = shares.any(axis=1)
    if not voted.any():
        return None
    people, votes, shares = people[voted], votes[voted], shares[voted]
    named, expected = tuned.apply(people), replace(tuned, balance=0.0).apply(people)
    answers, (labels, agreed), (by_ferplus, known) = named.argmax(axis=1), majority(votes), ferplus_majority(votes)
    rights, sure = (answers == labels)[agreed], named.max(axis=1) >= threshold
    matrix = confusion_matrix(answers[agreed], labels[agreed])
    cast = seven_votes(votes) / votes.sum(axis=1, keepdims=True)
    return PeopleMeasures(
        images=len(people),
        balance=tuned.balance,
        temperature=tuned.temperature,
        unsure_threshold=threshold,
        accuracy=interval(rights),
        images_majority=int(agreed.sum()),
        accuracy_unbalanced=interval(hits(expected, labels)[agreed]),
        accuracy_ferplus=interval((answers == by_ferplus)[known]),
        images_ferplus=int(known.sum()),
        mean_recall=mean_recall(matrix),
        natural_mix=natural_mix(matrix),
        per_class=per_class(matrix),
        confusion_matrix=matrix[:, :-1].tolist(),
        cross_entropy=cross_entropy(expected, shares),
        cross_entropy_least=cross_entropy(shares, shares),
        ece_before=calibration_error(*_agreement(people, people, shares)),
        ece_after=calibration_error(*_agreement(expected, expected, shares)),
        ece_named=calibration_error(*_agreement(expected, named, shares)),
        agreement=float(_chosen(cast, answers).mean()),
        agreement_best=float(cast.max(axis=1).mean()),
        sure=float(sure.mean()),
        accuracy_sure=interval(rights[sure[agreed]]),
    )


def _agreement(
    expected: Probabilities, answers: Probabilities, shares: Probabilities
) -> tuple[Probabilities, Probabilities]:
    """Which share of voters is said to agree with each answer, the top of `answers`, and which does."""
    chosen = answers.argmax(axis=1)
    return _chosen(expected, chosen), _chosen(shares, chosen)


def _chosen(table: Probabilities, columns: Labels) -> Probabilities:
    return np.asarray(table[np.arange(len(table)), columns])
