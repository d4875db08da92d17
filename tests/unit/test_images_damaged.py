"""Damaged files: whole pictures with something wrong beside their pixels, ends that are missing, bytes at random."""

import io
import re
import struct
import zlib
from contextlib import suppress
from functools import cache

import av
import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin, TiffImagePlugin

from damaged_pictures import encoded, good_files, try_pictures
from femr.errors import ImageError
from femr.images import load_decoded, load_image, load_picture

SIDE = 320
WAVES = np.add.outer(np.sin(np.arange(SIDE) / 9), np.cos(np.arange(SIDE) / 5))
PICTURE = Image.fromarray(
    np.stack([(WAVES + 2) * 60, np.tile(np.arange(SIDE), (SIDE, 1)), np.full((SIDE, SIDE), 40)], axis=2).astype(
        np.uint8
    )
)
NOISE = Image.fromarray(
    np.random.default_rng(4).integers(0, 256, (SIDE // 4, SIDE // 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
)
MUTANTS = 300


@cache
def plain(kind):
    """PICTURE as a file."""
    return encoded(PICTURE, kind)


def opencv(data):
    """What OpenCV reads, turned by EXIF: RGB."""
    return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def ffmpeg(data):
    """What FFmpeg reads: RGB, not turned."""
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def apart(a, b):
    """The largest difference of any value."""
    assert a.shape == b.shape
    return int(np.abs(a.astype(int) - b).max())


def tiff_entry(tag, kind, count, value):
    return struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")[:4]


def exif_of(*entries):
    """EXIF data with these entries, little-endian."""
    return b"Exif\0\0" + b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


def orientation_entry(value):
    return tiff_entry(0x0112, 3, 1, struct.pack("<H", value))


ODD_EXIF = {
    "resolution as text": exif_of(orientation_entry(6), tiff_entry(0x011A, 2, 4, b"72\0")),
    "resolution empty": exif_of(orientation_entry(6), tiff_entry(0x011A, 2, 0, b""), tiff_entry(0x0128, 3, 1, b"\2")),
    "resolution as bytes": exif_of(orientation_entry(6), tiff_entry(0x011A, 7, 4, b"abcd")),
    "maker as number": exif_of(tiff_entry(0x010F, 4, 1, b"\1\2\3\4"), orientation_entry(6)),
    "a type of no name": exif_of(orientation_entry(6), tiff_entry(0x0131, 99, 1, b"abcd")),
    "values outside the file": exif_of(orientation_entry(6), tiff_entry(0x0132, 2, 900, b"\xff\xff\xff\x7f")),
    "more entries than there are": exif_of(orientation_entry(6)).replace(b"\1\0\x12\1", b"\x09\0\x12\1"),
    "GPS that is nowhere": exif_of(orientation_entry(6), tiff_entry(0x8825, 4, 1, b"\xff\xff\xff\xff")),
    "orientation as long": exif_of(tiff_entry(0x0112, 4, 1, struct.pack("<I", 6))),
    "orientation as byte": exif_of(tiff_entry(0x0112, 1, 1, b"\6")),
    "orientation as text": exif_of(tiff_entry(0x0112, 2, 2, b"6\0")),
}


@pytest.mark.parametrize("exif", ODD_EXIF.values(), ids=ODD_EXIF)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_odd_exif_neither_hides_a_picture_nor_its_turn(kind, exif):
    assert apart(load_image(encoded(PICTURE, kind, exif=exif)), np.rot90(load_image(plain(kind)), -1)) == 0


@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_as_opencv_turns_it(orientation):
    data = encoded(PICTURE.crop((0, 0, SIDE, 96)), "JPEG", exif=exif_of(orientation_entry(orientation)))
    assert apart(load_image(data), opencv(data)) <= 1


@pytest.mark.parametrize(
    "exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0rubbish", b"\xff" * 99, b"Exif\0\0MM\0*\xff"]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_unreadable_exif_is_passed_over(kind, exif):
    assert apart(load_image(encoded(PICTURE, kind, exif=exif)), load_image(plain(kind))) == 0


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
def test_a_tiff_with_odd_tags_is_read_and_turned(orientation):
    data = encoded(PICTURE, "TIFF", tiffinfo={0x0112: orientation, 0x011A: 72.0, 0x0132: "2020:01:01 00:00:00"})
    expected = load_image(data)
    for old, new in ((0x011A, 2), (0x0132, 99), (0x0132, 12)):
        place = data.index(struct.pack("<H", old), 8)
        odd = data[: place + 2] + struct.pack("<HI", new, 70_000) + data[place + 8 :]
        assert apart(load_image(odd), expected) == 0


def png_chunks(data):
    """Name, body and checksum of each chunk."""
    at = 8
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + 8 + size], data[at + 8 + size : at + 12 + size]
        at += 12 + size


def with_chunk(data, name, body, checksum=None, before=b"IDAT"):
    """A PNG file with one chunk more."""
    result = data[:8]
    for each, content, check in png_chunks(data):
        if each == before:
            check_of_new = struct.pack(">I", zlib.crc32(name + body)) if checksum is None else checksum
            result += struct.pack(">I", len(body)) + name + body + check_of_new
        result += struct.pack(">I", len(content)) + each + content + check
    return result


LONG = zlib.compress(bytes(3_000_000))
BESIDE = {
    "zTXt": b"Comment\0\0" + LONG,
    "iTXt": b"Comment\0\1\0\0\0" + LONG,
    "iCCP": b"profile\0\0" + LONG,
    "eXIf": b"rubbish",
    "tEXt": b"Raw profile type exif\0\nexif\n  9\nno hexadecimal numbers\n",
    "pHYs": b"\1",
    "gAMA": b"",
    "tIME": b"\0",
    "cHRM": b"\1\2",
    "sRGB": b"",
    "teSt": b"anything",
}


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
@pytest.mark.parametrize("checksum", [None, b"\1\2\3\4"])
@pytest.mark.parametrize("name", BESIDE)
def test_nothing_beside_the_pixels_hides_a_png(name, checksum, before):
    data = with_chunk(plain("PNG"), name.encode(), BESIDE[name], checksum, before)
    assert apart(load_image(data), np.asarray(PICTURE)) == 0


def test_a_long_text_does_not_hide_the_turn():
    data = with_chunk(encoded(PICTURE, "PNG", exif=exif_of(orientation_entry(8))), b"iTXt", BESIDE["iTXt"])
    assert apart(load_image(data), np.rot90(np.asarray(PICTURE))) == 0


@pytest.mark.parametrize("checksum", [b"abcd", b"abc", b""])
def test_a_png_with_a_wrong_checksum_of_its_pixels_is_whole(checksum):
    data = plain("PNG")
    pixels = b"".join(body for name, body, _ in png_chunks(data) if name == b"IDAT")
    head, end = data[: data.index(b"IDAT") - 4], data[-12:]
    odd = with_chunk(head + end, b"IDAT", pixels[:-4] + checksum, before=b"IEND")
    assert apart(load_image(odd), np.asarray(PICTURE)) == 0
    assert load_picture(odd).note is None


def test_a_png_with_a_wrong_checksum_where_it_matters_is_refused():
    data = plain("PNG")
    place = data.index(b"IHDR") + 17
    with pytest.raises(ImageError):
        load_image(data[:place] + b"\1\2\3\4" + data[place + 4 :])


JPEGS = {
    "baseline": {},
    "progressive": {"progressive": True},
    "full colours": {"subsampling": 0},
    "restarts": {"restart_marker_rows": 1},
    "optimised": {"optimize": True},
}


@pytest.mark.parametrize("options", JPEGS.values(), ids=JPEGS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_without_its_end_is_the_whole_picture(mode, options):
    data = encoded(PICTURE.convert(mode), "JPEG", **options)
    for cut in (1, 2):
        assert apart(load_image(data[:-cut]), opencv(data)) <= 1


@pytest.mark.parametrize("progressive", [False, True])
def test_a_grey_margin_is_no_missing_end(progressive):
    framed = PICTURE.copy()
    framed.paste((130, 130, 130), (0, 90, SIDE, SIDE))
    assert load_image(encoded(framed, "JPEG", progressive=progressive)[:-2]).shape == (SIDE, SIDE, 3)


def cut_at(data, share):
    return data[: round(len(data) * share)]


ROW_BY_ROW = ["JPEG", "PNG", "BMP", "PPM", "TIFF"]


@pytest.mark.parametrize("kind", ROW_BY_ROW)
def test_nine_tenths_of_the_rows_are_a_picture(kind):
    whole = load_image(plain(kind))
    pixels = load_image(cut_at(plain(kind), 0.97))
    there = (pixels == whole).all(axis=(1, 2))
    assert 0.85 < there.mean() < 1
    assert (pixels[~there] == 128).mean() > 0.5


@pytest.mark.parametrize("kind", [*ROW_BY_ROW, "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_less_is_refused(kind, share):
    with pytest.raises(ImageError, match=r"damaged or cut short|cut off|not a picture"):
        load_image(cut_at(plain(kind), share))


@pytest.mark.parametrize("height", [SIDE, SIDE - 1])
@pytest.mark.parametrize("interlace", [False, True])
def test_nine_tenths_of_a_gif_are_a_picture(interlace, height):
    data = encoded(NOISE.crop((0, 0, SIDE, height)), "GIF", interlace=interlace)
    whole, decoded = load_image(data), load_decoded(cut_at(data, 0.95))
    there = (decoded.pixels == whole).all(axis=(1, 2))
    assert 0.9 <= there.mean() < 1
    assert (decoded.pixels[~there] == 128).mean() > 0.9
    assert "% of it is there" in decoded.note


def test_colours_that_pillow_would_take_for_others_are_refused():
    """A TIFF file in YCbCr that is not compressed."""
    data = bytearray(plain("TIFF"))
    place = data.index(struct.pack("<HHI", 262, 3, 1))
    struct.pack_into("<H", data, place + 8, 6)
    with pytest.raises(ImageError, match="YCbCr"):
        load_image(bytes(data))


def heic(image, **options):
    file = io.BytesIO()
    pillow_heif.from_pillow(image).save(file, quality=60, **options)
    return file.getvalue()


PACKED = {
    "webp": encoded(NOISE, "WEBP"),
    "webp lossless": encoded(NOISE, "WEBP", lossless=True),
    "webp with alpha": encoded(NOISE.convert("RGBA").rotate(20), "WEBP"),
    "avif": encoded(NOISE, "AVIF", speed=10),
    "avif turned": encoded(NOISE, "AVIF", speed=10, exif=exif_of(orientation_entry(6))),
    "heic": heic(NOISE),
    "heic turned": heic(NOISE, exif=exif_of(orientation_entry(6))),
    "heic turned back": heic(NOISE, exif=exif_of(orientation_entry(8))),
}


@pytest.mark.parametrize("name", PACKED)
def test_nine_tenths_of_a_picture_that_is_decoded_as_one_are_a_picture(name):
    data, whole, read = PACKED[name], load_image(PACKED[name]), []
    for cut in range(1, len(data) // 40, len(data) // 400):
        with suppress(ImageError):
            read.append(load_decoded(data[:-cut]))
    for pixels, _, _ in read:
        there, missing = (pixels == whole).all(axis=2), (pixels == 128).all(axis=2)
        assert (there | missing).mean() > 0.95
        assert missing.mean() <= 0.1
    assert any(decoded.note for decoded in read)


def box(name, *parts):
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def tiled_heic(image, side):
    """A HEIC file of tiles one below the other, as phones write them: as tall as `image`, `side` wide."""
    tiles = [heic(image.crop((0, top, side, top + side))) for top in range(0, image.height, side)]
    settings = tiles[0].index(b"hvcC") - 4
    settings = tiles[0][settings : settings + int.from_bytes(tiles[0][settings : settings + 4])]
    grid = struct.pack(">BBBBHH", 0, 0, len(tiles) - 1, 0, side, side * len(tiles))
    pixels = [grid, *(tile[tile.index(b"mdat") + 4 :] for tile in tiles)]
    ids = range(1, len(pixels) + 1)  # of the grid, then of the tiles
    kinds = [b"grid", *[b"hvc1"] * len(tiles)]
    names = [
        box(b"infe", struct.pack(">IHH4sx", 2 << 24, each, 0, kind)) for each, kind in zip(ids, kinds, strict=True)
    ]
    sizes = [box(b"ispe", struct.pack(">III", 0, side, height)) for height in (side, side * len(tiles))]
    uses = [struct.pack(">HBB", 1, 1, 3), *(struct.pack(">HBBB", each, 2, 0x81, 2) for each in ids[1:])]

    def head(start):
        starts = start + np.cumsum([0, *map(len, pixels[:-1])])
        places = [
            struct.pack(">HHHII", *(each, 0, 1), at, len(data))
            for each, at, data in zip(ids, starts.tolist(), pixels, strict=True)
        ]
        return box(b"ftyp", b"heic\0\0\0\0mif1heic") + box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"pict", bytes(13)),
            box(b"pitm", struct.pack(">IH", 0, 1)),
            box(b"iloc", struct.pack(">IBBH", 0, 0x44, 0, len(ids)), *places),
            box(b"iinf", struct.pack(">IH", 0, len(ids)), *names),
            box(b"iref", bytes(4), box(b"dimg", struct.pack(f">HH{len(tiles)}H", 1, len(tiles), *ids[1:]))),
            box(b"iprp", box(b"ipco", settings, *sizes), box(b"ipma", struct.pack(">II", 0, len(ids)), *uses)),
        )

    return head(len(head(0)) + 8) + box(b"mdat", *pixels)


def test_tiles_of_a_heic_photo_that_are_missing_are_told():
    tall = NOISE.resize((64, 64 * 24))
    data = tiled_heic(tall, 64)
    whole, decoded = load_image(data), load_decoded(data[: -len(data) // 20])
    assert whole.shape == (64 * 24, 64, 3)
    assert np.abs(whole.astype(int) - np.asarray(tall)).mean() < 30
    there = (decoded.pixels == whole).all(axis=(1, 2))
    assert there.mean() > 0.9
    assert (decoded.pixels[~there] == 128).all()
    assert "is missing: 9" in decoded.note


@pytest.mark.parametrize("name", PACKED)
def test_half_of_such_a_picture_is_none(name):
    with pytest.raises(ImageError, match=r"damaged or cut short|cut off"):
        load_image(cut_at(PACKED[name], 0.5))


def test_nothing_beside_the_pixels_hides_a_webp():
    data = encoded(PICTURE, "WEBP", exif=exif_of(orientation_entry(6)), icc_profile=bytes(500), xmp=bytes(500))
    expected = load_image(data)
    place = data.index(b"ICCP")
    for odd in (
        data[:-20],
        data[:place] + b"\xff" + data[place + 1 :],
        data + bytes(99),
        data.replace(b"XMP ", b"\1\2 ?"),
    ):
        assert apart(load_image(odd), expected) == 0


def test_a_heic_file_may_begin_as_an_avif_file_does():
    data = heic(PICTURE)
    assert data[8:12] == b"heic"
    assert apart(load_image(data[:8] + b"mif1" + data[12:]), load_image(data)) == 0


@pytest.mark.parametrize("kind", ROW_BY_ROW)
def test_a_missing_end_is_told(kind):
    data = plain(kind)
    for share in (0.95, 0.98):
        note = load_picture(cut_at(data, share)).note
        assert re.fullmatch(r"The picture's end is missing: 9\d% of it is there\.", note)
    assert load_picture(data).note is None


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_nothing_is_told_where_only_the_marker_of_the_end_is_missing(mode):
    assert load_picture(encoded(PICTURE.convert(mode), "JPEG")[:-2]).note is None


def test_what_is_there_is_as_ffmpeg_reads_it():
    data = cut_at(encoded(PICTURE.convert("L"), "JPEG"), 0.97)
    rows = round(0.85 * SIDE)
    assert apart(load_image(data)[:rows], ffmpeg(data)[:rows]) <= 2


def test_a_progressive_jpeg_of_shades_only_is_refused():
    data = encoded(PICTURE, "JPEG", progressive=True)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    with pytest.raises(ImageError, match="damaged or cut short"):
        load_image(data[:second])
    last = data.rindex(b"\xff\xda")
    assert apart(load_image(data[:last]), opencv(data)) < 40


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "PPM", "WEBP", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_whole_pictures_are_as_opencv_reads_them(kind, mode):
    data = encoded(PICTURE.convert(mode), kind)
    assert apart(load_image(data), opencv(data)) <= 1


def test_a_heic_item_without_a_name_does_not_end_the_process():
    file = io.BytesIO()
    pillow_heif.from_pillow(PICTURE).save(file, quality=50, exif=exif_of(orientation_entry(1)))
    data = file.getvalue()
    expected = load_image(data)
    place = data.index(b"infe", data.index(b"infe") + 4) + 12
    assert data[place - 4 : place] != b"hvc1"
    assert apart(load_image(data[:place] + b"\x7f\xff\xff\xfe" + data[place + 4 :]), expected) == 0


def test_damage_at_random_ends_in_a_picture_or_a_sentence_and_no_decoder_prints(capfd):
    read, refused = try_pictures(MUTANTS, seed=18)
    assert read > 50
    assert refused > 50
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", good_files())
def test_the_good_files_are_read(name):
    assert load_image(good_files()[name]).shape in ((48, 48, 3), (64, 64, 3))


@pytest.mark.parametrize("before", [b"\r\n", b"\xef\xbb\xbf", bytes(10)])
def test_a_few_bytes_before_a_jpeg_do_not_hide_it(before):
    data = encoded(PICTURE, "JPEG")
    assert np.array_equal(load_image(before + data), load_image(data))


def test_a_cover_in_another_file_is_not_taken_for_it():
    with pytest.raises(ImageError, match="This is not a picture"):
        load_image(b"ID3\4\0\0\0\0\x7f\x7fAPIC\0\0\x7f\0\0\0\0image/jpeg\0\3\0" + encoded(PICTURE, "JPEG"))


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int8])
def test_a_tiff_of_other_numbers_is_not_told_to_be_damaged(kind):
    data = cv2.imencode(".tif", np.asarray(PICTURE).astype(kind))[1].tobytes()
    with pytest.raises(ImageError, match=r"stored in a way that cannot be read\. Save it as JPEG or PNG\."):
        load_image(data)


@pytest.mark.parametrize("packed", [34887, 50001, 34712])  # LERC, WebP, JPEG 2000
def test_nor_is_one_packed_in_a_way_that_is_not_known(packed):
    data = encoded(PICTURE, "TIFF", compression="tiff_lzw")
    entry, other = (tiff_entry(259, 3, 1, struct.pack("<H", number)) for number in (5, packed))
    assert data.count(entry) == 1
    with pytest.raises(ImageError, match=r"stored in a way that cannot be read\. Save it as JPEG or PNG\."):
        load_image(data.replace(entry, other))


def test_nor_is_a_big_one_of_the_other_order():
    with pytest.raises(ImageError, match=r"stored in a way that cannot be read\. Save it as JPEG or PNG\."):
        load_image(b"MM\0+\0\x08\0\0" + struct.pack(">Q", 16) + bytes(500))


def test_of_a_raw_file_it_is_told_that_only_its_preview_is_read():
    """As cameras and Adobe write DNG, NEF and the like: a small picture first, the large one in another directory."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254], tags[330] = 1, 8
    preview = load_decoded(encoded(PICTURE.resize((160, 120)), "TIFF", tiffinfo=tags))
    assert preview.note == "Only the preview of a raw file is read: 160 × 120 pixels."
    assert load_decoded(encoded(PICTURE, "TIFF")).note is None


def test_text_of_a_png_is_no_picture():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 5_000_000, zip=True)
    assert apart(load_image(encoded(PICTURE, "PNG", pnginfo=text)), np.asarray(PICTURE)) == 0
