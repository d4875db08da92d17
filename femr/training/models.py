"""Whatever can be evaluated: a model of femr's by name, the ensemble, or anybody's .keras file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from femr import weights
from femr.preprocessing import Pixels
from femr.training.data import TRAINING, FaceData
from femr.training.prediction import input_range, load_file, predict, predict_mirrored

Probabilities: TypeAlias = npt.NDArray[np.float32]

UNKNOWN_THRESHOLD = 0.5
"""The threshold for "unsure" of a model that has none and cannot be given one for want of PublicTest."""


@dataclass(frozen=True, eq=False, slots=True)
class Member:
    """One network and its input of black and white."""

    network: keras.Model
    low: float
    high: float


@dataclass(frozen=True, eq=False, slots=True)
class Model:
    """One network or several whose probabilities are averaged.

    trained_on: the splits that it learned from. temperature: its own, None if it has none. sha256: file → SHA-256.
    """

    name: str
    members: tuple[Member, ...]
    trained_on: tuple[str, ...] = (TRAINING,)
    temperature: float | None = None
    unsure_threshold: float = UNKNOWN_THRESHOLD
    sha256: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def look(self, images: Pixels) -> tuple[Probabilities, Probabilities]:
        """Probabilities float32 (n, 7) of grey faces uint8 (n, 48, 48), and those of their mirror images."""
        plain = [predict(one.network, images, one.low, one.high) for one in self.members]
        mirror = [predict_mirrored(one.network, images, one.low, one.high) for one in self.members]
        return np.mean(plain, axis=0, dtype=np.float32), np.mean(mirror, axis=0, dtype=np.float32)


def find_model(name: str, probe: FaceData) -> Model:
    """The model of that name or path, loaded. `probe`: labelled faces that tell an unknown network's input range.

    Raises: ModelError when there is no such model, or it is damaged or of another kind.
    """
    if name in weights.MODEL_NAMES:
        return _own(name)
    path = Path(name)
    if path.suffix != ".keras":
        weights.check_name(name)
    network = load_file(path)
    low, high = input_range(network, probe)
    return Model(path.stem, (Member(network, low, high),), sha256={path.name: weights.sha256(path)})


def _own(name: str) -> Model:
    facts = weights.load_facts(name)
    members, files = [], dict[str, str]()
    for one in facts.members or (name,):
        part, network = weights.load_network(one)
        members.append(Member(network, part.low, part.high))
        files |= part.files
    trained_on = tuple(facts.document.get("trained_on", (TRAINING,)))
    return Model(name, tuple(members), trained_on, facts.temperature, facts.unsure_threshold, files)
