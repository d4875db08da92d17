"""The seven expressions as drawn faces: the same on every machine, whatever fonts it has.

A face is a few numbers a feature, as in Chernoff's faces (1973).
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageDraw

from femr.results import Emotion

Line: TypeAlias = list[tuple[float, float]]

INK, SKIN, TEAR = "#2B2118", "#FFD65C", "#4FA3F7"

_FINE = 4  # drawn so many times as large and then averaged: smooth edges
_EYE_X, _EYE_Y, _EYE_WIDTH, _MOUTH_Y, _STROKE = 0.36, -0.16, 0.12, 0.36, 0.065  # of the face's radius, from its centre


class _Look(NamedTuple):
    """Features in shares of the face's radius.

    brow: height of its outer end above the eye, and how much higher the inner one is; None without brows.
    upper_lip, lower_lip: how far the mouth's middle lies below its corners.
    """

    brow: tuple[float, float] | None
    eye: float
    mouth: float
    upper_lip: float
    lower_lip: float
    skin: str = SKIN
    tear: bool = False


_LOOKS: Mapping[Emotion, _Look] = MappingProxyType(
    {
        Emotion.ANGRY: _Look((0.4, -0.24), 0.12, 0.34, -0.24, -0.24, skin="#FF8A65"),
        Emotion.DISGUST: _Look((0.3, -0.08), 0.06, 0.42, -0.32, -0.12, skin="#B5CF4E"),
        Emotion.FEAR: _Look((0.28, 0.2), 0.19, 0.44, -0.34, -0.06, skin="#B9C6FF"),
        Emotion.HAPPY: _Look(None, 0.17, 0.54, 0.0, 0.46),
        Emotion.SAD: _Look((0.28, 0.2), 0.13, 0.32, -0.24, -0.24, tear=True),
        Emotion.SURPRISE: _Look((0.42, 0.06), 0.17, 0.2, -0.24, 0.24),
        Emotion.NEUTRAL: _Look(None, 0.15, 0.4, 0.0, 0.0),
    }
)


@lru_cache(maxsize=256)
def emoji(emotion: Emotion, side: int) -> Image.Image:
    """An expression's face: RGBA, `side` × `side` pixels. It is shared: never draw on it."""
    picture = Image.new("RGBA", (side * _FINE,) * 2)
    pen, look = _Pen(picture), _LOOKS[emotion]
    pen.oval((0, 0), 0.97, 0.97, look.skin)
    for sign in (-1, 1):
        pen.oval((sign * _EYE_X, _EYE_Y), _EYE_WIDTH, look.eye, INK)
        if look.brow:
            outer, rise = look.brow
            pen.line([(sign * 0.6, _EYE_Y - outer), (sign * 0.2, _EYE_Y - outer - rise)])
    corners = _MOUTH_Y - (look.upper_lip + look.lower_lip) / 4
    upper, lower = (_lip(look.mouth, corners, bend) for bend in (look.upper_lip, look.lower_lip))
    pen.shape([*upper, *reversed(lower)])
    pen.line(upper)
    pen.line(lower)
    if look.tear:
        pen.oval((0.5, 0.26), 0.11, 0.17, TEAR)
    return picture.resize((side, side), Image.Resampling.BOX)


def _lip(width: float, corners: float, bend: float) -> Line:
    """From one corner of the mouth to the other, rounder than a parabola."""
    return [(width * x, corners + bend * (1 - x * x) ** 0.6) for x in np.linspace(-1, 1, 41).tolist()]


class _Pen:
    """Draws on a square picture in shares of its half side, from its centre."""

    def __init__(self, picture: Image.Image) -> None:
        self._half = picture.width / 2
        self._draw = ImageDraw.Draw(picture)

    def oval(self, centre: tuple[float, float], wide: float, high: float, color: str) -> None:
        (x, y) = centre
        self._draw.ellipse(self._pixels([(x - wide, y - high), (x + wide, y + high)]), color)

    def line(self, points: Line) -> None:
        """A line with round ends and joints."""
        self._draw.line(self._pixels(points), INK, round(2 * _STROKE * self._half))
        for point in points:
            self.oval(point, _STROKE, _STROKE, INK)

    def shape(self, points: Line) -> None:
        self._draw.polygon(self._pixels(points), INK)

    def _pixels(self, points: Line) -> Line:
        return [((x + 1) * self._half, (y + 1) * self._half) for x, y in points]
