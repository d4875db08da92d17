"""Boxes, numbers, emoji and labels on a copy of the picture, or its faces blurred. Words tell what the colours do."""

import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from femr.images import Pixels
from femr.output.emoji import emoji
from femr.output.labels import Rectangle, place_labels
from femr.results import Analysis, Box, Emotion, FaceEmotion

SMALLEST_SIDE = 640
"""A smaller picture is enlarged to this long side, in pixels, so that the labels stay legible."""

_DARK, _LIGHT = "#101418", "#FFFFFF"
_UNSURE = "?"
_LINES = 28  # of text in a picture's width: 12 pixels and more on a phone's screen, which is 360 wide
_HIDDEN = 1.4  # sides of an oval that holds a box's corners
_CELLS = 5  # of a blurred face's width


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
    """Black or white, whichever has the higher contrast on a colour (relative luminance of WCAG 2)."""
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return _DARK if luminance > 0.1791 else _LIGHT
