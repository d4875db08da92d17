"""P-Net, R-Net and O-Net of MTCNN (Zhang et al., 2016) as TensorFlow graphs, with the mtcnn package's own weights.

The package's networks are run layer by layer, two things apart that give the same numbers sooner. Keras' PReLU makes
five passes over the data and broadcasts a few slopes at a time; here it is two or three passes over whole rows. And
P-Net's two heads are one convolution.

How much sooner, and than what: docs/decisions/detection.md.
"""

from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from mtcnn.network.onet import ONet
from mtcnn.network.pnet import PNet
from mtcnn.network.rnet import RNet
from mtcnn.utils.tensorflow import load_weights

from femr.images import Pixels

Floats: TypeAlias = npt.NDArray[np.float32]

RNET_SIDE, ONET_SIDE = 24, 48
"""Input side of R-Net and O-Net in pixels."""


class Graph:
    """A network as a graph that is traced once for all sizes: uint8 pixels in, float32 arrays out."""

    def __init__(self, run: Callable[[tf.Tensor], tuple[tf.Tensor, ...]], shape: tuple[int | None, ...]) -> None:
        self._run: Any = tf.function(run, input_signature=[tf.TensorSpec(shape, tf.uint8)])

    def __call__(self, pixels: Pixels) -> tuple[Floats, ...]:
        """The network's outputs."""
        return tuple(output.numpy() for output in self._run(pixels))

    @property
    def traces(self) -> int:
        """How often it was traced so far."""
        return int(self._run.experimental_get_tracing_count())


def load_pnet() -> Graph:
    """P-Net: RGB uint8 (n, h, w, 3) → offsets (n, h', w', 4), and (n, h', w') the log odds of a face in each window."""
    network = _load(PNet(), "pnet.lz4", (None, None, None, 3))
    *trunk, offsets, faces = network.layers
    steps = _steps(trunk)
    kernel, bias = (
        np.concatenate(pair, axis=-1) for pair in zip(offsets.get_weights(), faces.get_weights(), strict=True)
    )

    def run(pixels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        outputs = tf.nn.bias_add(tf.nn.conv2d(_through(steps, pixels), kernel, 1, "VALID"), bias)
        return outputs[..., :4], outputs[..., 5] - outputs[..., 4]

    return Graph(run, (None, None, None, 3))


def load_rnet() -> Graph:
    """R-Net: RGB uint8 (n, 24, 24, 3) → offsets (n, 4), and the log odds of a face (n,)."""
    network = _load(RNet(), "rnet.lz4", (None, RNET_SIDE, RNET_SIDE, 3))
    *trunk, offsets, faces = network.layers
    steps, odds = _steps(trunk), _odds(faces)

    def run(pixels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        features = _through(steps, pixels)
        return offsets(features), odds(features)

    return Graph(run, (None, RNET_SIDE, RNET_SIDE, 3))


def load_onet() -> Graph:
    """O-Net: RGB uint8 (n, 48, 48, 3) → offsets (n, 4), landmarks (n, 10) as x1 ... x5, y1 ... y5, log odds (n,)."""
    network = _load(ONet(), "onet.lz4", (None, ONET_SIDE, ONET_SIDE, 3))
    *trunk, offsets, landmarks, faces = network.layers
    steps, odds = _steps(trunk), _odds(faces)

    def run(pixels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        features = _through(steps, pixels)
        return offsets(features), landmarks(features), odds(features)

    return Graph(run, (None, ONET_SIDE, ONET_SIDE, 3))


def _load(network: keras.Model, weights: str, shape: tuple[int | None, ...]) -> keras.Model:
    network.build(shape)
    # the full path: a bare name would be looked up, and unpickled, in the current directory first
    network.set_weights(load_weights(str(files("mtcnn.assets.weights") / weights)))
    return network


def _steps(layers: Sequence[Any]) -> list[Callable[[tf.Tensor], tf.Tensor]]:
    """The layers as functions."""
    return [
        partial(_prelu, slopes=layer.get_weights()[0].ravel()) if isinstance(layer, keras.layers.PReLU) else layer
        for layer in layers
    ]


def _odds(layer: keras.layers.Dense) -> Callable[[tf.Tensor], tf.Tensor]:
    """A layer of two outputs and softmax as log odds: the difference, which unlike the softmax has a mean."""
    kernel, bias = layer.get_weights()
    return lambda features: tf.linalg.matvec(features, kernel[:, 1] - kernel[:, 0]) + (bias[1] - bias[0])


def _through(steps: Sequence[Callable[[tf.Tensor], tf.Tensor]], pixels: tf.Tensor) -> tf.Tensor:
    """What the steps in a row make of uint8 pixels."""
    x = (tf.cast(pixels, tf.float32) - 127.5) * (1 / 128)
    for step in steps:
        x = step(x)
    return x


def _prelu(x: tf.Tensor, slopes: Floats) -> tf.Tensor:
    """x where it is positive, else its channel's slope times x."""
    shape = tf.shape(x)
    rows = tf.reshape(x, (shape[0], -1) if x.shape.rank == 2 else (shape[0] * shape[1], -1))
    along = tf.tile(slopes, [tf.shape(rows)[1] // len(slopes)])
    below = rows * along
    rows = tf.maximum(rows, below) if (slopes <= 1).all() else rows + tf.minimum(rows, 0) * (along - 1)
    return tf.reshape(rows, shape)
