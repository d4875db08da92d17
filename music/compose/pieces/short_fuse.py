"""Short Fuse: drum and bass in F sharp.

A growling bass that argues with itself, sirens, broken beats, one false calm.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit, roll
from music.compose.line import Line, chord_hit
from music.compose.melody import melody, repeated
from music.compose.patterns import comp, pad
from music.compose.score import STUDIO, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("F#", "locrian")

GROWL = melody(
    KEY,
    """
    1:.75^ 1:.25* r:.5 2:.5^ r:.5 1:.5 5:.5^ 4:.5 | 1:.75^ 1:.25* r:.5 3:.5^ 2:.25 1:.25 7,:.5 1:1
    1:.75^ 1:.25* r:.5 2:.5^ r:.5 1:.5 6:.5^ 5:.5 | 8:.5^ 7:.25 6 5:.5 4:.5 3:.25 2 1 2 7,:1
""",
    octave=2,
)
THREAT = melody(
    KEY,
    """
    8:1.5^ 9:.5 8:1 r | 12:1.5^ 11:.5 9:1 r | 8:.5 9 8 7 5:1^ r:.5 4 | 5:3 r:1
    8:1.5^ 9:.5 8:1 r | 13:1.5^ 12:.5 11:1 9 | 10:.5 9 8 7 9:1^ 7 | 8:3 r:1
