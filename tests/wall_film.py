"""A film of many faces for Chromium's fake camera: both women of the examples, who drift as people in a room do.

Chromium plays a file of JPEG pictures, one after another, at 30 a second and over and over.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from builders import HOPPER, PORTRAIT
from camera import with_round_mouth
from femr.images import Pixels, load_image

RATE = 30  # pictures a second: Chromium's
EVERY = 3  # pictures that are alike
SIZE = (1280, 720)
WALL = 110  # how light the wall behind them is
DRIFT = 14  # pixels to each side
LOOKS = {"smiling": "happy", "astonished": "surprise", "serious": "neutral"}


@dataclass(frozen=True, slots=True)
class Scene:
    """So many faces for so many seconds. looks: of LOOKS, one face each, repeated."""

    faces: int
    seconds: float
    looks: tuple[str, ...] = ("smiling",)

    @property
    def mood(self) -> str | None:
        """What most of its faces look like."""
        looks = Counter(islice(cycle(self.looks), self.faces))
        return LOOKS[looks.most_common(1)[0][0]] if looks else None


EVENING = (
    Scene(8, 40, ("smiling",)),
    Scene(30, 40, ("astonished",)),
    Scene(0, 6),
    Scene(3, 34, ("smiling", "smiling", "serious")),
    Scene(12, 40, ("astonished", "astonished", "serious")),
)
"""Two minutes and forty seconds: two moods that change, nobody, a small group."""


def write_film(path: Path, scenes: tuple[Scene, ...] = EVENING, size: tuple[int, int] = SIZE) -> Path:
    """Write the scenes as a file that ends with .mjpeg."""
    with path.open("wb") as file:
        for scene in scenes:
            for number in range(0, round(scene.seconds * RATE), EVERY):
                frame = picture(scene, number / RATE, size)[..., ::-1]
                file.write(EVERY * cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes())
    return path


def picture(scene: Scene, time: float, size: tuple[int, int] = SIZE) -> Pixels:
    """What the camera sees at a time of a scene: RGB uint8."""
    shown = np.full((size[1], size[0], 3), WALL, np.uint8)
    for (left, top, side), look in zip(_places(scene.faces, time, size), cycle(scene.looks), strict=False):
        shown[top : top + side, left : left + side] = _head(look, side)
    return shown


def _places(faces: int, time: float, size: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """Left, top and side of each head, in rows, each on a small circle of its own."""
    rows = next(rows for rows in range(1, faces + 2) if rows * _columns(rows, size) >= faces)
    columns = max(1, -(-faces // rows))
    cell = min(size[0] // columns, size[1] // rows)
    side = min(cell - 2 * DRIFT, size[1] // 2)
    grid = ((row, column) for row in range(rows) for column in range(columns))
    for number, (row, column) in enumerate(islice(grid, faces)):
        x = (column + 0.5) * size[0] / columns + DRIFT * np.cos(time / 2 + number)
        y = (row + 0.5) * size[1] / rows + DRIFT * np.sin(time / 2 + 2 * number)
        yield round(x - side / 2), round(y - side / 2), side


def _columns(rows: int, size: tuple[int, int]) -> int:
    return max(1, rows * size[0] // size[1])


@cache
def _head(look: str, side: int) -> Pixels:
    return cv2.resize(_heads()[look], (side, side), interpolation=cv2.INTER_AREA)


@cache
def _heads() -> dict[str, Pixels]:
    portrait = load_image(PORTRAIT)
    return {
        "smiling": portrait[20:260, 100:340],
        "astonished": with_round_mouth(portrait)[20:260, 100:340],
        "serious": load_image(HOPPER)[30:340, 100:410],
    }
