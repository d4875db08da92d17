"""A network's answers for grey faces, in pure Keras: any side, any input range, one channel or three."""

from pathlib import Path
from typing import NamedTuple, TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from femr.errors import ModelError
from femr.expression.weights import HEADS
from femr.faces.crop import Pixels, to_batch
from femr.results import EMOTIONS
from femr.training.data import FaceData
from femr.training.metrics import negative_log_likelihood

Probabilities: TypeAlias = npt.NDArray[np.float32]

RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""Network inputs of black and white that are in use."""

_BATCH = 128
_PROBE = 512


class Answers(NamedTuple):
    """Probabilities float32 (n, 7) each: FER2013's label, what people would say. One-headed networks say it twice."""

    labels: Probabilities
    people: Probabilities


def predict(network: keras.Model, images: Pixels, low: float, high: float) -> Answers:
    """What a network says of grey faces uint8 (n, 48, 48), n at least 1. `low`, `high`: input of black and white."""
    side, channels = int(network.input_shape[1]), int(network.input_shape[3])
    outputs = [
        keras.tree.flatten(
            network.predict_on_batch(to_batch(images[start : start + _BATCH], side, low, high)[..., :channels])
        )
        for start in range(0, len(images), _BATCH)
    ]
    heads = [_as_probabilities(np.concatenate(head).astype(np.float32)) for head in zip(*outputs, strict=True)]
    return Answers(heads[0], heads[-1])


def predict_mirrored(network: keras.Model, images: Pixels, low: float, high: float) -> Answers:
    """What a network says of grey faces' mirror images."""
    return predict(network, np.ascontiguousarray(images[:, :, ::-1]), low, high)


def load_file(path: Path) -> keras.Model:
    """A network from a .keras file, anybody's. Raises: ModelError if it is missing, damaged, or of another kind."""
    if not path.is_file():
        raise ModelError(f"Expected a .keras file. Received: no such file ({path.name})")
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise ModelError(f"Expected a .keras file. Received: one that cannot be read ({path.name})") from error
    if len(network.input_shape) != 4 or network.input_shape[3] not in (1, 3) or not has_known_heads(network):
        shapes = f"{network.input_shape} → {network.output_shape}"
        raise ModelError(f"Expected a network from pictures to seven scores, once or twice. Received: {shapes}")
    return network


def has_known_heads(network: keras.Model) -> bool:
    """Whether a network answers with seven scores, or twice with seven: FER2013's label, then what people say."""
    return len(network.outputs) <= len(HEADS) and all(
        output.shape == (None, len(EMOTIONS)) for output in network.outputs
    )


def input_range(network: keras.Model, faces: FaceData) -> tuple[float, float]:
    """The input range, one of RANGES, under which a network of unknown make explains some labelled faces best.

    A wrong range costs accuracy without any error (measured: 85 to 70 %), so it is found out and not guessed from a
    name.
    """
    probe = faces[np.linspace(0, len(faces) - 1, min(_PROBE, len(faces))).astype(int)]
    losses = [negative_log_likelihood(predict(network, probe.images, *one).labels, probe.labels) for one in RANGES]
    return RANGES[int(np.argmin(losses))]


def _as_probabilities(outputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The outputs, through a softmax where the network leaves that to its user."""
    if (outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-2):
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
