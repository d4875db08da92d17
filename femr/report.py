"""Analyses as a JSON document, as rows of a table and as text. One row a face; one for a picture without."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from femr.emotions import EMOTIONS
from femr.results import Analysis, FaceEmotion

COLUMNS = ("file", "face", "x1", "y1", "x2", "y2", "confidence", *EMOTIONS, "expression", "unsure", "model", "error")
"""Columns of the CSV table: file, the face's number as drawn (empty: no face), box in pixels, seven probabilities."""

_DIGITS = 4


@dataclass(frozen=True)
class Entry:
    """What became of one file: an analysis, or the reason why there is none."""

    path: str
    analysis: Analysis | None = None
    error: str | None = None


def to_document(model: str, entries: Iterable[Entry]) -> dict[str, Any]:
    """The JSON document of `python -m femr analyze --json`: {"model", "images": [...]}, null where there is nothing."""
    return {"model": model, "images": [to_dict(entry) for entry in entries]}


def to_dict(entry: Entry) -> dict[str, Any]:
    """One file as plain values, ready for JSON."""
    analysis = entry.analysis
    mood, song = (analysis.mood, analysis.song) if analysis else (None, None)
    return {
        "path": entry.path,
        "width": analysis.width if analysis else None,
        "height": analysis.height if analysis else None,
        "faces": [face_to_dict(face) for face in analysis.faces] if analysis else [],
        "mood": mood
        and {
            "emotion": mood.emotion and str(mood.emotion),
            "reason": mood.reason,
            "counts": {str(emotion): votes for emotion, votes in mood.counts.items()},
        },
        "song": song and {"title": song.title, "path": str(song.path), "emotion": str(song.emotion)},
        "error": entry.error,
    }


def face_to_dict(face: FaceEmotion) -> dict[str, Any]:
    """One face as plain values: box in the original picture's pixels, probabilities rounded to four digits."""
    return {
        "number": face.number,
        "box": [round(value, 1) for value in face.box],
        "confidence": round(face.face.confidence, _DIGITS),
        "expression": str(face.scores.top),
        "unsure": face.unsure,
        "scores": {name: round(value, _DIGITS) for name, value in face.scores.as_dict().items()},
    }


def to_csv(entries: Iterable[Entry]) -> str:
    """The table of COLUMNS as CSV text with a header."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for entry in entries:
        writer.writerows(_rows(entry))
    return text.getvalue()


def to_text(entry: Entry) -> str:
    """One file for a reader at a terminal: the mood, then a line a face."""
    analysis = entry.analysis
    if analysis is None:
        return f"{entry.path}: {entry.error}"
    lines = [f"{entry.path}: {analysis.mood.reason}"]
    if analysis.faces:
        lines.append("  ".join([" face", f"{'looks':9}", *(f"{name:>8}" for name in EMOTIONS)]))
    lines += [_text_row(face) for face in analysis.faces]
    if analysis.song:
        lines.append(f"  plays {analysis.song.title} ({analysis.song.emotion})")
    return "\n".join(lines)


def _text_row(face: FaceEmotion) -> str:
    looks = face.scores.top + ("?" if face.unsure else "")
    return "  ".join([f"{face.number:5}", f"{looks:9}", *(f"{value:8.1%}" for value in face.scores.probabilities)])


def _rows(entry: Entry) -> Sequence[dict[str, Any]]:
    if entry.analysis is None or not entry.analysis.faces:
        model = entry.analysis.model if entry.analysis else None
        return [{"file": entry.path, "model": model, "error": entry.error}]
    return [_row(entry.path, entry.analysis.model, face) for face in entry.analysis.faces]


def _row(path: str, model: str, face: FaceEmotion) -> dict[str, Any]:
    plain = face_to_dict(face)
    return {
        "file": path,
        "face": face.number,
        **dict(zip(("x1", "y1", "x2", "y2"), plain["box"], strict=True)),
        "confidence": plain["confidence"],
        **plain["scores"],
        "expression": plain["expression"],
        "unsure": plain["unsure"],
        "model": model,
    }
