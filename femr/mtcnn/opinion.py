"""A second opinion on what O-Net takes for a face without being sure: more looks at it, and where its landmarks lie.

Of 99 boxes with a confidence of .8 to .99 in pictures of things, animals and people, at two sizes and four turns, in
photos three times enlarged and in pasted scenes, 43 were no face. A random face stands before a random other thing in
90.2 % of pairs by O-Net's confidence, in 95.4 % by the mean of it and the looks below. A wider look (1.2) tells little
(68 %).

MTCNN takes some faces that are upside down for upright ones, at up to .99. Of 14 such, all were surer turned over, by 2
to 11 in log odds; of 205 upright ones none: photos' faces of 100 to 300 px, pasted beside an upright one.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

LOOKS = (1.0, 0.85)
"""Sides of the squares that are looked at again, in sides of the box; the face is turned upright, and mirrored too."""

_GREY = 127
# where the landmarks of 603 real boxes lay, with some room: in the box's longer side
_EYE_DISTANCE = 0.18, 0.52  # seen: .25 to .42
_EYES_TO_MOUTH = 0.27, 0.52  # .31 to .47
_ASIDE = 0.2  # nose or middle of the mouth off the eyes' middle: up to .14
_NOSE = 0.2, 0.88  # of the way from the eyes to the mouth: .28 to .80
_MOUTH = 0.5, 1.3  # width in distances between the eyes: .62 to 1.11

Pixels: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]


def closer_looks(image: Pixels, box: Floats, points: Floats, side: int) -> Pixels:
    """A box's middle at each of LOOKS, upright by its eyes, plain and mirrored: uint8 (2 × looks, side, side, 3).

    Args: `image`, RGB uint8 (h, w, 3); `box`, xyxy (4,), `points`, landmarks (5, 2), in its pixels.
    """
    longest = float(max(box[2] - box[0], box[3] - box[1]))
    part, corner = _around(image, box, longest)
    middle = (box[:2] + box[2:]) / 2 - corner
    while longest > 2 * side:  # halved first, so that no pixel is passed over
        part = cv2.resize(part, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        middle, longest = middle / 2, longest / 2
    across = points[1] - points[0]
    tilt = math.degrees(math.atan2(across[1], across[0]))
    looks = []
    for size in LOOKS:
        centre = float(middle[0]) - 0.5, float(middle[1]) - 0.5
        matrix = cv2.getRotationMatrix2D(centre, tilt, (side - 1) / (longest * size))
        matrix[:, 2] += (side - 1) / 2 - np.array(centre)
        look = cv2.warpAffine(part, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=(_GREY,) * 3)
        looks += [look, look[:, ::-1]]
    return np.stack(looks).astype(np.uint8, copy=False)


def is_plausible(box: Floats, points: Floats) -> bool:
    """Whether a face may have these landmarks (5, 2) in this box: eyes above nose above mouth, at likely distances.

    Above is along the face's own axis, however it is turned.
    """
    left_eye, right_eye, nose, left, right = points.astype(np.float64)
    side = float(max(box[2] - box[0], box[3] - box[1]))
    distance = math.dist(left_eye, right_eye)
    if not _EYE_DISTANCE[0] <= distance / side <= _EYE_DISTANCE[1]:
        return False
    across = (right_eye - left_eye) / distance
    down = np.array([-across[1], across[0]])
    eyes, mouth = (left_eye + right_eye) / 2, (left + right) / 2
    height = float((mouth - eyes) @ down)
    aside = max(abs(float((point - eyes) @ across)) for point in (nose, mouth))
    return (
        _EYES_TO_MOUTH[0] <= height / side <= _EYES_TO_MOUTH[1]
        and aside / side <= _ASIDE
        and _NOSE[0] <= float((nose - eyes) @ down) / height <= _NOSE[1]
        and _MOUTH[0] <= float((right - left) @ across) / distance <= _MOUTH[1]
    )


def share_held(box: Floats, others: Sequence[Floats]) -> float:
    """The most of a box that lies in one of the others, 0 to 1."""
    area = float((box[2] - box[0]) * (box[3] - box[1]))
    shared = [np.maximum(0, np.minimum(box[2:], o[2:]) - np.maximum(box[:2], o[:2])).prod() for o in others]
    return float(max(shared, default=0)) / area


def _around(image: Pixels, box: Floats, longest: float) -> tuple[Any, Floats]:
    """The part of a picture that holds all looks, grey outside, and its corner: the box's middle lies inside."""
    middle = (box[:2] + box[2:]) / 2
    corner = np.floor(middle - longest)
    end = np.ceil(middle + longest)
    x1, y1 = np.maximum(corner, 0).astype(int)
    x2, y2 = np.minimum(end, image.shape[1::-1]).astype(int)
    widths = [y1 - corner[1], end[1] - y2, x1 - corner[0], end[0] - x2]
    top, bottom, left, right = (int(width) for width in widths)
    part: Any = image[y1:y2, x1:x2]
    part = cv2.copyMakeBorder(part, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(_GREY,) * 3)
    return part, corner.astype(np.float32)
