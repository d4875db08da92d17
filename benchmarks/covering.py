"""Fits femr.faces.covering: FER2013's Training faces as they are, against the same with painted masks.

    python -m benchmarks.covering PATH     # FER2013, as for `femr train`; a few minutes on two cores

The masks, surgical masks, cups, cloths and scarves in any colour, with folds, shading, prints and straps, are placed by
the landmarks. Every face is moved, turned, blurred, darkened and cut off a little, so that neither a dim light nor the
repeated edge of a picture passes for cloth.
"""

import sys
from collections.abc import Iterator
from typing import Any

import cv2
import keras
import numpy as np
import numpy.typing as npt

from femr.faces.covering import WEIGHTS, Weights, features
from femr.faces.crop import FACE_SIDE, Pixels
from femr.faces.mtcnn import MtcnnDetector
from femr.images import to_picture
from femr.results import Landmarks
from femr.training import data

FACES = 2_500
"""So many are looked for landmarks, and painted PAINTED times each."""
PAINTED = 4
PLAIN = 18_000
"""Plain faces beside them."""
UNITS = 32
EPOCHS = 12
BATCH = 128
DROPOUT = 0.3

EYE_TO_MOUTH = 1.19
"""In distances between the eyes, of a face seen from the front; FER2013's mean face has it."""

_COLOURS = (
    (150, 190, 215), (120, 180, 190), (235, 238, 240), (225, 225, 220), (25, 25, 28), (50, 52, 60), (130, 130, 130),
    (200, 160, 170), (140, 35, 40), (40, 60, 110), (60, 95, 60), (190, 170, 130), (210, 120, 60),
)  # fmt: skip
_JAW = ((1.0, 0.5), (0.97, 0.9), (0.86, 1.3), (0.55, 1.68), (0.0, 1.85))
"""The face's outline from the cheek to the chin: off the middle and below the eyes, in distances between the eyes."""
_ENLARGED = 2  # painted at twice the size: edges as smooth as a camera's
_BORDER = 28  # pixels around the enlarged face: the detector wants surroundings

Features = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]


def main(source: str) -> None:
    """Fits the network and writes its weights. Raises: DataError."""
    faces = data.training_faces(data.load(source)).images
    rng = np.random.default_rng(0)
    order = rng.permutation(len(faces))
    masked = np.stack([features(face) for face in masked_faces(faces[order[:FACES]], rng)])
    plain = np.stack([features(changed(face, rng)) for face in faces[order[:PLAIN]]])
    weights = fit(masked, plain)
    fields = Weights.__dataclass_fields__
    np.savez_compressed(WEIGHTS, **{name: getattr(weights, name).astype(np.float16) for name in fields})
    print(f"{len(masked)} masked and {len(plain)} plain faces; the weights are {WEIGHTS}")


def fit(masked: Features, plain: Features) -> Weights:
    """The weights that tell the rows of the one from those of the other, which count for as much together."""
    rows = np.concatenate([masked, plain])
    targets = np.repeat([1.0, 0.0], [len(masked), len(plain)])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dropout(DROPOUT), keras.layers.Dense(UNITS, "relu"), keras.layers.Dense(1, "sigmoid")]
    network = keras.Sequential([keras.Input(rows.shape[1:]), *layers])
    steps = EPOCHS * len(rows) // BATCH
    network.compile(keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(2e-3, steps), 1e-2), "bce")
    balance = {0: 1.0, 1: len(plain) / len(masked)}
    network.fit((rows - mean) / scale, targets, BATCH, EPOCHS, class_weight=balance, verbose=0)
    hidden, hidden_bias, output, output_bias = network.get_weights()
    hidden = hidden / scale[:, np.newaxis]
    return Weights(hidden, hidden_bias - mean @ hidden, output[:, 0], output_bias[0])


def masked_faces(faces: Pixels, rng: np.random.Generator) -> Iterator[Pixels]:
    """Gray faces (48, 48) with masks, PAINTED for each of the faces in which landmarks are found."""
    detector = MtcnnDetector()
    for face in faces:
        side = _ENLARGED * FACE_SIDE
        large = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
        framed = cv2.copyMakeBorder(large, *(_BORDER,) * 4, cv2.BORDER_REPLICATE)
        picture = cv2.cvtColor(framed, cv2.COLOR_GRAY2RGB)
        found = max(detector.detect([to_picture(picture)])[0], key=lambda face: face.size, default=None)
        if found is None:
            continue
        for _ in range(PAINTED):
            painted = paint(picture, found.landmarks, rng)[_BORDER:-_BORDER, _BORDER:-_BORDER, 0]
            yield changed(cv2.resize(painted, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA), rng)


