"""Face crops → what people would say and FER2013's labels, in one batched call for all faces of a picture."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import layers

from femr.expression.calibration import Calibration
from femr.expression.weights import ModelFacts, load_facts, load_network
from femr.faces.crop import to_batch
from femr.results import EmotionScores, Reading

Views: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]
Probabilities: TypeAlias = npt.NDArray[np.floating]

_BATCH = 256  # views read at once: 28 MB of input, whatever the number of faces


class Classifier:
    """One network, or several whose answers are averaged; `classify` may be called from several threads.

    Args:
        facts: the model's, with the calibrations of its answers.
        networks: one or more, each with its own facts. One output is the answer of both heads.
        balance: 0 (off) to 1, instead of that in the facts, see `calibration.Calibration`.
    Raises: ModelError if the balance cannot be.
    """

    def __init__(
        self, facts: ModelFacts, networks: Sequence[tuple[ModelFacts, keras.Model]], balance: float | None = None
    ) -> None:
        self.facts = facts
        self.calibration = _balanced(facts.calibration, balance)
        self._networks = tuple(_Network(*network) for network in networks)

    def classify(self, faces: Sequence[Views]) -> list[Reading]:
        """What is read from each face, given as one or more grey views: uint8 (views, 48, 48) a face."""
        if not len(faces):
            return []
        labels, people = self._means(faces)
        scores, shares = self.calibration.apply(people), replace(self.calibration, balance=0.0).apply(people)
        label_scores = Calibration(self.facts.label_temperature).apply(labels)
        return [Reading(*row) for row in zip(*map(_to_scores, (scores, shares, label_scores)), strict=True)]

    def _means(self, faces: Sequence[Views]) -> tuple[Probabilities, Probabilities]:
        """Both heads' uncalibrated means over networks and views: the labels' and the people's, (n, 7) each."""
        views, counts = np.concatenate(faces), np.array([len(face) for face in faces])
        answers = np.stack([network.read(views) for network in self._networks])  # (networks, views, heads, 7)
        labels, people = np.moveaxis(_mean_of_views(answers.mean(axis=0), counts), 1, 0)
        return labels, people


class _Network:
    """A network, its graph traced once for any number of views."""

    def __init__(self, facts: ModelFacts, network: keras.Model) -> None:
        self._facts = facts
        self._run = _graph(network)

    def read(self, views: Views) -> npt.NDArray[np.float32]:
        """Both heads' probabilities, float32 (n, 2, 7), of grey views uint8 (n, 48, 48)."""
        return np.concatenate([self._read(views[at : at + _BATCH]) for at in range(0, len(views), _BATCH)])

    def _read(self, views: Views) -> npt.NDArray[np.float32]:
        batch = to_batch(views, self._facts.side, self._facts.low, self._facts.high)
        return np.asarray(self._run(batch).numpy(), np.float32)


def _graph(network: keras.Model) -> Any:
    """The network as a graph to float32 (n, 2, 7), BatchNormalization folded, its weights as constants.

    What that gains, and what other ways take: docs/decisions/reading.md.
    """
    network = fold(network)
    trained = [np.asarray(variable) for variable in network.trainable_variables]
    fixed = [np.asarray(variable) for variable in network.non_trainable_variables]
    spec = tf.TensorSpec((None, *network.input_shape[1:]), tf.float32)

    def both(batch: Any) -> Any:
        heads = keras.tree.flatten(network.stateless_call(trained, fixed, batch, training=False)[0])
        return tf.stack([heads[0], heads[-1]], axis=1)

    return tf.function(both, input_signature=[spec])


def load_classifier(name: str, balance: float | None = None) -> Classifier:
    """The classifier of that name, ready to use.

    Args: `balance`, how readily rare expressions such as disgust are named: 0 (off) to 1, None for the model's own, see
        `calibration.Calibration`. The threshold under which a face counts as unsure stays the one fitted with that.
    Raises: ModelError.
    """
    facts = load_facts(name)
    _balanced(facts.calibration, balance)  # before the weights are looked for
    return Classifier(facts, [load_network(one) for one in facts.members or (name,)], balance)


def _balanced(calibration: Calibration, balance: float | None) -> Calibration:
    return calibration if balance is None else replace(calibration, balance=balance)


def _mean_of_views(values: Probabilities, counts: npt.NDArray[np.int64]) -> Probabilities:
    """The means (n, ...) of each face's views, the first `counts[0]` of values (views, ...) being the first face's."""
    sums = np.add.reduceat(values, np.cumsum(counts) - counts)
    return np.asarray(sums / counts.reshape(-1, *(1,) * (values.ndim - 1)))


def _to_scores(probabilities: Probabilities) -> list[EmotionScores]:
    return [EmotionScores(tuple(float(p) for p in row)) for row in probabilities]


def fold(network: keras.Model) -> keras.Model:
    """The network for inference: no BatchNormalization where one stands right behind a convolution without activation.

    The network given stays as it is, and is returned where there is nothing to fold. TensorFlow does
    not fold depthwise convolutions by itself.
    """
    norms = _norms(network)
    if not norms:
        return network
    gone = {norm.name for norm in norms.values()}

    def clone(layer: Any) -> Any:
        return type(layer).from_config(layer.get_config() | ({"use_bias": True} if layer.name in norms else {}))

    def call(layer: Any, *inputs: Any, **options: Any) -> Any:
        return inputs[0] if layer.name in gone else layer(*inputs, **options)

    folded = keras.models.clone_model(network, clone_function=clone, call_function=call)
    for layer in network.layers:
        if layer.weights and layer.name not in gone:
            norm = norms.get(layer.name)
            folded.get_layer(layer.name).set_weights(_folded(layer, norm) if norm else layer.get_weights())
    return folded


def _norms(network: keras.Model) -> dict[str, Any]:
    """Convolution's name → the BatchNormalization that alone uses its output.

    None in networks that use a layer twice, or hold another network: who uses what is not plain there.
    """
    if any(isinstance(layer, keras.Model) for layer in network.layers):
        return {}
    users: dict[int, list[Any]] = {}
    try:
        for layer in network.layers:
            for tensor in keras.tree.flatten(layer.input):
                users.setdefault(id(tensor), []).append(layer)
    except (AttributeError, ValueError):  # Keras' for a layer used not exactly once
        return {}
    found = {}
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D) and layer.activation is keras.activations.linear:
            after = users.get(id(layer.output), [])
            if len(after) == 1 and isinstance(after[0], layers.BatchNormalization) and after[0].axis in (-1, 3):
                found[layer.name] = after[0]
    return found


def _folded(convolution: Any, norm: Any) -> list[Floats]:
    """Kernel and bias that do both."""
    mean, variance = np.asarray(norm.moving_mean), np.asarray(norm.moving_variance)
    gamma = np.asarray(norm.gamma) if norm.scale else 1.0
    beta = np.asarray(norm.beta) if norm.center else 0.0
    factors = gamma / np.sqrt(variance + norm.epsilon)
    kernel, *bias = convolution.get_weights()
    # depthwise kernels have their output channels on the last two axes
    shape = kernel.shape[2:] if isinstance(convolution, layers.DepthwiseConv2D) else kernel.shape[3:]
    return [kernel * factors.reshape(shape), (sum(bias) - mean) * factors + beta]
