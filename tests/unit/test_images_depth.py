"""More than eight bits, in either order of the bytes: the same picture gives the same answer."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from damaged_pictures import encoded
from femr.errors import ImageError
from femr.images import load_image

GREY = np.add.outer(np.arange(64), np.arange(64)).astype(np.float64) * 2  # 0 to 252
COLOURS = np.stack([GREY, GREY.T[::-1], np.flip(GREY)], axis=2)
BITS = [8, 10, 12, 14, 16]


def deep(values, bits, dtype=np.uint16):
    """The same picture with so many bits, its brightest value the highest there is."""
    return np.rint(values / 252 * (2**bits - 1)).astype(dtype)


def tiff_of(array):
    """A TIFF file of grey uint16 values in the order of bytes that the array has."""
    big = array.dtype.byteorder == ">"
    order = ">" if big else "<"
    height, width = array.shape
    tags = [(256, width), (257, height), (258, 16), (259, 1), (262, 1), (273, 122), (277, 1), (278, height)]
    tags.append((279, array.nbytes))
    head = np.array([42, 0, 0], f"{order}u2").tobytes()[:2] + np.array([8], f"{order}u4").tobytes()
    entries = b"".join(
        np.array([tag, 4], f"{order}u2").tobytes() + np.array([1, value], f"{order}u4").tobytes() for tag, value in tags
    )
    directory = np.array([len(tags)], f"{order}u2").tobytes() + entries + bytes(4)
    return (b"MM" if big else b"II") + head + directory + array.tobytes()


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
@pytest.mark.parametrize("ending", [".png", ".tif"])
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
