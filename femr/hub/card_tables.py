"""The tables of the model card: Markdown with a column for each model."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from femr.expression.weights import ModelFacts
from femr.hub.card_text import ACCURACIES, MEASURES, PEOPLE, PHOTO_MEASURES, PICTURE_TITLES, VOTES
from femr.results import EMOTIONS

Reference: TypeAlias = Mapping[str, Any]
"""What is kept of a run by the reference's recipe: a document of models/reference/."""

NOT_MEASURED = "not measured"

_CLAIMED = {"custom_cnn": 0.675, "mobilenet_v2": 0.75}
"""What the reference work reports, without saying on which faces."""


def summary(facts: Sequence[ModelFacts]) -> str:
    """What each model is."""
    rows: dict[str, Callable[[ModelFacts], str]] = {
        "name": lambda one: f"`{one.name}`",
        "input": lambda one: f"{one.side}×{one.side}" if one.side else "both",
        "parameters, up to the label head": lambda one: f"{one.document['parameters']:,}",
        "parameters of the people head": lambda one: _count(one.document.get("people_parameters")),
        "people: temperature": lambda one: f"{one.calibration.temperature:.2f}",
        "people: balance": lambda one: f"{one.calibration.balance:g}",
        "people: unsure below": lambda one: f"{100 * one.unsure_threshold:.0f} %",
        "labels: temperature": lambda one: f"{one.label_temperature:.2f}",
    }
    return _facts_table(facts, rows)


def split_scores(facts: Sequence[ModelFacts], split: str) -> str | None:
    """The label head's scores on one split; None if nothing was measured there."""
    if not any(scores(one, split) for one in facts):
        return None

    def cell(key: str, show: Callable[[Any], str]) -> Callable[[ModelFacts], str]:
        return lambda one: show(scores(one, split).get(key))

    rows = {"faces": cell("images", _count)}
    rows |= {label: cell(key, percent) for key, label in ACCURACIES.items()}
    if split == "PrivateTest":
        rows["the reference work's accuracy"] = lambda one: (
            percent(_CLAIMED[one.name]) if one.name in _CLAIMED else "none"
        )
    rows |= {label: cell(key, _plain) for key, label in MEASURES.items()}
    return _facts_table(facts, rows)


def people_scores(facts: Sequence[ModelFacts], split: str) -> str | None:
    """The people head's scores on one split; None if nothing was measured there."""
    if not any(people(one, split) for one in facts):
        return None

    def cell(key: str, show: Callable[[Any], str]) -> Callable[[ModelFacts], str]:
        return lambda one: show(people(one, split).get(key))

    rows = {"faces with votes": cell("images", _count)}
    rows["faces on which over half agree"] = cell("images_majority", _count)
    rows["faces with a majority by FER+'s own rule"] = cell("images_ferplus", _count)
    rows |= {label: cell(key, percent) for key, label in PEOPLE.items()}
    rows |= {label: cell(key, _plain) for key, label in VOTES.items()}
    return _facts_table(facts, rows)


def recalls(facts: Sequence[ModelFacts], measured: Callable[[ModelFacts], Mapping[str, Any]]) -> str | None:
    """The share of each expression's faces that is read right; None if nothing was measured.

    Args: `measured`, the scores of a model, which have per_class.
    """
    classes = {one.name: measured(one).get("per_class", {}) for one in facts}
    first = next((found for found in classes.values() if found), None)
    if first is None:
        return None

    def cell(emotion: str) -> Callable[[ModelFacts], str]:
        if not first[emotion]["images"]:
            return lambda one: "none"
        return lambda one: percent(classes[one.name].get(emotion, {}).get("recall"))

    return _facts_table(facts, {f"{emotion} ({first[emotion]['images']:,})": cell(emotion) for emotion in EMOTIONS})


def photos(facts: Sequence[ModelFacts]) -> str | None:
    """What was measured on photos, by where they are from; None if nothing was."""
    rows: dict[str, Callable[[ModelFacts], str]] = {}

    def cell(name: str, part: str, key: str, show: Callable[[Any], str]) -> Callable[[ModelFacts], str]:
        return lambda one: show(photo_scores(one, name, part).get(key))

    for name, part in photo_parts(facts):
        title = f"{name}, {part}" if part else name
        rows[f"{title}: photos"] = cell(name, part, "images", _count)
        rows |= {f"{title}: {label}": cell(name, part, key, percent) for key, label in PHOTO_MEASURES.items()}
    return _facts_table(facts, rows) if rows else None


def photo_parts(facts: Sequence[ModelFacts]) -> list[tuple[str, str]]:
    """The data sets of photos that were measured, each whole ("") and by source."""
    found = {name: report for one in facts for name, report in one.document.get("photos", {}).items()}
    return [(name, part) for name, report in found.items() for part in ("", *sorted(report["by_source"], reverse=True))]


def photo_scores(facts: ModelFacts, name: str, part: str) -> Mapping[str, Any]:
    """What was measured on photos of one data set, of one source or ("") of all."""
    report: Mapping[str, Any] = facts.document.get("photos", {}).get(name, {})
    return report.get("by_source", {}).get(part, {}) if part else report


def balances(facts: Sequence[ModelFacts]) -> str | None:
    """What each balance gives on each data set, the model's own in bold; None if nothing was measured."""
    rows = {one.name: {row["balance"]: row for row in one.document.get("balances", ())} for one in facts}
    tried = next((found for found in rows.values() if found), None)
    if tried is None:
        return None

    def cell(balance: float) -> Callable[[ModelFacts], str]:
        return lambda one: _balance(rows[one.name].get(balance, {}), balance == one.calibration.balance)

    return _facts_table(facts, {f"{balance:g}": cell(balance) for balance in tried})


def _balance(row: Mapping[str, Any], own: bool) -> str:
    keys = ("accuracy", "mean_recall", "natural_mix")
    given = [" / ".join(_points(row[name][key]) for key in keys) for name in row if name != "balance"]
    if not given:
        return NOT_MEASURED
    shown = "; ".join(given)
    return f"**{shown}**" if own else shown


def pictures(facts: Sequence[ModelFacts], shown: Sequence[str]) -> str | None:
    """The pictures of each model; None without any. `shown`: the paths beside the card, pictures/<model>/<kind>.png."""

    def cell(kind: str, label: str) -> Callable[[ModelFacts], str]:
        paths = {one.name: f"pictures/{one.name}/{kind}.png" for one in facts}
        return lambda one: f"![{one.title}: {label}]({paths[one.name]})" if paths[one.name] in shown else ""

    rows = {
        label: cell(kind, label)
        for kind, label in PICTURE_TITLES.items()
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


def people(facts: ModelFacts, split: str) -> Mapping[str, Any]:
    """What was measured of the people head on a split."""
    found: Mapping[str, Any] = scores(facts, split).get("people") or {}
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


def _count(number: int | None) -> str:
    return NOT_MEASURED if number is None else f"{number:,}"


def _points(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.1f}"


def _plain(measure: Any) -> str:
    found = value(measure)
    return NOT_MEASURED if found is None else f"{found:.3f}"


def _facts_table(facts: Sequence[ModelFacts], rows: Mapping[str, Callable[[ModelFacts], str]]) -> str:
    return _table([one.title for one in facts], {label: [show(one) for one in facts] for label, show in rows.items()})


def _table(titles: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    lines = [["", *titles], ["---"] * (len(titles) + 1)]
    lines += [[label, *cells] for label, cells in rows.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
