"""Anything that holds a picture → an upright RGB array, within limits that are checked before a pixel is decoded."""

import base64
import binascii
import math
import os
import re
from dataclasses import dataclass
from typing import IO, Any, TypeAlias
from urllib.parse import unquote_to_bytes

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from femr.decoding import Decoded, decode, from_pil
from femr.errors import ImageError, printable
from femr.files import local, open_file
from femr.pixels import Pixels as Pixels
from femr.pixels import eight_bits, on_white

MAX_BYTES = 20_000_000
MAX_PIXELS = 50_000_000
"""Larger frames of videos are refused; for pictures see decoding.MAX_MEMORY."""
ANALYSIS_SIDE = 1920
"""Pictures are scaled down to this long side, in pixels, before faces are looked for; see `long_side`."""

WEB = ("http://", "https://")
"""What web addresses begin with."""

Source: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | npt.NDArray[Any]

_LONGEST_NAME = 80  # characters of a path that is told
_PATIENCE = 20  # seconds that a web server may be silent
_TOO_LARGE = f"The file is larger than {MAX_BYTES // 1_000_000} MB."
_SHORTEST_BASE64 = 48  # characters: no picture is smaller


@dataclass(frozen=True, eq=False, slots=True)
class Picture:
    """A picture as it is analysed.

    pixels: RGB uint8 (h, w, 3), upright, with a `long_side` of ANALYSIS_SIDE at most.
    size: the original's width and height in pixels, upright. scale: pixels for each of the original's, 1 at most.
    note: what of the original is missing, as a sentence; None if nothing is.
    """

    pixels: Pixels
    size: tuple[int, int]
    scale: float
    note: str | None = None


def load_picture(source: Source) -> Picture:
    """A picture as it is analysed, from whatever `load_image` takes. Raises: ImageError."""
    return to_picture(*load_decoded(source))


def to_picture(pixels: Pixels, size: tuple[int, int] | None = None, note: str | None = None) -> Picture:
    """A picture as it is analysed, made smaller where it is large.

    Args:
        pixels: RGB uint8 (h, w, 3), upright.
        size: The original's width and height where it was larger.
        note: What of it is missing.

    Raises:
        ImageError: The pixels are anything else.
    """
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ImageError(f"Expected an RGB picture, uint8 (h, w, 3). Received: {_described(pixels)}")
    if not pixels.size:
        raise ImageError("The picture has no pixels.")
    width, height = pixels.shape[1::-1]
    factor = min(1.0, ANALYSIS_SIDE / long_side(width, height))
    size = size or (width, height)
    return Picture(_scaled_down(pixels, factor), size, factor * width / size[0], note)


def load_image(source: Source) -> Pixels:
    """A picture in full as RGB uint8 (h, w, 3), upright, transparency on white, the first frame of an animation.

    Of a file whose end is missing what is there, if that is nine tenths of it; the rest is grey, see `load_decoded`.
    Args: `source`, a path, the bytes of a file, an open binary file, a web, data: or file: address, a file's bytes as
        base64, a PIL image, or an array: (h, w) grey, (h, w, 1), (h, w, 3) RGB or (h, w, 4) RGBA, of whole numbers of
        up to 16 bits or floats from 0 to 1.
    Raises: ImageError if it is no picture, is broken, over 20 MB, or would take more than 1 GB of memory to read.
    """
    return load_decoded(source).pixels


def load_decoded(source: Source) -> Decoded:
    """The same with the size that it has in its file, larger where that is over 65 megapixels, and what is missing."""
    if isinstance(source, np.ndarray):
        pixels = _from_array(source)
        return Decoded(pixels, (pixels.shape[1], pixels.shape[0]))
    if isinstance(source, Image.Image):
        return from_pil(source)
    data = _read(source)
    if not data:
        raise ImageError("The file is empty.")
    if len(data) > MAX_BYTES:
        raise ImageError(_TOO_LARGE)
    return decode(data)


def long_side(width: int, height: int) -> float:
    """What counts as a picture's long side: in one of more than two to one, twice the short side.

    Not less than the side of a square with as many pixels, which bounds the work; nor an eighth of the real one.
    """
    longer, shorter = max(width, height), min(width, height)
    return max(min(longer, 2 * shorter), math.sqrt(longer * shorter), longer / 8)


