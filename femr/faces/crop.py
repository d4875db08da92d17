"""The one crop, resize and scaling between a photo and a network. Training imports this very module.

A face from a photo must sit in its crop the way faces sit in FER2013. Measured on the mean of its 28,709 Training
images, the eyes are 36.5 % of the side below the top edge and 0.37 of the side apart, the mouth 0.44 below them.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from femr.images import Pixels as Pixels
from femr.results import Face, Point

FACE_SIDE = 48
"""Side of a gray face crop in pixels: FER2013's."""
NATURAL_ROLL = 10.0
"""Degrees by which heads tilt in FER2013 anyway; only a tilt beyond it is turned back."""

EYE_ROW, EYE_DISTANCE, EYE_TO_MOUTH = 0.365, 0.37, 0.44
"""FER2013's framing in shares of the crop's side: eyes from the top, eye to eye, eyes to mouth."""

VIEWS = ((1.0, False), (1.0, True))
"""Test-time augmentation, the mean over views of a face: crop size relative to FER2013's framing, and mirrored or not.

As good as four: docs/decisions/reading.md.
"""

Batch: TypeAlias = npt.NDArray[np.float32]


def crop_face(image: Pixels, face: Face, scale: float = 1.0) -> Pixels:
    """A face's square crop, framed like FER2013's mean face: gray uint8 (48, 48).

    Args:
        image: RGB uint8 (h, w, 3), the picture that `face` was found in.
        face: Its landmarks place the square; parts outside the picture repeat the border.
        scale: Side of the square relative to FER2013's framing, around the same centre.
    """
    centre, side, roll = _frame(face)
    samples = max(1, math.ceil(side * scale / FACE_SIDE))
    output = samples * FACE_SIDE
    # about one sample a pixel first, then exact averages of samples x samples: no aliasing, whatever the face's size
    zoom = output / (side * scale)
    gray, centre = _gray_around(image, centre, side * scale)
    matrix = cv2.getRotationMatrix2D(centre, roll, zoom)
    matrix[:, 2] += (output - 1) / 2 - np.array(centre)
    square = cv2.warpAffine(gray, matrix, (output, output), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(square, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def face_views(image: Pixels, face: Face) -> Pixels:
    """The VIEWS of a face in a picture, its crop first: gray uint8 (views, 48, 48)."""
    crops = {scale: crop_face(image, face, scale) for scale, _ in VIEWS}
    return np.stack([crops[scale][:, ::-1] if mirrored else crops[scale] for scale, mirrored in VIEWS])


def to_batch(crops: Sequence[Pixels] | Pixels, side: int, low: float, high: float) -> Batch:
    """A network's input from gray crops: float32 (n, side, side, 3), black = `low` and white = `high`.

    Args:
        crops: Gray uint8, square, all of 48 or of `side` pixels: the former are brought to `side` bilinearly, and the
            gray is repeated on 3 channels.
    """
    batch = np.empty((len(crops), side, side, 3), np.float32)
    for row, crop in zip(batch, crops, strict=True):
        face = crop.astype(np.float32)
        if side != FACE_SIDE:
            face = cv2.resize(face, (side, side), interpolation=cv2.INTER_LINEAR)
        row[:] = face[:, :, np.newaxis]
    batch *= (high - low) / 255
    batch += low
    return batch


def _gray_around(image: Pixels, centre: Point, side: float) -> tuple[Any, Point]:
    """The part of a picture, gray, that holds a square however turned, and the square's centre in it."""
    reach = side / math.sqrt(2) + 1
    parts, shifted = [], []
    for middle, length in zip(centre, image.shape[1::-1], strict=True):
        start = min(max(math.floor(middle - reach), 0), length - 1)
        parts.append(slice(start, max(math.ceil(middle + reach) + 1, start + 1)))
        shifted.append(middle - start)
    return cv2.cvtColor(image[parts[1], parts[0]], cv2.COLOR_RGB2GRAY), (shifted[0], shifted[1])


def _frame(face: Face) -> tuple[Point, float, float]:
    """The square in FER2013's framing: centre (x, y), side in pixels, degrees to turn by (+ = anticlockwise)."""
    points = np.asarray(face.landmarks.points(), np.float64)
    left_eye, right_eye, _, mouth_left, mouth_right = points
    eyes, mouth = (left_eye + right_eye) / 2, (mouth_left + mouth_right) / 2
    across, down = right_eye - left_eye, mouth - eyes
    side = max(math.hypot(*across) / EYE_DISTANCE, math.hypot(*down) / EYE_TO_MOUTH, 1.0)
    tilt = math.degrees(math.atan2(across[1], across[0]))
    quarters = 90.0 * round(tilt / 90)  # a face in a turned picture is read as in the upright one
    roll = quarters + math.copysign(max(0.0, abs(tilt - quarters) - NATURAL_ROLL), tilt - quarters)
    # in the turned picture: centred between eyes and mouth sideways, the eyes' row at EYE_ROW of the side
    angle = math.radians(roll)
    x_axis, y_axis = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    centre = eyes + x_axis * (x_axis @ down) / 2 + y_axis * side * (0.5 - EYE_ROW)
    return (float(centre[0]), float(centre[1])), side, roll
