"""Swamp Supper: a lurching grotesque in five, F and its neighbours. Bassoon and tuba stir, muted brass pull faces."""

from music.compose import instruments as play
from music.compose.drums import groove, hit, roll
from music.compose.line import chord_hit
from music.compose.melody import grace, melody
from music.compose.patterns import comp
from music.compose.score import CHAMBER, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("F", "phrygian")
METER = 5

STEW = melody(
    KEY,
    """
    1:1.5^ b1:.5 2:.5 1 b5:1.5 4:.5 | #3:1 3:.5 2 1:1 7,:.5 b7, 1:1
    1:1.5^ 2:.5 #3:.5 4 6:1.5^ b6:.5 | 5:.5 b5 4 #3 3 2 1:2
""",
    octave=2,
    meter=METER,
)
SNEER = melody(
    KEY,
    """
    5:.5 b6 5 b5 4:1 r:.5 4 b5 4 | 3:.5 #3 4 b5 2:1.5 r:1.5
    5:.5 b6 5 b7 6:1 r:.5 6 #6 6 | 5:.5 b5 4 #3 3 2 1 b1 1:1
""",
    octave=4,
    meter=METER,
)
BURP = melody(KEY, "1:.5* r:1 1:.5* 2:1 1:.5* b5,:1.5 | 1:.5* r:1 1:.5* #3:1 2:.5* b1:1.5", octave=2, meter=METER)
WALTZ = melody(
    Key("F#", "whole tone"),
    """
    3:1 4 3 | 5:2 4:.5 b4 | 3:1 b3 2 | 1:2.5 r:.5
    3:1 4 5 | 6:2 b6:.5 5 | b5:1 4 b4 | 3:2 r:1
""",
    octave=4,
    meter=3,
)

SOUR = harmony(KEY, "i | bII7b5 | iv | bV7", METER)
SICKLY = harmony(KEY, "I+7 | II7b5 | I+ | bII+7 | I+7 | II7b5 | bV7 | V+7", 3)


def compose() -> Score:
    """The piece."""
    score = Score(
        "Swamp Supper",
        "disgust",
        "Grotesque march",
        KEY,
        112,
        meter=METER,
        valence=-0.6,
        arousal=0.2,
        swing=0.58,
        room=CHAMBER,
        master=Master(low=-3.3, body=-3.9, presence=7.0, high=-0.7),
    )
    stir, stew, sneer, waltz, both, slop = score.form(
        ("stirring", 2), ("stew", 8), ("sneer", 8), ("seasick waltz", 16, 3), ("all together", 8), ("slop", 2)
    )
    score.at_tempo(waltz, 132)
    score.slow(waltz, 14, 2, 0.75)
    score.at_tempo(both, 116)
    score.slow(both, 6, 2, 1.2)
    score.slow(slop, 0, 1.6, 0.5)
    low_winds(score, stir, stew, sneer, waltz, both, slop)
    faces(score, stew, sneer, waltz, both, slop)
    kitchen(score, stir, stew, sneer, waltz, both, slop)
    return score


def low_winds(score: Score, *form: Section) -> None:
    """Bassoon and baritone saxophone have the stew, tuba and plucked bass burp beneath."""
    stir, stew, sneer, waltz, both, slop = form
    bassoon = score.part(play.BASSOON, pan=-0.3, volume=0.92, room=0.3, solo=True, scoop=0.6, droop=0.5, loose=14)
    sax = score.part(play.BARITONE_SAX, pan=0.35, volume=0.88, room=0.25, scoop=1.0, droop=0.7, loose=18)
    tuba = score.part(play.TUBA, pan=0.05, volume=0.8, room=0.25, droop=0.8, loose=16)
    pluck = score.part(play.DOUBLE_BASS, pan=-0.05, volume=0.8, room=0.15, loose=14)
    tuba.play(stir, BURP, level="mp")
    for section, level in ((stew, "mf"), (sneer, "mp"), (both, "f")):
        pluck.play(section, BURP * 4, level=level)
        tuba.play(section, BURP * 4, level=level)
    bassoon.play(stew, grace(STEW, -1, 0.12), level="mf")
    bassoon.play(stew, grace(STEW, 1, 0.12, 0.4), bar=4, level="mf", to="f")
    sax.play(stew, STEW.transposed(7), bar=4, level="mf")
    bassoon.play(sneer, STEW.part(0, 10) + STEW.part(0, 10).transposed(1), bar=4, level="mp")
    bassoon.play(waltz, WALTZ.transposed(-17), bar=8, level="mf")
    tuba.play(
        waltz, melody(Key("F#", "whole tone"), "1:1* r:2 | 2:1* r:2 | 1:1* r:2 | b2:1* r:2", 2, 3) * 4, level="mp"
    )
    bassoon.play(both, grace(STEW, -1, 0.12) + STEW.transposed(1), level="f")
    sax.play(both, STEW.transposed(6) + STEW.transposed(7), level="f")
    for part, pitches in ((bassoon, (40,)), (sax, (47, 53)), (tuba, (29,))):
        part.play(slop, STEW.part(0, 4).transposed(12 if part is sax else 0), level="f", to="mf")
        part.play(slop, chord_hit(pitches, 4), bar=1, level="mf")


