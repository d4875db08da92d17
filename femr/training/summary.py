"""A model's measures for a reader at a terminal."""

from collections.abc import Mapping
from typing import Any

_ACCURACIES = {
    "accuracy": "accuracy, one view",
    "accuracy_mirrored": "accuracy, mirrored average",
    "accuracy_deduplicated": "  without training duplicates, one view",
    "accuracy_mirrored_deduplicated": "  without training duplicates, mirrored",
    "ferplus_accuracy": "accuracy against FER+ majorities",
}
_NUMBERS = {
    "macro_f1": "macro F1",
    "nll": "negative log-likelihood",
    "brier": "Brier score",
    "ece_before": "calibration error before scaling",
    "ece_after": "calibration error after scaling",
    "temperature": "temperature",
    "unsure_threshold": "unsure under",
}


def to_text(report: Mapping[str, Any]) -> str:
    """The measures of `evaluate`, one a line, then precision and recall of each expression."""
    lines = [f"{report['model']} on {report['split']}, {report['images']:,} faces"]
    if "measured_with" in report:
        lines.append(f"{'measured with':40} {report['measured_with']}")
    if "prior_adjustment" in report:
        lines.append(f"{'prior adjustment':40} {report['prior_adjustment']:g}")
    lines += [f"{label:40} {_interval(report[key])}" for key, label in _ACCURACIES.items()]
    recalls = [one["recall"] for one in report["per_class"].values()]
    lines.append(f"{'macro recall':40} {sum(recalls) / len(recalls):.2%}")
    lines += [f"{label:40} {report[key]:.4f}" for key, label in _NUMBERS.items()]
    lines.append(f"{'':10} {'precision':>9} {'recall':>9} {'faces':>6}")
    lines += [
        f"{name:10} {one['precision']:9.1%} {one['recall']:9.1%} {one['images']:6,}"
        for name, one in report["per_class"].items()
    ]
    return "\n".join(lines)


def _interval(measure: Mapping[str, float] | None) -> str:
    if measure is None:
        return "not measured"
    return f"{measure['value']:.2%}  ({measure['low']:.2%} to {measure['high']:.2%})"
