"""Melodies as text, and what a composer does with a melody: ornament it, answer it, thin it out.

A token is a scale degree with optional accidental and octave marks, then its length in beats: '5:1', "3':.5", 'b7,:2'.
A length holds until the next one is given. 'r' rests, '-' ties. '^' accents, '*' is staccato, '_' runs into the next
note. '|' closes a bar, which must then be full. One line of text is one phrase: it swells to its highest note and
breathes at its end.
"""

import re
from dataclasses import replace
from fractions import Fraction

from music.compose.line import Line, Note
from music.compose.theory import ACCIDENTALS, Key

BREATH = 0.72  # share of its length that a phrase's last note sounds
_TOKEN = re.compile(
    r"^(?P<signs>[#b]*)(?P<degree>\d+|r|-)(?P<octaves>[',]*)(?::(?P<beats>[\d./]+))?(?P<marks>[\^*_]*)$"
)


def melody(key: Key, text: str, octave: int = 4, meter: float | None = 4) -> Line:
    """The line a text describes; `octave` is that of degree 1; `meter` in beats checks the bars, None does not."""
    result = Line((), 0)
    beats = 1.0
    for row in filter(None, (row.strip() for row in text.strip().splitlines())):
        phrase, beats = _phrase(key, row, octave, meter, beats)
        result = result + shaped(phrase)
    return result


def _phrase(key: Key, row: str, octave: int, meter: float | None, beats: float) -> tuple[Line, float]:
    """The notes of one row, unshaped, and the last length used."""
    notes: list[Note] = []
    at = bar = 0.0
    for token in row.split():
        if token == "|":
            if meter is not None and abs(at - bar - meter) > 1e-3:
                raise ValueError(f"Expected a bar of {meter} beats. Received: {at - bar} beats in {row!r}")
            bar = at
            continue
        match = _TOKEN.match(token)
        if match is None:
            raise ValueError(f"Expected a note such as 5:1 or b3':.5. Received: {token!r} in {row!r}")
        beats = float(Fraction(match["beats"])) if match["beats"] else beats
        if match["degree"] == "-":
            notes[-1] = replace(notes[-1], length=notes[-1].length + beats)
        elif match["degree"] != "r":
            notes.append(_note(key, match, octave, at, beats))
        at += beats
    return Line(tuple(notes), at), beats


def _note(key: Key, match: re.Match[str], octave: int, at: float, beats: float) -> Note:
    """One note of the text."""
    shift = sum(ACCIDENTALS[sign] for sign in match["signs"])
    height = octave + match["octaves"].count("'") - match["octaves"].count(",")
    marks = match["marks"]
    share = 0.45 if "*" in marks else 1.06 if "_" in marks else 0.95
    return Note(at, key.pitch(int(match["degree"]), height) + shift, beats * share, 1.18 if "^" in marks else 1.0)


def shaped(phrase: Line, depth: float = 0.16) -> Line:
    """The phrase with an arch: softer at both ends, fullest at its highest note, a breath after the last one."""
    if not phrase.notes:
        return phrase
    peak = max(phrase.notes, key=lambda note: note.pitch).start
    end = max(phrase.length, 1e-9)

    def arch(note: Note) -> Note:
        away = (
            (peak - note.start) / max(peak, 1e-9) if note.start < peak else (note.start - peak) / max(end - peak, 1e-9)
        )
        return replace(note, weight=note.weight * (1 + depth * (0.4 - away)))

    line = phrase.each(arch)
    last = line.notes[-1]
    return replace(line, notes=(*line.notes[:-1], replace(last, length=last.length * BREATH)))


def ornamented(key: Key, line: Line, every: int = 2) -> Line:
    """A variation: every n-th note of a beat or more splits into note, upper neighbour, note; others stay."""
    notes: list[Note] = []
    long = 0
    for note in line.notes:
        long += note.length >= 0.9
        if note.length >= 0.9 and long % every == 0:
            half, quarter = note.length / 2, note.length / 4
            upper = key.step(note.pitch, 1)
            notes += [
                replace(note, length=quarter),
                Note(note.start + quarter, upper, quarter, note.weight * 0.85),
                Note(note.start + half, note.pitch, half, note.weight * 0.92),
            ]
        else:
            notes.append(note)
    return Line(tuple(notes), line.length)


def grace(line: Line, interval: int = -1, beats: float = 0.09, least: float = 0.9) -> Line:
    """The line with a quick grace note, `interval` semitones off, before each note of at least `least` beats."""
    extra = tuple(
        Note(note.start - beats, note.pitch + interval, beats, note.weight * 0.8)
        for note in line.notes
        if note.length >= least and note.start >= beats
    )
    return Line(tuple(sorted(line.notes + extra)), line.length)


def trilled(line: Line, interval: int = 2, step: float = 0.125) -> Line:
    """Each note as a trill with the pitch `interval` semitones above, `step` beats a note."""
    notes: list[Note] = []
    for note in line.notes:
        count = max(1, round(note.length / step))
        notes += [
            Note(note.start + at * step, note.pitch + interval * (at % 2), step, note.weight * (0.9 + 0.1 * (at % 2)))
            for at in range(count)
        ]
    return Line(tuple(notes), line.length)


def repeated(line: Line, step: float, fade: float = 1.0) -> Line:
    """Each note beaten again every `step` beats (tremolo, repeated notes); the last has `fade` times the weight."""
    notes: list[Note] = []
    for note in line.notes:
        count = max(1, round(note.length / step))
        for at in range(count):
            weight = note.weight * (1 + (fade - 1) * at / count) * (1.0 if at % 2 == 0 else 0.93)
            notes.append(Note(note.start + at * step, note.pitch, step * 0.97, weight))
    return Line(tuple(notes), line.length)
