"""Results as they show themselves: annotated pictures, what notebooks display, data frames. Their methods call it."""

import base64
import io
import json
import mimetypes
import sys
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageShow

from femr.errors import DataError, ImageError, printable
from femr.files import writing
from femr.images import Pixels, load_image, thumbnail
from femr.images import Source as Source
from femr.output.annotate import SMALLEST_SIDE, draw
from femr.output.rows import COLUMNS, doubt, of_ten, to_rows
from femr.output.rows import to_dict as to_dict
from femr.results import EMOTIONS, Analysis, FaceEmotion, Song

if TYPE_CHECKING:
    from pandas import DataFrame

_WIDTH = 480  # of a notebook's picture, in its pixels
_LARGEST_SONG = 10_000_000  # bytes that a notebook shall hold
_BAR = "display:flex;width:10em;height:.8em;border-radius:.4em;overflow:hidden"
_CELL = "text-align:left;padding:.1em .6em"


def plot(analysis: Analysis, source: Source | None = None) -> Image.Image:
    """As Analysis.plot."""
    return Image.fromarray(draw(_picture(analysis, source), analysis))


def show(analysis: Analysis, source: Source | None = None) -> None:
    """As Analysis.show."""
    image = plot(analysis, source)
    notebook = "ipykernel" in sys.modules
    if not (ImageShow.IPythonViewer().show(image) if notebook else ImageShow.show(image)):
        raise DataError("There is no program to show pictures; analysis.save(path) writes it.")


def save(analysis: Analysis, path: Path, source: Source | None = None) -> Path:
    """As Analysis.save."""
    endings = Image.registered_extensions()
    if endings.get(path.suffix.lower()) not in Image.SAVE:
        raise DataError(f"Expected a path that ends in .jpg, .png or .webp. Received: {printable(str(path))}")
    image = plot(analysis, source)
    with writing(path):
        image.save(path, quality=90)
    return path


def to_json(analysis: Analysis) -> str:
    """As Analysis.to_json."""
    return json.dumps(to_dict(analysis), ensure_ascii=False, indent=2)


def to_df(analysis: Analysis) -> "DataFrame":
    """As Analysis.to_df."""
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise DataError("A data frame needs pandas: pip install pandas.") from error
    return DataFrame(to_rows(analysis), columns=list(COLUMNS))


def to_html(analysis: Analysis) -> str:
    """The annotated picture, a bar a face and the song's player, with all that they need in it and no path."""
    if analysis.error is not None:
        return _line(analysis.error)
    try:
        picture = _image(draw(thumbnail(_picture(analysis), SMALLEST_SIDE), analysis), analysis.mood.reason)
    except DataError as error:
        picture = _line(f"{error}")
    rows = "".join(map(_row, analysis.faces))
    faces = f'<div style="max-height:24em;overflow:auto"><table>{rows}</table></div>' if rows else ""
    mood = analysis.mood.emotion.emoji if analysis.mood.emotion else "🔍"
    song = song_to_html(analysis.song) if analysis.song else ""
    return f"<div>{picture}{_line(f'{mood} {analysis.mood.reason}')}{faces}{song}</div>"


def song_to_html(song: Song) -> str:
    """A song's title and facts, and a player that holds the song; without one where it cannot be read or is large."""
    words = _line(" · ".join([f"♫ {song.title}", *song.facts]))
    kind = mimetypes.guess_type(song.path.name)[0] or "audio/mpeg"
    try:
        content = song.path.read_bytes() if song.path.stat().st_size <= _LARGEST_SONG else b""
    except OSError:
        content = b""
    return words + (f'<audio controls src="{data_url(content, kind)}"></audio>' if content else "")


def data_url(content: bytes, kind: str) -> str:
    """A file as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _picture(analysis: Analysis, source: Source | None = None) -> Pixels:
    """The analysed picture in full: what is given, or what is lent, or the file."""
    if analysis.error is not None:
        raise DataError(analysis.error)
    if source is None:
        source = analysis.lent()
    if source is None and analysis.time is None:
        source = analysis.file
    if source is None:
        raise DataError("The picture is not kept; pass it, as in analysis.plot(picture).")
    try:
        return load_image(source)
    except ImageError as error:
        raise DataError(f"{error} Pass the picture, as in analysis.plot(picture).") from error


def _image(pixels: Pixels, words: str) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=80)
    style = f"max-width:100%;width:{_WIDTH}px"
    return f'<img alt="{escape(words)}" style="{style}" src="{data_url(file.getvalue(), "image/jpeg")}">'


def _row(face: FaceEmotion) -> str:
    """A face's number, how it looks, its scores as a bar and what ten people would say."""
    looks = f"{face.scores.top.emoji} {face.scores.top.adjective}{doubt(face)}"
    parts = "".join(
        f'<span title="{emotion} {face.scores[emotion]:.0%}" '
        f'style="width:{face.scores[emotion]:.1%};background:{emotion.color}"></span>'
        for emotion in EMOTIONS
    )
    bar = f'<div role="img" aria-label="{face.scores!r}" style="{_BAR}">{parts}</div>'
    contents = str(face.number), escape(looks), bar, escape(of_ten(face))
    cells = (f'<td style="{_CELL}">{content}</td>' for content in contents)
    return f"<tr>{''.join(cells)}</tr>"


def _line(words: str) -> str:
    return f'<p style="margin:.4em 0">{escape(words)}</p>'
