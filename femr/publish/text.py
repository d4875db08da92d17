"""What measures are called, and a model's measures and run in words: for a terminal and for the model card."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from femr.expression.facts import Interval, Measured, Measures
from femr.expression.networks import NETWORKS

if TYPE_CHECKING:  # loads Keras, which the card does not need
    from femr.training.checkpoint import RunConfig

LABEL_ACCURACIES: Mapping[str, str] = {
    "accuracy": "accuracy, one view",
    "accuracy_mirrored": "accuracy, mirrored",
    "accuracy_deduplicated": "accuracy, one view, without training duplicates",
    "accuracy_mirrored_deduplicated": "accuracy, mirrored, without training duplicates",
    "ferplus_accuracy": "accuracy, FER+ labels",
}
LABEL_MEASURES: Mapping[str, str] = {
    "macro_f1": "macro F1",
    "ece_before": "calibration error before scaling",
    "ece_after": "calibration error",
    "nll": "negative log-likelihood",
    "brier": "Brier score",
}
PEOPLE_SHARES: Mapping[str, str] = {
    "accuracy": "right, of faces on which over half of ten people agree",
    "accuracy_unbalanced": "the same with balance 0",
    "accuracy_ferplus": "right, by FER+'s own rule",
    "mean_recall": "mean recall of the seven expressions",
    "natural_mix": "right in the natural mix, see photos",
    "agreement": "people who agree with the answer",
    "agreement_best": "who could agree with the best possible answer",
    "sure": "read surely",
    "accuracy_sure": "right, of those on which over half agree",
}
PEOPLE_MEASURES: Mapping[str, str] = {
    "cross_entropy": "cross-entropy with the vote shares",
    "cross_entropy_least": "the least possible",
    "ece_before": "calibration error before scaling",
    "ece_after": "calibration error",
    "ece_named": "calibration error of what is named",
}
PHOTO_SHARES: Mapping[str, str] = {
    "found": "face found",
    "accuracy": "right",
    "mean_recall": "mean recall",
    "natural_mix": "right in the natural mix",
    "sure": "read surely",
    "accuracy_sure": "right, of those",
}
_FINAL = "final.keras"  # a name that tells no more than that a run ended there
_TUNED = {"temperature": "temperature", "balance": "balance", "unsure_threshold": "unsure below"}


def to_text(measured: Measures) -> str:
    """The measures one a line: the label head's, then the people head's where there are votes."""
    lines = [f"{measured.model} on {measured.split}, {measured.images:,} faces", ""]
    lines += ["LABELS: the label head against FER2013's labels"]
    lines += [*lines_of(measured, {**LABEL_ACCURACIES, **LABEL_MEASURES}), ""]
    title, people = "PEOPLE: the people head against FER+'s votes", measured.people
    if people is None:
        return "\n".join([*lines, f"{title}: not measured, the data have no votes"])
    lines.append(f"{title}, {people.images:,} faces")
    lines.append(f"{people.images_majority:,} have a majority, {people.images_ferplus:,} by FER+'s own rule")
    return "\n".join([*lines, *lines_of(people, {**PEOPLE_SHARES, **PEOPLE_MEASURES})])


def lines_of(measured: Measured, names: Mapping[str, str]) -> list[str]:
    """The named measures, what was tuned, then precision and recall of each expression."""
    known = {one.name for one in fields(measured)}
    shown = {key: label for key, label in {**names, **_TUNED}.items() if key in known}
    lines = [f"{label:54} {_shown(key, getattr(measured, key))}" for key, label in shown.items()]
    lines.append(f"{'':10} {'precision':>9} {'recall':>9} {'faces':>6}")
    classes = measured.per_class.items()
    return lines + [f"{name:10} {one.precision:9.1%} {one.recall:9.1%} {one.images:6,}" for name, one in classes]


def percent(value: float | None) -> str:
    """A share as per cent, or that it was not measured."""
    return "not measured" if value is None else f"{value:.2%}"


def run_sentence(run: "RunConfig") -> str:
    """How a run went, in a few sentences; what is not known of a run that was made elsewhere is left out."""
    recipe, images = run.recipe, run.data.get("training", {}).get("images")
    how = [str(recipe["optimizer"])] if "optimizer" in recipe else []
    how += [f"rate {recipe['rate']:g} (cosine)"] if "rate" in recipe else []
    how += [f"batches of {recipe['batch_size']}"] if "batch_size" in recipe else []
    how += [str(recipe["precision"])] if "precision" in recipe else []
    how += [f"in {_duration(run.seconds)} on {run.hardware}"] if run.seconds and run.hardware else []
    text = f"Recipe `{recipe['name']}`, {run.epochs} epochs" + (f" of {images:,} faces" if images else "")
    text += f", seed {run.seed}" if run.seed is not None else ""
    text += f": {', '.join(how)}" if how else ""
    text += f" (Keras {run.versions['keras']}, {run.backend})." if "keras" in run.versions else "."
    early = round((recipe.get("early_part") or 0) * recipe.get("epochs", 0))
    if early:
        side = NETWORKS[run.network].side
        text += f" The first {early} epochs saw faces of {recipe['early_side']} pixels instead of {side}."
    if run.start:
        name = run.start["name"]
        text += f" It started from {'the end of an earlier run' if name == _FINAL else name}."
    if run.teachers:
        part = f"{100 * recipe['teacher_weight']:.0f} % of its targets" if "teacher_weight" in recipe else "Soft labels"
        text += f" {part} came from {_teachers([teacher['name'] for teacher in run.teachers])}."
    text = " ".join([text, *run.notes])
    if run.before is None:
        return text
    before = run_sentence(type(run).from_dict({"network": run.network, **run.before}))
    return f"{before} Then a finish on {' and '.join(run.trained_on)} together. {text}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _teachers(names: list[str]) -> str:
    """How many there are, and the files' names, unless they tell nothing."""
    count = "one teacher" if len(names) == 1 else f"{len(names)} teachers"
    return count if _FINAL in names else f"{count} ({', '.join(names)})"


def _shown(key: str, value: Interval | float | None) -> str:
    if isinstance(value, Interval):
        return f"{value.value:.2%}  ({value.low:.2%} to {value.high:.2%})"
    return percent(value) if value is None or key in PEOPLE_SHARES else f"{value:.4f}"
