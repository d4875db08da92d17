"""Out-of-fold teachers: what networks say of faces that they did not learn from.

A teacher that has seen a face repeats its label; one that has not tells what the face looks like. So Training is cut
into folds, one network learns from all folds but one, and tells of that one.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from femr.emotions import EMOTIONS
from femr.errors import ModelError
from femr.training import answers, data
from femr.training.data import FaceData
from femr.training.prediction import load_file, predict, predict_mirrored
from femr.training.record import read
from femr.training.teachers import OUT_OF_FOLD
from femr.training.train import Settings, train_loaded


def train_folds(network: str, source: str | Path, out: Path, folds: int, settings: Settings) -> Path:
    """The path of out_of_fold.npz: probabilities (n, 7) of Training's faces, for `train --teacher`.

    Each fold is a run of its own in out/fold-1, out/fold-2, ... and is validated on PublicTest, or on a fifth of its
    faces. With `settings.resume` finished folds are left as they are, and an interrupted one goes on.
    Raises: ModelError, DataError.
    """
    _check(folds, settings)
    splits = data.load(source)
    faces = data.training_faces(splits)
    fold = data.grouped_folds(faces, folds, settings.seed)
    found = np.empty((len(faces), len(EMOTIONS)), np.float32)
    for number in range(folds):
        print(f"Fold {number + 1} of {folds}")
        own = fold == number
        others = {**splits, data.TRAINING: faces[~own]}
        final = train_loaded(network, others, out / f"fold-{number + 1}", settings)
        found[own] = _ask(final, faces[own])
    path = out / f"{OUT_OF_FOLD}.npz"
    answers.write(path, faces, **{OUT_OF_FOLD: found})
    return path


def _ask(final: Path, faces: FaceData) -> npt.NDArray[np.float32]:
    """The mirrored average, as in inference."""
    recipe = read(final.parent)["recipe"]
    ranged = load_file(final), faces.images, recipe["low"], recipe["high"]
    return np.asarray((predict(*ranged) + predict_mirrored(*ranged)) / 2, np.float32)


def _check(folds: int, settings: Settings) -> None:
    if folds < 2:
        raise ModelError(f"Expected at least 2 folds. Received: {folds}")
    if settings.finish_on_public_test or settings.teachers or Path(settings.start or "").suffix == ".keras":
        raise ModelError("Expected folds without --finish, --teacher and a .keras --start, which know all faces.")
