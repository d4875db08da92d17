"""Whatever can be evaluated: a model of femr's by name, the ensemble, or anybody's .keras file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

import keras
import numpy as np

from femr.errors import ModelError
from femr.expression import weights
from femr.expression.calibration import Calibration
from femr.expression.weights import ModelFacts
from femr.training import finish
from femr.training import record as records
from femr.training.answers import Looks
from femr.training.data import PUBLIC_TEST, SPLITS, TRAINING, FaceData
from femr.training.prediction import Answers, input_range, load_file, predict, predict_mirrored

if TYPE_CHECKING:  # loads TensorFlow, whatever Keras' backend
    from femr.expression.classifier import Classifier

UNKNOWN_THRESHOLD = 0.5
"""The threshold for "unsure" of a model that has none and cannot be given one for want of PublicTest."""


class Member(Protocol):
    """One network of a model, or what is left of it."""

    def look(self, faces: FaceData) -> Looks:
        """Both heads' answers to faces and to their mirror images."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """A network and its facts. It looks at the same faces once only."""

    facts: ModelFacts
    network: keras.Model
    _looks: dict[FaceData, Looks] = field(default_factory=dict)

    def look(self, faces: FaceData) -> Looks:
        """As in Member."""
        if faces not in self._looks:
            asked = self.network, faces.images, self.facts.low, self.facts.high
            self._looks[faces] = Looks(predict(*asked), predict_mirrored(*asked))
        return self._looks[faces]


Networks = dict[str, Network]
"""Name → network of femr's own, loaded already."""


@dataclass(frozen=True, eq=False, slots=True)
class Model:
    """One network or several whose answers are averaged.

    trained_on: the splits that it learned from. sha256: file → SHA-256.
    before: the same model before it learned from PublicTest, as far as the faces at hand go; None if it never did, or
    if that is not known.
    """

    facts: ModelFacts
    members: tuple[Member, ...]
    trained_on: tuple[str, ...] = (TRAINING,)
    sha256: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    before: "Model | None" = None

    def look(self, faces: FaceData) -> Looks:
        """The members' mean answers."""
        looks = [one.look(faces) for one in self.members]
        return Looks(_mean([look.plain for look in looks]), _mean([look.mirror for look in looks]))

    def classifier(self, balance: float | None = None) -> "Classifier":
        """What an Analyzer reads faces with. Raises: ModelError if the balance cannot be, or networks are gone."""
        from femr.expression.classifier import Classifier

        networks = [(one.facts, one.network) for one in self.members if isinstance(one, Network)]
        if len(networks) != len(self.members):
            raise ModelError("Expected networks to read photos with. Received: what they said of other faces")
        return Classifier(self.facts, networks, balance)


def find_model(name: str, probe: FaceData, loaded: Networks | None = None) -> Model:
    """The model of that name or path, loaded.

    Args: `probe`, labelled faces, of PublicTest if there are any: they tell an unknown network's input range, and are
        those that a finished model is asked about as it was before. `loaded`, femr's own networks that are in memory;
        those that are loaded now are put there.
    Raises: ModelError when there is no such model, or it is damaged or of another kind.
    """
    if name in weights.MODEL_NAMES:
        return _own(name, probe, {} if loaded is None else loaded)
    path = Path(name)
    if path.suffix != ".keras":
        weights.check_name(name)
    network = load_file(path)
    known = records.read(path.parent) if (path.parent / records.RECORD).is_file() else {}
    facts = _facts_of(path.stem, network, *input_range(network, probe))
    trained_on = tuple(known.get("trained_on", (TRAINING,)))
    return Model(facts, (Network(facts, network),), trained_on, {path.name: weights.sha256(path)})


def _facts_of(name: str, network: keras.Model, low: float, high: float) -> ModelFacts:
    """The facts of somebody's file: nothing is calibrated."""
    return ModelFacts(
        name=name,
        title=name,
        files={},
        members=(),
        side=int(network.input_shape[1]),
        low=low,
        high=high,
        calibration=Calibration(),
        label_temperature=1.0,
        unsure_threshold=UNKNOWN_THRESHOLD,
    )


def _own(name: str, probe: FaceData, loaded: Networks) -> Model:
    facts = weights.load_facts(name)
    for one in facts.members or (name,):
        if one not in loaded:
            loaded[one] = Network(*weights.load_network(one))
    members = [loaded[one] for one in facts.members or (name,)]
    learned = {split for member in members for split in _trained_on(member.facts)}
    return Model(
        facts=facts,
        members=tuple(members),
        trained_on=tuple(split for split in SPLITS if split in learned),
        sha256={file: digest for member in members for file, digest in member.facts.files.items()},
        before=_before(facts, members, probe),
    )


def _before(facts: ModelFacts, networks: Sequence[Network], probe: FaceData) -> Model | None:
    """The model with what its finished members said of the faces before; None without any, or if one is not known."""
    found, sha256 = list[Member](), dict[str, str]()
    for network in networks:
        part = network.facts
        finished = PUBLIC_TEST in _trained_on(part)
        remembered = finish.recall(part.document, probe) if finished else network
        if remembered is None:
            return None
        found.append(remembered)
        files = part.document[finish.BEFORE]["weights_sha256"] if finished else part.files
        sha256 |= {f"{part.name}, {file}" if finished else file: digest for file, digest in files.items()}
    changed = any(one is not other for one, other in zip(found, networks, strict=True))
    return Model(facts, tuple(found), sha256=sha256) if changed else None


def _trained_on(facts: ModelFacts) -> tuple[str, ...]:
    return tuple(facts.document.get("trained_on", (TRAINING,)))


def _mean(answers: Sequence[Answers]) -> Answers:
    return Answers(*(np.asarray(np.mean(head, axis=0), np.float32) for head in zip(*answers, strict=True)))
