"""What a run was made from and how it went: run.json, the source of the model's facts and the guard of --resume."""

import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import keras

from femr.errors import ModelError
from femr.expression.weights import sha256
from femr.training.checkpoint import replacing
from femr.training.data import FaceData
from femr.training.recipes import Recipe

Record: TypeAlias = dict[str, Any]

RECORD = "run.json"
_LIBRARIES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless")
_FIXED = ("network", "recipe", "seed", "data", "start", "teachers")


def describe(recipe: Recipe, seed: int, trained_on: Sequence[str], faces: FaceData, validation: FaceData) -> Record:
    """What the curve depends on: architecture, every knob, seed, data with row counts and hashes; and the machine."""
    return {
        "network": recipe.network,
        "recipe": json.loads(json.dumps(asdict(recipe))),
        "seed": seed,
        "trained_on": list(trained_on),
        "data": {
            "training": {"images": len(faces), "classes": list(faces.counts()), "sha256": faces.sha256()},
            "validation": {"images": len(validation), "sha256": validation.sha256()},
        },
        "backend": keras.backend.backend(),
        "versions": _versions(),
        "hardware": _hardware(),
    }


def origins(start: str | None, teachers: Sequence[Path], differences: Sequence[str]) -> Record:
    """Which files the run began from, by name and SHA-256, and how its data differ from FER2013."""
    return {
        "start": None if start is None else _named(Path(start)),
        "teachers": [_named(path) for path in teachers],
        "differences": list(differences),
    }


def check(folder: Path, facts: Record, resume: bool) -> None:
    """Return if the folder's run was begun with the same settings. Raises: ModelError, with what differs."""
    if not resume or not (folder / RECORD).exists():
        return
    before = read(folder)
    changed = [key for key in _FIXED if before.get(key) != facts[key]]
    if changed:
        raise ModelError(f"Expected the run's own settings to resume it. Received: another {', '.join(changed)}")


def write(
    folder: Path, facts: Record, history: Sequence[dict[str, float]], scores: dict[str, float] | None = None
) -> None:
    """Writes run.json. `scores`: the finished model's, on the validation faces; None while it runs."""
    seconds = round(sum(row["seconds"] for row in history), 1)
    document = facts | {
        "epochs": len(history),
        "seconds": seconds,
        "history": list(history),
        "validation_scores": scores,
    }
    with replacing(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def read(folder: Path) -> Record:
    """A folder's run.json. Raises: ModelError when it is missing or damaged."""
    try:
        document: Record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"Expected the folder of a training run. Received: one without a readable {RECORD}") from error
    return document


def finished(folder: Path) -> bool:
    """Whether the folder's run is done: its record has the result's scores."""
    return (folder / RECORD).is_file() and read(folder).get("validation_scores") is not None


def _named(path: Path) -> dict[str, str | None]:
    return {"name": path.name, "sha256": sha256(path) if path.is_file() else None}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue  # not installed: a backend that is not in use
    return found


def _hardware() -> str:
    """The processor's name and how many cores the run may use, for example "Intel Xeon, 2 cores"."""
    try:
        names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        names = []
    return f"{names[0] if names else platform.processor() or platform.machine()}, {os.cpu_count()} cores"
