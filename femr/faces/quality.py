"""Which faces cannot be read (perhaps no face, or covered), and why others may be hard to read (small, cut off, ...).

The latter are told only of faces that the model is unsure of, so a limit may lie where most are read well. Where the
limits come from: docs/decisions/reading.md.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt

from femr.faces.covering import is_covered
from femr.faces.crop import FACE_SIDE
from femr.images import Pixels
from femr.results import Face, UnsureReason

SURELY_A_FACE = 0.9
"""Least confidence of the detector with which a box takes part in the vote."""
SMALL = 28
"""Longer side of the box, in pixels."""
TURNED = 0.22
"""Nose off the middle of the eyes, in distances between them."""
DARK = 50.0
"""Mean gray of the box, 0 to 255."""
BLURRED = 0.06
"""Variance of the Laplacian over the variance, at 48 × 48."""

_BORDER = 1.0  # pixels from the picture's edge


def unclear(image: Pixels, face: Face, crop: Pixels, sure: bool) -> tuple[bool, UnsureReason | None]:
    """Whether a face counts as unsure, and why, one of results.UNSURE_REASONS, where that can be told.

    Args:
        image: RGB uint8 (h, w, 3), the picture that `face` was found in.
        face: Its box and landmarks, in pixels of `image`.
        crop: Gray uint8 (48, 48), as `crop_face` makes it.
        sure: Whether its scores are; those of what may be no face, or is covered, mean nothing.
    """
    reason = why_unreadable(face, crop)
    if reason or sure:
        return reason is not None, reason
    return True, why_hard(image, face)


def surely_a_face(face: Face) -> bool:
    """Whether the detector is sure enough that this is a face for it to count as one."""
    return face.confidence >= SURELY_A_FACE


def why_unreadable(face: Face, crop: Pixels) -> UnsureReason | None:
    """What makes a face's scores meaningless, one of results.UNREADABLE, or None. Args: as for `unclear`."""
    if not surely_a_face(face):
        return "may be no face"
    return "covered" if is_covered(crop) else None


def why_hard(image: Pixels, face: Face) -> UnsureReason | None:
    """What may make a face hard to read, the first of results.UNSURE_REASONS that applies, or None. Args: as above."""
    if face.size < SMALL:
        return "too small"
    height, width = image.shape[:2]
    x1, y1, x2, y2 = face.box
    if x1 < _BORDER or y1 < _BORDER or x2 > width - _BORDER or y2 > height - _BORDER:
        return "cut off"
    if abs(_turn(face)) > TURNED:
        return "turned away"
    gray = cv2.cvtColor(image[int(y1) : math.ceil(y2), int(x1) : math.ceil(x2)], cv2.COLOR_RGB2GRAY)
    if gray.mean() < DARK:
        return "dark"
    return "blurred" if _sharpness(gray) < BLURRED else None


def _turn(face: Face) -> float:
    """How far the nose is off the middle of the eyes, along the line through them, in distances between them."""
    left_eye, right_eye, nose = (np.array(point) for point in face.landmarks.points()[:3])
    across = right_eye - left_eye
    length = float(across @ across)
    # eyes in one place: seen from the side
    return float((nose - (left_eye + right_eye) / 2) @ across) / length if length else math.inf


def _sharpness(gray: npt.NDArray[np.uint8]) -> float:
    """Share of fine detail in a face's contrast, whatever its size and light."""
    small = cv2.resize(gray, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return float(cv2.Laplacian(small, cv2.CV_32F).var() / max(1.0, small.var()))