def faces(score: Score, stew: Section, sneer: Section, waltz: Section, both: Section, slop: Section) -> None:
    """Muted trumpets a second apart, a clarinet too high, a queasy organ in the waltz."""
    mute = score.part(play.MUTED_TRUMPET, pan=0.5, volume=0.72, room=0.4, solo=True, scoop=1.2, droop=1.2)
    second = score.part(play.MUTED_TRUMPET, pan=0.25, volume=0.62, room=0.4, droop=1.5, lag=14)
    clarinet = score.part(play.CLARINET, pan=-0.5, volume=0.58, room=0.35, solo=True, droop=1.0)
    organ = score.part(play.REED_ORGAN, pan=-0.15, volume=0.86, room=0.35)
    snarl = score.part(play.TROMBONE, pan=0.4, volume=0.7, room=0.35, scoop=2.0, droop=2.0)
    mute.play(stew, comp(SOUR, "....x.....", 0.5, (60, 73), 2).short(0.6), bar=4, level="mf")
    mute.play(sneer, SNEER + grace(SNEER), level="mf", to="f")
    second.play(sneer, SNEER.transposed(-1), bar=4, level="mf")
    clarinet.play(sneer, melody(KEY, "r:2.5 8':.5 9':.25 8' #7' 8' 12:1 r:.5", 4, METER) * 3, bar=1, level="mp")
    organ.play(sneer, comp(SOUR, "x--x-x----", 0.5, (54, 71), 3).short(0.7) * 2, level="mp")
    organ.play(waltz, comp(SICKLY, "..x.o.", 0.5, (55, 74), 4).short(0.6) * 2, level="mp")
    clarinet.play(waltz, WALTZ.transposed(12), level="mf")
    mute.play(waltz, WALTZ.transposed(5).part(12, 24), bar=12, level="mf")
    snarl.play(waltz, melody(KEY, "1:3 | b5,:3", 3, 3), bar=14, level="f")
    mute.play(both, SNEER + SNEER.transposed(1), level="f")
    second.play(both, SNEER.transposed(-6) + SNEER.transposed(-1), level="f")
    clarinet.play(both, grace(STEW.transposed(36), 1, 0.12, 0.4) + STEW.transposed(37), level="mf")
    snarl.play(both, melody(KEY, "r:2 b5:3 | r:2 4:3 | r:2 6:3 | r:2 5:3", 2, METER) * 2, level="f")
    organ.play(both, comp(SOUR, "x--x-x----", 0.5, (54, 71), 3).short(0.7) * 2, level="mf")
    mute.play(slop, melody(KEY, "r:1 #3:2 2:2", 4, METER), level="mp")
    snarl.play(slop, chord_hit((41,), 3), bar=1, level="mf")


def kitchen(score: Score, *form: Section) -> None:
    """Pots and frogs: guiro, blocks, a slack drum, cuica; one plate breaks before the end."""
    stir, stew, sneer, waltz, both, slop = form
    kit = score.part(play.DRUM_KIT, volume=0.74, room=0.3, loose=14)
    kit.play(stir, groove(10, 0.5, guiro="x..o......", low_block="....x..x.."), level="mp")
    kit.play(
        stew,
        groove(40, 0.5, kick="x..x...x..", guiro="x..o......", low_block="....x..x..", snare="......g..."),
        level="mp",
    )
    kit.play(
        sneer,
        groove(
            40,
            0.5,
            kick="x....x....",
            cuica="...x....o.",
            mute_cuica="....x....x",
            hat="x.xx.x.xx.",
            snare="...x....g.",
        ),
        level="mf",
    )
    kit.play(waltz, groove(48, 0.5, kick="x.....", low_block="..x.o.", triangle="x..........."), level="mp")
    kit.play(
        both,
        groove(
            40, 0.5, kick="x..x.x.x..", snare="....x....x", guiro="x..o..x...", hat="x.xx.x.xx.", floor_tom="......x.x."
        ),
        level="f",
    )
    kit.play(both, hit("crash", 0.8) | roll("snare", 2, 0.125).later(38), level="f")
    kit.play(slop, hit("kick") | hit("china", 0.9).later(5) | hit("cuica", 0.9).later(7.5), level="f")
