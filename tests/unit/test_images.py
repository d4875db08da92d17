import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from femr.errors import ImageError
from femr.images import MAX_BYTES, load_image, long_side, thumbnail, to_picture

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quadrants(mode="RGB", size=32):
    """Red, green / blue, white: shows which way is up."""
    image = Image.new("RGB", (size, size), WHITE)
    half = size // 2
    image.paste(RED, (0, 0, half, half))
    image.paste(GREEN, (half, 0, size, half))
    image.paste(BLUE, (0, half, half, size))
    return image.convert(mode)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def corners(pixels):
    """Colours in the middle of the four quadrants, row by row."""
    height, width = pixels.shape[:2]
    return [
        tuple(int(v) for v in pixels[y, x])
        for y in (height // 4, 3 * height // 4)
        for x in (width // 4, 3 * width // 4)
    ]


def close(pixels, expected, tolerance=40):
    return all(
        abs(a - b) <= tolerance
        for got, want in zip(corners(pixels), expected, strict=True)
        for a, b in zip(got, want, strict=True)
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "TIFF", "GIF", "PPM"])
def test_reads_the_formats_that_people_have(kind):
    pixels = load_image(encoded(quadrants(), kind))
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    assert close(pixels, [RED, GREEN, BLUE, WHITE])


def test_reads_heic_as_phones_write_it():
    data = io.BytesIO()
    pillow_heif.from_pillow(quadrants(size=64)).save(data, quality=90)
    assert close(load_image(data.getvalue()), [RED, GREEN, BLUE, WHITE])


@pytest.mark.parametrize("mode", ["RGB", "P", "CMYK", "RGBA", "YCbCr", "LAB"])
def test_colour_modes_become_rgb(mode):
    assert close(load_image(quadrants(mode)), [RED, GREEN, BLUE, WHITE], 60)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I", "F"])
def test_grey_modes_become_rgb(mode):
    pixels = load_image(Image.new("L", (8, 8), 255).convert(mode))
    assert pixels.shape == (8, 8, 3)
    assert (pixels == 255).all()


def test_a_path_an_open_file_and_bytes_give_the_same(tmp_path):
    data = encoded(quadrants(), "PNG")
    path = tmp_path / "quadrants.png"
    path.write_bytes(data)
    for source in (path, str(path), io.BytesIO(data), data):
        assert (load_image(source) == np.asarray(quadrants())).all()


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, WHITE]),
        (2, [GREEN, RED, WHITE, BLUE]),
        (3, [WHITE, BLUE, GREEN, RED]),
        (6, [BLUE, RED, WHITE, GREEN]),
        (8, [GREEN, WHITE, RED, BLUE]),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_honoured(kind, orientation, expected):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert close(load_image(encoded(quadrants(), kind, exif=exif)), expected)


def test_transparency_is_white_not_the_hidden_colour():
    hidden = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert (load_image(hidden) == 255).all()
    assert (load_image(np.asarray(hidden)) == 255).all()
    palette = quadrants("P")
    red = load_image(encoded(palette, "GIF", transparency=palette.getpixel((1, 1))))
    assert corners(red)[0] == WHITE


def test_sixteen_bits_are_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    expected = np.rint(ramp / 257)
    assert np.abs(load_image(ramp)[:, :, 0] - expected).max() <= 1
    assert np.abs(load_image(encoded(Image.fromarray(ramp), "PNG"))[:, :, 0] - expected).max() <= 1
    assert np.abs(load_image(encoded(Image.fromarray(ramp), "TIFF"))[:, :, 0] - expected).max() <= 1


def test_float_arrays_run_from_0_to_1():
    assert load_image(np.full((2, 2, 3), 0.5)).max() == 128
    assert load_image(np.full((2, 2), True)).max() == 255


