"""Slow Train Through Barley: country air in E flat.

A train in the brushes, guitars on the sleepers, harmonica and fiddle take turns.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit
from music.compose.line import chord_hit
from music.compose.melody import grace, melody, ornamented
from music.compose.patterns import arpeggio, bass, comp, counter, pad, strum
from music.compose.score import STUDIO, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("Eb", "major")

THEME = melody(
    KEY,
    """
    5:1 3:.5 2 1:1.5 6,:.5 | 1:2 2:.5 3:1.5 | 4:1 6:.5 5 4:1 3:.5 2 | 3:3 r:1
    5:1 3:.5 5 6:1.5 5:.5 | 8:2 6:1 5 | 4:1 3:.5 2 1:1 2 | 1:3 r:1
""",
    octave=4,
)
FIELDS = melody(
    KEY,
    """
    6:1.5 5:.5 6:1 8 | 5:3 3:1 | 4:1.5 3:.5 4:1 6 | 5:4
    6:1.5 5:.5 6:1 8 | 9:2 10:1 8 | 6:1 5 4 2 | 5:3 r:1
""",
    octave=4,
)
WHISTLE = melody(KEY, "5:.5 8:1.5 r:2 | 5:.5 8:3 r:.5", octave=5)

OPENING = harmony(KEY, "I | I | IV@1 | I")
LINE = harmony(KEY, "I | vi | IV | I | I | IV | V7sus4 V | I")
VIEW = harmony(KEY, "vi | I@3 | IV | I@5 | vi | II7 | ii7 | V7")
STATION = harmony(KEY, "IV | V7sus4 | Iadd9 | Iadd9")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Slow Train Through Barley",
        "neutral",
        "Country folk",
        KEY,
        104,
        valence=0.25,
        arousal=0.0,
        room=STUDIO,
        master=Master(low=-2.6, body=-7.5, presence=4.6, high=1.0, ratio=1.5),
        lifts_from=("angry", "disgust", "sad"),
    )
    start, line, view, line2, halt, line3, station = score.form(
        ("setting off", 4),
        ("line", 8),
        ("view", 8),
        ("line, fiddle", 8),
        ("halt", 2),
        ("line, both", 8),
        ("station", 4),
    )
    score.at_tempo(start, 88)
    score.slow(start, 0, 4, 1.18)
    score.slow(station, 0, 4, 0.62)
    tunes(score, start, line, view, line2, halt, line3, station)
    sleepers(score, start, line, view, line2, halt, line3, station)
    return score


def tunes(score: Score, *form: Section) -> None:
    """Harmonica, then the fiddle with it; a steel guitar's view of the fields between."""
    start, line, view, line2, halt, line3, station = form
    harmonica = score.part(play.HARMONICA, pan=0.2, volume=0.92, room=0.35, solo=True, scoop=0.5, loose=14)
    fiddle = score.part(play.FIDDLE, pan=-0.3, volume=0.74, room=0.4, scoop=0.4, loose=14)
    picked = score.part(play.CLEAN_GUITAR, pan=0.4, volume=0.86, room=0.35, scoop=0.5, loose=11)
    harmonica.play(start, WHISTLE.transposed(-12), bar=2, level="mp")
    harmonica.play(line, THEME, level="mf")
    picked.play(view, FIELDS, level="mf")
    fiddle.play(view, counter(VIEW, FIELDS, (62, 77), step=4), level="mp")
    fiddle.play(line2, grace(ornamented(KEY, THEME, 2), -2, 0.1).transposed(12), level="mf")
    harmonica.play(line2, counter(LINE, THEME, (58, 72), step=2), level="p")
    harmonica.play(halt, WHISTLE, level="mp", to="p")
    harmonica.play(line3, THEME, level="mf")
    fiddle.play(line3, THEME.stepped(KEY, 2), level="mf")
    picked.play(line3, FIELDS.part(16, 32).scaled(0.8), bar=4, level="mp")
    harmonica.play(station, melody(KEY, "6:1 5 4 2 | 5:2 2 | 1:4", 4), level="mp", to="p")
    fiddle.play(station, melody(KEY, "8:1 6 6 4 | 4:2 5 | 5:4", 4), level="p", to="pp")


def sleepers(score: Score, *form: Section) -> None:
    """Two acoustic guitars, banjo on the later lines, bass on one and three, brushes going like wheels."""
    start, line, view, line2, halt, line3, station = form
    left = score.part(play.STEEL_GUITAR, pan=-0.5, volume=0.62, room=0.25, loose=9)
    right = score.part(play.NYLON_GUITAR, pan=0.55, volume=0.72, room=0.25, loose=9)
    banjo = score.part(play.BANJO, pan=-0.15, volume=0.68, room=0.25, loose=9)
    organ = score.part(play.DRAWBAR_ORGAN, pan=0.1, volume=0.5, room=0.4)
    low = score.part(play.DOUBLE_BASS, volume=0.86, room=0.15, loose=8)
    wheels = score.part(play.BRUSH_KIT, volume=1.0, room=0.25, loose=7)
    left.play(start, arpeggio(OPENING, "0 2 1 3 0 2 1 3", 0.5, (46, 67), ring=2), level="mp", to="mf")
    train = {"snare": "xgxXxgxX", "kick": "x...x..."}
    wheels.play(start, groove(12, **train), bar=1, level="pp", to="mp")
    for section, chords, level in ((line, LINE, "mf"), (view, VIEW, "mp"), (line2, LINE, "mf"), (line3, LINE, "mf")):
        left.play(section, strum(chords, "D.D-D-DU", 0.5, (46, 68)), level=level)
        right.play(section, arpeggio(chords, "0 2 1 3 2 3 1 2", 0.5, (51, 70), ring=1.8), level="mp")
        low.play(section, bass(chords, "R-.-5-.L" if section is line3 else "R---5---", 0.5, 27), level=level)
        wheels.play(section, groove(32, **train), level="mf" if section is not view else "mp")
    banjo.play(line2, arpeggio(LINE, "0 2 3 1 2 3 0 2", 0.25, (55, 75)), level="mp")
    banjo.play(line3, arpeggio(LINE, "0 2 3 1 2 3 0 2", 0.25, (55, 75)), level="mf")
    organ.play(view, pad(VIEW, 55, 72, 3), level="mp")
    organ.play(line3, pad(LINE, 55, 72, 3), level="mp")
    wheels.play(halt, groove(8, **train), level="p", to="pp")
    right.play(halt, comp(harmony(KEY, "I | V7sus4"), "x---....", 0.5, (51, 70), 4, spread=0.06), level="mp")
    left.play(station, strum(STATION, "D.D-D-DU", 0.5, (46, 68)).part(0, 8), level="mp", to="p")
    wheels.play(station, groove(8, **train), level="mp", to="pp")
    low.play(station, bass(STATION, "R---5---", 0.5, 27).part(0, 9), level="mp")
    left.play(station, chord_hit((51, 58, 63, 67, 70, 77), 6, 1, 0.09), bar=2, level="mp")
    wheels.play(station, hit("ride", 0.8), bar=2, level="p")
