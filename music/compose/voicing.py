"""Voice leading: each chord is set so that its voices move little, and not in parallel fifths or octaves."""

from functools import cache
from itertools import combinations, pairwise

from music.compose.theory import Chord, Harmony

Voicing = tuple[int, ...]
PARALLEL_COST = 6.0
SPREAD_COST = 0.15


@cache
def candidates(chord: Chord, low: int, high: int, voices: int) -> tuple[Voicing, ...]:
    """All settings of a chord with `voices` pitches in low..high that leave out at most the fifth; lowest first."""
    classes = set(chord.classes)
    pitches = [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]
    fifth = (chord.root + chord.tone("5")) % 12
    needed = classes if len(classes) <= voices else set(chord.classes[1:]) - {fifth}
    for must in (needed, needed - {fifth}, set(chord.classes[:2]), set()):
        found = tuple(
            chosen
            for chosen in combinations(pitches, voices)
            if must <= {pitch % 12 for pitch in chosen}
            and all(0 < upper - lower <= 12 for lower, upper in pairwise(chosen))
        )
        if found:
            return found
    raise ValueError(f"Expected room for {voices} voices between {low} and {high}. Received: {chord}")


def movement(before: Voicing, after: Voicing) -> float:
    """Cost of going from one setting to the next: semitones moved, leaps twice, parallel fifths and octaves dearly."""
    moves = [abs(new - old) for old, new in zip(before, after, strict=True)]
    cost = float(sum(move + max(0, move - 4) for move in moves))
    for lower, upper in combinations(range(len(before)), 2):
        apart = (before[upper] - before[lower]) % 12
        if apart in (0, 7) and apart == (after[upper] - after[lower]) % 12 and before[lower] != after[lower]:
            cost += PARALLEL_COST
    return cost


def voiced(chords: Harmony, low: int, high: int, voices: int = 4) -> list[Voicing]:
    """One setting a chord, in order, voice-led; the first lies nearest the middle of low..high."""
    centre = (low + high) / 2
    chosen: list[Voicing] = []
    for span in chords:
        options = candidates(span.chord, low, high, voices)

        def cost(option: Voicing) -> tuple[float, Voicing]:
            spread = SPREAD_COST * sum(abs(pitch - centre) for pitch in option)
            return (spread if not chosen else movement(chosen[-1], option) + spread, option)

        chosen.append(min(options, key=cost))
    return chosen
