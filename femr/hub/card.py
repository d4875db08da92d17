"""The model card, models/README.md, made from the models' facts so that the two cannot disagree."""

import json
from collections.abc import Sequence
from pathlib import Path

from femr.emotions import EMOTIONS
from femr.hub import card_tables as tables
from femr.hub.card_tables import Reference
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
{reference}
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

_PICTURES = """
### Pictures, on PrivateTest

{table}
"""
_REFERENCE = """
### The reference work's recipe, run again

One run each of the recipe that femr set out to better: a fifth of Training held out, Adam at 0.001, batches of 128, no
augmentation, the epoch of the least validation loss. PrivateTest, unless said otherwise. The weights were not kept;
`python -m femr train NETWORK --data PATH --recipe reference` makes them anew.

{table}
{notes}"""


def write_card(folder: Path) -> None:
    """Write README.md beside the facts. Raises: ModelError, OSError."""
    (folder / "README.md").write_text(card_of(folder), encoding="utf-8")


def card_of(folder: Path) -> str:
    """The card of the models whose facts, pictures and reference runs lie in a folder. Raises: ModelError."""
    facts = [read_facts(folder / f"{name}.json") for name in MODEL_NAMES]
    return model_card(facts, pictures(folder), [json.loads(path.read_text()) for path in reference_runs(folder)])


def pictures(folder: Path) -> list[str]:
    """The charts that the card shows, as paths from the folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("pictures/*/*.png"))


def reference_runs(folder: Path) -> list[Path]:
    """What is kept of the runs by the reference's recipe, one file a network."""
    return sorted(folder.glob("reference/*.json"))


def model_card(facts: Sequence[ModelFacts], shown: Sequence[str] = (), references: Sequence[Reference] = ()) -> str:
    """The card in Markdown, with the Hub's front matter: licence, tags and the measured scores as a model-index.

    Args: `shown`, paths of pictures from the card's folder. `references`, runs by the reference's recipe.
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
    return f"---\n{data.to_yaml()}\n---\n\n{_body(facts, shown, references)}"


def _metrics(facts: ModelFacts) -> list[tuple[str, str, float]]:
    """What the model-index tells of a model: metric's type, its name, its value."""
    scores = tables.scores(facts, "PrivateTest")
    found = [("accuracy", label, tables.value(scores.get(key))) for key, label in tables.ACCURACIES.items()]
    found.append(("f1", tables.MEASURES["macro_f1"], tables.value(scores.get("macro_f1"))))
    return [(metric, label, value) for metric, label, value in found if value is not None]


def _body(facts: Sequence[ModelFacts], shown: Sequence[str], references: Sequence[Reference]) -> str:
    trained = [f"**{one.title}.** {one.document['training']}" for one in facts if "training" in one.document]
    missing = "Not measured yet."
    return _TEXT.format(
        expressions=", ".join(EMOTIONS),
        summary=tables.summary(facts),
        private=tables.split_scores(facts, "PrivateTest") or missing,
        public=tables.split_scores(facts, "PublicTest") or missing,
        finished=_finished(facts),
        recalls=tables.recalls(facts) or missing,
        adjusted=_section(_ADJUSTED, tables.prior_adjustments(facts)),
        pictures=_section(_PICTURES, tables.pictures(facts, shown)),
        training="\n\n".join(trained) or "Not recorded.",
        reference=_reference(references, shown),
    )


def _section(text: str, table: str | None) -> str:
    return text.format(table=table) if table else ""


def _reference(runs: Sequence[Reference], shown: Sequence[str]) -> str:
    if not runs:
        return ""
    notes = "".join(f"\n{run['title']}: {' '.join(run['notes'])}\n" for run in runs if run["notes"])
    return _REFERENCE.format(table=tables.references(runs, shown), notes=notes)


def _finished(facts: Sequence[ModelFacts]) -> str:
    """Whose PublicTest scores are not those of the published weights; empty if all are."""
    titles = [one.title for one in facts if tables.scores(one, "PublicTest").get("measured_with")]
    if not titles:
        return ""
    return (
        f"\n{', '.join(titles)}: these scores, temperature and threshold are of the weights before the finish, in "
        "which\nthe published weights learned from PublicTest too. What the finish gave shows on PrivateTest.\n"
    )
