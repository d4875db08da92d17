"""The bytes of a picture file → upright RGB, within a memory that is checked before a pixel is decoded.

Pillow decodes. A file that it refuses is tried again without all that is beside the pixels, and what can be read of it
is a picture where nine tenths of the rows are there. Which rows these are is told by what decoding leaves untouched or,
of WebP, AVIF and HEIC files, by what stays the same whatever is put in place of the missing end.
"""

import io
import logging
import math
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from ctypes import CDLL
from threading import Lock
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pi_heif

# each import makes Image.OPEN know its format
from PIL import (
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
    ExifTags,
    GifImagePlugin,  # noqa: F401
    Image,
    JpegImagePlugin,
    PngImagePlugin,  # noqa: F401
    PpmImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
    _imaging,
)
from PIL.ImageFile import ImageFile

from femr import tiff
from femr.errors import ImageError
from femr.mending import is_packed, mended, plain_names, scans, without_beginning
from femr.pixels import DEEP_GRAY, MOST_PIXELS, Pixels, to_rgb

MAX_MEMORY = 1_000_000_000
"""Bytes that reading one picture may take; those that would take more are refused."""
ROWS_NEEDED = 0.9
"""Share of the rows that must be there of a picture that is cut short."""

BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, RuntimeError, ArithmeticError, AttributeError,
    Warning, struct.error,
)  # fmt: skip
"""What Pillow and the decoders under it raise on damaged files."""


class Decoded(NamedTuple):
    """A decoded picture.

    pixels: upright. size: width and height in the file, which may have more pixels. note: what is missing, if anything.
    """

    pixels: Pixels
    size: tuple[int, int]
    note: str | None = None


class _Plan(NamedTuple):
    """How a picture is to be read.

    divisor: by how much smaller. memory: bytes that it takes. deep: what Pillow calls the order of its colours of 16
    bits, of which it keeps the upper eight; None for others. in_full: whether there is memory for the lower eight too.
    """

    divisor: int
    memory: int
    deep: str | None = None
    in_full: bool = True


_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF", "PPM")
_DAMAGED = "The picture is damaged or cut short."
_STORED = "The picture's colours are stored in a way that cannot be read"
_OTHERWISE = f"{_STORED}. Save it as JPEG or PNG."
_CUT = "The picture's file is cut off: its end is missing."
_DARK = "The picture may look too dark: it is too large for more than the upper eight of its colours' sixteen bits."
_NO_PICTURE = "This is not a picture that can be read. Try a JPEG, PNG, WebP, AVIF or HEIC file."
# bytes a pixel in Pillow, for the deep ones also on the way to eight bits; others take 4
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 6, "I;16L": 6, "I;16B": 6, "I;16N": 6, "I": 13, "F": 13}
# what decoding takes, in pictures of Pillow's own: at 12 megapixels WebP took 16.4 bytes a pixel, AVIF 9.6, HEIC 7.2,
# TIFF 4.4, more where it is one strip
_DECODERS = {"WEBP": 4.0, "AVIF": 2.5, "HEIF": 2.5, "TIFF": 2.0}
_LOWER_BYTES = 4  # a pixel, for the lower eight bits of its colours
_CROWDED = 400  # pixels a byte of the file: more are a bomb, where they are many; a white PNG has 344, AVIF any number
_MANY = 50_000_000
_STEPS = 100 * _MANY  # pixels times scans of a JPEG: the time it takes

# for the missing end: that of few files is decoded with any of them, that of nearly all with two
_FILLINGS = b"\x00\x24\xaa\x80\xff\xcc\x55\x01"

# orders of bytes, and the other one; Pillow's N is the machine's own
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_DEEP_PPM = ("ppm", ("RGB", 65_535))

_RARE = ("webp", "jpeg2000")  # compressions that libtiff knows only if it was built with them

_large = Lock()  # so that several large pictures are decoded one after another

pi_heif.register_heif_opener()
# remarks on damaged files, which femr does not need: Pillow's,
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())
# libtiff, on standard error; it stays where Pillow has it within itself, as on Windows
with suppress(AttributeError, OSError):
    CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


def decode(data: bytes) -> Decoded:
    """The picture in a file's bytes, the first frame of an animation, upright.

    Raises:
        ImageError: It is no picture, is broken, or would take more memory than MAX_MEMORY.
    """
    data = without_beginning(data)
    try:
        try:
            if is_packed(data) and len(mended(data)[0]) > len(data):
                return _upright(*_filled(data))  # of a picture in tiles pi_heif would leave some out, and not tell
            return _upright(*_decoded(data))
        except BROKEN:
            return _upright(*(_filled(data) if is_packed(data) else _rescued(*mended(data))))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise ImageError("The picture is too large to be read.") from None
    except BROKEN as error:
        raise ImageError(_DAMAGED) from error


