"""Where pictures come from: text that holds a file, pipes, odd paths; and how large they may be."""

import base64
import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from damaged_pictures import encoded
from femr.errors import ImageError
from femr.images import MAX_BYTES, load_image, load_picture

PICTURE = Image.linear_gradient("L").resize((60, 40)).convert("RGB")
DATA = encoded(PICTURE, "PNG")
TEXT = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    "source",
    [
        TEXT,
        TEXT.rstrip("="),
        base64.encodebytes(DATA).decode(),
        base64.urlsafe_b64encode(DATA).decode(),
        f"data:image/png;base64,{TEXT}",
        f"data:;base64,{TEXT.replace('+', '%2B').replace('/', '%2F')}",
        f"DATA:image/png;name=a.png;BASE64,{TEXT}",
        f"data:image/png;base64,{TEXT}".encode(),
        "data:image/png," + "".join(f"%{value:02x}" for value in DATA),
    ],
    ids=["base64", "no padding", "lines", "of addresses", "data", "escaped", "capitals", "as bytes", "percent"],
)
def test_text_that_holds_a_picture_is_one(source):
    assert (load_image(source) == np.asarray(PICTURE)).all()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "no file"),
        ("data:", "empty"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png;base64,%%%", "damaged"),
        ("data:text/plain,hello", "not a picture"),
        (f"data:image/png;base64,{TEXT[:60]}", "damaged|not a picture"),
        ("A" * 200, "not a picture|no file"),
        ("party photo " * 40, "no file|cannot be opened"),
        ("x" * 5000 + ".jpg", "cannot be opened: File name too long"),
        ("a\0b.jpg", "no file|cannot be opened"),
        ("\udcff\udcfe.jpg", "no file"),
        ("A" * (3 * MAX_BYTES), "larger than 20 MB"),
        ("data:;base64," + "A" * (4 * MAX_BYTES), "larger than 20 MB"),
    ],
)
def test_other_text_is_refused_in_a_short_sentence(source, words):
    with pytest.raises(ImageError, match=words) as caught:
        load_image(source)
    assert len(str(caught.value).encode()) < 300


def test_a_file_is_read_before_its_name_is_taken_for_a_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "A" * 64
    Path(name).write_bytes(DATA)
    assert (load_image(name) == np.asarray(PICTURE)).all()


class Dripping(io.RawIOBase):
    """A file that gives at most seven bytes at a time, as a pipe or a socket may."""

    def __init__(self, data):
        self._file = io.BytesIO(data)

    def read(self, size=-1):
        return self._file.read(min(size, 7))


class Endless:
    def read(self, size):
        return bytes(min(size, 1 << 20))


def test_a_file_that_comes_in_pieces():
    assert (load_image(Dripping(DATA)) == np.asarray(PICTURE)).all()
    with pytest.raises(ImageError, match="empty"):
        load_image(Dripping(b""))
    with pytest.raises(ImageError, match="larger than 20 MB"):
        load_image(Endless())


def test_a_pipe_by_number_and_by_name(tmp_path):
    code = "import sys; from femr.images import load_image; print(load_image(sys.argv[1]).shape)"
    process = subprocess.run([sys.executable, "-c", code, "/dev/stdin"], input=DATA, capture_output=True, check=True)
    assert process.stdout == b"(40, 60, 3)\n"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(DATA,))
    writer.start()
    assert load_image(pipe).shape == (40, 60, 3)
    writer.join()


def test_files_of_another_kind_are_refused(tmp_path):
    closed = io.BytesIO(DATA)
    closed.close()
    for file in (io.StringIO("text"), closed):
        with pytest.raises(ImageError):
            load_image(file)
    with pytest.raises(ImageError, match="no file"):
        load_image(tmp_path)


@pytest.mark.parametrize(("size", "read"), [((8192, 6144), (8192, 6144)), ((12_000, 9_000), (6_000, 4_500))])
def test_a_phones_largest_pictures_are_read(size, read):
    data = encoded(Image.new("L", size, 200), "JPEG", quality=30)
    picture = load_picture(data)
    assert picture.size == size
    assert picture.scale == pytest.approx(1920 / size[0])
    assert picture.pixels.shape == (1440, 1920, 3)
    pixels = load_image(data)
    assert pixels.shape == (read[1], read[0], 3)
    assert np.abs(pixels[::500, ::500].astype(int) - 200).max() <= 1


def test_the_size_is_the_upright_ones():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = load_picture(encoded(PICTURE, "JPEG", exif=exif))
    assert (picture.size, picture.pixels.shape) == ((40, 60), (60, 40, 3))


def jpeg_header(width, height, progressive):
    """A JPEG that declares a size and three colours at full size, and holds nothing."""
    data = encoded(Image.new("RGB", (8, 8)), "JPEG", progressive=progressive, subsampling=0)
    return data.replace(struct.pack(">HH", 8, 8), struct.pack(">HH", height, width), 1)


def png_header(width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9)))


def tiff_header(width, height):
    """A small TIFF file that claims to be larger."""
    data = encoded(Image.new("RGB", (8, 8)), "TIFF")
    for tag, size in ((256, width), (257, height)):
        place = data.index(struct.pack("<H", tag), 8)
        data = data[:place] + struct.pack("<HHII", tag, 4, 1, size) + data[place + 12 :]
    return data


def webp_header(width, height, length):
    """A lossless WebP file of so many bytes, which claims to have 1,500."""
    sizes = struct.pack("<BI", 0x2F, (width - 1) | (height - 1) << 14)
    return (b"RIFF" + struct.pack("<I", 1500) + b"WEBPVP8L" + struct.pack("<I", 1488) + sizes + bytes(1483))[:length]


def heic_header(width, height):
    """A small HEIC file that claims to be larger."""
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 64))).save(file)
    place = file.getvalue().index(b"ispe") + 8
    return file.getvalue()[:place] + struct.pack(">II", width, height) + file.getvalue()[place + 8 :]


GIF_SIZE = struct.pack("<HH", 40_000, 40_000)
BOMBS = {
    "PNG": png_header(9_000, 9_000),
    "PNG, long": png_header(20_000, 20_000) + bytes(MAX_BYTES - 200),
    "JPEG": jpeg_header(16_000, 12_000, False),
    "JPEG, progressive": jpeg_header(16_000, 16_000, True) + bytes(MAX_BYTES - 2000),
    "JPEG, largest": jpeg_header(65_500, 65_500, True) + bytes(MAX_BYTES - 2000),
    "GIF": b"GIF89a" + GIF_SIZE + b"\0\0\0,\0\0\0\0" + GIF_SIZE + b"\0\2\0;",
    "BMP": b"BM" + bytes(12) + struct.pack("<IiiHHIIiiII", 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(99),
    "PPM": b"P6 30000 30000 255 " + bytes(99),
    "TIFF": tiff_header(60_000, 60_000),
    "WebP": webp_header(16_384, 16_384, 1508),
    "WebP, cut": webp_header(16_384, 16_384, 900),
    "HEIC": heic_header(30_000, 30_000),
    "HEIC, cut": heic_header(30_000, 30_000)[:-9],
}  # fmt: skip


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(data, monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.fail("a pixel was decoded"))
    with pytest.raises(ImageError, match=r"too large|more steps"):
        load_image(data)


def test_a_jpeg_of_endless_rounds_is_refused():
    data = encoded(Image.new("L", (4000, 3000)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    with pytest.raises(ImageError, match="more steps"):
        load_image(data[:last] + data[last:-2] * 500 + data[-2:])
