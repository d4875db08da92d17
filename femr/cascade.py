"""MTCNN's cascade: P-Net proposes boxes on an image pyramid, R-Net refines them, O-Net adds landmarks.

The driver is femr's own. The mtcnn package's takes every TensorFlow error for "no faces", finds nothing with any
smallest face but 20 px, unpickles a `pnet.lz4` of the current directory, and is blind to small pictures.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import log
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from femr.mtcnn_networks import ONET_SIDE, RNET_SIDE, Graph, load_onet, load_pnet, load_rnet

WINDOW = 12
"""P-Net's receptive field in pixels: the least smallest face."""

_STRIDE = 2  # pixels of a pyramid level from window to window
_SHRINK = 0.709  # about 1/sqrt(2): the area halves from level to level
# least confidence after P-, R- and O-Net. The package has .6, .7, .8 and a smallest face of 20 px. On 552 faces in 78
# scenes (other ones than `femr benchmark --recall` reports) it found 449, 26 boxes were wrong; these with 28 px found
# 469, 24 wrong
_THRESHOLDS = (0.5, 0.6, 0.7)
_LEVEL_OVERLAP, _OVERLAP = 0.5, 0.7  # the most that two boxes may overlap, within a level and afterwards
_AROUND = 0.2 * np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]])  # where a face may have moved, in its sizes
_CHUNK = 512  # patches in one batch of R-Net or O-Net: 80 MB at most between two layers

Pixels: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]


class Found(NamedTuple):
    """A face's box xyxy (4,), confidence and landmarks (5, 2), in pixels; may reach beyond the picture."""

    box: Floats
    confidence: float
    points: Floats


class _Candidates(NamedTuple):
    """n boxes xyxy (n, 4) in pixels, their confidences (n,), and a group of each (n,): its level or its picture."""

    boxes: Floats
    scores: Floats
    groups: npt.NDArray[np.int32]

    def keep(self, index: npt.NDArray[Any]) -> "_Candidates":
        return _Candidates(self.boxes[index], self.scores[index], self.groups[index])

    def in_group(self, group: int) -> "_Candidates":
        return self._replace(groups=np.full(len(self.boxes), group, np.int32))


class Cascade:
    """The three networks, loaded once; for any number of pictures of any size, and from several threads.

    Args: `smallest_face`, the side in pixels from which a face is looked for, WINDOW at least.
    """

    def __init__(self, smallest_face: int) -> None:
        self._scale = WINDOW / smallest_face
        self._pnet, self._rnet, self._onet = load_pnet(), load_rnet(), load_onet()

    def find(self, images: Sequence[Pixels]) -> list[list[Found]]:
        """The faces of each picture, RGB uint8 (h, w, 3); R-Net and O-Net see the candidates of all at once."""
        proposed = [self._propose(image).in_group(number) for number, image in enumerate(images)]
        return self._finish(images, _joined(proposed))

    def follow(self, image: Pixels, boxes: Floats) -> list[Found]:
        """The faces near boxes xyxy (n, 4) of an earlier frame: without P-Net, so new faces are not seen."""
        sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
        shifts = np.concatenate([_AROUND, _AROUND], axis=1)[:, np.newaxis] * sizes[:, np.newaxis]
        near = (boxes + shifts).reshape(-1, 4).astype(np.float32)
        return self._finish([image], _Candidates(near, np.ones(len(near), np.float32), np.zeros(len(near), np.int32)))[
            0
        ]

    def _finish(self, images: Sequence[Pixels], proposed: _Candidates) -> list[list[Found]]:
        """R-Net and O-Net on the proposals of some pictures; `groups` holds each one's picture."""
        refined = self._refine(images, proposed)
        found: list[list[Found]] = [[] for _ in images]
        for group, face in self._complete(images, refined):
            found[group].append(face)
        return found

    def _propose(self, image: Pixels) -> _Candidates:
        """P-Net's squares on all levels of the pyramid."""
        height, width = image.shape[:2]
        found = []
        for number, level in enumerate(_pyramid(image, self._scale)):
            offsets, odds = (output[0] for output in self._pnet(level[np.newaxis]))
            scale = np.array([width / level.shape[1], height / level.shape[0]] * 2, np.float32)
            found.append(_windows(offsets, odds, scale).in_group(number))
        candidates = _joined(found)
        candidates = candidates.keep(_suppress(candidates, _LEVEL_OVERLAP)).in_group(0)
        return candidates.keep(_suppress(candidates, _OVERLAP))

    def _refine(self, images: Sequence[Pixels], proposed: _Candidates) -> _Candidates:
        """R-Net's boxes: most proposals fall away here."""
        squares = _squared(proposed.boxes)
        offsets, scores = _run(self._rnet, _patches(images, squares, proposed.groups, RNET_SIDE), (4, 1))
        refined = _Candidates(_moved(squares, offsets), scores[:, 0], proposed.groups)
        refined = refined.keep(refined.scores > _THRESHOLDS[1])
        return refined.keep(_suppress(refined, _OVERLAP))

    def _complete(self, images: Sequence[Pixels], refined: _Candidates) -> Iterator[tuple[int, Found]]:
        """O-Net's boxes and landmarks, each with its picture's number."""
        squares = _squared(refined.boxes)
        patches = _patches(images, squares, refined.groups, ONET_SIDE)
        offsets, relative, scores = _run(self._onet, patches, (4, 10, 1))
        size = squares[:, 2:] - squares[:, :2] + 1
        points = squares[:, np.newaxis, :2] + relative.reshape(-1, 2, 5).transpose(0, 2, 1) * size[:, np.newaxis] - 1
        boxes = _moved(squares, offsets)
        sure = np.flatnonzero(scores[:, 0] > _THRESHOLDS[2])
        for i in _outermost(_Candidates(boxes, scores[:, 0], refined.groups), sure):
            yield int(refined.groups[i]), Found(boxes[i], float(scores[i, 0]), points[i])


