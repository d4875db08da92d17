"""What a face detector is, which there are, and what they share."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np

from femr.errors import DataError, ModelError
from femr.faces.boxes import Floats
from femr.images import Picture
from femr.results import Face, Landmarks

DETECTORS: Mapping[str, str] = MappingProxyType(
    {"mtcnn": "femr.faces.mtcnn:MtcnnDetector", "yunet": "femr.faces.yunet:YunetDetector"}
)
"""Name → its class, which is given a smallest face, what stands behind the name, as in "yunet:FILE", and an engine."""


class Detection(NamedTuple):
    """A face as a detector finds it: box xyxy (4,), confidence 0 to 1 and landmarks (5, 2), in pixels.

    It may reach beyond the picture.
    """

    box: Floats
    confidence: float
    points: Floats


class Detector(Protocol):
    """Whatever finds faces."""

    def detect(self, pictures: Sequence[Picture], near: Sequence[Face] | None = None) -> list[tuple[Face, ...]]:
        """The faces of each picture from left to right, in the original's pixels; see `to_faces`.

        Args:
            near: Faces of an earlier frame of the same video: no others need be found, which may be quicker.
        """
        ...


def load_detector(name: str = "mtcnn", smallest_face: int | None = None, engine: str | None = None) -> Detector:
    """A detector, loaded once and for many pictures.

    Args:
        name: One of DETECTORS, with a colon and a weights file where it needs one.
        smallest_face: The side in pixels from which faces are looked for, None for the detector's own.
        engine: What runs its networks, see `engine.choose`.

    Raises:
        ModelError: There is no such detector, or its weights cannot be read.
    """
    kind, _, file = name.partition(":")
    if kind not in DETECTORS:
        raise ModelError(f"Expected a detector named {', '.join(DETECTORS)}. Received: {kind}")
    module, _, cls = DETECTORS[kind].partition(":")
    detector: Detector = getattr(import_module(module), cls)(smallest_face, file, engine)
    return detector


class Follower:
    """Finds the faces in the frames of one video: all in every nth, in between those of the frame before.

    Where one of those is gone, all are looked for. Args: `every`, n; 1 looks for all in each. Raises: DataError.
    """

    def __init__(self, every: int) -> None:
        if every < 1:
            raise DataError(f"Expected to look for new faces in every frame or every few, 1 or more. Received: {every}")
        self._every = every
        self._frames = 0
        self._faces: tuple[Face, ...] = ()

    def detect(self, detector: Detector, frames: Sequence[Picture]) -> list[tuple[Face, ...]]:
        """The faces of the next frames, all of one size."""
        return detector.detect(frames) if self._every == 1 else [self._next(detector, frame) for frame in frames]

    def _next(self, detector: Detector, frame: Picture) -> tuple[Face, ...]:
        found: tuple[Face, ...] = ()
        anew = self._frames % self._every == 0
        if not anew:
            (found,) = detector.detect([frame], near=self._faces)
            anew = len(found) < len(self._faces)
        self._faces = detector.detect([frame])[0] if anew else found
        self._frames += 1
        return self._faces


def to_faces(found: Sequence[Detection], picture: Picture) -> tuple[Face, ...]:
    """What a detector found in `picture.pixels` as faces: in the original's pixels, from left to right.

    Their boxes lie inside the picture; those outside are left out.
    """
    faces = (face for face in (_clipped(one, picture) for one in found) if face)
    ordered = sorted(faces, key=lambda face: face.box[0] + face.box[2])
    return tuple(face.scaled(1 / picture.scale) for face in ordered)


def _clipped(found: Detection, picture: Picture) -> Face | None:
    """The face with its box inside the picture; None where less than a pixel is."""
    height, width = picture.pixels.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in np.clip(found.box, 0, (width, height, width, height)))
    if x2 - x1 < 1 or y2 - y1 < 1:
        return None
    points = Landmarks(*((float(x), float(y)) for x, y in found.points))
    return Face((x1, y1, x2, y2), min(found.confidence, 1.0), points)
