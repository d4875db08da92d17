"""The model card, models/README.md, made from the models' facts so that the two cannot disagree."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from femr.expression.weights import MODEL_NAMES, ModelFacts, read_facts
from femr.hub import card_tables as tables
from femr.hub import card_text
from femr.hub.card_tables import Reference
from femr.results import EMOTIONS


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
    scores, people = tables.scores(facts, "PrivateTest"), tables.people(facts, "PrivateTest")
    found = [("accuracy", label, tables.value(scores.get(key))) for key, label in card_text.ACCURACIES.items()]
    found.append(("f1", card_text.MEASURES["macro_f1"], tables.value(scores.get("macro_f1"))))
    found.append(("accuracy", "people, FER+ majorities", tables.value(people.get("accuracy"))))
    found.append(("accuracy", "people, FER+'s own rule", tables.value(people.get("accuracy_ferplus"))))
    return [(metric, label, value) for metric, label, value in found if value is not None]


def _body(facts: Sequence[ModelFacts], shown: Sequence[str], references: Sequence[Reference]) -> str:
    trained = [f"**{one.title}.** {one.document['training']}" for one in facts if "training" in one.document]
    missing = "Not measured yet."
    return card_text.TEXT.format(
        expressions=", ".join(EMOTIONS),
        summary=tables.summary(facts),
        people_private=tables.people_scores(facts, "PrivateTest") or missing,
        people_public=tables.people_scores(facts, "PublicTest") or missing,
        people_recalls=tables.recalls(facts, lambda one: tables.people(one, "PrivateTest")) or missing,
        private=tables.split_scores(facts, "PrivateTest") or missing,
        public=tables.split_scores(facts, "PublicTest") or missing,
        finished=_finished(facts),
        recalls=tables.recalls(facts, lambda one: tables.scores(one, "PrivateTest")) or missing,
        photos=_photos(facts),
        balanced=_balanced(facts),
        pictures=_section(card_text.PICTURES, tables.pictures(facts, shown)),
        training="\n\n".join(trained) or "Not recorded.",
        reference=_reference(references, shown),
        limits=_limits(facts),
    )


def _photos(facts: Sequence[ModelFacts]) -> str:
    table = tables.photos(facts)
    if table is None:
        return ""
    told = ""
    for name, part in tables.photo_parts(facts):
        recalls = tables.recalls(facts, partial(tables.photo_scores, name=name, part=part))
        told += card_text.PHOTO_RECALLS.format(title=f"{name}, {part}" if part else name, table=recalls)
    return card_text.PHOTOS.format(table=table, recalls=told)


def _balanced(facts: Sequence[ModelFacts]) -> str:
    table = tables.balances(facts)
    if table is None:
        return ""
    rows = next(one.document["balances"] for one in facts if one.document.get("balances"))
    return card_text.BALANCED.format(
        table=table, names="; then on ".join(name for name in rows[0] if name != "balance")
    )


def _limits(facts: Sequence[ModelFacts]) -> str:
    """What each model finds least of, on PrivateTest's majorities and on photos; how much stays unsure."""
    told = list[str]()
    for one in facts:
        measured = {"PrivateTest's majorities": tables.people(one, "PrivateTest")}
        for name, part in tables.photo_parts([one]):
            if part:
                measured[f"{name}'s {part} photos"] = tables.photo_scores(one, name, part)
        said = [_least_found(where, scores) for where, scores in measured.items() if scores]
        told += [f"**{one.title}.** {' '.join(said)}"] if said else []
    return "\n\n".join(told) or "Not measured yet."


def _least_found(where: str, scores: Mapping[str, Any]) -> str:
    classes = {name: found for name, found in scores["per_class"].items() if found["images"]}
    worst = sorted(classes, key=lambda name: float(classes[name]["recall"]))[:3]
    listed = ", ".join(f"{classes[name]['recall']:.0%} of {name} ({classes[name]['images']:,})" for name in worst)
    sure = f"; {scores['sure']:.0%} are read surely" if scores.get("sure") is not None else ""
    return f"Of {where} it finds least of {listed}{sure}."


def _section(text: str, table: str | None) -> str:
    return text.format(table=table) if table else ""


def _reference(runs: Sequence[Reference], shown: Sequence[str]) -> str:
    if not runs:
        return ""
    notes = "".join(f"\n{run['title']}: {' '.join(run['notes'])}\n" for run in runs if run["notes"])
    return card_text.REFERENCE.format(table=tables.references(runs, shown), notes=notes)


def _finished(facts: Sequence[ModelFacts]) -> str:
    """Whose PublicTest scores are not those of the published weights; empty if all are."""
    titles = [one.title for one in facts if tables.scores(one, "PublicTest").get("measured_with")]
    if not titles:
        return ""
    told = (
        f"\n{', '.join(titles)}: these scores, temperatures and thresholds are of the weights before the finish, in "
        "which\nthe published weights learned from PublicTest too. What the finish gave shows on PrivateTest.\n"
    )
    unknown = [one.title for one in facts if one.document.get("before", {}).get("recorded") is False]
    return told + (card_text.UNRECORDED.format(titles=", ".join(unknown)) if unknown else "")
