"""The model card, models/README.md, made from the models' facts so that the two cannot disagree."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from femr.emotions import EMOTIONS
from femr.weights import MODEL_NAMES, ModelFacts, read_facts

_TEXT = """\
# femr: two networks that read facial expressions

Each says which of seven expressions a face shows: {expressions}. They are made for femr, which plays the
song of a group's mood. They tell the *expression* a network sees, not what a person feels.

{summary}

Accuracies have 95 % bootstrap intervals. "Mirrored" averages the face and its mirror image, as femr does; "without
training duplicates" leaves out the faces whose pixels also occur in the training data; FER+ is the majority of ten
people's labels. The calibration error is after temperature scaling. `python -m femr evaluate MODEL --data PATH` prints
the figures again.

### PrivateTest, the test set

{private}

### PublicTest, on which recipes, temperatures and thresholds were chosen

{public}
{finished}
### Recall on PrivateTest, mirrored

{recalls}
{adjusted}{pictures}
## How they were trained

{training}

## What they are not for

Not for grading, hiring, discipline, monitoring, health or safety decisions about people. In the European Union,
inferring emotions of pupils, students or staff from faces is prohibited, with medical and safety exceptions (AI Act,
Regulation (EU) 2024/1689, Art. 5(1)(f)). Tell everyone in the picture, and ask first; parents for children.

## Known weaknesses

FER2013's pictures come from web searches; people agree with its labels on about 65 % of them. It holds few disgusted
faces (436 of 28,709), and nobody has counted whom it shows: expect more mistakes on groups it shows rarely, on
children, faces turned away, glasses, dim light and faces under 40 pixels. Disgust is often read as anger, fear as
sadness or surprise.

## Files

`<name>.json` holds a model's facts and the SHA-256 of its files. Networks are Keras 3: `<name>.keras`, or
half-precision `<name>.weights.json` with its shards for the architecture in `femr/networks.py`. With this repository's
name in FEMR_HUB_REPO, and `FEMR_WEIGHTS=hub`, `femr.load("<name>")` reads both.

Licence: MIT, code and weights. Trained on FER2013 (Goodfellow et al., "Challenges in Representation Learning", 2013),
which is not part of this repository. MobileNetV2 started from ImageNet weights (torchvision, BSD-3-Clause).
"""

_ADJUSTED = """
### Prior adjustment on PublicTest: accuracy / macro recall, mirrored

{table}

`femr.load(prior_adjustment=0.6)` and `--prior-adjustment 0.6` subtract 0.6 times the logarithm of each expression's
share of FER2013's Training (logit adjustment, Menon et al., 2021); the default is 0, off. FER2013's own splits share
that prior, so no gain in accuracy is to be expected here. `python -m femr evaluate MODEL --data PATH --split PublicTest
--prior-adjustment 0.6` prints the figures again. On real photos the project's training notes report about 1 point more
accuracy and 2 to 5 more macro recall at 0.6: their figure, not measured again. The threshold for unsure faces stays,
and is compared with the adjusted scores.
"""

_ACCURACIES = {
    "accuracy": "accuracy, one view",
    "accuracy_mirrored": "accuracy, mirrored",
    "accuracy_deduplicated": "accuracy, one view, without training duplicates",
    "accuracy_mirrored_deduplicated": "accuracy, mirrored, without training duplicates",
    "ferplus_accuracy": "accuracy, FER+ labels",
}
_MEASURES = {
    "macro_f1": "macro F1",
    "ece_after": "calibration error",
    "nll": "negative log-likelihood",
    "brier": "Brier score",
}


def write_card(folder: Path) -> None:
    """Write README.md beside the facts. Raises: ModelError, OSError."""
    facts = [read_facts(folder / f"{name}.json") for name in MODEL_NAMES]
    (folder / "README.md").write_text(model_card(facts, pictures(folder)), encoding="utf-8")


def pictures(folder: Path) -> list[str]:
    """The names of the charts beside the facts, which the card shows."""
    return sorted(path.name for path in folder.glob("*.png"))


def model_card(facts: Sequence[ModelFacts], shown: Sequence[str] = ()) -> str:
    """The card in Markdown, with the Hub's front matter: licence, tags and the measured scores as a model-index.

    Args: `shown`, names of pictures that lie beside the card.
    """
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type="image-classification",
            task_name="Facial expression recognition",
            dataset_type="fer2013",
            dataset_name="FER2013",
            dataset_split="PrivateTest",
            metric_type=metric,
            metric_name=f"{one.title}: {label}",
            metric_value=value,
        )
        for one in facts
        for metric, label, value in _metrics(one)
    ]
    data = ModelCardData(
        model_name="femr",
        language="en",
        license="mit",
        library_name="keras",
        pipeline_tag="image-classification",
        tags=["facial-expression-recognition", "emotion", "fer2013", "keras"],
        eval_results=results or None,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_body(facts, shown)}"


def _metrics(facts: ModelFacts) -> list[tuple[str, str, float]]:
    """What the model-index tells of a model: metric's type, its name, its value."""
    scores = _scores(facts, "PrivateTest")
    found = [("accuracy", label, _value(scores.get(key))) for key, label in _ACCURACIES.items()]
    found.append(("f1", _MEASURES["macro_f1"], _value(scores.get("macro_f1"))))
    return [(metric, label, value) for metric, label, value in found if value is not None]


