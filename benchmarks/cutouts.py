"""Real faces to paste, each with its known place, and pictures without any to paste them on.

The portrait of Eileen Collins has surroundings, a box and five landmarks, all marked by hand. FER2013's faces are tight
crops of 48×48 pixels without surroundings, which MTCNN wants to see: their border is repeated outwards and blurred, and
for want of marks their truth is the mean framing: eyes 36.5 % of the side below the top edge and the mouth 44 % below
them (femr.faces.crop), hence hair line to chin over the whole height and cheek to cheek over three quarters of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from femr.errors import DataError
from femr.images import Pixels, load_image
from femr.results import Box, Landmarks

PORTRAIT = Path(__file__).parents[1] / "examples" / "eileen-collins.jpg"
PORTRAIT_FACE: Box = (182, 64, 265, 171)
"""Where the face is in the portrait, marked by hand: x1, y1, x2, y2 in pixels."""
PORTRAIT_LANDMARKS = Landmarks((203, 101), (246.5, 103.5), (224.5, 126.5), (203.5, 140.5), (246, 140.5))
"""Pupils, tip of the nose and corners of the mouth, marked by hand on the portrait five times enlarged."""

BACKGROUNDS = (
    "brick.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png",
    "moon.png", "motorcycle_left.png", "page.png", "retina.jpg", "rocket.jpg",
)  # fmt: skip
"""Files inside scikit-image's wheel without a human face; the astronaut, the cameraman and the coins have one."""

FER_SAMPLE = 120
"""Faces drawn from FER2013's PublicTest."""

_PORTRAIT_CUT = (128, 10, 322, 214)  # hair and collar included
_FER_BOX = (0.13, 0.02, 0.87, 1.0)  # in shares of the crop's side
_FER_BORDER = 16  # pixels around FER2013's 48
_SEED = 2013


@dataclass(frozen=True, eq=False)
class Cutout:
    """A face with its surroundings: RGB uint8 (h, w, 3), opacity float32 (h, w) from 0 to 1, and the face's place."""

    pixels: Pixels
    opacity: npt.NDArray[np.float32]
    box: Box
    landmarks: Landmarks | None
    source: str

    @property
    def size(self) -> float:
        """The box's longer side in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    def mirrored(self) -> "Cutout":
        """The same face, left and right exchanged."""
        width = self.pixels.shape[1]
        x1, y1, x2, y2 = self.box
        points = self.landmarks and _mirrored(self.landmarks, width)
        return Cutout(
            self.pixels[:, ::-1], self.opacity[:, ::-1], (width - x2, y1, width - x1, y2), points, self.source
        )


def portrait() -> Cutout:
    """The portrait's head, with its landmarks. Raises: DataError outside a clone of the repository."""
    if not PORTRAIT.is_file():
        raise DataError("The benchmark needs examples/eileen-collins.jpg: run it in a clone of the repository.")
    x1, y1, x2, y2 = _PORTRAIT_CUT
    pixels = load_image(PORTRAIT)[y1:y2, x1:x2]
    box = (PORTRAIT_FACE[0] - x1, PORTRAIT_FACE[1] - y1, PORTRAIT_FACE[2] - x1, PORTRAIT_FACE[3] - y1)
    points = ((x - x1, y - y1) for x, y in PORTRAIT_LANDMARKS.points())
    return Cutout(pixels, _oval(pixels.shape[0], pixels.shape[1], 0.86), box, Landmarks(*points), "portrait")


def fer2013(source: str | Path, count: int = FER_SAMPLE) -> list[Cutout]:
    """`count` faces of FER2013's PublicTest, drawn with a fixed seed; never PrivateTest's.

    Where the data has FER+ votes, images that anybody called "not a face" are left out before the draw.
    Raises: DataError.
    """
    from femr.training.data import PUBLIC_TEST, load

    splits = load(source)
    if PUBLIC_TEST not in splits:
        raise DataError(f"The data has no {PUBLIC_TEST} split to take faces from.")
    faces = splits[PUBLIC_TEST]
    rows = np.arange(len(faces)) if faces.votes is None else np.flatnonzero(faces.votes[:, -1] == 0)
    drawn = np.random.default_rng(_SEED).permutation(rows)[:count]
    return [fer_cutout(face) for face in faces.images[drawn]]


def fer_cutout(face: Pixels) -> Cutout:
    """A tight gray crop (48, 48) with made-up surroundings."""
    side = face.shape[0]
    wide = cv2.copyMakeBorder(face, _FER_BORDER, _FER_BORDER, _FER_BORDER, _FER_BORDER, cv2.BORDER_REPLICATE)
    inside = np.zeros(wide.shape, np.float32)
    inside[_FER_BORDER:-_FER_BORDER, _FER_BORDER:-_FER_BORDER] = 1
    inside = np.minimum(inside, cv2.GaussianBlur(inside, (0, 0), 1) * 2 - 1).clip(0)
    mixed = inside * wide + (1 - inside) * cv2.GaussianBlur(wide, (0, 0), 4)
    pixels = np.repeat(np.rint(mixed).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)
    x1, y1, x2, y2 = (_FER_BORDER + share * side for share in _FER_BOX)
    return Cutout(pixels, _oval(wide.shape[0], wide.shape[1], 0.75), (x1, y1, x2, y2), None, "FER2013")


def backgrounds(names: Sequence[str] = BACKGROUNDS) -> dict[str, Pixels]:
    """Name → RGB picture without a human face, from the installed scikit-image. Raises: DataError if there is none."""
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise DataError("The benchmark needs scikit-image's pictures: pip install scikit-image.")
    folder = Path(package.origin).parent / "data"
    return {Path(name).stem: load_image(folder / name) for name in names}


def _oval(height: int, width: int, solid: float) -> npt.NDArray[np.float32]:
    """Opacity 1 up to `solid` of the way from the middle to the edge, then falling to 0 at the edge."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(np.clip((1 - np.hypot(y, x)) / (1 - solid), 0, 1), np.float32)


def _mirrored(landmarks: Landmarks, width: int) -> Landmarks:
    left_eye, right_eye, nose, left, right = ((width - x, y) for x, y in landmarks.points())
    return Landmarks(right_eye, left_eye, nose, right, left)
