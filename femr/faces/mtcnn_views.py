"""What MTCNN's networks look at: a picture at many sizes, squares of one size, closer looks at a doubtful face."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from femr.faces.boxes import Floats, areas, shared_areas
from femr.images import Pixels

WINDOW = 12
"""P-Net's receptive field in pixels."""

STRIDE = 2
"""Pixels from one window of P-Net's to the next."""

MARGIN = 6
"""Pixels of black around each level on its sheet, even: so far a window may reach beyond the picture."""

LOOKS = (1.0, 0.85)
"""Sides of the squares that are looked at again, in sides of the box; the face is turned upright, and mirrored too."""

_SHRINK = 0.709  # about 1/sqrt(2): the area halves from level to level
_SHEET = 200_000  # pixels of a sheet, about
_STRIP = 40_000  # and of a strip of one: bounds the memory between two layers, whatever the picture
_GRAY = 127
# where the landmarks of 603 real boxes lay, with some room: in the box's longer side
_EYE_DISTANCE = 0.18, 0.52  # seen: .25 to .42
_EYES_TO_MOUTH = 0.27, 0.52  # .31 to .47
_ASIDE = 0.2  # nose or middle of the mouth off the eyes' middle: up to .14
_NOSE = 0.2, 0.88  # of the way from the eyes to the mouth: .28 to .80
_MOUTH = 0.5, 1.3  # width in distances between the eyes: .62 to 1.11


class Sheet(NamedTuple):
    """Levels side by side in one image, so that a network runs once for all.

    places: which level is where, as its index, row and column.
    """

    image: Pixels
    places: list[tuple[int, int, int]]


def pyramid(image: Pixels, scale: float) -> Iterator[Pixels]:
    """The picture at `scale`, then ever smaller, each level made from the one before, none under WINDOW."""
    height, width = image.shape[:2]
    level: Any = image
    while min(height, width) * scale >= WINDOW:
        size = round(width * scale), round(height * scale)
        level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        yield level
        scale *= _SHRINK


def sheets(levels: Sequence[Pixels]) -> Iterator[Sheet]:
    """The levels, of one picture or of several, on as few sheets as _SHEET allows; a larger one has its own."""
    some: list[int] = []
    area = 0
    for number, level in enumerate(levels):
        size = level.shape[0] * level.shape[1]
        if some and area + size > _SHEET:
            yield _sheet(levels, some)
            some, area = [], 0
        some.append(number)
        area += size
    if some:
        yield _sheet(levels, some)


def _sheet(levels: Sequence[Pixels], some: Sequence[int]) -> Sheet:
    """Some levels on a sheet: each takes the first free part that has room for it, and leaves two smaller ones.

    Two neighbours share the black between them: no window of MARGIN beyond one sees the other.
    """
    widest = max(levels[number].shape[1] for number in some) + 1 + MARGIN
    tallest = sum(levels[number].shape[0] + 1 + MARGIN for number in some)
    free = [(MARGIN, MARGIN, widest, 2 * tallest)]  # row, column, width, height
    places = []
    for number in some:
        height, width = (side + MARGIN for side in levels[number].shape[:2])
        place = next(i for i, part in enumerate(free) if width <= part[2] and height <= part[3])
        y, x, wide, high = free[place]
        places.append((number, y, x))
        right, below = width + width % 2, height + height % 2  # even: the network looks at every other pixel
        free[place : place + 1] = [(y, x + right, wide - right, below), (y + below, x, wide, high - below)]
    bottom, right = (max(p[1 + axis] + levels[p[0]].shape[axis] for p in places) + MARGIN for axis in (0, 1))
    image = np.zeros((bottom, right, 3), np.uint8)
    for number, y, x in places:
        height, width = levels[number].shape[:2]
        image[y : y + height, x : x + width] = levels[number]
    return Sheet(image, places)


