"""Fits femr.faces.covering: FER2013's Training faces as they are, against the same with painted masks.

    python -m benchmarks.covering PATH     # FER2013, as for `femr train`; a few minutes on two cores

Every face is moved, turned, blurred, darkened and cut off a little, so that neither a dim light nor the repeated edge
of a picture passes for cloth.
"""

import sys
from collections.abc import Iterator

import cv2
import keras
import numpy as np
import numpy.typing as npt

from benchmarks.masks import paint
from femr.faces.covering import WEIGHTS, Weights, features
from femr.faces.crop import FACE_SIDE, Pixels
from femr.faces.mtcnn import MtcnnDetector
from femr.images import to_picture
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

_ENLARGED = 2  # painted at twice the size: edges as smooth as a camera's
_BORDER = 28  # pixels around the enlarged face: the detector wants surroundings

Features = npt.NDArray[np.float32]


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
    """Grey faces (48, 48) with masks, PAINTED for each of the faces in which landmarks are found."""
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
    """A grey face (48, 48) as another photo, camera and detector might have given it."""
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


if __name__ == "__main__":
    main(sys.argv[1])
