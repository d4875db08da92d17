"""Face detection: MTCNN (Zhang et al., 2016) with the mtcnn package's networks and weights, and a driver of femr's own.

Three networks in a row: P-Net proposes boxes on an image pyramid, R-Net refines them, O-Net finishes them and adds
landmarks. The package's own driver has faults that would reach a user, hence this one: it takes every TensorFlow error
for "no faces", finds nothing with any smallest face but 20 px, unpickles a `pnet.lz4` of the current directory, and is
blind to small pictures.
"""

from importlib.resources import files
from typing import Any, NamedTuple, Protocol, TypeAlias

import cv2
import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from mtcnn.network.onet import ONet
from mtcnn.network.pnet import PNet
from mtcnn.network.rnet import RNet
from mtcnn.utils.tensorflow import load_weights

from femr.errors import ImageError
from femr.results import Face, Landmarks

SMALLEST_FACE = 20
"""Default smallest face in pixels that is looked for."""

_WINDOW = 12  # P-Net's receptive field and stride, in pixels of a pyramid level
_STRIDE = 2
_SHRINK = 0.709  # about 1/sqrt(2): the area halves from level to level
_THRESHOLDS = (0.6, 0.7, 0.8)  # least confidence after P-, R- and O-Net: the package's own
_PATCH = (24, 48)  # input side of R-Net and O-Net
_AFAR = 96  # short side in pixels of the second look
_AFAR_LONG = 480

Pixels: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]


class Detector(Protocol):
    """Whatever finds faces in an RGB uint8 (h, w, 3) picture, sorted from left to right."""

    def detect(self, image: Pixels) -> tuple[Face, ...]:
        """The faces of one picture; an empty tuple where there is none."""
        ...


class _Candidates(NamedTuple):
    """n boxes xyxy (n, 4) in pixels, and their confidences (n,)."""

    boxes: Floats
    scores: Floats

    def keep(self, index: npt.NDArray[Any]) -> "_Candidates":
        return _Candidates(self.boxes[index], self.scores[index])


class _Found(NamedTuple):
    """A face's box xyxy (4,), confidence and landmarks (5, 2)."""

    box: Floats
    confidence: float
    points: Floats


