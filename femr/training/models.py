"""Whatever can be evaluated: a model of femr's by name, the ensemble, or anybody's .keras file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from femr import weights
from femr.preprocessing import Pixels
from femr.training import finish
from femr.training import record as records
from femr.training.data import PUBLIC_TEST, SPLITS, TRAINING, FaceData
from femr.training.prediction import input_range, load_file, predict, predict_mirrored

Probabilities: TypeAlias = npt.NDArray[np.float32]

UNKNOWN_THRESHOLD = 0.5
"""The threshold for "unsure" of a model that has none and cannot be given one for want of PublicTest."""


class Member(Protocol):
    """One network of a model, or what is left of it."""

    def look(self, images: Pixels) -> tuple[Probabilities, Probabilities]:
        """Probabilities float32 (n, 7) of grey faces uint8 (n, 48, 48), and those of their mirror images."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """A network and its input of black and white."""

    network: keras.Model
    low: float
    high: float

    def look(self, images: Pixels) -> tuple[Probabilities, Probabilities]:
        """As in Member."""
        ranged = self.network, images, self.low, self.high
        return predict(*ranged), predict_mirrored(*ranged)


@dataclass(frozen=True, eq=False, slots=True)
class Model:
    """One network or several whose probabilities are averaged.

    trained_on: the splits that it learned from. temperature: its own, None if it has none. sha256: file → SHA-256.
    before: the same model before it learned from PublicTest, as far as the faces at hand go; None if it never did, or
    if that is not known.
    """

    name: str
    members: tuple[Member, ...]
    trained_on: tuple[str, ...] = (TRAINING,)
    temperature: float | None = None
    unsure_threshold: float = UNKNOWN_THRESHOLD
    sha256: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    before: "Model | None" = None

    def look(self, images: Pixels) -> tuple[Probabilities, Probabilities]:
        """The members' means: probabilities float32 (n, 7) of grey faces, and those of their mirror images."""
        plain, mirror = zip(*(one.look(images) for one in self.members), strict=True)
        return np.mean(plain, axis=0, dtype=np.float32), np.mean(mirror, axis=0, dtype=np.float32)


def find_model(name: str, probe: FaceData) -> Model:
    """The model of that name or path, loaded.

    Args: `probe`, labelled faces, of PublicTest if there are any: they tell an unknown network's input range, and are
        those that a finished model is asked about as it was before.
    Raises: ModelError when there is no such model, or it is damaged or of another kind.
    """
    if name in weights.MODEL_NAMES:
        return _own(name, probe)
    path = Path(name)
    if path.suffix != ".keras":
        weights.check_name(name)
    network = load_file(path)
    known = records.read(path.parent) if (path.parent / records.RECORD).is_file() else {}
    trained_on = tuple(known.get("trained_on", (TRAINING,)))
    members = (Network(network, *input_range(network, probe)),)
    return Model(path.stem, members, trained_on, sha256={path.name: weights.sha256(path)})


def _own(name: str, probe: FaceData) -> Model:
    facts = weights.load_facts(name)
    parts, members = [], list[Member]()
    for one in facts.members or (name,):
        part, network = weights.load_network(one)
        parts.append(part)
        members.append(Network(network, part.low, part.high))
    learned = {split for part in parts for split in _trained_on(part)}
    return Model(
        name=name,
        members=tuple(members),
        trained_on=tuple(split for split in SPLITS if split in learned),
        temperature=facts.label_temperature,
        unsure_threshold=facts.unsure_threshold,
        sha256={file: digest for part in parts for file, digest in part.files.items()},
        before=_before(name, parts, members, probe),
    )


def _before(name: str, parts: Sequence[weights.ModelFacts], members: Sequence[Member], probe: FaceData) -> Model | None:
    """The model with what its finished members said of the faces before; None without any, or if one is not known."""
    found, sha256 = list[Member](), dict[str, str]()
    for part, member in zip(parts, members, strict=True):
        finished = PUBLIC_TEST in _trained_on(part)
        remembered = finish.recall(part.document, probe) if finished else member
        if remembered is None:
            return None
        found.append(remembered)
        files = part.document[finish.BEFORE]["weights_sha256"] if finished else part.files
        sha256 |= {f"{part.name}, {file}" if finished else file: digest for file, digest in files.items()}
    changed = any(one is not other for one, other in zip(found, members, strict=True))
    return Model(name, tuple(found), sha256=sha256) if changed else None


def _trained_on(facts: weights.ModelFacts) -> tuple[str, ...]:
    return tuple(facts.document.get("trained_on", (TRAINING,)))
