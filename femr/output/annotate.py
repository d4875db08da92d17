"""Boxes, numbers and labels on a copy of the picture. Never by colour alone: words tell the expression."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from femr.images import Pixels
from femr.results import Analysis, Box, FaceEmotion

Rectangle: TypeAlias = tuple[int, int, int, int]

SMALLEST_SIDE = 640
"""A smaller picture is enlarged to this long side, in pixels, so that the labels stay legible."""

_DARK, _LIGHT = "#101418", "#FFFFFF"
_UNSURE = "?"


def draw(image: Pixels, analysis: Analysis) -> Pixels:
    """A copy of the picture with every face boxed, numbered and labelled: RGB uint8, SMALLEST_SIDE or more long.

    Args:
        image: RGB uint8 (h, w, 3), the analysed picture in any size.
        analysis: its boxes, in the original picture's pixels, are scaled to `image`.
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
    for face, box in zip(analysis.faces, boxes, strict=True):
        sheet.label(face, box)
    return np.asarray(picture, np.uint8)


def save(image: Pixels, path: Path) -> None:
    """Write an RGB picture as a JPEG. Raises: OSError."""
    Image.fromarray(image).save(path, "JPEG", quality=90)


class _Sheet:
    """A picture to draw on, the pen's sizes fitted to it, and the places of the labels so far."""

    def __init__(self, picture: Image.Image) -> None:
        self._size = picture.size
        self._pen = ImageDraw.Draw(picture)
        self._stroke = max(2, round(max(picture.size) / 300))
        self._font_size = max(16, round(max(picture.size) / 36))
        self._font = ImageFont.load_default(self._font_size)
        self._plates: list[Rectangle] = []

    def frame(self, box: Rectangle, color: str) -> None:
        """A rounded box in the expression's colour, with a light rim that sets it off from any background."""
        radius = 3 * self._stroke
        self._pen.rounded_rectangle(box, radius, outline=_LIGHT, width=self._stroke + 2)
        self._pen.rounded_rectangle(box, radius, outline=color, width=self._stroke)

    def label(self, face: FaceEmotion, box: Rectangle) -> None:
        """The face's number, expression and score on a plate at its box."""
        color = face.scores.top.color
        text = self._text(face, box)
        plate = self._place(text, box)
        self._plates.append(plate)
        self._pen.rounded_rectangle(plate, self._stroke, fill=color)
        centre = (plate[0] + plate[2]) / 2, (plate[1] + plate[3]) / 2
        self._pen.text(centre, text, fill=_ink(color), font=self._font, anchor="mm")

    def _text(self, face: FaceEmotion, box: Rectangle) -> str:
        """Number, word and score where there is room for it, else number and word, else the number."""
        word = face.scores.top.value + (_UNSURE if face.unsure else "")
        texts = (f"{face.number} {word} {face.scores.top_score:.0%}", f"{face.number} {word}")
        room = 3 * (box[2] - box[0])
        return next((text for text in texts if self._pen.textlength(text, self._font) <= room), str(face.number))

    def _place(self, text: str, box: Rectangle) -> Rectangle:
        """Above the box, below it or inside it; within the picture, and on no other label if possible."""
        width, height = self._size
        pad = self._font_size // 4
        wide, high = round(self._pen.textlength(text, self._font)) + 2 * pad, self._font_size + 2 * pad
        left = max(0, min(box[0], width - wide))
        tops = [top for top in (box[1] - high, box[3], box[1]) if 0 <= top <= height - high] or [0]
        places = [(left, top, left + wide, top + high) for top in tops]
        free = (place for place in places if not any(_overlap(place, other) for other in self._plates))
        return next(free, places[0])


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _scaled(box: Box, factor: float) -> Rectangle:
    x1, y1, x2, y2 = (round(value * factor) for value in box)
    return x1, y1, max(x1 + 1, x2), max(y1 + 1, y2)


def _ink(color: str) -> str:
    """Black or white, whichever has the higher contrast on a colour (relative luminance of WCAG 2)."""
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return _DARK if luminance > 0.1791 else _LIGHT