class MtcnnDetector:
    """Finds faces and five landmarks each. Loads its networks once; `detect` may be called from several threads.

    Args: `smallest_face`, the side in pixels from which a face is looked for, 12 at least.
    """

    def __init__(self, smallest_face: int = SMALLEST_FACE) -> None:
        if smallest_face < _WINDOW:
            raise ValueError(f"Expected a smallest face of {_WINDOW} pixels or more. Received: {smallest_face}")
        self._smallest_face = smallest_face
        self._pnet = _compiled(PNet(), "pnet.lz4", (None, None, None, 3))
        self._rnet = _compiled(RNet(), "rnet.lz4", (None, 24, 24, 3))
        self._onet = _compiled(ONet(), "onet.lz4", (None, 48, 48, 3))

    def detect(self, image: Pixels) -> tuple[Face, ...]:
        """The faces of one picture, sorted from left to right; an empty tuple where there is none.

        Args: `image`, RGB uint8 (h, w, 3).
        Raises: ImageError if `image` is anything else.
        """
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ImageError(f"Expected an RGB picture, uint8 (h, w, 3). Received: {_described(image)}")
        faces = self._cascade(image) or self._from_afar(image)
        whole = (face for face in (_clipped(face, image) for face in faces) if face)
        return tuple(sorted(whole, key=lambda face: face.box[0] + face.box[2]))

    def _from_afar(self, image: Pixels) -> list[_Found]:
        """The faces of a picture in which none was found, seen as a thumbnail with a border.

        MTCNN wants a face's surroundings: it overlooks some that fill the picture, and all in a tiny picture.
        """
        height, width = image.shape[:2]
        zoom = min(_AFAR / min(height, width), _AFAR_LONG / max(height, width))
        size = max(1, round(width * zoom)), max(1, round(height * zoom))
        thumbnail = cv2.resize(image, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
        border = round(0.3 * min(size))
        framed = cv2.copyMakeBorder(thumbnail, border, border, border, border, cv2.BORDER_REPLICATE)
        found = self._cascade(framed)
        return [_Found((box - border) / zoom, score, (points - border) / zoom) for box, score, points in found]

    def _cascade(self, image: Pixels) -> list[_Found]:
        """Box (4,), confidence and landmarks (5, 2) of each face in an enlarged picture."""
        candidates = self._propose(image)
        # the networks take no empty batch
        if len(candidates.boxes):
            candidates = self._refine(image, candidates)
        return self._finish(image, candidates) if len(candidates.boxes) else []

    def _propose(self, image: Pixels) -> _Candidates:
        """P-Net's squares on all levels of the pyramid."""
        height, width = image.shape[:2]
        found = [_Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32))]
        for level in _pyramid(image, _WINDOW / self._smallest_face):
            offsets, probabilities = (output.numpy()[0] for output in self._pnet(level[np.newaxis]))
            scale = np.array([width / level.shape[1], height / level.shape[0]] * 2, np.float32)
            candidates = _windows(offsets, probabilities[..., 1], _THRESHOLDS[0], scale)
            found.append(candidates.keep(_suppress(candidates, 0.5)))
        merged = _Candidates(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
        return merged.keep(_suppress(merged, 0.7))

    def _refine(self, image: Pixels, proposed: _Candidates) -> _Candidates:
        """R-Net's boxes: most proposals fall away here."""
        squares = _squared(proposed.boxes)
        offsets, probabilities = (output.numpy() for output in self._rnet(_patches(image, squares, _PATCH[0])))
        refined = _Candidates(_moved(squares, offsets), probabilities[:, 1])
        refined = refined.keep(refined.scores > _THRESHOLDS[1])
        return refined.keep(_suppress(refined, 0.7))

    def _finish(self, image: Pixels, refined: _Candidates) -> list[_Found]:
        """O-Net's boxes and landmarks."""
        squares = _squared(refined.boxes)
        outputs = self._onet(_patches(image, squares, _PATCH[1]))
        offsets, relative, probabilities = (output.numpy() for output in outputs)
        finished = _Candidates(_moved(squares, offsets), probabilities[:, 1])
        size = squares[:, 2:] - squares[:, :2] + 1
        # the network gives x1 ... x5, y1 ... y5
        points = squares[:, np.newaxis, :2] + relative.reshape(-1, 2, 5).transpose(0, 2, 1) * size[:, np.newaxis] - 1
        sure = np.flatnonzero(finished.scores > _THRESHOLDS[2])
        kept = sure[_suppress(finished.keep(sure), 0.7, over_smaller=True)]
        return [_Found(finished.boxes[i], float(finished.scores[i]), points[i]) for i in kept]


def _clipped(found: _Found, image: Pixels) -> Face | None:
    """The face with its box inside the picture; None where less than a pixel is."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (float(v) for v in np.clip(found.box, 0, (width, height, width, height)))
    if x2 - x1 < 1 or y2 - y1 < 1:
        return None
    points = Landmarks(*((float(x), float(y)) for x, y in found.points))
    return Face((x1, y1, x2, y2), min(found.confidence, 1.0), points)


def _described(image: object) -> str:
    return f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__


def _compiled(network: keras.Model, weights: str, shape: tuple[int | None, ...]) -> Any:
    """A graph from uint8 pixels to the network's outputs, traced once for every size."""
    network.build(shape)
    # the full path: a bare name would be looked up, and unpickled, in the current directory first
    network.set_weights(load_weights(str(files("mtcnn.assets.weights") / weights)))

    def run(pixels: tf.Tensor) -> Any:
        return network((tf.cast(pixels, tf.float32) - 127.5) / 128)

    return tf.function(run, input_signature=[tf.TensorSpec(shape, tf.uint8)])


def _pyramid(image: Pixels, scale: float) -> Any:
    """The picture at `scale`, then ever smaller, each level made from the one before, none under P-Net's window."""
    height, width = image.shape[:2]
    level = image
    while min(height, width) * scale >= _WINDOW:
        size = round(width * scale), round(height * scale)
        level = cv2.resize(level, size, interpolation=cv2.INTER_AREA)
        yield level
        scale *= _SHRINK


def _windows(offsets: Floats, scores: Floats, threshold: float, scale: Floats) -> _Candidates:
    """The windows of a level that may hold a face, in pixels of the picture."""
    rows, columns = np.nonzero(scores > threshold)
    corner = np.stack([columns, rows], axis=1).astype(np.float32) * _STRIDE
    boxes = np.concatenate([corner, corner + _WINDOW], axis=1) + offsets[rows, columns] * _WINDOW
    return _Candidates(boxes * scale, scores[rows, columns])


def _moved(boxes: Floats, offsets: Floats) -> Floats:
    """Boxes with a network's corrections, which are given in shares of width and height."""
    size = boxes[:, 2:] - boxes[:, :2] + 1
    return np.asarray(boxes + offsets * np.concatenate([size, size], axis=1), np.float32)


def _squared(boxes: Floats) -> Floats:
    """Squares around the same centres, as long as the longer sides."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _patches(image: Pixels, squares: Floats, side: int) -> Pixels:
    """The squares cut out and resized: uint8 (n, side, side, 3), grey outside the picture."""
    levels = [image]
    patches = np.empty((len(squares), side, side, 3), np.uint8)
    for patch, (x1, y1, x2, _) in zip(patches, squares, strict=True):
        # sampled from a halved picture, if need be, so that no pixel in between is passed over
        depth = max(0, int(np.log2(max(x2 - x1, 1) / side)))
        while len(levels) <= depth:
            levels.append(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        zoom = side * 2**depth / max(x2 - x1, 1)
        matrix = np.array([[zoom, 0, -x1 * zoom / 2**depth], [0, zoom, -y1 * zoom / 2**depth]])
        cv2.warpAffine(
            levels[depth],
            matrix,
            (side, side),
            dst=patch,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(127, 127, 127),
        )
    return patches


def _suppress(candidates: _Candidates, most: float, over_smaller: bool = False) -> npt.NDArray[np.intp]:
    """Indices of the candidates that overlap no better one by more than `most`, best first.

    The overlap is intersection over union, or over the smaller box, which also drops a box inside another.
    """
    x1, y1, x2, y2 = candidates.boxes.T
    areas = (x2 - x1) * (y2 - y1)
    order = np.argsort(-candidates.scores, kind="stable")
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        shared = np.maximum(0, np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest]))
        shared = shared * np.maximum(0, np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest]))
        whole = np.minimum(areas[best], areas[rest]) if over_smaller else areas[best] + areas[rest] - shared
        order = rest[shared <= most * whole]
    return np.array(kept, np.intp)
