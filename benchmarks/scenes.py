"""Test scenes: faces pasted at known places, sizes and angles, under known light, on pictures without faces.

Everything follows from the seed. No pasted face touches another: each keeps to a cell of a grid.

The portrait of Eileen Collins has surroundings, a box and five landmarks, all marked by hand. FER2013's faces are tight
crops of 48×48 pixels without surroundings, which MTCNN wants to see: their border is repeated outwards and blurred, and
for want of marks their truth is the mean framing: eyes 36.5 % of the side below the top edge and the mouth 44 % below
them (femr.faces.crop), hence hair line to chin over the whole height and cheek to cheek over three quarters of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from femr.errors import DataError
from femr.images import Pixels, load_image
from femr.results import Box, Landmarks

Condition: TypeAlias = Literal["plain", "dark", "bright", "blurred"]
Range: TypeAlias = tuple[float, float]
Affine: TypeAlias = npt.NDArray[np.float64]

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
_ROOM = 1.95  # side of a face's cell relative to the face: the cutouts reach that far, whichever way they are turned
_LEAST = 0.75  # of the room, for faces without a given size
_CUT_LEAST, _CUT_MOST = 1 / 6, 0.6  # size of a face that the edge cuts, in heights of the picture
_MARGIN = 1.1  # a face alone may fill the picture but for this
_ENLARGED = 2  # a background is enlarged so much at most, then repeated mirrored
_DARK, _NOISE = 0.18, 3.0  # light that is left, and the sensor's noise in gray levels
_BRIGHT, _GLARE = 1.2, 80.0  # contrast and gray levels added
_BLUR = 0.04  # standard deviation in shares of the face's size


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


@dataclass(frozen=True)
class Truth:
    """A pasted face: box xyxy and landmarks (None: not known) in pixels.

    size: the longer side of the upright box in pixels. rotation: degrees clockwise.
    A rotated face's box is that of the ellipse in the upright one.
    """

    box: Box
    landmarks: Landmarks | None
    size: float
    rotation: float
    condition: Condition
    source: str


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture, RGB uint8 (h, w, 3), and all faces that are in it."""

    name: str
    image: Pixels
    truths: tuple[Truth, ...]


@dataclass(frozen=True)
class Plan:
    """What a scene shall hold.

    width, height: pixels. faces: their number. sizes: pixels, drawn evenly on a logarithmic scale; None: as the cells
    allow. rotation: least and most degrees, to either side.
    outside: share of one more face, beyond the picture's edge; the others are its company. 0: no such face.
    """

    width: int
    height: int
    faces: int
    sizes: Range | None = None
    rotation: Range = (0.0, 5.0)
    condition: Condition = "plain"
    outside: float = 0.0

    @property
    def truths(self) -> int:
        """How many faces count."""
        return 1 if self.outside else self.faces


def compose(plan: Plan, background: tuple[str, Pixels], cutouts: Sequence[Cutout], seed: int) -> Scene:
    """The scene of a plan, the same for the same seed. Raises: ValueError if faces of that size have no room."""
    rng = np.random.default_rng(seed)
    image = _cover(background[1], plan.width, plan.height, rng)
    cells = _cells(plan)
    chosen = rng.permutation(len(cells))[: plan.faces]
    truths = tuple(_paste(image, plan, cells[index], cutouts[int(rng.integers(len(cutouts)))], rng) for index in chosen)
    if plan.outside:
        truths = (_paste_cut(image, plan, cutouts[int(rng.integers(len(cutouts)))], rng),)  # found or not is about it
    light = _under(image, plan.condition, truths, rng)
    name = f"{background[0]}, {plan.faces} faces, {plan.condition}, seed {seed}"
    return Scene(name, light, truths)


