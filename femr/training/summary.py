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
_PEOPLE = {
    "mean_recall": "mean recall",
    "natural_mix": "accuracy in the natural mix",
    "agreement": "of ten people agree with the answer",
    "agreement_best": "  with the best possible answer",
    "sure": "faces read surely",
}
_VOTES = {
    "cross_entropy": "cross-entropy with the vote shares",
    "cross_entropy_least": "  the least possible",
    "ece_before": "calibration error before scaling",
    "ece_after": "calibration error after scaling",
    "ece_named": "  of the expression that is named",
    "temperature": "temperature",
    "balance": "balance",
    "unsure_threshold": "unsure under",
}


def to_text(report: Mapping[str, Any]) -> str:
    """The measures of `evaluate`, one a line: the label head's, then the people head's where there are votes."""
    lines = [f"{report['model']} on {report['split']}, {report['images']:,} faces"]
    if "measured_with" in report:
        lines.append(_line("measured with", report["measured_with"]))
    lines += ["", "LABELS: the label head against FER2013's labels"]
    lines += [_line(label, _interval(report[key])) for key, label in _ACCURACIES.items()]
    recalls = [one["recall"] for one in report["per_class"].values()]
    lines.append(_line("macro recall", f"{sum(recalls) / len(recalls):.2%}"))
    lines += [_line(label, f"{report[key]:.4f}") for key, label in _NUMBERS.items()]
    lines += [*_classes(report), ""]
    return "\n".join(lines + _people(report["people"]))


def photos_to_text(report: Mapping[str, Any]) -> str:
    """The measures of `photos.evaluate`, then those of each source."""
    lines = [f"{report['model']} on {report['data']}, {report['images']:,} photos, balance {report['balance']:g}"]
    lines.append("Of several faces in a photo the largest counts; one in which none is found is read wrong.")
    for name, part in {"all": report, **report["by_source"]}.items():
        lines += ["", f"{name}: {part['images']:,} photos"]
        lines.append(_line("accuracy", _interval(part["accuracy"])))
        lines += [_line(_PEOPLE[key], _share(part[key])) for key in ("mean_recall", "natural_mix")]
        lines.append(_line("face found", _interval(part["found"])))
        lines.append(_line("read surely", _share(part["sure"])))
        lines.append(_line("  accuracy of those", _interval(part["accuracy_sure"])))
        lines += _classes(part)
    rows = [(row["balance"], row["accuracy"], row["mean_recall"], row["natural_mix"]) for row in report["balances"]]
    lines += ["", "all, by balance: accuracy, mean recall, natural mix"]
    return "\n".join(lines + [f"{balance:4g} {' '.join(f'{_share(one):>8}' for one in row)}" for balance, *row in rows])


def _people(measured: Mapping[str, Any] | None) -> list[str]:
    title = "PEOPLE: the people head against FER+'s votes"
    if measured is None:
        return [f"{title}: not measured, the data have no votes"]
    majority = f"accuracy, over 5 of 10 votes ({measured['images_majority']:,} faces)"
    own = f"accuracy, FER+'s own rule ({measured['images_ferplus']:,})"
    lines = [f"{title}, {measured['images']:,} faces"]
    lines.append(_line(majority, _interval(measured["accuracy"])))
    lines.append(_line("  with balance 0", _interval(measured["accuracy_unbalanced"])))
    lines.append(_line(own, _interval(measured["accuracy_ferplus"])))
    lines += [_line(label, _share(measured[key])) for key, label in _PEOPLE.items()]
    lines.append(_line("  accuracy of the majorities among them", _interval(measured["accuracy_sure"])))
    lines += [_line(label, f"{measured[key]:.4f}") for key, label in _VOTES.items()]
    return lines + _classes(measured)


def _classes(report: Mapping[str, Any]) -> list[str]:
    """Precision and recall of each expression."""
    return [f"{'':10} {'precision':>9} {'recall':>9} {'faces':>6}"] + [
        f"{name:10} {one['precision']:9.1%} {one['recall']:9.1%} {one['images']:6,}"
        for name, one in report["per_class"].items()
    ]


def _line(label: str, value: str) -> str:
    return f"{label:44} {value}"


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2%}"


def _interval(measure: Mapping[str, float] | None) -> str:
    if measure is None:
        return "not measured"
    return f"{measure['value']:.2%}  ({measure['low']:.2%} to {measure['high']:.2%})"
