"""Tin Can Parade: a street band in B flat.

Trumpet leads, clarinet runs round it, trombone slides, tuba and banjo keep step.
"""

from music.compose import instruments as play
from music.compose.drums import fill, groove, hit, roll
from music.compose.improvise import improvised
from music.compose.line import chord_hit, rest
from music.compose.melody import grace, melody
from music.compose.patterns import bass, comp, counter
from music.compose.score import STUDIO, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("Bb", "major")

THEME = melody(
    KEY,
    """
    5,:1.5 6,:.5 1:1 3 | 3:1.5 #1:.5 6,:2 | 2:1.5 3:.5 #4:1 6 | 5:3 r:1
    5:1.5 6:.5 5:1 3 | #1:1.5 3:.5 6:2 | 6:1 b6 5 4 | 3:2 2:1 r
    5,:1.5 6,:.5 1:1 3 | 3:1.5 #1:.5 6,:2 | 1:1 3 5 b7 | 6:3 r:1
    6:1^ 4 #4 6 | 5:1.5 3:.5 #1:1 3 | 2:1 3:.5 2 4:1 7, | 1:2 r
""",
    octave=4,
)
STROLL = melody(
    KEY,
    """
    6:1.5 6:.5 8:1 6 | b6:1.5 6:.5 8:2 | 5:1 3 5:1.5 8:.5 | #8:1 6 3:2
    #4:1.5 3:.5 #4:1 6 | 8:1 6 #4:2 | 5:1 7 9 11 | 10:1 9 5 r
""",
    octave=4,
)
RAG = harmony(KEY, "I | VI7 | II7 | V7 | I | VI7 | II7 V7 | I V7 | I | VI7 | I7 | IV | IV #ivo7 | I@5 VI7 | II7 V7 | I")
SIDE = harmony(KEY, "IV | iv6 | I | VI7 | II7 | II7 | V7 | V7")
VAMP = harmony(KEY, "I VI7 | II7 V7 | I VI7 | II7 V7")
TAG = harmony(KEY, "II7 | V7 | I | I")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Tin Can Parade",
        "happy",
        "Dixieland",
        KEY,
        196,
        valence=0.9,
        arousal=0.8,
        swing=0.62,
        room=STUDIO,
        master=Master(low=-1.2, body=-2.1, presence=3.8, high=-0.5),
        lifts_from=("angry", "disgust"),
    )
    intro, rag, side, stops, all_in, tag = score.form(
        ("roll off", 4), ("rag", 16), ("side street", 16), ("stops", 8), ("everybody", 16), ("tag", 5)
    )
    score.slow(tag, 3, 1, 0.8)
    front_line(score, rag, side, stops, all_in, tag)
    back_line(score, intro, rag, side, stops, all_in, tag)
    drums(score, intro, rag, side, stops, all_in, tag)
    return score


def front_line(score: Score, rag: Section, side: Section, stops: Section, all_in: Section, tag: Section) -> None:
    """Trumpet, clarinet, trombone: one leads, the others answer, and in the end all talk at once."""
    trumpet = score.part(play.TRUMPET, pan=0.05, volume=0.97, room=0.3, scoop=0.5, solo=True, loose=11)
    clarinet = score.part(play.CLARINET, pan=-0.45, volume=0.66, room=0.35, scoop=0.4, loose=11)
    trombone = score.part(play.TROMBONE, pan=0.45, volume=0.74, room=0.3, scoop=1.5, loose=14, lag=6)
    running = "x.xxxxx.xxxxxxx.xxxxX...x.xxX..."
    trumpet.play(rag, THEME, level="f")
    trombone.play(rag, counter(RAG, THEME, (48, 63), step=2), level="mf")
    clarinet.play(
        rag, improvised(RAG, KEY, score.rng("clarinet"), ".xxxxxx...xxX...", (67, 88)).part(32, 64), bar=8, level="mp"
    )
    clarinet.play(
        side,
        STROLL
        + STROLL.part(0, 16).transposed(12)
        + improvised(SIDE, KEY, score.rng("break"), running, (62, 86)).part(16, 32),
        level="f",
    )
    trombone.play(side, (rest(6) + melody(KEY, "5:1 4 3:3 r:1 b3:1 2", 3, None)) * 4, level="mf")
    for bar in (0, 4):
        trumpet.play(stops, grace(THEME.part(0, 4)) + rest(4), bar=bar, level="f")
        clarinet.play(
            stops,
            improvised(VAMP, KEY, score.rng(f"stop {bar}"), "....xxxxxxxxX...", (65, 89)).part(4, 16),
            bar=bar + 1,
            level="f",
        )
    trumpet.play(all_in, grace(THEME, -1, 0.12), level="ff")
    clarinet.play(all_in, improvised(RAG, KEY, score.rng("chorus"), running, (70, 91)), level="f")
    trombone.play(all_in, counter(RAG, THEME, (46, 62), step=1), level="f")
    trumpet.play(tag, melody(KEY, "6:1 b6 5 4 | 3 2 7, 2 | 1:1^ r 5^ r | 8:3^", 4, None), level="ff")
    clarinet.play(
        tag, melody(KEY, "8:.5 9 8 6 b6:1 4' | 5':.5 4' 2' 7 2':1 4' | 3':1 r 5' r | 8':3", 4, None), level="f"
    )
    trombone.play(tag, melody(KEY, "6:2 b6 | 5:2 4 | 3:1 r 3 r | 3:3^", 3, None), level="f")


