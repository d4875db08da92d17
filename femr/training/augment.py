"""Random changes to training faces: one warp an image, then light, blur, JPEG noise and erasing."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from femr.faces.crop import FACE_SIDE, Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How far and how often faces are changed. Probabilities are 0 to 1; zero everywhere leaves the faces alone."""

    flip: float = 0.5  # probability of mirroring
    warp: float = 1.0  # probability of rotation, zoom and shift together
    rotation: float = 0.0  # degrees either way
    zoom: float = 0.0  # crop scale exp(-zoom) to exp(+zoom)
    shift: float = 0.0  # of the side, either way
    wide: float = 0.0  # probability of a detector-like crop scale, drawn from wide_scale
    wide_scale: tuple[float, float] = (0.85, 1.3)  # side of the crop relative to FER2013's framing
    light: float = 0.0  # probability of brightness and contrast
    brightness: float = 0.25  # of the full range, either way
    contrast: float = 0.25  # factor 1 - contrast to 1 + contrast
    gamma: float = 0.0  # probability of a gamma of 0.6 to 1.7
    dim: float = 0.0  # probability of dim light: 15 to 50 % of the brightness, with noise
    blur: float = 0.0  # probability of a Gaussian blur of 0.3 to 1.0 pixels
    jpeg: float = 0.0  # probability of JPEG at quality 25 to 80
    erase: float = 0.0  # probability of one erased rectangle
    erase_area: tuple[float, float] = (0.02, 0.15)  # of the picture


def augment(images: Pixels, side: int, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Changed copies of grey faces: uint8 (n, side, side) from uint8 (n, 48, 48).

    The enlargement from 48 to `side` pixels is part of the one warp, so no face is interpolated twice.
    """
    faces = np.empty((len(images), side, side), np.uint8)
    for row, image in zip(faces, images, strict=True):
        face = cv2.warpAffine(
            image,
            _matrix(side, augmentation, rng),
            (side, side),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        face = _relight(np.asarray(face, np.uint8), augmentation, rng)
        face = _degrade(face, augmentation, rng)
        row[:] = _erase(face, augmentation, rng)
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
        crop = np.log(rng.uniform(*augmentation.wide_scale))
    centre = (FACE_SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((centre, centre), angle, float(side / FACE_SIDE * np.exp(-crop)))
    matrix[:, 2] += (side - 1) / 2 - centre + shift
    if rng.random() < augmentation.flip:
        matrix[0] = -matrix[0]
        matrix[0, 2] += side - 1
    return np.asarray(matrix, np.float64)


def _relight(face: Pixels, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Brightness and contrast, gamma and dim light through one table of 256 greys, then the noise of a dim picture."""
    grey = np.arange(256, dtype=np.float32)
    if rng.random() < augmentation.light:
        middle = float(face.mean())
        factor = rng.uniform(1 - augmentation.contrast, 1 + augmentation.contrast)
        grey = (grey - middle) * factor + middle + rng.uniform(-augmentation.brightness, augmentation.brightness) * 255
    if rng.random() < augmentation.gamma:
        grey = 255 * (np.clip(grey, 0, 255) / 255) ** np.exp(rng.uniform(np.log(0.6), np.log(1.7)))
    dim = rng.random() < augmentation.dim
    if dim:
        grey = grey * rng.uniform(0.15, 0.5)
    result = np.clip(grey, 0, 255).astype(np.uint8)[face]
    if dim:
        noise = rng.normal(0, rng.uniform(1, 5), face.shape)
        result = np.clip(result + noise, 0, 255).astype(np.uint8)
    return np.asarray(result, np.uint8)


def _degrade(face: Pixels, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Blur in pixels of the 48x48 face and JPEG noise, as of a cheap camera and a chat program."""
    if rng.random() < augmentation.blur:
        face = np.asarray(cv2.GaussianBlur(face, (0, 0), rng.uniform(0.3, 1.0) * len(face) / FACE_SIDE), np.uint8)
    if rng.random() < augmentation.jpeg:
        _, data = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 81))])
        face = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return face


def _erase(face: Pixels, augmentation: Augmentation, rng: np.random.Generator) -> Pixels:
    """Random erasing (Zhong et al., 2020): one rectangle of a random grey, sides 1:2 to 2:1."""
    if rng.random() >= augmentation.erase:
        return face
    side = len(face)
    area = rng.uniform(*augmentation.erase_area) * side * side
    shape = np.exp(rng.uniform(-np.log(2), np.log(2)))
    height, width = (min(side, max(1, round(value))) for value in (np.sqrt(area * shape), np.sqrt(area / shape)))
    top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
    face = face.copy()
    face[top : top + height, left : left + width] = rng.integers(0, 256)
    return face
