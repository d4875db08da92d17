"""Distillation (Hinton et al., 2015): targets mixed from the label and what finished networks say of the face."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femr.emotions import EMOTIONS
from femr.preprocessing import FACE_SIDE, Pixels
from femr.training import answers
from femr.training.augment import Augmentation, augment
from femr.training.data import FaceData
from femr.training.prediction import input_range, load_file, predict
from femr.training.recipes import Recipe

OUT_OF_FOLD = "out_of_fold"
"""The name of the probabilities in a file that `femr.training.folds` makes."""

_MOVED = Augmentation(flip=0.0, rotation=5.0, zoom=0.08, shift=0.04)


def targets(
    labels: npt.NDArray[np.int64], recipe: Recipe, taught: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.float32]:
    """What the network is to say: float32 (n, 7), rows sum to 1. `taught`: the teachers' probabilities, or None."""
    hard = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    if taught is None:
        smooth = hard * (1 - recipe.label_smoothing) + recipe.label_smoothing / len(EMOTIONS)
        return np.asarray(smooth, np.float32)
    soft = taught ** (1 / recipe.teacher_temperature)
    soft /= soft.sum(axis=1, keepdims=True)
    return ((1 - recipe.teacher_weight) * hard + recipe.teacher_weight * soft).astype(np.float32)


def probabilities(teachers: Sequence[Path], faces: FaceData, seed: int) -> npt.NDArray[np.float32]:
    """The teachers' mean probabilities, float32 (n, 7).

    A .keras file is asked about each face and a slightly moved mirror image of it. An .npz file holds the out-of-fold
    probabilities that `femr.training.folds` made for these very faces. Raises: ModelError, DataError.
    """
    moved = np.ascontiguousarray(augment(faces.images, FACE_SIDE, _MOVED, np.random.default_rng(seed))[:, :, ::-1])
    found = [
        answers.read(path, faces, OUT_OF_FOLD)[0] if path.suffix == ".npz" else _ask(path, faces, moved)
        for path in teachers
    ]
    return np.asarray(np.mean(found, axis=0, dtype=np.float64), np.float32)


def _ask(path: Path, faces: FaceData, moved: Pixels) -> npt.NDArray[np.float32]:
    teacher = load_file(path)
    low, high = input_range(teacher, faces)
    both = predict(teacher, faces.images, low, high) + predict(teacher, moved, low, high)
    return np.asarray(both / 2, np.float32)
