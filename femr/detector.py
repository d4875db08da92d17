"""Face detection: the Detector protocol, and MTCNN behind it.

Portraits of 80 to 300 px that the edge of a 640×480 scene cuts, beside two others, were found before the looks beyond
the edge and with them: half outside 47 and 91 % of 80; two fifths outside 72 % of 80 and 100 % of 40. With a black
border of 15 % around the picture instead it is 72 and 85 % of 80. The looks cost 4 to 10 % of processor time.

Photos turned by 90°, 180° and 270°, 83 alone and pasted into 640×480 pictures of things, faces a twelfth of the long
side and more: the turn is seen in 99 % and 95 %. The looks at the other turns cost 39 % of a 0.3-megapixel picture
without faces, and nothing where a face convinces. With copies of 320 pixels it is 95 and 97 % for 78 %, with 160 98 and
89 % for 30 %. To turn P-Net's likeliest places alone costs 11 %, and sees 92 and 61 %.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from femr.errors import DataError, ImageError, ModelError
from femr.images import long_side
from femr.mtcnn.cascade import Cascade, Found
from femr.mtcnn.pyramid import WINDOW
from femr.mtcnn.turning import QUARTERS, turned, turned_back
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
_PROMISING = 0.9  # and of the best in a small turned copy, from which the picture is looked at so
_TURNED_LONG = 200  # long side in pixels of the copies that are turned

Pixels: TypeAlias = npt.NDArray[np.uint8]


class Detector(Protocol):
    """Whatever finds faces in RGB uint8 (h, w, 3) pictures, sorted from left to right."""

    def detect(self, image: Pixels) -> tuple[Face, ...]:
        """The faces of one picture; an empty tuple where there is none."""
        ...

    def detect_many(self, images: Sequence[Pixels]) -> list[tuple[Face, ...]]:
        """The faces of each of several pictures, as `detect` would give them."""
        ...

    def follow(self, image: Pixels, faces: Sequence[Face]) -> tuple[Face, ...]:
        """The faces of a video's frame near those of an earlier frame of the same size; it sees no new face."""
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

    def detect(self, image: Pixels) -> tuple[Face, ...]:
        """The faces of one picture, sorted from left to right; an empty tuple where there is none.

        Where no face convinces, the picture is also looked at on its sides and upside down.
        Args: `image`, RGB uint8 (h, w, 3).
        Raises: ImageError if `image` is anything else.
        """
        return self.detect_many([image])[0]

    def detect_many(self, images: Sequence[Pixels]) -> list[tuple[Face, ...]]:
        """The faces of each of several pictures, as `detect` gives them, sooner than one by one.

        Args: `images`, RGB uint8 (h, w, 3) each, of any sizes. Raises: ImageError if one is anything else.
        """
        for image in images:
            _check(image)
        found = self._find(images)
        unseen = [number for number, faces in enumerate(found) if not faces]
        for number, faces in zip(unseen, self._from_afar([images[number] for number in unseen]), strict=True):
            found[number] = faces
        for number, image in enumerate(images):
            if _best(found[number]) < _CONVINCING:
                found[number] = self._turned(image) or found[number]
        return [_sorted(faces, image) for faces, image in zip(found, images, strict=True)]

    def follow(self, image: Pixels, faces: Sequence[Face]) -> tuple[Face, ...]:
        """The faces of a video's frame near those of an earlier frame. It sees no new face, and costs far less.

        Args: `image`, RGB uint8 (h, w, 3); `faces`, found in a frame of the same size. Raises: ImageError.
        """
        _check(image)
        if not faces:
            return ()
        boxes = np.array([face.box for face in faces], np.float32)
        return _sorted(self._cascade.follow(image, boxes), image)

    def _find(self, images: Sequence[Pixels]) -> list[list[Found]]:
        smallest = [
            self._smallest or max(SMALLEST_FACE, SMALLEST_SHARE * long_side(image.shape[1], image.shape[0]))
            for image in images
        ]
        return self._cascade.find(images, smallest)

    def _turned(self, image: Pixels) -> list[Found]:
        """The faces of a picture that lies on its side or is upside down; none where no turn of it convinces.

        A small copy tells which turn that is, so faces under a seventh of the picture's long side do not.
        """
        zoom = min(1.0, _TURNED_LONG / max(image.shape))
        size = [max(1, round(side * zoom)) for side in image.shape[1::-1]]
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        copies = [turned(small, quarters) for quarters in QUARTERS]
        looks = self._cascade.find(copies, [SMALLEST_FACE] * len(copies))
        best, quarters = max((_best(faces), quarters) for faces, quarters in zip(looks, QUARTERS, strict=True))
        if best < _PROMISING:
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

    def __init__(self, detector: Detector, every: int) -> None:
        if every < 1:
            raise DataError(f"Expected to look for new faces in every frame or every few, 1 or more. Received: {every}")
        self._detector, self._every = detector, every
        self._frames = 0
        self._faces: tuple[Face, ...] = ()

    def __call__(self, images: Sequence[Pixels]) -> list[tuple[Face, ...]]:
        """The faces of the next frames, RGB uint8 (h, w, 3), all of one size. Raises: ImageError."""
        return self._detector.detect_many(images) if self._every == 1 else [self._next(image) for image in images]

    def _next(self, image: Pixels) -> tuple[Face, ...]:
        found: tuple[Face, ...] = ()
        anew = self._frames % self._every == 0
        if not anew:
            found = self._detector.follow(image, self._faces)
            anew = len(found) < len(self._faces)
        self._faces = self._detector.detect(image) if anew else found
        self._frames += 1
        return self._faces


def _best(faces: Sequence[Found]) -> float:
    return max((face.confidence for face in faces), default=0.0)


def _check(image: object) -> None:
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ImageError(f"Expected an RGB picture, uint8 (h, w, 3). Received: {_described(image)}")
    if not image.size:
        raise ImageError("The picture has no pixels.")


def _sorted(found: Sequence[Found], image: Pixels) -> tuple[Face, ...]:
    """The faces from left to right, their boxes inside the picture; without those outside."""
    faces = (face for face in (_clipped(one, image) for one in found) if face)
    return tuple(sorted(faces, key=lambda face: face.box[0] + face.box[2]))


def _clipped(found: Found, image: Pixels) -> Face | None:
    """The face with its box inside the picture; None where less than a pixel is."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in np.clip(found.box, 0, (width, height, width, height)))
    if x2 - x1 < 1 or y2 - y1 < 1:
        return None
    points = Landmarks(*((float(x), float(y)) for x, y in found.points))
    return Face((x1, y1, x2, y2), min(found.confidence, 1.0), points)


def _described(image: object) -> str:
    return f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
