"""models/<name>.json: what is written there of a run before it is measured, never by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from femr.errors import DataError
from femr.expression import weights
from femr.results import EMOTIONS
from femr.training import data
from femr.training.checkpoint import replacing
from femr.training.run import FINAL

Facts: TypeAlias = dict[str, Any]

TITLES = {"custom_cnn": "Custom CNN", "mobilenet_v2": "MobileNetV2", "ensemble": "Ensemble of both"}
ENSEMBLE, MEMBERS = "ensemble", ("custom_cnn", "mobilenet_v2")
RUN_KEYS = ("recipe", "seed", "data", "start", "teachers", "backend", "versions", "hardware", "epochs", "seconds")
"""What is kept of a run's record, besides its notes and history."""
_UNTUNED = {"calibration": {"temperature": 1.0, "balance": 0.0}, "label_temperature": 1.0, "unsure_threshold": 0.0}


def add_notes(name: str, *notes: str) -> Path:
    """The path of a model's facts, with sentences on its run that the record lacks. Raises: DataError."""
    document = read(name)
    run = document["run"]
    run["notes"] = [*run["notes"], *(note for note in notes if note not in run["notes"])]
    return write(document | {"training": training_sentence(run)})


def write(document: Mapping[str, Any]) -> Path:
    """The path of models/<name>.json, written. Raises: DataError when it cannot be."""
    return write_json(path_of(document["name"]), document)


def write_json(path: Path, document: Mapping[str, Any]) -> Path:
    """The path, written. Raises: DataError when it cannot be."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def picture_folder(name: str) -> Path:
    """Where the pictures of a model lie that the card shows."""
    return weights.MODELS_DIR / "pictures" / name


def training_sentence(facts: Mapping[str, Any]) -> str:
    """How a model was trained, in a few sentences for the model card, from its run's record and notes.

    For a finished model that is the earlier run, then the finish on Training and PublicTest.
    """
    recipe, images = facts["recipe"], facts["data"]["training"]["images"]
    sentence = (
        f"Recipe `{recipe['name']}`, {facts['epochs']} epochs of {images:,} faces, seed {facts['seed']}: "
        f"{recipe['optimizer']}, "
        f"rate {recipe['rate']:g} ({recipe['schedule']}), batches of {recipe['batch_size']}, {recipe['precision']}, in "
        f"{facts['seconds'] / 60:.0f} minutes on {facts['hardware']} "
        f"(Keras {facts['versions']['keras']}, {facts['backend']})."
    )
    early = round(recipe.get("early_part", 0) * recipe["epochs"])  # older records know no early_part
    if early:
        sentence += f" The first {early} epochs saw faces of {recipe['early_side']} pixels instead of {recipe['side']}."
    if facts["start"]:
        name = facts["start"]["name"]
        sentence += f" It started from {'the end of an earlier run' if name == FINAL else name}."
    if facts["teachers"]:
        sentence += f" {100 * recipe['teacher_weight']:.0f} % of its targets came from {_teachers(facts['teachers'])}."
    sentence = " ".join([sentence, *facts.get("notes", [])])
    if "before" in facts:
        return f"{training_sentence(facts['before'])} Then a finish on Training and PublicTest together. {sentence}"
    return sentence


def _teachers(teachers: Sequence[Mapping[str, Any]]) -> str:
    """How many they are, and the files' names unless one tells no more than that a run ended there."""
    names = [teacher["name"] for teacher in teachers]
    count = "one teacher" if len(names) == 1 else f"{len(names)} teachers"
    return count if FINAL in names else f"{count} ({', '.join(names)})"


def skeleton(name: str, facts: Mapping[str, Any], parameters: int, people_parameters: int) -> Facts:
    """The facts of a run before its scores, neither tuned nor measured.

    Args: `parameters`, of the network up to its label head; `people_parameters`, of its people head.
    """
    recipe = facts["recipe"]
    return {
        "name": name,
        "title": TITLES[name],
        "labels": [str(emotion) for emotion in EMOTIONS],
        "input": {"side": recipe["side"], "low": recipe["low"], "high": recipe["high"]},
        "parameters": parameters,
        "people_parameters": people_parameters,
        "files": {},
        **_UNTUNED,
        "hub": {"repo": None, "revision": None},
        "training": training_sentence(facts),
        "trained_on": list(facts["trained_on"]),
        "run": _run(facts),
        "scores": {},
    }


def _run(facts: Mapping[str, Any]) -> Facts:
    """What the facts keep of a run's record, and of the run that it finished."""
    kept = {key: facts[key] for key in RUN_KEYS} | {"notes": facts.get("notes", []), "history": facts["history"]}
    return kept | ({"before": _run(facts["before"])} if "before" in facts else {})


def ensemble() -> Facts:
    """The ensemble's facts before its scores, from those of its members."""
    members = [read(name) for name in MEMBERS]
    learned = {split for member in members for split in member.get("trained_on", (data.TRAINING,))}
    titles = " and ".join(member["title"] for member in members)
    return {
        "name": ENSEMBLE,
        "title": TITLES[ENSEMBLE],
        "labels": members[0]["labels"],
        "members": list(MEMBERS),
        "parameters": sum(member["parameters"] for member in members),
        "people_parameters": sum(member.get("people_parameters", 0) for member in members),
        "files": {},
        **_UNTUNED,
        "training": f"The mean of the probabilities of {titles}; nothing was trained for it.",
        "trained_on": [split for split in data.SPLITS if split in learned],
        "scores": {},
    }


def read(name: str) -> Facts:
    """A model's facts as they are written. Raises: DataError if there are none."""
    path = path_of(name)
    try:
        document: Facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"Expected the facts of a model. Received: none that can be read ({path.name})") from error
    return document


def path_of(name: str) -> Path:
    """Where a model's facts are."""
    return weights.MODELS_DIR / f"{name}.json"
