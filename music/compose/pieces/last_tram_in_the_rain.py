"""Last Tram in the Rain: a slow waltz in F minor.

An accordion by itself, nylon guitar and bass, a violin remembers, nobody comes.
"""

from music.compose import instruments as play
from music.compose.drums import groove
from music.compose.line import chord_hit
from music.compose.melody import grace, melody, ornamented
from music.compose.patterns import arpeggio, bass, comp, counter, pad
from music.compose.score import CHAMBER, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("F", "minor")
MAJOR = Key("F", "major")

THEME = melody(
    KEY,
    """
    5:2 b5:.5 5 | 8:2 7:1 | 6:1.5 5:.5 4:1 | 5:3
    4:2 3:.5 4 | 6:2 5:1 | 4:1.5 3:.5 2:1 | 5,:2 r:1
    5:2 b5:.5 5 | 9:2 8:1 | 7:1.5 6:.5 4:1 | 6:3
    5:1 4 3 | 4:1 3 2 | 3:1 1 #7, | 1:2 r:1
""",
    octave=4,
    meter=3,
)
MEMORY = melody(
    MAJOR,
    """
    5:1 6 7 | 10:2 9:1 | 8:1 7 6 | 9:3
    8:1 7 6 | 7:2 5:1 | 6:1 4 2 | 5:2 r:1
""",
    octave=4,
    meter=3,
)
GOODBYE = melody(KEY, "5:2 b5:.5 5 | 8:2 7:1 | 6:1.5 5:.5 4:1 | #7,:3 | 1:3", octave=4, meter=3)

OPENING = harmony(KEY, "i | iv@1 | i | V7", 3)
WALTZ = harmony(KEY, "i | i@7 | VI | i@5 | iv | VI | iiø7 | V7 | i | VII@2 | iv7 | VImaj7 | i@5 | iiø7 | V7 | i", 3)
LIGHT = harmony(MAJOR, "I | Imaj7 | vi | V7 | IV | iii7 | ii7 | V7", 3)
CLOSE = harmony(KEY, "i | VI | iv | V7 | i | i", 3)


def compose() -> Score:
    """The piece."""
    score = Score(
        "Last Tram in the Rain",
        "sad",
        "Musette",
        KEY,
        80,
        meter=3,
        valence=-0.5,
        arousal=-0.4,
        room=CHAMBER,
        master=Master(low=-1.2, body=-7.5, presence=4.9, high=3.1, ratio=1.4),
    )
    intro, waltz, memory, again, close = score.form(
        ("introduction", 4), ("waltz", 16), ("memory", 8), ("waltz, with violin", 12), ("goodbye", 6)
    )
    score.breathe(waltz, 0.07)
    score.at_tempo(memory, 86)
    score.breathe(memory, 0.05)
    score.at_tempo(again, 78)
    score.breathe(again, 0.07)
    score.slow(close, 2, 3, 0.65)
    singers(score, intro, waltz, memory, again, close)
    company(score, intro, waltz, memory, again, close)
    return score


def singers(score: Score, intro: Section, waltz: Section, memory: Section, again: Section, close: Section) -> None:
    """Accordion: the waltz; violin: the memory in major and a voice against the waltz when it comes back."""
    accordion = score.part(play.ACCORDION, pan=-0.1, volume=0.86, room=0.4, solo=True, loose=18)
    violin = score.part(play.VIOLIN, pan=0.35, volume=0.76, room=0.55, solo=True, scoop=0.3, loose=18)
    accordion.play(intro, melody(KEY, "r:3 | r:3 | r:3 | r:1 5:1 b5", 4, 3), level="p")
    accordion.play(waltz, THEME, level="mp")
    violin.play(memory, MEMORY, level="mp", to="mf")
    accordion.play(memory, counter(LIGHT, MEMORY, (53, 67), step=3), level="p")
    accordion.play(again, ornamented(KEY, THEME.part(0, 12), 2) + THEME.part(24, 48), level="mf", to="mp")
    violin.play(again, counter(WALTZ, THEME, (65, 82), step=1.5).part(0, 36), level="mp", to="p")
    accordion.play(close, grace(GOODBYE, 1, 0.1, 1.9), level="p", to="pp")
    violin.play(close, melody(KEY, "r:3 | r:3 | r:3 | 2:3 | 3:2 2:1 | 1:3", 5, 3), level="p", to="pp")


def company(score: Score, *form: Section) -> None:
    """Guitar and bass make the waltz, a piano drips like a gutter, strings warm the memory."""
    intro, waltz, memory, again, close = form
    guitar = score.part(play.NYLON_GUITAR, pan=0.3, volume=0.6, room=0.3, loose=13)
    low = score.part(play.DOUBLE_BASS, pan=-0.1, volume=0.68, room=0.25, loose=13)
    rain = score.part(play.PIANO, pan=-0.5, volume=1.0, room=0.6, loose=20)
    strings = score.part(play.SLOW_STRINGS, volume=0.5, room=0.6)
    shower = score.part(play.SURF, pan=0.0, volume=0.74, room=0.2)
    for section, level in zip(form, ("mp", "p", "p", "p", "mp"), strict=True):
        shower.play(section, chord_hit((89, 96), section.length), level=level)
    shower.swell(intro, (0, 0.9), (4, 0.6))
    shower.swell(close, (0, 0.6), (3, 0.9), (6, 0.2))
    brushes = score.part(play.BRUSH_KIT, pan=0.1, volume=1.0, room=0.4, loose=14)
    guitar.play(intro, arpeggio(OPENING, "0 2 3 4 3 2", 0.5, (48, 70), voices=5, ring=2.5), level="mp")
    rain.play(intro, arpeggio(OPENING, ". . 3 . 2 .", 0.5, (72, 92), voices=4, ring=2), level="p")
    for section, chords, level in ((waltz, WALTZ, "mp"), (memory, LIGHT, "mp"), (again, WALTZ[:12], "mp")):
        guitar.play(section, comp(chords, "..x.o.", 0.5, (53, 70), 4, spread=0.03), level=level)
        low.play(section, bass(chords, "R-.", 1, 29), level=level)
    guitar.play(
        waltz, arpeggio(WALTZ[8:], "0 1 2 3 2 1", 0.5, (53, 70), ring=2).part(24, 48).scaled(0.8), bar=8, level="mp"
    )
    strings.play(memory, pad(LIGHT, 53, 74, 4), level="p", to="mp")
    strings.play(again, pad(WALTZ[:12], 53, 72, 4), level="pp")
    rain.play(
        again, arpeggio(WALTZ[:12], "0 . 3 . 2 . 1 . 3 . 2 .", 0.25, (72, 92), voices=4, ring=3), level="pp", to="p"
    )
    brushes.play(memory, groove(24, 0.5, snare="g.x.g.", kick="o....."), level="p")
    brushes.play(again, groove(36, 0.5, snare="g.x.g.", kick="o....."), level="p")
    guitar.play(
        close, arpeggio(CLOSE, "0 2 3 4 3 2", 0.5, (48, 70), voices=5, ring=2.5).part(0, 12), level="p", to="pp"
    )
    guitar.play(close, chord_hit((41, 48, 53, 56, 60), 6, 1, 0.12), bar=4, level="p")
    low.play(close, bass(CLOSE, "R-.", 1, 29).part(0, 13), level="p")
    rain.play(close, melody(KEY, "r:3 | 5':1 r 3' | r:1 1' r | 5':2 r:1", 5, 3), bar=2, level="p")
