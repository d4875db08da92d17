"""Harbour Without Boats: a slow elegy in B minor. English horn over a harp, a choir like fog, one bell."""

from music.compose import instruments as play
from music.compose.drums import hit, roll
from music.compose.line import chord_hit
from music.compose.melody import melody
from music.compose.patterns import arpeggio, bass, counter, pad
from music.compose.score import CAVE, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("B", "dorian")
DARK = Key("B", "minor")

CALL = melody(
    DARK,
    """
    1:3 2:.5 3 | 5:3 4:1 | 3:1.5 2:.5 1:1 7, | 2:4
    3:3 4:.5 5 | 8:2.5 7:.5 5:1 | 6:2 5:1 3 | 4:2 2:1.5 r:.5
""",
    octave=4,
)
TIDE = melody(
    KEY,
    """
    5:2 8:2 | 7:1.5 6:.5 4:2 | 3:2 6:1 5 | 5:3 r:1
""",
    octave=4,
)
LAST_CALL = melody(DARK, "1:3 2:.5 3 | 5:3 4:1 | 2:2 7,:2 | 1:4", octave=4)

MIST = harmony(DARK, "iadd9 | VImaj7")
ELEGY = harmony(DARK, "iadd9 | v7 | VImaj7 | iv7 | III | iadd9 | VImaj7 | iv7")
WATER = harmony(KEY, "i | IV | III | VII")
CLOSE = harmony(DARK, "iadd9 | v7 | iv7 | iadd9")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Harbour Without Boats",
        "sad",
        "Elegy",
        DARK,
        62,
        valence=-0.8,
        arousal=-0.75,
        room=CAVE,
        master=Master(low=-2.4, body=0.8, presence=3.2, high=-1.5, ratio=1.3),
    )
    mist, call, water, return_, close = score.form(
        ("mist", 2), ("call", 8), ("water", 4), ("call, choir", 8), ("going out", 4)
    )
    score.breathe(call, 0.05)
    score.breathe(return_, 0.05)
    score.slow(close, 2, 2, 0.7)
    voices(score, mist, call, water, return_, close)
    strings(score, mist, call, water, return_, close)
    return score


def voices(score: Score, mist: Section, call: Section, water: Section, again: Section, close: Section) -> None:
    """English horn calls; a horn answers from far off; the choir takes the call with it."""
    english = score.part(play.ENGLISH_HORN, pan=0.15, volume=0.82, room=0.7, solo=True, loose=20)
    horn = score.part(play.HORN, pan=-0.4, volume=0.68, room=0.9, solo=True, loose=20)
    flute = score.part(play.FLUTE, pan=0.4, volume=0.55, room=0.8, solo=True, loose=20)
    choir = score.part(play.CHOIR, pan=-0.05, volume=0.66, room=0.8)
    choir.play(mist, pad(MIST, 54, 71, 3), level="p")
    choir.swell(mist, (0, 0.6), (1, 1.0), (2, 0.6))
    english.play(call, CALL, level="mp")
    horn.play(call, melody(DARK, "r:4 | r:2 8:1 7 | 5:2 r | r:4 | r | r:2 5:1 4 | 3:2 r | r:4", 3), level="p")
    flute.play(water, TIDE.transposed(12), level="mp")
    horn.play(water, counter(WATER, TIDE, (52, 66), step=2), level="mp")
    english.play(again, CALL, level="mf", to="mp")
    flute.play(again, counter(ELEGY, CALL, (71, 86), step=2).part(16, 32), bar=4, level="p")
    choir.play(again, pad(ELEGY, 54, 74, 4), level="mp", to="p")
    choir.swell(again, (0, 0.6), (4, 1.0), (6, 0.9), (8, 0.55))
    english.play(close, LAST_CALL, level="mp", to="pp")
    choir.play(close, pad(CLOSE, 54, 71, 3), level="pp")
    choir.swell(close, (0, 0.55), (3, 0.6), (3.9, 0.2))


def strings(score: Score, *form: Section) -> None:
    """Harp waves, low strings that hardly move, one tubular bell a phrase."""
    mist, call, water, again, close = form
    harp = score.part(play.HARP, pan=-0.3, volume=0.8, room=0.6, loose=16)
    low = score.part(play.SLOW_STRINGS, pan=0.2, volume=0.55, room=0.7)
    bell = score.part(play.TUBULAR_BELLS, pan=0.5, volume=0.72, room=0.9)
    sea = score.part(play.ORCHESTRA_KIT, volume=0.85, room=0.9)
    surf = score.part(play.SURF, pan=-0.2, volume=0.7, room=0.5)
    for section in form:
        surf.play(section, chord_hit((36, 43), section.length - 0.5), level="mp")
    surf.swell(mist, (0, 0.5), (1, 1.0), (2, 0.7))
    surf.swell(close, (0, 0.7), (3, 0.9), (3.9, 0.2))
    wave = "0 1 2 3 4 5 6 5 4 3 2 1"
    harp.play(mist, arpeggio(MIST, wave, 1 / 3, (47, 66), ring=5), level="mp", to="p")
    bell.play(mist, chord_hit((59,), 6), level="mp")
    for section, chords, level in ((call, ELEGY, "p"), (again, ELEGY, "mp")):
        harp.play(
            section,
            arpeggio(chords, "0 2 4 . 5 . 4 3 2 . 1 ." if section is call else wave, 1 / 3, (47, 66), ring=4),
            level=level,
        )
        low.play(section, pad(chords, 43, 59, 3), level="pp" if section is call else "p")
        low.play(section, bass(chords, "R-------", 0.5, 31), level="pp")
    harp.play(water, arpeggio(WATER, "0 3 1 4 2 5 3 6 4 5 2 4", 1 / 3, (50, 69), ring=4), level="mp", to="mf")
    low.play(water, pad(WATER, 50, 67, 3), level="p", to="mp")
    for bar in (0, 4):
        bell.play(again, chord_hit((59, 71), 6), bar=bar, level="p")
    sea.play(water, roll("crash", 4, 0.125, 0.15, 0.5), bar=3, level="p")
    sea.play(water, roll("kick", 4, 0.5, 0.3, 0.7), bar=3, level="p")
    sea.play(again, hit("kick", 0.8), level="p")
    harp.play(close, arpeggio(CLOSE, wave, 1 / 3, (47, 66), ring=5).part(0, 12), level="p", to="pp")
    harp.play(close, chord_hit((35, 47, 54, 61, 66, 74), 6, 1, 0.25), bar=3, level="p")
    low.play(close, pad(CLOSE, 43, 59, 3), level="pp")
    bell.play(close, chord_hit((59,), 8), bar=3, level="pp")
