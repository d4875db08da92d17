"""Frames in, analyses out: how faces, mood and song move on from picture to picture, of a camera or of a film.

Driven by time stamps alone. Faces keep their numbers (femr.video.tracking), their scores are averaged
(femr.video.smoothing), and the averages vote; a tie changes nothing. The first song starts when the mood has been the
same for STABLE seconds. It gives way to another when that is so of another mood, or when it is over, and in no case
before it has played for LEAST seconds. A short look away does not count, and while nobody is there the song plays on.

Which song comes next is known before it is due, so that it can be fetched. A player may end a song by itself, by its
own clock or because somebody skips it: it says what it plays, and the session goes on from there.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import NamedTuple

from femr.analyzer import Analyzer
from femr.faces.detector import Follower
from femr.images import Picture, Pixels, to_picture
from femr.mood import vote
from femr.music import Mode, MusicLibrary
from femr.results import Analysis, Emotion, FaceEmotion, Mood, Song
from femr.video.smoothing import SECONDS, Smoother
from femr.video.tracking import KEEP, Tracker

STABLE = 4.0
"""Seconds for which a mood must have been the same before its song starts."""
LEAST = 20.0
"""Seconds that a song plays at least."""
ABSENT = 1.5
"""Seconds without a face that do not interrupt a mood: a blink of the detector, a hand before the face."""

_REMEMBERED = 1000  # songs; a film of any length must not fill the memory


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


@dataclass(frozen=True, slots=True)
class Coming:
    """The song that comes next, the mood that it is for, and in how many seconds.

    seconds: None where it comes when the one that plays is over.
    """

    song: Song
    mood: Emotion
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Played:
    """What a player says that it plays.

    mood: what the song was chosen for. seconds: for how long it has been heard. heard: all songs of this visit so far,
    this one included, oldest first.
    """

    song: Song | None = None
    mood: Emotion | None = None
    seconds: float = 0.0
    paused: bool = False
    heard: tuple[Song, ...] = ()


class Session:
    """One visitor's stream of pictures, or one film.

    Args:
        library: the songs; none, for a session without music.
        threshold: a face whose averaged top probability is lower is unsure.
        mode: "match" or "lift", as for an Analyzer; it may be set at any time and counts from the next song on.
        every: in every how many-th picture new faces are looked for.
        stable, least, smooth: seconds that a mood must last, that a song plays at least, and the averages' constant.
        keep: seconds for which a face that is not seen keeps its number.

    A song does not come again before all others of its mood did. song_mood: what the song was chosen
    for. looks: what the group looks like; a tie changes nothing. follower: finds the faces. time: of the last step.
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
    ) -> None:
        self.song: Song | None = None
        self.song_mood: Emotion | None = None
        self.looks: Emotion | None = None
        self.library, self._mode = library, mode
        self._chosen: dict[Emotion, Song] = {}  # for each mood that may come, before it does
        self._stable, self._least = stable, least
        self.follower, self._every = Follower(every), every
        self._index: int | None = None  # of the picture before
        self._shown = 0  # times in a row
        self._read: tuple[Picture, tuple[FaceEmotion, ...]]
        self._tracker, self._smoother = Tracker(keep), Smoother(threshold, smooth)
        self._played: deque[Song] = deque(maxlen=_REMEMBERED)
        self.time = self._seen = 0.0
        self._song_begun = -inf
        self._paused = False
        self._mood: Emotion | None = None  # what the group looks like, short absences left out
        self._mood_since = 0.0

    def equip(self, library: MusicLibrary, mode: Mode) -> None:
        """Goes on with other songs, or in the other mode, from the next song on."""
        if (library, mode) != (self.library, self._mode):
            self.library, self._mode = library, mode
            self._chosen.clear()

    def hear(self, played: Played, time: float) -> None:
        """Goes on from what a player says that it plays. `time`: seconds, as in `step`."""
        if tuple(self._played) != played.heard:
            self._chosen.clear()
        self.song, self.song_mood, self._paused = played.song, played.mood, played.paused
        self._song_begun = time - played.seconds if played.song else -inf
        self._played = deque(played.heard, _REMEMBERED)

    def analyze(self, analyzer: Analyzer, frames: Sequence[Frame]) -> Iterator[Analysis]:
        """The analyses of the next frames, which are read at once. Raises: ImageError, and ValueError as `step`."""
        new = [self._is_new(frame) for frame in frames]
        pictures = [to_picture(frame.image) for frame, reading in zip(frames, new, strict=True) if reading]
        read = zip(pictures, analyzer.read(pictures, self.follower), strict=True)
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
        self.looks = self._settled(mood)
        self._follow(self.looks)
        if self._due():
            self._change()
        return Step(faces, mood, self.song)

    def miss(self, time: float) -> None:
        """A moment without a picture: it is as if nobody were there. `time`: seconds, as in `step`."""
        self.time, self.looks = time, None
        self._follow(None)

    @property
    def coming(self) -> Coming | None:
        """What plays next as things stand: for another mood that lasts, or after the end; None where nothing fits."""
        if self._mood and self._mood is not self.song_mood and (song := self._choose(self._mood)):
            steady, heard = self.time - self._mood_since, self.time - self._song_begun
            return Coming(song, self._mood, max(0.0, self._stable - steady, self._least - heard))
        mood = self.song_mood or self._mood
        song = self._choose(mood) if mood else None
        return Coming(song, mood, None) if mood and song else None

    @property
    def note(self) -> str:
        """One sentence on what the music does and why; empty where it plays what the faces show."""
        if self._mood is None:
            return "Nobody in view; the music plays on." if self.song else "Looking for faces …"
        if self._mood is not self.song_mood and self._choose(self._mood):
            return "" if self.song else "The music starts when the mood has held for a moment."
        if self.song and self._mood is self.song_mood:
            return ""
        return f"There is no song for this mood{'; this one plays on' if self.song else ''}."

    def _settled(self, mood: Mood) -> Emotion | None:
        """The mood's expression; in a tie with the one before, that one: a crowd in two halves is not to flicker."""
        before = self._mood
        tied = mood.emotion and before and mood.counts.get(before) == mood.counts[mood.emotion]
        return before if tied else mood.emotion

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
        return steady and heard and not self._paused and (self._mood is not self.song_mood or self._over())

    def _over(self) -> bool:
        """Whether the song has come to its end."""
        song = self.song
        return song is not None and song.duration is not None and self.time - self._song_begun >= song.duration

    def _change(self) -> None:
        song = self._choose(self._mood) if self._mood else None
        if song:
            self.song, self._song_begun, self.song_mood = song, self.time, self._mood
            self._played.append(song)
            self._chosen.clear()

    def _choose(self, mood: Emotion) -> Song | None:
        """The song for a mood: the same until another begins."""
        song = self._chosen.get(mood) or self.library.pick(mood, self._mode, self._played)
        if song:
            self._chosen[mood] = song
        return song
