"""Good pictures of every format, and what becomes of them when they are damaged at random."""

import io
from functools import cache

import cv2
import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin

from damage import damage, try_many
from femr.images import load_image

_PARTS = (
    *(b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xe1", b"Exif\0\0", b"\x89PNG", b"IHDR", b"IDAT", b"IEND", b"fcTL"),
    *(
        b"RIFF",
        b"VP8X",
        b"VP8L",
        b"ALPH",
        b"ftypavif",
        b"meta",
        b"iloc",
        b"ispe",
        b"GIF89a",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"P6\n",
    ),
)


def encoded(image, kind, **options):
    """A picture as a file's bytes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@cache
def good_files(side=48):
    """The bytes of one file a kind, by name; each is a picture that load_image reads."""
    random = np.random.default_rng(7)
    rgb = Image.fromarray(random.integers(0, 256, (side // 8, side // 8, 3), np.uint8)).resize((side, side))
    deep = Image.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 16)
    twelve = np.asarray(rgb).astype(np.uint16) * 16
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "camera", 72.0
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 2000, zip=True)
    heic = io.BytesIO()
    pillow_heif.from_pillow(rgb.resize((64, 64))).save(heic, quality=50, exif=exif.tobytes())
    return {
        "jpeg": encoded(rgb, "JPEG", exif=exif),
        "jpeg progressive": encoded(rgb, "JPEG", progressive=True, exif=exif, comment=b"c" * 99),
        "jpeg grey": encoded(rgb.convert("L"), "JPEG"),
        "jpeg cmyk": encoded(rgb.convert("CMYK"), "JPEG"),
        "mpo": encoded(rgb, "MPO", save_all=True, append_images=[rgb]),
        "png": encoded(rgb, "PNG", exif=exif, pnginfo=text),
        "png palette": encoded(rgb.quantize(16), "PNG", transparency=3),
        "png alpha": encoded(rgb.convert("RGBA"), "PNG"),
        "png 16 bits": encoded(deep, "PNG"),
        "png 12 bits": cv2.imencode(".png", twelve)[1].tobytes(),
        "png animated": encoded(rgb, "PNG", save_all=True, append_images=[rgb.rotate(90)]),
        "webp": encoded(rgb, "WEBP", exif=exif),
        "webp lossless": encoded(rgb.convert("RGBA"), "WEBP", lossless=True),
        "avif": encoded(rgb, "AVIF", speed=10, exif=exif),
        "heic": heic.getvalue(),
        "gif": encoded(rgb, "GIF"),
        "gif animated": encoded(rgb, "GIF", save_all=True, append_images=[rgb.rotate(90)]),
        "bmp": encoded(rgb, "BMP"),
        "tiff": encoded(rgb, "TIFF", exif=exif),
        "tiff lzw": encoded(rgb, "TIFF", compression="tiff_lzw"),
        "tiff jpeg": encoded(rgb, "TIFF", compression="jpeg"),
        "tiff 16 bits": encoded(deep, "TIFF"),
        "tiff 12 bits": cv2.imencode(".tiff", twelve)[1].tobytes(),
        "tiff float": encoded(Image.fromarray(np.asarray(rgb.convert("L"), np.float32) / 255), "TIFF"),
        "ppm": encoded(rgb, "PPM"),
        "pgm 16 bits": encoded(deep.convert("I"), "PPM"),
    }


def spoil(data, chance):
    """The picture with some faults."""
    return damage(data, chance, _PARTS, (1, 4, 30, 400), (1, 1, 2, 4))


def try_pictures(count, seed):
    """How many damaged pictures are read, and how many are refused in a sentence; see `damage.try_many`."""

    def read(_, data):
        pixels = load_image(data)
        assert (pixels.dtype, pixels.ndim, pixels.shape[2]) == (np.uint8, 3, 3)

    return try_many(read, list(good_files().items()), spoil, count, seed)