def strips(sheet: Pixels) -> Iterator[Pixels]:
    """A sheet from top to bottom: with as many rows in two strips as no window of P-Net's is lost, nor seen twice."""
    rows = max(STRIDE, _STRIP // sheet.shape[1] // STRIDE * STRIDE)
    for top in range(0, sheet.shape[0] - WINDOW + 1, rows):
        yield sheet[top : top + rows + WINDOW - STRIDE]


def cut_patches(
    images: Sequence[Pixels], boxes: Floats, pictures: npt.NDArray[np.int32], side: int
) -> tuple[Pixels, Floats]:
    """Squares around boxes, resized: uint8 (n, side, side, 3), gray outside the picture.

    And the squares themselves, xyxy (n, 4): through the middles of the outermost pixels, as the networks learned it.
    They are snapped to whole pixels, which is three times as fast as sampling between.

    Args:
        boxes: (n, 4), xyxy in pixels.
        pictures: The number (n,) of the picture that each is of.
    """
    squares = _squared(boxes)
    around = (squares[:, 2:] - squares[:, :2]) * (0.5 / (side - 1))
    # sampled from a halved picture, if need be, so that no pixel in between is passed over
    depths = np.log2(np.maximum((squares[:, 2] - squares[:, 0]) / side, 1)).astype(np.int32)
    steps = np.exp2(depths)[:, np.newaxis]
    corners = np.rint(np.hstack([squares[:, :2] - around, squares[:, 2:] + around]) / steps).astype(np.int32)
    patches = np.full((len(squares), side, side, 3), _GRAY, np.uint8)
    halved = [[image] for image in images]
    places = [each.tolist() for each in (corners, pictures, depths)]  # plain numbers are sooner read one by one
    for patch, sides, number, depth in zip(patches, *places, strict=True):
        levels = halved[number]
        while len(levels) <= depth:
            levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        part = _cut(levels[depth], *sides)
        if part.size:
            cv2.resize(part, (side, side), dst=patch, interpolation=cv2.INTER_LINEAR)
    outer = corners * steps
    return patches, np.asarray(np.hstack([outer[:, :2] + around, outer[:, 2:] - around]), np.float32)


def _cut(image: Pixels, x1: int, y1: int, x2: int, y2: int) -> Any:
    """A part of a picture, with gray where it reaches beyond; empty where all of it does."""
    height, width = image.shape[:2]
    if min(x1, y1) >= 0 and x2 <= width and y2 <= height:
        return image[y1:y2, x1:x2]
    part = image[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    if not part.size:
        return part
    beyond = max(-y1, 0), max(y2 - height, 0), max(-x1, 0), max(x2 - width, 0)
    return cv2.copyMakeBorder(part, *beyond, cv2.BORDER_CONSTANT, value=(_GRAY,) * 3)


def _squared(boxes: Floats) -> Floats:
    """Squares around the same centres, as long as the longer sides."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def closer_looks(image: Pixels, box: Floats, points: Floats, side: int) -> Pixels:
    """A box's middle at each of LOOKS, upright by its eyes, plain and mirrored: uint8 (2 × looks, side, side, 3).

    Args:
        image: RGB uint8 (h, w, 3).
        box: (4,), xyxy, in its pixels.
        points: Landmarks (5, 2), in its pixels.
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
        look = cv2.warpAffine(part, matrix, (side, side), flags=cv2.INTER_LINEAR, borderValue=(_GRAY,) * 3)
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
    return float(shared_areas(box, others).max()) / float(areas(box)) if len(others) else 0.0


def _around(image: Pixels, box: Floats, longest: float) -> tuple[Any, Floats]:
    """The part of a picture that holds all looks, gray outside, and its corner."""
    middle = (box[:2] + box[2:]) / 2
    corner, end = np.floor(middle - longest), np.ceil(middle + longest)
    part = _cut(image, *corner.astype(int).tolist(), *end.astype(int).tolist())
    if not part.size:
        part = np.full((*(end - corner).astype(int)[::-1], 3), _GRAY, np.uint8)
    return part, corner.astype(np.float32)
