"""Jack in the Box: an orchestral prank.

Tiptoe in E, and whenever it feels safe the whole band jumps out, in another key.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit, roll
from music.compose.line import Line, chord_hit, rest
from music.compose.melody import grace, melody
from music.compose.patterns import bass, comp
from music.compose.score import CHAMBER, Master, Score, Section
from music.compose.theory import Key, harmony

HOME = Key("E", "major")
LEAPS = (5, 2)  # semitones from home to the keys in which Jack jumps: A, F sharp

CRANK = """
    5:.5* 3* 5* 3* 6:.5 5* 4* 2* | 4* 2* 4* 2* 5:.5 4* 3* 1* | 3* 5* 8* 7* 6* 5* 4* 6* | 5:1 #4:.5* 5* 7:1* r
"""
TEASE = """
    5:.5* 3* 5* 3* 6:.5 5* 4* 2* | 4* 2* 4* 2* 5:.5 4* 3* 1* | b3* 5* b7* 8* 9* b7* 5* b3* | 2:.5* r r:1 7,:.5* r r:1
"""
BOUNCE = """
    8:1^ 5:.5 6 8:.5 9 10:1 | 9:.5 8 6 8 5:1 r | 6:1^ 4:.5 5 6 8 11:1 | 10:.5 9 8 7 9:1 r
    8:1^ 5:.5 6 8 9 10 12 | 13:.5 12 10 8 11:1 r | 10:.5 12 11 9 7 9 8 5 | 8:1^ r 8^ r
"""
CHASE = """
    1':.5 7 1' #2' 3':1 1' | 5':.5 #4' 5' 6' 5':1 3' | 4':.5 3' 2' 1' 7:1 6 | 7:.5 1' 2' #2' 3':1 r
