"""A picture at many sizes, for a network that knows faces of one size only.

P-Net on the ten levels of a 1920×1080 picture takes 26 ms on two cores one by one, 8.5 of them for the first, which is
half of all pixels; on one sheet, a tenth of which is left empty, 17 ms. Frames of a video share sheets where they are
small: eight of 320×240 pixels take 1.2 ms each instead of 2.5, of 640×480 4.5 instead of 6.7, larger ones gain nothing.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

WINDOW = 12
"""P-Net's receptive field in pixels."""

MARGIN = 6
"""Pixels of black around each level on its sheet, even: so far a window may reach beyond the picture."""

_SHRINK = 0.709  # about 1/sqrt(2): the area halves from level to level
_SHEET = 600_000  # pixels of a sheet, about: bounds the memory, whatever the picture

Pixels: TypeAlias = npt.NDArray[np.uint8]


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
