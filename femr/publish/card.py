"""The model card: card.md filled in from the models' configs, so that they cannot disagree.

One of all models, models/README.md, and one for each network's repository on the Hub.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

from femr.expression.facts import (
    ClassScores,
    Interval,
    Measured,
    Measures,
    ModelFacts,
    PeopleMeasures,
    PhotoMeasures,
    Stored,
)
from femr.expression.weights import MODEL_NAMES, read_facts
from femr.publish.text import LABEL_ACCURACIES, LABEL_MEASURES, PEOPLE_MEASURES, PEOPLE_SHARES, PHOTO_SHARES
from femr.results import EMOTIONS

Facts: TypeAlias = Sequence[ModelFacts]
Cells: TypeAlias = dict[str, str]
"""A column of a table: label → what stands there."""

NOT_MEASURED = "not measured"

_PRIVATE, _PUBLIC = "PrivateTest", "PublicTest"
_TEMPLATE = Path(__file__).with_name("card.md")
_CLAIMED = {"custom_cnn": 0.675, "mobilenet_v2": 0.75}
"""What the reference work reports, without saying on which faces."""
_PEOPLE_FACES = {
    "images": "faces with votes",
    "images_majority": "faces on which over half agree",
    "images_ferplus": "faces with a majority by FER+'s own rule",
}
_PICTURES = {
    "people_confusion_matrix": "people: what is taken for what",
    "confusion_matrix": "labels: what is taken for what",
    "reliability": "how many people are said to agree, and how many do",
    "risk_coverage": "leaving out unsure faces",
    "balances": "what each balance gives",
    "curves": "training",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceRun(Stored):
    """What is kept of a run by the reference work's recipe."""

    network: str
    title: str
    recipe: Mapping[str, Any]
    epochs: int
    seconds: float
    history: list[Mapping[str, float]]
    validation_scores: Mapping[str, float]
    scores: dict[str, Measures]
    notes: list[str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """The run in a file of `reference_runs`."""
        return cls.from_dict(json.loads(path.read_text(encoding="utf-8")))


def write_card(folder: Path) -> None:
    """Writes README.md beside the configs."""
    (folder / "README.md").write_text(card_of(folder), encoding="utf-8")


def card_of(folder: Path) -> str:
    """The card of the models whose configs, pictures and reference runs lie in a folder. Raises ModelError."""
    facts = [read_facts(folder / f"{name}.json") for name in MODEL_NAMES]
    return model_card(facts, pictures(folder), list(map(ReferenceRun.read, reference_runs(folder))))


def network_card(folder: Path, name: str, repo: str, space: str | None = None) -> str:
    """The card of one network's repository. Args: as for `card_of` and `model_card`. Raises ModelError."""
    runs = [run for run in map(ReferenceRun.read, reference_runs(folder)) if run.network == name]
    return model_card([read_facts(folder / f"{name}.json")], pictures(folder), runs, repo, space)


def pictures(folder: Path) -> list[str]:
    """The charts that the card shows, as paths from the folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.glob("pictures/*/*.png"))


def reference_runs(folder: Path) -> list[Path]:
    """What is kept of the runs by the reference work's recipe, one file a network."""
    return sorted(folder.glob("reference/*.json"))


def model_card(
    facts: Facts,
    shown: Sequence[str] = (),
    references: Sequence[ReferenceRun] = (),
    repo: str | None = None,
    space: str | None = None,
) -> str:
    """The card in Markdown, with the Hub's front matter: licence, tags and the measured scores as a model-index.

    The Hub's newer form, files in .eval_results/, takes registered benchmarks only, and FER2013 is none.

    Args:
        shown: Paths of pictures from the card's folder.
        references: Runs by the reference work's recipe.
        repo: The Hub repository of a single network; None for the card of all.
        space: The Space where it can be tried.
    """
    from jinja2 import Environment, StrictUndefined

    # Markdown, of figures and of words of our own: nothing to escape
    text = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(
        _TEMPLATE.read_text(encoding="utf-8")
    )
    content = _content(facts, shown, references) | {"repo": repo, "space": space, "one": facts[0]}
    return f"---\n{_front_matter(facts, repo)}\n---\n\n{text.render(content)}"


def _front_matter(facts: Facts, repo: str | None) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    results = [
        EvalResult(
            task_type="image-classification",
            task_name="Facial expression recognition",
            dataset_type="fer2013",
            dataset_name="FER2013",
            dataset_split=_PRIVATE,
            metric_type=metric,
            metric_name=f"{one.title}: {label}",
            metric_value=value,
        )
        for one in facts
        for metric, label, value in _headline(one)
    ]
    data = ModelCardData(
        model_name=f"femr {facts[0].title}" if repo else "femr",
        language="en",
        license="mit",
        library_name="keras",
        pipeline_tag="image-classification",
        tags=["facial-expression-recognition", "emotion", "fer2013", "keras", "onnx"],
        eval_results=results or None,
    )
    return data.to_yaml()


def _content(facts: Facts, shown: Sequence[str], references: Sequence[ReferenceRun]) -> dict[str, Any]:
    """What the template shows."""
    tables = {
        "people_private": _people_table(facts, _PRIVATE),
        "people_public": _people_table(facts, _PUBLIC),
        "people_recalls": _recalls(facts, [_people(one, _PRIVATE) for one in facts]),
        "private": _label_table(facts, _PRIVATE),
        "public": _label_table(facts, _PUBLIC),
        "recalls": _recalls(facts, [one.scores.get(_PRIVATE) for one in facts]),
        "limits": _limits(facts),
    }
    photos = list(dict.fromkeys(part for one in facts for part in one.photos))
    balances = next((one.balances for one in facts if one.balances), {})
    return {
        "expressions": ", ".join(EMOTIONS),
        "summary": _table(facts, map(_summary, facts)),
        **{name: table or "Not measured yet." for name, table in tables.items()},
        "calibrated_before": ", ".join(one.title for one in facts if {_PUBLIC} <= {*one.scores} & {*one.trained_on}),
        "photos": _table(facts, [_photo_column(one, photos) for one in facts]),
        "photo_recalls": [
            (_joined(*part), _recalls(facts, [one.photos.get(part) for one in facts])) for part in photos
        ],
        "balances": _table(facts, [_balance_column(one, balances) for one in facts]),
        "balance_data": "; then on ".join(next(iter(balances.values()), ())),
        "pictures": _picture_table(facts, shown),
        "training": "\n\n".join(f"**{one.title}.** {one.training}" for one in facts if one.training),
        "reference": references and _reference_table(references, shown),
        "reference_notes": [f"{run.title}: {' '.join(run.notes)}" for run in references if run.notes],
    }


def _headline(facts: ModelFacts) -> Iterator[tuple[str, str, float]]:
    """What the model-index tells of a model: metric's type, its name, its value."""
    scores, people = facts.scores.get(_PRIVATE), _people(facts, _PRIVATE)
    found = [("accuracy", label, getattr(scores, key, None)) for key, label in LABEL_ACCURACIES.items()]
    found.append(("f1", LABEL_MEASURES["macro_f1"], scores and scores.macro_f1))
    found.append(("accuracy", "people, FER+ majorities", people and people.accuracy))
    found.append(("accuracy", "people, FER+'s own rule", people and people.accuracy_ferplus))
    for metric, label, measure in found:
        value = _value(measure)
        if value is not None:
            yield metric, label, value


def _summary(one: ModelFacts) -> Cells:
    """What a model is."""
    return {
        "name": f"`{one.name}`",
        "input": f"{one.side}×{one.side}" if one.side else "both",
        "parameters, up to the label head": _count(one.parameters),
        "parameters of the people head": _count(one.people_parameters),
        "people: temperature": f"{one.calibration.temperature:.2f}",
        "people: balance": f"{one.calibration.balance:g}",
        "people: unsure below": f"{100 * one.unsure_threshold:.0f} %",
        "labels: temperature": f"{one.label_temperature:.2f}",
    }


def _label_table(facts: Facts, split: str) -> str | None:
    """The label head's scores on one split; None if nothing was measured there."""

    def column(one: ModelFacts) -> Cells:
        scores = one.scores.get(split)
        cells = _cells(scores, {"images": "faces"}, _count) | _cells(scores, LABEL_ACCURACIES, _percent)
        if split == _PRIVATE:
            cells["the reference work's accuracy"] = _percent(_CLAIMED[one.name]) if one.side else "none"
        told = {key: label for key, label in LABEL_MEASURES.items() if key != "ece_before"}
        return cells | _cells(scores, told, _plain)

    return _table(facts, map(column, facts)) if any(split in one.scores for one in facts) else None


def _people_table(facts: Facts, split: str) -> str | None:
    """The people head's scores on one split; None if nothing was measured there."""
    measured = [_people(one, split) for one in facts]
    columns = (
        _cells(one, _PEOPLE_FACES, _count) | _cells(one, PEOPLE_SHARES, _percent) | _cells(one, PEOPLE_MEASURES, _plain)
        for one in measured
    )
    return _table(facts, columns) if any(measured) else None


def _recalls(facts: Facts, measured: Sequence[Measured | None]) -> str | None:
    """The share of each expression's faces that is read right; None if nothing was measured."""
    classes = [one.per_class if one else {} for one in measured]
    counts = {emotion: scores.images for emotion, scores in next(filter(None, classes), {}).items()}

    def cell(known: Mapping[str, ClassScores], emotion: str) -> str:
        return _percent(known[emotion].recall if emotion in known else None) if counts[emotion] else "none"

    return _table(facts, [{f"{one} ({counts[one]:,})": cell(known, one) for one in counts} for known in classes])


def _photo_column(one: ModelFacts, parts: Sequence[tuple[str, str]]) -> Cells:
    """What was measured on photos, by where they are from."""
    cells = Cells()
    for part in parts:
        measured, title = one.photos.get(part), _joined(*part)
        cells |= _cells(measured, {"images": f"{title}: photos"}, _count)
        cells |= _cells(measured, {key: f"{title}: {label}" for key, label in PHOTO_SHARES.items()}, _percent)
    return cells


def _balance_column(one: ModelFacts, tried: Iterable[float]) -> Cells:
    """What each balance gives on each data set, the model's own in bold."""
    cells = Cells()
    for balance in tried:
        rows = one.balances.get(balance, {}).values()
        given = "; ".join(" / ".join(map(_points, row.shares)) for row in rows)
        own = given and balance == one.calibration.balance
        cells[f"{balance:g}"] = f"**{given}**" if own else given or NOT_MEASURED
    return cells


def _picture_table(facts: Facts, shown: Sequence[str]) -> str | None:
    """The pictures of each model, pictures/<model>/<kind>.png; None without any."""
    kinds = {kind: label for kind, label in _PICTURES.items() if any(name.endswith(f"/{kind}.png") for name in shown)}

    def cell(one: ModelFacts, kind: str) -> str:
        path = f"pictures/{one.name}/{kind}.png"
        return f"![{one.title}: {kinds[kind]}]({path})" if path in shown else ""

    return _table(facts, [{label: cell(one, kind) for kind, label in kinds.items()} for one in facts])


def _reference_table(runs: Sequence[ReferenceRun], shown: Sequence[str]) -> str | None:
    """The reference work's recipe, as its authors report it and as femr ran it."""
    paths = {run.title: f"pictures/{run.network}/reference_curves.png" for run in runs}
    curves = {title: f"![{title}: curves]({path})" for title, path in paths.items() if path in shown}

    def column(run: ReferenceRun) -> Cells:
        best = min(run.history, key=lambda row: row["val_loss"])["epoch"]
        cells = {
            "its authors' accuracy": _percent(_CLAIMED[run.network]),
            **_cells(run.scores[_PRIVATE], LABEL_ACCURACIES, _percent),
            "accuracy on the held-out fifth of Training": _percent(run.validation_scores["val_accuracy"]),
            "epochs": f"{run.epochs} of {run.recipe['epochs']}, the best {best}",
            "minutes": f"{run.seconds / 60:.0f}",
        }
        if curves:
            cells["curves"] = curves.get(run.title, "")
        return cells

    return _table(runs, map(column, runs))


def _limits(facts: Facts) -> str:
    """What each model finds least of, on PrivateTest's majorities and on photos; how much stays unsure."""
    told = list[str]()
    for one in facts:
        measured: dict[str, PeopleMeasures | PhotoMeasures | None] = {}
        measured["PrivateTest's majorities"] = _people(one, _PRIVATE)
        measured |= {f"{name}'s {part} photos": found for (name, part), found in one.photos.items() if part}
        said = [_least_found(where, found) for where, found in measured.items() if found]
        told += [f"**{one.title}.** {' '.join(said)}"] if said else []
    return "\n\n".join(told)


def _least_found(where: str, found: PeopleMeasures | PhotoMeasures) -> str:
    classes = {name: one for name, one in found.per_class.items() if one.images}
    worst = sorted(classes, key=lambda name: classes[name].recall)[:3]
    listed = ", ".join(f"{classes[name].recall:.0%} of {name} ({classes[name].images:,})" for name in worst)
    sure = "" if found.sure is None else f"; {found.sure:.0%} are read surely"
    return f"Of {where} it finds least of {listed}{sure}."


def _people(facts: ModelFacts, split: str) -> PeopleMeasures | None:
    return facts.scores[split].people if split in facts.scores else None


def _joined(name: str, part: str) -> str:
    return f"{name}, {part}" if part else name


def _value(measure: Interval | float | None) -> float | None:
    return measure.value if isinstance(measure, Interval) else measure


def _percent(measure: Interval | float | None) -> str:
    """A share, with its interval where it has one: "71.0 % (69.5 to 72.4)"."""
    share = _value(measure)
    if share is None:
        return NOT_MEASURED
    interval = f" ({100 * measure.low:.1f} to {100 * measure.high:.1f})" if isinstance(measure, Interval) else ""
    return f"{100 * share:.1f} %{interval}"


def _count(number: int | None) -> str:
    return NOT_MEASURED if number is None else f"{number:,}"


def _points(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.1f}"


def _plain(measure: Interval | float | None) -> str:
    found = _value(measure)
    return NOT_MEASURED if found is None else f"{found:.3f}"


def _cells(measured: Measured | None, labels: Mapping[str, str], show: Callable[[Any], str]) -> Cells:
    """A column's cells: each measure's label → the measure."""
    return {label: show(getattr(measured, key, None)) for key, label in labels.items()}


def _table(ones: Sequence[ModelFacts | ReferenceRun], columns: Iterable[Cells]) -> str | None:
    """A column a model or run, all with the same labels; None without any."""
    columns = list(columns)
    lines = [["", *(one.title for one in ones)], ["---"] * (len(ones) + 1)]
    lines += [[label, *(column[label] for column in columns)] for label in columns[0]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) if columns[0] else None
