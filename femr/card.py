"""The model card, models/README.md, made from the models' facts so that the two cannot disagree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from femr.emotions import EMOTIONS
from femr.weights import MODEL_NAMES, ModelFacts, read_facts

_TEXT = """\
# femr: two networks that read facial expressions

Each says which of seven expressions a face shows: {expressions}. They are made for femr, which plays the song of a group's
mood. They tell the *expression* a network sees, not what a person feels.

| model | input | parameters | accuracy, one view | accuracy, mirrored average | without training duplicates | macro F1 | calibration error |
|---|---|---|---|---|---|---|---|
{rows}

All figures are for FER2013's PrivateTest (3,589 faces, original labels), with 95 % bootstrap intervals in brackets; "without
training duplicates" leaves out the faces whose pixels also occur in the training data. The calibration error is after
temperature scaling on PublicTest. `python -m femr evaluate MODEL --data PATH` prints them again.

## Recall of each expression (mirrored average)

| model | {names} |
|---|{bars}|
{recalls}

## How they were trained

{training}

## What they are not for

Not for grading, hiring, discipline, monitoring, health or safety decisions about people. In the European Union, inferring
emotions of pupils, students or staff from faces is prohibited, with medical and safety exceptions (AI Act, Regulation (EU)
2024/1689, Art. 5(1)(f)). Tell everyone in the picture, and ask first; parents for children.

## Known weaknesses

FER2013's pictures come from web searches; people agree with its labels on about 65 % of them. It holds few disgusted faces
(436 of 28,709), and nobody has counted whom it shows: expect more mistakes on groups it shows rarely, on children, faces
turned away, glasses, dim light and faces under 40 pixels. Disgust is often read as anger, fear as sadness or surprise.

## Files

`<name>.json` holds a model's facts and the SHA-256 of its files. Networks are Keras 3: `<name>.keras`, or half-precision
`<name>.weights.json` with its shards for the architecture in `femr/networks.py`. `femr.load("<name>")` reads both.

Licence: MIT, code and weights. Trained on FER2013 (Goodfellow et al., "Challenges in Representation Learning", 2013), which is not
part of this repository. MobileNetV2 started from ImageNet weights (torchvision, BSD-3-Clause).
"""


def write_card(folder: Path) -> None:
    """Write README.md beside the facts. Raises: ModelError, OSError."""
    facts = [read_facts(folder / f"{name}.json") for name in MODEL_NAMES]
    (folder / "README.md").write_text(model_card(facts), encoding="utf-8")


def model_card(facts: Sequence[ModelFacts]) -> str:
    """The card in Markdown, with the Hub's front matter: licence, tags and the measured scores as a model-index."""
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
        eval_results=results,
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_body(facts)}"


def _metrics(facts: ModelFacts) -> list[tuple[str, str, float]]:
    scores = _test(facts)
    return [
        ("accuracy", "accuracy, mirrored average", scores["accuracy_mirrored"]["value"]),
        ("accuracy", "accuracy without training duplicates", scores["accuracy_mirrored_deduplicated"]["value"]),
        ("f1", "macro F1", scores["macro_f1"]),
    ]


def _body(facts: Sequence[ModelFacts]) -> str:
    return _TEXT.format(
        expressions=", ".join(EMOTIONS),
        names=" | ".join(EMOTIONS),
        bars="|".join(["---"] * len(EMOTIONS)),
        rows="\n".join(_row(one) for one in facts),
        recalls="\n".join(_recalls(one) for one in facts),
        training="\n\n".join(
            f"**{one.title}.** {one.document['training']}" for one in facts if "training" in one.document
        ),
    )


def _row(facts: ModelFacts) -> str:
    scores = _test(facts)
    cells = [
        f"{facts.title} (`{facts.name}`)",
        f"{facts.side}×{facts.side}" if facts.side else "both",
        f"{facts.document['parameters']:,}",
        _interval(scores["accuracy"]),
        _interval(scores["accuracy_mirrored"]),
        _interval(scores["accuracy_mirrored_deduplicated"]),
        f"{scores['macro_f1']:.3f}",
        f"{scores['ece_after']:.3f}",
    ]
    return f"| {' | '.join(cells)} |"


def _recalls(facts: ModelFacts) -> str:
    per_class = _test(facts)["per_class"]
    return f"| {facts.title} | {' | '.join(f'{per_class[name]["recall"]:.1%}' for name in EMOTIONS)} |"


def _interval(measure: Mapping[str, float]) -> str:
    return f"{measure['value']:.1%} ({measure['low']:.1%} to {measure['high']:.1%})"


def _test(facts: ModelFacts) -> Mapping[str, Any]:
    return facts.scores["PrivateTest"]
