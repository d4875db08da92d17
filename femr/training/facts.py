"""models/<name>.json, written from a finished run and its evaluation, never by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from femr import weights
from femr.emotions import EMOTIONS
from femr.errors import DataError, ModelError
from femr.training import data
from femr.training import record as records
from femr.training.checkpoint import replacing
from femr.training.evaluate import evaluate_loaded
from femr.training.prediction import load_file
from femr.training.run import FINAL

Facts: TypeAlias = dict[str, Any]

TITLES = {"custom_cnn": "Custom CNN", "mobilenet_v2": "MobileNetV2", "ensemble": "Ensemble of both"}
_SCORED = (data.PUBLIC_TEST, data.PRIVATE_TEST)
_RUN_KEYS = ("recipe", "seed", "data", "start", "teachers", "backend", "versions", "hardware", "epochs", "seconds")


def publish(run: Path, source: str | Path, force: bool = False) -> Path:
    """The path of the facts of a finished run, whose weights are now in models/, with their scores.

    The run must be better on PublicTest (mirrored average) than what is there, unless `force` is set. The ensemble's
    scores are then out of date: call `update_scores("ensemble", ...)`.
    Raises: ModelError if it is not better or not finished; DataError.
    """
    record = records.read(run)
    name = record["network"]
    if not (run / FINAL).is_file():
        raise ModelError("Expected a finished training run. Received: one without final.keras")
    splits = data.load(source)
    before = _public_accuracy(name)
    after = evaluate_loaded(str(run / FINAL), splits, data.PUBLIC_TEST)["accuracy_mirrored"]["value"]
    if not force and before is not None and after <= before:
        raise ModelError(f"Expected more than {before:.2%} on PublicTest to replace the model. Received: {after:.2%}")
    network = load_file(run / FINAL)
    files = weights.save_network(network, name, weights.MODELS_DIR)
    write(_skeleton(name, record, network.count_params()) | {"files": files})
    return _score(name, splits)


def update_scores(name: str, source: str | Path) -> Path:
    """The path of a model's facts, measured anew: temperature, threshold, scores. Raises: ModelError, DataError."""
    return _score(name, data.load(source))


def write(document: Mapping[str, Any]) -> Path:
    """The path of models/<name>.json, written. Raises: DataError when it cannot be."""
    path = weights.MODELS_DIR / f"{document['name']}.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def training_sentence(facts: Mapping[str, Any]) -> str:
    """How a model was trained, in two or three sentences for the model card, from its run's record."""
    recipe, images = facts["recipe"], facts["data"]["training"]["images"]
    sentence = (
        f"Recipe `{recipe['name']}`, {facts['epochs']} epochs of {images:,} faces, seed {facts['seed']}: "
        f"{recipe['optimizer']}, "
        f"rate {recipe['rate']:g} ({recipe['schedule']}), batches of {recipe['batch_size']}, {recipe['precision']}, in "
        f"{facts['seconds'] / 60:.0f} minutes on {facts['hardware']} "
        f"(Keras {facts['versions']['keras']}, {facts['backend']})."
    )
    if facts["start"]:
        sentence += f" It started from {facts['start']['name']}."
    if facts["teachers"]:
        names = ", ".join(teacher["name"] for teacher in facts["teachers"])
        sentence += f" {recipe['teacher_weight']:.0%} of its targets came from {names}."
    return " ".join([sentence, *facts.get("notes", [])])


def _skeleton(name: str, facts: Mapping[str, Any], parameters: int) -> Facts:
    """The facts of a run before its scores, with the neutral temperature that `update_scores` replaces."""
    recipe = facts["recipe"]
    return {
        "name": name,
        "title": TITLES[name],
        "labels": [str(emotion) for emotion in EMOTIONS],
        "input": {"side": recipe["side"], "low": recipe["low"], "high": recipe["high"]},
        "parameters": parameters,
        "files": {},
        "temperature": 1.0,
        "unsure_threshold": 0.0,
        "hub": {"repo": None, "revision": None},
        "training": training_sentence(facts),
        "trained_on": list(facts["trained_on"]),
        "run": {key: facts[key] for key in _RUN_KEYS} | {"notes": facts.get("notes", [])},
        "scores": {},
    }


def _score(name: str, splits: Mapping[str, data.FaceData]) -> Path:
    document = _read(name)
    reports = {split: evaluate_loaded(name, splits, split) for split in _SCORED}
    for key in ("temperature", "unsure_threshold"):
        document[key] = round(reports[data.PUBLIC_TEST][key], 4)
    return write(document | {"scores": reports})


def _public_accuracy(name: str) -> float | None:
    if not (weights.MODELS_DIR / f"{name}.json").is_file():
        return None
    measured = _read(name).get("scores", {}).get(data.PUBLIC_TEST, {}).get("accuracy_mirrored")
    return None if measured is None else float(measured["value"])


def _read(name: str) -> Facts:
    path = weights.MODELS_DIR / f"{name}.json"
    try:
        document: Facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"Expected the facts of a model. Received: none that can be read ({path.name})") from error
    return document
