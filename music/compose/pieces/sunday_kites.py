"""Sunday Kites: folk pop in D major.

A recorder tune over strummed guitars; claps and a banjo join, an accordion remembers.
"""

from music.compose import instruments as play
from music.compose.drums import fill, groove, hit
from music.compose.line import Line, chord_hit
from music.compose.melody import grace, melody, ornamented
from music.compose.patterns import arpeggio, bass, counter, pad, strum
from music.compose.score import STUDIO, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("D", "major")

THEME = melody(
    KEY,
    """
    3:1 5:.5 6 8:1.5 7:.5 | 6:1 5:.5 3 5:2 | 2:1 3:.5 4 6:1.5 5:.5 | 4:.5 3 2 3 2:1 r
    3:1 5:.5 6 8:1.5 9:.5 | 10:1 9:.5 8 6:2 | 4:.5 5 6 8 7:1 5 | 8:3 r:1
""",
    octave=5,
)
MIDDLE = melody(
    KEY,
    """
    6:1.5 8:.5 10:2 | 9:.5 8 6:1 8:2 | 5:1.5 8:.5 9:1 10 | 9:3 r:1
    6:1.5 8:.5 10:1 12 | 11:.5 10 9:1 8:2 | 9:.5 8 6 4 6:1 8 | 8:2 7:1 r
""",
    octave=4,
)
CALL = melody(KEY, "5:.5* 8* 5* 6* 5:1 r | 5:.5* 8* 5* 6* 8:1 r", octave=5)

OPENING = harmony(KEY, "I | IVadd9 | I | Vsus4 V")
VERSE = harmony(KEY, "I | vi7 | ii7 | V | I | vi | IV V | I")
BRIDGE = harmony(KEY, "vi | IV | I | V | vi | IV | ii7 | Vsus4 V")
ENDING = harmony(KEY, "I | IVadd9 | I")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Sunday Kites",
        "happy",
        "Folk pop",
        KEY,
        118,
        valence=0.8,
        arousal=0.5,
        room=STUDIO,
        master=Master(low=-1.6, body=1.6, presence=0.4, high=1.0),
        lifts_from=("sad", "fear"),
    )
    intro, first, second, bridge, call, last, coda = score.form(
        ("introduction", 4),
        ("theme", 8),
        ("theme, doubled", 8),
        ("bridge", 8),
        ("call", 4),
        ("theme, all", 8),
        ("coda", 3),
    )
    score.slow(coda, 1, 1.5, 0.72)
    tune(score, first, second, bridge, call, last)
    strings(score, intro, first, second, bridge, call, last, coda)
    rhythm(score, intro, first, second, bridge, call, last, coda)
    return score


def tune(score: Score, first: Section, second: Section, bridge: Section, call: Section, last: Section) -> None:
    """Who has the melody: recorder, then with glockenspiel, accordion in the bridge, everybody at the end."""
    recorder = score.part(play.RECORDER, pan=0.15, volume=0.62, room=0.45, solo=True)
    bells = score.part(play.GLOCKENSPIEL, pan=0.45, volume=0.75, room=0.5)
    accordion = score.part(play.ACCORDION, pan=-0.4, volume=0.88, room=0.35, solo=True)
    recorder.play(first, grace(THEME, least=1.4), level="mf")
    recorder.play(second, ornamented(KEY, THEME, every=3), level="mf", to="f")
    bells.play(second, THEME.short(0.9), level="mp")
    accordion.play(bridge, MIDDLE, level="mf")
    accordion.play(bridge, MIDDLE.part(16, 32).stepped(KEY, -2).scaled(0.8), bar=4, level="mf")
    bells.play(call, CALL, level="mf")
    recorder.play(call, CALL.stepped(KEY, 2), bar=2, level="mf")
    recorder.play(last, ornamented(KEY, THEME, every=2), level="f")
    bells.play(last, THEME.stepped(KEY, 2).short(0.9), level="mf")
    accordion.play(last, counter(VERSE, THEME, (57, 74), step=2), level="mf")


