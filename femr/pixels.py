"""Decoded pixels of any mode and depth → RGB of eight bits."""

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from femr.errors import ImageError

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""A picture: RGB uint8 (h, w, 3)."""

MOST_PIXELS = 65_000_000
"""Pictures with more are read at half their size, or a third, and so on."""
DEEP_GRAY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
"""Modes of one channel with more than eight bits."""

_DEPTHS = (255, 1023, 4095, 16383, 65535)
_BAND = 1 << 20  # pixels that are converted at once: bounds the memory


def to_rgb(image: Image.Image, lower: Image.Image | None = None) -> Pixels:
    """A decoded picture of any mode, made smaller if it has more than MOST_PIXELS; a band at a time.

    Args: `lower`, where its colours have 16 bits, the lower eight of them as a picture of the same mode.
    """
    if image.mode in DEEP_GRAY:
        image = Image.fromarray(eight_bits(np.asarray(image)[:, :, np.newaxis])[:, :, 0])
    divisor = math.ceil(math.sqrt(image.width * image.height / MOST_PIXELS))
    result = np.empty((-(-image.height // divisor), -(-image.width // divisor), 3), np.uint8)
    factors = _factors(image) if lower else None
    rows = max(1, _BAND // result.shape[1])
    for top in range(0, len(result), rows):
        box = (0, top * divisor, image.width, min(image.height, (top + rows) * divisor))
        band = on_white(_joined(image.crop(box), lower.crop(box), factors) if lower else image.crop(box))
        result[top : top + rows] = np.asarray(band.reduce(divisor) if divisor > 1 else band)
    return result


def _factors(upper: Image.Image) -> npt.NDArray[np.float32]:
    """What `eight_bits` would multiply a picture's colours by, told by the upper bytes alone."""
    extrema: Any = upper.getextrema()
    highest = [max(high for _, high in extrema[:3])] * 3 + [high for _, high in extrema[3:]]
    depths = [next(depth for depth in _DEPTHS if depth >> 8 >= high) for high in highest]
    return np.float32(255) / np.array(depths, np.float32)


def _joined(upper: Image.Image, lower: Image.Image, factors: Any) -> Image.Image:
    both = np.asarray(upper, np.float32) * 256 + np.asarray(lower)
    return Image.fromarray(np.rint(both * factors).astype(np.uint8))


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

    Args:
        array: (h, w, channels); a fourth channel has a range of its own.

    Raises:
        ImageError: A value is negative or no number.
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
