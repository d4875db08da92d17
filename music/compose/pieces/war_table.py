"""War Table: orchestral fury in C sharp minor and seven eighths.

Strings hammer, low brass march, drums from the hills, a choir shouts.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit, roll
from music.compose.line import Line, chord_hit
from music.compose.melody import melody, repeated, trilled
from music.compose.patterns import bass, comp, pad
from music.compose.score import HALL, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("C#", "harmonic minor")
METER = 3.5

HAMMER = melody(
    KEY,
    """
    1:.25^ 1 8 1 1:.25^ 1 b9 1 1:.25^ 1 8 1 7 1 | 1:.25^ 1 6 1 1:.25^ 1 5 1 1:.25^ b5 4 3 2 7,
""",
    octave=3,
    meter=METER,
)
MARCH = melody(
    KEY,
    """
    1:1 1:1 b2:1^ 1:.5 | 3:2 2:1.5 | 1:1 1:1 4:1^ b5:.5 | 5:3.5
    6:1 5:1 b5:1^ 4:.5 | 3:1 4:1 b2:1.5 | 1:1 7,:1 b2:1^ 7,:.5 | 1:3 r:.5
""",
    octave=3,
    meter=METER,
)
LAMENT = melody(
    KEY,
    """
    5:2 6:1.5 | 5:1 4:1 3:1.5 | 4:2 b5:1.5 | 2:3.5
    5:2 8:1.5 | 7:1 6:1 5:1.5 | 6:1 b5:1 4:1.5 | 5:3.5