def changed(face: Pixels, rng: np.random.Generator) -> Pixels:
    """A gray face (48, 48) as another photo, camera and detector might have given it."""
    middle = (FACE_SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.uniform(-7, 7), rng.uniform(0.92, 1.1))
    matrix[:, 2] += rng.normal(0, 1.6, 2)
    face = cv2.warpAffine(face, matrix, (FACE_SIDE, FACE_SIDE), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.3:
        side = int(rng.integers(20, FACE_SIDE))
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        face = cv2.resize(small, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.2:  # the picture ends here, and its edge is repeated
        row, column = int(rng.integers(34, 47)), int(rng.integers(36, 47))
        face[row:] = face[row]
        face[:, column:] = face[:, column : column + 1]
    bright = 255 * (face / 255.0) ** rng.uniform(0.6, 1.8) * rng.uniform(0.3, 1) + rng.uniform(0, 40)
    face = np.clip(bright + rng.normal(0, rng.uniform(0, 4), face.shape), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(face[:, ::-1]) if rng.random() < 0.5 else face


def paint(image: Pixels, landmarks: Landmarks, rng: np.random.Generator) -> Pixels:
    """A copy of a picture in which a face wears a mask of random shape, colour and folds.

    Args: `image`, RGB uint8 (h, w, 3); `landmarks`, the face's, in its pixels.
    """
    across, down, nose = _axes(landmarks)
    outline = _outline(rng, nose)
    size = float(np.linalg.norm(across[0]))
    alpha = _filled(image.shape[:2], _pixels(outline, across, down), 0.02 * size)
    cloth = _cloth(image, alpha, _coordinates(image.shape[:2], across, down), nose, rng)
    picture = _shadowed(image.astype(np.float64), alpha, size, rng)
    if rng.random() < 0.6:
        _draw_straps(picture, outline, across, down, cloth[alpha > 0.5].mean(axis=0) if (alpha > 0.5).any() else 200.0)
    return np.asarray(np.clip(picture + alpha[..., np.newaxis] * (cloth - picture), 0, 255), np.uint8)


def _axes(landmarks: Landmarks) -> tuple[tuple[Array, Array], Array, float]:
    """(the way from eye to eye, the middle of the eyes), the way down, and how far the nose is off the middle.

    One unit in both ways is the distance between the eyes, as it would be seen from the front.
    """
    left_eye, right_eye, nose, mouth_left, mouth_right = np.array(landmarks.points(), np.float64)
    eyes = (left_eye + right_eye) / 2
    down = ((mouth_left + mouth_right) / 2 - eyes) / EYE_TO_MOUTH
    across = right_eye - left_eye
    length = max(float(np.linalg.norm(across)), float(np.linalg.norm(down)), 1.0)
    off = float((nose - eyes) @ across) / max(float(across @ across), 1.0)
    across = across / max(float(np.linalg.norm(across)), 1e-6) * length
    return (across, eyes), down, float(np.clip(off, -0.5, 0.5))


def _outline(rng: np.random.Generator, nose: float) -> Array:
    """The mask's outline, float64 (n, 2), in distances between the eyes from their middle."""
    bridge = rng.uniform(0.78, 0.95) if rng.random() < 0.08 else rng.uniform(0.22, 0.62)
    cheek = bridge + rng.uniform(-0.12, 0.4)
    wide, chin = rng.uniform(0.78, 1.06), rng.uniform(0.94, 1.1)
    scarf = rng.random() < 0.12
    steps = np.linspace(-1, 1, 15)
    bend = rng.uniform(1.2, 2.4)
    top = [(x * wide, bridge + (cheek - bridge) * abs(x) ** bend) for x in steps]
    side = [(min(x, wide), y * chin) for x, y in _JAW if y * chin > cheek]
    if scarf:
        side = [(wide * 1.05, cheek + 0.3), (wide, 1.6), (0.5 * wide, 2.4), (0.0, 2.8)]
    points = np.array([*top, *side, *((-x, y) for x, y in reversed(side[:-1]))])
    # turned away: the far side is narrow, the middle line runs through the nose
    sides = np.where(points[:, 0] > 0, 1 - 1.1 * nose, 1 + 1.1 * nose)
    middle = 1 - np.clip(np.abs(points[:, 0]) / wide, 0, 1)
    points[:, 0] = points[:, 0] * np.clip(sides, 0.4, 1.5) + middle * nose
    return points + rng.normal(0, 0.015, points.shape)


def _pixels(points: Array, across: tuple[Array, Array], down: Array) -> Array:
    unit, origin = across
    return np.asarray(origin + points[:, :1] * unit + points[:, 1:] * down)


def _coordinates(shape: tuple[int, ...], across: tuple[Array, Array], down: Array) -> Array:
    """Each pixel's place in the face's own axes: float64 (h, w, 2)."""
    unit, origin = across
    axes = np.stack([unit, down], axis=1)
    if abs(np.linalg.det(axes)) < 1e-6:
        axes = np.eye(2) * max(float(np.linalg.norm(unit)), 1.0)
    rows, columns = np.indices(shape[:2])
    return np.asarray((np.stack([columns, rows], axis=-1) - origin) @ np.linalg.inv(axes).T)


def _filled(shape: tuple[int, ...], polygon: Array, blur: float) -> Array:
    """How far each pixel lies inside, 0 to 1, with an edge that is `blur` pixels soft."""
    inside = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(polygon * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    return np.asarray(cv2.GaussianBlur(inside.astype(np.float64), (0, 0), max(0.3, blur)) / 255)


def _cloth(image: Pixels, alpha: Array, places: Array, nose: float, rng: np.random.Generator) -> Array:
    """The mask's colours wherever it may be seen: float64 (h, w, 3)."""
    x, y = places[..., 0] - nose, places[..., 1]
    colour = np.array(_COLOURS[rng.integers(len(_COLOURS))], np.float64) + rng.normal(0, 12, 3)
    if (image[..., 0] == image[..., 2]).all():
        colour[:] = colour.mean()
    covered = alpha > 0.5
    light = np.clip(image[covered].mean() / 140, 0.35, 1.25) if covered.any() else 1.0
    shade = 1 - rng.uniform(0, 0.35) * x**2 - rng.uniform(0, 0.3) * (y - rng.uniform(0.6, 1.2)) ** 2
    shade += rng.uniform(-0.25, 0.25) * x + rng.uniform(0, 0.15) * np.exp(-((x / 0.2) ** 2))
    shade += _folds(x, y, rng) + _noise(x.shape, 6, rng) * rng.uniform(0, 0.12) + rng.normal(0, 0.02, x.shape)
    shade += _print(x, y, rng)
    return np.asarray(np.clip(colour * light * shade[..., np.newaxis], 0, 255))


def _folds(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Pleats across, a seam down the middle, or creases; or none."""
    kind, depth = rng.integers(4), rng.uniform(0.04, 0.22)
    if kind == 0:
        rows = rng.uniform(0.65, 0.8) + np.arange(3) * rng.uniform(0.18, 0.3)
        bend = rng.uniform(-0.15, 0.25)
        return np.asarray(-depth * sum(np.exp(-(((y - row - bend * x**2) / 0.03) ** 2)) for row in rows))
    if kind == 1:
        return np.asarray(-depth * np.exp(-((x / rng.uniform(0.02, 0.05)) ** 2)))
    if kind == 2:
        tilt = rng.uniform(-1, 1, 3)
        lines = (np.exp(-(((y - 1.1 - t * x - rng.uniform(-0.3, 0.3)) / 0.05) ** 2)) for t in tilt)
        return np.asarray(-depth * sum(lines))
    return np.zeros_like(x)


def _print(x: Array, y: Array, rng: np.random.Generator) -> Array:
    """Stripes, checks or blots on one mask in four."""
    kind, strength, pitch = rng.integers(12), rng.uniform(0.1, 0.5), rng.uniform(12, 40)
    if kind == 0:
        return np.asarray(strength * np.sign(np.sin(pitch * (x + rng.uniform(-1, 1) * y))))
    if kind == 1:
        return np.asarray(strength * np.sign(np.sin(pitch * x) * np.sin(pitch * y)))
    return _noise(x.shape, 14, rng) * strength if kind == 2 else np.zeros_like(x)


def _noise(shape: tuple[int, ...], cells: int, rng: np.random.Generator) -> Array:
    """Smooth noise of unit height, with about so many bumps a side."""
    coarse = rng.normal(0, 1, (cells, cells))
    return np.asarray(cv2.resize(coarse, shape[1::-1], interpolation=cv2.INTER_CUBIC))


def _shadowed(picture: Array, alpha: Array, size: float, rng: np.random.Generator) -> Array:
    """The picture with the soft shadow that the mask throws on the skin."""
    shadow = cv2.GaussianBlur(alpha, (0, 0), max(0.5, 0.06 * size))
    return np.asarray(picture * (1 - rng.uniform(0, 0.45) * shadow[..., np.newaxis]))


def _draw_straps(picture: Array, outline: Array, across: tuple[Array, Array], down: Array, colour: Any) -> None:
    """A line from each upper corner towards the ear."""
    width = max(1, round(0.04 * float(np.linalg.norm(across[0]))))
    for corner in (outline[outline[:, 0].argmin()], outline[outline[:, 0].argmax()]):
        ear = np.array([np.sign(corner[0]) * 1.35, 0.35])
        start, end = np.round(_pixels(np.stack([corner, ear]), across, down)).astype(int).tolist()
        cv2.line(picture, start, end, [float(c) for c in np.broadcast_to(colour, 3)], width, cv2.LINE_AA)


if __name__ == "__main__":
    main(sys.argv[1])
