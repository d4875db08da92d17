"""The networks as training needs them: built by a recipe, from starting weights or a file, and asked about faces."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import keras
import numpy as np

from femr.errors import ModelError, printable
from femr.expression import networks
from femr.expression.calibration import Probabilities
from femr.expression.networks import HEADS
from femr.faces.crop import Pixels, to_batch
from femr.results import EMOTIONS
from femr.training.data import FaceData
from femr.training.metrics import negative_log_likelihood
from femr.training.recipes import Recipe

SPANS = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""Network inputs of black and white that are in use."""
NETWORK_FILES = (".keras", ".h5", ".hdf5")
"""Endings of the files that hold a whole network."""

_SIDES = (48, 96, 224)  # of the input, tried where a network takes any
_IMAGENET = "imagenet"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_BATCH = 128
_PROBE = 512  # faces that tell the input of an unknown network
_FEW = 16  # and whether it gives probabilities


class Heads(NamedTuple):
    """Probabilities float32 (n, 7) each: FER2013's label, what people would say. One-headed networks say it twice."""

    labels: Probabilities
    people: Probabilities


class Format(NamedTuple):
    """What a network takes: pictures of a side in pixels, black as `low` and white as `high`."""

    side: int
    low: float
    high: float


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """BatchNormalization of convolutions on TensorFlow's fused kernel: the same function in fewer passes.

    Its moving variance is the unbiased one, n / (n - 1) times Keras'. An epoch takes 10 to 35 % less time on a CPU.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The normalized inputs (n, height, width, channels); with `training`, moves the statistics."""
        import tensorflow as tf

        fused, images = tf.compat.v1.nn.fused_batch_norm, tf.cast(inputs, tf.float32)
        moving, learning = (self.moving_mean, self.moving_variance), bool(training and self.trainable)
        known = (None, None) if learning else (statistic.value for statistic in moving)
        outputs, *found = fused(images, self.gamma, self.beta, *known, self.epsilon, is_training=learning)
        if learning:
            for statistic, now in zip(moving, found[:2], strict=True):
                statistic.assign(statistic * self.momentum + now * (1 - self.momentum))
        return tf.cast(outputs, self.compute_dtype)


def build(recipe: Recipe, *, side: int | None = None, backbone: str | None = None, plain: bool = False) -> keras.Model:
    """The recipe's network, untrained. Raises ModelError where it takes no other side.

    Args:
        side: An input side instead of the recipe's.
        backbone: ImageNet weights as in `networks.build_mobilenet_v2`.
        plain: In float32 and of Keras' own layers, for a file that anybody can load.
    """
    spec = recipe.spec
    if side not in (None, spec.side) and not spec.backbone:
        raise ModelError(f"Expected an input side of {spec.side} for {spec.title}. Received: {side}")
    with networks.dtype_policy("float32" if plain else recipe.precision):
        if spec.backbone:
            network = spec.build(backbone, side=side or spec.side)
        else:
            network = spec.build(recipe.conv_dropout, recipe.dense_dropout)
        if not plain and keras.backend.backend() == "tensorflow":
            network = _with_fused_batch_norm(network)
    for layer in network.layers:
        if layer.name.startswith(recipe.frozen):
            layer.trainable = False
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = recipe.batch_norm_momentum
    return network


def build_started(recipe: Recipe, start: str | None) -> keras.Model:
    """The recipe's network with its starting weights. Raises ModelError if they are not to be had, or of another one.

    Args:
        start: A .keras file of the same architecture, a .weights.h5 file of MobileNetV2's backbone, "imagenet", or None
            for what the recipe says.
    """
    start = start or recipe.start
    if start is None:
        return build(recipe)
    path = Path(start)
    if start == _IMAGENET or path.suffix == ".h5":
        if not recipe.spec.backbone:
            raise ModelError(f"Expected a .keras file to start a {recipe.network} from. Received: {path.name}")
        try:
            return build(recipe, backbone=start)
        except Exception as error:  # Keras raises just that where a download fails
            what = "fetched; --start takes a file of them, too" if start == _IMAGENET else f"read ({path.name})"
            raise ModelError(f"The ImageNet weights cannot be {what}.") from error
    weights, network = load_file(path).get_weights(), build(recipe)
    if [weight.shape for weight in weights] != [weight.shape for weight in network.get_weights()]:
        raise ModelError(f"Expected weights of a {recipe.network}. Received: another network's ({path.name})")
    network.set_weights(weights)
    return network


