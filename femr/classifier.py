"""Face crops → calibrated probabilities, in one batched call for all faces of a picture."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from femr.emotions import EMOTIONS
from femr.preprocessing import to_batch
from femr.results import EmotionScores
from femr.weights import ModelFacts, load_facts, load_network

Crops: TypeAlias = npt.NDArray[np.uint8]
Probabilities: TypeAlias = npt.NDArray[np.float32]

_TINY = 1e-7


class Classifier(Protocol):
    """Whatever reads expressions from grey crops."""

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        ...

    def classify(self, crops: Crops) -> list[EmotionScores]:
        """The scores of each face: `crops`, uint8 (faces, views, 48, 48), holds each face at one or more scales."""
        ...


class NetworkClassifier:
    """One network, its graph traced once for any number of faces; `classify` may be called from several threads."""

    def __init__(self, network: keras.Model, facts: ModelFacts) -> None:
        self.facts = facts
        spec = tf.TensorSpec((None, facts.side, facts.side, 3), tf.float32)
        self._run: Any = tf.function(lambda batch: network(batch, training=False), input_signature=[spec])

    def classify(self, crops: Crops) -> list[EmotionScores]:
        """The scores of each face, averaged over its views and their mirror images, then calibrated."""
        return to_scores(calibrate(self.probabilities(crops), self.facts.temperature))

    def probabilities(self, crops: Crops) -> Probabilities:
        """Uncalibrated means over views and mirror images: float32 (faces, 7) of uint8 (faces, views, 48, 48)."""
        faces, views, height, width = crops.shape
        if not faces:
            return np.empty((0, len(EMOTIONS)), np.float32)
        both = np.stack([crops, crops[..., ::-1]], axis=1).reshape(-1, height, width)
        outputs = self._run(to_batch(both, self.facts.side, self.facts.low, self.facts.high)).numpy()
        return np.asarray(outputs.reshape(faces, 2 * views, -1).mean(axis=1), np.float32)


class EnsembleClassifier:
    """The mean of several networks' probabilities."""

    def __init__(self, members: Sequence[NetworkClassifier], facts: ModelFacts) -> None:
        self.facts = facts
        self._members = tuple(members)

    def classify(self, crops: Crops) -> list[EmotionScores]:
        """The scores of each face: the members' means, calibrated as a whole."""
        means = np.mean([member.probabilities(crops) for member in self._members], axis=0)
        return to_scores(calibrate(means, self.facts.temperature))


def load_classifier(name: str) -> Classifier:
    """The classifier of that name, ready to use. Raises: ModelError."""
    facts = load_facts(name)
    if facts.members:
        return EnsembleClassifier([_load_single(member) for member in facts.members], facts)
    return _load_single(name)


def calibrate(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Probabilities (n, 7), sharpened (temperature under 1) or softened (over 1) to tell how often they are right.

    Temperature scaling (Guo et al., 2017), on the logarithms of the averaged probabilities.
    """
    logits = np.log(np.maximum(probabilities, _TINY)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def to_scores(probabilities: Probabilities) -> list[EmotionScores]:
    """One EmotionScores for each row of (n, 7)."""
    return [EmotionScores(tuple(float(p) for p in row)) for row in probabilities]


def _load_single(name: str) -> NetworkClassifier:
    facts, network = load_network(name)
    return NetworkClassifier(network, facts)
