"""Boxes, numbers, emoji and labels on a copy of the picture, or its faces blurred. Words tell what the colours do.

A label lies beside its box, on no face and on no other label. An emoji is drawn, the same on every machine, whatever
fonts it has: a few numbers a feature, as in Chernoff's faces (1973).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from femr.faces.boxes import shared_areas
from femr.images import Pixels
from femr.results import Analysis, Box, Emotion, FaceEmotion

Rectangle: TypeAlias = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels, x2 and y2 exclusive."""
Size: TypeAlias = tuple[int, int]
Line: TypeAlias = list[tuple[float, float]]

SMALLEST_SIDE = 640
"""A smaller picture is enlarged to this long side, in pixels, so that the labels stay legible."""

_DARK, _LIGHT = "#101418", "#FFFFFF"
_UNSURE = "?"
_LINES = 28  # of text in a picture's width: 12 pixels and more on a phone's screen, which is 360 wide
_HIDDEN = 1.4  # sides of an oval that holds a box's corners
_CELLS = 5  # of a blurred face's width
_ROOM = 3  # widths of its face that a label may have
_SHORT = 2  # forms of a label that may be wider
_INK, _SKIN, _TEAR = "#2B2118", "#FFD65C", "#4FA3F7"
_FINE = 4  # emoji are drawn so many times as large and then averaged: smooth edges
_EYE_X, _EYE_Y, _EYE_WIDTH, _MOUTH_Y, _STROKE = 0.36, -0.16, 0.12, 0.36, 0.065  # of the face's radius, from its centre


def draw(image: Pixels, analysis: Analysis) -> Pixels:
    """A copy of the picture with every face boxed, numbered and labelled: RGB uint8, SMALLEST_SIDE or more long.

    Labels lie on no face and on no other label, and are short where there is little room; a face round which there is
    none has its box alone.

    Args:
        image: RGB uint8 (h, w, 3), the analysed picture in any size.
        analysis: Its boxes, in the original picture's pixels, are scaled to `image`.
    """
    picture = Image.fromarray(image)
    enlarge = max(1.0, SMALLEST_SIDE / max(picture.size))
    picture = picture.resize(
        (round(picture.width * enlarge), round(picture.height * enlarge)), Image.Resampling.BICUBIC
    )
    sheet = _Sheet(picture)
    boxes = [_scaled(face.box, picture.width / analysis.width) for face in analysis.faces]
    for face, box in zip(analysis.faces, boxes, strict=True):
        sheet.frame(box, face.scores.top.color)
    forms = [_forms(face) for face in analysis.faces]
    places = place_labels(picture.size, boxes, [[sheet.size(*form) for form in texts] for texts in forms])
    for face, texts, place in zip(analysis.faces, forms, places, strict=True):
        if place:
            sheet.label(face.scores.top, *texts[place[0]], place[1])
    return np.asarray(picture, np.uint8)


def blurred(image: Pixels, *analyses: Analysis) -> Pixels:
    """A copy of the picture in which nobody can be recognised whose face was found: RGB uint8 (h, w, 3).

    Of each face a few averages are left, so that no program brings it back either.

    Args:
        image: RGB uint8 (h, w, 3), the analysed picture in any size.
        analyses: Of this picture; of a film's frame, those before and after it.
    """
    picture = Image.fromarray(image)
    for box in (_scaled(face.box, picture.width / one.width) for one in analyses for face in one.faces):
        _blur(picture, box)
    return np.asarray(picture, np.uint8)


def save(image: Pixels, path: Path) -> None:
    """Write an RGB picture as a JPEG. Raises: OSError."""
    Image.fromarray(image).save(path, "JPEG", quality=90)


