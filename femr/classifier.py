"""Face crops → calibrated probabilities, in one batched call for all faces of a picture."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from femr.calibration import adjust_prior, apply_temperature, check_prior_adjustment
from femr.emotions import EMOTIONS
from femr.folding import fold
from femr.preprocessing import to_batch
from femr.results import EmotionScores
from femr.weights import ModelFacts, load_facts, load_network

Views: TypeAlias = npt.NDArray[np.uint8]
Probabilities: TypeAlias = npt.NDArray[np.float32]

_BATCH = 256  # views read at once: 28 MB of input, whatever the number of faces


class Classifier(Protocol):
    """Whatever reads expressions from grey crops."""

    @property
    def facts(self) -> ModelFacts:
        """What is known of the model."""
        ...

    def classify(self, faces: Sequence[Views]) -> list[EmotionScores]:
        """The scores of each face, given as one or more grey views: uint8 (views, 48, 48) a face."""
        ...


class NetworkClassifier:
    """One network, its graph traced once for any number of faces; `classify` may be called from several threads.

    Args: `prior_adjustment`, see `load_classifier`.
    """

    def __init__(self, network: keras.Model, facts: ModelFacts, prior_adjustment: float = 0.0) -> None:
        self.facts = facts
        self._prior_adjustment = prior_adjustment
        self._run = _graph(network)

    def classify(self, faces: Sequence[Views]) -> list[EmotionScores]:
        """The scores of each face, averaged over its views, then calibrated."""
        return to_scores(self.probabilities(faces), self.facts.temperature, self._prior_adjustment)

    def probabilities(self, faces: Sequence[Views]) -> Probabilities:
        """Uncalibrated means over the views of each face: float32 (n, 7) of n times uint8 (views, 48, 48)."""
        if not len(faces):
            return np.empty((0, len(EMOTIONS)), np.float32)
        views = np.concatenate(faces)
        outputs = np.concatenate([self._read(views[at : at + _BATCH]) for at in range(0, len(views), _BATCH)])
        counts = np.array([len(face) for face in faces])
        sums = np.add.reduceat(outputs, np.cumsum(counts) - counts)
        return np.asarray(sums / counts[:, np.newaxis], np.float32)

    def _read(self, views: Views) -> Probabilities:
        batch = to_batch(views, self.facts.side, self.facts.low, self.facts.high)
        return np.asarray(self._run(batch).numpy(), np.float32)


class EnsembleClassifier:
    """The mean of several networks' probabilities. Args: `prior_adjustment`, see `load_classifier`."""

    def __init__(self, members: Sequence[NetworkClassifier], facts: ModelFacts, prior_adjustment: float = 0.0) -> None:
        self.facts = facts
        self._prior_adjustment = prior_adjustment
        self._members = tuple(members)

    def classify(self, faces: Sequence[Views]) -> list[EmotionScores]:
        """The scores of each face: the members' means, calibrated as a whole."""
        means = np.mean([member.probabilities(faces) for member in self._members], axis=0)
        return to_scores(means, self.facts.temperature, self._prior_adjustment)


def _graph(network: keras.Model) -> Any:
    """The network as a graph, BatchNormalization folded, its weights as constants.

    Measured in milliseconds a view on two cores with AVX-512, MobileNetV2 in batches of 1 / 4 / 16 / 64: 6.2 / 2.8 /
    1.6 / 1.2 with the weights as constants alone, 5.3 / 2.3 / 1.3 / 0.9 so; with the weights as variables it took half
    as much processor time again. OpenCV 5's DNN takes 4.0 (custom CNN 11), whatever the batch; LiteRT of TensorFlow
    2.21 seven times as long, and it gave no numbers (NaN). The custom CNN takes 8.0 / 5.3 / 4.3 / 4.0: 603 million
    multiply-adds in 4.0 ms is all that the two cores can do. Convolutions in bfloat16 (oneDNN's fpmath mode) would
    take 2.7, but move probabilities by up to .046, and the top class of one face in 220.
    """
    network = fold(network)
    trained = [np.asarray(variable) for variable in network.trainable_variables]
    fixed = [np.asarray(variable) for variable in network.non_trainable_variables]
    spec = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)
    return tf.function(
        lambda batch: network.stateless_call(trained, fixed, batch, training=False)[0], input_signature=[spec]
    )


def load_classifier(name: str, prior_adjustment: float = 0.0) -> Classifier:
    """The classifier of that name, ready to use.

    Args: `prior_adjustment`, how far to undo that FER2013 shows some expressions seldom, such as disgust: 0 (off) to 1
        (all equally frequent), see `calibration.adjust_prior`. The threshold under which a face counts as unsure stays
        the one fitted without adjustment, and is compared with the adjusted scores.
    Raises: ModelError.
    """
    check_prior_adjustment(prior_adjustment)
    facts = load_facts(name)
    if facts.members:
        return EnsembleClassifier([_load_single(member) for member in facts.members], facts, prior_adjustment)
    return _load_single(name, prior_adjustment)


def to_scores(probabilities: Probabilities, temperature: float, prior_adjustment: float) -> list[EmotionScores]:
    """One EmotionScores for each row of (n, 7), calibrated, then adjusted."""
    calibrated = adjust_prior(apply_temperature(probabilities, temperature), prior_adjustment)
    return [EmotionScores(tuple(float(p) for p in row)) for row in calibrated]


def _load_single(name: str, prior_adjustment: float = 0.0) -> NetworkClassifier:
    facts, network = load_network(name)
    return NetworkClassifier(network, facts, prior_adjustment)
