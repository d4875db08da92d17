"""Lemonade on the Steps: a samba in E major, light on its feet.

Flute and steel drums, nylon guitar, a whole kitchen of percussion.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit
from music.compose.improvise import improvised
from music.compose.line import chord_hit
from music.compose.melody import melody
from music.compose.patterns import arpeggio, bass, comp, pad
from music.compose.score import CHAMBER, Master, Score, Section
from music.compose.theory import Key, harmony, joined

KEY = Key("E", "major")

THEME = melody(
    KEY,
    """
    r:.5 5 6 8:1 7:.5 6:.5 5 | 6:1.5 3:2.5 | r:.5 3 4 6:1 5:.5 4 3 | 4:1.5 2:2.5
    r:.5 2 3 5:1 4:.5 3 2 | 3:1.5 5:1 8:1.5 | 9:.5 8 7 6:1 5:.5 4 2 | 1:1.5 r:2.5
""",
    octave=5,
)
PORCH = melody(
    KEY,
    """
    8:1.5 6:.5 8 9 10:1 | 9:1.5 8:.5 b6:2 | 7:1.5 5:.5 7 8 9:1 | 10:1 #8:.5 6:1.5 r:1
    r:.5 4 6 8 10:1 9 | 9:.5 8 7 9 5:2 | 10:.5 9 7 5 #8:1 6 | 6:.5 5 4 2 7,:1 r
""",
    octave=4,
)
TURN = harmony(KEY, "Imaj7 | vi7 | ii7 | V7sus4")
TUNE = harmony(KEY, "Imaj7 | vi7 | ii7 | V9 | V7sus4 | Imaj7 | ii7 V7 | I69")
SIDE = harmony(KEY, "IVmaj7 | iv6 | iii7 | VI7 | ii7 | V7 | iii7 VI7 | ii7 V7")
CLOSE = harmony(KEY, "ii7 V7 | ii7 V7 | I69")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Lemonade on the Steps",
        "happy",
        "Samba",
        KEY,
        108,
        valence=0.65,
        arousal=0.25,
        room=CHAMBER,
        master=Master(low=1.4, body=-2.6, presence=-2.2, high=2.2, ratio=1.4),
        lifts_from=("angry", "disgust", "fear", "sad"),
    )
    intro, tune, again, porch, solo, last, close = score.form(
        ("introduction", 4),
        ("tune", 8),
        ("tune, two", 8),
        ("porch", 8),
        ("steel drums", 4),
        ("tune, all", 8),
        ("close", 3),
    )
    score.slow(close, 1.5, 1, 0.85)
    lead(score, tune, again, porch, solo, last, close)
    harmony_players(score, intro, tune, again, porch, solo, last, close)
    percussion(score, intro, tune, again, porch, solo, last, close)
    return score


def lead(
    score: Score, tune: Section, again: Section, porch: Section, solo: Section, last: Section, close: Section
) -> None:
    """Flute, then flute and steel drums, jazz guitar on the porch, a steel-drum break, both again in thirds."""
    flute = score.part(play.FLUTE, pan=0.15, volume=0.8, room=0.45, solo=True, loose=12)
    steel = score.part(play.STEEL_DRUMS, pan=-0.35, volume=0.88, room=0.35, loose=10)
    guitar = score.part(play.JAZZ_GUITAR, pan=0.35, volume=0.66, room=0.3, loose=12)
    flute.play(tune, THEME, level="mf")
    flute.play(again, THEME, level="mf")
    steel.play(again, THEME.transposed(-12).stepped(KEY, 2), level="mp")
    guitar.play(porch, PORCH, level="f", to="mf")
    flute.play(porch, PORCH.part(16, 32).stepped(KEY, 2), bar=4, level="mp")
    steel.play(solo, improvised(TURN, KEY, score.rng("steel"), "x.xxX.xx.xxxX...", (66, 86), 0.25), level="mf")
    flute.play(last, THEME, level="f")
    steel.play(last, THEME.stepped(KEY, -2), level="mf")
    guitar.play(
        last, improvised(TUNE, KEY, score.rng("guitar"), "............x.xxX-...xx.x-......", (60, 76)), level="mf"
    )
    flute.play(close, melody(KEY, "9:.5 8 7 6:1 5:.5 4 2 | 9:.5 8 7 6:1 5:.5 4 2 | 3:.5 5 8:3", 5), level="mf")
    steel.play(close, melody(KEY, "r:4 | r:4 | 1:.5 3 6:3", 5), level="mf")


def harmony_players(score: Score, *form: Section) -> None:
    """Nylon guitar in the samba's syncopation, electric piano chords, marimba figures, bass on one and three."""
    intro, tune, again, porch, solo, last, close = form
    nylon = score.part(play.NYLON_GUITAR, pan=-0.3, volume=0.64, room=0.25, loose=8)
    keys = score.part(play.RHODES, pan=0.4, volume=0.7, room=0.35)
    marimba = score.part(play.MARIMBA, pan=-0.6, volume=0.85, room=0.35)
    low = score.part(play.DOUBLE_BASS, volume=0.9, room=0.12, loose=7)
    pattern = "x..x..x...x.x..."
    nylon.play(intro, comp(TURN, pattern, 0.25, (52, 71), 4, spread=0.015), level="mp", to="mf")
    for section, chords in ((tune, TUNE), (again, TUNE), (porch, SIDE), (solo, TURN), (last, TUNE)):
        nylon.play(section, comp(chords, pattern, 0.25, (52, 71), 4, spread=0.015), level="mf")
        low.play(section, bass(chords, "R--.5--R" if section is not porch else "R---5---", 0.5, 28), level="mf")
    keys.play(porch, pad(SIDE, 55, 74, 4), level="mp")
    keys.play(last, comp(TUNE, "..x-..x-.x--..x-", 0.5, (55, 74), 4), level="mp")
    marimba.play(again, arpeggio(TUNE, "0 . 2 3 . 1 2 . 3 1 . 2 0 . 3 2", 0.25, (57, 76)), level="mp")
    marimba.play(last, arpeggio(TUNE, "0 . 2 3 . 1 2 . 3 1 . 2 0 . 3 2", 0.25, (57, 76)), level="mf")
    nylon.play(close, comp(joined(CLOSE), pattern, 0.25, (52, 71), 4).part(0, 8), level="mf", to="mp")
    nylon.play(close, chord_hit((52, 59, 64, 68, 73), 4, 1, 0.06), bar=2.125, level="mf")
    low.play(close, bass(CLOSE, "R--.5--R", 0.5, 28).part(0, 8) + chord_hit((28,), 3), level="mf")


