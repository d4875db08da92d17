"""Window Seat: an easy ballad without hurry in F major.

Electric piano, brushes and double bass, a clarinet looks out.
"""

from music.compose import instruments as play
from music.compose.drums import groove, hit
from music.compose.line import chord_hit
from music.compose.melody import melody, ornamented
from music.compose.patterns import arpeggio, bass, comp, counter, pad, walking
from music.compose.score import STUDIO, Master, Score, Section
from music.compose.theory import Key, harmony

KEY = Key("F", "major")

THEME = melody(
    KEY,
    """
    r:.5 5,:.5 1 2 3:1.5 2:.5 | 1:1 6,:2 r:1 | r:.5 6, 2 3 4:1.5 3:.5 | 2:3 r:1
    r:.5 7, 3 4 5:1.5 4:.5 | 3:1 1:2 6,:1 | 2:1 4:.5 3 2:1 7, | 1:3 r:1
""",
    octave=4,
)
BYWAY = melody(
    KEY,
    """
    6:2 5:.5 4 3:1 | 5:1.5 3:.5 1:2 | 4:1 3:.5 4 6:1.5 4:.5 | 5:3 r:1
    6:2 8:.5 7 6:1 | 5:1.5 6:.5 3:2 | 4:1 2:.5 3 4:1 6 | 5:2 r:2
""",
    octave=4,
)

OPENING = harmony(KEY, "Imaj7 | IVmaj7 | Imaj7 | IVmaj7@5 V7")
VERSE = harmony(KEY, "Imaj7 | vi7 | ii7 | V7sus4 | iii7 | vi7 | ii7 V7 | I69")
ASIDE = harmony(KEY, "IVmaj7 | iii7 | ii7 | Imaj7 | IVmaj7 | iii7 vi7 | ii7 | V7sus4 V7")
CLOSE = harmony(KEY, "IVmaj7 | V7sus4 | Imaj9")


def compose() -> Score:
    """The piece."""
    score = Score(
        "Window Seat",
        "neutral",
        "Easy listening",
        KEY,
        92,
        valence=0.15,
        arousal=-0.25,
        swing=0.56,
        room=STUDIO,
        master=Master(low=1.2, body=-1.6, presence=-7.5, high=4.7),
        lifts_from=("sad", "fear"),
    )
    intro, verse, byway, again, close = score.form(
        ("introduction", 4), ("theme", 8), ("byway", 8), ("theme again", 8), ("close", 3)
    )
    score.slow(close, 1, 1.5, 0.75)
    melody_players(score, verse, byway, again, close)
    chords(score, intro, verse, byway, again, close)
    ground(score, intro, verse, byway, again, close)
    return score


def melody_players(score: Score, verse: Section, byway: Section, again: Section, close: Section) -> None:
    """Clarinet first, jazz guitar in the byway, both at the end with the clarinet above."""
    clarinet = score.part(play.CLARINET, pan=0.2, volume=0.78, room=0.4, solo=True, loose=14)
    guitar = score.part(play.JAZZ_GUITAR, pan=-0.35, volume=0.74, room=0.3, loose=14)
    clarinet.play(verse, THEME, level="mf")
    guitar.play(byway, BYWAY, level="mf")
    clarinet.play(byway, counter(ASIDE, BYWAY, (53, 70), step=4), level="p")
    clarinet.play(again, ornamented(KEY, THEME, every=2), level="mf")
    guitar.play(again, THEME.stepped(KEY, -2).scaled(0.85), level="mp")
    clarinet.play(close, melody(KEY, "6:2 5:.5 4 3:1 | 5:2 2:2 | 3:4", 4), level="mp", to="p")


def chords(score: Score, *form: Section) -> None:
    """Electric piano all along, nylon guitar from the byway on, slow strings for the last time round."""
    intro, verse, byway, again, close = form
    keys = score.part(play.RHODES, pan=-0.15, volume=0.72, room=0.35, loose=11)
    nylon = score.part(play.NYLON_GUITAR, pan=0.45, volume=0.8, room=0.3, loose=11)
    section = score.part(play.SLOW_STRINGS, pan=0.0, volume=0.6, room=0.55)
    keys.play(intro, arpeggio(OPENING, "0 1 2 3 2 1 3 2", 0.5, (53, 72), ring=2), level="mp")
    keys.play(verse, comp(VERSE, "x-----x-..o-x---", 0.5, (53, 70), 4, spread=0.02), level="mp")
    keys.play(byway, comp(ASIDE, "x---x-----o-x---", 0.5, (53, 70), 4, spread=0.02), level="mp")
    nylon.play(byway, arpeggio(ASIDE, "0 2 1 3 1 2", 0.5, (50, 69), ring=1.8), level="mp")
    keys.play(again, comp(VERSE, "x-----x-..o-x---", 0.5, (53, 70), 4, spread=0.02), level="mp")
    nylon.play(again, arpeggio(VERSE, "0 2 1 3 1 2 3 2", 0.5, (50, 69), ring=1.8), level="mp")
    section.play(again, pad(VERSE, 53, 74, 4), level="p")
    keys.play(close, arpeggio(CLOSE, "0 1 2 3 2 1 3 2", 0.5, (53, 72), ring=2).part(0, 8), level="mp", to="p")
    keys.play(close, chord_hit((53, 60, 64, 67, 72), 5, 1, 0.15), bar=2, level="mp")
    section.play(close, pad(CLOSE, 53, 72, 4), level="p", to="pp")


def ground(score: Score, *form: Section) -> None:
    """Double bass in two, walking for the return; brushes throughout but for the introduction."""
    intro, verse, byway, again, close = form
    low = score.part(play.DOUBLE_BASS, volume=0.88, room=0.2, loose=9, lag=5)
    brushes = score.part(play.BRUSH_KIT, pan=0.0, volume=1.0, room=0.3, loose=9)
    low.play(intro, bass(OPENING, "R-------", 0.5, 29), level="mp", bar=0)
    low.play(verse, bass(VERSE, "R--.5-L-", 0.5, 29), level="mf")
    low.play(byway, bass(ASIDE, "R---5-8-", 0.5, 29), level="mp")
    low.play(again, walking(VERSE, score.rng("walk"), 29, 48), level="mf")
    low.play(close, bass(CLOSE, "R-------", 0.5, 29), level="mp", to="p")
    for section, level in ((verse, "mp"), (byway, "p"), (again, "mp")):
        brushes.play(
            section, groove(32, kick="x.........o.....", snare="..g.x.g...g.x.gg", ride="x...x..ox...x..o"), level=level
        )
    brushes.play(intro, groove(8, ride="x...x..ox...x..o"), bar=2, level="pp", to="p")
    brushes.play(close, hit("ride", 0.9) | hit("kick", 0.6), bar=2, level="p")