def _cover(background: Pixels, width: int, height: int, rng: np.random.Generator) -> Pixels:
    """A picture of that size, cut from a background that is enlarged and repeated as far as need be."""
    zoom = min(_ENLARGED, max(width / background.shape[1], height / background.shape[0]))
    tile = cv2.resize(background, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)
    missing = max(0, height - tile.shape[0]), max(0, width - tile.shape[1])
    tile = np.pad(tile, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
    top, left = (rng.integers(room + 1) for room in (tile.shape[0] - height, tile.shape[1] - width))
    return np.ascontiguousarray(tile[top : top + height, left : left + width])


def _cells(plan: Plan) -> list[Box]:
    """At least as many equal cells of the picture as there are faces, as square as possible."""
    if not plan.faces:
        return []
    columns = max(range(1, plan.faces + 1), key=lambda n: min(plan.width / n, plan.height / math.ceil(plan.faces / n)))
    rows = math.ceil(plan.faces / columns)
    width, height = plan.width / columns, plan.height / rows
    return [(c * width, r * height, (c + 1) * width, (r + 1) * height) for r in range(rows) for c in range(columns)]


def _paste(image: Pixels, plan: Plan, cell: Box, cutout: Cutout, rng: np.random.Generator) -> Truth:
    """Paint one face into its cell."""
    x1, y1, x2, y2 = cell
    room = _MARGIN if plan.faces == 1 else _ROOM
    most = min(x2 - x1, y2 - y1) / room
    low, high = plan.sizes or (_LEAST * most, most)
    if high > most + 0.5:
        raise ValueError(f"Expected faces up to {most:.0f} px for {plan.faces} in a scene. Received: {high:.0f}")
    size = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    rotation = float(rng.choice((-1, 1)) * rng.uniform(*plan.rotation))
    slack = [(side - size * room) / 2 for side in (x2 - x1, y2 - y1)]
    centre = (x1 + x2) / 2 + rng.uniform(-1, 1) * slack[0], (y1 + y2) / 2 + rng.uniform(-1, 1) * slack[1]
    face = cutout.mirrored() if rng.random() < 0.5 else cutout
    return paste(image, face, size, rotation, centre, plan.condition)


def _paste_cut(image: Pixels, plan: Plan, cutout: Cutout, rng: np.random.Generator) -> Truth:
    """Paint one face over an edge; its box is what is left inside."""
    low, high = plan.sizes or (_CUT_LEAST * plan.height, _CUT_MOST * plan.height)
    size = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    x1, y1, x2, y2 = cutout.box
    half = np.array([x2 - x1, y2 - y1]) * size / cutout.size / 2
    axis, end = (int(value) for value in rng.integers(2, size=2))
    ends = np.array([plan.width, plan.height])
    centre = ends * rng.uniform(0.25, 0.75, 2)
    reach = half[axis] * (1 - 2 * plan.outside)  # from the face's middle to the edge
    centre[axis] = ends[axis] - reach if end else reach
    truth = paste(image, cutout, size, float(rng.uniform(*plan.rotation)), (centre[0], centre[1]), plan.condition)
    left, top, right, bottom = (float(value) for value in np.clip(truth.box, 0, [*ends, *ends]))
    return replace(truth, box=(left, top, right, bottom))


def paste(
    image: Pixels,
    cutout: Cutout,
    size: float,
    rotation: float,
    centre: tuple[float, float],
    condition: Condition = "plain",
) -> Truth:
    """Paint a face into `image` with soft edges, the middle of its box at `centre` (x, y); what is known of it then.

    Args: `size`, the box's longer side in pixels; `rotation`, degrees clockwise.
    """
    zoom = size / cutout.size
    pixels, opacity = _shrunk(cutout, zoom)
    matrix = _placement(cutout, zoom, rotation, centre)
    warp = _from_shrunk(matrix, cutout.opacity.shape, opacity.shape)
    reach = int(np.hypot(*cutout.opacity.shape) * zoom) + 2
    left, top = (max(0, int(value) - reach) for value in centre)
    window = image[top : int(centre[1]) + reach, left : int(centre[0]) + reach]
    warp[:, 2] -= left, top
    shape = window.shape[1], window.shape[0]
    painted = cv2.warpAffine(pixels, warp, shape, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    alpha = cv2.warpAffine(opacity, warp, shape, flags=cv2.INTER_LINEAR)[:, :, np.newaxis]
    window[:] = np.rint(alpha * painted + (1 - alpha) * window).astype(np.uint8)
    landmarks = cutout.landmarks and Landmarks(*(_moved(matrix, point) for point in cutout.landmarks.points()))
    return Truth(_around(cutout, zoom, rotation, centre), landmarks, size, rotation, condition, cutout.source)


def _shrunk(cutout: Cutout, zoom: float) -> tuple[Pixels, npt.NDArray[np.float32]]:
    """Pixels and opacity, averaged down to about the size they will have, so that no pixel is passed over."""
    if zoom >= 1:
        return cutout.pixels, cutout.opacity
    size = [max(1, round(side * zoom)) for side in cutout.opacity.shape[::-1]]
    return (
        cv2.resize(cutout.pixels, size, interpolation=cv2.INTER_AREA),
        cv2.resize(cutout.opacity, size, interpolation=cv2.INTER_AREA),
    )


def _placement(cutout: Cutout, zoom: float, rotation: float, centre: tuple[float, float]) -> Affine:
    """The affine map (2, 3) from the cutout to the scene."""
    x1, y1, x2, y2 = cutout.box
    middle = (x1 + x2) / 2, (y1 + y2) / 2
    matrix = cv2.getRotationMatrix2D(middle, -rotation, zoom)
    matrix[:, 2] += np.array(centre) - middle
    return np.asarray(matrix, np.float64)


def _from_shrunk(matrix: Affine, whole: tuple[int, ...], shrunk: tuple[int, ...]) -> Affine:
    """The same map for the pixels of a shrunk cutout; its sides were rounded, each on its own."""
    y, x = whole[0] / shrunk[0], whole[1] / shrunk[1]
    return np.asarray(matrix @ np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]]), np.float64)


def _moved(matrix: Affine, point: tuple[float, float]) -> tuple[float, float]:
    x, y = matrix @ (*point, 1.0)
    return float(x), float(y)


def _around(cutout: Cutout, zoom: float, rotation: float, centre: tuple[float, float]) -> Box:
    """The box around the turned ellipse in the upright box."""
    x1, y1, x2, y2 = cutout.box
    width, height = (x2 - x1) * zoom / 2, (y2 - y1) * zoom / 2
    cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
    across, down = math.hypot(width * cos, height * sin), math.hypot(width * sin, height * cos)
    return centre[0] - across, centre[1] - down, centre[0] + across, centre[1] + down


def _under(image: Pixels, condition: Condition, truths: Sequence[Truth], rng: np.random.Generator) -> Pixels:
    """The whole scene in other light, or out of focus."""
    values: npt.NDArray[Any] = image
    if condition == "dark":
        values = image * _DARK + rng.normal(0, _NOISE, image.shape)
    elif condition == "bright":
        values = image * _BRIGHT + _GLARE
    elif condition == "blurred" and truths:
        values = cv2.GaussianBlur(image, (0, 0), _BLUR * float(np.median([truth.size for truth in truths])))
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)
