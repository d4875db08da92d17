"""Under the Ice: slow terror in G minor.

A heart under a frozen lake, metal that groans, a chorale too deep to breathe.
"""

from collections.abc import Callable

from music.compose import instruments as play
from music.compose.drums import hit, roll
from music.compose.line import Line, Note, chord_hit, rest
from music.compose.melody import melody
from music.compose.patterns import bass, pad
from music.compose.score import CAVE, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("G", "minor")

CHORALE = melody(
    KEY,
    """
    1:4 | b2:3 1:1 | 3:2 4:2 | b5:4
    5:3 b5:1 | 4:2 3:2 | b2:4 | 1:4
""",
    octave=3,
)
CALL = melody(KEY, "8:1.5 7:.5 #7:2 | b9:3 r:1 | 8:1.5 12:.5 b12:2 | 11:1 b9:2 r:1", octave=4)
DEEP = harmony(KEY, "i | bII | i | bV | i | iv | bII | i")
CRACKS = (2.3, 5.7, 6.1, 9.4, 14.2, 14.6, 17.9, 22.5, 22.7, 25.3, 29.1, 30.4)


def compose() -> Score:
    """The piece."""
    score = Score(
        "Under the Ice",
        "fear",
        "Horror score",
        KEY,
        76,
        valence=-0.8,
        arousal=0.6,
        room=CAVE,
        master=Master(low=-3.1, body=3.5, presence=-3.0, high=0.8, ratio=2.0),
    )
    ice, heart, chorale, call, crack, chorale2, still = score.form(
        ("ice", 2), ("heart", 4), ("chorale", 8), ("call", 4), ("cracks", 4), ("chorale, rising", 8), ("still", 3)
    )
    score.slow(crack, 0, 4, 1.45)
    score.at_tempo(chorale2, 88)
    score.at_tempo(still, 62)
    depth(score, ice, heart, chorale, call, crack, chorale2, still)
    surface(score, ice, heart, chorale, call, crack, chorale2, still)
    pulse(score, heart, chorale, call, crack, chorale2, still)
    return score


def depth(score: Score, *form: Section) -> None:
    """Trombones and bassoon with the chorale, low strings in fifths, a church organ's pedal at the height."""
    ice, heart, chorale, call, crack, last, still = form
    trombone = score.part(play.TROMBONE, pan=0.3, volume=0.55, room=0.7, loose=18)
    bassoon = score.part(play.BASSOON, pan=-0.3, volume=0.74, room=0.7, loose=18)
    low = score.part(play.SLOW_STRINGS, pan=0.0, volume=0.7, room=0.6)
    organ = score.part(play.CHURCH_ORGAN, pan=0.05, volume=0.56, room=0.7)
    low.play(ice, chord_hit((31, 38), 8), level="mp")
    low.play(heart, chord_hit((31, 38), 8) + chord_hit((32, 37), 8), level="p")
    bassoon.play(chorale, CHORALE, level="mp")
    trombone.play(chorale, CHORALE.part(16, 32).transposed(-5), bar=4, level="mp")
    low.play(chorale, pad(DEEP, 31, 53, 3), level="p", to="mp")
    low.play(call, chord_hit((31, 32), 16), level="p")
    low.play(crack, Line(tuple(Note(beat * 2, 31 + beat, 2) for beat in range(8)), 16), level="p", to="f")
    for part, octave, level in ((trombone, 0, "ff"), (bassoon, -12, "f"), (organ, 12, "f")):
        part.play(last, CHORALE.transposed(octave + 2), level=level)
    low.play(last, pad(DEEP, 33, 56, 4).transposed(2), level="f")
    organ.play(last, bass(DEEP, "R-------", 0.5, 26).transposed(2), level="f")
    low.play(still, chord_hit((31, 38), 11), level="mp", to="p")
    low.swell(still, (0, 0.9), (1.5, 0.7), (3, 0.25))
    bassoon.play(still, melody(KEY, "b2:2 1:6", 3, None), bar=0.5, level="p")