"""
TIPTOE_CHORDS = "I V7 | V7 I | vi IV | V #ivo7"
BOUNCE_CHORDS = "I | IV V7 | IV | V7 | I | vi IV | I V7 | I"


def compose() -> Score:
    """The piece."""
    score = Score(
        "Jack in the Box",
        "surprise",
        "Cartoon orchestra",
        HOME,
        126,
        valence=0.35,
        arousal=0.7,
        room=CHAMBER,
        master=Master(low=-1.1, body=-5.2, presence=3.4, high=-6.3, ratio=1.3),
    )
    crank, jump, sneak, jump2, hush, jump3, last = score.form(
        ("crank", 5), ("jump", 8), ("sneak", 5), ("jump, higher", 8), ("hush", 5, 3), ("chase", 8), ("last jump", 2.75)
    )
    score.at_tempo(jump, 144)
    score.at_tempo(sneak, 108)
    score.slow(sneak, 3, 1.5, 0.7)
    score.at_tempo(jump2, 152)
    score.at_tempo(hush, 92)
    score.at_tempo(jump3, 160)
    score.slow(last, 0, 1, 0.8)
    players = Players(score)
    tiptoe(players, crank, HOME, CRANK)
    outburst(players, jump, HOME.moved(LEAPS[0]))
    tiptoe(players, sneak, HOME, TEASE)
    outburst(players, jump2, HOME.moved(LEAPS[1]), high=True)
    waltz(players, hush, HOME.moved(7))
    chase(players, jump3, HOME)
    finish(players, last)
    return score


class Players:
    """Everybody in the pit."""

    def __init__(self, score: Score) -> None:
        self.box = score.part(play.MUSIC_BOX, pan=0.3, volume=1.0, room=0.5)
        self.pluck = score.part(play.PIZZICATO, pan=-0.3, volume=1.0, room=0.45)
        self.bassoon = score.part(play.BASSOON, pan=0.15, volume=0.75, room=0.4, loose=9)
        self.flute = score.part(play.PICCOLO, pan=0.25, volume=0.6, room=0.45)
        self.clarinet = score.part(play.CLARINET, pan=-0.1, volume=0.68, room=0.45)
        self.trumpet = score.part(play.TRUMPET, pan=0.35, volume=0.76, room=0.4)
        self.brass = score.part(play.BRASS, pan=0.1, volume=0.74, room=0.4)
        self.trombone = score.part(play.TROMBONE, pan=0.5, volume=0.72, room=0.4, scoop=1.5)
        self.strings = score.part(play.STRINGS, pan=-0.45, volume=0.78, room=0.5)
        self.tuba = score.part(play.TUBA, pan=0.4, volume=0.8, room=0.35)
        self.xylophone = score.part(play.XYLOPHONE, pan=-0.35, volume=1.0, room=0.4)
        self.hit = score.part(play.ORCHESTRA_HIT, volume=0.72, room=0.5)
        self.kit = score.part(play.ORCHESTRA_KIT, volume=0.66, room=0.4)


def tiptoe(to: Players, at: Section, key: Key, tune: str) -> None:
    """Music box and plucked strings, very softly; the last bar is a pause with a held breath."""
    line = melody(key, tune, 5)
    chords = harmony(key, TIPTOE_CHORDS)
    to.box.play(at, line, level="p")
    to.pluck.play(at, comp(chords, "..x...x.", 0.5, (55, 70), 2).short(0.4), level="p")
    to.pluck.play(at, bass(chords, "R.5.", 0.5, 36).short(0.5), level="p")
    to.bassoon.play(at, melody(key, "1:.5* r 5,* r 1* r 3* r 2* r 5,* r 1* r", 3, None), bar=2, level="p")
    to.kit.play(at, roll("snare", 2.5, 0.125, 0.3, 1.1), bar=4.2, level="p", to="f")
    to.box.play(at, melody(key, "5:1 r 5:.5* r r:1", 5), bar=4, level="pp")


def outburst(to: Players, at: Section, key: Key, high: bool = False) -> None:
    """Jack: the full orchestra, fortissimo, in a key that nobody expected; the middle four bars drop out at once."""
    tune, chords = melody(key, BOUNCE, 4 if key.root < 6 else 3), harmony(key, BOUNCE_CHORDS)
    shift = 12 if high else 0
    to.hit.play(at, chord_hit((48 + key.root, 60 + key.root), 1.5), level="fff")
    to.trumpet.play(at, tune, level="ff")
    to.flute.play(at, grace(tune.transposed(12), -1), level="f")
    to.strings.play(at, tune.stepped(key, -2).transposed(shift), level="f")
    to.xylophone.play(at, tune.transposed(12).short(), level="f")
    to.brass.play(at, comp(chords, "x..x..x.", 0.5, (55, 74), 4).short(0.6), level="ff")
    to.trombone.play(at, bass(chords, "R---5---", 0.5, 41), level="f")
    to.tuba.play(at, bass(chords, "R.5.", 1, 29).short(0.6), level="ff")
    beat = groove(32, kick="x.......x.......", snare="....x..x....x.xx", hat="..x...x...x...x.")
    to.kit.play(at, beat | hit("crash", 1.2) | hit("crash2", 1.1).later(16), level="ff")
    to.kit.play(at, hit("crash", 1.0) | hit("kick", 1.2), bar=7, level="ff")
    to.kit.play(at, hit("crash", 1.0) | hit("kick", 1.2), bar=7.5, level="ff")


def waltz(to: Players, at: Section, key: Key) -> None:
    """A little waltz in the polite dominant, clarinet and plucked strings, as if nothing had happened."""
    chords = harmony(key, "I | vi7 | ii7 | V7 | I", 3)
    to.clarinet.play(at, melody(key, "5:1.5 6:.5 5:1 | 3:2 1:1 | 2:1 4 6 | 5:1.5 4:.5 2:1 | 3:2 r:1", 4, 3), level="p")
    to.strings.play(at, comp(chords, "x-----", 0.5, (52, 67), 3), level="pp")
    to.pluck.play(at, bass(chords, "R.....", 0.5, 36) | comp(chords, "..x.x.", 0.5, (57, 72), 3).short(), level="p")
    to.box.play(at, melody(key, "r:2 8:1/3 10 12 | 13:1 r:2", 5, 3), bar=1, level="pp")


def chase(to: Players, at: Section, key: Key) -> None:
    """Everybody after Jack: the tune in canon, four bars at home and four a tone higher, with gaps between."""
    for bar, moved in ((0, key), (4, key.moved(2))):
        line = melody(moved, CHASE, 4)
        chords = harmony(moved, "I | I@3 | IV iio7 | V7")
        to.clarinet.play(at, line, bar=bar, level="f")
        to.xylophone.play(at, line.transposed(12), bar=bar, level="f")
        to.strings.play(at, line.part(0, 14), bar=bar + 0.5, level="f", to="ff")
        to.bassoon.play(at, line.part(0, 12).transposed(-24), bar=bar + 1, level="ff")
        to.flute.play(at, (rest(8) + line.part(8, 16)).transposed(24), bar=bar, level="f")
        to.pluck.play(at, bass(chords, "R.8.5.8.", 0.5, 36), bar=bar, level="f")
        to.tuba.play(at, bass(chords, "R...", 0.5, 29), bar=bar, level="f")
        to.brass.play(
            at, chord_hit([moved.pitch(degree, 4) for degree in (1, 3, 5, 8)], 0.5), bar=bar + 3.5, level="fff"
        )
        to.kit.play(
            at,
            groove(15, kick="x...............", snare="g.o.g.o.g.o.x.x.", block="..x...x...x.xxx."),
            bar=bar,
            level="f",
        )


def finish(to: Players, at: Section) -> None:
    """Silence, one last tiny turn of the crank, then the lid flies open: one broad chord at home."""
    to.box.play(at, melody(HOME, "5:.5* 3* 5* 3* 6:1 5", 5), level="p")
    to.pluck.play(at, melody(HOME, "1:1* r:3", 3), level="pp")
    to.kit.play(at, roll("snare", 1, 0.125, 0.3, 1.2), bar=1, level="mf")
    final: Line = chord_hit([HOME.pitch(degree, 3) for degree in (1, 8, 10, 12, 15, 17)], 2.5, 1.1)
    for part, octave in ((to.strings, 12), (to.brass, 0), (to.trumpet, 0), (to.hit, 0), (to.trombone, -12)):
        part.play(at, final.transposed(octave), bar=1.25, level="mp")
    to.tuba.play(at, chord_hit((HOME.pitch(1, 1),), 2.5), bar=1.25, level="mf")
    to.kit.play(at, hit("crash", 1.0) | hit("kick", 1.2), bar=1.25, level="ff")
    to.box.play(at, melody(HOME, "8:1 r:2", 6, None), bar=2, level="mp")