""",
    octave=4,
)
SIREN = melody(KEY, "8:2 9:2 | 8:2 9:2 | 12:2 11:2 | 12:2 13:2", octave=5)
ANSWER = melody(KEY, "r:2 5:.25* 5* r 5* 4:.5^ 5 | r:2 5:.25* 5* r 5* 6:.5^ b6", octave=3)

DARK = harmony(KEY, "io | II | io | vii | io | II | iv | V")
CALM = harmony(KEY, "i9 | VI | iv9 | II")

BREAK = {"kick": "X.....x...X.....", "snare": "....X..g.g..X..g", "hat": "x.x.x.x.x.x.x.xx"}
ROLLING = {
    "kick": "X.x.......X..x..",
    "snare": "....X..g.gx.X.gg",
    "ride": "x.x.x.x.x.x.x.x.",
    "hat": "..o...o...o...o.",
}


def compose() -> Score:
    """The piece."""
    score = Score(
        "Short Fuse",
        "angry",
        "Drum and bass",
        KEY,
        174,
        valence=-0.6,
        arousal=0.95,
        room=STUDIO,
        master=Master(low=2.5, high=3.0, ratio=2.5),
    )
    spark, growl, threat, calm, wind, drop, threat2, out = score.form(
        ("spark", 4),
        ("growl", 8),
        ("threat", 8),
        ("false calm", 8),
        ("wind up", 4),
        ("drop", 8),
        ("threat, all", 16),
        ("out", 3),
    )
    basses(score, spark, growl, threat, calm, drop, threat2, out)
    voices(score, spark, threat, calm, wind, drop, threat2, out)
    beats(score, spark, growl, threat, calm, wind, drop, threat2, out)
    return score


def basses(
    score: Score,
    spark: Section,
    growl: Section,
    threat: Section,
    calm: Section,
    drop: Section,
    last: Section,
    out: Section,
) -> None:
    """Synth bass and, an octave up, an overdriven copy that bends into every accent."""
    sub = score.part(play.SYNTH_BASS, volume=0.8, room=0.02, loose=2)
    bite = score.part(play.SAW_LEAD, pan=-0.2, volume=0.95, room=0.08, scoop=0.8, loose=3)
    rasp = score.part(play.OVERDRIVE, pan=0.3, volume=0.7, room=0.1, scoop=1.0, loose=4)
    bite.play(spark, GROWL.part(0, 8).transposed(12), bar=2, level="mp", to="f")
    for section, times in ((growl, 2), (threat, 2), (drop, 2), (last, 4)):
        sub.play(section, GROWL * times, level="ff")
        bite.play(section, GROWL.transposed(12) * times, level="f" if section is not last else "ff")
    rasp.play(growl, ANSWER * 2, bar=4, level="f")
    rasp.play(drop, ANSWER * 4, level="ff")
    rasp.play(last, GROWL.transposed(24).part(0, 16) * 2, bar=8, level="f")
    sub.play(calm, melody(KEY, "1:8 | 6,:8 | 4:8 | 2:8", 2, 8).short(0.95), level="mf")
    final = GROWL.part(0, 6) + Line((), 2) + chord_hit((42,), 2)
    for part, octave in ((sub, 0), (bite, 12), (rasp, 12)):
        part.play(out, final.transposed(octave), level="ff")


def voices(
    score: Score,
    spark: Section,
    threat: Section,
    calm: Section,
    wind: Section,
    drop: Section,
    last: Section,
    out: Section,
) -> None:
    """The threat on a square lead, doubled by brass; a siren; metallic chords when it pretends to be calm."""
    lead = score.part(play.SQUARE_LEAD, pan=0.15, volume=0.74, room=0.35, scoop=0.5, loose=4)
    brass = score.part(play.BRASS, pan=-0.35, volume=0.72, room=0.3)
    siren = score.part(play.SAW_LEAD, pan=0.55, volume=0.7, room=0.5, scoop=2.0, droop=1.0)
    metal = score.part(play.METAL_PAD, pan=-0.1, volume=0.6, room=0.6)
    stab = score.part(play.ORCHESTRA_HIT, pan=0.1, volume=0.6, room=0.3)
    metal.play(spark, chord_hit((54, 60, 66, 67), 16), level="mp", to="f")
    metal.swell(spark, (0, 0.5), (4, 1.0))
    lead.play(threat, THREAT, level="f")
    siren.play(threat, SIREN, bar=4, level="mp")
    metal.play(calm, pad(CALM, 54, 74, 4).stretched(2), level="f")
    metal.swell(calm, (0, 0.7), (4, 1.0), (8, 0.6))
    lead.play(calm, THREAT.part(0, 14).transposed(-12), bar=4, level="p")
    siren.play(wind, repeated(melody(KEY, "1:4 | 2 | 3 | 5:3 r:1", 5), 0.25), level="p", to="ff")
    brass.play(wind, pad(harmony(KEY, "io | II | iii | V"), 54, 74, 4).part(0, 15), level="mp", to="ff")
    stab.play(drop, comp(DARK, "X.......|......X.", 0.5, (54, 66), 2).short(0.5), level="f")
    lead.play(last, THREAT + THREAT, level="ff")
    brass.play(last, comp(DARK, "X..x..X.", 0.5, (55, 74), 4).short(0.6), level="f")
    brass.play(last, THREAT.transposed(-12), bar=8, level="ff")
    siren.play(last, SIREN, bar=12, level="mf")
    for part, pitches in ((brass, (54, 60, 66, 67)), (stab, (54, 66)), (lead, (78, 84))):
        part.play(out, chord_hit(pitches, 2.5), bar=2, level="ff")


def beats(score: Score, *form: Section) -> None:
    """Broken beats at full speed; only a ticking hat in the calm; a snare roll winds it up."""
    spark, growl, threat, calm, wind, drop, last, out = form
    kit = score.part(play.ELECTRONIC_KIT, volume=0.8, room=0.12, loose=3)
    kit.play(spark, groove(16, hat="x...x...x...x.x."), level="mp", to="f")
    kit.play(spark, groove(4, snare="x...x...x.x.xxxx"), bar=3, level="f")
    for section, rows in ((growl, BREAK), (threat, ROLLING), (drop, BREAK), (last, ROLLING)):
        kit.play(section, groove(section.length, **rows) | hit("crash", 1.1), level="ff")
        for bar in range(3, round(section.bars), 4):
            kit.play(section, groove(2, snare="g.x.xgxx", tom="x..x..x."), bar=bar + 0.5, level="f")
    kit.play(drop, groove(32, crash="X...............", china="........X......."), level="f")
    kit.play(calm, groove(32, hat="x...o...x...o.o.", stick="............x..."), level="mp")
    kit.play(
        wind,
        roll("snare", 8, 0.5, 0.5, 0.8) + roll("snare", 4, 0.25, 0.7, 1.0) + roll("snare", 3, 0.125, 0.8, 1.2),
        level="f",
        to="ff",
    )
    kit.play(wind, groove(12, kick="x...x...x...x..."), level="f")
    kit.play(out, groove(6, **BREAK), level="ff")
    kit.play(out, hit("crash", 1.2) | hit("kick", 1.2), bar=2, level="ff")
