"""A score: what the piece is, its form in sections, its parts, its tempo. Times are beats from the beginning."""

from dataclasses import dataclass, field
from random import Random

from music.compose.instruments import Instrument
from music.compose.line import Line, Note
from music.compose.theory import Key

DYNAMICS = {"ppp": 0.22, "pp": 0.31, "p": 0.41, "mp": 0.52, "mf": 0.63, "f": 0.75, "ff": 0.87, "fff": 0.97}


@dataclass(frozen=True)
class Room:
    """The reverberation of a piece: size, damping, level and width, all 0..1.

    A width over 1 would feed each side the other's reverberation upside down: wide on paper, hollow on one loudspeaker.
    """

    size: float = 0.55
    damp: float = 0.3
    level: float = 0.8
    width: float = 0.7


@dataclass(frozen=True)
class Master:
    """The last touch on the sound: decibels of four broad filters, and the ratio of the gentle compressor."""

    low: float = 0.0  # shelf under 140 Hz
    body: float = 0.0  # bell around 500 Hz, two octaves wide
    presence: float = 0.0  # bell around 2 kHz, two octaves wide
    high: float = 0.0  # shelf over 5.2 kHz
    ratio: float = 1.6


HALL = Room(0.75, 0.3, 0.9, 0.9)
CHAMBER = Room(0.55, 0.3, 0.8, 0.8)
STUDIO = Room(0.35, 0.4, 0.7, 0.7)
CAVE = Room(0.88, 0.2, 1.0, 1.0)


@dataclass(frozen=True)
class Section:
    """A part of the form: `bars` bars of `meter` beats from beat `start`."""

    name: str
    start: float
    bars: float
    meter: float

    @property
    def length(self) -> float:
        """Length in beats."""
        return self.bars * self.meter

    @property
    def end(self) -> float:
        """The beat after the last."""
        return self.start + self.length

    def bar(self, number: float) -> float:
        """The beat on which bar `number` (from 0) begins."""
        return self.start + number * self.meter


@dataclass
class Part:
    """One player: instrument, place (pan -1 left..1 right), volume and reverberation 0..1, and the notes played so far.

    `solo` lets a singing instrument swell and take vibrato on long notes; `loose` is the spread of its timing in
    milliseconds, `lag` its distance behind the beat. Long notes begin `scoop` semitones low and end `droop` low.
    """

    instrument: Instrument
    pan: float = 0.0
    volume: float = 0.8
    room: float = 0.4
    solo: bool = False
    loose: float = 7.0
    lag: float = 0.0
    scoop: float = 0.0
    droop: float = 0.0
    notes: list[Note] = field(default_factory=list)
    swells: list[tuple[float, float]] = field(default_factory=list)

    def play(self, at: Section, line: Line, bar: float = 0, level: str = "mf", to: str | None = None) -> None:
        """Write a line into the part from a bar of a section, at a dynamic, or from one dynamic to another."""
        first, last = DYNAMICS[level], DYNAMICS[to or level]
        offset = at.bar(bar)
        for note in line.notes:
            share = min(1.0, max(0.0, note.start / max(line.length, 1e-9)))
            weight = note.weight * (first + (last - first) * share)
            self.notes.append(Note(note.start + offset, note.pitch, note.length, weight))

    def swell(self, at: Section, *points: tuple[float, float]) -> None:
        """Draw the expression (0..1) of held notes through points of (bar of the section, value)."""
        self.swells += [(at.bar(bar), value) for bar, value in points]


@dataclass
class Score:
    """A piece. Valence and arousal lie in -1..1 (Russell's circumplex); tempo is in quarter notes a minute."""

    title: str
    expression: str
    genre: str
    key: Key
    tempo: float
    meter: float = 4
    valence: float = 0.0
    arousal: float = 0.0
    swing: float = 0.5
    swing_unit: float = 0.5
    room: Room = CHAMBER
    master: Master = field(default_factory=Master)
    lifts_from: tuple[str, ...] = ()
    parts: list[Part] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    tempos: list[tuple[float, float]] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """The title as a file name without ending."""
        kept = "".join(sign if sign.isalnum() else " " for sign in self.title.lower().replace("'", ""))
        return "-".join(kept.split())

    def rng(self, purpose: str) -> Random:
        """A source of chance that depends on nothing but the piece and the purpose."""
        return Random(f"{self.title}/{purpose}")

    def form(self, *plan: tuple[str, float] | tuple[str, float, float]) -> list[Section]:
        """The sections of a plan of (name, bars) or (name, bars, meter), each after the one before."""
        for name, bars, *meter in plan:
            start = self.sections[-1].end if self.sections else 0.0
            self.sections.append(Section(name, start, bars, meter[0] if meter else self.meter))
        return self.sections[-len(plan) :]

    def part(self, instrument: Instrument, **manner: float) -> Part:
        """A new player; `manner` holds pan, volume, room, solo, loose, lag, scoop, droop."""
        self.parts.append(Part(instrument, **manner))  # type: ignore[arg-type]
        return self.parts[-1]

    def at_tempo(self, at: Section, bpm: float, bar: float = 0) -> None:
        """A new tempo from a bar of a section on."""
        self.tempos.append((at.bar(bar), bpm))

    def slow(self, at: Section, bar: float, bars: float, share: float) -> None:
        """A ritardando (share < 1) or accelerando from `bar` over `bars` bars to `share` of the tempo there."""
        begin, steps = at.bar(bar), max(2, round(bars * at.meter * 2))
        tempo = self.tempo_at(begin)
        for step in range(steps):
            self.tempos.append((begin + step * 0.5, tempo * (1 + (share - 1) * (step + 1) / steps)))

    def breathe(self, at: Section, depth: float, bars: float = 4) -> None:
        """Rubato: within every group of `bars` bars the tempo rises by `depth`, then falls by as much at the end."""
        tempo, beats = self.tempo_at(at.start), bars * at.meter
        for step in range(round(at.length * 2)):
            place = (step / 2 % beats) / beats
            curve = 4 * place * (1 - place) - 0.55 - 0.6 * max(0.0, place - 0.8) / 0.2
            self.tempos.append((at.start + step / 2, tempo * (1 + depth * curve)))
        self.tempos.append((at.end, tempo))

    def tempo_at(self, beat: float) -> float:
        """Tempo in beats a minute at a beat."""
        before = [entry for entry in sorted(self.tempos, key=lambda entry: entry[0]) if entry[0] <= beat + 1e-6]
        return before[-1][1] if before else self.tempo

    @property
    def instruments(self) -> tuple[str, ...]:
        """Names of the instruments that play, each once, in the order of the score."""
        return tuple(dict.fromkeys(part.instrument.name for part in self.parts if part.notes))