""",
    octave=4,
    meter=METER,
)
STABS = "X...X...X....."

WAR = harmony(KEY, "i | i | bII | bII | i | iv | bII | V", METER)
FIELD = harmony(KEY, "i | VI | iv | V | i | VI | iiø7 | V7", METER)


def compose() -> Score:
    """The piece."""
    score = Score(
        "War Table",
        "angry",
        "Epic orchestral",
        KEY,
        152,
        meter=METER,
        valence=-0.65,
        arousal=0.85,
        room=HALL,
        master=Master(low=-0.4, body=0.6, presence=0.2, high=-0.2, ratio=2.2),
    )
    drums_only, hammer, march, field, siege, march2, end = score.form(
        ("drums", 4), ("hammer", 8), ("march", 8), ("burnt field", 8), ("siege", 8), ("march, all", 16), ("end", 3)
    )
    score.at_tempo(field, 140)
    score.at_tempo(siege, 152)
    score.at_tempo(march2, 158)
    strings(score, hammer, march, field, siege, march2, end)
    brass(score, hammer, march, field, siege, march2, end)
    war_drums(score, drums_only, hammer, march, field, siege, march2, end)
    return score


def strings(
    score: Score, hammer: Section, march: Section, field: Section, siege: Section, last: Section, end: Section
) -> None:
    """Hammered sixteenth notes, a lament of violins over the burnt field, trills a semitone apart in the siege."""
    high = score.part(play.STRINGS, pan=-0.45, volume=1.0, room=0.4, loose=9)
    low = score.part(play.STRINGS, pan=0.4, volume=1.0, room=0.4, loose=9)
    basses = score.part(play.CONTRABASS, pan=0.3, volume=0.95, room=0.35, loose=8)
    for section, times, level in ((hammer, 4, "f"), (march, 4, "mf"), (last, 8, "ff")):
        low.play(section, HAMMER.short(0.8) * times, level=level)
        high.play(section, HAMMER.transposed(12).short(0.8) * times, level=level)
        basses.play(section, HAMMER.transposed(-12).part(0, 7).short(0.7) * times, level=level)
    high.play(field, LAMENT.transposed(12), level="mf", to="f")
    low.play(field, pad(FIELD, 48, 67, 4), level="mf", to="f")
    basses.play(field, bass(FIELD, "R------", 0.5, 28), level="f")
    rising = HAMMER.part(0, 3.5)
    for bar in range(8):
        low.play(siege, rising.transposed(bar // 2).short(0.8), bar=bar, level="f", to="ff")
        basses.play(siege, rising.transposed(bar // 2 - 12).short(0.8), bar=bar, level="f", to="ff")
    high.play(siege, trilled(melody(KEY, "5:7 | 6:7 | 7:7 | b9:7", 4, 7), 1, 0.25), level="mf", to="ff")
    high.play(end, (HAMMER.part(0, 3.5) + chord_hit((73, 74, 80, 85), 3.5, 1.1)), level="fff")
    low.play(end, HAMMER.part(0, 3.5).transposed(-12) + chord_hit((37, 49, 55, 56), 3.5), level="fff")


def brass(
    score: Score, hammer: Section, march: Section, field: Section, siege: Section, last: Section, end: Section
) -> None:
    """The march on trombones and horns, with trumpets when it returns; stabs and a shouting choir between."""
    trombone = score.part(play.TROMBONE, pan=0.35, volume=0.84, room=0.4, loose=10)
    horn = score.part(play.HORN, pan=-0.3, volume=0.8, room=0.5, loose=10)
    trumpet = score.part(play.TRUMPET, pan=0.15, volume=0.88, room=0.45, loose=8)
    tuba = score.part(play.TUBA, pan=0.2, volume=0.9, room=0.35)
    choir = score.part(play.CHOIR, pan=0.0, volume=0.7, room=0.6)
    trombone.play(hammer, comp(WAR, STABS, 0.25, (43, 60), 3).short(0.5).part(14, 28), bar=4, level="ff")
    trombone.play(march, MARCH, level="ff")
    horn.play(march, MARCH.part(14, 28), bar=4, level="f")
    tuba.play(march, bass(WAR, "R...", 1, 31).short(), level="f")
    choir.play(field, pad(FIELD, 55, 74, 4), level="mp", to="f")
    horn.play(field, melody(KEY, "1:3.5 | 3 | 4 | 5 | 5:3.5 | 6 | 4 | 5", 3, METER), level="mf")
    trumpet.play(
        siege,
        repeated(
            melody(
                KEY,
                "r:3.5 | 1:1 r:2.5 | r:3.5 | b2:1 r:2.5 | r:3.5 | 3:1 r:2.5 | 4:1 r:.75 b5:1 r:.75 | 5:3.5",
                4,
                METER,
            ),
            0.25,
        ),
        level="f",
        to="fff",
    )
    trombone.play(siege, comp(WAR, "X.....X.......", 0.25, (43, 61), 4).short(0.5), level="ff")
    choir.play(siege, chord_hit((61, 62, 67, 68), 14), bar=4, level="mf", to="ff")
    trombone.play(last, MARCH + MARCH, level="fff")
    horn.play(last, MARCH.stepped(KEY, 2) + MARCH.transposed(12), level="ff")
    trumpet.play(last, MARCH.transposed(12), bar=8, level="ff")
    tuba.play(last, bass(WAR, "R...", 1, 31).short() * 2, level="ff")
    choir.play(last, comp(WAR, "X-------------", 0.25, (58, 77), 4), bar=8, level="ff")
    for part, pitches in (
        (trombone, (37, 44, 49)),
        (trumpet, (67, 68, 73)),
        (horn, (55, 61)),
        (tuba, (25,)),
        (choir, (61, 68, 73)),
    ):
        part.play(end, chord_hit(pitches, 3.5, 1.1), bar=1, level="ff")


def war_drums(score: Score, *form: Section) -> None:
    """Taiko and timpani in two, two and three; a gong for every new section."""
    drums, hammer, march, field, siege, last, end = form
    taiko = score.part(play.TAIKO, pan=-0.25, volume=0.8, room=0.45, loose=9)
    kettle = score.part(play.TIMPANI, pan=0.3, volume=0.85, room=0.4, loose=8)
    kit = score.part(play.ORCHESTRA_KIT, volume=0.85, room=0.35, loose=8)
    beat = beats("X.x.X.x.X.x.xx", 52) | beats("....o.......o.", 42)
    taiko.play(drums, beat * 4, level="mf", to="ff")
    kit.play(drums, roll("snare", 7, 0.125, 0.4, 1.1), bar=2, level="f")
    for section, times, level in ((hammer, 8, "f"), (march, 8, "f"), (siege, 8, "f"), (last, 16, "ff")):
        taiko.play(section, beat * times, level=level)
        kit.play(section, hit("crash", 1.2) | hit("kick", 1.2), level="ff")
    kit.play(march, groove(28, 0.25, snare="x.gxx.g.x.gxxx", kick="x...x...x....."), level="mf")
    kettle.play(field, melody(KEY, "1:1 r:2.5 | r:3.5 | 1:1 r:2.5 | 5,:1 r:2.5", 2, METER) * 2, level="mf")
    kit.play(field, roll("snare", 3.5, 0.125, 0.3, 1.2), bar=7, level="f")
    kettle.play(siege, repeated(melody(KEY, "1:14 | 5,:14", 2, 14), 0.25), level="mf", to="ff")
    kit.play(last, groove(56, 0.25, snare="x.gxx.g.x.gxxx", kick="x...x...x.x.x.", crash="X............."), level="f")
    kettle.play(last, bass(WAR, "R.5.", 1, 36) * 2, level="f")
    taiko.play(end, beats("X.x.X.x.XXXXXX", 52) + beats("X", 52), level="fff")
    kit.play(end, hit("crash") | hit("kick"), bar=1, level="fff")
    kettle.play(end, repeated(chord_hit((37,), 3), 0.125, 0.5), bar=1, level="f")


def beats(rhythm: str, pitch: int) -> Line:
    """A drum with a pitch in sixteenth notes: 'X' accented, 'x' plain, 'o' soft."""
    touches = {"X": "^", "x": "", "o": "*"}
    plain = melody(
        Key("C"), " ".join(f"1:.25{touches[sign]}" if sign in touches else "r:.25" for sign in rhythm), 2, None
    )
    return plain.transposed(pitch - 36)
