"""Teeth of the Machine: metal in E phrygian.

A grinding riff, a tritone theme over it, a half-time breakdown, no mercy.
"""

from music.compose import instruments as play
from music.compose.drums import fill, groove, hit, roll
from music.compose.line import Line, chord_hit, together
from music.compose.melody import melody, repeated, trilled
from music.compose.patterns import pad
from music.compose.score import Master, Room, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("E", "phrygian")

RIFF = melody(
    KEY,
    """
    1:.25* 1* 1* 1* 2:.5^ 1:.25* 1* 1* 1* 4:.5^ b5:.5^ 2:.5^
    1:.25* 1* 1* 1* 2:.5^ 1:.25* 1* b5:.75^ 4:.75^ 2:.5^
""",
    octave=2,
    meter=None,
)
VERSE = melody(
    KEY,
    """
    1:.25* 1* 1* 1* 1* 1* 3:.5^ 1:.25* 1* 1* 1* 2:.5^ 7,:.5^
    1:.25* 1* 1* 1* 1* 1* 4:.5^ b5:1^ 4:.5^ 2:.5^
""",
    octave=2,
    meter=None,
)
GRIND = melody(KEY, "1:1.5^ b5:1.5^ 4:1^ | 2:1.5^ 1:1^ 7,:1.5^", octave=2)
THEME = melody(
    KEY,
    """
    1':1.5 2':.5 b5':2 | 4':1 3':.5 2':.5 1':2 | 7:1 1':1 3':1 2':1 | 1':2.5 7:.5 b6:1
    1':1.5 2':.5 b5':2 | 6':1 b5':.5 4':.5 3':2 | 4':.5 3':.5 2':.5 1':.5 2':1 7:1 | 1':3 r:1
""",
    octave=4,
)
SCREAM = melody(
    KEY,
    """
    8:.25 9 8 7 8 9 11 9 8 7 6 7 8 9 10 9 | b12:.5 11 10 9 8:.25 9 8 7 8:1
    8:.25 10 9 8 9 11 10 9 10 b12 11 10 9 10 9 8 | 9:1^ b12:1^ 11:1^ 9:1^
""",
    octave=4,
)
CHOIR_CHORDS = harmony(KEY, "i | II | i | vii | i | II | iv | II")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Teeth of the Machine",
        "angry",
        "Metal",
        KEY,
        164,
        valence=-0.75,
        arousal=0.9,
        room=Room(0.4, 0.4, 0.6, 0.8),
        master=Master(low=-0.3, body=-2.0, presence=0.3, high=1.0, ratio=2.5),
    )
    intro, riff, verse, theme, breakdown, scream, last, end = score.form(
        ("introduction", 4),
        ("riff", 8),
        ("verse", 8),
        ("theme", 8),
        ("breakdown", 8),
        ("scream", 8),
        ("theme again", 8),
        ("end", 3),
    )
    guitars(score, intro, riff, verse, theme, breakdown, scream, last, end)
    leads(score, theme, breakdown, scream, last, end)
    battery(score, intro, riff, verse, theme, breakdown, scream, last, end)
    return score


def power(line: Line) -> Line:
    """Power chords on a line: fifth and octave over every note."""
    return line | line.transposed(7).scaled(0.9) | line.transposed(12).scaled(0.8)


def guitars(score: Score, *form: Section) -> None:
    """Two distorted guitars hard left and right and a picked bass in unison; the left one begins alone."""
    intro, riff, verse, theme, breakdown, scream, last, end = form
    left = score.part(play.DISTORTION, pan=-0.8, volume=0.66, room=0.12, loose=8)
    right = score.part(play.OVERDRIVE, pan=0.8, volume=0.68, room=0.12, loose=9, lag=6)
    low = score.part(play.PICKED_BASS, volume=0.86, room=0.05, loose=5)
    under = repeated(melody(KEY, "1:4 | 2:4 | 1:4 | 7,:4 | 1:4 | 2:4 | 4:4 | 2:4", octave=2), 0.5)
    left.play(intro, power(RIFF) * 2, level="f", to="ff")
    right.play(intro, power(RIFF), bar=2, level="ff")
    low.play(intro, RIFF, bar=2, level="f")
    for section, line in (
        (riff, RIFF * 4),
        (verse, VERSE * 4),
        (theme, under),
        (breakdown, GRIND * 4),
        (scream, RIFF * 2 + RIFF.transposed(3) + VERSE),
        (last, under),
    ):
        for part, place in ((left, power(line)), (right, power(line)), (low, line)):
            part.play(section, place, level="ff" if section in (theme, last) else "fff")
    stop = melody(KEY, "1:.25* 1* 1* 1* 2:.5^ b5:.5^ 1:2^ | -:3 2:1^", octave=2)
    final = stop + chord_hit((40,), 6)
    for part, place in ((left, power(final)), (right, power(final)), (low, final)):
        part.play(end, place, level="fff")


