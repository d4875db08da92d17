"""MTCNN (Zhang et al., 2016): P-Net proposes boxes on an image pyramid, R-Net refines them, O-Net adds landmarks.

The driver is femr's own. The mtcnn package's takes every TensorFlow error for "no faces", finds nothing with any
smallest face but 20 px, unpickles a `pnet.lz4` of the current directory, and is blind to small pictures.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from femr.engine import run
from femr.errors import ModelError
from femr.faces.boxes import Floats, areas, shared_areas
from femr.faces.detector import Detection, to_faces
from femr.faces.mtcnn_networks import ONET_SIDE, RNET_SIDE, load
from femr.faces.mtcnn_views import (
    LOOKS,
    MARGIN,
    STRIDE,
    WINDOW,
    Sheet,
    closer_looks,
    cut_patches,
    is_plausible,
    pyramid,
    share_held,
    sheets,
    strips,
)
from femr.images import Picture, Pixels, long_side
from femr.results import Face

SMALLEST_FACE = 28
"""Default smallest face in pixels that is looked for: from there down the networks read worse and worse.

A half as small one costs four times the time; figures for this and the limits below: docs/decisions/detection.md.
"""
SMALLEST_SHARE = 1 / 48
"""Smallest share of the picture's `images.long_side` by default: 40 pixels of 1920, so no large picture takes long."""

_AFAR = 96  # short side in pixels of the second look
_AFAR_LONG = 480
_CONVINCING = 0.98  # confidence of the best face from which a picture is taken to be upright
_PROMISING = 0.9  # and of the best in a small turned copy, from which the picture is looked at so
_TURNED_LONG = 200  # long side in pixels of the copies that are turned
QUARTERS = (1, 2, 3)
"""Quarter turns anticlockwise, as numpy.rot90 makes them."""

# least confidence after P-, R- and O-Net
_THRESHOLDS = (0.5, 0.6, 0.8)
_CUT_THRESHOLD = 0.3  # after R-Net where the picture's edge cuts the box, which it takes for half a face
_WHOLE = 0.85  # least share of a box inside the picture that is not called cut
_READABLE = 1 / 3  # and least share of a face that is worth a look
_HOPELESS = 0.25  # confidence after O-Net's first look, up to which there is no second
_CERTAIN = 0.998  # confidence from which a box needs no second look
_SURE = 0.99  # and no second opinion, but a look whether it is upside down
_NO_FACE = 0.5  # after which it is dropped up to this one
_SECOND = 0.5  # share of a doubtful box in a better one from which it is a second box on one face
# the most that two boxes may overlap (area shared over the union): within a level of P-Net, after R-Net
_LEVEL_OVERLAP, _OVERLAP = 0.5, 0.8
_HELD = 0.7  # and after O-Net's first look: area shared over the smaller
_AROUND = 0.2 * np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]])  # where a face may have moved, in its sizes
_MIRROR = [1, 0, 2, 4, 3]  # the order of the landmarks in a mirror image


class MtcnnDetector:
    """Finds faces and five landmarks each. Loads its networks once; may be called from several threads.

    Args:
        smallest_face: The side in pixels from which a face is looked for, 12 at least; None is SMALLEST_FACE, or
            SMALLEST_SHARE of the picture where that is more.
        engine: See `engine.choose`.

    Raises:
        ModelError: The smallest face is too small, or a file is named.
    """

    def __init__(self, smallest_face: int | None = None, file: str = "", engine: str | None = None) -> None:
        if file:
            raise ModelError(f"Expected mtcnn without a file: its weights are at hand. Received: {file}")
        if smallest_face is not None and smallest_face < WINDOW:
            raise ModelError(f"Expected a smallest face of {WINDOW} pixels or more. Received: {smallest_face}")
        self._smallest = smallest_face
        self._cascade = Cascade(engine)

    def detect(self, pictures: Sequence[Picture], near: Sequence[Face] | None = None) -> list[tuple[Face, ...]]:
        """The faces of each picture, as in Detector; of several pictures sooner than one by one.

        Where no face convinces, a picture is also looked at on its sides and upside down. `near` costs far less.
        """
        found = self._find_all([picture.pixels for picture in pictures]) if near is None else self._near(pictures, near)
        return [to_faces(faces, picture) for faces, picture in zip(found, pictures, strict=True)]

    def _near(self, pictures: Sequence[Picture], faces: Sequence[Face]) -> list[list[Detection]]:
        if not faces:
            return [[] for _ in pictures]
        boxes = np.array([face.box for face in faces])
        return [
            self._cascade.follow(picture.pixels, (boxes * picture.scale).astype(np.float32)) for picture in pictures
        ]

    def _find_all(self, images: Sequence[Pixels]) -> list[list[Detection]]:
        found = self._find(images)
        unseen = [number for number, faces in enumerate(found) if not faces]
        for number, faces in zip(unseen, self._from_afar([images[number] for number in unseen]), strict=True):
            found[number] = faces
        for number, image in enumerate(images):
            if _best(found[number]) < _CONVINCING:
                found[number] = self._turned(image) or found[number]
        return found

    def _find(self, images: Sequence[Pixels]) -> list[list[Detection]]:
        smallest = [
            self._smallest or max(SMALLEST_FACE, SMALLEST_SHARE * long_side(image.shape[1], image.shape[0]))
            for image in images
        ]
        return self._cascade.find(images, smallest)

    def _turned(self, image: Pixels) -> list[Detection]:
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

    def _from_afar(self, images: Sequence[Pixels]) -> list[list[Detection]]:
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
            [Detection((box - border) / zoom, score, (points - border) / zoom) for box, score, points in faces]
            for faces, zoom, border in zip(self._find(framed), zooms, borders, strict=True)
        ]


