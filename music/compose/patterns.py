"""Accompaniments: a harmony and a rhythm in, a line out.

A rhythm is text, one sign a step, repeated as long as the harmony lasts: 'x' plays, 'X' accents, 'o' plays softly,
'-' holds, '.' rests. Blanks and bar lines are for the reader only.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from music.compose.line import Line, Note, chord_hit
from music.compose.theory import Harmony, Span, length_of
from music.compose.voicing import voiced

WEIGHTS = {"x": 1.0, "X": 1.18, "o": 0.72, "D": 1.0, "U": 0.78, "d": 0.8, "u": 0.62}
STRUM_SPREAD = 0.03  # beats between two strings


def signs(rhythm: str, step: float, total: float) -> Iterator[tuple[float, float, str]]:
    """Start, length and sign of every hit of a rhythm that is repeated over `total` beats."""
    pattern = rhythm.replace(" ", "").replace("|", "")
    count = round(total / step)
    row = (pattern * (count // len(pattern) + 1))[:count]
    for place, sign in enumerate(row):
        if sign not in ".-":
            held = 1
            while place + held < count and row[place + held] == "-":
                held += 1
            yield place * step, held * step, sign


def span_at(chords: Harmony, beat: float) -> int:
    """Index of the chord that sounds at a beat."""
    return max(index for index, span in enumerate(chords) if span.start <= beat + 1e-6)


def pad(chords: Harmony, low: int, high: int, voices: int = 4) -> Line:
    """Sustained voice-led chords; a tone that stays in its voice is held over."""
    notes: list[Note] = []
    held: dict[int, Note] = {}
    for span, setting in zip(chords, voiced(chords, low, high, voices), strict=True):
        for voice, pitch in enumerate(setting):
            if voice in held and held[voice].pitch == pitch:
                held[voice] = replace(held[voice], length=held[voice].length + span.length)
                continue
            if voice in held:
                notes.append(held[voice])
            held[voice] = Note(span.start, pitch, span.length)
    return Line(tuple(sorted([*notes, *held.values()])), length_of(chords))


def comp(
    chords: Harmony, rhythm: str, step: float, span: tuple[int, int], voices: int = 3, spread: float = 0.0
) -> Line:
    """Voice-led chords struck in a rhythm, between the pitches of `span`."""
    settings = voiced(chords, *span, voices)
    line = Line((), length_of(chords))
    for start, length, sign in signs(rhythm, step, line.length):
        setting = settings[span_at(chords, start)]
        line = line | chord_hit(setting, length * 0.92, WEIGHTS[sign], spread).later(start)
    return replace(line, length=length_of(chords))


def strum(chords: Harmony, rhythm: str, step: float, span: tuple[int, int] = (43, 67), voices: int = 5) -> Line:
    """A guitar: 'D'/'d' strokes downwards over all strings, 'U'/'u' upwards over the three highest, both ring on."""
    settings = voiced(chords, *span, voices)
    line = Line((), length_of(chords))
    strokes = list(signs(rhythm, step, line.length))
    for place, (start, length, sign) in enumerate(strokes):
        setting = settings[span_at(chords, start)]
        strings = setting if sign in "Dd" else tuple(reversed(setting[-3:]))
        after = strokes[place + 1][0] if place + 1 < len(strokes) else line.length
        line = line | chord_hit(strings, max(length, after - start), WEIGHTS[sign], STRUM_SPREAD).later(start)
    return replace(line, length=length_of(chords))


def arpeggio(
    chords: Harmony, shape: str, step: float, span: tuple[int, int], voices: int = 4, ring: float = 1.0
) -> Line:
    """Broken chords: `shape` counts the voices from the lowest, 0 ('0 2 1 3'), '.' rests; `ring` prolongs notes."""
    settings = voiced(chords, *span, voices)
    order = shape.split()
    notes: list[Note] = []
    for index, (setting, chord) in enumerate(zip(settings, chords, strict=True)):
        for at in range(round(chord.length / step)):
            name = order[at % len(order)]
            if name == ".":
                continue
            octave, voice = divmod(int(name), voices)
            start = chord.start + at * step
            length = min(step * ring, chord.start + chord.length - start + (step if index + 1 < len(chords) else 0))
            notes.append(Note(start, setting[voice] + 12 * octave, length, 1.0 if at % len(order) == 0 else 0.86))
    return Line(tuple(notes), length_of(chords))


def bass(chords: Harmony, figure: str, step: float, low: int = 28) -> Line:
    """A bass line from a figure that begins again with every chord; `low` is the lowest pitch.

    Each step names a chord tone ('R' root or bass, '3', '5', '7', '8'); 'L' leads to the next chord by a semitone, '-'
    holds, '.' rests.
    """
    notes: list[Note] = []
    figures = figure.replace(" ", "").replace("|", "")
    for index, span in enumerate(chords):
        following = chords[(index + 1) % len(chords)]
        for start, length, sign in signs(figures, step, span.length):
            pitch = _bass_pitch(span, following, sign, low)
            notes.append(Note(span.start + start, pitch, length * 0.92, 1.05 if sign == "R" else 0.9))
    return Line(tuple(notes), length_of(chords))


def at_least(pitch_class: int, low: int) -> int:
    """The lowest pitch of a class that is not under `low`."""
    return low + (pitch_class - low) % 12


def _bass_pitch(span: Span, following: Span, sign: str, low: int) -> int:
    """Pitch of one sign of a bass figure."""
    if sign == "R":
        return at_least(span.chord.bass, low)
    if sign == "L":
        target = at_least(following.chord.bass, low)
        return target - 1 if target - 1 >= low else target + 1
    return at_least(span.chord.root, low) + span.chord.tone(sign)


def walking(chords: Harmony, rng: Random, low: int = 31, high: int = 52) -> Line:
    """A jazz bass in quarter notes: root on the change, chord tones between, a semitone's approach to the next root."""
    notes: list[Note] = []
    here = at_least(chords[0].chord.bass, low)
    for index, span in enumerate(chords):
        target = chords[(index + 1) % len(chords)].chord.bass
        here = min((p for p in range(low, high + 1) if p % 12 == span.chord.bass), key=lambda p: abs(p - here))
        beats = max(1, round(span.length))
        for beat in range(beats):
            if beat == 0:
                pitch = here
            elif beat == beats - 1:
                goal = min((p for p in range(low, high + 1) if p % 12 == target), key=lambda p: abs(p - here))
                pitch = goal + rng.choice((-1, 1))
            else:
                tones = [p for p in range(low, high + 1) if p % 12 in span.chord.classes and p != here]
                pitch = min(tones, key=lambda p: (abs(p - here) > 7, rng.random()))
            notes.append(Note(span.start + beat, pitch, 0.9, 1.0 if beat % 2 == 0 else 1.06))
            here = pitch
    return Line(tuple(notes), length_of(chords))


def counter(chords: Harmony, against: Line, span: tuple[int, int], step: float = 2.0) -> Line:
    """A second melody of chord tones, `step` beats a note: small steps, where it can contrary to `against`."""
    notes: list[Note] = []
    here = sum(span) // 2
    for place in range(round(length_of(chords) / step)):
        start = place * step
        chord = chords[span_at(chords, start)].chord
        direction = _direction(against, start, step)

        tones = [pitch for pitch in range(span[0], span[1] + 1) if pitch % 12 in chord.classes]
        here = min((_effort(pitch - here, direction), pitch) for pitch in tones)[1]
        notes.append(Note(start, here, step * 0.97))
    return Line(tuple(notes), length_of(chords))


def _effort(move: int, direction: int) -> float:
    """What a step of a counter-melody costs: its size, more along with the melody, some for standing still."""
    return abs(move) + (2.0 if move * direction > 0 else 0.0) + (1.5 if move == 0 else 0.0)


def _direction(line: Line, start: float, length: float) -> int:
    """Sum of a line's motion (semitones) from `start` for `length` beats."""
    inside = [note.pitch for note in line.notes if start <= note.start <= start + length]
    return inside[-1] - inside[0] if len(inside) > 1 else 0
