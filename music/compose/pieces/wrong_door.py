"""Wrong Door: a big band in D minor walks in on a lullaby, a tango, and itself. Every door is another room."""

from music.compose import instruments as play
from music.compose.drums import fill, groove, hit, roll
from music.compose.improvise import improvised
from music.compose.line import chord_hit, rest
from music.compose.melody import melody
from music.compose.patterns import arpeggio, bass, comp, pad
from music.compose.score import STUDIO, Master, Score, Section
from music.compose.theory import Key, harmony

MAMBO = Key("D", "minor")
NURSERY = Key("Bb", "major")
TANGO = Key("A", "harmonic minor")
LOUDER = Key("D", "dorian")

RIFF = """
    1:.5^ r 1:.5* 3^ r 4:.5* b5 5 | r:.5 5:.5* 7^ r 8:1^ r | 8:.5^ 7 5* 4^ r 3:.5* 4 3 | 1:.5^ r 7,:.5* 1^ r:2
"""
SHOUT = """
    5:1.5^ 5:.5* r:.5 7^ 5 4 | 5:.5* r 8:1^ r:2 | 9:1.5^ 8:.5* r:.5 7^ 8 5 | 4:.5* r b5^ r 5:1^ r
    5:1.5^ 5:.5* r:.5 7^ 5 4 | 5:.5* r 10:1^ r 9:1^ | 8:.5 7 8* r 5:.5 4 3* r | 1:.5^ r:1.5 1:.5^ r:1.5
"""
CRADLE = """
    5:2 3:1 | 6:2 5:1 | 4:1 3 2 | 5:3 | 8:2 6:1 | 5:2 3:1
"""
STEPS = """
    5:.75^ 5:.25 6:.5 5 b5:.5 5 8:1 | 7:.75 6:.25 5:.5 4 5:2 | 4:.75^ 4:.25 5:.5 4 3 4 6:1 | 5:.75 4:.25 3:.5 2 #7,:1 r
"""
MAMBO_CHORDS = "i7 | V7 | i7 | iiø7 V7#9"
CRADLE_CHORDS = "I | IV | ii7 | V7 | I | I"
TANGO_CHORDS = "i | V7 | iv | V7"


def compose() -> Score:
    """The piece."""
    score = Score(
        "Wrong Door",
        "surprise",
        "Latin big band",
        MAMBO,
        184,
        valence=0.25,
        arousal=0.85,
        room=STUDIO,
        master=Master(low=-7.5, body=-7.5, presence=7.4, high=6.3, ratio=1.4),
    )
    street, band, nursery, band2, tango, hush, solo, lift, slam = score.form(
        ("street", 4),
        ("band", 12),
        ("nursery", 6, 3),
        ("band again", 8),
        ("tango", 4),
        ("listening at the door", 3),
        ("solo", 8),
        ("band, louder", 12),
        ("slam", 3),
    )
    score.at_tempo(nursery, 96)
    score.at_tempo(band2, 184)
    score.at_tempo(tango, 118)
    score.at_tempo(hush, 104)
    score.at_tempo(solo, 190)
    score.at_tempo(slam, 150)
    band_players = Band(score)
    band_players.groove(street, MAMBO, "p")
    band_players.riff(band, MAMBO)
    cradle(score, nursery)
    band_players.riff(band2, MAMBO, bars=8)
    tangle(score, tango)
    listening(score, band_players, hush)
    band_players.solo(solo, MAMBO)
    band_players.riff(lift, LOUDER)
    band_players.slam(slam)
    return score


