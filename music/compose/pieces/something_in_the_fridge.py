"""Something in the Fridge: a sick tango in seven eighths, on E flat and what lies next to it.

It hums, it drips, it moves.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit
from music.compose.line import chord_hit, together
from music.compose.melody import grace, melody
from music.compose.patterns import bass, comp
from music.compose.score import STUDIO, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("Eb", "octatonic")
METER = 3.5

SLINK = melody(
    KEY,
    """
    5:1.5 b5:.5 4:.5 b4:.5 3:.5 | 2:2 b2:1 r:.5 | 3:1 4:.5 3 2:1 1:.5 | b2:2.5 r:1
    5:1.5 6:.5 5:.5 b5:.5 5:.5 | 8:2 b8:1 r:.5 | 7:.5 b7 6 b6 5 b5 4 | 3:1 b3:1.5 r:1
""",
    octave=4,
    meter=METER,
)
OOZE = melody(
    KEY,
    """
    1:.5^ 1:.25 b2 1:.5 b8,:.5 1:.5^ 3:.5 2:.5 | 1:.5^ 1:.25 b2 1:.5 5,:.5 b5,:.5^ 4,:.5 b4,:.5
""",
    octave=2,
    meter=METER,
)
LID = melody(
    KEY,
    """
    8:.5 9 8 b8 8 10:1 | b10:.5 9 8 7 6:1 r:.5 | 5:.5 6 5 b5 5 8:1 | 7:.5 6 b6 5 4:1 r:.5
