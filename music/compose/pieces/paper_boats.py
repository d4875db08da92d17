"""Paper Boats: patient minimalism in A mixolydian.

Marimba and vibraphone in patterns that slip past each other; a cello sails by.
"""

from music.compose import instruments as play
from music.compose.drums import groove
from music.compose.line import Line, chord_hit
from music.compose.melody import melody
from music.compose.patterns import arpeggio, bass, pad
from music.compose.score import CHAMBER, Master, Score, Section
from music.compose.theory import Harmony, Key, harmony

KEY = Key("A", "mixolydian")

RIPPLE = melody(KEY, "1:.5 5 2 5 3 5 | 1:.5 5 2 5 4 5", octave=4, meter=3)
EDDY = melody(KEY, "3:.5 1 5 3:.75 r:.25 5:.5", octave=4, meter=3)
BOAT = melody(
    KEY,
    """
    5:3 | 6:2 5:1 | 3:3 | 2:3 | 3:3 | 4:2 3:1 | 2:2 1:1 | 2:3
    5:3 | 7:2 6:1 | 5:3 | 3:3 | 4:2 3:1 | 2:2 7,:1 | 1:3 | 1:2 r:1
""",
    octave=3,
    meter=3,
)
FAR = melody(
    KEY,
    """
    8:1 7 5 | 6:2 4:1 | 5:1 3 2 | 3:3 | 4:1 5 6 | 7:2 8:1 | 9:1 7 5 | 6:3
""",
    octave=4,
    meter=3,
)

STILL = harmony(KEY, "Iadd9 | Iadd9 | VIIadd9 | Iadd9", 3)
SAIL = harmony(KEY, "I | IV | vi7 | v7 | I | IV | v7 | v7 | I | VII | vi7 | I | IV | v7 | Iadd9 | Iadd9", 3)
LAKE = harmony(KEY, "vi7 | IVmaj7 | ii7 | vi7 | IVmaj7 | VII | v7 | IV", 3)


def compose() -> Score:
    """The piece."""
    score = Score(
        "Paper Boats",
        "neutral",
        "Minimalism",
        KEY,
        116,
        meter=3,
        valence=0.1,
        arousal=0.1,
        room=CHAMBER,
        master=Master(low=-5.1, body=2.9, presence=4.3, high=0.4, ratio=1.3),
        lifts_from=("angry", "disgust", "fear", "sad"),
    )
    fold, float_, sail, lake, sail2, land = score.form(
        ("folding", 8), ("floating", 8), ("sailing", 16), ("far out", 8), ("sailing, two boats", 16), ("landing", 6)
    )
    score.slow(land, 3, 3, 0.75)
    mallets(score, fold, float_, sail, lake, sail2, land)
    boats(score, float_, sail, lake, sail2, land)
    return score


def mallets(score: Score, *form: Section) -> None:
    """Marimba first, a second one three eighths behind it, vibraphone chords, harp for the lake."""
    fold, float_, sail, lake, sail2, land = form
    marimba = score.part(play.MARIMBA, pan=-0.4, volume=0.8, room=0.35, loose=6)
    second = score.part(play.MARIMBA, pan=0.45, volume=0.74, room=0.35, loose=6)
    vibes = score.part(play.VIBRAPHONE, pan=0.15, volume=1.0, room=0.45, loose=8)
    harp = score.part(play.HARP, pan=-0.15, volume=0.62, room=0.45, loose=10)
    marimba.play(fold, RIPPLE * 4, level="mp", to="mf")
    second.play(fold, EDDY * 4, bar=4, level="p", to="mp")
    marimba.play(float_, RIPPLE * 4, level="mf")
    second.play(float_, (EDDY * 8).later(0), level="mp")
    vibes.play(float_, chords_on(STILL) + chords_on(STILL), level="mp")
    for section, level in ((sail, "mp"), (sail2, "mf")):
        marimba.play(section, arpeggio(SAIL, "0 2 1 2 3 2", 0.5, (57, 76)), level=level)
        second.play(section, arpeggio(SAIL, "2 . 3 1 . 2", 0.5, (57, 76)), level=level)
        vibes.play(section, chords_on(SAIL), level="mp")
    harp.play(lake, arpeggio(LAKE, "0 1 2 3 4 5 4 3 2 1 2 1", 0.25, (50, 69), ring=3), level="mf")
    vibes.play(lake, FAR.transposed(12), level="mf")
    harp.play(sail2, arpeggio(SAIL, "0 . 2 . 3 .", 0.5, (50, 69), ring=3).part(24, 48), bar=8, level="mp")
    marimba.play(land, (RIPPLE * 2).part(0, 9), level="mp", to="p")
    second.play(land, EDDY * 3, level="p", to="pp")
    vibes.play(land, chords_on(STILL).part(0, 9), level="p")
    harp.play(land, chord_hit((45, 52, 57, 64, 71, 76), 8, 1, 0.2), bar=3, level="mp")
    marimba.play(land, melody(KEY, "1:.5 5 2 5:1 1", 4, None), bar=4, level="p")


def chords_on(chords: Harmony) -> Line:
    """The chords let ring, each broken upwards a little."""
    return arpeggio(chords, "0 1 2 3 . .", 0.5, (64, 81), ring=5)


def boats(score: Score, *form: Section) -> None:
    """Cello with the long tune, a flute as the second boat; plucked bass, a shaker, soft strings far out."""
    float_, sail, lake, sail2, land = form
    cello = score.part(play.CELLO, pan=0.1, volume=0.84, room=0.5, solo=True, loose=14)
    flute = score.part(play.FLUTE, pan=0.35, volume=0.72, room=0.5, solo=True, loose=14)
    pluck = score.part(play.PIZZICATO, pan=-0.2, volume=0.84, room=0.4, loose=9)
    strings = score.part(play.STRINGS, pan=0.0, volume=0.64, room=0.5)
    light = score.part(play.BRUSH_KIT, pan=0.2, volume=0.95, room=0.3, loose=8)
    cello.play(sail, BOAT, level="mp")
    pluck.play(float_, bass(STILL, "R..", 1, 33) * 2, level="mp")
    pluck.play(sail, bass(SAIL, "R.5", 1, 33), level="mp")
    pluck.play(lake, bass(LAKE, "R..", 1, 33), level="mp")
    pluck.play(sail2, bass(SAIL, "R.5", 1, 33), level="mf")
    strings.play(lake, pad(LAKE, 54, 72, 4), level="p", to="mp")
    cello.play(sail2, BOAT, level="mf")
    flute.play(sail2, BOAT.transposed(12).stepped(KEY, 2).part(24, 48), bar=8, level="mp")
    flute.play(sail2, melody(KEY, "r:2 5:1 | 8:2 7:1 | 5:3 | r:3", 4, 3), bar=4, level="mp")
    strings.play(sail2, pad(SAIL, 54, 72, 3), level="p", to="mp")
    light.play(sail, groove(48, 0.5, shaker="o.x.x.", kick="x....."), level="p")
    light.play(sail2, groove(48, 0.5, shaker="oox.xo", kick="x....o", stick="....x."), level="mp")
    cello.play(land, melody(KEY, "5:3 | 2:3 | 1:3 | 1:6", 3, None), level="p", to="pp")
