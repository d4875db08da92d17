"""What Pillow (12.3) does not know, or not right, of TIFF files; libtiff reads those that are compressed."""

import io
import struct
from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

# tags, and values of them
_KIND, _REDUCED = 254, 1
_BITS = 258
_COLOURS, _DARK_IS_ZERO, _YCBCR = 262, 1, 6
_SAMPLES = 277
_PLANES, _SEPARATE = 284, 2
_RAW = 330  # where more pictures lie
_SAME = (256, 257, 259, 266, 278, 317, 322, 323)  # of each plane: its size, how it is packed and cut
_PIECES = (273, 279, 324, 325)  # where its pieces lie, and how long they are
_LONG = 4  # a kind of numbers: uint32

_BIG = b"MM\x00+"  # files over 4 GB in the order of bytes that Pillow does not know for them
_COMPRESSIONS = range(30_000, 65_536)  # the numbers of those that somebody has registered


def cannot_read(data: bytes, refused: Exception) -> bool:
    """Whether Pillow refuses a file for its kind of numbers, such as float64, or of compression, such as LERC."""
    unknown = refused.__cause__.args[:1] if isinstance(refused.__cause__, KeyError) else ()
    kinds = "unknown pixel mode" in str(refused) or (bool(unknown) and unknown[0] in _COMPRESSIONS)
    return data.startswith(_BIG) or kinds


def preview(image: ImageFile) -> str | None:
    """What is to be told of a camera's raw file, such as DNG, whose first picture is a small one."""
    if not isinstance(image, TiffImageFile) or _RAW not in image.tag_v2:
        return None
    reduced = image.tag_v2.get(_KIND) == _REDUCED
    return f"Only the preview of a raw file is read: {image.width} × {image.height} pixels." if reduced else None


def is_plain_ycbcr(image: ImageFile) -> bool:
    """Whether Pillow would take a file's colours for RGB."""
    if not isinstance(image, TiffImageFile) or not image.tile:
        return False
    return image.tile[0].codec_name == "raw" and image.tag_v2.get(_COLOURS) == _YCBCR


def has_planes(image: ImageFile) -> TypeGuard[TiffImageFile]:
    """Whether there is a plane for each colour, of 16 bits."""
    if not isinstance(image, TiffImageFile) or not image.mode.startswith("RGB"):
        return False
    return image.tag_v2.get(_PLANES) == _SEPARATE and image.tag_v2.get(_BITS, (8,))[0] == 16


def use_libtiff(image: TiffImageFile) -> None:
    """Lets planes that are not compressed be decoded by libtiff: Pillow would take their 16 bits for eight."""
    if image.tile and image.tile[0].codec_name == "raw":
        arguments = (f"{image.mode};16N", "raw", False, image.tag_v2.offset)
        image.tile = [image.tile[0]._replace(codec_name="libtiff", extents=(0, 0, *image.size), args=arguments)]
        image.use_load_libtiff = True


def lower_bytes(image: TiffImageFile, data: bytes) -> Image.Image:
    """The lower eight bits of all planes, as a picture of the same mode. Raises: what Pillow does of damaged files."""
    lower = []
    for number in range(len(image.getbands())):
        with TiffImageFile(io.BytesIO(_plane(image.tag_v2, data, number))) as plane:
            lower.append(Image.fromarray(np.asarray(plane).astype(np.uint8)))
    return Image.merge(image.mode, lower)


def _plane(tags: Mapping[int, Any], data: bytes, number: int) -> bytes:
    """A file whose only picture is one of the planes, of grey: the same pieces under another head."""
    numbers = {tag: [tags[tag]] for tag in _SAME if tag in tags}
    numbers |= {_BITS: [16], _COLOURS: [_DARK_IS_ZERO], _SAMPLES: [1]}
    for tag in _PIECES:
        if tag in tags:
            count = len(tags[tag]) // tags[_SAMPLES]
            numbers[tag] = tags[tag][number * count : (number + 1) * count]
    order = ">" if data.startswith(b"MM") else "<"
    place = len(data) + len(data) % 2
    behind, end = b"", place + 2 + 12 * len(numbers) + 4
    entries = struct.pack(f"{order}H", len(numbers))
    for tag, values in sorted(numbers.items()):
        content = struct.pack(f"{order}{len(values)}I", *values)
        where = content if len(values) == 1 else struct.pack(f"{order}I", end + len(behind))
        behind += content if len(values) > 1 else b""
        entries += struct.pack(f"{order}HHI", tag, _LONG, len(values)) + where
    head = data[:2] + struct.pack(f"{order}HI", 42, place)
    return head + data[8:] + bytes(place - len(data)) + entries + bytes(4) + behind
