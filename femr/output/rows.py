"""Analyses as a JSON document, as rows of the tidy table and as text. One row a face; one for a picture without."""

import csv
import io
import math
import re
from collections.abc import Iterable
from typing import Any

from femr.results import EMOTIONS, Analysis, EmotionScores, FaceEmotion

REQUIRED_COLUMNS = (
    *("file", "time", "frame", "face", "x1", "y1", "x2", "y2", "confidence", "size", *EMOTIONS),
    *("expression", "unsure", "unsure_reason", "model", "error"),
)
"""Columns that every table of femr's has, older ones too."""
COLUMNS = (
    *REQUIRED_COLUMNS,
    *(f"vote_share_{emotion}" for emotion in EMOTIONS),
    *(f"label_{emotion}" for emotion in EMOTIONS),
)
"""Columns of the tidy table, for every format; what does not apply is empty.

file: text. time: seconds, float, of a video's frame. frame: its number, int, from 0. face: the number as drawn, int.
x1, y1, x2, y2: the box in pixels of the original picture, float. confidence: is it a face, 0 to 1. size: the box's
longer side in pixels, float. Seven probabilities by expression, what people would say, balanced, float. expression: the
most probable of them, text. unsure: bool. unsure_reason: text, one of results.UNSURE_REASONS. model: text. error: text,
why a file has no answer. vote_share_...: the seven without balance, float. label_...: FER2013's labels, float.
"""

_DIGITS = 4
# where a cell begins, or would begin where semicolons or tabs divide them; with the wide signs of Chinese and Japanese
_BEGIN, _SIGNS = r"(?:^|(?<=[;\t\r\n]))", r"(?='*[=+\-@\t\r\n＝＋－＠])"
_FORMULA, _GUARDED = re.compile(_BEGIN + _SIGNS), re.compile(f"{_BEGIN}'{_SIGNS}")


def to_dict(analysis: Analysis) -> dict[str, Any]:
    """One picture as plain values, ready for JSON, None where there is nothing: an image of `femr analyze --json`."""
    mood, song, failed = analysis.mood, analysis.song, analysis.error is not None
    return {
        "path": analysis.file,
        "time": _rounded(analysis.time),
        "frame": analysis.frame,
        "width": None if failed else analysis.width,
        "height": None if failed else analysis.height,
        "faces": [face_to_dict(face) for face in analysis.faces],
        "mood": None
        if failed
        else {
            "emotion": mood.emotion and str(mood.emotion),
            "reason": mood.reason,
            "counts": {str(emotion): votes for emotion, votes in mood.counts.items()},
        },
        "song": song and {"title": song.title, "path": str(song.path), "emotion": str(song.emotion)},
        "error": analysis.error,
        "note": analysis.note,
    }


def face_to_dict(face: FaceEmotion) -> dict[str, Any]:
    """One face as plain values: box in the original picture's pixels, probabilities rounded to four digits."""
    return {
        "number": face.number,
        "box": [round(value, 1) for value in face.box],
        "confidence": round(face.face.confidence, _DIGITS),
        "expression": str(face.scores.top),
        "unsure": face.unsure,
        "unsure_reason": face.unsure_reason,
        "scores": _plain(face.scores),
        "vote_shares": _plain(face.vote_shares),
        "label_scores": _plain(face.label_scores),
    }


def of_ten(face: FaceEmotion) -> str:
    """How many of ten people would say what: "about 8 would say happy". No word claims more than the vote shares.

    What is named comes first; the balance may have named something that fewer would say, so then comes whatever at
    least as many would.
    """
    counts = {emotion: math.floor(10 * face.vote_shares[emotion] + 0.5) for emotion in EMOTIONS}
    named = face.scores.top
    rivals = [emotion for emotion in EMOTIONS if emotion is not named and counts[emotion] >= max(1, counts[named])]
    rivals.sort(key=face.vote_shares.__getitem__, reverse=True)
    others = "".join(f", {_about(counts[emotion])} {emotion.adjective}" for emotion in rivals)
    return f"{_about(counts[named])} would say {named.adjective}{others}"


def doubt(face: FaceEmotion) -> str:
    """What stands after how a face looks: " (unclear: from the side)", or nothing where it is clear."""
    reason = f": {face.unsure_reason}" if face.unsure_reason else ""
    return f" (unclear{reason})" if face.unsure else ""


def to_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """The rows of the tidy table, each with all COLUMNS; None where one does not apply."""
    empty = dict.fromkeys(COLUMNS)
    every = {
        "file": analysis.file,
        "time": _rounded(analysis.time),
        "frame": analysis.frame,
        "model": analysis.model,
        "error": analysis.error,
    }
    return [empty | every | _face_row(face) for face in analysis.faces] or [empty | every]


def to_csv(analyses: Iterable[Analysis]) -> str:
    """The tidy table as CSV text with a header."""
    rows = (row.values() for analysis in analyses for row in to_rows(analysis))
    return "".join(map(csv_line, (COLUMNS, *rows)))


def csv_line(values: Iterable[Any]) -> str:
    """A row of CSV. An apostrophe stands before what a spreadsheet would run as a formula, see `from_cell`."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow([_FORMULA.sub("'", value) if isinstance(value, str) else value for value in values])
    return text.getvalue()


def from_cell(text: str) -> str:
    """What `csv_line` made a cell of: without its apostrophes."""
    return _GUARDED.sub("", text)


def to_text(analysis: Analysis) -> str:
    """One picture for a reader at a terminal: the mood, then a line a face."""
    lines = [f"{analysis.file}: {analysis.mood.reason}", *([f"  {analysis.note}"] if analysis.note else [])]
    if analysis.faces:
        lines.append("  ".join([" face", f"{'looks':9}", *(f"{name:>8}" for name in EMOTIONS), "of ten people"]))
    lines += [_text_row(face) for face in analysis.faces]
    if analysis.song:
        lines.append(f"  plays {analysis.song.title} ({analysis.song.emotion})")
    return "\n".join(lines)


def _text_row(face: FaceEmotion) -> str:
    looks = face.scores.top + ("?" if face.unsure else "")
    scores = [f"{value:8.1%}" for value in face.scores.probabilities]
    reason = [f"({face.unsure_reason})"] if face.unsure_reason else []
    return "  ".join([f"{face.number:5}", f"{looks:9}", *scores, of_ten(face), *reason])


def _about(people: int) -> str:
    return {0: "fewer than one", 10: "nearly all"}.get(people, f"about {people}")


def _plain(scores: EmotionScores) -> dict[str, float]:
    return {name: round(value, _DIGITS) for name, value in scores.as_dict().items()}


def _face_row(face: FaceEmotion) -> dict[str, Any]:
    plain = face_to_dict(face)
    return {
        "face": face.number,
        **dict(zip(("x1", "y1", "x2", "y2"), plain["box"], strict=True)),
        "confidence": plain["confidence"],
        "size": round(face.face.size, 1),
        **plain["scores"],
        "expression": plain["expression"],
        "unsure": face.unsure,
        "unsure_reason": face.unsure_reason,
        **{f"vote_share_{name}": value for name, value in plain["vote_shares"].items()},
        **{f"label_{name}": value for name, value in plain["label_scores"].items()},
    }


def _rounded(seconds: float | None) -> float | None:
    """To the millisecond."""
    return None if seconds is None else round(seconds, 3)
