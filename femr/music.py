"""The choice of songs for a mood.

Match plays songs of the mood itself, in random order. Lift answers a hard mood (anger, disgust, fear, sadness) with
calm and cheerful songs that lead out of it step by step: neutral and happy ones, the nearest to the mood in valence and
arousal first. This is the iso principle of music therapy (Altshuler, 1948; Heiderscheit and Madson, 2015): meet the
listener where they are, then move. The other moods are matched either way.
"""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import dist
from operator import itemgetter
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

from femr.errors import LibraryError
from femr.results import Emotion, Song

Mode: TypeAlias = Literal["match", "lift"]
Affect: TypeAlias = tuple[float, float]

AFFECT: Mapping[Emotion, Affect] = MappingProxyType(
    {
        Emotion.ANGRY: (-0.65, 0.9),
        Emotion.DISGUST: (-0.5, 0.3),
        Emotion.FEAR: (-0.7, 0.5),
        Emotion.HAPPY: (0.8, 0.5),
        Emotion.SAD: (-0.65, -0.6),
        Emotion.SURPRISE: (0.4, 0.8),
        Emotion.NEUTRAL: (0.15, -0.05),
    }
)
"""Valence and arousal of each expression, -1 to 1, after Russell's circumplex (1980); for songs that state none."""

HARD = (Emotion.ANGRY, Emotion.DISGUST, Emotion.FEAR, Emotion.SAD)
"""The moods that Lift answers."""
BETTER = (Emotion.NEUTRAL, Emotion.HAPPY)
"""The moods of the songs it answers with."""


def check_mode(mode: str) -> None:
    """Return if there is such a mode. Raises: LibraryError."""
    if mode not in get_args(Mode):
        raise LibraryError(f"Expected a mode named {', '.join(get_args(Mode))}. Received: {mode}")


class MusicLibrary:
    """Songs by expression.

    `problems` holds a sentence for each file or row that is left out, and for what is strange in a folder. `complete`
    says that all the same everything plays that was meant to.
    """

    def __init__(self, songs: Iterable[Song], problems: Iterable[str] = (), complete: bool = True) -> None:
        self.songs = tuple(songs)
        self.problems = tuple(problems)
        self.complete = complete

    def of(self, emotion: Emotion | str) -> tuple[Song, ...]:
        """All songs of one expression. ValueError if there is no such expression."""
        wanted = Emotion(emotion)
        return tuple(song for song in self.songs if song.emotion is wanted)

    def pick(self, emotion: Emotion | str, mode: Mode = "match", played: Sequence[Song] = ()) -> Song | None:
        """A song for a mood: not the one just played if there is another, and one played least. None where none fits.

        So all songs that fit come up once before one is repeated; at random for "match", step by step for "lift".

        Args:
            played: The songs of this visit so far, oldest first.

        Raises:
            LibraryError: There is no such mode.
        """
        return next(iter(self.order(emotion, mode, played)), None)

    def order(self, emotion: Emotion | str, mode: Mode = "match", played: Sequence[Song] = ()) -> list[Song]:
        """All songs that fit a mood, in the order in which `pick` gives them. Args: as for `pick`."""
        emotion = Emotion(emotion)
        fitting = self._fitting(emotion, mode)
        if not _lifts(emotion, mode):
            random.shuffle(fitting)
        times, turns = Counter(song.path for song in played), []
        for song in fitting:
            turns.append(times[song.path])
            times[song.path] += 1  # the same file may be there for two moods
        order = [song for _, song in sorted(zip(turns, fitting, strict=True), key=itemgetter(0))]
        last = played[-1].path if played else None
        first = next((place for place, song in enumerate(order) if song.path != last), 0)
        return order[first : first + 1] + order[:first] + order[first + 1 :]

    def playlist(self, emotion: Emotion | str, mode: Mode = "match", n: int = 3) -> tuple[Song, ...]:
        """Up to `n` different songs for a mood: in random order for "match", from near the mood to far for "lift"."""
        emotion = Emotion(emotion)
        fitting = self._fitting(emotion, mode)
        count = min(n, len(fitting))
        if not _lifts(emotion, mode):
            return tuple(random.sample(fitting, count))
        # even steps over the whole way, first and last song included
        return tuple(fitting[round(i * (len(fitting) - 1) / max(1, count - 1))] for i in range(count))

    def _fitting(self, emotion: Emotion, mode: Mode) -> list[Song]:
        """The songs that fit; for a mood to lift, those that lead out of it, nearest first."""
        if not _lifts(emotion, mode):
            return list(self.of(emotion))
        # a song that does not say what it lifts from may be used for any
        leading = [s for s in self.songs if s.emotion in BETTER and (s.lifts_from is None or emotion in s.lifts_from)]
        return sorted(leading, key=lambda song: dist(_affect(song), AFFECT[emotion]))


def _lifts(emotion: Emotion, mode: Mode) -> bool:
    check_mode(mode)
    return mode == "lift" and emotion in HARD


def _affect(song: Song) -> Affect:
    valence, arousal = AFFECT[song.emotion]
    return valence if song.valence is None else song.valence, arousal if song.arousal is None else song.arousal
