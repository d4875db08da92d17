"""Percussion written as a grid: one row of signs an instrument, one sign a step."""

from random import Random

from music.compose.line import Line, Note

VOICES = {
    "kick": 36, "kick2": 35, "stick": 37, "snare": 38, "clap": 39, "snare2": 40, "low_tom": 41, "hat": 42,
    "floor_tom": 43, "pedal_hat": 44, "tom": 45, "open_hat": 46, "mid_tom": 47, "high_mid_tom": 48, "crash": 49,
    "high_tom": 50, "ride": 51, "china": 52, "bell": 53, "tambourine": 54, "splash": 55, "cowbell": 56,
    "crash2": 57, "high_bongo": 60, "bongo": 61, "mute_conga": 62, "conga": 63, "low_conga": 64, "timbale": 65,
    "agogo": 67, "low_agogo": 68, "cabasa": 69, "shaker": 70, "guiro": 73, "claves": 75, "block": 76,
    "low_block": 77, "mute_cuica": 78, "cuica": 79, "triangle": 81, "mute_triangle": 80, "snap": 34,
    "castanets": 85, "surdo": 87, "mute_surdo": 86,
}  # fmt: skip
WEIGHTS = {"X": 1.2, "x": 1.0, "o": 0.72, "g": 0.42}


def groove(total: float, step: float = 0.25, /, **rows: str) -> Line:
    """The grid repeated over `total` beats; signs: 'X' accent, 'x' normal, 'o' soft, 'g' ghost, 'r' roll, '.' rest."""
    notes: list[Note] = []
    count = round(total / step)
    for voice, row in rows.items():
        signs = row.replace(" ", "").replace("|", "")
        for place in range(count):
            sign = signs[place % len(signs)]
            if sign == "r":
                notes += [Note((place + half) * step, VOICES[voice], step / 2, 0.6 + 0.2 * half) for half in (0.0, 0.5)]
            elif sign != ".":
                notes.append(Note(place * step, VOICES[voice], step, WEIGHTS[sign]))
    return Line(tuple(sorted(notes)), total)


def roll(voice: str, beats: float, step: float = 0.125, first: float = 0.4, last: float = 1.2) -> Line:
    """A roll that goes from weight `first` to `last`."""
    count = round(beats / step)
    notes = tuple(
        Note(at * step, VOICES[voice], step, first + (last - first) * at / max(1, count - 1)) for at in range(count)
    )
    return Line(notes, beats)


def hit(voice: str, weight: float = 1.0, beats: float = 1.0) -> Line:
    """One stroke."""
    return Line((Note(0, VOICES[voice], beats, weight),), beats)


def fill(rng: Random, beats: float = 2.0, step: float = 0.25) -> Line:
    """A fill round the drums, high to low, different for every state of `rng`, louder to its end."""
    path = ("snare", "high_tom", "mid_tom", "tom", "floor_tom")
    count = round(beats / step)
    notes: list[Note] = []
    for at in range(count):
        if at and rng.random() < 0.18:
            continue
        voice = path[min(len(path) - 1, int(at / count * len(path) + rng.random() * 0.8))]
        notes.append(Note(at * step, VOICES[voice], step, 0.75 + 0.4 * at / count))
    return Line(tuple(notes), beats)
