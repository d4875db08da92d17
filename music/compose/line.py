"""A line: notes in time, measured in beats from its own beginning. Every musical idea here is a line or makes one."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from music.compose.theory import Key


@dataclass(frozen=True, order=True)
class Note:
    """A pitch from `start` for `length` beats; `weight` 1.0 is the dynamic of its passage, more is an accent."""

    start: float
    pitch: int
    length: float
    weight: float = 1.0


@dataclass(frozen=True)
class Line:
    """Notes and the length in beats that they fill, rests included."""

    notes: tuple[Note, ...]
    length: float

    def __add__(self, other: "Line") -> "Line":
        """This line, then the other."""
        return Line(self.notes + other.later(self.length).notes, self.length + other.length)

    def __or__(self, other: "Line") -> "Line":
        """Both lines at once."""
        return Line(tuple(sorted(self.notes + other.notes)), max(self.length, other.length))

    def __mul__(self, times: int) -> "Line":
        """This line several times over."""
        result = Line((), 0)
        for _ in range(times):
            result = result + self
        return result

    def each(self, change: Callable[[Note], Note]) -> "Line":
        """The line with every note changed."""
        return replace(self, notes=tuple(change(note) for note in self.notes))

    def later(self, beats: float) -> "Line":
        """All notes moved later."""
        return self.each(lambda note: replace(note, start=note.start + beats))

    def transposed(self, semitones: int) -> "Line":
        """All pitches moved by semitones."""
        return self.each(lambda note: replace(note, pitch=note.pitch + semitones))

    def stepped(self, key: Key, steps: int) -> "Line":
        """All pitches moved by steps of the key: a sequence, or a second voice in thirds (-2) or sixths (-5)."""
        return self.each(lambda note: replace(note, pitch=key.step(note.pitch, steps)))

    def inverted(self, key: Key, axis: int) -> "Line":
        """The line upside down around the pitch `axis`, moved into the scale of the key."""
        return self.each(lambda note: replace(note, pitch=nearest(key, 2 * axis - note.pitch)))

    def stretched(self, factor: float) -> "Line":
        """The line slower (2 is augmentation) or faster (0.5 is diminution)."""
        notes = tuple(replace(n, start=n.start * factor, length=n.length * factor) for n in self.notes)
        return Line(notes, self.length * factor)

    def scaled(self, factor: float) -> "Line":
        """The line louder or softer."""
        return self.each(lambda note: replace(note, weight=note.weight * factor))

    def swelled(self, first: float, last: float) -> "Line":
        """The line with weights that go straight from `first` to `last`."""
        span = max(self.length, 1e-9)
        return self.each(lambda n: replace(n, weight=n.weight * (first + (last - first) * n.start / span)))

    def short(self, share: float = 0.5) -> "Line":
        """The line staccato: every note lasts this share of its length."""
        return self.each(lambda note: replace(note, length=note.length * share))

    def part(self, start: float, end: float) -> "Line":
        """The notes that begin in start..end beats, as a line of its own."""
        notes = tuple(n for n in self.notes if start - 1e-6 <= n.start < end - 1e-6)
        inside = tuple(replace(n, start=n.start - start, length=min(n.length, end - n.start)) for n in notes)
        return Line(inside, end - start)

    def padded(self, length: float) -> "Line":
        """The line with rests at its end up to `length` beats."""
        return replace(self, length=max(length, self.length))


def rest(beats: float) -> Line:
    """A silence."""
    return Line((), beats)


def nearest(key: Key, pitch: int) -> int:
    """The pitch of the key's scale nearest to `pitch`, the lower of two."""
    inside = {(key.root + tone) % 12 for tone in key.scale}
    return min(range(pitch - 3, pitch + 4), key=lambda p: (p % 12 not in inside, abs(p - pitch), p))


def together(lines: Iterable[Line]) -> Line:
    """All lines at once."""
    result = Line((), 0)
    for line in lines:
        result = result | line
    return result


def chord_hit(pitches: Iterable[int], length: float, weight: float = 1.0, spread: float = 0.0) -> Line:
    """One chord; each pitch enters `spread` beats after the one below."""
    notes = tuple(Note(place * spread, pitch, length, weight) for place, pitch in enumerate(pitches))
    return Line(notes, length)
