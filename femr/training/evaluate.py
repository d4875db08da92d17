"""Honest numbers for a model: `evaluate()` is what the command line and the notebooks call.

Every accuracy has a 95 % bootstrap interval, and is also given without the faces whose pixels occur in the training
data: 288 of PrivateTest's 3,589 do. Temperature and threshold come from PublicTest alone, whatever split is reported.
A model that learned from PublicTest is tuned, and on PublicTest measured, by what its weights said before they did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from femr.calibration import adjust_prior, apply_temperature, check_prior_adjustment
from femr.training import calibration, data, metrics, plots
from femr.training.checkpoint import make_folder
from femr.training.data import FaceData
from femr.training.models import Model, find_model

Report: TypeAlias = dict[str, Any]

BEFORE_THE_FINISH = "before the finish"
"""A report's measured_with: the weights that were asked had not learned from PublicTest yet."""

STRENGTHS = (0.0, 0.3, 0.6, 1.0)
"""The prior adjustments that a model's facts tell of."""

_FERPLUS_ORDER = np.array([6, 3, 5, 4, 0, 1, 2])
"""FER+'s columns neutral, happiness, surprise, sadness, anger, disgust and fear as indices into EMOTIONS."""


@dataclass(frozen=True, eq=False, slots=True)
class _Views:
    """What a model says of a split, float (n, 7): of the faces as they are, and the mirrored average of inference."""

    plain: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.float32]


def evaluate(
    model: str,
    source: str | Path,
    split: str = data.PRIVATE_TEST,
    pictures: Path | None = None,
    prior_adjustment: float = 0.0,
) -> Report:
    """All measures of a model on one split, ready for JSON.

    Keys: model, split, images; accuracy, accuracy_mirrored, accuracy_deduplicated, accuracy_mirrored_deduplicated and
    ferplus_accuracy (each {value, low, high}; None where there is no face or no vote to measure by); macro_f1,
    per_class (expression → precision, recall, f1, images), confusion_matrix (rows: labels), all three of the mirrored
    average, as are nll (nats) and brier after temperature scaling, ece_before and ece_after it; temperature,
    unsure_threshold, weights_sha256 (file → SHA-256). Only where it applies: prior_adjustment; and measured_with, which
    weights were asked about a PublicTest that the model learned from at the end.

    Args:
        model: a model's name, "ensemble", or the path of anybody's .keras file with seven scores in FER2013's order.
        source: FER2013 in any shape that `data.load` reads.
        pictures: a folder for confusion matrix, reliability diagram and risk-coverage curve as PNG, or None.
        prior_adjustment: as in inference, see `calibration.adjust_prior`; temperature and threshold are fitted without.
    Raises: DataError, ModelError.
    """
    check_prior_adjustment(prior_adjustment)
    return evaluate_loaded(model, data.load(source), split, pictures, prior_adjustment)


def evaluate_loaded(
    model: str,
    splits: Mapping[str, FaceData],
    split: str = data.PRIVATE_TEST,
    pictures: Path | None = None,
    prior_adjustment: float = 0.0,
) -> Report:
    """The same as `evaluate`, for data that are loaded already."""
    faces = data.split_named(splits, split)
    public = splits.get(data.PUBLIC_TEST)
    found = find_model(model, public if public is not None else faces)
    judge = found.before or found
    asked = judge if split == data.PUBLIC_TEST else found
    views = _look(asked, faces)
    temperature, threshold = _tune(judge, public, views if faces is public else None)
    new = data.unseen(faces, [splits[name] for name in asked.trained_on if name in splits and name != split])
    report: Report = {"model": found.name, "split": split}
    report |= measure(views.plain, views.mirrored, faces, new, temperature, prior_adjustment)
    report |= {"unsure_threshold": threshold, "weights_sha256": dict(asked.sha256)}
    if prior_adjustment:
        report["prior_adjustment"] = prior_adjustment
    if split == data.PUBLIC_TEST and split in found.trained_on:
        report["measured_with"] = BEFORE_THE_FINISH if found.before else "weights that learned from these faces"
    if pictures is not None:
        calibrated = adjust_prior(apply_temperature(views.mirrored, temperature), prior_adjustment)
        _draw(report, calibrated, faces, pictures)
    return report


