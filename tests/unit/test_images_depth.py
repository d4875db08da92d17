"""More than eight bits, in either order of the bytes: the same picture gives the same answer."""

import io
import struct
import zlib
from itertools import accumulate

import cv2
import numpy as np
import pytest
from PIL import Image

from damaged_pictures import encoded
from femr import decoding
from femr.errors import ImageError
from femr.images import load_image, load_picture

GREY = np.add.outer(np.arange(64), np.arange(64)).astype(np.float64) * 2  # 0 to 252
COLOURS = np.stack([GREY, GREY.T[::-1], np.flip(GREY)], axis=2)
BITS = [8, 10, 12, 14, 16]


def deep(values, bits, dtype=np.uint16):
    """The same picture with so many bits, its brightest value the highest there is."""
    return np.rint(values / 252 * (2**bits - 1)).astype(dtype)


def tiff_of(array, pack=bytes):
    """A TIFF file of uint16 values in the order of bytes that the array has: grey (h, w), or planes (3, h, w).

    Each lies in two strips. Args: `pack`, what compresses them: zlib.compress, or nothing.
    """
    order = ">" if array.dtype.byteorder == ">" else "<"
    *planes, height, width = array.shape
    count = len(planes) and planes[0]
    strips = [pack(strip.tobytes()) for strip in array.reshape(-1, height // 2, width)]
    start, sizes = 8 + 2 + 12 * 10 + 4, [len(strip) for strip in strips]
    numbers = {256: [width], 257: [height], 258: [16] * (count or 1), 259: [1 if pack is bytes else 8]}
    numbers |= {262: [2 if count else 1], 273: [start + 54 + place for place in accumulate(sizes[:-1], initial=0)]}
    numbers |= {277: [count or 1], 278: [height // 2], 279: sizes, 284: [2 if count else 1]}
    entries, behind = b"", b""
    for tag, values in numbers.items():
        content = struct.pack(f"{order}{len(values)}{'H' if tag == 258 else 'I'}", *values)
        place = content.ljust(4, b"\0") if len(content) <= 4 else struct.pack(f"{order}I", start + len(behind))
        behind += content if len(content) > 4 else b""
        entries += struct.pack(f"{order}HHI", tag, 3 if tag == 258 else 4, len(values)) + place
    head = (b"MM" if order == ">" else b"II") + struct.pack(f"{order}HIH", 42, 8, len(numbers))
    return head + entries + bytes(4) + behind.ljust(54, b"\0") + b"".join(strips)


def png_chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def expected(values):
    return np.rint(values / 252 * 255)


def test_no_values_are_no_picture():
    with pytest.raises(ImageError):
        load_image(np.zeros((0, 4), np.uint16))
    assert (load_image(np.zeros((3, 3), np.uint16)) == 0).all()


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("dtype", ["<u2", ">u2", np.int32, ">i4", np.int64, np.uint64])
def test_arrays_give_the_same_whatever_their_type(bits, dtype):
    for values in (GREY, COLOURS):
        pixels = load_image(deep(values, bits, dtype))
        assert np.abs(pixels - np.atleast_3d(expected(values))).max() <= 1


@pytest.mark.parametrize("bits", BITS)
def test_files_of_either_order_give_the_same(bits):
    little, big = (load_image(tiff_of(deep(GREY, bits, dtype))) for dtype in ("<u2", ">u2"))
    assert (little == big).all()
    assert np.abs(little[:, :, 0] - expected(GREY)).max() <= 1


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_grey_files(kind, bits):
    image = Image.fromarray(deep(GREY, bits))
    data = encoded(image.convert("I") if kind == "PPM" else image, kind)
    assert np.abs(load_image(data)[:, :, 0] - expected(GREY)).max() <= 1


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("ending", [".png", ".tif", ".ppm"])
def test_coloured_files(ending, bits):
    data = cv2.imencode(ending, deep(COLOURS, bits)[:, :, ::-1])[1].tobytes()
    assert np.abs(load_image(data) - expected(COLOURS)).max() <= 1


@pytest.mark.parametrize("bits", BITS)
def test_coloured_files_with_transparency(bits):
    alpha = np.full((64, 64, 1), 65535, np.uint16)
    alpha[:32] = 0
    layers = np.concatenate([deep(COLOURS, bits)[:, :, ::-1], alpha], axis=2)
    pixels = load_image(cv2.imencode(".png", layers)[1].tobytes())
    assert (pixels[:32] == 255).all()
    assert np.abs(pixels[32:] - expected(COLOURS)[32:]).max() <= 1


@pytest.mark.parametrize("bits", BITS)
def test_grey_files_with_transparency(bits):
    layers = np.stack([deep(GREY, bits), np.full((64, 64), 65535)], axis=2).astype(">u2")
    rows = zlib.compress(b"".join(b"\0" + row.tobytes() for row in layers))
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">2I5B", 64, 64, 16, 4, 0, 0, 0))
    pixels = load_image(data + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b""))
    assert np.abs(pixels - expected(GREY)[:, :, None]).max() <= 1


@pytest.mark.parametrize("chunk", [(b"pHYs", b"12"), (b"tRNS", b"1"), (b"tRNS", bytes(6))])
@pytest.mark.parametrize("bits", BITS)
def test_what_is_wrong_beside_the_pixels_makes_them_no_darker(bits, chunk, capfd):
    data = cv2.imencode(".png", deep(COLOURS, bits)[:, :, ::-1])[1].tobytes()
    assert np.abs(load_image(data[:33] + png_chunk(*chunk) + data[33:]) - expected(COLOURS)).max() <= 1
    assert capfd.readouterr().err == ""


def test_the_end_of_a_dark_file_may_be_missing():
    data = cv2.imencode(".png", deep(COLOURS, 12)[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 0])[1].tobytes()
    pixels = load_image(data[: len(data) * 19 // 20])
    assert np.abs(pixels[:58] - expected(COLOURS)[:58]).max() <= 1
    assert (pixels[62:] == 128).all()


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("pack", [bytes, zlib.compress])
def test_a_plane_for_each_colour(pack, order, bits):
    planes = np.moveaxis(deep(COLOURS, bits), 2, 0).astype(f"{order}u2")
    image = load_image(tiff_of(planes, pack))
    assert np.abs(image - expected(COLOURS)).max() <= 1


def files(values):
    """The same colours as PNG, PPM and TIFF, this one also with a plane for each colour."""
    planes = np.moveaxis(values, 2, 0).astype("<u2")
    whole = [cv2.imencode(ending, values[:, :, ::-1])[1].tobytes() for ending in (".png", ".ppm", ".tif")]
    return [*whole, tiff_of(planes), tiff_of(planes, zlib.compress)]


def test_where_there_is_no_memory_for_the_lower_bits_the_upper_ones_are_read_and_a_note_says_so(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_MEMORY", 14 * COLOURS.size // 3)
    for data in files(deep(COLOURS, 12)):
        assert (load_image(data) == deep(COLOURS, 12) >> 8).all()
        assert "too dark" in load_picture(data).note
    for data in files(deep(COLOURS, 16)):  # nothing is missing
        assert load_picture(data).note is None


def test_a_picture_that_is_read_in_full_has_no_note():
    assert [load_picture(data).note for bits in BITS[1:] for data in files(deep(COLOURS, bits))] == [None] * 20


def test_a_twelve_bit_array_may_have_a_sixteen_bit_alpha():
    layers = np.dstack([deep(COLOURS, 12), np.full((64, 64), 65535, np.uint16)])
    assert np.abs(load_image(layers) - expected(COLOURS)).max() <= 1


def test_a_deep_picture_is_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    upright, turned = io.BytesIO(), io.BytesIO()
    Image.fromarray(deep(GREY[:40], 12)).save(upright, "PNG")
    Image.fromarray(deep(GREY[:40], 12)).save(turned, "PNG", exif=exif)
    assert (load_image(turned.getvalue()) == np.rot90(load_image(upright.getvalue()), -1)).all()


@pytest.mark.parametrize("array", [np.array([["a"]]), np.array([[None]]), np.full((2, 2), 1j), np.full((2, 2), -1)])
def test_what_holds_no_shades_is_refused(array):
    with pytest.raises(ImageError):
        load_image(array)