def surface(score: Score, *form: Section) -> None:
    """What is above: bent metal, a far soprano saxophone like a bird, strings that slide up a semitone at a time."""
    ice, heart, chorale, call, crack, last, still = form
    metal = score.part(play.METAL_PAD, pan=-0.45, volume=1.0, room=0.8)
    glass = score.part(play.ICE_RAIN, pan=0.5, volume=1.0, room=0.8)
    bird = score.part(play.SOPRANO_SAX, pan=0.25, volume=0.6, room=0.9, solo=True, scoop=0.6, droop=1.0, loose=20)
    shiver = score.part(play.TREMOLO_STRINGS, pan=-0.2, volume=1.0, room=0.6)
    wind = score.part(play.SURF, pan=-0.1, volume=0.86, room=0.6)
    for section in form:
        wind.play(section, chord_hit((42, 84), section.length), level="mf")
        wind.swell(section, (0, 0.5), (section.bars * 0.6, 1.0), (section.bars - 0.1, 0.45))
    metal.play(ice, chord_hit((43, 50, 56), 8), level="mp")
    metal.swell(ice, (0, 0.5), (1, 1.0), (2, 0.4))
    glass.play(heart, melody(KEY, "r:3 12:3 b9:2 | r:5 b12:3", 4, 8), level="f")
    shiver.play(chorale, chord_hit((55, 56, 62), 16), bar=4, level="mf", to="f")
    shiver.swell(chorale, (4, 0.3), (7, 1.0), (8, 0.3))
    bird.play(call, CALL, level="mp")
    glass.play(call, melody(KEY, "r:2 b12:6 | r:3 b9:5", 4, 8), level="f")
    climb = Line(tuple(Note(beat * 2, 55 + beat + third, 2) for beat in range(8) for third in (0, 1, 6)), 16)
    shiver.play(crack, climb, level="f", to="fff")
    bird.play(last, CALL.transposed(2) + CALL.transposed(3), level="f")
    shiver.play(last, (chord_hit((64, 65, 70), 16) + chord_hit((65, 66, 71), 15)), level="ff", to="fff")
    metal.play(last, chord_hit((45, 51, 57), 30), level="mf")
    metal.play(still, chord_hit((43, 44), 12), level="mp")
    metal.swell(still, (0, 0.9), (1, 0.8), (3, 0.2))
    glass.play(still, melody(KEY, "r:5 b12:5", 4, None), level="mf")


def pulse(
    score: Score, heart: Section, chorale: Section, call: Section, crack: Section, last: Section, still: Section
) -> None:
    """The heart: two strokes and a gap that is never quite the same; ice cracks on blocks and piano strings."""
    drum = score.part(play.TAIKO, pan=0.0, volume=1.0, room=0.5, loose=10)
    kit = score.part(play.ORCHESTRA_KIT, volume=0.68, room=0.7, loose=10)
    snap = score.part(play.WOODBLOCK, pan=0.6, volume=0.95, room=0.9)
    chance = score.rng("heart")
    for section, level in ((heart, "mp"), (chorale, "p"), (call, "mp"), (crack, "mf"), (last, "f")):
        drum.play(section, beating(section.length, chance.random), level=level)
    snap.play(
        heart, Line(tuple(Note(at / 2, 50 + round(at) % 5, 0.3, 0.6 + at % 1 / 2) for at in CRACKS), 16), level="mp"
    )
    snap.play(
        crack, Line(tuple(Note(at / 2, 48 + round(at) % 9, 0.3, 0.6 + at % 1) for at in CRACKS), 16), level="f", to="ff"
    )
    kit.play(crack, roll("kick", 8, 0.25, 0.3, 1.0), bar=2, level="mf", to="ff")
    kit.play(crack, rest(14) + roll("crash", 2, 0.125, 0.2, 0.9), level="f")
    kit.play(last, hit("kick", 1.2) | hit("crash"), level="ff")
    kit.play(last, hit("kick", 1.2) | hit("crash", 0.8), bar=4, level="ff")
    kit.play(still, hit("kick", 1.0) | hit("china", 0.6), level="f")
    drum.play(
        still, Line((Note(4.0, 43, 1, 0.9), Note(4.6, 43, 1, 0.7), Note(8.2, 43, 1, 0.6)), 12), level="mp", to="p"
    )


def beating(length: float, chance: Callable[[], float]) -> Line:
    """Pairs of strokes about every two beats, each pair a little early or late."""
    notes: list[Note] = []
    at = 0.0
    while at < length - 0.6:
        notes += [Note(at, 41, 0.5, 1.0), Note(at + 0.45, 41, 0.5, 0.72)]
        at += 1.7 + 0.7 * chance()
    return Line(tuple(notes), length)
