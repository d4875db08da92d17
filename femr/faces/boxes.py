"""Geometry of boxes (x1, y1, x2, y2), in arrays (..., 4) of any numbers that broadcast against each other."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Numbers: TypeAlias = npt.NDArray[Any]

_TINY = 1e-12  # area of two boxes without any


def areas(boxes: npt.ArrayLike) -> Numbers:
    """The area of each box (...)."""
    boxes = np.asarray(boxes)
    product: Numbers = np.prod(boxes[..., 2:] - boxes[..., :2], axis=-1)
    return product


def shared_areas(boxes: npt.ArrayLike, others: npt.ArrayLike) -> Numbers:
    """The area that lies in both boxes of each pair (...)."""
    boxes, others = np.asarray(boxes), np.asarray(others)
    sides = np.minimum(boxes[..., 2:], others[..., 2:]) - np.maximum(boxes[..., :2], others[..., :2])
    product: Numbers = np.prod(np.maximum(sides, 0), axis=-1)
    return product


def iou(boxes: npt.ArrayLike, others: npt.ArrayLike) -> Numbers:
    """Intersection over union of each pair (...), 0 to 1; 0 for boxes without area."""
    shared = shared_areas(boxes, others)
    shares: Numbers = shared / np.maximum(areas(boxes) + areas(others) - shared, _TINY)
    return shares