def test_an_animation_shows_its_first_frame():
    frames = [Image.new("RGB", (8, 8), color) for color in (RED, BLUE)]
    for kind in ("GIF", "WEBP", "PNG"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        assert abs(int(load_image(data)[4, 4, 0]) - 255) < 20


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4, 3), np.uint8), np.zeros((8, 4, 3), np.uint8)[::2], np.zeros((4, 4), np.uint8)]
)
def test_arrays_come_back_contiguous(array):
    pixels = load_image(array)
    assert pixels.shape == (4, 4, 3)
    assert pixels.flags.c_contiguous


def png_chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_header(width, height):
    """A PNG that declares a size and holds next to nothing."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", zlib.compress(bytes(100)))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<html><body>404</body></html>", "not a picture"),
        (b"\x00" * 1000, "not a picture"),
        (png_header(20_000, 20_000), "too large"),
        (png_header(9_000, 9_000), "too large"),
        (png_header(0, 0), "picture"),
        (bytes(MAX_BYTES + 1), "20 MB"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>', "not a picture"),
    ],
    ids=["empty", "html", "zeros", "20000x20000", "81 megapixels", "0x0", "over 20 MB", "svg"],
)
def test_bad_files_are_refused_in_a_sentence(data, words):
    with pytest.raises(ImageError, match=words):
        load_image(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP"])
def test_damaged_files_never_raise_anything_else(kind):
    data = encoded(Image.effect_noise((64, 64), 80).convert("RGB"), kind)
    random = np.random.default_rng(0)
    with pytest.raises(ImageError):
        load_image(data[: len(data) // 2])
    for _ in range(60):
        broken = bytearray(data)
        for place in random.integers(0, len(data), 8):
            broken[place] = random.integers(256)
        try:
            assert load_image(bytes(broken)).ndim == 3
        except ImageError:
            continue


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros(4, np.uint8),
        np.full((4, 4, 3), np.nan),
        np.full((4, 4, 3), -1.0),
        12,
        None,
    ],
)
def test_what_is_no_picture_is_refused(source):
    with pytest.raises(ImageError):
        load_image(source)


def test_a_missing_file_is_named_without_its_folder(tmp_path):
    with pytest.raises(ImageError, match=r"no file named party\.jpg") as caught:
        load_image(tmp_path / "party.jpg")
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(ImageError):
        load_image(tmp_path)


def test_the_smallest_picture_passes():
    assert load_image(encoded(Image.new("RGB", (1, 1)), "PNG")).shape == (1, 1, 3)


def test_pictures_are_scaled_down_only():
    picture = to_picture(np.zeros((10, 20, 3), np.uint8))
    assert (picture.pixels.shape, picture.size, picture.scale) == ((10, 20, 3), (20, 10), 1.0)
    picture = to_picture(np.zeros((3000, 4000, 3), np.uint8))
    assert (picture.pixels.shape, picture.size) == ((1440, 1920, 3), (4000, 3000))
    assert picture.scale == pytest.approx(0.48)
    assert to_picture(np.zeros((1, 50_000, 3), np.uint8)).pixels.shape == (1, 15_360, 3)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (4000, 2250), (3000, 4000), (2000, 2000), (6000, 3000)])
def test_ordinary_pictures_scale_pictures_by_their_long_side(width, height):
    assert long_side(width, height) == max(width, height)


@pytest.mark.parametrize(("width", "height"), [(12_000, 1_000), (1_000, 12_000), (60_000, 300), (4_000, 1_500)])
def test_strips_keep_as_many_pixels_as_a_square(width, height):
    picture = to_picture(np.zeros((height, width, 3), np.uint8))
    assert picture.scale > 1920 / max(width, height)
    assert picture.pixels.shape[0] * picture.pixels.shape[1] <= 1921 * 1921


def test_what_is_shown_is_bounded_by_its_longer_side():
    assert thumbnail(np.zeros((62, 140, 3), np.uint8), 128).shape == (57, 128, 3)
    assert thumbnail(np.zeros((140, 62, 3), np.uint8), 128).shape == (128, 57, 3)
    small = np.zeros((62, 128, 3), np.uint8)
    assert thumbnail(small, 128) is small
