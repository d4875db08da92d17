"""A training run on disk: all that the next epoch depends on, in one file that is never half written."""

import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from femr.errors import DataError, ModelError

Arrays: TypeAlias = list[npt.NDArray[Any]]

_PREFIX = ".writing-"
_READABLE = 0o644  # mkstemp's own mode is for secrets


@dataclass(frozen=True, eq=False, slots=True)
class Checkpoint:
    """The state after a finished epoch: the model's variables, the optimizer's, and what JSON can hold."""

    model: Arrays
    optimizer: Arrays
    state: dict[str, Any]


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Put the checkpoint in the old one's place. Raises: DataError if it cannot be written; the old one stays."""
    arrays = {f"model_{number}": array for number, array in enumerate(checkpoint.model)}
    arrays |= {f"optimizer_{number}": array for number, array in enumerate(checkpoint.optimizer)}
    state = np.frombuffer(json.dumps(checkpoint.state).encode(), np.uint8)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, state=state, **arrays)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Checkpoint:
    """The checkpoint in a file. Raises: ModelError when it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            state = json.loads(file["state"].tobytes())
            return Checkpoint(_numbered(file, "model"), _numbered(file, "optimizer"), state)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelError(f"Expected a checkpoint of a training run. Received: a damaged file ({path.name})") from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder, moved onto `path` when the block succeeds and removed when it does not.

    Raises: DataError when the disk is full or the folder cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise DataError(f"{path.name} cannot be written: {error.strerror}. Finished epochs are kept") from error
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(_READABLE)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path.name} cannot be written: {error.strerror}. Finished epochs are kept") from error
    finally:
        temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> Path:
    """The folder, made if need be. Raises: DataError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"The folder {folder.name} cannot be made: {error.strerror}.") from error
    return folder


def clean(folder: Path) -> None:
    """Removes what an interrupted `replacing` left in a folder."""
    for path in folder.glob(f"{_PREFIX}*"):
        path.unlink()


def values(variables: Sequence[keras.Variable]) -> Arrays:
    """The variables' values, copied."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def assign(variables: Sequence[keras.Variable], arrays: Arrays) -> None:
    """Sets the variables. Raises: ModelError when number or shapes differ: a checkpoint of something else."""
    if [tuple(variable.shape) for variable in variables] != [array.shape for array in arrays]:
        raise ModelError("Expected a checkpoint of this network and optimizer. Received: one of others")
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _numbered(file: Any, part: str) -> Arrays:
    count = sum(name.startswith(f"{part}_") for name in file.files)
    return [file[f"{part}_{number}"] for number in range(count)]
