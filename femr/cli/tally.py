"""What a run of many pictures comes to, in a line or two."""

from collections import Counter
from pathlib import Path
from time import perf_counter

from femr.results import Emotion, Mood, Song
from femr.wording import plural


class Tally:
    """Counts what was read and what was written, from now on.

    faces: in pictures. unread: files that could not be read. drawn: the first annotated picture or video.
    """

    def __init__(self) -> None:
        self._begun = perf_counter()
        self._moods = Counter[Emotion | None]()
        self._songs: dict[Emotion, Song] = {}
        self._read = Counter[str]()
        self._written = Counter[tuple[str, Path]]()
        self.faces = 0
        self.unread = 0
        self.drawn: Path | None = None

    def add(self, kind: str, mood: Mood, song: Song | None) -> None:
        """One more picture or video, as `kind` says."""
        self._read[kind] += 1
        self._moods[mood.emotion] += 1
        if mood.emotion and song:
            self._songs.setdefault(mood.emotion, song)

    def wrote(self, kind: str, path: Path) -> None:
        """One more file was written: an annotated picture or video, or a timeline."""
        self._written[kind, path.parent] += 1
        if kind != "timeline":
            self.drawn = self.drawn or path

    def song(self) -> Song | None:
        """The song of the mood that most have; None where none has one."""
        moods = (emotion for emotion, _ in self._moods.most_common() if emotion in self._songs)
        return next((self._songs[emotion] for emotion in moods if emotion), None)

    def read(self) -> str:
        """What was read, its moods and the seconds it took; empty where nothing was."""
        if not self._read:
            return ""
        kinds = [plural(count, kind) for kind, count in self._read.items()]
        moods = [f"{count} {emotion or 'without a mood'}" for emotion, count in self._moods.most_common()]
        unread = f"; {self.unread} could not be read" if self.unread else ""
        sums = ", ".join([*kinds, plural(self.faces, "face")])
        return f"{sums} in {perf_counter() - self._begun:.1f} s: {', '.join(moods)}{unread}"

    def written(self, table: Path | None) -> str:
        """What was written where; empty where nothing was."""
        files = [f"{plural(count, kind)} in {folder}" for (kind, folder), count in self._written.items()]
        files = [str(table), *files] if table else files
        return f"Wrote {', '.join(files)}" if files else ""
