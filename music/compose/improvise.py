"""Free lines over a harmony: what a player makes up, from chord tones on the beat and steps between them."""

from random import Random

from music.compose.line import Line, Note, nearest
from music.compose.patterns import signs, span_at
from music.compose.theory import Harmony, Key, length_of

TURN = 0.22  # chance to change direction at a note
LEAP = 0.2  # chance to take the chord tone after the next


def improvised(chords: Harmony, key: Key, rng: Random, rhythm: str, span: tuple[int, int], step: float = 0.5) -> Line:
    """A line in a rhythm (see patterns): chord tones on whole beats, steps between them, all within `span`."""
    notes: list[Note] = []
    here, direction = sum(span) // 2, 1
    for start, length, sign in signs(rhythm, step, length_of(chords)):
        classes = chords[span_at(chords, start)].chord.classes
        if here >= span[1] - 3 or here <= span[0] + 3:
            direction = -1 if here > sum(span) / 2 else 1
        elif rng.random() < TURN:
            direction = -direction
        if abs(start - round(start)) < 1e-6 or length > step:
            here = _chord_tone(here, direction, classes, rng)
        else:
            here = nearest(key, here + direction * rng.choice((1, 2, 2)))
        notes.append(Note(start, here, length * 0.93, 1.15 if sign == "X" else 0.75 if sign == "o" else 1.0))
    return Line(tuple(notes), length_of(chords))


def _chord_tone(here: int, direction: int, classes: tuple[int, ...], rng: Random) -> int:
    """The next chord tone in a direction, sometimes the one after."""
    tones = [here + direction * move for move in range(1, 13) if (here + direction * move) % 12 in classes]
    return tones[1] if len(tones) > 1 and rng.random() < LEAP else tones[0]
