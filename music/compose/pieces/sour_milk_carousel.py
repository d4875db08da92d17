"""Sour Milk Carousel: a fairground waltz in G minor that has turned.

The organ is out of tune and every few bars a beat falls off.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit, roll
from music.compose.line import Line, Note, chord_hit
from music.compose.melody import grace, melody, trilled
from music.compose.patterns import bass, comp
from music.compose.score import Master, Room, Score, Section
from music.compose.theory import Harmony, Key, harmony

KEY = Key("G", "harmonic minor")
LIMP = 11  # beats in a limping group of bars: three, three, three, two

RIDE = melody(
    KEY,
    """
    5:1 b6 6 7:1 b8 8 9:1.5 b9:.5 8:1 7:1 b7
    6:1 b6 5 b5:1 5 8 5:2 b5:1 4:2
    4:1 b5 5 6:1 7 b8 8:1.5 b9:.5 9:1 b10:1 10
    9:1 b9 8 7:1 6 5 b2:1 1 #7, 1:2
""",
    octave=4,
    meter=None,
)
ASIDE = melody(
    KEY,
    """
    3:2 b3:1 2:2 b2:1 1:3 #7,:2 | 1:1 r 3 b5 r 5 8:2 b8:1 7:2
    6:2 b6:1 5:2 b5:1 4:3 3:2 | b3:1 r 2 b2 r 1 #7,:2 b7,:1 6,:2