def back_line(score: Score, *form: Section) -> None:
    """Tuba in two, banjo on every beat, a honky-tonk piano from the side street on."""
    intro, rag, side, stops, all_in, tag = form
    tuba = score.part(play.TUBA, pan=0.1, volume=0.88, room=0.2, loose=10)
    banjo = score.part(play.BANJO, pan=-0.3, volume=0.6, room=0.2, loose=8)
    piano = score.part(play.HONKY_TONK, pan=0.35, volume=0.84, room=0.25, loose=9)
    tuba.play(intro, bass(VAMP, "R.5.", 1, 31).short(0.6).part(0, 8), bar=2, level="f")
    for section, chords, level in ((rag, RAG, "mf"), (side, SIDE, "mf"), (all_in, RAG, "f")):
        times = 2 if section is side else 1
        tuba.play(section, bass(chords, "R.5.", 1, 31).short(0.7) * times, level=level)
        banjo.play(section, comp(chords, "xXxX", 1, (55, 74), 4, spread=0.03).short(0.5) * times, level=level)
    piano.play(side, comp(SIDE, ".x.x.xx.", 0.5, (58, 76), 4).short(0.6) * 2, level="mf")
    piano.play(all_in, comp(RAG, ".x.x.x.x", 0.5, (60, 79), 4).short(0.6), level="mf")
    for bar in (0, 4):
        for part, span in ((banjo, (55, 74)), (piano, (58, 76))):
            part.play(stops, comp(VAMP, "x...............", 0.5, span, 4).short(0.1).part(0, 16), bar=bar, level="f")
        tuba.play(stops, bass(VAMP, "R", 1, 31).part(0, 1).short(0.6), bar=bar, level="f")
    for part, span in ((banjo, (55, 74)), (piano, (58, 79))):
        part.play(tag, comp(TAG, "x.x.", 1, span, 4).short(0.5).part(0, 12), level="f")
        part.play(tag, chord_hit((58, 62, 65, 68, 74), 3, 1, 0.05), bar=3, level="f")
    tuba.play(tag, bass(TAG, "R.5.", 1, 31).short(0.7).part(0, 12) + chord_hit((34,), 3), level="f")


def drums(score: Score, *form: Section) -> None:
    """A march on snare and bass drum, cymbals choked, silent but for sticks in the stops."""
    intro, rag, side, stops, all_in, tag = form
    kit = score.part(play.JAZZ_KIT, volume=0.9, room=0.25, loose=9)
    chance = score.rng("fills")
    kit.play(
        intro,
        roll("snare", 4, 0.25, 0.5, 1.0)
        + groove(4, 0.5, snare="x.xxx.x.")
        + groove(8, 0.5, kick="x...x...", snare="..xo.xxo"),
        level="mf",
    )
    march = {"kick": "x...x...", "snare": "..xo..xg", "hat": "..x...x."}
    kit.play(rag, groove(64, 0.5, **march) | hit("crash", 0.8), level="mf")
    kit.play(side, groove(64, 0.5, kick="x...x...", block="x.xxx.x.", stick="..x...x."), level="mp")
    kit.play(side, fill(chance, 4, 0.5), bar=15, level="mf")
    kit.play(
        stops, (hit("kick", 1.1, 1) | hit("splash", 0.9, 1)) + rest(11) + groove(4, 0.5, snare="..x.xxx."), level="f"
    )
    kit.play(stops, (hit("kick", 1.1, 1) | hit("splash", 0.9, 1)) + rest(7) + roll("snare", 8, 0.25), bar=4, level="f")
    kit.play(all_in, groove(64, 0.5, **march, tambourine="..x...x.", ride="x.x.x.xo") | hit("crash"), level="f")
    kit.play(all_in, fill(chance, 2, 0.5), bar=7.5, level="f")
    kit.play(tag, groove(8, 0.5, **march) + (hit("crash") | hit("kick")) + rest(1) + hit("snare") + rest(1), level="f")
    kit.play(tag, hit("crash", 1.1) | hit("kick", 1.1), bar=3, level="f")
