"""The way the reference work answers a request: the mtcnn package, Keras, and one `predict` a face.

Its app makes an MTCNN and loads the network anew for each picture; `loaded` does both once and is otherwise the same.
The network is femr's MobileNetV2, so that nothing differs but the way. Reading the weights includes the check of their
SHA-256, some milliseconds.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from femr.benchmark.finders import package_detector
from femr.images import Pixels

MODEL = "mobilenet_v2"


def request(image: Pixels) -> list[Any]:
    """Seven probabilities a face, with a detector and a network made for this picture alone."""
    return loaded()(image)


def loaded() -> Callable[[Pixels], list[Any]]:
    """A function from a picture to seven probabilities a face; detector and network are made now, once."""
    from femr.expression.weights import load_network

    detector = package_detector()
    facts, network = load_network(MODEL)
    span = facts.low, (facts.high - facts.low) / 255

    def answer(image: Pixels) -> list[Any]:
        crops = (_crop(image, face["box"], facts.side) for face in detector.detect_faces(image))
        return [
            network.predict(span[0] + span[1] * crop[np.newaxis], verbose=0)[0] for crop in crops if crop is not None
        ]

    return answer


def _crop(image: Pixels, box: list[float], side: int) -> Any:
    """The box as it is, grey on three channels; None where it is empty."""
    x, y, width, height = (max(0, int(value)) for value in box)
    part = image[y : y + height, x : x + width]
    if not part.size:
        return None
    grey = cv2.resize(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), (side, side))
    return np.repeat(grey[:, :, np.newaxis].astype(np.float32), 3, axis=2)