def thumbnail(image: Pixels, side: int) -> Pixels:
    """The picture to be shown, scaled down to `side` pixels along its longer side where it has more."""
    return _scaled_down(image, min(1.0, side / max(image.shape[:2])))


def _scaled_down(image: Pixels, factor: float) -> Pixels:
    if factor == 1.0:
        return image
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _read(source: str | os.PathLike[str] | bytes | IO[bytes]) -> bytes:
    """The file's bytes; one more than allowed, or some more, where it is longer."""
    if isinstance(source, bytes):
        return source if source[:5].lower() != b"data:" else _from_address(source.decode("latin-1"))
    if isinstance(source, str | os.PathLike):
        return _from_text(source) if isinstance(source, str) else _from_path(source)
    if hasattr(source, "read"):
        return read_all(source)
    raise ImageError(f"Expected a path, bytes, a file, a PIL image or an array. Received: {type(source).__name__}")


def _from_text(text: str) -> bytes:
    """A data: or web address, a path, or else a file's bytes as base64."""
    if text[:5].lower() == "data:":
        return _from_address(text)
    if text.startswith(WEB):
        return fetch(text)
    try:
        return _from_path(local(text))
    except ImageError:
        data = _from_base64(text) if len(text) >= _SHORTEST_BASE64 else None
        if data is None:
            raise
        return data


def _from_address(text: str) -> bytes:
    head, _, content = text.partition(",")
    if len(content) > 3 * MAX_BYTES:
        raise ImageError(_TOO_LARGE)
    data = unquote_to_bytes(content)
    decoded = _from_base64(data.decode("latin-1")) if head.lower().endswith(";base64") else data
    if decoded is None:
        raise ImageError("The data: address is damaged or cut short.")
    return decoded


def _from_base64(text: str) -> bytes | None:
    """The bytes; None if it is something else. Line breaks, the letters of addresses and a missing end are fine."""
    if len(text) > 2 * MAX_BYTES:
        raise ImageError(_TOO_LARGE)
    letters = re.sub(r"[\r\n\t=]+", "", text.strip()).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _from_path(path: str | os.PathLike[str]) -> bytes:
    with open_file(path) as file:
        return read_all(file)


def fetch(address: str) -> bytes:
    """What lies at a web address; one byte more than allowed, or some more, where it is longer. Raises: ImageError."""
    try:
        import httpx2
    except ImportError as error:
        raise ImageError("Reading web addresses needs httpx2: pip install httpx2.") from error
    pieces, length = [], 0
    # packed answers could unpack to any length
    options: dict[str, Any] = {"headers": {"Accept-Encoding": "identity"}, "timeout": _PATIENCE}
    try:
        with httpx2.stream("GET", address, follow_redirects=True, **options) as answer:
            answer.raise_for_status()
            for piece in answer.iter_raw():
                pieces.append(piece)
                length += len(piece)
                if length > MAX_BYTES:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, ImportError) as error:
        reason = f"{error or type(error).__name__}".splitlines()[0]
        raise ImageError(f"{printable(address, _LONGEST_NAME)} cannot be fetched: {printable(reason)}.") from error
    return b"".join(pieces)


def read_all(file: IO[bytes]) -> bytes:
    """All of a file, which may come in pieces, as from a pipe; one byte more than allowed where it is longer."""
    pieces, length = [], 0
    try:
        while length <= MAX_BYTES:
            piece = file.read(MAX_BYTES + 1 - length)
            if not isinstance(piece, bytes):
                raise ImageError(f"Expected a file opened as binary. Received: {type(piece).__name__}")
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
    except (OSError, ValueError) as error:
        raise ImageError("The file cannot be read.") from error
    return b"".join(pieces)


def _described(value: object) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def _from_array(array: npt.NDArray[Any]) -> Pixels:
    if array.ndim == 2:
        array = array[:, :, np.newaxis]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.dtype.kind not in "buif":
        raise ImageError(f"Expected an array (h, w), (h, w, 3) or (h, w, 4). Received: {array.dtype} {array.shape}")
    if not array.size:
        raise ImageError("The picture has no pixels.")
    pixels = eight_bits(array)
    if pixels.shape[2] == 4:
        return np.asarray(on_white(Image.fromarray(pixels)), np.uint8)
    return np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
