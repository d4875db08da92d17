"""Something in the Stairwell: suspense around C sharp.

Steps that halt, a lullaby out of tune, strings that hold their breath.
"""

from music.compose import instruments as play
from music.compose.drums import hit, roll
from music.compose.line import Line, Note, chord_hit
from music.compose.melody import melody, repeated, trilled
from music.compose.score import CAVE, Master, Score, Section
from music.compose.theory import Key

KEY = Key("C#", "octatonic")
MINOR = Key("C#", "minor")

LULLABY = melody(
    MINOR,
    """
    5:1 3 1 | 2:1.5 #3:.5 1:1 | b5:1 3 1 | 7,:3
""",
    octave=5,
    meter=3,
)
STEPS = melody(
    KEY,
    """
    1:1* r r 1:1* r r 3:1* r:.5 2:1.5 r:1 r
    1:1* r 1* r:1.5 4:1* r:1.5 2:2 r:2
    1:1* r r 3:1* r:.5 b3:1* r:2 b2:2.5 r:1
""",
    octave=2,
    meter=None,
)
HUNT = melody(
    KEY,
    """
    1:.5 2 4 3 1 2 5 4 | 1 2 4 3 6 5 4 2 | 3 4 6 5 3 4 7 6 | 5 6 8 7 9 8 6 5
""",
    octave=2,
)
SIGH = melody(KEY, "6:3 5:1 | 4:2 3:2 | 5:3 4:1 | 2:4", octave=4)

HELD = (49, 56, 62, 63)
CLOSER = (50, 55, 61, 62, 67)
SHRIEK = (73, 74, 79, 80, 85, 86)


def compose() -> Score:
    """The piece."""
    score = Score(
        "Something in the Stairwell",
        "fear",
        "Suspense",
        KEY,
        66,
        valence=-0.7,
        arousal=0.55,
        room=CAVE,
        master=Master(low=6.0, body=-4.7, presence=-7.8, high=3.1, ratio=2.2),
    )
    dark, steps, lullaby, nearer, hunt, breath, lull_end = score.form(
        ("dark", 3),
        ("steps", 5),
        ("lullaby", 4, 3),
        ("nearer", 4),
        ("hunt", 4),
        ("held breath", 3),
        ("lullaby, broken", 4, 3),
    )
    score.at_tempo(nearer, 72)
    score.slow(nearer, 2, 2, 1.4)
    score.at_tempo(hunt, 104)
    score.slow(hunt, 2, 2, 1.2)
    score.at_tempo(breath, 60)
    score.at_tempo(lull_end, 56)
    score.slow(lull_end, 2, 2, 0.7)
    strings(score, dark, steps, lullaby, nearer, hunt, breath, lull_end)
    feet(score, steps, nearer, hunt, breath, lull_end)
    box(score, lullaby, nearer, breath, lull_end)
    thunder(score, dark, steps, nearer, hunt, breath)
    return score


def cluster(pitches: tuple[int, ...], length: float, spread: float = 0.4) -> Line:
    """Held notes that come in one after another."""
    return Line(tuple(Note(at * spread, p, length - at * spread) for at, p in enumerate(pitches)), length)


def strings(score: Score, *form: Section) -> None:
    """Tremolo clusters that swell and vanish, low sustained basses, a viola sigh."""
    dark, steps, lullaby, nearer, hunt, breath, end = form
    shiver = score.part(play.TREMOLO_STRINGS, pan=0.35, volume=0.72, room=0.7)
    deep = score.part(play.CONTRABASS, pan=-0.3, volume=0.86, room=0.6, loose=15)
    viola = score.part(play.VIOLA, pan=0.2, volume=0.9, room=0.7, solo=True, droop=0.6, loose=20)
    deep.play(dark, chord_hit((25, 37), 12), level="pp")
    shiver.play(dark, cluster(HELD, 9, 1.5), bar=0.75, level="p", to="mf")
    shiver.swell(dark, (0, 0.3), (1.6, 0.9), (3, 0.25))
    deep.play(steps, chord_hit((26,), 9) + chord_hit((25,), 11), level="pp")
    viola.play(steps, SIGH, bar=1, level="p", to="mp")
    shiver.play(steps, cluster(CLOSER, 8, 0.6), bar=2.5, level="mp")
    shiver.swell(steps, (0, 0.25), (2.5, 0.3), (4.4, 1.0), (4.8, 0.15))
    deep.play(lullaby, chord_hit((25,), 12), level="pp")
    shiver.play(nearer, cluster(HELD, 8, 0.5) + cluster(CLOSER, 8, 0.5), level="mp", to="ff")
    shiver.swell(nearer, (0, 0.2), (2, 0.6), (4, 1.0))
    viola.play(nearer, SIGH.transposed(3), level="mp", to="f")
    deep.play(hunt, repeated(HUNT, 0.5), level="f", to="ff")
    shiver.play(hunt, cluster((61, 62, 67, 68), 8, 0.1) + cluster((64, 65, 70, 71), 6, 0.1), level="f", to="fff")
    shiver.swell(hunt, (0, 0.8), (3.4, 1.0))
    violins = score.part(play.STRINGS, pan=-0.4, volume=0.64, room=0.65)
    violins.play(hunt, trilled(melody(KEY, "5:4 | 6 | 7 | 8:2", 4, None), 1, 0.25), level="mf", to="ff")
    violins.play(hunt, chord_hit(SHRIEK, 1.5, 1.1), bar=3.5, level="ff")
    deep.play(breath, chord_hit((25, 26), 12), level="pp")
    shiver.play(breath, cluster((85, 86), 10), bar=0.4, level="pp")
    shiver.swell(breath, (0, 0.35), (1.5, 0.5), (3, 0.3))
    deep.play(end, chord_hit((25,), 12), level="p")
    deep.swell(end, (0, 0.8), (4, 0.5))


