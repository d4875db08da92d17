"""models/<name>.json, written from a finished run and its evaluation, never by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from femr import weights
from femr.emotions import EMOTIONS
from femr.errors import DataError, ModelError
from femr.training import data, finish, metrics, plots
from femr.training import record as records
from femr.training.checkpoint import replacing
from femr.training.evaluate import BEFORE_THE_FINISH, evaluate_loaded, prior_adjustments
from femr.training.models import find_model
from femr.training.prediction import load_file
from femr.training.run import CURVES, FINAL

Facts: TypeAlias = dict[str, Any]

TITLES = {"custom_cnn": "Custom CNN", "mobilenet_v2": "MobileNetV2", "ensemble": "Ensemble of both"}
ENSEMBLE, MEMBERS = "ensemble", ("custom_cnn", "mobilenet_v2")
_SCORED = (data.PUBLIC_TEST, data.PRIVATE_TEST)
_RUN_KEYS = ("recipe", "seed", "data", "start", "teachers", "backend", "versions", "hardware", "epochs", "seconds")


def publish(run: Path, source: str | Path, force: bool = False, before: Path | None = None) -> Path:
    """The path of the facts of a finished run, whose weights are now in models/, with their scores.

    The run must be better on PublicTest (mirrored average) than what is there, unless `force` is set, or it finishes
    the very run that is there. The ensemble's scores are then out of date: call `update_scores("ensemble", ...)`.

    Args: `before`, the run that this one finished with PublicTest, see `femr.training.finish`: its weights are the ones
        that are compared, tuned and measured on PublicTest.
    Raises: ModelError if it is not better or not finished; DataError.
    """
    record = records.read(run)
    name = record["network"]
    if not (run / FINAL).is_file():
        raise ModelError("Expected a finished training run. Received: one without final.keras")
    earlier = finish.earlier(record, before)
    splits = data.load(source)
    public = data.split_named(splits, data.PUBLIC_TEST)
    judged = before if earlier and before else run
    looks = finish.Remembered(*find_model(str(judged / FINAL), public).look(public.images))
    if not (force or _is_published(name, earlier)):
        _check_better(name, metrics.accuracy(looks.plain + looks.mirrored, public.labels))
    network = load_file(run / FINAL)
    files = weights.save_network(network, name, weights.MODELS_DIR)
    document = _skeleton(name, record | ({"before": earlier} if earlier else {}), network.count_params())
    document |= {"files": files}
    if judged is run:
        finish.forget(name)
    else:
        document |= finish.remember(name, judged, looks, public)
    write(document)
    return _score(document, splits)


def update_scores(name: str, source: str | Path) -> Path:
    """The path of a model's facts, measured anew: temperature, threshold, scores. Raises: ModelError, DataError.

    The ensemble's facts are made wholly anew, from those of its members.
    """
    splits = data.load(source)
    if name != ENSEMBLE:
        return _score(_read(name), splits)
    if not _path(name).is_file():
        write(_ensemble())
    return _score(_ensemble(), splits)


def add_notes(name: str, *notes: str) -> Path:
    """The path of a model's facts, with sentences on its run that the record lacks. Raises: DataError."""
    document = _read(name)
    run = document["run"]
    run["notes"] = [*run["notes"], *(note for note in notes if note not in run["notes"])]
    return write(document | {"training": training_sentence(run)})


def write(document: Mapping[str, Any]) -> Path:
    """The path of models/<name>.json, written. Raises: DataError when it cannot be."""
    return write_json(_path(document["name"]), document)


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
        "run": _run(facts),
        "scores": {},
    }


def _run(facts: Mapping[str, Any]) -> Facts:
    """What the facts keep of a run's record, and of the run that it finished."""
    kept = {key: facts[key] for key in _RUN_KEYS} | {"notes": facts.get("notes", []), "history": facts["history"]}
    return kept | ({"before": _run(facts["before"])} if "before" in facts else {})


def _ensemble() -> Facts:
    """The ensemble's facts before its scores, from those of its members."""
    members = [_read(name) for name in MEMBERS]
    learned = {split for member in members for split in member.get("trained_on", (data.TRAINING,))}
    titles = " and ".join(member["title"] for member in members)
    return {
        "name": ENSEMBLE,
        "title": TITLES[ENSEMBLE],
        "labels": members[0]["labels"],
        "members": list(MEMBERS),
        "parameters": sum(member["parameters"] for member in members),
        "files": {},
        "temperature": 1.0,
        "unsure_threshold": 0.0,
        "training": f"The mean of the probabilities of {titles}; nothing was trained for it.",
        "trained_on": [split for split in data.SPLITS if split in learned],
        "scores": {},
    }


def _is_published(name: str, run: records.Record | None) -> bool:
    """Whether the model in models/ is of that very run, or of a finish of it."""
    if run is None or not _path(name).is_file():
        return False
    known = _read(name).get("run", {})
    known = known.get("before", known)
    return all(known.get(key) == run[key] for key in _RUN_KEYS)


def _check_better(name: str, after: float) -> None:
    """Return if an accuracy on PublicTest is better than the published model's. Raises: ModelError."""
    before = _public_accuracy(name)
    if before is not None and after <= before:
        raise ModelError(f"Expected more than {before:.2%} on PublicTest to replace the model. Received: {after:.2%}")


def _score(document: Mapping[str, Any], splits: Mapping[str, data.FaceData]) -> Path:
    """Measures a model whose facts are written, and writes them anew with its scores, temperature and threshold."""
    name = document["name"]
    pictures = picture_folder(name) if plots.available() else None
    scores = {
        split: evaluate_loaded(name, splits, split, pictures if split == data.PRIVATE_TEST else None)
        for split in _SCORED
    }
    if pictures and "run" in document:
        run = document["run"]
        plots.draw_curves(run.get("before", run)["history"], pictures / CURVES)
    public = scores[data.PUBLIC_TEST]
    if public.get("measured_with", BEFORE_THE_FINISH) != BEFORE_THE_FINISH:
        raise DataError(f"Expected what {name} said of these faces before its finish. Received: nothing known of it")
    tuned = {key: round(public[key], 4) for key in ("temperature", "unsure_threshold")}
    return write({**document, **tuned, "scores": scores, "prior_adjustments": prior_adjustments(name, splits)})


def _public_accuracy(name: str) -> float | None:
    if not _path(name).is_file():
        return None
    measured = _read(name).get("scores", {}).get(data.PUBLIC_TEST, {}).get("accuracy_mirrored")
    return None if measured is None else float(measured["value"])


def _path(name: str) -> Path:
    return weights.MODELS_DIR / f"{name}.json"


def _read(name: str) -> Facts:
    path = _path(name)
    try:
        document: Facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"Expected the facts of a model. Received: none that can be read ({path.name})") from error
    return document
