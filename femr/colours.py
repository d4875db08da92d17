"""A decoded picture of any mode and depth → RGB uint8, with white behind what is transparent."""

import math
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.ImageFile import ImageFile

from femr.errors import ImageError

MOST_PIXELS = 65_000_000
"""Pictures with more are read at half their size, or a third, and so on."""
DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
"""Modes of one channel with more than eight bits."""

Pixels: TypeAlias = npt.NDArray[np.uint8]

_DEPTHS = (255, 1023, 4095, 16383, 65535)
_BAND = 1 << 20  # pixels that are converted at once: bounds the memory


def to_rgb(image: Image.Image) -> Pixels:
    """A decoded picture of any mode, made smaller if it has more than MOST_PIXELS; a band at a time."""
    if image.mode in DEEP_GREY:
        image = Image.fromarray(eight_bits(np.asarray(image)[:, :, np.newaxis])[:, :, 0])
    divisor = math.ceil(math.sqrt(image.width * image.height / MOST_PIXELS))
    result = np.empty((-(-image.height // divisor), -(-image.width // divisor), 3), np.uint8)
    rows = max(1, _BAND // result.shape[1])
    for top in range(0, len(result), rows):
        box = (0, top * divisor, image.width, min(image.height, (top + rows) * divisor))
        band = on_white(image.crop(box))
        result[top : top + rows] = np.asarray(band.reduce(divisor) if divisor > 1 else band)
    return result


def on_white(image: Image.Image) -> Image.Image:
    """Any mode of eight bits → RGB, with white behind what is transparent."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return image.convert("RGB")


def eight_bits(array: npt.NDArray[Any]) -> Pixels:
    """Scaled to 0..255, not clipped: whole numbers from 8, 10, 12, 14 or 16 bits, the fewest that hold all of them.

    So neither the order of the bytes nor the type says anything. Floats are from 0 to 1; what is more, by the largest.
    Args: `array`, (h, w, channels); a fourth channel has a range of its own. Raises: ImageError.
    """
    if array.dtype == np.uint8:
        return array
    colours = min(array.shape[2], 3)
    highest = [_highest(array[:, :, :3])] * colours
    if array.shape[2] > colours:
        highest.append(_highest(array[:, :, 3:]))
    factors = 255 / np.array(highest)
    result = np.empty(array.shape, np.uint8)
    rows = max(1, _BAND // array.shape[1])
    for top in range(0, len(array), rows):
        result[top : top + rows] = np.rint(array[top : top + rows] * factors)
    return result


def _highest(values: npt.NDArray[Any]) -> float:
    """The value that becomes 255."""
    least, most = float(values.min()), float(values.max())
    if not math.isfinite(least) or not math.isfinite(most) or least < 0:
        raise ImageError("The picture holds values below zero or values that are not numbers.")
    if values.dtype.kind in "fb":
        return max(1.0, most)
    return next((depth for depth in _DEPTHS if depth >= most), most)


def is_deep_colour(image: ImageFile) -> bool:
    """Whether it has colours of 16 bits, of which Pillow keeps the upper eight."""
    return image.mode.startswith("RGB") and bool(image.tile) and ";16" in str(image.tile[0].args)


def dark_deep_colour(image: ImageFile, data: bytes) -> Pixels | None:
    """The picture by all 16 bits, where the upper two are empty, as of a camera's 10 or 12; None otherwise."""
    if np.max(image.getextrema()[:3]) >= 64:
        return None
    try:
        deep = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    upper = np.asarray(image)
    if deep is None or deep.dtype != np.uint16 or deep.shape != upper.shape:
        return None
    deep = cv2.cvtColor(deep, cv2.COLOR_BGR2RGB if deep.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    # the other decoder's picture only if it is the same one, turned as this one is
    return to_rgb(Image.fromarray(eight_bits(deep))) if np.array_equal(deep >> 8, upper) else None