class _Candidates(NamedTuple):
    """n boxes xyxy (n, 4) in pixels, their log odds of a face (n,), and the number of each one's picture (n,)."""

    boxes: Floats
    scores: Floats
    pictures: npt.NDArray[np.int32]

    def keep(self, index: npt.NDArray[Any]) -> "_Candidates":
        return _Candidates(self.boxes[index], self.scores[index], self.pictures[index])


class Cascade:
    """The three networks, loaded once; for any number of pictures of any size, and from several threads."""

    def __init__(self, engine: str | None = None) -> None:
        self._networks = load(engine)

    def find(self, images: Sequence[Pixels], smallest: Sequence[float]) -> list[list[Detection]]:
        """The faces of each picture, RGB uint8 (h, w, 3); each network sees several pictures, or all, at once.

        Args:
            smallest: For each picture the side in pixels from which a face is looked for, WINDOW at least.
        """
        return self._finish(images, _joined(self._propose(images, smallest))) if images else []

    def follow(self, image: Pixels, boxes: Floats) -> list[Detection]:
        """The faces near boxes xyxy (n, 4) of an earlier frame: without P-Net, so new faces are not seen."""
        sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        shifts = np.concatenate([_AROUND, _AROUND], axis=1)[:, np.newaxis] * sizes[:, np.newaxis]
        near = (boxes + shifts).reshape(-1, 4).astype(np.float32)
        return self._finish([image], _candidates(near, np.zeros(len(near), np.float32), 0))[0]

    def _propose(self, images: Sequence[Pixels], smallest: Sequence[float]) -> Iterator[_Candidates]:
        """P-Net's boxes on each level of each picture's pyramid."""
        levels = [
            (number, level)
            for number, (image, side) in enumerate(zip(images, smallest, strict=True))
            for level in pyramid(image, WINDOW / side)
        ]
        filled = list(sheets([level for _, level in levels]))
        for sheet, (offsets, odds) in zip(filled, self._windows_of(filled), strict=True):
            for index, y, x in sheet.places:
                number, level = levels[index]
                part = _inside(y, level.shape[0]), _inside(x, level.shape[1])
                found = _candidates(*_windows(offsets[part], odds[part]), number)
                found = found._replace(boxes=(found.boxes - MARGIN) * _zoom(level, images[number]))
                yield found.keep(_suppress(found, _LEVEL_OVERLAP))  # level by level: sooner than all at once

    def _windows_of(self, filled: Sequence[Sheet]) -> Iterator[tuple[Floats, Floats]]:
        """P-Net's offsets (h, w, 4) and log odds (h, w) of each sheet's windows; it sees a strip at a time."""
        cut = [list(strips(sheet.image)) for sheet in filled]
        outputs = iter(self._networks.pnet(strip[np.newaxis] for some in cut for strip in some))
        for some in cut:
            offsets, odds = zip(*islice(outputs, len(some)), strict=True)
            yield np.concatenate(offsets, axis=1)[0], np.concatenate(odds, axis=1)[0, ..., 0]

    def _finish(self, images: Sequence[Pixels], proposed: _Candidates) -> list[list[Detection]]:
        """R-Net and O-Net on the proposals of some pictures."""
        found: list[list[Detection]] = [[] for _ in images]
        for number, face in self._complete(images, self._refine(images, proposed)):
            found[number].append(face)
        return [self._judge(image, faces) for image, faces in zip(images, found, strict=True)]

    def _judge(self, image: Pixels, faces: Sequence[Detection]) -> list[Detection]:
        """The faces of a picture with test-time augmentation for those that are not sure; without what can be none."""
        sure = [face for face in faces if face.confidence >= _CERTAIN]
        doubtful = [face for face in faces if face.confidence < _CERTAIN and _is_possible(face, faces)]
        if not doubtful:
            return sure
        looks = np.stack([closer_looks(image, face.box, face.points, ONET_SIDE) for face in doubtful])
        upright, over = self._odds(looks), self._odds(looks[:, :1, ::-1, ::-1])
        first = [_log_odds(face.confidence) for face in doubtful]
        mean = np.mean([first, *upright.reshape(len(doubtful), len(LOOKS), 2).mean(axis=2).T], axis=0)
        for face, odds, upside_down in zip(doubtful, mean, over[:, 0] > mean, strict=True):
            second = face if face.confidence >= _SURE else face._replace(confidence=float(_probability(odds)))
            sure += self._righted(image, second) if upside_down else [second] * (second.confidence > _NO_FACE)
        return sure

    def _odds(self, looks: Pixels) -> Floats:
        """O-Net's log odds (n, m) for m looks at each of n faces."""
        *_, odds = run(self._networks.onet, looks.reshape(-1, ONET_SIDE, ONET_SIDE, 3))
        return odds.reshape(looks.shape[:2])

    def _righted(self, image: Pixels, face: Detection) -> list[Detection]:
        """A face that was taken the wrong way up, its eyes for its mouth, as it is; none where it is not seen so."""
        ends = np.array(image.shape[1::-1], np.float32)
        place = np.concatenate([ends - face.box[2:], ends - face.box[:2]])[np.newaxis]
        seen = self._complete([cv2.rotate(image, cv2.ROTATE_180)], _candidates(place, np.zeros(1, np.float32), 0))
        return [
            Detection(np.concatenate([ends - box[2:], ends - box[:2]]), confidence, ends - points)
            for _, (box, confidence, points) in seen
        ]

    def _refine(self, images: Sequence[Pixels], proposed: _Candidates) -> _Candidates:
        """R-Net's boxes: most proposals fall away here."""
        patches, squares = cut_patches(images, proposed.boxes, proposed.pictures, RNET_SIDE)
        offsets, odds = run(self._networks.rnet, patches)
        refined = _Candidates(_moved(squares, offsets), odds[:, 0], proposed.pictures)
        cut = _shares_inside(refined, images) < _WHOLE
        refined = refined.keep(refined.scores > np.where(cut, _log_odds(_CUT_THRESHOLD), _log_odds(_THRESHOLDS[1])))
        return refined.keep(_suppress(refined, _OVERLAP))

    def _complete(self, images: Sequence[Pixels], refined: _Candidates) -> Iterator[tuple[int, Detection]]:
        """O-Net's boxes and landmarks, each with its picture's number: the means of a patch and its mirror image."""
        patches, squares = cut_patches(images, refined.boxes, refined.pictures, ONET_SIDE)
        plain = run(self._networks.onet, patches)
        seen = _Candidates(_moved(squares, plain[0]), plain[2][:, 0], refined.pictures)
        again = _outermost(seen, np.flatnonzero(seen.scores > _log_odds(_HOPELESS)))
        squares, pictures = squares[again], refined.pictures[again]
        mirrored = _turned(*run(self._networks.onet, patches[again, :, ::-1]))
        offsets, relative, odds = (
            np.asarray((one[again] + other) / 2, np.float32) for one, other in zip(plain, mirrored, strict=True)
        )
        size = squares[:, 2:] - squares[:, :2] + 1
        points = squares[:, np.newaxis, :2] + relative.reshape(-1, 2, 5).transpose(0, 2, 1) * size[:, np.newaxis] - 1
        boxes, confidences = _moved(squares, offsets), _probability(odds[:, 0])
        whole = _shares_inside(_Candidates(boxes, odds[:, 0], pictures), images) >= _READABLE
        for i in np.flatnonzero((confidences > _THRESHOLDS[2]) & whole):
            yield int(pictures[i]), Detection(boxes[i], float(confidences[i]), points[i])


