"""Honest numbers for a model: `evaluate()` is what the command line and the notebooks call.

A model has two answers and each is measured against its own truth: the label head against FER2013's labels, the figure
that others report, and the people head, which is what femr shows, against the ten votes a face of FER+.

Every accuracy has a 95 % bootstrap interval, and that of the labels is also given without the faces whose pixels occur
in the training data: 288 of PrivateTest's 3,589 do. Temperatures and thresholds come from PublicTest alone, whatever
split is reported. A model that learned from PublicTest is tuned, and on PublicTest measured, by what its weights said
before they did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from femr.expression.calibration import Calibration, apply_temperature
from femr.results import EMOTIONS
from femr.training import calibration, data, metrics, people, plots, votes
from femr.training.answers import Looks
from femr.training.checkpoint import make_folder
from femr.training.data import FaceData
from femr.training.models import Model, find_model

Report: TypeAlias = dict[str, Any]

BEFORE_THE_FINISH = "before the finish"
"""A report's measured_with: the weights that were asked had not learned from PublicTest yet."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What PublicTest decides: temperature and threshold of the label head, and those of the people head."""

    label_temperature: float
    label_threshold: float
    calibration: Calibration
    unsure_threshold: float


def evaluate(
    model: str,
    source: str | Path,
    split: str = data.PRIVATE_TEST,
    pictures: Path | None = None,
    balance: float | None = None,
) -> Report:
    """All measures of a model on one split, ready for JSON.

    Keys: model, split, images, weights_sha256 (file → SHA-256). Of the label head against the labels: accuracy,
    accuracy_mirrored, accuracy_deduplicated, accuracy_mirrored_deduplicated and ferplus_accuracy, against FER+'s
    majorities (each {value, low, high}; None where there is no face or no vote to measure by); macro_f1, per_class
    (expression → precision, recall, f1, images), confusion_matrix (rows: labels), all three of the mirrored average, as
    are nll (nats) and brier after temperature scaling, ece_before and ece_after it; temperature, unsure_threshold.
    people: the people head's measures, of the mirrored average, see `people.measure`; None without votes.
    Only where it applies: measured_with, which weights were asked about a PublicTest that the model learned from.

    Args:
        model: a model's name, "ensemble", or the path of anybody's .keras file with seven scores in FER2013's order,
            once or twice.
        source: FER2013 in any shape that `data.load` reads.
        pictures: a folder for confusion matrices, reliability diagram and risk-coverage curve as PNG, or None.
        balance: of the people head's answers, see `calibration.Calibration`; None is the model's own.
    Raises: DataError, ModelError.
    """
    Calibration(balance=balance or 0.0)  # a wrong one is said before the data are read
    return evaluate_loaded(model, data.load(source), split, pictures, balance)


def evaluate_loaded(
    model: str,
    splits: Mapping[str, FaceData],
    split: str = data.PRIVATE_TEST,
    pictures: Path | None = None,
    balance: float | None = None,
) -> Report:
    """The same as `evaluate`, for data that are loaded already."""
    faces = data.split_named(splits, split)
    found = find_model(model, splits.get(data.PUBLIC_TEST, faces))
    return evaluate_model(found, splits, split, pictures, tune(found, splits, balance))


def evaluate_model(
    found: Model, splits: Mapping[str, FaceData], split: str, pictures: Path | None, tuning: Tuning
) -> Report:
    """The same for a model that is loaded, too, and tuned."""
    faces = data.split_named(splits, split)
    asked = found.before if found.before and split == data.PUBLIC_TEST else found
    looks = asked.look(faces)
    new = data.unseen(faces, [splits[name] for name in asked.trained_on if name in splits and name != split])
    report: Report = {"model": found.facts.name, "split": split}
    report |= measure(looks, faces, new, tuning) | {"weights_sha256": dict(asked.sha256)}
    if split == data.PUBLIC_TEST and split in found.trained_on:
        report["measured_with"] = BEFORE_THE_FINISH if found.before else "weights that learned from these faces"
    if pictures is not None:
        _draw(report, looks, faces, tuning, make_folder(pictures))
    return report