def feet(score: Score, steps: Section, nearer: Section, hunt: Section, breath: Section, end: Section) -> None:
    """Footsteps: plucked bass and the lowest piano strings; they run in the hunt."""
    pluck = score.part(play.PIZZICATO, pan=-0.2, volume=1.0, room=0.6, loose=28)
    piano = score.part(play.PIANO, pan=0.0, volume=0.74, room=0.7, loose=22)
    pluck.play(steps, STEPS.part(0, 20), level="mp")
    piano.play(steps, STEPS.part(0, 20).transposed(-12), level="mp")
    pluck.play(nearer, STEPS.part(10, 26).transposed(12), level="mf", to="f")
    piano.play(nearer, STEPS.part(10, 26), level="mf", to="f")
    piano.play(hunt, HUNT, level="f", to="ff")
    pluck.play(hunt, HUNT.transposed(12), level="f", to="ff")
    piano.play(hunt, chord_hit((25, 26, 32, 37), 5, 1.1), bar=3.5, level="fff")
    pluck.play(breath, melody(KEY, "r:5 1:1* r:3 1:1* r:2", 2, None), level="mp")
    piano.play(end, chord_hit((25, 31), 6), bar=3, level="p")


def box(score: Score, lullaby: Section, nearer: Section, breath: Section, end: Section) -> None:
    """The lullaby on a music box, with a glass pad round it; in the end it stops before the last note."""
    tinkle = score.part(play.MUSIC_BOX, pan=0.3, volume=1.0, room=0.8, loose=18)
    glass = score.part(play.BOWED_PAD, pan=-0.5, volume=0.78, room=0.8)
    tinkle.play(lullaby, LULLABY, level="mp")
    glass.play(lullaby, chord_hit((61, 68, 74), 12), level="p")
    glass.swell(lullaby, (0, 0.5), (2, 1.0), (4, 0.4))
    tinkle.play(nearer, LULLABY.part(0, 6).transposed(1), bar=1, level="p")
    glass.play(breath, chord_hit((62, 67), 12), level="p", to="pp")
    tinkle.play(end, LULLABY.part(0, 8), level="p", to="pp")
    tinkle.play(end, LULLABY.part(0, 3).transposed(-1), bar=3, level="pp")


def thunder(score: Score, dark: Section, steps: Section, nearer: Section, hunt: Section, breath: Section) -> None:
    """Timpani and a bass drum far away, a gong backwards before every fright."""
    drum = score.part(play.TIMPANI, pan=0.1, volume=0.8, room=0.7, loose=15)
    kit = score.part(play.ORCHESTRA_KIT, volume=0.8, room=0.7, loose=12)
    back = score.part(play.REVERSE_CYMBAL, pan=0.4, volume=0.85, room=0.6)
    kit.play(dark, hit("kick", 1.0), level="mp")
    drum.play(dark, Line((Note(0, 37, 1),), 1), bar=1.5, level="p")
    for section, weight in ((dark, 0.3), (steps, 0.25), (nearer, 0.35), (breath, 0.3)):
        kit.play(section, roll("crash", section.length, 0.125, weight, weight), level="p")
    back.play(steps, chord_hit((60,), 3), bar=3.9, level="mf")
    drum.play(nearer, repeated(chord_hit((37,), 16), 0.25), level="pp", to="mf")
    kit.play(nearer, roll("kick2", 8, 0.5), bar=2, level="mp", to="f")
    drum.play(hunt, repeated(melody(Key("C#", "minor"), "1:2^ 5,:2", 2, None), 0.5) * 3, level="f", to="ff")
    kit.play(hunt, roll("kick", 14, 1), level="f")
    kit.play(hunt, hit("kick", 1.2) | hit("crash", 0.9), bar=3.5, level="ff")
    kit.play(breath, hit("kick", 0.7), bar=1.5, level="p")