""",
    octave=4,
    meter=LIMP,
)


def limp(text: str) -> Harmony:
    """Chords for limping groups: each of the four chords of a bar lasts three beats, the last one two."""
    spans = []
    for number, bar in enumerate(text.split("|")):
        for at, span in enumerate(harmony(KEY, bar, 12)):
            spans.append(type(span)(span.chord, number * LIMP + at * 3, 3 if at < 3 else 2))
    return tuple(spans)


TURNING = limp("i i bII7b5 V7 | iv i V7 i | iv iv bII bII7b5 | V7b9 VI7 bII7b5 i")
LURCHING = limp("i i bII bII | VI7 VI7 iv iv | bV7 bV7 IV7 IV7 | III7b5 bII7b5 V7 V7")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Sour Milk Carousel",
        "disgust",
        "Fairground waltz",
        KEY,
        158,
        meter=LIMP,
        valence=-0.45,
        arousal=0.4,
        room=Room(0.6, 0.2, 0.9, 0.9),
        master=Master(low=-0.2, body=1.9, presence=-6.6, high=1.0, ratio=1.6),
    )
    crank, ride, aside, ride2, stuck, ride3, spill = score.form(
        ("crank", 1),
        ("ride", 4),
        ("aside", 4),
        ("ride, with company", 4),
        ("stuck", 2),
        ("ride, a semitone up", 4),
        ("spill", 1.5),
    )
    score.at_tempo(crank, 90)
    score.slow(crank, 0, 1, 1.7)
    score.at_tempo(ride, 158)
    score.at_tempo(aside, 140)
    score.at_tempo(ride2, 162)
    score.slow(stuck, 0.5, 1.5, 0.6)
    score.at_tempo(ride3, 172)
    score.slow(spill, 0, 1.4, 0.4)
    pipes(score, crank, ride, aside, ride2, stuck, ride3, spill)
    wheels(score, crank, ride, aside, ride2, stuck, ride3, spill)
    return score


def pipes(score: Score, *form: Section) -> None:
    """The calliope, its double an untuned hair below, a wheezing ocarina, a honky-tonk piano, a snide oboe."""
    crank, ride, aside, ride2, stuck, ride3, spill = form
    calliope = score.part(play.CALLIOPE, pan=-0.25, volume=0.78, room=0.4, scoop=0.25, droop=0.4, loose=8)
    double = score.part(play.CALLIOPE, pan=0.3, volume=0.64, room=0.4, scoop=0.8, droop=0.9, loose=20, lag=18)
    oboe = score.part(play.OBOE, pan=0.45, volume=0.6, room=0.35, solo=True, droop=0.8, loose=14)
    ocarina = score.part(play.OCARINA, pan=-0.5, volume=0.6, room=0.4, scoop=1.0, droop=1.2, loose=16)
    calliope.play(crank, melody(KEY, "5:2 b5 5 b6 5:1 b5 5", 4, None), level="mp", to="f")
    for section, moved, level in ((ride, 0, "mf"), (ride2, 0, "f"), (ride3, 1, "f")):
        calliope.play(section, RIDE.transposed(moved), level=level)
        double.play(section, RIDE.transposed(moved), level=level)
    oboe.play(aside, ASIDE, level="mf")
    ocarina.play(aside, ASIDE.transposed(6).part(11, 22), bar=1, level="mp")
    ocarina.play(aside, ASIDE.transposed(-1).part(22, 44), bar=2, level="mp")
    oboe.play(ride2, grace(RIDE.stepped(KEY, -2), 1, 0.15, 0.9), level="mf")
    ocarina.play(ride2, trilled(melody(KEY, "5:22 | b6:22", 5, 22), 1, 0.5).scaled(0.6), level="mp")
    calliope.play(stuck, RIDE.part(0, 3) * 4 + RIDE.part(0, 2) * 4, level="f", to="mp")
    double.play(stuck, RIDE.part(0, 3).transposed(-1) * 4 + RIDE.part(0, 2).transposed(-2) * 4, level="f", to="mp")
    oboe.play(ride3, RIDE.transposed(7), level="f")
    ocarina.play(ride3, grace(RIDE, -1, 0.15, 0.9).transposed(13), level="mf")
    slide = Line(tuple(Note(at * 0.5, 80 - at, 0.5) for at in range(22)), 11)
    calliope.play(spill, slide, level="f", to="mp")
    double.play(spill, slide.transposed(-6), level="f", to="mp")
    oboe.play(spill, chord_hit((67,), 4), bar=1, level="mf")


def wheels(score: Score, *form: Section) -> None:
    """Tuba and honky-tonk turn the wheel, snare and cymbal stumble after it."""
    crank, ride, aside, ride2, stuck, ride3, spill = form
    tuba = score.part(play.TUBA, pan=0.1, volume=0.95, room=0.25, droop=0.6, loose=14)
    piano = score.part(play.HONKY_TONK, pan=-0.1, volume=0.76, room=0.3, loose=12)
    bass_line = score.part(play.BASSOON, pan=0.25, volume=0.62, room=0.3, loose=12)
    kit = score.part(play.ORCHESTRA_KIT, volume=0.82, room=0.35, loose=14)
    for section, chords, moved, level in (
        (ride, TURNING, 0, "mf"),
        (aside, LURCHING, 0, "mp"),
        (ride2, TURNING, 0, "f"),
        (ride3, TURNING, 1, "f"),
    ):
        tuba.play(section, bass(chords, "R..", 1, 27).short(0.7).transposed(moved), level=level)
        piano.play(section, offbeats(chords).transposed(moved), level=level)
        kit.play(
            section,
            groove(44, 1, kick="x..x..x..x.", snare=".xo.xo.xo.x", triangle="x..x..x..x.", tambourine=".xx.xx.xx.x"),
            level="mp" if section is aside else "mf",
        )
    bass_line.play(ride2, bass(TURNING, "R35", 1, 39).short(0.6), level="f")
    bass_line.play(ride3, bass(TURNING, "R35", 1, 39).short(0.6).transposed(1), level="f")
    kit.play(crank, roll("snare", 3, 0.125, 0.3, 1.0).later(8), level="mf")
    piano.play(crank, chord_hit((55, 61, 68), 9), level="p")
    piano.play(stuck, comp(TURNING, ".xx", 1, (55, 72), 4).short(0.4).part(0, 20), level="mf")
    tuba.play(stuck, bass(TURNING, "R..", 1, 27).short(0.7).part(0, 20), level="mf")
    kit.play(ride3, hit("crash", 0.9), level="f")
    tuba.play(spill, bass(TURNING, "R..", 1, 27).part(0, 11), level="f", to="mp")
    piano.play(spill, chord_hit((43, 49, 55, 56, 62), 4, 1, 0.1), bar=1, level="f")
    tuba.play(spill, chord_hit((31,), 4), bar=1, level="f")
    kit.play(spill, hit("kick", 1.1) | hit("china", 0.9), bar=1, level="f")


def offbeats(chords: Harmony) -> Line:
    """Chords on the second and third beats of every group."""
    struck = comp(chords, "x", 1, (55, 72), 4).short(0.4)
    downbeats = {span.start for span in chords}
    return Line(tuple(note for note in struck.notes if note.start not in downbeats), struck.length)
