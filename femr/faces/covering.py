"""Whether a mask, a scarf or a hand covers the lower half of a face.

A network of one hidden layer on the edges and the brightness of the gray crop. It learned from FER2013's Training faces
and masks painted over them, see benchmarks/covering.py, and keeps apart what the expression networks cannot: they have
seen no masks, and read most of them as a sure expression.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from femr.faces.boxes import Floats
from femr.faces.crop import Pixels

WEIGHTS = Path(__file__).with_name("covering.npz")
THRESHOLD = 0.5
"""The score from which a face counts as covered; how often that is right: docs/decisions/reading.md."""

_CELLS = 8  # a side
_ANGLES = np.pi * np.arange(6, dtype=np.float32) / 6
_DIRECTIONS = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_MIDDLE = slice(8, 44), slice(8, 40)  # of the crop: the face without its surroundings


@dataclass(frozen=True, eq=False, slots=True)
class Weights:
    """Two layers: hidden (features, units), hidden_bias (units,), output (units,), output_bias (); all float32."""

    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats


def is_covered(crop: Pixels) -> bool:
    """Whether the lower half of the face in a gray crop is covered: uint8 (48, 48), as `crop_face` makes it."""
    return score(features(crop)) >= THRESHOLD


def score(described: Floats) -> float:
    """How sure it is that a face is covered, 0 to 1, from its `features`."""
    layers = _weights()
    units = np.maximum(described @ layers.hidden + layers.hidden_bias, 0)
    return float(1 / (1 + np.exp(-(units @ layers.output + layers.output_bias))))


def features(crop: Pixels) -> Floats:
    """What the network sees of a gray crop, uint8 (48, 48): float32 (512,), about the same in any light.

    In 8 x 8 cells: the share of the edges in each of six directions, their strength, and the mean brightness.
    """
    gray = cv2.GaussianBlur(crop.astype(np.float32), (0, 0), 0.7)
    middle = gray[_MIDDLE]
    gray = (gray - middle.mean()) / max(4.0, float(middle.std()))
    across, down = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    strength = cv2.magnitude(across, down)[..., np.newaxis]
    # a direction's share falls with the fourth power of the cosine: each edge counts for one or two of the six.
    # In squares: NumPy's powers take ten times as long
    edges = np.square(np.square(np.stack([across, down], axis=-1) @ _DIRECTIONS))
    edges /= strength * np.square(strength) + 1e-6
    cells = cv2.resize(edges, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)  # exact means
    total = cells.sum(axis=-1)
    around = cv2.blur(total, (3, 3), borderType=cv2.BORDER_REPLICATE)[..., np.newaxis]
    brightness = cv2.resize(gray, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    parts = [np.sqrt(cells / (around + 0.05)), np.log(total + 0.1), brightness]
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


@lru_cache(maxsize=1)
def _weights() -> Weights:
    with np.load(WEIGHTS) as file:
        return Weights(*(np.asarray(file[name], np.float32) for name in Weights.__dataclass_fields__))
