"""Why a face may be hard to read: too small, cut off, turned away, dark or blurred.

The limits are those at which the answer for the portrait in examples/ falls or turns, when it is made smaller, darker,
blurred or squeezed step by step (mobilenet_v2; tests/test_quality.py walks the same steps).
"""

import math
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from femr.preprocessing import FACE_SIDE
from femr.results import Face

SMALL = 28
"""Longer side of the box, pixels: P(happy) is 0.92 at 28, 0.67 at 24, and at 17 another expression wins."""
TURNED = 0.22
"""Nose off the middle of the eyes, in distances between them: 0.02 as it is; at 0.23 P(happy) falls to 0.57."""
DARK = 50.0
"""Mean grey of the box, 0 to 255: of FER2013's PublicTest the darkest 1 % are below, 58 % of them are read right
instead of 71 %."""
BLURRED = 0.06
"""Variance of the Laplacian over the variance, at 48 x 48: 0.10 at a Gaussian blur of 2 pixels, where the answer stays,
0.04 at 3, where it is unsure; of FER2013's PublicTest 99.5 % have more than 0.18."""

_BORDER = 1.0  # pixels from the picture's edge

Pixels: TypeAlias = npt.NDArray[np.uint8]


def why_hard(image: Pixels, face: Face) -> str | None:
    """What may make a face hard to read: the first of results.UNSURE_REASONS that applies, or None.

    Args:
        image: RGB uint8 (h, w, 3), the picture that `face` was found in.
        face: its box and landmarks, in pixels of `image`.
    """
    if face.size < SMALL:
        return "too small"
    height, width = image.shape[:2]
    x1, y1, x2, y2 = face.box
    if x1 < _BORDER or y1 < _BORDER or x2 > width - _BORDER or y2 > height - _BORDER:
        return "cut off"
    if abs(_turn(face)) > TURNED:
        return "turned away"
    grey = cv2.cvtColor(image[int(y1) : math.ceil(y2), int(x1) : math.ceil(x2)], cv2.COLOR_RGB2GRAY)
    if grey.mean() < DARK:
        return "dark"
    return "blurred" if _sharpness(grey) < BLURRED else None


def _turn(face: Face) -> float:
    """How far the nose is off the middle of the eyes, along the line through them, in distances between them."""
    left_eye, right_eye, nose = (np.array(point) for point in face.landmarks.points()[:3])
    across = right_eye - left_eye
    length = float(across @ across)
    # eyes in one place: seen from the side
    return float((nose - (left_eye + right_eye) / 2) @ across) / length if length else math.inf


def _sharpness(grey: npt.NDArray[np.uint8]) -> float:
    """Share of fine detail in a face's contrast, whatever its size and light."""
    small = cv2.resize(grey, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return float(cv2.Laplacian(small, cv2.CV_32F).var() / max(1.0, small.var()))
