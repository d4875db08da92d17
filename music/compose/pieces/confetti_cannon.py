"""Confetti Cannon: electronic pop that cannot keep a straight face.

It counts down, fires in a new key, and shrinks to a toy.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit, roll
from music.compose.line import Line, chord_hit, rest
from music.compose.melody import melody, ornamented, repeated
from music.compose.patterns import arpeggio, bass, comp, pad
from music.compose.score import STUDIO, Master, Score, Section
from music.compose.theory import Key, harmony

FIRST = Key("Db", "lydian")
SECOND = Key("Gb", "lydian")
THIRD = Key("Ab", "lydian")

HOOK = """
    5:.5 9 8 5 r 7 5 3 | 4:.5 5 r 8 7:1 5 | 6:.5 10 9 6 r 8 6 5 | 7:.5 8 r 9 12:1 r
    5:.5 9 8 5 r 7 5 3 | 4:.5 5 r 8 7:1 9 | 10:.5 9 8 6 5 6 8 9 | 8:1.5 5:.5 8:1 r
"""
TOY = """
    3:.5* 5* r 8* 7:1 5 | r:.5 4* 5* r 9:1 8 | 3:.5* 5* r 8* 10:1 9 | 5:3 r:1
"""
CHORDS = "Imaj7 | II | vi7 | Vsus4 V | Imaj7 | II | vi7 | V"
TOY_CHORDS = "Iadd9 | II | vi7 | Vsus4"
COUNT = "1:1* r 1* r | 1* 1* 1* 1* | 1:.5* 1* 1* 1* 1* 1* 1* 1* | 1:.25 2 3 4 5 6 7 8 9 10 11 12 r:1"


def compose() -> Score:
    """The piece."""
    score = Score(
        "Confetti Cannon",
        "surprise",
        "Electronic pop",
        FIRST,
        138,
        valence=0.6,
        arousal=0.8,
        room=STUDIO,
        master=Master(low=-1.3, body=1.5, presence=-7.5, high=6.5, ratio=1.6),
    )
    count, fire, toy, fire2, under, toy2, fire3, last = score.form(
        ("countdown", 4),
        ("first shot", 8),
        ("toy", 4),
        ("second shot, elsewhere", 8),
        ("under the table", 5, 3),
        ("toy, upside down", 4),
        ("third shot", 8),
        ("one late piece", 3),
    )
    score.at_tempo(toy, 100)
    score.at_tempo(fire2, 144)
    score.at_tempo(under, 84)
    score.at_tempo(toy2, 112)
    score.slow(toy2, 2, 2, 1.4)
    score.at_tempo(fire3, 150)
    machine = Machine(score)
    machine.countdown(count, FIRST)
    machine.shot(fire, FIRST)
    machine.toy(toy, FIRST.moved(3), TOY)
    machine.shot(fire2, SECOND, brass=True)
    machine.table(under)
    machine.toy(toy2, SECOND.moved(1), TOY, turned=True)
    machine.shot(fire3, THIRD, brass=True)
    machine.late(last)
    return score


class Machine:
    """What is in the box: synthesisers, a brass section, toys, an electronic kit."""

    def __init__(self, score: Score) -> None:
        self.lead = score.part(play.SQUARE_LEAD, pan=0.1, volume=0.78, room=0.35, loose=3)
        self.saw = score.part(play.SAW_LEAD, pan=-0.25, volume=0.68, room=0.3, loose=3)
        self.low = score.part(play.SYNTH_BASS, volume=0.84, room=0.05, loose=2)
        self.pad = score.part(play.SWEEP_PAD, pan=-0.1, volume=0.95, room=0.5)
        self.brass = score.part(play.BRASS, pan=0.35, volume=0.78, room=0.3)
        self.bells = score.part(play.GLOCKENSPIEL, pan=0.45, volume=0.9, room=0.5)
        self.box = score.part(play.KALIMBA, pan=-0.4, volume=1.0, room=0.45, loose=8)
        self.pluck = score.part(play.PIZZICATO, pan=0.3, volume=1.0, room=0.45, loose=8)
        self.cello = score.part(play.CELLO, pan=0.0, volume=1.0, room=0.6, solo=True, loose=16)
        self.shot_sound = score.part(play.ORCHESTRA_HIT, volume=0.7, room=0.45)
        self.whoosh = score.part(play.REVERSE_CYMBAL, pan=0.0, volume=0.9, room=0.3)
        self.kit = score.part(play.ANALOG_KIT, volume=0.52, room=0.15, loose=2)

    def countdown(self, at: Section, key: Key) -> None:
        """One note, more and more often; the last bar runs up the scale and stops a beat short."""
        self.box.play(at, melody(key, COUNT, 5), level="mp", to="f")
        self.pluck.play(at, melody(key, "1:2* 5,:2* | 1* 5,* | 1:1* 5,* 1* 5,* | 1* r:3", 3), level="mp", to="f")
        self.kit.play(at, groove(8, 0.5, snap="..x...x.") + roll("snare", 7, 0.25, 0.3, 1.1), level="mp", to="f")
        self.whoosh.play(at, chord_hit((60,), 2), bar=3.4, level="mf")

    def shot(self, at: Section, key: Key, brass: bool = False) -> None:
        """The cannon: hook, four on the floor; it cuts out for one bar in the middle, and goes on as if nothing was."""
        hook, chords = melody(key, HOOK, 4), harmony(key, CHORDS)
        hook = hook.part(0, 12) + Line((), 4) + hook.part(16, 32)
        self.shot_sound.play(at, chord_hit((48 + key.root, 60 + key.root), 1), level="ff")
        self.lead.play(at, hook, level="f")
        self.saw.play(at, hook.transposed(-12).part(16, 32), bar=4, level="f")
        self.bells.play(at, hook.transposed(12).part(16, 32), bar=4, level="mf")
        arpeggios = arpeggio(chords, "0 2 1 3 4 2 3 5", 0.25, (57, 76))
        self.saw.play(at, (arpeggios.part(0, 12) + Line((), 4) + arpeggios.part(16, 32)).scaled(0.5), level="mf")
        self.pad.play(at, pad(chords, 57, 76, 4), level="mf")
        under = bass(chords, "R.RRR.R8", 0.5, 33)
        self.low.play(at, under.part(0, 12) + Line((), 4) + under.part(16, 32), level="f")
        beat = groove(
            12, kick="X...X...X...X...", hat="..x...x...x...xo", clap="....X.......X...", snare2="....x.......x..g"
        )
        self.kit.play(at, beat | hit("crash", 1.2), level="f")
        self.kit.play(
            at,
            groove(
                15,
                kick="X...X...X...X...",
                open_hat="..x...x...x...x.",
                clap="....X.......X...",
                tambourine="x.x.x.x.x.x.x.x.",
            )
            | hit("crash", 1.2),
            bar=4,
            level="f",
        )
        self.box.play(at, ornamented(key, melody(key, "r:1 8:.5* 9* 12:1 r", 5, None)), bar=3, level="mf")
        if brass:
            self.brass.play(
                at, comp(chords, "x..x..x.....x.x.", 0.25, (57, 76), 4).short(0.6).part(16, 32), bar=4, level="ff"
            )
            self.brass.play(at, hook.stepped(key, -2).part(0, 12), level="f")

    def toy(self, at: Section, key: Key, tune: str, turned: bool = False) -> None:
        """Kalimba and plucked strings on the nursery floor, the second time upside down."""
        line, chords = melody(key, tune, 4), harmony(key, TOY_CHORDS)
        self.box.play(
            at, line.inverted(key, key.pitch(5, 4)).transposed(12) if turned else line.transposed(12), level="mp"
        )
        self.pluck.play(
            at,
            bass(chords, "R...5.R.", 0.5, 40).short(0.5) | comp(chords, "..x...x.", 0.5, (60, 74), 2).short(0.4),
            level="p",
        )
        self.bells.play(at, (rest(3) + chord_hit((key.pitch(8, 5),), 1)) * 4, level="pp")
        self.kit.play(at, groove(14, 0.5, snap="..x...x.", shaker="o.o.o.o."), level="p", to="mp")
        self.whoosh.play(at, chord_hit((60,), 2), bar=3.4, level="mf")

    def table(self, at: Section) -> None:
        """Under the table, in a minor key and three four, a cello feels sorry for itself."""
        key = Key("F", "minor")
        chords = harmony(key, "i | iv | VI | V | i", 3)
        self.cello.play(
            at, melody(key, "5,:2 1:1 | 6,:1.5 5,:.5 4,:1 | 3,:2 4,:1 | 5,:1 #7,:1 2:1 | 1:2 r:1", 3, 3), level="mp"
        )
        self.pluck.play(at, comp(chords, "..x.x.", 0.5, (53, 68), 3).short(), level="p")
        self.pad.play(at, pad(chords, 46, 62, 3), level="p")
        self.kit.play(at, roll("snare", 0.5, 0.125, 0.6, 1.0), bar=4.8, level="f")

    def late(self, at: Section) -> None:
        """The last chord, a rest, and one piece of confetti that comes down afterwards."""
        for part, pitches in (
            (self.shot_sound, (44, 56)),
            (self.brass, (56, 60, 63, 68)),
            (self.lead, (72, 75)),
            (self.low, (32,)),
        ):
            part.play(at, chord_hit(pitches, 1.2), level="f")
        self.kit.play(at, hit("crash", 1.2) | hit("kick", 1.2), level="f")
        self.box.play(at, repeated(melody(THIRD, "12:1.5 9:.5 8:1", 5, None), 0.5), bar=1, level="mp", to="p")
        self.bells.play(at, melody(THIRD, "r:1 8:2", 6, None), bar=1.5, level="mp")