def leads(score: Score, theme: Section, breakdown: Section, scream: Section, last: Section, end: Section) -> None:
    """The theme on a saw lead, doubled by brass the second time; a choir in the breakdown, a solo that screams."""
    lead = score.part(play.SAW_LEAD, pan=0.2, volume=0.95, room=0.4, scoop=1.0, loose=6)
    solo = score.part(play.OVERDRIVE, pan=-0.15, volume=0.78, room=0.4, solo=False, scoop=0.8)
    brass = score.part(play.BRASS, pan=-0.3, volume=0.76, room=0.4)
    choir = score.part(play.CHOIR, pan=0.0, volume=0.72, room=0.5)
    lead.play(theme, THEME, level="f")
    choir.play(breakdown, pad(harmony(KEY, "i | II") * 1, 57, 74, 4) * 4, level="mf", to="f")
    brass.play(breakdown, trilled(melody(KEY, "b5:4 | 4:4 | b5:4 | 6:4", 3), 1, 0.25), bar=4, level="mf", to="ff")
    solo.play(scream, SCREAM + SCREAM.transposed(3), level="ff")
    lead.play(last, THEME, level="ff")
    solo.play(last, THEME.stepped(KEY, 2), level="f")
    brass.play(last, THEME.transposed(-12), level="ff")
    choir.play(last, pad(CHOIR_CHORDS, 55, 74, 4), level="f")
    brass.play(end, together([chord_hit((52, 53, 58, 64, 65), 5, 1.1)]), bar=2, level="ff")


def battery(score: Score, *form: Section) -> None:
    """Double kick, a straight fast verse, half-time with china in the breakdown, blast beats at the end."""
    intro, riff, verse, theme, breakdown, scream, last, end = form
    drums = score.part(play.POWER_KIT, volume=0.8, room=0.2, loose=4)
    chance = score.rng("fills")
    drums.play(intro, groove(8, hat="X.x.X.x.X.x.X.x."), level="mf")
    drums.play(intro, roll("snare", 4, 0.25) | groove(4, kick="x...x...x...x..."), bar=3, level="ff")
    double = groove(32, kick="xxxxx.x.xxxxx.x.", snare="....X.......X...", hat="X...X...X...X...")
    fast = groove(32, kick="x..xx..xx..xx..x", snare="....X.......X..o", ride="X.x.X.x.X.x.X.x.")
    slow = groove(32, kick="x..x......x.x...", snare="........X.......", china="X...X...X...X...")
    blast = groove(32, kick="x.x.x.x.x.x.x.x.", snare=".X.X.X.X.X.X.X.X", crash="X.......X.......")
    march = groove(32, kick="xxxxxxxxxxxxxxxx", snare="....X.......X...", crash="X...x...x...x...")
    for section, beat in (
        (riff, double),
        (verse, fast),
        (theme, march),
        (breakdown, slow),
        (scream, double),
        (last, blast),
    ):
        drums.play(section, beat | hit("crash2", 1.2), level="ff")
        drums.play(section, fill(chance, 4), bar=7, level="fff")
    drums.play(end, groove(3.5, kick="xxxxx.x.x", snare="....X.x.X", crash="....X...X"), level="fff")
    drums.play(end, hit("crash") | hit("kick") | hit("china"), bar=2, level="fff")