def _is_possible(face: Detection, faces: Sequence[Detection]) -> bool:
    """Whether a box is sure, or has landmarks as a face may have, and is no second box on one of the faces."""
    better = [other.box for other in faces if other.confidence > face.confidence]
    plausible = is_plausible(face.box, face.points) and share_held(face.box, better) <= _SECOND
    return face.confidence >= _SURE or plausible


def _inside(start: int, length: int) -> slice:
    """The windows of a level, those that reach MARGIN beyond it too, along one axis of P-Net's output."""
    first = (start - MARGIN) // STRIDE
    return slice(first, first + (length + 2 * MARGIN - WINDOW) // STRIDE + 1)


def _zoom(level: Pixels, image: Pixels) -> Floats:
    """By what boxes xyxy in pixels of a level have to be multiplied for those of the picture (4,)."""
    return np.array([image.shape[1] / level.shape[1], image.shape[0] / level.shape[0]] * 2, np.float32)


def _windows(offsets: Floats, odds: Floats) -> tuple[Floats, Floats]:
    """The windows of a level that may hold a face: boxes in its pixels, and log odds."""
    rows, columns = np.nonzero(odds > _log_odds(_THRESHOLDS[0]))
    corner = np.stack([columns, rows], axis=1).astype(np.float32) * STRIDE
    return np.concatenate([corner, corner + WINDOW], axis=1) + offsets[rows, columns] * WINDOW, odds[rows, columns]


def _shares_inside(candidates: _Candidates, images: Sequence[Pixels]) -> Floats:
    """How much of each box lies inside its picture, 0 to 1 (n,)."""
    ends = np.array([image.shape[1::-1] for image in images], np.float32).reshape(-1, 2)[candidates.pictures]
    pictures = np.hstack([np.zeros_like(ends), ends])
    return np.asarray(shared_areas(candidates.boxes, pictures) / areas(candidates.boxes), np.float32)


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _probability(log_odds: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def _candidates(boxes: Floats, scores: Floats, picture: int) -> _Candidates:
    return _Candidates(boxes, scores, np.full(len(boxes), picture, np.int32))


def _joined(parts: Iterable[_Candidates]) -> _Candidates:
    none = _candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32), 0)
    return _Candidates(*(np.concatenate(fields) for fields in zip(none, *parts, strict=True)))


