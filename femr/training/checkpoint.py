"""A training run on disk: run.json says what it was made from, checkpoint.npz holds all the next epoch depends on.

A run that is resumed gives the same curve, bit by bit, as one that was never interrupted. Why the checkpoint is not
Keras' own, is in docs/decisions/training.md.
"""

import importlib.metadata
import json
import os
import platform
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from femr.errors import ModelError
from femr.files import replacing, sha256
from femr.training.data import TRAINING

Arrays: TypeAlias = list[npt.NDArray[Any]]
History: TypeAlias = list[dict[str, float]]
"""A row an epoch: epoch, rate, loss, accuracy, val_loss, val_accuracy, seconds; with votes val_people_accuracy, on the
faces on which over half of them agree."""

CONFIG, CHECKPOINT, CURVES = "run.json", "checkpoint.npz", "curves.png"
LATEST, FINAL, CALIBRATION = "latest.keras", "final.keras", "calibration.keras"
"""A run's networks: after the last epoch; finished; and, if it learned from PublicTest, the one that had not yet."""

_LIBRARIES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless")
_FIXED = ("network", "recipe", "seed", "data", "start", "teachers")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """What a run was made from and how it went, as in run.json. A run trained elsewhere may leave all but three out.

    network: its name. recipe: name and hyperparameters, as far as known. trained_on: the splits it learned from.
    data: training and validation faces, their numbers and SHA-256. start, teachers: files, by name and SHA-256.
    notes: sentences for the model card. validation_scores: of the finished network; None while it runs. before: the
    config of the run that it went on from, if that is known.
    """

    network: str
    recipe: Mapping[str, Any]
    trained_on: tuple[str, ...] = (TRAINING,)
    seed: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    start: Mapping[str, Any] | None = None
    teachers: tuple[Mapping[str, Any], ...] = ()
    backend: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    hardware: str | None = None
    epochs: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    history: tuple[Mapping[str, float], ...] = ()
    validation_scores: Mapping[str, float] | None = None
    before: Mapping[str, Any] | None = None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The config in a JSON document. Raises KeyError or TypeError without network or recipe."""
        known = {one.name: document[one.name] for one in fields(cls) if one.name in document}
        lists = {key: tuple(known[key]) for key in ("trained_on", "teachers", "notes", "history") if key in known}
        recipe = {"name": str(document["recipe"]["name"]), **document["recipe"]}
        return cls(**(known | lists | {"recipe": recipe}))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The config in a run's folder. Raises ModelError when it is missing or damaged."""
        try:
            return cls.from_dict(json.loads((folder / CONFIG).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"Expected a training run's folder. Received: one without a readable {CONFIG}") from error

    @classmethod
    def beside(cls, file: Path) -> Self | None:
        """The config of the run that a .keras file lies in; None if there is none."""
        return cls.read(file.parent) if (file.parent / CONFIG).is_file() else None

    def write(self, folder: Path) -> None:
        """Writes run.json."""
        with replacing(folder / CONFIG) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def check(self, earlier: "RunConfig") -> None:
        """Return if a run was begun with the same settings. Raises ModelError, with what differs."""
        before, now = (json.loads(json.dumps(asdict(one))) for one in (earlier, self))
        changed = [key for key in _FIXED if before[key] != now[key]]
        if changed:
            raise ModelError(f"Expected the run's own settings to resume it. Received: another {', '.join(changed)}")


def write_checkpoint(path: Path, variables: Arrays, history: History) -> None:
    """Writes all variables and the history in the old ones' place. Raises DataError if it cannot; the old ones stay."""
    with replacing(path, "Finished epochs are kept.") as temporary, temporary.open("wb") as file:
        np.savez(file, *variables, allow_pickle=False, history=json.dumps(history))
        file.flush()
        os.fsync(file.fileno())


def read_checkpoint(path: Path) -> tuple[Arrays, History]:
    """The variables and the history in a file. Raises ModelError when it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            variables = [file[f"arr_{number}"] for number in range(len(file.files) - 1)]
            return variables, json.loads(file["history"].item())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"Expected a checkpoint of a training run. Received: a damaged file ({path.name})") from error


def file_id(path: Path) -> dict[str, str | None]:
    """A file by its name and SHA-256; None for what is no file, such as "imagenet"."""
    return {"name": path.name, "sha256": sha256(path) if path.is_file() else None}


def values(variables: Sequence[keras.Variable]) -> Arrays:
    """The variables' values, copied."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def assign(variables: Sequence[keras.Variable], arrays: Arrays) -> None:
    """Sets the variables. Raises ModelError when number or shapes differ: a checkpoint of something else."""
    if [tuple(variable.shape) for variable in variables] != [array.shape for array in arrays]:
        raise ModelError("Expected a checkpoint of this network and optimizer. Received: one of others")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def machine() -> dict[str, Any]:
    """What a run is made with, as RunConfig has it: backend, versions, processor ("Intel Xeon, 2 cores")."""
    known = {one.name: one.version for one in importlib.metadata.distributions()}
    versions = {"python": platform.python_version()} | {name: known[name] for name in _LIBRARIES if name in known}
    linux = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", linux.read_text(encoding="utf-8") if linux.is_file() else "")
    hardware = f"{[*names, platform.processor() or platform.machine()][0]}, {os.cpu_count()} cores"
    return {"backend": keras.backend.backend(), "versions": versions, "hardware": hardware}