def from_pil(image: Image.Image) -> Decoded:
    """The same of a PIL image. Raises: ImageError."""
    if min(image.size) < 1:
        raise ImageError("The picture has no pixels.")
    try:
        with _room(_memory(image, 1)):
            image.load()
            return _upright(to_rgb(image), _orientation(image), image.size)
    except BROKEN as error:
        raise ImageError(_DAMAGED) from error


def _decoded(data: bytes, exif: bytes | None = None) -> tuple[Pixels, int, tuple[int, int], str | None]:
    """The picture as it lies in the file, its orientation and size there, and a note. Args: `exif`, found beside it."""
    with _opened(data) as image:
        size = image.size
        plan = _plan(image, data)
        with _room(plan.memory):
            _reduce(image, plan.divisor)
            image.load()
            pixels, note = _in_full(image, plan, data)
            return pixels, _orientation(image, exif), size, tiff.preview(image) or note


def _rescued(data: bytes, exif: bytes | None) -> tuple[Pixels, int, tuple[int, int], str | None]:
    """The same of what can be decoded of a damaged file, and what is missing; missing rows are gray."""
    with _opened(data) as image:
        size = image.size
        plan = _plan(image, data)
        with _room(plan.memory):
            _reduce(image, plan.divisor)
            missing = _load_some(image)
            if missing.all() and image.info.get("compression") in _RARE:
                raise ImageError(_OTHERWISE)
            note = _note(missing.mean())
            if not _has_detail(image, data):
                raise ImageError(_DAMAGED)
            if plan.deep and note:
                image.paste(0, (0, int(missing.argmax()), *image.size))  # noise would count as bright
            pixels, dark = _in_full(image, plan, data)
            pixels[missing[:: math.ceil(len(missing) / len(pixels))]] = 128
            return pixels, _orientation(image, exif), size, note or dark


def _filled(data: bytes) -> tuple[Pixels, int, tuple[int, int], str | None]:
    """The same of a WebP, AVIF or HEIC file: of its pixels nothing can be decoded without their end."""
    before: list[npt.NDArray[np.int64]] = []
    for filling in _FILLINGS:
        with suppress(*BROKEN):
            pixels, orientation, size, _ = _decoded(*mended(data, filling))
            # rows and columns: some decoders turn the picture
            lines = [_sums(pixels), _sums(pixels.swapaxes(0, 1))]
            if before:
                missing = tuple(_band(now != then) for now, then in zip(lines, before, strict=True))
                note = _note(pixels[missing].size / pixels.size)
                pixels[missing] = 128
                return pixels, orientation, size, note
            before = lines
            del pixels  # before the next ones are decoded
    raise ImageError(_CUT if len(mended(data)[0]) > len(data) else _DAMAGED)


def _sums(lines: Pixels) -> npt.NDArray[np.int64]:
    """A checksum for each line of pixels."""
    return np.array([zlib.crc32(line.tobytes()) for line in lines])


def _band(differs: npt.NDArray[np.bool_]) -> slice:
    """The lines from the first to the last one that differs, and on to the border that is nearer."""
    first, last = np.flatnonzero(differs)[[0, -1]] if differs.any() else (0, -1)
    return slice(0, last + 1) if first < len(differs) - 1 - last else slice(first, None)


def _note(missing: float) -> str | None:
    """What is to be told of a picture, by its share that is missing. Raises: ImageError if that is too much."""
    there = f"{math.floor(100 - 100 * missing)}% of it is there."
    if missing > 1 - ROWS_NEEDED:
        raise ImageError(f"{_DAMAGED[:-1]}: {there}")
    return f"The picture's end is missing: {there}" if missing else None


@contextmanager
def _opened(data: bytes) -> Iterator[ImageFile]:
    """The file's head as Pillow reads it. Not by Image.open: its limit is one of pixels, whatever they take."""
    error: Exception = ImageError(_NO_PICTURE)
    for name in _FORMATS:
        factory, accepts = Image.OPEN[name]
        if not accepts or accepts(data[:16]) is not True:
            continue
        try:
            image = factory(io.BytesIO(plain_names(data) if name == "HEIF" else data), "")
        except BROKEN as refused:  # AVIF and HEIC files may begin alike
            if name == "TIFF" and tiff.cannot_read(data, refused):
                raise ImageError(_OTHERWISE) from refused
            error = refused
            continue
        with image:
            if tiff.is_plain_ycbcr(image):
                raise ImageError(f"{_STORED}: plain YCbCr.")
            _correct_tiles(image)
            yield image
        return
    raise error


