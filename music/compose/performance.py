"""From written to played: swing, accents of the bar, small unevenness of time and touch, swells and vibrato."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from music.compose.line import Note
from music.compose.score import Part, Score

TOUCH = 0.06  # spread of the velocity
STRONG, WEAK = 1.04, 0.95  # the first beat of a bar, and what lies between the beats
SWELL_FROM, VIBRATO_FROM = 1.2, 0.8  # beats a note must last
EXPRESSION, VIBRATO = 11, 1  # MIDI controllers
BEND = -1  # stands for the pitch wheel among the controllers
WHEEL = 4096  # pitch wheel units a semitone (General MIDI's range of two semitones)
SLIDE_FROM, SLIDE_STEPS = 0.7, 6


@dataclass(frozen=True)
class Control:
    """A controller set to a value (0..127; the pitch wheel -8192..8191) at a beat."""

    beat: float
    number: int
    value: int


def swung(beat: float, ratio: float, unit: float) -> float:
    """The beat moved so that the first of two units takes `ratio` of both; 0.5 leaves it."""
    pair, place = divmod(beat, 2 * unit)
    share = place / (2 * unit)
    warped = share * 2 * ratio if share < 0.5 else ratio + (share - 0.5) * 2 * (1 - ratio)
    return pair * 2 * unit + warped * 2 * unit


def played(score: Score, part: Part, number: int) -> list[Note]:
    """The notes of a part as played: start and length in beats, weight as velocity 1..127; in order of time."""
    rng = score.rng(f"{number} {part.instrument.name}")
    notes: list[Note] = []
    for note in sorted(part.notes):
        start = swung(note.start, score.swing, score.swing_unit)
        end = swung(note.start + note.length, score.swing, score.swing_unit)
        per_ms = score.tempo_at(note.start) / 60000
        drift = (rng.random() + rng.random() - 1) * part.loose + part.lag
        touch = 1 + (rng.random() + rng.random() - 1) * TOUCH
        velocity = round(127 * note.weight * metric(score, note.start) * touch)
        notes.append(Note(max(0.0, start + drift * per_ms), note.pitch, end - start, min(127, max(8, velocity))))
    return unclashed(notes)


def metric(score: Score, beat: float) -> float:
    """The weight that its place in the bar gives a note."""
    section = next((s for s in score.sections if s.start - 1e-6 <= beat < s.end - 1e-6), None)
    place = (beat - section.start) % section.meter if section else beat % score.meter
    if place < 0.02 or (section and section.meter - place < 0.02):
        return STRONG
    return 1.0 if abs(place - round(place)) < 0.02 else WEAK


def unclashed(notes: list[Note]) -> list[Note]:
    """The notes with each cut where the same pitch begins again, so that no note ends its successor."""
    following: dict[int, float] = {}
    cut: list[Note] = []
    for note in sorted(notes, reverse=True):
        limit = following.get(note.pitch)
        length = note.length if limit is None else min(note.length, limit - note.start - 0.01)
        following[note.pitch] = note.start
        if length > 0.01:
            cut.append(replace(note, length=length))
    return cut[::-1]


def controls(part: Part) -> list[Control]:
    """Expression and vibrato of a part: its drawn swells, and those of a solo player's long notes."""
    found = list(_drawn(part))
    if part.solo and part.instrument.singing:
        for note in sorted(part.notes):
            found += _sung(note, part)
    for note in sorted(part.notes) if part.scoop or part.droop else ():
        found += _slid(note, part)
    return sorted(set(found), key=lambda control: (control.beat, control.number, control.value))


def _drawn(part: Part) -> Iterator[Control]:
    """The expression between the points of the part's swells, four values a beat."""
    points = sorted(part.swells)
    for (begin, first), (end, last) in pairwise(points):
        steps = max(1, round((end - begin) * 4))
        for step in range(steps):
            yield Control(begin + step / 4, EXPRESSION, round(127 * (first + (last - first) * step / steps)))
    if points:
        yield Control(points[-1][0], EXPRESSION, round(127 * points[-1][1]))


def drawn_at(part: Part, beat: float) -> float:
    """The value of the part's swells at a beat, 1.0 where none is drawn."""
    points = sorted(part.swells)
    if not points or beat < points[0][0]:
        return 1.0
    for (begin, first), (end, last) in pairwise(points):
        if begin <= beat < end:
            return first + (last - first) * (beat - begin) / (end - begin)
    return points[-1][1]


def _sung(note: Note, part: Part) -> Iterator[Control]:
    """A long note's swell (three quarters, full, two thirds) and its vibrato, which comes late."""
    if note.length >= SWELL_FROM:
        for step in range(12):
            share = step / 12
            curve = 0.78 + 0.22 * share / 0.35 if share < 0.35 else 1.0 - 0.3 * (share - 0.35) / 0.65
            beat = note.start + share * note.length
            yield Control(beat, EXPRESSION, round(127 * curve * drawn_at(part, beat)))
        yield Control(note.start + note.length, EXPRESSION, round(120 * drawn_at(part, note.start + note.length)))
    if note.length >= VIBRATO_FROM:
        for step in range(6):
            yield Control(note.start + (0.3 + 0.1 * step) * note.length, VIBRATO, 8 + 8 * step)
        yield Control(note.start + note.length, VIBRATO, 0)


def _slid(note: Note, part: Part) -> Iterator[Control]:
    """The pitch wheel of a note: up into a long one within a fifth of a beat, down out of it in its last third."""
    if note.length < SLIDE_FROM:
        yield Control(note.start - 0.02, BEND, 0)
        return
    for step in range(SLIDE_STEPS + 1):
        share = step / SLIDE_STEPS
        yield Control(note.start - 0.02 + 0.2 * share, BEND, -round(WHEEL * part.scoop * (1 - share)))
        if part.droop:
            yield Control(note.start + note.length * (0.66 + 0.34 * share), BEND, -round(WHEEL * part.droop * share))
