"""Keys, scales and chords: everything that turns a degree or a Roman numeral into pitches (MIDI numbers, 60 = C4)."""

import re
from dataclasses import dataclass

PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ACCIDENTALS = {"#": 1, "b": -1}

MODES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "octatonic": (0, 1, 3, 4, 6, 7, 9, 10),
}

# Semitones above the root; upper-case numerals start from the major triad, lower-case ones from the minor triad.
UPPER_CHORDS = {
    "": (0, 4, 7), "5": (0, 7), "6": (0, 4, 7, 9), "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "9": (0, 4, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14), "add9": (0, 4, 7, 14), "69": (0, 4, 7, 9, 14), "sus2": (0, 2, 7), "sus4": (0, 5, 7),
    "7sus4": (0, 5, 7, 10), "+": (0, 4, 8), "+7": (0, 4, 8, 10), "7b5": (0, 4, 6, 10), "7b9": (0, 4, 7, 10, 13),
    "7#9": (0, 4, 7, 10, 15), "13": (0, 4, 10, 14, 21),
}  # fmt: skip
LOWER_CHORDS = {
    "": (0, 3, 7), "6": (0, 3, 7, 9), "7": (0, 3, 7, 10), "maj7": (0, 3, 7, 11), "9": (0, 3, 7, 10, 14),
    "add9": (0, 3, 7, 14), "11": (0, 3, 7, 10, 17), "o": (0, 3, 6), "o7": (0, 3, 6, 9), "ø7": (0, 3, 6, 10),
    "cluster": (0, 1, 2, 3),
}  # fmt: skip
NUMERALS = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}
_ROMAN = re.compile(r"^([#b]*)(VII|VI|V|IV|III|II|I|vii|vi|v|iv|iii|ii|i)([^/@]*)(?:/([#b]*[ivIV]+))?(?:@([#b]*\d))?$")


@dataclass(frozen=True)
class Key:
    """A tonic and a mode; degrees count from 1, and degree 8 is the tonic an octave higher."""

    tonic: str
    mode: str = "major"

    @property
    def root(self) -> int:
        """Pitch class of the tonic, 0..11."""
        return (PITCH_CLASSES[self.tonic[0]] + sum(ACCIDENTALS[sign] for sign in self.tonic[1:])) % 12

    @property
    def scale(self) -> tuple[int, ...]:
        """Semitones of the scale above the tonic."""
        return MODES[self.mode]

    def pitch(self, degree: int, octave: int = 4) -> int:
        """MIDI pitch of a degree; `octave` is the octave of degree 1 (4 starts at middle C)."""
        octaves, step = divmod(degree - 1, len(self.scale))
        return 12 * (octave + 1 + octaves) + self.root + self.scale[step]

    def step(self, pitch: int, steps: int) -> int:
        """The pitch `steps` scale steps away; a pitch outside the scale keeps its chromatic alteration."""
        octaves, offset = divmod(pitch - self.root, 12)
        index = max(place for place, tone in enumerate(self.scale) if tone <= offset)
        alteration = offset - self.scale[index]
        more, place = divmod(index + steps, len(self.scale))
        return self.root + 12 * (octaves + more) + self.scale[place] + alteration

    def moved(self, semitones: int) -> "Key":
        """The same mode on a tonic `semitones` higher."""
        names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
        return Key(names[(self.root + semitones) % 12], self.mode)

    def as_mode(self, mode: str) -> "Key":
        """The same tonic in another mode."""
        return Key(self.tonic, mode)


@dataclass(frozen=True)
class Chord:
    """A chord as pitch classes: root, intervals above it in semitones, and the pitch class in the bass."""

    root: int
    intervals: tuple[int, ...]
    bass: int

    @property
    def classes(self) -> tuple[int, ...]:
        """Pitch classes of all tones, root first."""
        return tuple((self.root + interval) % 12 for interval in self.intervals)

    def tone(self, name: str) -> int:
        """Semitones of the third, fifth or seventh above the root ('3', '5', '7'); the nearest tone if absent."""
        wanted = {"1": 0, "3": 4, "5": 7, "7": 10, "8": 12}[name]
        return 12 if name == "8" else min(self.intervals, key=lambda interval: (abs(interval - wanted), interval))


@dataclass(frozen=True)
class Span:
    """A chord that sounds from `start` for `length` beats."""

    chord: Chord
    start: float
    length: float


Harmony = tuple[Span, ...]


def roman(key: Key, numeral: str) -> Chord:
    """The chord of a Roman numeral in a key: 'vi7', 'bII', 'V7/vi' (secondary), 'I@3' (third degree in the bass)."""
    match = _ROMAN.match(numeral)
    if match is None:
        raise ValueError(f"Expected a Roman numeral such as vi7, V7/vi or I@3. Received: {numeral!r}")
    signs, figure, suffix, target, bass = match.groups()
    table = UPPER_CHORDS if figure.isupper() else LOWER_CHORDS
    if suffix not in table:
        raise ValueError(f"Expected a chord suffix of {sorted(table)}. Received: {numeral!r}")
    home = Key(key.moved(_degree(key, target) - key.root).tonic, "major") if target else key
    root = (_degree(home, signs + figure)) % 12
    low = root
    if bass:
        low = (key.pitch(int(bass.lstrip("#b"))) + sum(ACCIDENTALS[sign] for sign in bass.rstrip("0123456789"))) % 12
    return Chord(root, table[suffix], low)


def _degree(key: Key, figure: str) -> int:
    """Pitch class of a numeral's root."""
    letters = figure.lstrip("#b")
    return (key.pitch(NUMERALS[letters.upper()]) + sum(ACCIDENTALS[sign] for sign in figure[: -len(letters)])) % 12


def harmony(key: Key, text: str, meter: float = 4) -> Harmony:
    """Chords in time from text: bars between '|', the chords of a bar share it equally, '%' repeats the last bar."""
    spans: list[Span] = []
    previous = ""
    for number, bar in enumerate(part.strip() for part in text.strip().strip("|").split("|")):
        figures = (previous if bar == "%" else bar).split()
        previous = " ".join(figures)
        share = meter / len(figures)
        spans += [Span(roman(key, name), number * meter + at * share, share) for at, name in enumerate(figures)]
    return tuple(spans)


def length_of(chords: Harmony) -> float:
    """Length of a harmony in beats."""
    return chords[-1].start + chords[-1].length


def joined(*parts: Harmony) -> Harmony:
    """Several harmonies one after another."""
    spans: list[Span] = []
    for part in parts:
        offset = length_of(tuple(spans)) if spans else 0.0
        spans += [Span(span.chord, span.start + offset, span.length) for span in part]
    return tuple(spans)