def _correct_tiles(image: ImageFile) -> None:
    """Lets colours of 16 bits be decoded as such where Pillow takes them for eight, or would scale them one by one."""
    if [tile[::3] for tile in image.tile] == [_DEEP_PPM]:
        image.tile = [image.tile[0]._replace(codec_name="raw", args="RGB;16B")]
    elif tiff.has_planes(image):
        tiff.use_libtiff(image)


def _plan(image: ImageFile, data: bytes) -> _Plan:
    """How a picture is to be read. Raises: ImageError if it claims more pixels than its file can hold."""
    pixels = image.width * image.height
    if pixels > max(_MANY, _CROWDED * len(data)) and image.format not in _DECODERS:
        raise ImageError("The picture is too large: it claims to have more pixels than its file can hold.")
    if not isinstance(image, JpegImagePlugin.JpegImageFile):
        divisor = math.ceil(math.sqrt(pixels / MOST_PIXELS))
        if not (deep := _deep_kind(image)):
            return _Plan(divisor, _memory(image, divisor))
        once = 4 + 2 * len(image.getbands()) + 3 / divisor**2  # the file's pixels may come in one piece
        twice = round(pixels * (once + _LOWER_BYTES))
        in_full = twice <= MAX_MEMORY
        return _Plan(divisor, twice if in_full else round(pixels * once), deep, in_full)
    found = scans(data)
    if image.info.get("progressive") and pixels * len(found) > _STEPS:
        raise ImageError("The picture is packed in more steps than can be read in a reasonable time.")
    coefficients = 0
    if image.info.get("progressive") or (found and len(found[0][0]) < image.layers):
        # the decoder holds all of them, two bytes each, until the last scan
        areas = [across * down for _, across, down, _ in image.layer]
        whole = max(across for _, across, _, _ in image.layer) * max(down for _, _, down, _ in image.layer)
        coefficients = 2 * pixels * sum(areas) // whole
    for divisor in (1, 2, 4, 8):
        memory = coefficients + 7 * pixels // divisor**2
        if pixels <= MOST_PIXELS * divisor**2 and memory <= MAX_MEMORY:
            break
    return _Plan(divisor, memory)


def _memory(image: Image.Image, divisor: int) -> int:
    """Bytes that it takes to decode a picture and make an RGB array, so much smaller, of it."""
    each = _MODE_BYTES.get(image.mode, 4) * _DECODERS.get(image.format or "", 1.0)
    return round(image.width * image.height * (each + 3 / divisor**2))


@contextmanager
def _room(memory: int) -> Iterator[None]:
    """For reading a picture that takes so much. Raises: ImageError if it is more than one may take."""
    if memory > MAX_MEMORY:
        raise ImageError(f"The picture is too large: to read it would take over {MAX_MEMORY / 1e9:g} GB of memory.")
    with _large if memory > MAX_MEMORY // 4 else nullcontext():
        yield


