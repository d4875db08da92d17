"""The tables of the model card: Markdown with a column for each model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from femr.emotions import EMOTIONS
from femr.weights import ModelFacts

Reference: TypeAlias = Mapping[str, Any]
"""What is kept of a run by the reference's recipe: a document of models/reference/."""

NOT_MEASURED = "not measured"

ACCURACIES = {
    "accuracy": "accuracy, one view",
    "accuracy_mirrored": "accuracy, mirrored",
    "accuracy_deduplicated": "accuracy, one view, without training duplicates",
    "accuracy_mirrored_deduplicated": "accuracy, mirrored, without training duplicates",
    "ferplus_accuracy": "accuracy, FER+ labels",
}
MEASURES = {
    "macro_f1": "macro F1",
    "ece_after": "calibration error",
    "nll": "negative log-likelihood",
    "brier": "Brier score",
}
_PICTURES = {
    "confusion_matrix": "what is taken for what",
    "reliability": "how sure, how often right",
    "risk_coverage": "leaving out unsure faces",
    "curves": "training, before the finish",
}
_CLAIMED = {"custom_cnn": 0.675, "mobilenet_v2": 0.75}
"""What the reference work reports, without saying on which faces."""


def summary(facts: Sequence[ModelFacts]) -> str:
    """What each model is."""
    rows: dict[str, Callable[[ModelFacts], str]] = {
        "name": lambda one: f"`{one.name}`",
        "input": lambda one: f"{one.side}×{one.side}" if one.side else "both",
        "parameters": lambda one: f"{one.document['parameters']:,}",
        "temperature": lambda one: f"{one.label_temperature:.2f}",
        "unsure below": lambda one: f"{100 * one.unsure_threshold:.0f} %",
    }
    return _facts_table(facts, rows)


def split_scores(facts: Sequence[ModelFacts], split: str) -> str | None:
    """One split's scores; None if nothing was measured there."""
    if not any(scores(one, split) for one in facts):
        return None

    def cell(key: str, show: Callable[[Any], str]) -> Callable[[ModelFacts], str]:
        return lambda one: show(scores(one, split).get(key))

    rows = {"faces": cell("images", lambda count: NOT_MEASURED if count is None else f"{count:,}")}
    rows |= {label: cell(key, percent) for key, label in ACCURACIES.items()}
    rows |= {label: cell(key, _plain) for key, label in MEASURES.items()}
    return _facts_table(facts, rows)


def recalls(facts: Sequence[ModelFacts]) -> str | None:
    """The share of each expression's PrivateTest faces that is read right; None if nothing was measured."""
    if not any("per_class" in scores(one, "PrivateTest") for one in facts):
        return None

    def cell(emotion: str) -> Callable[[ModelFacts], str]:
        return lambda one: percent(scores(one, "PrivateTest").get("per_class", {}).get(emotion, {}).get("recall"))

    return _facts_table(facts, {emotion: cell(emotion) for emotion in EMOTIONS})


def prior_adjustments(facts: Sequence[ModelFacts]) -> str | None:
    """What the prior adjustment gives; None if it was not measured for all."""
    found = [{row["strength"]: row for row in one.document.get("prior_adjustments", ())} for one in facts]
    if not all(found):
        return None
    known = {one.name: rows for one, rows in zip(facts, found, strict=True)}

    def cell(strength: float) -> Callable[[ModelFacts], str]:
        return lambda one: " / ".join(
            percent(known[one.name].get(strength, {}).get(key)) for key in ("accuracy", "macro_recall")
        )

    return _facts_table(facts, {f"{strength:g}": cell(strength) for strength in found[0]})


def pictures(facts: Sequence[ModelFacts], shown: Sequence[str]) -> str | None:
    """The pictures of each model; None without any. `shown`: the paths beside the card, pictures/<model>/<kind>.png."""

    def cell(kind: str, label: str) -> Callable[[ModelFacts], str]:
        paths = {one.name: f"pictures/{one.name}/{kind}.png" for one in facts}
        return lambda one: f"![{one.title}: {label}]({paths[one.name]})" if paths[one.name] in shown else ""

    rows = {
        label: cell(kind, label)
        for kind, label in _PICTURES.items()
        if any(name.endswith(f"/{kind}.png") for name in shown)
    }
    return _facts_table(facts, rows) if rows else None


def references(runs: Sequence[Reference], shown: Sequence[str]) -> str:
    """The reference's recipe, as its authors report it and as femr ran it."""

    def score(key: str) -> Callable[[Reference], str]:
        return lambda one: percent(one["scores"]["PrivateTest"].get(key))

    rows: dict[str, Callable[[Reference], str]] = {
        "its authors' accuracy": lambda one: percent(_CLAIMED[one["network"]]),
        **{label: score(key) for key, label in ACCURACIES.items()},
        "accuracy on the held-out fifth of Training": lambda one: percent(one["validation_scores"]["val_accuracy"]),
        "epochs": lambda one: f"{one['epochs']} of {one['recipe']['epochs']}, the best {best_epoch(one)}",
        "minutes": lambda one: f"{one['seconds'] / 60:.0f}",
    }
    curves = {one["network"]: f"pictures/{one['network']}/reference_curves.png" for one in runs}
    if set(curves.values()) & set(shown):
        rows["curves"] = lambda one: f"![{one['title']}: curves]({curves[one['network']]})"
    return _table([one["title"] for one in runs], {label: [show(one) for one in runs] for label, show in rows.items()})


def best_epoch(run: Reference) -> int:
    """The epoch whose weights a run by the reference's recipe ends with: the least validation loss."""
    return int(min(run["history"], key=lambda row: float(row["val_loss"]))["epoch"])


def scores(facts: ModelFacts, split: str) -> Mapping[str, Any]:
    """What was measured on a split."""
    found: Mapping[str, Any] = facts.scores.get(split, {})
    return found


def value(measure: Any) -> float | None:
    """The figure itself, of a number or of {value, low, high}."""
    found = measure["value"] if isinstance(measure, Mapping) else measure
    return None if found is None else float(found)


def percent(measure: Any) -> str:
    """A share, with its interval where it has one: "71.0 % (69.5 to 72.4)"."""
    share = value(measure)
    if share is None:
        return NOT_MEASURED
    interval = f" ({100 * measure['low']:.1f} to {100 * measure['high']:.1f})" if isinstance(measure, Mapping) else ""
    return f"{100 * share:.1f} %{interval}"


def _plain(measure: Any) -> str:
    found = value(measure)
    return NOT_MEASURED if found is None else f"{found:.3f}"


def _facts_table(facts: Sequence[ModelFacts], rows: Mapping[str, Callable[[ModelFacts], str]]) -> str:
    return _table([one.title for one in facts], {label: [show(one) for one in facts] for label, show in rows.items()})


def _table(titles: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    lines = [["", *titles], ["---"] * (len(titles) + 1)]
    lines += [[label, *cells] for label, cells in rows.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
