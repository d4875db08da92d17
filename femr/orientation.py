"""How a picture is to be turned, by EXIF or XMP that may be damaged: read with care, and never written."""

import struct
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, RuntimeError, ArithmeticError, AttributeError,
    Warning, struct.error,
)  # fmt: skip
"""What Pillow and the decoders under it raise on damaged files."""

Pixels: TypeAlias = npt.NDArray[np.uint8]


def orientation_of(image: Image.Image) -> int:
    """By EXIF or XMP, 1 to 8; 1 where they cannot be read."""
    try:
        return _turn(image.getexif())
    except BROKEN:
        return 1


def orientation_in(data: bytes) -> int:
    """The same of EXIF data, a TIFF file."""
    try:
        exif = Image.Exif()
        exif.load(data)
        return _turn(exif)
    except BROKEN:
        return 1


def _turn(exif: Image.Exif) -> int:
    value = exif.get(ExifTags.Base.Orientation, 1)
    number = int(value[0] if isinstance(value, bytes | tuple) else value)
    return number if 1 <= number <= 8 else 1


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The picture turned and mirrored as its orientation says."""
    if orientation >= 5:
        pixels = cv2.transpose(pixels)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return pixels if flip is None else cv2.flip(pixels, flip)
