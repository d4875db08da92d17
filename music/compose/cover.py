"""A cover picture a piece, drawn from its own notes: time goes round the circle, pitch outwards."""

import io
import math

from PIL import Image, ImageDraw

from music.compose.score import Score

SIZE, SCALE = 480, 2  # pixels; drawn larger and reduced
COLOURS = {  # the page's colours of the expressions
    "angry": "#C8372D", "disgust": "#5E7D1E", "fear": "#7048B6", "happy": "#E0A100", "sad": "#2F6FC4",
    "surprise": "#D9661F", "neutral": "#6B7785",
}  # fmt: skip


def _rgb(code: str) -> tuple[int, int, int]:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def mixed(first: tuple[int, int, int], second: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """The colour `share` of the way from the first to the second."""
    a, b, c = (round(x + (y - x) * share) for x, y in zip(first, second, strict=True))
    return a, b, c


def cover(score: Score) -> bytes:
    """A JPEG of SIZE × SIZE pixels."""
    side = SIZE * SCALE
    base = _rgb(COLOURS[score.expression])
    picture = Image.new("RGB", (side, side), mixed(base, (12, 12, 20), 0.82))
    draw = ImageDraw.Draw(picture)
    total = max(note.start + note.length for part in score.parts for note in part.notes)
    for number, part in enumerate(score.parts):
        tint = mixed(base, (255, 244, 226), 0.12 + 0.7 * number / max(1, len(score.parts) - 1))
        for note in part.notes:
            _arc(
                draw,
                side,
                (note.start / total, note.length / total),
                note.pitch,
                mixed((30, 28, 36), tint, note.weight),
            )
    hole = side * 0.055
    draw.ellipse((side / 2 - hole, side / 2 - hole, side / 2 + hole, side / 2 + hole), fill=base)
    buffer = io.BytesIO()
    picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=82, optimize=True)
    return buffer.getvalue()


def _arc(
    draw: ImageDraw.ImageDraw, side: int, time: tuple[float, float], pitch: int, colour: tuple[int, int, int]
) -> None:
    """One note as an arc; it begins at twelve o'clock and runs clockwise."""
    radius = side * (0.09 + 0.38 * (pitch - 24) / 76)
    start = -90 + 360 * time[0]
    sweep = max(360 * time[1], math.degrees(side * 0.006 / max(radius, 1)))
    box = (side / 2 - radius, side / 2 - radius, side / 2 + radius, side / 2 + radius)
    draw.arc(box, start, start + sweep, fill=colour, width=round(side * 0.0065))
