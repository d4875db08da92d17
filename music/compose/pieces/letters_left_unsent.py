"""Letters Left Unsent: a slow song without words in A minor for cello and piano; a violin answers, strings remember."""

from music.compose import instruments as play
from music.compose.line import Line, chord_hit
from music.compose.melody import melody
from music.compose.patterns import arpeggio, bass, counter, pad
from music.compose.score import HALL, Master, Score, Section
from music.compose.theory import Harmony, Key, harmony

KEY = Key("A", "minor")

THEME = melody(
    KEY,
    """
    5:2 6:.5 5 4 3 | 4:1.5 3:.5 2:2 | 3:1 5 8:1.5 7:.5 | 6:1 5:2 r:1
    5:2 6:.5 7 8 9 | 10:1.5 9:.5 8:2 | 7:1 6:.5 5 6:1 4 | 5:1 #7,:1 1:2
""",
    octave=3,
)
ANSWER = melody(
    KEY,
    """
    10:1.5 9:.5 8 9 10:1 | 11:1 10:.5 9 7:2
    8:1 10 12:1.5 11:.5 | 10:1 9 #7:2
""",
    octave=4,
)
FAREWELL = melody(KEY, "5:2 6:.5 5 4 3 | 4:1.5 3:.5 2:2 | 1:4", octave=3)

OPENING = harmony(KEY, "i | VImaj7")
SONG = harmony(KEY, "i | iiø7 V | III VImaj7 | iv V | i | VImaj7 | iv7 iiø7 | V7 i")
BRIGHTER = harmony(KEY, "III | VII@2 | VImaj7 | iv7 V7")
CLOSE = harmony(KEY, "i | iiø7 V7 | iadd9")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Letters Left Unsent",
        "sad",
        "Chamber music",
        KEY,
        60,
        valence=-0.65,
        arousal=-0.6,
        room=HALL,
        master=Master(low=3.4, body=-1.9, presence=-7.5, high=4.1, ratio=1.3),
    )
    intro, song, answer, again, close = score.form(
        ("introduction", 2), ("song", 8), ("answer", 4), ("song, with violin", 8), ("farewell", 3)
    )
    score.at_tempo(intro, 56)
    score.at_tempo(song, 60)
    score.breathe(song, 0.06)
    score.at_tempo(answer, 65)
    score.breathe(answer, 0.06)
    score.at_tempo(again, 60)
    score.breathe(again, 0.07)
    score.slow(close, 0, 2, 0.7)
    bowed(score, song, answer, again, close)
    keys(score, intro, song, answer, again, close)
    return score


def bowed(score: Score, song: Section, answer: Section, again: Section, close: Section) -> None:
    """Cello with the theme, violin with the answer, both in the return; a string section grows under them."""
    cello = score.part(play.CELLO, pan=-0.2, volume=0.94, room=0.6, solo=True, loose=16)
    violin = score.part(play.VIOLIN, pan=0.3, volume=0.6, room=0.65, solo=True, loose=16)
    section = score.part(play.SLOW_STRINGS, pan=0.05, volume=0.5, room=0.7)
    cello.play(song, THEME, level="mp")
    violin.play(answer, ANSWER, level="mp", to="mf")
    cello.play(answer, counter(BRIGHTER, ANSWER, (45, 60), step=2), level="p", to="mp")
    cello.play(again, THEME, level="mf", to="mp")
    violin.play(again, counter(SONG, THEME, (69, 84), step=2), level="p", to="mp")
    violin.play(again, THEME.part(16, 26).transposed(12).scaled(0.9), bar=4, level="p")
    section.play(answer, pad(BRIGHTER, 48, 69), level="pp", to="p")
    section.play(again, pad(SONG, 48, 69), level="p", to="pp")
    section.swell(again, (0, 0.75), (4, 1.0), (8, 0.6))
    cello.play(close, FAREWELL, level="p", to="pp")
    section.play(close, pad(CLOSE, 48, 66), level="pp")
    section.swell(close, (0, 0.7), (2, 0.8), (2.9, 0.35))


def keys(score: Score, intro: Section, song: Section, answer: Section, again: Section, close: Section) -> None:
    """The piano: broken chords, wider in the answer, bare octaves at the end."""
    right = score.part(play.PIANO, pan=0.1, volume=0.92, room=0.45, loose=14)
    left = score.part(play.PIANO, pan=-0.1, volume=0.95, room=0.45, loose=14)
    right.play(intro, rocking(OPENING, (57, 76)), level="mp", to="p")
    left.play(intro, bass(OPENING, "R-------", 0.5, 33), level="mp")
    right.play(song, rocking(SONG, (57, 76)), level="p")
    right.play(answer, arpeggio(BRIGHTER, "0 1 2 3 4 5 6 5 4 3 2 1", 1 / 6, (52, 71), ring=6), level="p", to="mp")
    right.play(
        again, arpeggio(SONG, "0 1 2 3 4 3 2 1 3 2 1 2", 1 / 6, (55, 74), ring=6).scaled(0.9), level="mp", to="p"
    )
    for section, chords, level in ((song, SONG, "p"), (answer, BRIGHTER, "mp"), (again, SONG, "mp")):
        left.play(section, bass(chords, "R---5---", 0.5, 33), level=level)
    right.play(close, rocking(CLOSE, (57, 76)).part(0, 8), level="p", to="pp")
    left.play(close, bass(CLOSE, "R-------", 0.5, 33).part(0, 8), level="p")
    right.play(close, chord_hit((57, 64, 71, 72, 76), 5, 1, 0.22), bar=2, level="pp")
    left.play(close, chord_hit((33, 45), 5), bar=2, level="pp")


def rocking(chords: Harmony, span: tuple[int, int]) -> Line:
    """Gentle triplets that ring into each other."""
    return arpeggio(chords, "0 2 1 3 1 2", 1 / 3, span, ring=3)
