"""Frames in, analyses out: how faces, mood and song move on from picture to picture, of a camera or of a film.

Driven by time stamps alone. Faces keep their numbers, their scores are averaged (both in femr.video.tracking), and the
averages vote. The first song starts when the mood has been the same for STABLE seconds.
It gives way to another when that is so of another mood, or when it is over, and in no case before it has played for
LEAST seconds. A short look away does not count, and while nobody is there the song plays on.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from femr.faces.detector import Follower
from femr.images import Picture, Pixels, to_picture
from femr.mood import vote
from femr.music import Mode, MusicLibrary
from femr.results import Analysis, Emotion, FaceEmotion, Mood, Song
from femr.video.tracking import KEEP, SECONDS, Smoother, Tracker

if TYPE_CHECKING:  # loads the networks' engine
    from femr.analyzer import Analyzer

STABLE = 4.0
"""Seconds for which a mood must have been the same before its song starts."""
LEAST = 20.0
"""Seconds that a song plays at least."""
HISTORY = 60.0
"""Seconds that are remembered for the chart."""
ABSENT = 1.5
"""Seconds without a face that do not interrupt a mood: a blink of the detector, a hand before the face."""

_REMEMBERED = 1000  # songs; a film of any length must not fill the memory


@dataclass(frozen=True, slots=True)
class Moment:
    """When the group voted, in seconds, and how: votes by expression, empty where nobody was there."""

    time: float
    counts: Mapping[Emotion, int]


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """A picture of a video. time: seconds since the video's start. index: its number among all frames, from 0.

    image: RGB uint8 (h, w, 3), upright and with square pixels.
    """

    time: float
    index: int | None
    image: Pixels


class Step(NamedTuple):
    """What a session makes of a picture: faces with lasting numbers and steady scores, their mood, the song now."""

    faces: tuple[FaceEmotion, ...]
    mood: Mood
    song: Song | None


class Session:
    """One visitor's stream of pictures, or one film.

    Args:
        library: the songs; none, for a session without music.
        threshold: a face whose averaged top probability is lower is unsure.
        mode: "match" or "lift", as for an Analyzer; it may be set at any time and counts from the next song on.
        every: in every how many-th picture new faces are looked for.
        stable, least, smooth: seconds that a mood must last, that a song plays at least, and the averages' constant.
        keep: seconds for which a face that is not seen keeps its number.
        played: songs that were heard before, oldest first; none comes again before all others of its mood did.

    begun and time: of the first and the last step. done: set by the owner when no step shall follow.
    """

    def __init__(
        self,
        library: MusicLibrary,
        threshold: float,
        mode: Mode = "match",
        *,
        every: int = 1,
        stable: float = STABLE,
        least: float = LEAST,
        smooth: float = SECONDS,
        keep: float = KEEP,
        played: Sequence[Song] = (),
    ) -> None:
        self.mode = mode
        self.song: Song | None = None
        self.moments: deque[Moment] = deque()
        self.begun: float | None = None
        self.done = False
        self._library, self._stable, self._least = library, stable, least
        self._follower, self._every = Follower(every), every
        self._index: int | None = None  # of the picture before
        self._shown = 0  # times in a row
        self._read: tuple[Picture, tuple[FaceEmotion, ...]]
        self._tracker, self._smoother = Tracker(keep), Smoother(threshold, smooth)
        self._played = deque(played, _REMEMBERED)
        self.time = self._seen = 0.0
        self._song_begun = -inf
        self._song_mood: Emotion | None = None  # the mood that the song was chosen for
        self._mood: Emotion | None = None  # what the group looks like, short absences left out
        self._mood_since = 0.0

    @property
    def played(self) -> tuple[Song, ...]:
        """The songs of this session, oldest first."""
        return tuple(self._played)

    def analyze(self, analyzer: "Analyzer", frames: Sequence[Frame]) -> Iterator[Analysis]:
        """The analyses of the next frames, which are read at once. Raises: ImageError, and ValueError as `step`."""
        new = [self._is_new(frame) for frame in frames]
        pictures = [to_picture(frame.image) for frame, reading in zip(frames, new, strict=True) if reading]
        read = zip(pictures, analyzer.read(pictures, self._follower), strict=True)
        for frame, reading in zip(frames, new, strict=True):
            self._read = next(read) if reading else self._read
            picture, faces = self._read
            kept, mood, song = self.step(faces, frame.time)
            yield Analysis(*picture.size, kept, mood, song, analyzer.model, time=frame.time, frame=frame.index)

    def _is_new(self, frame: Frame) -> bool:
        """Whether it must be read: a picture that comes again is known as soon as all its faces were looked for."""
        again = frame.index is not None and frame.index == self._index
        self._index, self._shown = frame.index, self._shown + 1 if again else 1
        return self._shown <= self._every

    def step(self, faces: Sequence[FaceEmotion], time: float) -> Step:
        """What the next picture's faces make of the session.

        Args:
            faces: as an Analyzer reads them.
            time: seconds, on any clock that does not go back.
        Raises: ValueError if the time goes back.
        """
        numbers = self._tracker.update([face.face for face in faces], time)
        numbered = [replace(face, number=n) for face, n in zip(faces, numbers, strict=True)]
        faces = self._smoother.update(numbered, time)
        mood = vote(faces)
        self.time = time
        self.begun = time if self.begun is None else self.begun
        self._remember(mood)
        self._follow(mood.emotion)
        if self._due():
            self._change()
        return Step(faces, mood, self.song)

    @property
    def note(self) -> str:
        """One sentence on what the music does and why; empty where it plays what the faces show."""
        gone = self.time - self._seen
        if self.song and self._mood is None:
            return "The song is over; the next one starts with the next face." if self._over() else _absence(gone)
        if self._mood is None:
            return "Looking for faces …"
        if self.song is None and self._mood is self._song_mood:
            return "There is no song for this mood."
        if self.song is None:
            return f"Music starts when the mood has been the same for {self._stable:g} seconds."
        if self._mood is not self._song_mood:
            looks = f"Now it looks more {self._mood.adjective}; the music follows if that lasts"
            rest = self._least - (self.time - self._song_begun)
            return f"{looks}, in {rest:.0f} seconds at the earliest." if rest >= 1 else f"{looks}."
        return ""

    def _remember(self, mood: Mood) -> None:
        self.moments.append(Moment(self.time, mood.counts))
        while self.moments[0].time < self.time - HISTORY:
            self.moments.popleft()

    def _follow(self, emotion: Emotion | None) -> None:
        """Since when the mood is what it is."""
        if emotion is not None:
            self._seen = self.time
        elif self.time - self._seen <= ABSENT:
            return
        if emotion is not self._mood:
            self._mood, self._mood_since = emotion, self.time

    def _due(self) -> bool:
        """Whether another song may and should start."""
        steady = self._mood is not None and self.time - self._mood_since >= self._stable
        heard = self.time - self._song_begun >= self._least
        return steady and heard and (self._mood is not self._song_mood or self._over())

    def _over(self) -> bool:
        """Whether the song has come to its end."""
        song = self.song
        return song is not None and song.duration is not None and self.time - self._song_begun >= song.duration

    def _change(self) -> None:
        song = self._library.pick(self._mood, self.mode, self._played) if self._mood else None
        self._song_mood = self._mood
        if song:
            self.song, self._song_begun = song, self.time
            self._played.append(song)


def _absence(seconds: float) -> str:
    return f"Nobody is in the picture since {seconds:.0f} seconds; the song plays on."