""",
    octave=4,
    meter=METER,
)

RANCID = harmony(KEY, "io | io | bII7b5 | bII7b5 | io | io | III7b5 | V7b9", METER)


def compose() -> Score:
    """The piece."""
    score = Score(
        "Something in the Fridge",
        "disgust",
        "Sick tango",
        KEY,
        138,
        meter=METER,
        valence=-0.5,
        arousal=0.35,
        room=STUDIO,
        master=Master(low=-0.6, body=-7.0, presence=-6.7, high=7.5, ratio=2.0),
    )
    hum, slink, lid, ooze, slink2, shut = score.form(
        ("hum", 4), ("slink", 16), ("the lid", 8), ("ooze", 8), ("slink, everything", 12), ("shut", 4)
    )
    score.at_tempo(lid, 150)
    score.at_tempo(ooze, 104)
    score.slow(ooze, 4, 4, 1.3)
    score.at_tempo(slink2, 142)
    score.slow(shut, 0, 3, 0.6)
    tune(score, slink, lid, ooze, slink2, shut)
    under(score, hum, slink, lid, ooze, slink2, shut)
    return score


def tune(score: Score, slink: Section, lid: Section, ooze: Section, last: Section, shut: Section) -> None:
    """Bandoneon slinks, a fiddle mocks it a semitone off, an alto saxophone opens the lid, muted trumpet laughs."""
    bandoneon = score.part(play.BANDONEON, pan=-0.2, volume=0.85, room=0.3, solo=True, droop=0.5, loose=14)
    fiddle = score.part(play.FIDDLE, pan=0.4, volume=0.88, room=0.35, scoop=1.5, droop=1.0, loose=16)
    sax = score.part(play.ALTO_SAX, pan=0.15, volume=0.68, room=0.3, scoop=1.2, droop=1.5, loose=14)
    laugh = score.part(play.MUTED_TRUMPET, pan=-0.5, volume=0.7, room=0.35, scoop=0.8, droop=2.0)
    bandoneon.play(slink, SLINK + grace(SLINK, -1, 0.12, 0.4), level="mf")
    fiddle.play(slink, SLINK.transposed(11), bar=8, level="mp", to="mf")
    laugh.play(
        slink,
        melody(KEY, "r:2 8:.25* 8* b8* 8* r:.5 | r:3.5 | r:2 9:.25* 9* b9* 9* r:.5 | r:3.5", 4, METER),
        bar=12,
        level="mf",
    )
    sax.play(lid, LID + LID.transposed(3), level="f")
    bandoneon.play(lid, comp(RANCID, "X..x.x.", 0.5, (54, 72), 4).short(0.4), level="mf")
    laugh.play(lid, LID.transposed(2), bar=4, level="mf")
    fiddle.play(
        ooze,
        melody(KEY, "8:3.5 | b8:3.5 | 7:3.5 | b7:3.5 | 6:3.5 | b6:3.5 | 5:3.5 | b5:3.5", 4, METER),
        level="mp",
        to="f",
    )
    sax.play(ooze, melody(KEY, "r:.5 5:3 | r:.5 b5:3 | r:.5 4:3 | r:.5 b4:3", 3, METER) * 2, level="mp", to="f")
    bandoneon.play(last, grace(SLINK, 1, 0.12, 0.4) + SLINK.part(14, 28), level="f")
    fiddle.play(last, (SLINK + SLINK.part(14, 28)).transposed(13), level="mf")
    sax.play(last, (SLINK + SLINK.part(14, 28)).transposed(-6), level="f")
    laugh.play(last, LID.transposed(-1), bar=4, level="f")
    bandoneon.play(shut, SLINK.part(0, 7), level="mp", to="p")
    laugh.play(shut, melody(KEY, "r:1 3:2.5 | b2:3.5", 4, METER), bar=2, level="mf", to="p")


def under(score: Score, *form: Section) -> None:
    """A rubber bass, a clavinet that hiccups, an organ humming like the motor, drips on blocks and a cuica."""
    hum, slink, lid, ooze, last, shut = form
    rubber = score.part(play.RUBBER_BASS, volume=0.58, room=0.05, scoop=1.0, loose=6)
    clavinet = score.part(play.CLAVINET, pan=0.5, volume=0.68, room=0.15, loose=8)
    motor = score.part(play.REED_ORGAN, pan=-0.4, volume=0.85, room=0.2)
    kit = score.part(play.ROOM_KIT, volume=0.86, room=0.2, loose=9)
    motor.play(hum, chord_hit((51, 52, 58), 14), level="mf")
    motor.swell(hum, (0, 0.8), (2, 0.55), (4, 0.8))
    rubber.play(hum, OOZE, bar=2, level="mf")
    for section, times, level in ((slink, 8, "mf"), (last, 6, "f")):
        rubber.play(section, OOZE * times, level=level)
    clavinet.play(slink, comp(RANCID, "..x.xx.", 0.5, (58, 75), 3).short(0.3), bar=8, level="mf")
    clavinet.play(lid, comp(RANCID, ".x.xx.x", 0.5, (58, 75), 3).short(0.3), level="f")
    rubber.play(lid, bass(RANCID, "R..R5.L", 0.5, 34).short(0.6), level="f")
    rubber.play(ooze, melody(KEY, "1:3 b2:.5 | b8,:3.5 | 1:2 5,:1.5 | b5,:3.5", 2, METER) * 2, level="mf", to="f")
    motor.play(ooze, chord_hit((51, 52, 57), 28), level="mp")
    clavinet.play(last, comp(RANCID, "..x.xx.", 0.5, (58, 75), 3).short(0.3), level="f")
    motor.play(last, chord_hit((51, 52, 58), 42), level="mf")
    drip = {
        "low_block": "x......",
        "block": "....x..",
        "mute_cuica": "..x....",
        "cuica": ".....x.",
    }
    rattle = "xgogxgogxgogog"
    for section, level in ((hum, "p"), (slink, "mf"), (lid, "mf"), (ooze, "mp"), (last, "f")):
        kit.play(section, groove(section.length, 0.25, shaker=rattle, cabasa=rattle[::-1]), level=level)
    kit.play(hum, groove(14, 0.5, low_block="x.........x...", block="......x......"), level="mf")
    kit.play(slink, groove(28, 0.5, kick="x..x...", **drip), level="mf")
    kit.play(slink, groove(28, 0.5, kick="x..x.x.", snare="..g.x.g", hat="x.x.x.x", **drip), bar=8, level="mf")
    kit.play(lid, groove(28, 0.5, kick="x..x.x.", snare="..x.x.x", open_hat="x......", hat=".xxxxxx"), level="f")
    kit.play(ooze, groove(28, 0.5, guiro="r......", kick="x......", cuica="....x.."), level="mf")
    kit.play(
        last, groove(42, 0.5, kick="x..x.x.", snare="..g.x.g", hat="xxxxxxx", tambourine="....x..", **drip), level="f"
    )
    kit.play(shut, groove(7, 0.5, kick="x..x...", **drip), level="mp")
    rubber.play(shut, OOZE.part(0, 3.5), level="mf")
    slam = together((hit("kick", 1.2), hit("snare", 1.0), hit("floor_tom", 1.0)))
    kit.play(shut, slam, bar=3, level="f")
    motor.play(shut, chord_hit((51, 52, 58), 10.5), level="mf", to="p")
    rubber.play(shut, chord_hit((39,), 2.5), bar=3, level="mf")
