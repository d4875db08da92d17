"""What to send and to keep: a card of picture, mood, song and address; songs as a playlist."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from femr.errors import DataError, printable
from femr.images import Pixels
from femr.output.annotate import draw, emoji, ink
from femr.results import Analysis, Emotion, Song

Font: TypeAlias = "ImageFont.FreeTypeFont | ImageFont.ImageFont"
Size: TypeAlias = tuple[int, int]

CARD: Size = (1080, 1350)
"""Width and height in pixels: 4 to 5, the tallest that photo feeds show whole."""

_MARGIN, _GAP, _RADIUS = 48, 36, 32
_PHOTO: Size = (CARD[0] - 2 * _MARGIN, 816)
_EMOJI, _NAME, _SONG, _ADDRESS = 208, 84, 96, 32  # heights of the rows under it, pixels
_UNDER_NAME = 102
_LETTERS = 120  # no line of the card holds more
_SIZES = (40, 36, 32, 28, 24)  # of the sentence's letters, by its length


def card(image: Pixels, analysis: Analysis, address: str = "", boxes: bool = True) -> Pixels:
    """The card, RGB uint8 (1350, 1080, 3).

    Args:
        image: RGB uint8 (h, w, 3), the analysed picture in any size, blurred or not.
        analysis: Of it, with the mood and the song that are told.
        address: Where the reader can try it, as it should stand on the card.
        boxes: Whether the faces are boxed and labelled.

    Raises:
        DataError: There is no mood to tell of.
    """
    emotion = analysis.mood.emotion
    if emotion is None:
        raise DataError("There is no mood in this picture to make a card of.")
    sheet = Image.new("RGB", CARD, emotion.color)
    photo = _photo(image, analysis, boxes)
    sheet.paste(photo, (_MARGIN, _MARGIN), _rounded(photo.size))
    pen, top = ImageDraw.Draw(sheet), _MARGIN + _PHOTO[1] + _GAP
    face = emoji(emotion, _EMOJI)
    sheet.paste(face, (_MARGIN, top), face)
    left = _MARGIN + _EMOJI + _GAP
    _write(pen, (left, top - 8), emotion.adjective.capitalize(), _NAME, emotion, weight=2)
    _write_sentence(pen, (left, top + _UNDER_NAME), analysis.mood.reason, emotion)
    if analysis.song:
        _write_song(pen, top + _EMOJI + _GAP, analysis.song, emotion)
    address = _cut(address, _font(address, _ADDRESS), _PHOTO[0])
    _write(pen, (_MARGIN, CARD[1] - _MARGIN - _ADDRESS), address, _ADDRESS, emotion)
    return np.asarray(sheet, np.uint8)


def to_m3u8(songs: Iterable[Song], place: Callable[[Song], str] = lambda song: str(song.path)) -> str:
    """The text of a playlist, M3U8 (its lines: RFC 8216), which players and music servers read as UTF-8.

    Args:
        place: Where a player finds a song: a path, relative to the playlist or absolute, or an address.
    """
    lines = ["#EXTM3U"]
    for song in songs:
        seconds = -1 if song.duration is None else round(song.duration)
        title = " - ".join(printable(part) for part in (song.artist, song.title) if part)
        where = place(song)
        # else a player would take it for a remark
        lines += [f"#EXTINF:{seconds},{title}", f"./{where}" if where.startswith("#") else where]
    return "\n".join([*lines, ""])


def _photo(image: Pixels, analysis: Analysis, boxes: bool) -> Image.Image:
    """The whole picture on a soft copy of itself that fills the frame."""
    picture = Image.fromarray(image)
    whole = ImageOps.contain(picture, _PHOTO, Image.Resampling.LANCZOS)
    if boxes:
        whole = Image.fromarray(draw(np.asarray(whole, np.uint8), analysis))
    frame = ImageOps.fit(picture.resize((64, 64)), _PHOTO, Image.Resampling.BICUBIC)
    frame = frame.filter(ImageFilter.GaussianBlur(24)).point(lambda value: value * 0.7)
    frame.paste(whole, ((_PHOTO[0] - whole.width) // 2, (_PHOTO[1] - whole.height) // 2))
    return frame


def _rounded(size: Size) -> Image.Image:
    """A mask with round corners, smooth."""
    mask = Image.new("L", (2 * size[0], 2 * size[1]))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), 2 * _RADIUS, 255)
    return mask.resize(size, Image.Resampling.BOX)


def _write_sentence(pen: ImageDraw.ImageDraw, place: Size, text: str, emotion: Emotion) -> None:
    """As large as its place allows."""
    width, height = CARD[0] - _MARGIN - place[0], _EMOJI - _UNDER_NAME
    fitting = ((size, list(_lines(text, _font(text, size), width))) for size in _SIZES)
    size, lines = next((one for one in fitting if len(one[1]) * one[0] * 1.2 <= height), (_SIZES[-1], [text]))
    _write(pen, place, "\n".join(lines), size, emotion)


def _write_song(pen: ImageDraw.ImageDraw, top: int, song: Song, emotion: Emotion) -> None:
    """A sign to play, the title and by whom, on a plate."""
    plate = (_MARGIN, top, CARD[0] - _MARGIN, top + _SONG)
    pen.rounded_rectangle(plate, _SONG // 2, fill="#FFFFFF")
    middle, third = top + _SONG // 2, _SONG // 3
    disc = (_MARGIN + 12, top + 12, _MARGIN + _SONG - 12, top + _SONG - 12)
    pen.ellipse(disc, fill=emotion.color)
    left = _MARGIN + third + 6
    pen.polygon([(left, middle - 18), (left, middle + 18), (left + 30, middle)], fill=ink(emotion.color))
    text = song.title + (f" by {song.artist}" if song.artist else "")
    font = _font(text, 40)
    text = _cut(text, font, CARD[0] - 2 * _MARGIN - _SONG - _GAP)
    pen.text((_MARGIN + _SONG + 8, middle), text, "#101418", font, "lm")


def _write(pen: ImageDraw.ImageDraw, place: Size, text: str, size: int, emotion: Emotion, weight: int = 0) -> None:
    color = ink(emotion.color)
    pen.multiline_text(place, text, color, _font(text, size), stroke_width=weight, stroke_fill=color, spacing=size // 5)


def _cut(text: str, font: Font, width: int) -> str:
    """As much of the text as is at most `width` pixels long, in one line."""
    text = " ".join(text.split())
    shorter = (text[:letters].rstrip() + "…" for letters in range(_LETTERS, 0, -1))
    fits = text if len(text) <= _LETTERS and font.getlength(text) <= width else None
    return fits or next((one for one in shorter if font.getlength(one) <= width), "")


def _lines(text: str, font: Font, width: int) -> Iterator[str]:
    """The text's words in lines of at most `width` pixels."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        if line and font.getlength(longer) > width:
            yield line
            longer = word
        line = longer
    if line:
        yield line


def _font(text: str, size: int) -> Font:
    """Pillow's own; for other than English letters Matplotlib's, which has most alphabets."""
    if text.isascii():
        return ImageFont.load_default(size)
    try:
        import matplotlib
    except ImportError:
        return ImageFont.load_default(size)
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
