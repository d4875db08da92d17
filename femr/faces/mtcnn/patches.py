"""Squares of pictures, small and of one size, as R-Net and O-Net want to see them."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

_GREY = 127

Pixels: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]


def cut_patches(
    images: Sequence[Pixels], boxes: Floats, pictures: npt.NDArray[np.int32], side: int
) -> tuple[Pixels, Floats]:
    """Squares around boxes, resized: uint8 (n, side, side, 3), grey outside the picture.

    And the squares themselves, xyxy (n, 4): through the middles of the outermost pixels, as the networks learned it.
    They are snapped to whole pixels, which is three times as fast as sampling between.

    Args: `boxes`, xyxy (n, 4) in pixels; `pictures`, the number (n,) of the picture that each is of.
    """
    squares = _squared(boxes)
    around = (squares[:, 2:] - squares[:, :2]) * (0.5 / (side - 1))
    # sampled from a halved picture, if need be, so that no pixel in between is passed over
    depths = np.log2(np.maximum((squares[:, 2] - squares[:, 0]) / side, 1)).astype(np.int32)
    steps = np.exp2(depths)[:, np.newaxis]
    corners = np.rint(np.hstack([squares[:, :2] - around, squares[:, 2:] + around]) / steps).astype(np.int32)
    patches = np.full((len(squares), side, side, 3), _GREY, np.uint8)
    halved = [[image] for image in images]
    for patch, sides, number, depth in zip(patches, corners.tolist(), pictures, depths, strict=True):
        levels = halved[number]
        while len(levels) <= depth:
            levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        part = _cut(levels[depth], *sides)
        if part.size:
            cv2.resize(part, (side, side), dst=patch, interpolation=cv2.INTER_LINEAR)
    outer = corners * steps
    return patches, np.asarray(np.hstack([outer[:, :2] + around, outer[:, 2:] - around]), np.float32)


def _cut(image: Pixels, x1: int, y1: int, x2: int, y2: int) -> Any:
    """A part of a picture, with grey where it reaches beyond; empty where all of it does."""
    height, width = image.shape[:2]
    if min(x1, y1) >= 0 and x2 <= width and y2 <= height:
        return image[y1:y2, x1:x2]
    part = image[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    if not part.size:
        return part
    beyond = max(-y1, 0), max(y2 - height, 0), max(-x1, 0), max(x2 - width, 0)
    return cv2.copyMakeBorder(part, *beyond, cv2.BORDER_CONSTANT, value=(_GREY,) * 3)


def _squared(boxes: Floats) -> Floats:
    """Squares around the same centres, as long as the longer sides."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)
