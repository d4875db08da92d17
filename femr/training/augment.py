"""What a network is fed: faces changed at random (a warp, light, blur, JPEG noise, erasing), in batches."""

from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from femr.faces.crop import FACE_SIDE, Batch, Pixels, to_batch
from femr.training.recipes import Augmentation, Recipe

_BRIGHTNESS = 0.25  # of the full range, either way
_CONTRAST = 0.25  # factor 0.75 to 1.25
_GAMMA = (0.6, 1.7)
_DIM, _DIM_NOISE = (0.15, 0.5), (1.0, 5.0)  # light that is left, standard deviation in gray levels
_BLUR = (0.3, 1.0)  # standard deviation in pixels of the 48x48 face
_JPEG_QUALITY = (25, 81)
_WIDE = (0.85, 1.3)  # side of the crop relative to FER2013's framing
_ERASED = (0.02, 0.15)  # of the picture's area
_WORKERS, _AHEAD = 2, 8  # threads that make batches, and how many batches ahead of the network


class FaceBatches(keras.utils.PyDataset):  # type: ignore[misc]
    """One epoch of training batches: network input float32 (b, side, side, 3), two targets (b, 7), two weights (b,).

    Every batch has a random generator of its own, from seed, epoch and number, so that the order in which Keras'
    threads make them changes nothing. Faces that do not fill a last batch are left out of this epoch; with fewer faces
    than a batch, one batch has all.

    Args:
        images: Gray uint8 (n, 48, 48).
        targets: Both heads' target probabilities, float32 (n, 2, 7). A row of zeros has a weight of zero, because
            TensorFlow's gradient takes for granted that targets sum to 1.
    """

    def __init__(self, images: Pixels, targets: npt.NDArray[np.float32], recipe: Recipe, seed: int, epoch: int) -> None:
        super().__init__(workers=_WORKERS, max_queue_size=_AHEAD)
        self._images, self._targets, self._recipe, self._seed = images, targets, recipe, (seed, epoch)
        self._side, self._augmentation = recipe.side_in(epoch), recipe.augmentation_in(epoch)
        self._order = np.random.default_rng(self._seed).permutation(len(images))

    def __len__(self) -> int:
        return max(1, len(self._images) // self._recipe.batch_size)

    def __getitem__(self, number: int) -> tuple[Batch, tuple[Any, ...], tuple[Any, ...]]:
        size, spec = self._recipe.batch_size, self._recipe.spec
        rows = self._order[number * size : (number + 1) * size]
        rng = np.random.default_rng((*self._seed, number))
        faces = augment(self._images[rows], self._side, self._augmentation, rng)
        heads = np.moveaxis(self._targets[rows], 1, 0)
        inputs = to_batch(faces, self._side, spec.low, spec.high)
        return inputs, tuple(heads), tuple(np.asarray(heads.any(axis=2), np.float32))


def augment(images: Pixels, side: int, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Changed copies of gray faces: uint8 (n, side, side) from uint8 (n, 48, 48).

    The enlargement from 48 to `side` pixels is part of the one warp, so no face is interpolated twice.
    """
    faces = np.empty((len(images), side, side), np.uint8)
    for row, image in zip(faces, images, strict=True):
        matrix = _matrix(side, augmentation, rng)
        face = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        face = _relight(np.asarray(face, np.uint8), augmentation, rng)
        row[:] = _erase(_degrade(face, augmentation, rng), augmentation, rng)
    return faces


def _matrix(side: int, augmentation: Augmentation, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """The 2x3 matrix of one warp, from pixels of the 48x48 face to pixels of the result."""
    angle = crop = 0.0
    shift = np.zeros(2)
    if rng.random() < augmentation.warp:
        angle = rng.uniform(-augmentation.rotation, augmentation.rotation)
        crop = rng.uniform(-augmentation.zoom, augmentation.zoom)
        shift = rng.uniform(-augmentation.shift, augmentation.shift, 2) * side
    if rng.random() < augmentation.wide:
        crop = np.log(rng.uniform(*_WIDE))
    centre = (FACE_SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((centre, centre), angle, float(side / FACE_SIDE * np.exp(-crop)))
    matrix[:, 2] += (side - 1) / 2 - centre + shift
    if rng.random() < augmentation.flip:
        matrix[0] = -matrix[0]
        matrix[0, 2] += side - 1
    return np.asarray(matrix, np.float64)


def _relight(face: Pixels, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Brightness and contrast, gamma and dim light through one table of 256 grays, then the noise of a dim picture."""
    gray = np.arange(256, dtype=np.float32)
    if rng.random() < augmentation.light:
        middle = float(face.mean())
        factor = rng.uniform(1 - _CONTRAST, 1 + _CONTRAST)
        gray = (gray - middle) * factor + middle + rng.uniform(-_BRIGHTNESS, _BRIGHTNESS) * 255
    if rng.random() < augmentation.gamma:
        gray = 255 * (np.clip(gray, 0, 255) / 255) ** np.exp(rng.uniform(*np.log(_GAMMA)))
    dim = rng.random() < augmentation.dim
    if dim:
        gray = gray * rng.uniform(*_DIM)
    result = np.clip(gray, 0, 255).astype(np.uint8)[face]
    if dim:
        result = np.clip(result + rng.normal(0, rng.uniform(*_DIM_NOISE), face.shape), 0, 255).astype(np.uint8)
    return np.asarray(result, np.uint8)


def _degrade(face: Pixels, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Blur and JPEG noise, as of a cheap camera and a chat program."""
    if rng.random() < augmentation.blur:
        face = np.asarray(cv2.GaussianBlur(face, (0, 0), rng.uniform(*_BLUR) * len(face) / FACE_SIDE), np.uint8)
    if rng.random() < augmentation.jpeg:
        _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_JPEG_QUALITY))])
        face = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return face


def _erase(face: Pixels, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Random erasing (Zhong et al., 2020): one rectangle of a random gray, sides 1:2 to 2:1."""
    if rng.random() >= augmentation.erase:
        return face
    side = len(face)
    area = rng.uniform(*_ERASED) * side * side
    shape = np.exp(rng.uniform(-np.log(2), np.log(2)))
    height, width = (min(side, max(1, round(value))) for value in (np.sqrt(area * shape), np.sqrt(area / shape)))
    top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
    face[top : top + height, left : left + width] = rng.integers(0, 256)
    return face
