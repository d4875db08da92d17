"""What a network is to say of each face: the label and people's votes, mixed with what other networks say of it.

Distillation (Hinton et al., 2015): a finished network's probabilities tell more than a label, and even out the noise
of ten votes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from femr.errors import ModelError
from femr.results import EMOTIONS
from femr.training import votes
from femr.training.data import FaceData
from femr.training.prediction import input_range, load_file, predict
from femr.training.recipes import Recipe

Targets: TypeAlias = npt.NDArray[np.float32]


def targets(faces: FaceData, recipe: Recipe, taught: Targets | None) -> Targets:
    """What the two heads are to say: float32 (n, 2, 7), the label head's first.

    Rows sum to 1, but for zeros, which give no loss: people's shares where too few voted, or all without votes.
    Args: `taught`, the teachers' answers (n, 2, 7), or None.
    """
    hard = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels]
    people = np.zeros_like(hard) if faces.votes is None else votes.shares(faces.votes)
    if taught is None:
        labels = hard * (1 - recipe.label_smoothing) + recipe.label_smoothing / len(EMOTIONS)
        return np.stack([labels, people], axis=1).astype(np.float32)
    soft = taught ** (1 / recipe.teacher_temperature)
    soft /= soft.sum(axis=2, keepdims=True)
    mixed = (1 - recipe.teacher_weight) * np.stack([hard, people], axis=1) + recipe.teacher_weight * soft
    known = np.stack([hard, people], axis=1).any(axis=2, keepdims=True)
    return np.asarray(mixed * known, np.float32)


def answers(teachers: Sequence[Path], faces: FaceData) -> Targets:
    """The mean answers of finished networks, .keras files: float32 (n, 2, 7), labels first. Raises: ModelError."""
    found = [_ask(path, faces) for path in teachers]
    return np.asarray(np.mean(found, axis=0, dtype=np.float64), np.float32)


def _ask(path: Path, faces: FaceData) -> Targets:
    teacher = load_file(path)
    if len(teacher.outputs) == 1 and faces.votes is not None:
        raise ModelError(f"Expected teachers with a people head, as the data has votes. Received: {path.name}")
    return np.stack(predict(teacher, faces.images, *input_range(teacher, faces)), axis=1)