def _reduce(image: ImageFile, divisor: int) -> None:
    """Lets a JPEG be decoded at a half, a quarter or an eighth; does nothing to others."""
    if divisor > 1:
        image.draft(None, (max(1, image.width // divisor), max(1, image.height // divisor)))


def _load_some(image: ImageFile) -> npt.NDArray[np.bool_]:
    """Decodes what there is; which rows are missing, all of them where the rows do not come one after the other."""
    marked = image.mode not in DEEP_GRAY and image.format != "GIF"  # Pillow clears those of GIF files again
    if marked:
        noise = _noise(image)
        image.im = noise.im
        row = np.asarray(noise.crop((0, 0, image.width, 1)))[0]
    interlaced = _is_interlaced(image)
    try:
        image.load()
    except BROKEN:
        image.tile = []
        rows = np.asarray(image)
        if interlaced and image.format == "GIF":
            return _like(rows, rows[len(rows) // 2 * 2 - 1])  # every second row comes last
        missing = _like(rows, row) if marked else _like_the_last(rows)
        return missing | (interlaced and missing.any())
    rows = np.asarray(image)
    # the decoder of JPEG makes gray where it finds nothing, of a block's width at least
    gray = image.format == "JPEG" and np.abs(rows[-1, -8:].astype(int) - 128).max() <= 1
    return _like_the_last(rows) if gray else np.zeros(len(rows), np.bool_)


def _is_interlaced(image: ImageFile) -> bool:
    """Whether a PNG or GIF file that is not decoded yet has its rows in another order."""
    arguments = image.tile[0].args if image.format == "GIF" and image.tile else None
    return bool(arguments[1]) if isinstance(arguments, tuple) else bool(image.info.get("interlace"))


def _noise(image: ImageFile) -> Image.Image:
    """A picture of the same mode and size with the same random row everywhere, which no picture holds."""
    length = len(Image.new(image.mode, (image.width, 1)).tobytes())
    row = Image.frombytes(image.mode, (image.width, 1), np.random.default_rng(0).bytes(length))
    return row.resize(image.size, Image.Resampling.NEAREST)


def _like_the_last(rows: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """The rows at the end that are like the last."""
    return np.flip(np.logical_and.accumulate(np.flip(_like(rows, rows[-1]))))


def _like(rows: npt.NDArray[Any], row: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.array([np.array_equal(each, row) for each in rows])


def _has_detail(image: ImageFile, data: bytes) -> bool:
    """Whether a JPEG file is whole, or holds a first round of brightness's detail for all rows, where it has rounds."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or not image.info.get("progressive"):
        return True
    if data.rfind(b"\xff\xd9", 0, -2) > data.rfind(b"\xff\xda"):
        return True
    brightness = image.layer[0][0]
    detail = [brightness in components and frequency > 0 for components, frequency in scans(data)]
    return any(detail[:-1])  # the last one is cut


def _deep_kind(image: ImageFile) -> str | None:
    """Its plan's `deep`."""
    arguments = image.tile[0].args if image.mode.startswith("RGB") and image.tile else None
    kind = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return kind if isinstance(kind, str) and ";16" in kind else None


def _in_full(image: ImageFile, plan: _Plan, data: bytes) -> tuple[Pixels, str | None]:
    """A decoded picture's pixels, by all 16 bits where the upper two are empty, as of a camera's 10 or 12; a note."""
    if not plan.deep or not _is_dark(image, plan.deep):
        return to_rgb(image), None
    if not plan.in_full:
        return to_rgb(image), _DARK
    if tiff.has_planes(image):
        with suppress(*BROKEN):  # where its end is missing
            return to_rgb(image, tiff.lower_bytes(image, data)), None
    with _opened(data) as lower:
        lower.tile = [tile._replace(args=_of_lower_bytes(tile.args)) for tile in lower.tile]
        with suppress(*BROKEN):  # where its end is missing
            lower.load()
        lower.tile = []
        grey = plan.deep.startswith("LA")
        return to_rgb(image, Image.merge("RGBA", [*map(lower.getchannel, "GGGA")]) if grey else lower), None


def _is_dark(image: ImageFile, deep: str) -> bool:
    """Whether the upper two bits of its colours are empty; no where alpha is multiplied in, by which Pillow divides."""
    extrema: Any = image.getextrema()
    return max(high for _, high in extrema[:3]) < 64 and not (deep.startswith("RGBa") and extrema[3][0] < 255)


def _of_lower_bytes(arguments: Any) -> tuple[Any, ...]:
    """A decoder's arguments, with the bytes in the other order: so it takes the eight bits that it would leave."""
    kind, *others = arguments if isinstance(arguments, tuple) else (arguments,)
    order = _OTHER_ORDER[kind[-1]]
    # of grey with alpha Pillow knows one order: four bytes, of which the second and the fourth are meant
    return ("RGBA" if kind.startswith("LA") else kind[:-1].replace("a", "A") + order, *others)


def _orientation(image: Image.Image, exif: bytes | None = None) -> int:
    """By the picture's EXIF or XMP, or by EXIF data that was found beside it: 1 to 8; 1 where they cannot be read."""
    try:
        found = Image.Exif() if exif else image.getexif()
        if exif:
            found.load(exif)
        value = found.get(ExifTags.Base.Orientation, 1)
        number = int(value[0] if isinstance(value, bytes | tuple) else value)
    except BROKEN:
        return 1
    return number if 1 <= number <= 8 else 1


def _upright(pixels: Pixels, orientation: int, size: tuple[int, int], note: str | None = None) -> Decoded:
    """The picture, turned and mirrored as its orientation says."""
    if orientation >= 5:
        pixels, size = cv2.transpose(pixels), size[::-1]
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return Decoded(pixels if flip is None else cv2.flip(pixels, flip), size, note)
