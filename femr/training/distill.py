"""What the heads learn: labels and people's votes, mixed with soft labels of finished networks (distillation).

A trained network's probabilities tell more than a label, and even out the noise of ten votes (Hinton et al., 2015).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from femr.errors import ModelError
from femr.results import EMOTIONS
from femr.training.data import FaceData, vote_shares
from femr.training.network import input_format, load_file, predict
from femr.training.recipes import Recipe

Targets: TypeAlias = npt.NDArray[np.float32]


def make_targets(faces: FaceData, recipe: Recipe, soft: Targets | None) -> Targets:
    """Both heads' target probabilities, float32 (n, 2, 7), the label head's first.

    Rows sum to 1, but for zeros, which give no loss: people's shares where too few voted, or all without votes.

    Args:
        soft: Soft labels (n, 2, 7), or None.
    """
    hard = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels]
    people = np.zeros_like(hard) if faces.votes is None else vote_shares(faces.votes)
    if soft is None:
        labels = hard * (1 - recipe.label_smoothing) + recipe.label_smoothing / len(EMOTIONS)
        return np.stack([labels, people], axis=1).astype(np.float32)
    both = np.stack([hard, people], axis=1)
    mixed = (1 - recipe.teacher_weight) * both + recipe.teacher_weight * soft
    return np.asarray(mixed * both.any(axis=2, keepdims=True), np.float32)


def soft_labels(teachers: Sequence[Path], faces: FaceData) -> Targets:
    """The mean predictions of finished networks, .keras files: float32 (n, 2, 7), labels first.

    Raises:
        ModelError: For a file that cannot be read, or lacks a people head where the data have votes.
    """
    predictions = [_predict(path, faces) for path in teachers]
    return np.asarray(np.mean(predictions, axis=0, dtype=np.float64), np.float32)


def _predict(path: Path, faces: FaceData) -> Targets:
    teacher = load_file(path)
    if len(teacher.outputs) == 1 and faces.votes is not None:
        raise ModelError(f"Expected teachers with a people head, as the data has votes. Received: {path.name}")
    return np.stack(predict(teacher, faces.images, *input_format(teacher, faces)), axis=1)
