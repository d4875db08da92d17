"""Distillation (Hinton et al., 2015): targets mixed from the label and what finished networks say of the face."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femr.emotions import EMOTIONS
from femr.preprocessing import FACE_SIDE
from femr.training.augment import Augmentation, augment
from femr.training.data import FaceData
from femr.training.prediction import input_range, load_file, predict
from femr.training.recipes import Recipe

_MOVED = Augmentation(flip=0.0, rotation=5.0, zoom=0.08, shift=0.04)


def targets(
    labels: npt.NDArray[np.int64], recipe: Recipe, taught: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.float32]:
    """What the network is to say: float32 (n, 7), rows sum to 1. `taught`: the teachers' probabilities, or None."""
    hard = np.eye(len(EMOTIONS), dtype=np.float32)[labels]
    hard = hard * (1 - recipe.label_smoothing) + recipe.label_smoothing / len(EMOTIONS)
    if taught is None:
        return hard.astype(np.float32)
    soft = taught ** (1 / recipe.teacher_temperature)
    soft /= soft.sum(axis=1, keepdims=True)
    return ((1 - recipe.teacher_weight) * hard + recipe.teacher_weight * soft).astype(np.float32)


def probabilities(teachers: Sequence[Path], faces: FaceData, seed: int) -> npt.NDArray[np.float32]:
    """The teachers' mean probabilities, float32 (n, 7), over each face and a slightly moved mirror image of it."""
    moved = augment(faces.images, FACE_SIDE, _MOVED, np.random.default_rng(seed))
    total = np.zeros((len(faces), len(EMOTIONS)), np.float64)
    for path in teachers:
        teacher = load_file(path)
        low, high = input_range(teacher, faces)
        total += predict(teacher, faces.images, low, high)
        total += predict(teacher, np.ascontiguousarray(moved[:, :, ::-1]), low, high)
    return (total / (2 * len(teachers))).astype(np.float32)