def strings(score: Score, *form: Section) -> None:
    """Two guitars, a banjo from the second verse on, soft accordion chords under the last."""
    intro, first, second, bridge, call, last, coda = form
    left = score.part(play.STEEL_GUITAR, pan=-0.55, volume=0.72, room=0.25, loose=9)
    right = score.part(play.NYLON_GUITAR, pan=0.55, volume=0.78, room=0.3, loose=9)
    banjo = score.part(play.BANJO, pan=0.3, volume=0.72, room=0.25)
    right.play(intro, arpeggio(OPENING, "0 2 1 3 2 1 3 2", 0.5, (50, 72), ring=1.6), level="mp", to="mf")
    left.play(intro, strum(OPENING, "D---D-U-D---D-UU", 0.5), level="p", to="mf")
    for section, chords, level in (
        (first, VERSE, "mp"),
        (second, VERSE, "mf"),
        (bridge, BRIDGE, "mp"),
        (last, VERSE, "f"),
    ):
        left.play(section, strum(chords, "D-DU-UDU", 0.5), level=level)
        right.play(section, arpeggio(chords, "0 2 1 3 2 1 3 2", 0.5, (50, 72), ring=1.6), level=level)
    for section, chords in ((second, VERSE), (last, VERSE)):
        banjo.play(section, arpeggio(chords, "0 3 1 2 3 1 2 3", 0.25, (55, 76)), level="mp")
    left.play(call, strum(OPENING, "D.......D.DU....", 0.5), level="mf")
    left.play(
        coda,
        strum(ENDING, "D-DU-UDU", 0.5).part(0, 8) + chord_hit((50, 57, 62, 66, 69), 4, 1, 0.07),
        level="f",
        to="mp",
    )
    right.play(coda, arpeggio(ENDING, "0 2 1 3 2 1 3 2", 0.5, (50, 72), ring=2).part(0, 8), level="mf", to="mp")
    bells = next(part for part in score.parts if part.instrument is play.GLOCKENSPIEL)
    bells.play(coda, melody(KEY, "3:.5 5 8 10 12:2", 5), bar=2, level="mp")
    hum = score.part(play.VOICE_OOHS, pan=-0.1, volume=0.68, room=0.55)
    hum.play(bridge, pad(BRIDGE, 57, 74, 3), level="p", to="mf")
    hum.play(last, pad(VERSE, 57, 76, 3), level="mp")


def rhythm(score: Score, *form: Section) -> None:
    """Bass and hands: shaker first, then kick and claps, half-time in the bridge, a stop in the call."""
    intro, first, second, bridge, call, last, coda = form
    low = score.part(play.FINGER_BASS, volume=0.76, room=0.12, loose=5)
    drums = score.part(play.DRUM_KIT, volume=0.85, room=0.25, loose=5)
    walk, chance = "R--R5-L-", score.rng("fills")
    low.play(first, bass(VERSE, "R--.5-..", 0.5, 38), level="mf")
    low.play(second, bass(VERSE, walk, 0.5, 38), level="mf")
    low.play(bridge, bass(BRIDGE, "R---5---", 0.5, 38), level="mf")
    low.play(last, bass(VERSE, walk, 0.5, 38), level="f")
    low.play(coda, bass(ENDING, "R---5---", 0.5, 38), level="mf", to="mp")
    drums.play(intro, groove(8, shaker="o.x.o.x.o.x.o.xo"), bar=2, level="p", to="mf")
    drums.play(
        first, groove(32, kick="x.....x.x.......", shaker="o.x.o.x.o.x.o.xo", stick="....x.......x..."), level="mp"
    )
    drums.play(first, fill(chance, 1), bar=7.75, level="mf")
    for section, level in ((second, "mf"), (last, "f")):
        drums.play(section, full_groove(section), level=level)
        drums.play(section, fill(chance, 2), bar=7.5, level=level)
    drums.play(second, hit("crash", 0.8), level="mf")
    drums.play(
        bridge,
        groove(32, kick="x...............", clap="........x.......", shaker="o.x.o.x.o.x.o.xo"),
        level="mp",
        to="mf",
    )
    drums.play(call, groove(16, clap="....x.......x.x.", tambourine="x.......x......."), level="mf")
    drums.play(call, fill(chance, 2), bar=3.5, level="f")
    drums.play(last, hit("crash"), level="f")
    drums.play(coda, hit("crash", 0.7), bar=2, level="mf")


def full_groove(section: Section) -> Line:
    """The whole kit with claps."""
    return groove(
        section.length,
        kick="x.....x.x.x.....",
        snare="....x.......x..g",
        clap="....x.......x...",
        hat="x.o.x.o.x.o.x.o.",
        tambourine="..o...o...o...o.",
    )