def _pyramid(image: Pixels, scale: float) -> Iterator[Any]:
    """The picture at `scale`, then ever smaller, each level made from the one before, none under P-Net's window."""
    height, width = image.shape[:2]
    level = image
    while min(height, width) * scale >= WINDOW:
        size = round(width * scale), round(height * scale)
        level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        yield level
        scale *= _SHRINK


def _windows(offsets: Floats, odds: Floats, scale: Floats) -> _Candidates:
    """The windows of a level that may hold a face, in pixels of the picture."""
    rows, columns = np.nonzero(odds > log(_THRESHOLDS[0] / (1 - _THRESHOLDS[0])))
    corner = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE
    boxes = np.concatenate([corner, corner + WINDOW], axis=1) + offsets[rows, columns] * WINDOW
    scores = np.asarray(1 / (1 + np.exp(-odds[rows, columns])), np.float32)
    return _Candidates(boxes * scale, scores, np.zeros(len(scores), np.int32))


def _joined(parts: Iterable[_Candidates]) -> _Candidates:
    none = _Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))
    return _Candidates(*(np.concatenate(fields) for fields in zip(none, *parts, strict=True)))


def _run(network: Graph, patches: Pixels, widths: Sequence[int]) -> list[Floats]:
    """A network's outputs, each float32 (n, width), in chunks so that memory stays bounded."""
    outputs = [np.empty((len(patches), width), np.float32) for width in widths]
    edges = [*range(0, len(patches), _CHUNK), len(patches)]
    for start, stop in pairwise(edges):
        for output, values in zip(outputs, network(patches[start:stop]), strict=True):
            output[start:stop] = values.reshape(stop - start, -1)
    return outputs


def _moved(boxes: Floats, offsets: Floats) -> Floats:
    """Boxes with a network's corrections, which are given in shares of width and height."""
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return np.asarray(boxes + offsets * np.concatenate([size, size], axis=1), np.float32)


def _squared(boxes: Floats) -> Floats:
    """Squares around the same centres, as long as the longer sides."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _patches(images: Sequence[Pixels], squares: Floats, pictures: npt.NDArray[np.int32], side: int) -> Pixels:
    """The squares cut out of their pictures and resized: uint8 (n, side, side, 3), grey outside the picture."""
    levels = [[image] for image in images]
    patches = np.empty((len(squares), side, side, 3), np.uint8)
    for patch, (x1, y1, x2, _), picture in zip(patches, squares.tolist(), pictures.tolist(), strict=True):
        # sampled from a halved picture, if need be, so that no pixel in between is passed over
        depth = max(0, int(np.log2(max(x2 - x1, 1) / side)))
        halved = levels[picture]
        while len(halved) <= depth:
            halved.append(cv2.resize(halved[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        zoom = side * 2**depth / max(x2 - x1, 1)
        matrix = np.array([[zoom, 0, -x1 * zoom / 2**depth], [0, zoom, -y1 * zoom / 2**depth]])
        cv2.warpAffine(
            halved[depth],
            matrix,
            (side, side),
            dst=patch,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(127, 127, 127),
        )
    return patches


def _suppress(candidates: _Candidates, most: float) -> npt.NDArray[np.intp]:
    """Indices of the candidates that overlap no better one of their group by more than `most` (over the union)."""
    if not len(candidates.boxes):
        return np.empty(0, np.intp)
    sizes = candidates.boxes[:, 2:] - candidates.boxes[:, :2]
    boxes = np.concatenate([candidates.boxes[:, :2], sizes], axis=1).astype(np.float64)
    suppress: Any = cv2.dnn.NMSBoxesBatched  # its stubs know lists only
    return np.asarray(suppress(boxes, candidates.scores, candidates.groups, 0.0, most), np.intp).reshape(-1)


def _outermost(candidates: _Candidates, order: npt.NDArray[np.intp]) -> list[int]:
    """Of some candidates those that no better one of their picture holds: shared area over the smaller box."""
    x1, y1, x2, y2 = candidates.boxes.T
    areas = (x2 - x1) * (y2 - y1)
    order = order[np.argsort(-candidates.scores[order], kind="stable")]
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        shared = np.maximum(0, np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest]))
        shared = shared * np.maximum(0, np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest]))
        apart = candidates.groups[rest] != candidates.groups[best]
        order = rest[apart | (shared <= _OVERLAP * np.minimum(areas[best], areas[rest]))]
    return kept