def _moved(boxes: Floats, offsets: Floats) -> Floats:
    """Bounding-box regression: boxes corrected by a network's offsets, in shares of width and height."""
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return np.asarray(boxes + offsets * np.concatenate([size, size], axis=1), np.float32)


def _turned(offsets: Floats, points: Floats, odds: Floats) -> tuple[Floats, Floats, Floats]:
    """O-Net's outputs for mirrored patches, turned back: sides and eyes change places."""
    across, down = points[:, :5], points[:, 5:]
    turned = offsets[:, [2, 1, 0, 3]] * np.array([-1, 1, -1, 1], np.float32)
    return turned, np.hstack([1 - across[:, _MIRROR], down[:, _MIRROR]]), odds


def _suppress(candidates: _Candidates, most: float) -> npt.NDArray[np.intp]:
    """Non-maximum suppression: indices of those with an IoU up to `most` with each better one of their picture."""
    if not len(candidates.boxes):
        return np.empty(0, np.intp)
    sizes = candidates.boxes[:, 2:] - candidates.boxes[:, :2]
    boxes = np.concatenate([candidates.boxes[:, :2], sizes], axis=1).astype(np.float64)
    suppress: Any = cv2.dnn.NMSBoxesBatched  # its stubs know lists only
    lowest = float(candidates.scores.min()) - 1
    kept = suppress(boxes, candidates.scores, candidates.pictures, lowest, most)
    return np.asarray(kept, np.intp).reshape(-1)


def _outermost(candidates: _Candidates, order: npt.NDArray[np.intp]) -> list[int]:
    """Non-maximum suppression of some candidates by the area shared over the smaller box, picture by picture."""
    boxes, sizes = candidates.boxes, areas(candidates.boxes)
    order = order[np.argsort(-candidates.scores[order], kind="stable")]
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        shared = shared_areas(boxes[best], boxes[rest])
        apart = candidates.pictures[rest] != candidates.pictures[best]
        order = rest[apart | (shared <= _HELD * np.minimum(sizes[best], sizes[rest]))]
    return kept


def _best(faces: Sequence[Detection]) -> float:
    return max((face.confidence for face in faces), default=0.0)


def turned(image: Pixels, quarters: int) -> Pixels:
    """The picture, RGB uint8 (h, w, 3), turned anticlockwise."""
    return np.ascontiguousarray(np.rot90(image, quarters))


def turned_back(face: Detection, quarters: int, width: int, height: int) -> Detection:
    """A face of the turned picture in the pixels of the picture as it was, `width` × `height`.

    Its landmarks keep their names: the left eye is left where the face is upright.
    """
    corners = _back(face.box.reshape(2, 2), quarters, width, height)
    box = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
    return Detection(box, face.confidence, _back(face.points, quarters, width, height))


def _back(points: npt.NDArray[np.float32], quarters: int, width: int, height: int) -> npt.NDArray[np.float32]:
    x, y = points.T
    places = {1: (width - y, x), 2: (width - x, height - y), 3: (y, height - x)}
    return np.stack(places[quarters], axis=1).astype(np.float32)
