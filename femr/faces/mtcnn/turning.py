"""A picture turned by quarters, and its faces turned back."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from femr.faces.mtcnn.cascade import Found

QUARTERS = (1, 2, 3)
"""Quarter turns anticlockwise, as numpy.rot90 makes them."""

Pixels: TypeAlias = npt.NDArray[np.uint8]


def turned(image: Pixels, quarters: int) -> Pixels:
    """The picture, RGB uint8 (h, w, 3), turned anticlockwise."""
    return np.ascontiguousarray(np.rot90(image, quarters))


def turned_back(face: Found, quarters: int, width: int, height: int) -> Found:
    """A face of the turned picture in the pixels of the picture as it was, `width` × `height`.

    Its landmarks keep their names: the left eye is left where the face is upright.
    """
    corners = _back(face.box.reshape(2, 2), quarters, width, height)
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    return Found(box, face.confidence, _back(face.points, quarters, width, height))


def _back(points: npt.NDArray[np.float32], quarters: int, width: int, height: int) -> npt.NDArray[np.float32]:
    x, y = points.T
    places = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}
    return np.stack(places[quarters], axis=1).astype(np.float32)