class _Sheet:
    """A picture to draw on, and the pen's sizes fitted to it."""

    def __init__(self, picture: Image.Image) -> None:
        self._picture = picture
        self._pen = ImageDraw.Draw(picture)
        self._stroke = max(2, round(max(picture.size) / 300))
        self._font_size = max(16, round(picture.width / _LINES))
        self._pad = self._font_size // 4
        self._font = ImageFont.load_default(self._font_size)

    def frame(self, box: Rectangle, color: str) -> None:
        """A rounded box in the expression's colour, with a light rim that sets it off from any background."""
        radius = 3 * self._stroke
        self._pen.rounded_rectangle(box, radius, outline=_LIGHT, width=self._stroke + 2)
        self._pen.rounded_rectangle(box, radius, outline=color, width=self._stroke)

    def size(self, number: str, words: str) -> tuple[int, int]:
        """Of a label, in pixels: number, emoji and words on a plate, or the emoji alone."""
        if not number:
            return self._font_size, self._font_size
        gaps = 4 if words else 3
        wide = self._length(number) + self._font_size + self._length(words) + gaps * self._pad
        return wide, self._font_size + 2 * self._pad

    def label(self, emotion: Emotion, number: str, words: str, plate: Rectangle) -> None:
        """What `size` tells of, at its place."""
        left, y1, x2, y2 = plate
        middle = (y1 + y2) // 2
        if number:
            self._pen.rounded_rectangle((left, y1, x2 - 1, y2 - 1), 2 * self._stroke, fill=emotion.color)
            left += self._pad
            self._write(left, middle, number, emotion.color)
            left += self._length(number) + self._pad
        picture = emoji(emotion, self._font_size)
        self._picture.paste(picture, (left, middle - self._font_size // 2), picture)
        self._write(left + self._font_size + self._pad, middle, words, emotion.color)

    def _write(self, left: int, middle: int, text: str, color: str) -> None:
        self._pen.text((left, middle), text, fill=ink(color), font=self._font, anchor="lm")

    def _length(self, text: str) -> int:
        return round(self._pen.textlength(text, self._font))


def _forms(face: FaceEmotion) -> tuple[tuple[str, str], ...]:
    """Number and words beside the emoji, the shortest first."""
    number, mark = str(face.number), _UNSURE if face.unsure else ""
    word = face.scores.top.value + mark
    score = "" if face.told else f" {face.scores.top_score:.0%}"
    return ("", ""), (number, mark), (number, word), (number, word + score)


def _blur(picture: Image.Image, box: Rectangle) -> None:
    """Leaves of an oval round a box what a few cells' averages tell."""
    middle, sides = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), (box[2] - box[0], box[3] - box[1])
    x1, y1 = (math.floor(c - _HIDDEN * side / 2) for c, side in zip(middle, sides, strict=True))
    x2, y2 = (math.ceil(c + _HIDDEN * side / 2) for c, side in zip(middle, sides, strict=True))
    oval = Image.new("L", (x2 - x1, y2 - y1))
    ImageDraw.Draw(oval).ellipse((0, 0, *oval.size), 255)
    # what lies outside of the picture must not count: the part inside has its own cells
    inside = max(0, x1), max(0, y1), min(picture.width, x2), min(picture.height, y2)
    if inside[0] < inside[2] and inside[1] < inside[3]:
        part = picture.crop(inside)
        cells = part.resize((_CELLS, _CELLS), Image.Resampling.BOX).resize(part.size, Image.Resampling.BICUBIC)
        left, top = inside[0] - x1, inside[1] - y1
        picture.paste(cells, inside[:2], oval.crop((left, top, left + part.width, top + part.height)))


def _scaled(box: Box, factor: float) -> Rectangle:
    x1, y1, x2, y2 = (round(value * factor) for value in box)
    return x1, y1, max(x1 + 1, x2), max(y1 + 1, y2)


def ink(color: str) -> str:
    """Dark or white, whichever has the higher contrast on a colour (WCAG 2)."""
    dark, middle, light = (_luminance(one) + 0.05 for one in (_DARK, color, _LIGHT))
    return _DARK if middle / dark > light / middle else _LIGHT


def _luminance(color: str) -> float:
    """Relative to white, 0 to 1."""
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def place_labels(
    picture: Size, boxes: Sequence[Rectangle], sizes: Sequence[Sequence[Size]]
) -> list[tuple[int, Rectangle] | None]:
    """For each face which form of its label fits and where; None where none does.

    Args:
        picture: Its width and height in pixels.
        boxes: The faces', in pixels of the picture.
        sizes: Width and height of each face's label in all its forms, the smallest first, in pixels.
    """
    chosen: list[tuple[int, Rectangle] | None] = [None] * len(boxes)
    # all small ones first: a large label never takes another's place
    for form in range(max(map(len, sizes), default=0)):
        for number, box in enumerate(boxes):
            if form < _SHORT or sizes[number][form][0] <= _ROOM * (box[2] - box[0]):
                taken = [*boxes, *(one[1] for other, one in enumerate(chosen) if one and other != number)]
                if place := _first_free(list(_around(box, sizes[number][form], picture)), taken):
                    chosen[number] = form, place
    return chosen


def _around(box: Rectangle, label: Size, picture: Size) -> Iterator[Rectangle]:
    """Places of that size at a box, in the picture: above it, below it, on its right and on its left."""
    (x1, y1, x2, y2), (wide, high) = box, label
    along_x = (x1, (x1 + x2 - wide) // 2, x2 - wide, x1 - wide // 2, x2 - wide // 2)
    along_y = (y1, (y1 + y2 - high) // 2, y2 - high, y1 - high // 2, y2 - high // 2)
    corners = [(x, y) for y in (y1 - high, y2) for x in along_x] + [(x, y) for x in (x2, x1 - wide) for y in along_y]
    for x, y in corners:
        left, top = max(0, min(x, picture[0] - wide)), max(0, min(y, picture[1] - high))
        if left + wide <= picture[0] and top + high <= picture[1]:
            yield left, top, left + wide, top + high


def _first_free(places: Sequence[Rectangle], taken: Sequence[Rectangle]) -> Rectangle | None:
    """The first place that shares no pixel with what is taken."""
    if not places:
        return None
    free = ~shared_areas(np.array(places)[:, np.newaxis], taken).any(axis=1)
    return places[int(free.argmax())] if free.any() else None


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
    skin: str = _SKIN
    tear: bool = False


_LOOKS: Mapping[Emotion, _Look] = {
    Emotion.ANGRY: _Look((0.4, -0.24), 0.12, 0.34, -0.24, -0.24, skin="#FF8A65"),
    Emotion.DISGUST: _Look((0.3, -0.08), 0.06, 0.42, -0.32, -0.12, skin="#B5CF4E"),
    Emotion.FEAR: _Look((0.28, 0.2), 0.19, 0.44, -0.34, -0.06, skin="#B9C6FF"),
    Emotion.HAPPY: _Look(None, 0.17, 0.54, 0.0, 0.46),
    Emotion.SAD: _Look((0.28, 0.2), 0.13, 0.32, -0.24, -0.24, tear=True),
    Emotion.SURPRISE: _Look((0.42, 0.06), 0.17, 0.2, -0.24, 0.24),
    Emotion.NEUTRAL: _Look(None, 0.15, 0.4, 0.0, 0.0),
}


@lru_cache(maxsize=256)
def emoji(emotion: Emotion, side: int) -> Image.Image:
    """An expression's face: RGBA, `side` × `side` pixels. It is shared: never draw on it."""
    picture = Image.new("RGBA", (side * _FINE,) * 2)
    pen, look = _Pen(picture), _LOOKS[emotion]
    pen.oval((0, 0), 0.97, 0.97, look.skin)
    for sign in (-1, 1):
        pen.oval((sign * _EYE_X, _EYE_Y), _EYE_WIDTH, look.eye, _INK)
        if look.brow:
            outer, rise = look.brow
            pen.line([(sign * 0.6, _EYE_Y - outer), (sign * 0.2, _EYE_Y - outer - rise)])
    corners = _MOUTH_Y - (look.upper_lip + look.lower_lip) / 4
    upper, lower = (_lip(look.mouth, corners, bend) for bend in (look.upper_lip, look.lower_lip))
    pen.shape([*upper, *reversed(lower)])
    pen.line(upper)
    pen.line(lower)
    if look.tear:
        pen.oval((0.5, 0.26), 0.11, 0.17, _TEAR)
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
        self._draw.line(self._pixels(points), _INK, round(2 * _STROKE * self._half))
        for point in points:
            self.oval(point, _STROKE, _STROKE, _INK)

    def shape(self, points: Line) -> None:
        self._draw.polygon(self._pixels(points), _INK)

    def _pixels(self, points: Line) -> Line:
        return [((x + 1) * self._half, (y + 1) * self._half) for x, y in points]