def load_file(path: Path) -> keras.Model:
    """A network from one of NETWORK_FILES, anybody's. Raises ModelError if it is missing, damaged, or of another kind.

    It may take pictures of any side, grey ones, and give scores before the softmax: see `adapted`.
    """
    name, expected = printable(path.name), f"Expected a network's {', '.join(NETWORK_FILES)} file"
    if not os.path.isfile(path):  # noqa: PTH113 - without an error for any name
        raise ModelError(f"{expected}. Received: no such file ({name})")
    try:
        network = _load(path)
        inputs, outputs = ([tuple(one.shape) for one in some] for some in (network.inputs, network.outputs))
    except Exception as error:  # each format and each layer has errors of its own
        content = path.read_bytes()
        weights = content.startswith(_HDF5) and b"model_config" not in content
        fault = "holds weights without their network" if weights else "cannot be read"
        raise ModelError(f"{expected}, whole and of Keras' own layers. Received: {name} {fault}") from error
    heads = len(outputs) <= len(HEADS) and set(outputs) == {(None, len(EMOTIONS))}
    picture = len(inputs) == 1 and len(inputs[0]) == 4 and inputs[0][1] == inputs[0][2] and inputs[0][3] in (1, 3)
    if not (heads and picture):
        found = " → ".join(", ".join(map(str, shapes)) for shapes in (inputs, outputs))
        raise ModelError(
            "Expected a network from square pictures (None, side, side, 1 or 3) to seven scores (None, 7), once or "
            f"twice, in the order {', '.join(EMOTIONS)}. Received: {found}"
        )
    by_name = isinstance(getattr(network, "input", None), dict)  # of which Keras complains with each batch
    return keras.Model(network.inputs[0], network.outputs) if by_name else network


def _load(path: Path) -> keras.Model:
    """From a copy that is named by what the file holds: Keras goes by its ending, and knows none in capitals."""
    with path.open("rb") as file:
        ending = NETWORK_FILES[file.read(len(_HDF5)) == _HDF5]
    with TemporaryDirectory() as folder:
        copy = shutil.copyfile(path, Path(folder, f"network{ending}"))
        return keras.saving.load_model(copy, compile=False, safe_mode=True)


def adapted(network: keras.Model, faces: FaceData) -> tuple[keras.Model, Format]:
    """Anybody's network as one from RGB pictures of a fixed side to probabilities, and the input that it takes.

    That is the one of SPANS and, if free, of three sides under which it explains some labelled faces best. A wrong one
    costs accuracy without any error (measured: 85 to 70 %), so it is found out and not guessed from a name. Raises
    ModelError where it gives no numbers.
    """
    probe = faces[np.linspace(0, len(faces) - 1, min(_PROBE, len(faces))).astype(int)]
    fixed = network.inputs[0].shape[1]
    ready = {side: _at_side(network, side, probe.images[:_FEW]) for side in ([fixed] if fixed else _SIDES)}
    formats = [Format(side, *span) for side, one in ready.items() if one is not None for span in SPANS]
    answers = [predict(ready[form.side], probe.images, *form).labels for form in formats]
    losses = [negative_log_likelihood(answer, probe.labels) for answer in answers]
    if not np.isfinite(losses).any():
        raise ModelError("Expected a network whose scores are numbers. Received: none that gives any")
    found = formats[int(np.nanargmin(losses))]
    return ready[found.side], found


def predict(network: keras.Model, images: Pixels, side: int, low: float, high: float) -> Heads:
    """Both heads' probabilities of gray faces uint8 (n, 48, 48), n at least 1.

    Args: `side`, `low`, `high`, as in Format.
    """
    batches = (to_batch(images[at : at + _BATCH], side, low, high) for at in range(0, len(images), _BATCH))
    outputs = [keras.tree.flatten(network.predict_on_batch(batch)) for batch in batches]
    heads = [np.concatenate(head).astype(np.float32) for head in zip(*outputs, strict=True)]
    return Heads(heads[0], heads[-1])


def _at_side(network: keras.Model, side: int, images: Pixels) -> keras.Model | None:
    """The network from RGB pictures of that side to probabilities; None where its layers take none so small."""
    inputs = network.inputs[0]
    try:
        outputs = network.predict_on_batch(to_batch(images, side, *SPANS[0])[..., : inputs.shape[3]])
    except Exception:  # each layer has errors of its own
        return None
    raw = [(head < 0).any() or not np.allclose(head.sum(axis=1), 1, atol=1e-2) for head in keras.tree.flatten(outputs)]
    if tuple(inputs.shape[1:]) == (side, side, 3) and not any(raw):
        return network
    pictures = keras.Input((side, side, 3))
    heads = zip(keras.tree.flatten(network(pictures[..., : inputs.shape[3]])), raw, strict=True)
    return keras.Model(pictures, [keras.layers.Softmax()(head) if softmax else head for head, softmax in heads])


def _with_fused_batch_norm(network: keras.Model) -> keras.Model:
    """The same network and weights, BatchNormalization of convolutions fused."""

    def clone(layer: Any) -> Any:
        fused = type(layer) is keras.layers.BatchNormalization and len(layer.output.shape) == 4
        return (FusedBatchNormalization if fused else type(layer)).from_config(layer.get_config())

    copy = keras.models.clone_model(network, clone_function=clone)
    copy.set_weights(network.get_weights())
    return copy
