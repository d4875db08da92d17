"""Anything that holds a picture → an upright RGB array, within limits that are checked before a pixel is decoded."""

import io
import os
import struct
from pathlib import Path
from typing import IO, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
import pi_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from femr.errors import ImageError

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
ANALYSIS_SIDE = 1920
"""Pictures are scaled down to this long side, in pixels, before faces are looked for."""

Pixels: TypeAlias = npt.NDArray[np.uint8]
Source: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | npt.NDArray[Any]

_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF", "PPM")
_TOO_MANY_PIXELS = f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels."
# what the decoders raise on damaged files
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, RuntimeError, struct.error)
_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")

pi_heif.register_heif_opener()


def load_image(source: Source) -> Pixels:
    """A picture as RGB uint8 (h, w, 3), upright, transparency on white, the first frame of an animation.

    Args: `source`, a path, the bytes of a file, an open binary file, a PIL image, or an array: (h, w) grey, (h, w, 1),
        (h, w, 3) RGB or (h, w, 4) RGBA, of uint8, uint16 or float from 0 to 1.
    Raises: ImageError if it is no picture, is broken, over 20 MB or over 50 megapixels.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, Image.Image):
        return _from_pil(source)
    data = _read(source)
    if not data:
        raise ImageError("The file is empty.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            return _from_pil(image)
    except UnidentifiedImageError:
        raise ImageError("This is not a picture that can be read. Try a JPEG, PNG, WebP, AVIF or HEIC file.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(_TOO_MANY_PIXELS) from None
    except _BROKEN as error:
        raise ImageError("The picture is damaged or cut short.") from error


def fit(image: Pixels, side: int = ANALYSIS_SIDE) -> tuple[Pixels, float]:
    """The picture scaled down to `side` pixels at most, and the factor (1 or less) by which it was."""
    height, width = image.shape[:2]
    factor = min(1.0, side / max(height, width))
    if factor == 1.0:
        return image, factor
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), factor


def _read(source: str | os.PathLike[str] | bytes | IO[bytes]) -> bytes:
    """The file's bytes; one more than allowed where it is longer."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if not path.is_file():
            raise ImageError(f"There is no file named {path.name}.")
        try:
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except OSError as error:
            raise ImageError(f"{path.name} cannot be opened: {error.strerror}.") from error
    if hasattr(source, "read"):
        return source.read(MAX_BYTES + 1)
    raise ImageError(f"Expected a path, bytes, a file, a PIL image or an array. Received: {type(source).__name__}")


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ImageError("The picture has no pixels.")
    if width * height > MAX_PIXELS:
        raise ImageError(_TOO_MANY_PIXELS)


def _from_pil(image: Image.Image) -> Pixels:
    _check_size(*image.size)
    try:
        image.load()
        return np.asarray(_on_white(ImageOps.exif_transpose(image)), np.uint8)
    except _BROKEN as error:
        raise ImageError("The picture is damaged or cut short.") from error


def _on_white(image: Image.Image) -> Image.Image:
    """Any mode → RGB, with white behind what is transparent."""
    if image.mode in _DEEP_GREY:
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        image = Image.alpha_composite(white, layer)
    return image.convert("RGB")


def _from_array(array: npt.NDArray[Any]) -> Pixels:
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise ImageError(f"Expected an array (h, w), (h, w, 3) or (h, w, 4). Received: {array.shape}")
    _check_size(array.shape[1], array.shape[0])
    pixels = _eight_bits(array)
    if pixels.shape[2] == 4:
        return np.asarray(_on_white(Image.fromarray(pixels)), np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))


def _eight_bits(array: npt.NDArray[Any]) -> Pixels:
    """Scaled to 0..255, not clipped: uint16 by its full range, floats from 0..1, wider values by their largest."""
    if array.dtype == np.uint8:
        return array
    values = array.astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0:
        raise ImageError("The picture holds values below zero or values that are not numbers.")
    usual = {"b": 1, "f": 1, "u": np.iinfo(np.uint16).max if array.dtype == np.uint16 else 255}.get(
        array.dtype.kind, 255
    )
    return np.asarray(np.rint(values * (255 / max(usual, values.max()))), np.uint8)