def tune(found: Model, splits: Mapping[str, FaceData], balance: float | None = None) -> Tuning:
    """Temperatures and thresholds from PublicTest; the model's own where that is missing or was learned from.

    Args: `balance`, None for the model's own. Raises: ModelError if it cannot be.
    """
    facts, judge, public = found.facts, found.before or found, splits.get(data.PUBLIC_TEST)
    wanted = facts.calibration if balance is None else replace(facts.calibration, balance=balance)
    own = Tuning(facts.label_temperature, facts.unsure_threshold, wanted, facts.unsure_threshold)
    if public is None or data.PUBLIC_TEST in judge.trained_on:
        return own
    labels, said = judge.look(public).mean
    temperature = calibration.fit_temperature(labels, np.eye(len(EMOTIONS))[public.labels])
    calibrated = apply_temperature(labels, temperature)
    threshold = calibration.unsure_threshold(calibrated.max(axis=1), metrics.hits(calibrated, public.labels))
    fitted = replace(own, label_temperature=temperature, label_threshold=threshold)
    if public.votes is None or not votes.majority(public.votes)[1].any():
        return fitted
    return Tuning(temperature, threshold, *people.tune(said, public.votes, wanted.balance))


def measure(looks: Looks, faces: FaceData, new: npt.NDArray[np.bool_], tuning: Tuning) -> Report:
    """The measures of one split from both heads' answers. `new`, bool (n,): pixels not in the training data."""
    labels, (mirrored, said) = faces.labels, looks.mean
    calibrated = apply_temperature(mirrored, tuning.label_temperature)
    right, right_mirrored = metrics.hits(looks.plain.labels, labels), metrics.hits(mirrored, labels)
    matrix = metrics.confusion_matrix(calibrated, labels)
    return {
        "images": len(faces),
        "accuracy": metrics.share(right),
        "accuracy_mirrored": metrics.share(right_mirrored),
        "accuracy_deduplicated": metrics.share(right[new]),
        "accuracy_mirrored_deduplicated": metrics.share(right_mirrored[new]),
        "macro_f1": metrics.macro_f1(matrix),
        "per_class": metrics.per_class(matrix),
        "confusion_matrix": matrix.tolist(),
        "nll": metrics.negative_log_likelihood(calibrated, labels),
        "brier": metrics.brier_score(calibrated, labels),
        "ece_before": metrics.calibration_error(mirrored.max(axis=1), right_mirrored),
        "ece_after": metrics.calibration_error(calibrated.max(axis=1), right_mirrored),
        "temperature": tuning.label_temperature,
        "unsure_threshold": tuning.label_threshold,
        "ferplus_accuracy": _ferplus(mirrored, faces),
        "people": _people(said, faces, tuning),
    }


def _ferplus(probabilities: metrics.Probabilities, faces: FaceData) -> dict[str, float] | None:
    """The label head's accuracy against the crowd's majority, over the faces that have one."""
    if faces.votes is None:
        return None
    labels, agreed = votes.majority(faces.votes)
    return metrics.share(metrics.hits(probabilities, labels)[agreed])


def _people(said: metrics.Probabilities, faces: FaceData, tuning: Tuning) -> Report | None:
    if faces.votes is None:
        return None
    return people.measure(said, faces.votes, tuning.calibration, tuning.unsure_threshold)


def _draw(report: Report, looks: Looks, faces: FaceData, tuning: Tuning, folder: Path) -> None:
    """The label head's confusion; that, calibration and risk of the people head where there are votes to draw by."""
    title, (labels, said) = f"{report['model']}, {report['split']}", looks.mean
    matrix, measured = np.array(report["confusion_matrix"]), report["people"]
    plots.draw_confusion_matrix(matrix, folder / "confusion_matrix.png", f"{title}: labels")
    if faces.votes is not None and measured and measured["images_majority"]:
        bins, threshold = people.reliability(said, faces.votes, tuning.calibration), tuning.unsure_threshold
        tops, rights = people.sureness(tuning.calibration.apply(said), faces.votes)
        matrix = np.array(measured["confusion_matrix"])
        plots.draw_confusion_matrix(matrix, folder / "people_confusion_matrix.png", f"{title}: people")
        title, right = f"{title}: people", "share of voters who agree"
    else:
        calibrated, threshold = apply_temperature(labels, tuning.label_temperature), tuning.label_threshold
        tops, rights = calibrated.max(axis=1), metrics.hits(calibrated, faces.labels)
        bins, title, right = metrics.reliability(tops, rights), f"{title}: labels", "share read right"
    plots.draw_reliability(bins, folder / "reliability.png", title, right)
    plots.draw_risk_coverage(calibration.risk_coverage(tops, rights), threshold, folder / "risk_coverage.png", title)