def prior_adjustments(model: str, splits: Mapping[str, FaceData]) -> list[dict[str, float]]:
    """What STRENGTHS give on PublicTest, mirrored: strength, accuracy and macro_recall of each, ready for JSON."""
    public = data.split_named(splits, data.PUBLIC_TEST)
    found = find_model(model, public)
    judge = found.before or found
    views = _look(judge, public)
    calibrated = apply_temperature(views.mirrored, _tune(judge, public, views)[0])
    rows = []
    for strength in STRENGTHS:
        adjusted = adjust_prior(calibrated, strength)
        recalls = [
            one["recall"] for one in metrics.per_class(metrics.confusion_matrix(adjusted, public.labels)).values()
        ]
        accuracy = metrics.accuracy(adjusted, public.labels)
        rows.append({"strength": strength, "accuracy": accuracy, "macro_recall": float(np.mean(recalls))})
    return rows


def measure(
    plain: metrics.Probabilities,
    mirrored: metrics.Probabilities,
    faces: FaceData,
    new: npt.NDArray[np.bool_],
    temperature: float,
    prior_adjustment: float = 0.0,
) -> Report:
    """The measures of one split from probabilities (n, 7). `new`, bool (n,): pixels not in the training data."""
    labels = faces.labels
    uncalibrated = adjust_prior(mirrored, prior_adjustment)
    calibrated = adjust_prior(apply_temperature(mirrored, temperature), prior_adjustment)
    one_view = adjust_prior(apply_temperature(plain, temperature), prior_adjustment)
    right, right_mirrored = metrics.hits(one_view, labels), metrics.hits(calibrated, labels)
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
        "ece_before": metrics.calibration_error(uncalibrated, labels),
        "ece_after": metrics.calibration_error(calibrated, labels),
        "temperature": temperature,
        "ferplus_accuracy": _ferplus(calibrated, faces),
    }


def ferplus_majority(votes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The crowd's expression, index into EMOTIONS (n,), and whether over half of a face's votes agree on it."""
    seven = votes[:, : len(_FERPLUS_ORDER)]
    return _FERPLUS_ORDER[seven.argmax(axis=1)], 2 * seven.max(axis=1) > votes.sum(axis=1)


def _look(model: Model, faces: FaceData) -> _Views:
    plain, mirror = model.look(faces.images)
    return _Views(plain, np.asarray((plain + mirror) / 2, np.float32))


def _tune(judge: Model, public: FaceData | None, views: _Views | None) -> tuple[float, float]:
    """Temperature and threshold: fitted on PublicTest, or the model's own where that is missing or was learned from.

    Args: `views`, what the model says of PublicTest, if that is known already.
    """
    if public is None or data.PUBLIC_TEST in judge.trained_on:
        return judge.temperature or 1.0, judge.unsure_threshold
    mirrored = (views or _look(judge, public)).mirrored
    temperature = calibration.fit_temperature(mirrored, public.labels)
    return temperature, calibration.unsure_threshold(apply_temperature(mirrored, temperature), public.labels)


def _ferplus(probabilities: metrics.Probabilities, faces: FaceData) -> dict[str, float] | None:
    """Accuracy against the crowd's majority label, over the faces that have one."""
    if faces.votes is None:
        return None
    labels, agreed = ferplus_majority(faces.votes)
    return metrics.share(metrics.hits(probabilities, labels)[agreed])


def _draw(report: Mapping[str, Any], calibrated: metrics.Probabilities, faces: FaceData, folder: Path) -> None:
    make_folder(folder)
    title = f"{report['model']}, {report['split']}"
    plots.draw_confusion_matrix(np.array(report["confusion_matrix"]), folder / "confusion_matrix.png", title)
    plots.draw_reliability(metrics.reliability(calibrated, faces.labels), folder / "reliability.png", title)
    curve = calibration.risk_coverage(calibrated, faces.labels)
    plots.draw_risk_coverage(curve, report["unsure_threshold"], folder / "risk_coverage.png", title)
