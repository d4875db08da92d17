"""Where pictures of many visitors wait: photos at a desk until it is their turn, all of them in the lane to be read.

At a desk a few are handed in at once; the others wait without a thread, and can ask for their place in line. In the
lane what waits together is read in one call of its Analyzer. There photos and frames stand in two lines, which move on
at the same speed, counted in pixels, while somebody waits in both. A call is of one line, so that no frame waits for
photos that are in it. Figures: docs/decisions/visitors.md.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil, inf
from statistics import fmean
from threading import Lock
from time import monotonic
from types import MappingProxyType
from typing import Literal, TypeAlias, TypeVar

import cv2

from femr.analyzer import Analyzer
from femr.errors import DataError, ImageError
from femr.images import Picture
from femr.results import FaceEmotion

Result = TypeVar("Result")
Line: TypeAlias = Literal["photo", "frame"]
Faces: TypeAlias = tuple[FaceEmotion, ...]

AT_ONCE = 8
"""Photos that the desk hands in: enough that those which wait together can be read together."""
MOST_WAITING = 200
"""At the desk; who comes then is told when to come again."""
WORKERS = 2
"""Of the lane, calls at once: while one is in a network, the other is between two, and a slow picture stops none."""
MOST_PICTURES = 8
MOST_PIXELS: Mapping[Line, int] = MappingProxyType({"photo": 2_000_000, "frame": 1_000_000})
"""In one call; a larger picture is read alone. More would save little, and who comes meanwhile waits for them all."""
NO_MEMORY = "There was not enough memory to read this picture. Please try a smaller one, or this one later."

_REMEMBERED = 32  # answers of late, for the pace


def too_many(seconds: float) -> str:
    """The sentence for those who come when MOST_WAITING wait, which takes so many seconds."""
    when = 10 * ceil(max(1.0, seconds) / 10)
    return f"{MOST_WAITING} others are waiting already. Please try again in about {when} seconds."


class Pace:
    """How long answers take, by the last ones. Args: `at_once`, how many are worked on at a time."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._taken: deque[float] = deque(maxlen=_REMEMBERED)  # seconds an answer, without those that it waited

    def add(self, seconds: float) -> None:
        """One more answer, which was worked on for so long."""
        self._taken.append(seconds)

    def seconds(self, answers: int) -> float | None:
        """How long so many take; None where there were none yet."""
        taken = tuple(self._taken)
        return answers * fmean(taken) / self._at_once if taken else None


class Desk:
    """First come, first served. All of it runs in one event loop but the work itself, and `place`."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._workers = ThreadPoolExecutor(at_once, thread_name_prefix="desk")
        self._line: list[int] = []  # tickets, the first that came first
        self._pace = Pace(at_once)

    async def serve(self, ticket: int, work: Callable[[], Result]) -> Result:
        """What the work gives, when its turn has come. Raises: DataError if too many wait already."""
        if len(self._line) >= MOST_WAITING + self._at_once:
            raise DataError(too_many(self._pace.seconds(MOST_WAITING) or 0.0))
        self._line.append(ticket)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, self._timed, work)
        finally:
            self._line.remove(ticket)

    def place(self, ticket: int) -> tuple[int, int]:
        """How many are before a ticket that has to wait, and the seconds that they take; zeros where it has not."""
        line = tuple(self._line)  # it moves on meanwhile
        before = line.index(ticket) + 1 - self._at_once if ticket in line else 0
        return (before, ceil(self._pace.seconds(before) or 0.0)) if before > 0 else (0, 0)

    def _timed(self, work: Callable[[], Result]) -> Result:
        start = monotonic()
        try:
            return work()
        finally:
            self._pace.add(monotonic() - start)


@dataclass(frozen=True, eq=False)
class _Job:
    """A picture that waits. turn: when it is due, in pixels that its line has read. until: when it is too late."""

    analyzer: Analyzer
    line: Line
    picture: Picture
    turn: int
    until: float
    faces: Future[Faces | None] = field(default_factory=Future)

    @property
    def pixels(self) -> int:
        return self.picture.pixels.size // 3


class Lane:
    """Reads pictures for many threads; whoever is first in a line is read before any who came to it later.

    Args: `workers`, calls at once.
    """

    def __init__(self, workers: int = WORKERS) -> None:
        self._pace = Pace(workers)
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="lane")
        self._lock = Lock()
        self._waiting: list[_Job] = []
        self._turns: dict[Line, int] = {"photo": 0, "frame": 0}  # of the last in each line
        self._turn = 0  # of the last that was taken

    def read(self, analyzer: Analyzer, picture: Picture, line: Line = "photo", patience: float = inf) -> Faces | None:
        """The faces of a picture, as the analyzer's `read` gives them for it alone.

        Args:
            patience: Seconds after which it need not be read any more: None then.

        Raises:
            ImageError: There is not enough memory.
        """
        return self.join(analyzer, picture, line, patience).result()

    def join(
        self, analyzer: Analyzer, picture: Picture, line: Line = "photo", patience: float = inf
    ) -> Future[Faces | None]:
        """The same, without waiting for it."""
        with self._lock:
            # from now on where its line was empty: time in which nobody came is not saved up
            turn = max(self._turns[line], self._turn) + picture.pixels.size // 3
            self._turns[line] = turn
            job = _Job(analyzer, line, picture, turn, monotonic() + patience)
            self._waiting.append(job)
        self._workers.submit(self._work)
        return job.faces

    def seconds(self, photos: int) -> float | None:
        """How long so many photos take at the pace of the last calls; None where there were none."""
        return self._pace.seconds(photos)

    def _work(self) -> None:
        """Reads what is due. Each job calls for it once, and finds nothing left where another took it along."""
        with self._lock:
            jobs = self._take()
        if not jobs:
            return
        start = monotonic()
        _read(jobs)
        if jobs[0].line == "photo":
            self._pace.add((monotonic() - start) / len(jobs))

    def _take(self) -> list[_Job]:
        """The jobs that are due, of one analyzer and line; those that are too late get their answer."""
        now, pixels = monotonic(), 0
        late = [job for job in self._waiting if job.until < now]
        waiting = sorted((job for job in self._waiting if job.until >= now), key=lambda job: job.turn)
        jobs: list[_Job] = []
        for job in waiting:
            fits = len(jobs) < MOST_PICTURES and pixels + job.pixels <= MOST_PIXELS[job.line]
            if not jobs or (fits and (job.analyzer, job.line) == (jobs[0].analyzer, jobs[0].line)):
                jobs.append(job)
                pixels += job.pixels
        self._waiting = [job for job in waiting if job not in jobs]
        self._turn = max(self._turn, jobs[0].turn) if jobs else self._turn
        for job in late:
            job.faces.set_result(None)
        return jobs


def _without_memory(error: Exception) -> bool:
    """Whether there was too little memory, as Python or OpenCV tells it."""
    return isinstance(error, MemoryError) or (isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem)


def _read(jobs: Sequence[_Job]) -> None:
    """Answers the jobs. Where one call for all fails, whatever the reason, each has a call of its own."""
    try:
        read = list(zip(jobs, jobs[0].analyzer.read([job.picture for job in jobs]), strict=True))
    except Exception as error:
        if len(jobs) == 1:
            jobs[0].faces.set_exception(ImageError(NO_MEMORY) if _without_memory(error) else error)
        else:
            for job in jobs:
                _read([job])
        return
    for job, faces in read:
        job.faces.set_result(faces)
