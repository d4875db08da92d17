"""The Lamp Goes Out: a whispered nocturne round F.

A low piano that loses count, glass harmonies, a voice in the next room.
"""

from music.compose import instruments as play
from music.compose.drums import hit, roll
from music.compose.line import chord_hit, rest
from music.compose.melody import melody, repeated
from music.compose.patterns import pad
from music.compose.score import CAVE, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("F", "phrygian")
METER = 7

OSTINATO = melody(KEY, "1:1 5:.5 1 2:1 1:1.5 b5:.5 1:1 7,:1", octave=2, meter=METER)
HALTING = melody(KEY, "1:1 5:.5 1 2:1 r:1.5 b5:.5 r:2", octave=2, meter=METER)
SONG = melody(
    KEY,
    """
    5:3 6:2 b5:2 | 4:4 3:1 b3:2 | 2:3 4:2 3:2 | 1:5 r:2
    5:3 8:2 b8:2 | 7:4 6:1 b5:2 | 6:3 4:2 2:2 | b2:6 r:1
""",
    octave=4,
    meter=METER,
)
GHOST = melody(KEY, "8:1 12:1 b12:1 r:4 | 9:1 8:1 r:5 | 8:1 12:1 13:1 r:1 b12:1 r:2 | 9:2 r:5", octave=5, meter=METER)

NIGHT = harmony(KEY, "i | bV | II | i | i | II | vii | bII", METER)


def compose() -> Score:
    """The piece."""
    score = Score(
        "The Lamp Goes Out",
        "fear",
        "Dark ambient",
        KEY,
        96,
        meter=METER,
        valence=-0.6,
        arousal=0.35,
        room=CAVE,
        master=Master(low=-4.3, body=-7.8, presence=7.8, high=5.6, ratio=2.0),
    )
    dusk, steps, song, dark, song2, out = score.form(
        ("dusk", 2), ("ostinato", 3), ("song", 8), ("in the dark", 4), ("song, nearer", 4), ("out", 2)
    )
    score.breathe(song, 0.06, 2)
    score.at_tempo(dark, 84)
    score.slow(dark, 2, 2, 1.5)
    score.at_tempo(song2, 104)
    score.at_tempo(out, 80)
    score.slow(out, 0, 2, 0.7)
    piano(score, dusk, steps, song, dark, song2, out)
    air(score, dusk, steps, song, dark, song2, out)
    return score


def piano(
    score: Score, dusk: Section, steps: Section, song: Section, dark: Section, song2: Section, out: Section
) -> None:
    """The low ostinato, which stops, forgets and runs; a celesta far above like something dripping."""
    low = score.part(play.PIANO, pan=-0.15, volume=0.95, room=0.55, loose=18)
    drip = score.part(play.CELESTA, pan=0.5, volume=0.9, room=0.8, loose=25)
    low.play(dusk, melody(KEY, "1:7 | b5,:7", 2, METER), level="mf")
    low.play(steps, OSTINATO + HALTING + OSTINATO, level="mp")
    low.play(song, (OSTINATO * 2 + HALTING + OSTINATO) * 2, level="mp")
    drip.play(song, GHOST, bar=4, level="p")
    low.play(dark, chord_hit((29, 30), 7) + rest(7) + OSTINATO + OSTINATO.stretched(0.5) * 2, level="mp", to="f")
    low.play(
        song2,
        (OSTINATO | OSTINATO.transposed(-12)) * 2 + (OSTINATO | OSTINATO.transposed(-12)).transposed(1) * 2,
        level="f",
        to="ff",
    )
    drip.play(song2, GHOST.transposed(1), level="mf")
    low.play(out, chord_hit((17 + 12, 24 + 12, 30 + 12), 9, 1.1), level="ff", to="p")
    drip.play(out, melody(KEY, "r:3 12:1 b12:3 | r:1 9:3 r:3", 5, METER), level="p", to="pp")


def air(score: Score, *form: Section) -> None:
    """Horn and viola sing, voices without words hold the chords, glass and bass drum breathe."""
    dusk, _, song, dark, song2, out = form
    horn = score.part(play.HORN, pan=-0.35, volume=0.6, room=0.8, solo=True, droop=0.4, loose=22)
    viola = score.part(play.VIOLA, pan=0.3, volume=0.72, room=0.7, solo=True, droop=0.4, loose=22)
    choir = score.part(play.VOICE_OOHS, pan=0.1, volume=0.76, room=0.9)
    glass = score.part(play.BOWED_PAD, pan=-0.5, volume=0.72, room=0.8)
    drum = score.part(play.ORCHESTRA_KIT, volume=0.62, room=0.7, loose=15)
    shiver = score.part(play.TREMOLO_STRINGS, pan=0.4, volume=0.55, room=0.6)
    glass.play(dusk, chord_hit((53, 60, 66), 14), level="p")
    glass.swell(dusk, (0, 0.4), (1, 0.9), (2, 0.5))
    horn.play(song, SONG.part(0, 28).transposed(-12), level="mp")
    viola.play(song, SONG.part(28, 56), bar=4, level="mp", to="mf")
    choir.play(song, pad(NIGHT, 53, 72, 3), level="pp", to="p")
    choir.swell(song, (0, 0.4), (2, 0.9), (4, 0.4), (7, 1.0), (8, 0.2))
    glass.play(dark, chord_hit((54, 59, 65), 28), level="p", to="mf")
    glass.swell(dark, (0, 0.5), (1.5, 0.3), (4, 1.0))
    drum.play(dark, (hit("kick", 0.9) + hit("kick", 0.6, 2.5)) * 4, level="mp", to="mf")
    shiver.play(dark, chord_hit((65, 66, 71), 14), bar=2, level="pp", to="f")
    shiver.swell(dark, (2, 0.2), (4, 1.0))
    drum.play(dark, roll("kick2", 7, 0.25, 0.3, 1.0), bar=3, level="f")
    viola.play(song2, SONG.part(28, 56).transposed(1), level="f")
    horn.play(song2, SONG.part(0, 28).transposed(-11), level="f")
    choir.play(song2, pad(harmony(KEY.moved(1), "i | bV | II | i", METER), 53, 74, 4), level="mf", to="f")
    shiver.play(song2, repeated(chord_hit((66, 67, 72, 78), 28), 7), level="mp", to="f")
    drum.play(song2, (hit("kick", 1.0) + hit("kick", 0.7, 6)) * 4, level="f")
    drum.play(out, hit("kick", 1.2), level="ff")
    choir.play(out, chord_hit((53, 54), 12), level="p", to="pp")
    choir.swell(out, (0, 0.6), (1, 0.45), (2, 0.15))