def percussion(score: Score, *form: Section) -> None:
    """Shaker, cabasa and surdo, then tambourine, bongos, agogo; the kit never gets heavy."""
    intro, tune, again, porch, solo, last, close = form
    kit = score.part(play.DRUM_KIT, volume=0.8, room=0.3, loose=7)
    shaker = {"shaker": "xoXoxoXoxoXoxoXo", "cabasa": "xoXoxoXoxoXoxoXo"}
    surdo = {"mute_surdo": "x...............", "surdo": "........x......x"}
    kit.play(intro, groove(16, **shaker) | groove(8, **surdo).later(8), level="p", to="mp")
    kit.play(tune, groove(32, **shaker, **surdo, stick="x..x..x...x.x..."), level="mp")
    kit.play(
        again,
        groove(
            32, **shaker, **surdo, stick="x..x..x...x.x...", conga="......x.......xx", mute_conga="..x.......x....."
        ),
        level="mf",
    )
    kit.play(porch, groove(32, **shaker, kick="x..ox..ox..ox..o", ride="x.oxx.oxx.oxx.ox"), level="mp")
    kit.play(
        solo,
        groove(16, **shaker, **surdo, agogo="x..x....x.x.....", low_agogo="......x......x..", clap="............x..."),
        level="mf",
    )
    kit.play(
        last,
        groove(
            32,
            **shaker,
            **surdo,
            stick="x..x..x...x.x...",
            agogo="x..x....x.x.....",
            low_agogo="......x......x..",
            tambourine="..x...x...x...x.",
            conga="......x.......xx",
        ),
        level="mf",
    )
    kit.play(close, groove(8, **shaker, **surdo), level="mf", to="mp")
    kit.play(close, hit("triangle", 0.8) | hit("surdo"), bar=2.125, level="mp")
