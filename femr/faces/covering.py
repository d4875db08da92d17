"""Whether a mask, a scarf or a hand covers the lower half of a face.

A network of one hidden layer on the edges and the brightness of the grey crop. It learned from FER2013's Training faces
and masks painted over them, see benchmarks/covering.py, and keeps apart what the expression networks cannot: they have
seen no masks, and read most of them as a sure expression.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from femr.faces.crop import FACE_SIDE, Pixels, crop_face
from femr.results import Face

WEIGHTS = Path(__file__).with_name("covering.npz")
THRESHOLD = 0.5
"""The score from which a face counts as covered; how often that is right: docs/decisions/reading.md."""

_CELLS = 8  # a side
_ANGLES = np.pi * np.arange(6, dtype=np.float32) / 6
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_MIDDLE = slice(8, 44), slice(8, 40)  # of the crop: the face without its surroundings

Vector: TypeAlias = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, slots=True)
class Weights:
    """Two layers: hidden (features, units), hidden_bias (units,), output (units,), output_bias (); all float32."""

    hidden: Vector
    hidden_bias: Vector
    output: Vector
    output_bias: Vector


def is_covered(image: Pixels, face: Face) -> bool:
    """Whether the lower half of a face is covered; about a millisecond, half of it for the crop.

    Args: `image`, RGB uint8 (h, w, 3), the picture that `face` was found in.
    """
    return score(features(crop_face(image, face))) >= THRESHOLD


def score(described: Vector) -> float:
    """How sure it is that a face is covered, 0 to 1, from its `features`."""
    layers = _weights()
    units = np.maximum(described @ layers.hidden + layers.hidden_bias, 0)
    return float(1 / (1 + np.exp(-(units @ layers.output + layers.output_bias))))


def features(crop: Pixels) -> Vector:
    """What the network sees of a grey crop, uint8 (48, 48): float32 (512,), about the same in any light.

    In 8 x 8 cells: the share of the edges in each of six directions, their strength, and the mean brightness.
    """
    grey = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), 0.7)
    middle = grey[_MIDDLE]
    grey = (grey - middle.mean()) / max(4.0, float(middle.std()))
    gradient = np.stack([cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)], axis=-1)
    strength = np.linalg.norm(gradient, axis=-1, keepdims=True)
    # a direction's share falls with the fourth power of the cosine: each edge counts for one or two of the six
    edges = (gradient @ _DIRECTIONS) ** 4 / (strength**3 + 1e-6)
    cells = edges.reshape(_CELLS, FACE_SIDE // _CELLS, _CELLS, FACE_SIDE // _CELLS, -1).mean(axis=(1, 3))
    total = cells.sum(axis=-1)
    around = cv2.blur(total, (3, 3), borderType=cv2.BORDER_REPLICATE)[..., np.newaxis]
    brightness = cv2.resize(grey, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    parts = [np.sqrt(cells / (around + 0.05)), np.log(total + 0.1), brightness]
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


@lru_cache(maxsize=1)
def _weights() -> Weights:
    with np.load(WEIGHTS) as file:
        return Weights(*(np.asarray(file[name], np.float32) for name in Weights.__dataclass_fields__))
