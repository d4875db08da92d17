"""A damaged picture file → one without all that is beside its pixels, and with an end where that is missing."""

import re
import struct
import zlib
from collections.abc import Iterator

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CLEAR = {0: 2, 2: 6}  # kind of colours, grey or RGB → bytes of the one that is transparent
_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_SCAN = 0xDA
_EXIF = 0xE1
# application segments and comments, but for JFIF and Adobe, which say what the colours mean
_JPEG_BESIDE = frozenset({*range(0xE1, 0xF0), 0xFE}) - {0xEE}
# size, depth, compression, colours, and where the pixels are
_TIFF_PIXELS = frozenset({
    256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 338, 339, 347, 512,
    513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532,
})  # fmt: skip
_ITEM = re.compile(rb"(.{4})infe([\x00-\x03])", re.DOTALL)  # its size and version
_ASCII = bytes(value if value < 128 else ord("_") for value in range(256))
_WEBP_PIXELS = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_FEW = 64  # bytes that are looked through for a JPEG file's first
_ISO_HEAD = 1 << 16  # where AVIF and HEIC files name what they hold


def is_packed(data: bytes) -> bool:
    """Whether it is a WebP, AVIF or HEIC file, which tells where its end would be."""
    return data.startswith(b"RIFF") or data[4:8] == b"ftyp"


def mended(data: bytes, filling: int = 0) -> tuple[bytes, bytes | None]:
    """The file without metadata, or as it is where its kind is not known; and its EXIF data, a TIFF file, if found.

    Args: `filling`, the byte that stands for those that are missing at the end of a WebP, AVIF or HEIC file.
    Raises: struct.error, where a TIFF file's head is cut.
    """
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data.startswith(_PNG):
        return _png(data)
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return _tiff(data)
    if data.startswith(b"RIFF"):
        return _webp(data, filling)
    if data[4:8] == b"ftyp":
        # an item of a kind that no decoder knows; how the picture is turned stands elsewhere
        return _iso(data[:_ISO_HEAD].replace(b"Exif", b"Exi_") + data[_ISO_HEAD:], filling), None
    return data, None


def without_beginning(data: bytes) -> bytes:
    """A JPEG file without the line breaks, zeros or mark of UTF-8 before its first byte; another file as it is."""
    start = data[:_FEW].lstrip(b"\0\t\r\n \xef\xbb\xbf")
    return data[min(len(data), _FEW) - len(start) :] if start.startswith(_JPEG_START) else data


def plain_names(data: bytes) -> bytes:
    """A HEIC file with the names of its items in ASCII: on others pi_heif (1.4.0) brings down the whole process."""
    result = bytearray(data)
    for match in _ITEM.finditer(data):
        size = int.from_bytes(match[1])
        start = match.end() + (2 if match[2] <= b"\x02" else 4) + 3 + (8 if size == 1 else 0)
        end = match.start() + size if size > 1 else len(data)
        result[start:end] = result[start:end].translate(_ASCII)
    return bytes(result)


def scans(data: bytes) -> list[tuple[bytes, int]]:
    """For each scan of a JPEG file: the ids of its components, and the first of their 64 frequencies that it holds."""
    start = next((at for marker, at, _ in _segments(data) if marker == _SCAN), len(data))
    found = []
    for match in re.finditer(rb"\xff\xda\x00.", data[start:], re.DOTALL):
        head = data[start + match.end() :][:10]
        count = head[0] if head else 0
        if len(head) > 2 * count + 1:
            found.append((head[1 : 1 + 2 * count : 2], head[1 + 2 * count]))
    return found


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment of a JPEG file up to its first scan, that with its head only."""
    at = 2
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF or marker in (0x00, 0xFF):
            at += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
            yield marker, at, end
            if marker in (_SCAN, _JPEG_END[1]):
                return
            at = end


def _jpeg(data: bytes) -> tuple[bytes, bytes | None]:
    kept, exif = [data[:2]], None
    for marker, start, end in _segments(data):
        if marker == _SCAN:
            kept.append(data[start:])
        elif marker not in _JPEG_BESIDE:
            kept.append(data[start:end])
        elif marker == _EXIF and data[start + 4 : start + 10] == b"Exif\x00\x00":
            exif = exif or data[start + 10 : end]
    return b"".join([*kept, _JPEG_END]), exif


def _png(data: bytes) -> tuple[bytes, bytes | None]:
    kept, pixels, exif = [_PNG], [], None
    at = len(_PNG)
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + size]
        if name in (b"IHDR", b"PLTE"):
            kept.append(data[at : at + 12 + size])
        elif name == b"tRNS" and size >= _PNG_CLEAR.get(data[25], 0):
            kept.append(_png_chunk(name, body))
        elif name == b"IDAT":
            pixels.append(body)
        elif name == b"eXIf":
            exif = body
        at += 12 + size
    # the pixels without their checksum, which may be wrong
    return b"".join([*kept, _png_chunk(b"IDAT", b"".join(pixels)[:-4]), _png_chunk(b"IEND", b"")]), exif


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _tiff(data: bytes) -> tuple[bytes, bytes | None]:
    """With those tags only that tell of the pixels; the orientation is one of the others."""
    order = "<" if data.startswith(b"II") else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    entries = [data[start : start + 12] for start in range(at + 2, at + 2 + 12 * count, 12)]
    kept = [entry for entry in entries if struct.unpack_from(f"{order}H", entry)[0] in _TIFF_PIXELS]
    directory = struct.pack(f"{order}H", len(kept)) + b"".join(kept) + bytes(4)
    return data[:at] + directory + data[at + len(directory) :], data


def _webp(data: bytes, filling: int) -> tuple[bytes, bytes | None]:
    kept, exif, at = [], None, 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + size]
        if name in _WEBP_PIXELS:
            kept.append(data[at : at + 8] + _whole(body, size + size % 2, filling))
        elif name == b"EXIF":
            exif = body.removeprefix(b"Exif\x00\x00")
        at += 8 + size + size % 2
    content = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(content)) + content, exif


def _iso(data: bytes, filling: int) -> bytes:
    """With the end of its last box."""
    at, size = 0, 8
    while size >= 8 and at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        size = size if size != 1 else int.from_bytes(data[at + 8 : at + 16])
        at += size
    return _whole(data, at, filling)


def _whole(data: bytes, size: int, filling: int) -> bytes:
    """As long as it should be; where more is missing than there is, that does not matter any more."""
    return data.ljust(min(size, 2 * len(data)), bytes([filling]))
