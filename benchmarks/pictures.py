"""The pictures that are timed: so many megapixels and so many portraits, in a garage full of other things."""

from functools import cache

from femr.benchmark.cutouts import backgrounds, portrait
from femr.benchmark.scenes import Plan, Scene, compose

SIZES = {0.1: (360, 270), 0.3: (640, 480), 0.75: (1000, 750), 2: (1920, 1080), 5: (2560, 1920), 12: (4000, 3000)}
"""Megapixels → width and height."""

_BACKGROUND = "motorcycle_left"


@cache
def picture(megapixels: float, faces: int) -> Scene:
    """The scene of that size with that many faces, each as large as its place allows, or up to a quarter smaller."""
    width, height = SIZES[megapixels]
    background = backgrounds([f"{_BACKGROUND}.png"])[_BACKGROUND]
    return compose(Plan(width, height, faces), (_BACKGROUND, background), [portrait()], seed=faces)