class Band:
    """The big band: four horns, piano, bass, drums."""

    def __init__(self, score: Score) -> None:
        self.score = score
        self.trumpet = score.part(play.TRUMPET, pan=0.3, volume=0.8, room=0.3, loose=8)
        self.sax = score.part(play.TENOR_SAX, pan=-0.35, volume=0.8, room=0.3, scoop=0.4, loose=10)
        self.section = score.part(play.BRASS, pan=0.1, volume=0.8, room=0.3, loose=8)
        self.trombone = score.part(play.TROMBONE, pan=0.5, volume=0.68, room=0.3, scoop=1.0)
        self.piano = score.part(play.BRIGHT_PIANO, pan=-0.5, volume=1.0, room=0.25)
        self.low = score.part(play.FINGER_BASS, volume=0.82, room=0.1, loose=5)
        self.kit = score.part(play.DRUM_KIT, volume=0.86, room=0.2, loose=6)

    def groove(self, at: Section, key: Key, level: str, bars: float = 4, bar: float = 0) -> None:
        """Piano montuno, tumbao bass, cowbell and congas."""
        chords = harmony(key, MAMBO_CHORDS)
        beats = bars * 4
        self.piano.play(at, arpeggio(chords, "0 3 . 2 3 . 1 3", 0.5, (60, 79)).part(0, beats), bar=bar, level=level)
        self.low.play(
            at, bass(chords, "...5..R-", 0.5, 31).part(0, beats), bar=bar, level="f" if level != "p" else "mf"
        )
        rows = {"cowbell": "X.x.x.xx", "mute_conga": "x.....x.", "conga": "......xx", "timbale": "..x....."}
        self.kit.play(at, groove(beats, 0.5, **rows), bar=bar, level="mf" if level != "p" else "p")

    def riff(self, at: Section, key: Key, bars: int = 12) -> None:
        """Saxophone riff for four bars, then trumpets shout over it for eight, with a fill into the next door."""
        riff, shout = melody(key, RIFF, 3), melody(key, SHOUT, 4)
        times = bars // 4
        for turn in range(times):
            self.groove(at, key, "f", 4, turn * 4)
        quiet = bars - 8
        self.sax.play(at, riff.transposed(12) * times, level="f")
        self.trombone.play(at, riff * times, level="f")
        self.trumpet.play(at, shout, bar=quiet, level="ff")
        self.section.play(at, shout.stepped(key, -2), bar=quiet, level="f")
        stabs = comp(harmony(key, MAMBO_CHORDS), "...x..x.......X.", 0.5, (58, 76), 4).short(0.5)
        self.section.play(at, stabs.part(0, 4 * min(4, quiet)), level="f")
        self.kit.play(
            at, groove(at.length, 0.5, kick="x..x..x.", hat="x.x.x.x.", snare="....x..g") | hit("crash"), level="f"
        )
        self.kit.play(at, fill(self.score.rng(at.name), 3), bar=bars - 0.75, level="ff")

    def solo(self, at: Section, key: Key) -> None:
        """The trumpet plays what it likes; twice everything stops dead and it goes on alone."""
        chords = harmony(key, f"{MAMBO_CHORDS} | {MAMBO_CHORDS}")
        free = improvised(chords, key, self.score.rng("trumpet"), "xxXxxxx.X-.xxxxxxxxxX-..x.X.xxxx", (64, 84))
        self.trumpet.play(at, free, level="f", to="ff")
        for bar in (0, 4):
            self.groove(at, key, "f", 2.5, bar)
            self.section.play(at, comp(chords, "X..X..X.", 0.5, (58, 76), 4).short(0.4).part(0, 8), bar=bar, level="f")
            self.kit.play(at, hit("crash", 1.1) | hit("kick", 1.1), bar=bar + 2.5, level="ff")
        self.kit.play(at, fill(self.score.rng("stop"), 4), bar=7, level="ff")

    def slam(self, at: Section) -> None:
        """Two chords that belong to no key, a pause, and a polite last note from the nursery."""
        for part, pitches in (
            (self.section, (58, 62, 68, 73)),
            (self.trumpet, (77, 82)),
            (self.sax, (58, 65)),
            (self.trombone, (46, 52)),
        ):
            part.play(
                at,
                chord_hit(pitches, 0.4, 1.1) + rest(0.6) + chord_hit(tuple(p + 1 for p in pitches), 1.4, 1.1),
                level="ff",
            )
        self.low.play(at, chord_hit((34,), 0.4) + rest(0.6) + chord_hit((35,), 1.4), level="ff")
        self.kit.play(
            at, hit("crash", 1.1) | hit("kick") | hit("crash2", 1.2).later(1) | hit("kick").later(1), level="ff"
        )
        self.piano.play(at, melody(NURSERY, "8:.5 10 12 8':2", 5, None), bar=1, level="mf")


def cradle(score: Score, at: Section) -> None:
    """Behind the first door somebody is asleep: celesta and vibraphone, as soft as can be."""
    chords = harmony(NURSERY, CRADLE_CHORDS, 3)
    celesta = score.part(play.CELESTA, pan=0.2, volume=1.0, room=0.6, loose=14)
    vibes = score.part(play.VIBRAPHONE, pan=-0.3, volume=1.0, room=0.6, loose=14)
    strings = score.part(play.SLOW_STRINGS, volume=0.72, room=0.6)
    celesta.play(at, melody(NURSERY, CRADLE, 5, 3), level="p")
    vibes.play(at, arpeggio(chords, "0 1 2", 1, (52, 69), voices=3, ring=2), level="p")
    strings.play(at, pad(chords, 52, 68, 3), level="pp")


def tangle(score: Score, at: Section) -> None:
    """Behind the second, two people dance: bandoneon, pizzicato, a rose between the teeth."""
    chords = harmony(TANGO, TANGO_CHORDS)
    bandoneon = score.part(play.BANDONEON, pan=0.15, volume=0.72, room=0.4)
    pluck = score.part(play.PIZZICATO, pan=-0.3, volume=0.7, room=0.35)
    bandoneon.play(at, melody(TANGO, STEPS, 4), level="f")
    bandoneon.play(at, comp(chords, "X-x.x.x.", 0.5, (52, 66), 3).short(0.7), level="mf")
    pluck.play(at, bass(chords, "R..RR.5.", 0.5, 37).short(0.6), level="f")
    score.parts[6].play(at, groove(16, 0.5, snare="x..xr.x.", castanets="..x...xx"), level="mp")


def listening(score: Score, band: Band, at: Section) -> None:
    """An ear at the keyhole: one plucked bass, a clock, and a drum roll that cannot hold itself."""
    band.low.play(at, melody(MAMBO, "1:1* r:1 b5:1* r:1 | 4:1* r:1 b2:1* r:1", 2), level="p")
    band.kit.play(at, groove(12, 1, low_block="x.o."), level="mp")
    band.piano.play(at, melody(MAMBO, "r:3 b9:1* | r:1 8* r:2", 5), level="p")
    band.kit.play(at, roll("snare", 4, 0.125, 0.25, 1.2), bar=2, level="p", to="ff")
