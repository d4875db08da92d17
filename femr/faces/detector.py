"""Face detection: the Detector protocol, and MTCNN behind it.

Portraits of 80 to 300 px that the edge of a 640×480 scene cuts, beside two others, were found before the looks beyond
the edge and with them: half outside 47 and 91 % of 80; two fifths outside 72 % of 80 and 100 % of 40. With a black
border of 15 % around the picture instead it is 72 and 85 % of 80. The looks cost 4 to 10 % of processor time.

14 photos turned by 90°, 180° and 270°: all 42 times the face was found, eyes above mouth; upright alone twice, the
wrong way up, at a confidence of .89 and .95. The looks at the other turns cost 80 % of a 0.3-megapixel picture without
faces, and nothing where a face convinces.
"""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from femr.errors import DataError, ModelError
from femr.faces.mtcnn.cascade import Cascade, Found
from femr.faces.mtcnn.pyramid import WINDOW
from femr.faces.mtcnn.turning import QUARTERS, turned, turned_back
from femr.images import Picture, Pixels, long_side
from femr.results import Face, Landmarks

SMALLEST_FACE = 28
"""Default smallest face in pixels that is looked for: from there down the networks read worse and worse.

1,500 PublicTest faces shrunk to 48 / 40 / 32 / 28 / 24 / 20 / 16 pixels and enlarged again: MobileNetV2 reads 72 / 69 /
68 / 65 / 64 / 55 / 46 % of them, before it learned from them. A half as small smallest face costs four times the time.
"""
SMALLEST_SHARE = 1 / 48
"""And the smallest share of the picture's `images.long_side`: 40 pixels of 1920, so no large picture takes long."""

_AFAR = 96  # short side in pixels of the second look
_AFAR_LONG = 480
_CONVINCING = 0.98  # confidence of the best face from which a picture is taken to be upright
_TURNED_LONG = 320  # long side in pixels of the copies that are turned


class Detector(Protocol):
    """Whatever finds faces."""

    def detect(self, pictures: Sequence[Picture], near: Sequence[Face] | None = None) -> list[tuple[Face, ...]]:
        """The faces of each picture from left to right, in the original's pixels; see `to_faces`.

        Args: `near`, faces of an earlier frame of the same video: no others need be found, which may be quicker.
        """
        ...


class MtcnnDetector:
    """Finds faces and five landmarks each. Loads its networks once; may be called from several threads.

    Args: `smallest_face`, the side in pixels from which a face is looked for, 12 at least; None is SMALLEST_FACE, or
        SMALLEST_SHARE of the picture where that is more. Raises: ModelError.
    """

    def __init__(self, smallest_face: int | None = None) -> None:
        if smallest_face is not None and smallest_face < WINDOW:
            raise ModelError(f"Expected a smallest face of {WINDOW} pixels or more. Received: {smallest_face}")
        self._smallest = smallest_face
        self._cascade = Cascade()

    def detect(self, pictures: Sequence[Picture], near: Sequence[Face] | None = None) -> list[tuple[Face, ...]]:
        """The faces of each picture, as in Detector; of several pictures sooner than one by one.

        Where no face convinces, a picture is also looked at on its sides and upside down. `near` costs far less.
        """
        found = self._find_all([picture.pixels for picture in pictures]) if near is None else self._near(pictures, near)
        return [to_faces(faces, picture) for faces, picture in zip(found, pictures, strict=True)]

    def _near(self, pictures: Sequence[Picture], faces: Sequence[Face]) -> list[list[Found]]:
        if not faces:
            return [[] for _ in pictures]
        boxes = np.array([face.box for face in faces])
        return [
            self._cascade.follow(picture.pixels, (boxes * picture.scale).astype(np.float32)) for picture in pictures
        ]

    def _find_all(self, images: Sequence[Pixels]) -> list[list[Found]]:
        found = self._find(images)
        unseen = [number for number, faces in enumerate(found) if not faces]
        for number, faces in zip(unseen, self._from_afar([images[number] for number in unseen]), strict=True):
            found[number] = faces
        for number, image in enumerate(images):
            if _best(found[number]) < _CONVINCING:
                found[number] = self._turned(image) or found[number]
        return found

    def _find(self, images: Sequence[Pixels]) -> list[list[Found]]:
        smallest = [
            self._smallest or max(SMALLEST_FACE, SMALLEST_SHARE * long_side(image.shape[1], image.shape[0]))
            for image in images
        ]
        return self._cascade.find(images, smallest)

    def _turned(self, image: Pixels) -> list[Found]:
        """The faces of a picture that lies on its side or is upside down; none where no turn of it convinces.

        A small copy tells which turn that is, so faces under a twelfth of the picture's long side do not.
        """
        zoom = min(1.0, _TURNED_LONG / max(image.shape))
        size = [max(1, round(side * zoom)) for side in image.shape[1::-1]]
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        copies = [turned(small, quarters) for quarters in QUARTERS]
        looks = self._cascade.find(copies, [SMALLEST_FACE] * len(copies))
        best, quarters = max((_best(faces), quarters) for faces, quarters in zip(looks, QUARTERS, strict=True))
        if best < _CONVINCING:
            return []
        height, width = image.shape[:2]
        (faces,) = self._find([turned(image, quarters)])
        if _best(faces) < _CONVINCING:
            return []
        return [turned_back(face, quarters, width, height) for face in faces]

    def _from_afar(self, images: Sequence[Pixels]) -> list[list[Found]]:
        """The faces of pictures in which none was found, seen as thumbnails with a border.

        MTCNN wants a face's surroundings: it overlooks some that fill the picture, and all in a tiny picture.
        """
        framed, zooms, borders = [], [], []
        for image in images:
            height, width = image.shape[:2]
            zoom = min(_AFAR / min(height, width), _AFAR_LONG / max(height, width))
            size = max(1, round(width * zoom)), max(1, round(height * zoom))
            thumbnail = cv2.resize(image, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
            border = round(0.3 * min(size))
            framed.append(cv2.copyMakeBorder(thumbnail, border, border, border, border, cv2.BORDER_REPLICATE))
            zooms.append(zoom)
            borders.append(border)
        return [
            [Found((box - border) / zoom, score, (points - border) / zoom) for box, score, points in faces]
            for faces, zoom, border in zip(self._find(framed), zooms, borders, strict=True)
        ]


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


def _best(faces: Sequence[Found]) -> float:
    return max((face.confidence for face in faces), default=0.0)


def to_faces(found: Sequence[Found], picture: Picture) -> tuple[Face, ...]:
    """What a detector found in `picture.pixels` as faces: in the original's pixels, from left to right.

    Their boxes lie inside the picture; those outside are left out.
    """
    faces = (face for face in (_clipped(one, picture.pixels) for one in found) if face)
    ordered = sorted(faces, key=lambda face: face.box[0] + face.box[2])
    return tuple(face.scaled(1 / picture.scale) for face in ordered)


def _clipped(found: Found, image: Pixels) -> Face | None:
    """The face with its box inside the picture; None where less than a pixel is."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in np.clip(found.box, 0, (width, height, width, height)))
    if x2 - x1 < 1 or y2 - y1 < 1:
        return None
    points = Landmarks(*((float(x), float(y)) for x, y in found.points))
    return Face((x1, y1, x2, y2), min(found.confidence, 1.0), points)
