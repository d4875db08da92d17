"""Which faces cannot be read (perhaps no face, or covered), and why others may be hard to read (small, cut off, ...).

The latter reasons are told only of faces that the model is unsure of, so a limit may lie where most are read well.
P(happy) below is mobilenet_v2's answer for the portrait in examples/, 0.95 as it is, made smaller, darker, blurred or
squeezed step by step; tests/test_quality.py walks the same steps. Accuracies are on FER2013's PublicTest, mirrored, of
the weights before they learned from it.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt

from femr.faces.covering import is_covered
from femr.faces.crop import FACE_SIDE
from femr.images import Pixels
from femr.results import Face

SURELY_A_FACE = 0.9
"""Least confidence of the detector with which a box takes part.

In 230 of the recall benchmark's scenes it takes the vote from 1 % of the faces found and from 22 of 51 wrong boxes.
"""
SMALL = 28
"""Longer side of the box, pixels: P(happy) is 0.95 at 28 and 0.79 at 15; see `detector.SMALLEST_FACE` for others."""
TURNED = 0.22
"""Nose off the middle of the eyes, in distances between them: 0.02 as it is; P(happy) is 0.80 at 0.15, 0.32 at 0.27."""
DARK = 50.0
"""Mean grey of the box, 0 to 255: the darkest 1 % of the faces are below, 24 of these 36 are read right (67 %
instead of 72 %); P(happy) is 0.96 at 39 and 0.84 at 15, and at half of that no face is found."""
BLURRED = 0.06
"""Variance of the Laplacian over the variance, at 48 x 48: 0.09 at a Gaussian blur of 2 pixels, 0.05 at 3, 0.04 at 4,
0.03 at 5, where P(happy) is 0.96, 0.92, 0.65 and less than P(surprise); 99.5 % of PublicTest have more than 0.18."""

_BORDER = 1.0  # pixels from the picture's edge


def unclear(image: Pixels, face: Face, sure: bool) -> tuple[bool, str | None]:
    """Whether a face counts as unsure, and why, one of results.UNSURE_REASONS, where that can be told.

    Args:
        image: RGB uint8 (h, w, 3), the picture that `face` was found in.
        face: its box and landmarks, in pixels of `image`.
        sure: whether its scores are; those of what may be no face, or is covered, mean nothing.
    """
    reason = why_unreadable(image, face)
    if reason or sure:
        return reason is not None, reason
    return True, why_hard(image, face)


def surely_a_face(face: Face) -> bool:
    """Whether the detector is sure enough that this is a face for it to count as one."""
    return face.confidence >= SURELY_A_FACE


def why_unreadable(image: Pixels, face: Face) -> str | None:
    """What makes a face's scores meaningless, one of results.UNREADABLE, or None. Args: as for `unclear`."""
    if not surely_a_face(face):
        return "may be no face"
    return "covered" if is_covered(image, face) else None


def why_hard(image: Pixels, face: Face) -> str | None:
    """What may make a face hard to read, the first of results.UNSURE_REASONS that applies, or None. Args: as above."""
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