def _body(facts: Sequence[ModelFacts], shown: Sequence[str]) -> str:
    trained = [f"**{one.title}.** {one.document['training']}" for one in facts if "training" in one.document]
    return _TEXT.format(
        expressions=", ".join(EMOTIONS),
        summary=_summary(facts),
        private=_split(facts, "PrivateTest"),
        public=_split(facts, "PublicTest"),
        finished=_finished(facts),
        recalls=_recalls(facts),
        adjusted=_adjusted(facts),
        pictures="".join(f"\n![{name.removesuffix('.png').replace('_', ' ')}]({name})\n" for name in shown),
        training="\n\n".join(trained) or "Not recorded.",
    )


def _summary(facts: Sequence[ModelFacts]) -> str:
    rows: dict[str, Callable[[ModelFacts], str]] = {
        "name": lambda one: f"`{one.name}`",
        "input": lambda one: f"{one.side}×{one.side}" if one.side else "both",
        "parameters": lambda one: f"{one.document['parameters']:,}",
        "temperature": lambda one: f"{one.temperature:.2f}",
        "unsure below": lambda one: f"{100 * one.unsure_threshold:.0f} %",
    }
    return _table(facts, rows)


def _split(facts: Sequence[ModelFacts], split: str) -> str:
    """The table of one split's scores."""
    if not any(_scores(one, split) for one in facts):
        return "Not measured yet."

    def cell(key: str, show: Callable[[Any], str]) -> Callable[[ModelFacts], str]:
        return lambda one: show(_scores(one, split).get(key))

    rows = {"faces": cell("images", lambda count: "not measured" if count is None else f"{count:,}")}
    rows |= {label: cell(key, _percent) for key, label in _ACCURACIES.items()}
    rows |= {label: cell(key, _plain) for key, label in _MEASURES.items()}
    return _table(facts, rows)


def _finished(facts: Sequence[ModelFacts]) -> str:
    """Whose PublicTest scores are not those of the published weights; empty if all are."""
    titles = [one.title for one in facts if _scores(one, "PublicTest").get("measured_with")]
    if not titles:
        return ""
    return (
        f"\n{' and '.join(titles)}: these scores, temperature and threshold are of the weights before the finish, in "
        "which\nthe published weights learned from PublicTest too. What the finish gave shows on PrivateTest.\n"
    )


def _recalls(facts: Sequence[ModelFacts]) -> str:
    if not any("per_class" in _scores(one, "PrivateTest") for one in facts):
        return "Not measured yet."

    def cell(emotion: str) -> Callable[[ModelFacts], str]:
        return lambda one: _percent(_scores(one, "PrivateTest").get("per_class", {}).get(emotion, {}).get("recall"))

    return _table(facts, {emotion: cell(emotion) for emotion in EMOTIONS})


def _adjusted(facts: Sequence[ModelFacts]) -> str:
    """What the prior adjustment gives; empty if it was not measured for all."""
    found = [{row["strength"]: row for row in one.document.get("prior_adjustments", ())} for one in facts]
    if not all(found):
        return ""
    known = {one.name: rows for one, rows in zip(facts, found, strict=True)}

    def cell(strength: float) -> Callable[[ModelFacts], str]:
        return lambda one: " / ".join(
            _percent(known[one.name].get(strength, {}).get(key)) for key in ("accuracy", "macro_recall")
        )

    return _ADJUSTED.format(table=_table(facts, {f"{strength:g}": cell(strength) for strength in found[0]}))


def _table(facts: Sequence[ModelFacts], rows: Mapping[str, Callable[[ModelFacts], str]]) -> str:
    """A Markdown table with a column for each model."""
    lines = [["", *(one.title for one in facts)], ["---"] * (len(facts) + 1)]
    lines += [[label, *(show(one) for one in facts)] for label, show in rows.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _percent(measure: Any) -> str:
    """A share, with its interval where it has one: "71.0 % (69.5 to 72.4)"."""
    value = _value(measure)
    if value is None:
        return "not measured"
    interval = f" ({100 * measure['low']:.1f} to {100 * measure['high']:.1f})" if isinstance(measure, Mapping) else ""
    return f"{100 * value:.1f} %{interval}"


def _plain(measure: Any) -> str:
    value = _value(measure)
    return "not measured" if value is None else f"{value:.3f}"


def _value(measure: Any) -> float | None:
    """The figure itself, of a number or of {value, low, high}."""
    value = measure["value"] if isinstance(measure, Mapping) else measure
    return None if value is None else float(value)


def _scores(facts: ModelFacts, split: str) -> Mapping[str, Any]:
    scores: Mapping[str, Any] = facts.scores.get(split, {})
    return scores
