"""Honest numbers for a model: `evaluate()` is what the command line and the notebooks call.

Every accuracy has a 95 % bootstrap interval, and is also given without the faces whose pixels occur in the training
data: 288 of PrivateTest's 3,589 do. Temperature and threshold come from PublicTest alone, whatever split is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from femr.errors import DataError
from femr.training import calibration, data, metrics, plots
from femr.training.calibration import apply_temperature
from femr.training.data import FaceData
from femr.training.models import Model, find_model

Report: TypeAlias = dict[str, Any]

_FERPLUS_ORDER = np.array([6, 3, 5, 4, 0, 1, 2])
"""FER+'s columns neutral, happiness, surprise, sadness, anger, disgust and fear as indices into EMOTIONS."""


@dataclass(frozen=True, eq=False, slots=True)
class _Views:
    """What a model says of a split, float (n, 7): of the faces as they are, and the mirrored average of inference."""

    plain: npt.NDArray[np.float32]
    mirrored: npt.NDArray[np.float32]


def evaluate(model: str, source: str | Path, split: str = data.PRIVATE_TEST, pictures: Path | None = None) -> Report:
    """All measures of a model on one split, ready for JSON.

    Keys: model, split, images; accuracy, accuracy_mirrored, accuracy_deduplicated, accuracy_mirrored_deduplicated and
    ferplus_accuracy (each {value, low, high}; None where there is no face or no vote to measure by); macro_f1,
    per_class (expression → precision, recall, f1, images), confusion_matrix (rows: labels), all three of the mirrored
    average, as are nll (nats) and brier after temperature scaling, ece_before and ece_after it; temperature,
    unsure_threshold, weights_sha256 (file → SHA-256).

    Args:
        model: a model's name, "ensemble", or the path of anybody's .keras file with seven scores in FER2013's order.
        source: FER2013 in any shape that `data.load` reads.
        pictures: a folder for confusion matrix, reliability diagram and risk-coverage curve as PNG, or None.
    Raises: DataError, ModelError.
    """
    return evaluate_loaded(model, data.load(source), split, pictures)


def evaluate_loaded(
    model: str, splits: Mapping[str, FaceData], split: str = data.PRIVATE_TEST, pictures: Path | None = None
) -> Report:
    """The same as `evaluate`, for data that are loaded already."""
    faces = data.split_named(splits, split)
    public = splits.get(data.PUBLIC_TEST)
    found = find_model(model, public if public is not None else faces)
    views = _look(found, faces)
    tuned = views if public is faces else None if public is None else _look(found, public)
    temperature, threshold = _tune(found, tuned, public)
    new = data.unseen(faces, [splits[name] for name in found.trained_on if name in splits and name != split])
    report = measure(views.plain, views.mirrored, faces, new, temperature)
    head: Report = {"model": found.name, "split": split}
    report = head | report
    report |= Report(unsure_threshold=threshold, weights_sha256=dict(found.sha256))
    if pictures is not None:
        _draw(report, apply_temperature(views.mirrored, temperature), faces, pictures)
    return report


def measure(
    plain: metrics.Probabilities,
    mirrored: metrics.Probabilities,
    faces: FaceData,
    new: npt.NDArray[np.bool_],
    temperature: float,
) -> Report:
    """The measures of one split from probabilities (n, 7). `new`, bool (n,): pixels not in the training data."""
    labels = faces.labels
    right, right_mirrored = metrics.hits(plain, labels), metrics.hits(mirrored, labels)
    calibrated = apply_temperature(mirrored, temperature)
    matrix = metrics.confusion_matrix(mirrored, labels)
    return {
        "images": len(faces),
        "accuracy": _interval(right),
        "accuracy_mirrored": _interval(right_mirrored),
        "accuracy_deduplicated": _interval(right[new]),
        "accuracy_mirrored_deduplicated": _interval(right_mirrored[new]),
        "macro_f1": metrics.macro_f1(matrix),
        "per_class": metrics.per_class(matrix),
        "confusion_matrix": matrix.tolist(),
        "nll": metrics.negative_log_likelihood(calibrated, labels),
        "brier": metrics.brier_score(calibrated, labels),
        "ece_before": metrics.calibration_error(mirrored, labels),
        "ece_after": metrics.calibration_error(calibrated, labels),
        "temperature": temperature,
        "ferplus_accuracy": _ferplus(mirrored, faces),
    }


def ferplus_majority(votes: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The crowd's expression, index into EMOTIONS (n,), and whether over half of a face's votes agree on it."""
    seven = votes[:, : len(_FERPLUS_ORDER)]
    return _FERPLUS_ORDER[seven.argmax(axis=1)], 2 * seven.max(axis=1) > votes.sum(axis=1)


def _look(model: Model, faces: FaceData) -> _Views:
    plain, mirror = model.look(faces.images)
    return _Views(plain, np.asarray((plain + mirror) / 2, np.float32))


def _tune(model: Model, views: _Views | None, public: FaceData | None) -> tuple[float, float]:
    """Temperature and threshold: fitted on PublicTest, or the model's own where the data has none of it.

    A model that learned from PublicTest keeps its own as well: its confidence there is not what it is elsewhere.
    """
    if views is None or public is None or (data.PUBLIC_TEST in model.trained_on and model.temperature is not None):
        return model.temperature or 1.0, model.unsure_threshold
    temperature = calibration.fit_temperature(views.mirrored, public.labels)
    return temperature, calibration.unsure_threshold(apply_temperature(views.mirrored, temperature), public.labels)


def _interval(right: npt.NDArray[np.bool_]) -> dict[str, float] | None:
    return metrics.interval(right).as_dict() if len(right) else None


def _ferplus(probabilities: metrics.Probabilities, faces: FaceData) -> dict[str, float] | None:
    """Accuracy against the crowd's majority label, over the faces that have one."""
    if faces.votes is None:
        return None
    labels, agreed = ferplus_majority(faces.votes)
    return _interval(metrics.hits(probabilities, labels)[agreed])


def _draw(report: Mapping[str, Any], calibrated: metrics.Probabilities, faces: FaceData, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"The folder {folder.name} cannot be made: {error.strerror}.") from error
    title = f"{report['model']}, {report['split']}"
    plots.draw_confusion_matrix(np.array(report["confusion_matrix"]), folder / "confusion_matrix.png", title)
    plots.draw_reliability(metrics.reliability(calibrated, faces.labels), folder / "reliability.png", title)
    curve = calibration.risk_coverage(calibrated, faces.labels)
    plots.draw_risk_coverage(curve, report["unsure_threshold"], folder / "risk_coverage.png", title)
