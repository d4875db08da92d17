"""YuNet (Wu et al., 2023) through OpenCV: a small, quick detector whose weights file the user names."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from femr.errors import ModelError, printable
from femr.faces.detector import Detection, to_faces
from femr.images import Picture, to_picture
from femr.results import Face

_LEAST = 0.6  # confidence from which a box is a face
_OVERLAP, _MOST = 0.3, 5000  # non-maximum suppression: area shared over the union, and boxes before it


class YunetDetector:
    """Finds faces and five landmarks each. May be called from several threads.

    Args:
        smallest_face: The side in pixels from which a face counts.
        file: YuNet's ONNX file, as OpenCV Zoo has it.
        engine: Changes nothing: OpenCV runs it.

    Raises:
        ModelError: The file is not there, or holds something else.
    """

    def __init__(self, smallest_face: int | None = None, file: str = "", engine: str | None = None) -> None:
        name = printable(Path(file).name)
        if not Path(file).is_file():
            raise ModelError(f"Expected yunet:FILE, with an ONNX file of YuNet. Received: yunet:{name}, no such file")
        self._smallest = smallest_face or 0
        self._lock = Lock()  # the network's input size is a setting of its own
        try:
            self._network = cv2.FaceDetectorYN.create(file, "", (320, 320), _LEAST, _OVERLAP, _MOST)
            self.detect([to_picture(np.zeros((64, 64, 3), np.uint8))])  # another network can be read and not run
        except cv2.error as error:
            raise ModelError(f"{name} cannot be read as weights of YuNet.") from error

    def detect(self, pictures: Sequence[Picture], near: Sequence[Face] | None = None) -> list[tuple[Face, ...]]:
        """The faces of each picture, as in Detector; `near` changes nothing."""
        return [to_faces(self._find(picture), picture) for picture in pictures]

    def _find(self, picture: Picture) -> list[Detection]:
        image = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2BGR)
        with self._lock:
            self._network.setInputSize(image.shape[1::-1])
            _, rows = self._network.detect(image)
        # a row: x, y, width, height, five landmarks in the order of results.Landmarks, confidence
        faces = np.empty((0, 15), np.float32) if rows is None else rows
        return [
            Detection(np.concatenate([row[:2], row[:2] + row[2:4]]), float(row[14]), row[4:14].reshape(5, 2))
            for row in faces
            if row[2:4].max() >= self._smallest
        ]
