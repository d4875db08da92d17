"""A picture at many sizes, for a network that knows faces of one size only.

P-Net on the ten levels of a 1920×1080 picture takes 26 ms on two cores one by one, 8.5 of them for the first, which is
half of all pixels; on one sheet, a tenth of which is left empty, 17 ms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

WINDOW = 12
"""P-Net's receptive field in pixels."""

_SHRINK = 0.709  # about 1/sqrt(2): the area halves from level to level
_SHEET = 600_000  # pixels of a sheet, about: bounds the memory, whatever the picture

Pixels: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """Levels side by side in one image, so that a network runs once for all. corners: each level's row and column."""

    image: Pixels
    levels: tuple[Pixels, ...]
    corners: tuple[tuple[int, int], ...]


def pyramid(image: Pixels, scale: float) -> Iterator[Pixels]:
    """The picture at `scale`, then ever smaller, each level made from the one before, none under WINDOW."""
    height, width = image.shape[:2]
    if min(height, width) * scale < WINDOW:
        return
    level: Any = image
    for _ in range(int(-np.log2(scale))):  # exact means of 2 x 2 first: half the time of one step
        level = cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    while min(height, width) * scale >= WINDOW:
        size = round(width * scale), round(height * scale)
        level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        yield level
        scale *= _SHRINK


def sheets(levels: Sequence[Pixels]) -> Iterator[Sheet]:
    """The levels, largest first, on as few sheets as _SHEET allows; one that is larger has its own."""
    some: list[Pixels] = []
    for level in levels:
        if some and sum(one.shape[0] * one.shape[1] for one in (*some, level)) > _SHEET:
            yield _sheet(some)
            some = []
        some.append(level)
    if some:
        yield _sheet(some)


def _sheet(levels: Sequence[Pixels]) -> Sheet:
    """Levels on a sheet as wide as the first; each takes the first free part that has room, and leaves two smaller."""
    free = [(0, 0, levels[0].shape[1], 2 * sum(level.shape[0] for level in levels))]  # row, column, width, height
    corners = []
    bottom = 0
    for level in levels:
        # even corners: the network looks at every other pixel
        height, width = (length + length % 2 for length in level.shape[:2])
        place = next(i for i, part in enumerate(free) if level.shape[1] <= part[2] and level.shape[0] <= part[3])
        y, x, wide, high = free[place]
        free[place : place + 1] = [(y, x + width, wide - width, height), (y + height, x, wide, high - height)]
        corners.append((y, x))
        bottom = max(bottom, y + level.shape[0])
    image = np.zeros((bottom, levels[0].shape[1], 3), np.uint8)
    for level, (y, x) in zip(levels, corners, strict=True):
        image[y : y + level.shape[0], x : x + level.shape[1]] = level
    return Sheet(image, tuple(levels), tuple(corners))
