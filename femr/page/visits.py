"""Who has a stage open, here and on the wall: a bounded table of visits, what they are told, and what they tell.

Nothing of a visit is needed after a restart of the server but what its browser sends along each time. All of it runs in
the server's event loop.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from secrets import token_hex
from time import monotonic, time
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from femr.results import Emotion
from femr.video.session import Session

AWAY = 60.0
"""Seconds without a word after which a visit is forgotten."""
MOST = 32
"""Visits at once; who comes then is told to wait."""
PATIENCE = 5.0
"""Seconds that a request waits for the one before it of the same visit."""
SHARED_FROM = 5
"""Faces in view, and votes, from which shares are told: in a smaller group they would tell of single people."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
"""At least 128 bits, drawn by the visitor's browser: whoever does not know it cannot reach the visit."""

_MOST_COMMANDS = 32
_MOST_EVENTS = 64  # that a listener may be behind

CommandName: TypeAlias = Literal["skip", "pause", "play", "volume", "mode"]


_OWN = ("same-origin", "none")  # of Sec-Fetch-Site; browsers send it to https addresses and to localhost
HERE = ("localhost", "127.0.0.1", "::1")
"""What this machine is called by itself."""
NO_STRANGERS = "Only femr's own pages may ask, and programs without one."


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A visit that cannot be served now: the HTTP status, and the sentence that says why."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def foreign(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site has a visitor's browser ask. Gradio lets each of them read what localhost is not.

    Args: `headers` of a request, by lower-case names. Programs send no origin, and are no page.
    """
    if site := headers.get("sec-fetch-site"):
        return site not in _OWN
    if "origin" not in headers:
        return False
    own = _name(f"//{headers.get('host', '')}")
    # a proxy of this machine may say localhost for any name; to localhost itself browsers send Sec-Fetch-Site
    return own not in HERE and own != _name(headers["origin"])


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Command:
    """What the host wants of every wall. value: the volume from 0 to 1, or the mode; None for the others."""

    name: CommandName
    value: float | str | None = None
    id: str = field(default_factory=lambda: token_hex(8), compare=False)


@dataclass(frozen=True, slots=True)
class WallEvent:
    """What a wall shows, of all together.

    time: seconds since 1970. shares: of the votes, by expression; None with fewer than SHARED_FROM of them or of faces.
    faces: how many are in view. song: its title.
    """

    time: float
    mood: Emotion | None
    shares: Mapping[Emotion, float] | None
    faces: int
    song: str | None


@dataclass(eq=False, slots=True)
class Visit:
    """A browser that shows the stage. begun and seen: seconds on the server's clock.

    session: None until the first picture comes. wall: whether it is a wall, which the host's commands are for.
    """

    begun: float
    seen: float
    wall: bool = False
    session: Session | None = None
    commands: deque[Command] = field(default_factory=lambda: deque(maxlen=_MOST_COMMANDS))
    shown: WallEvent | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _next: asyncio.Lock = field(default_factory=asyncio.Lock)

    def left(self, done: str | None) -> list[Command]:
        """The commands after the one that the browser did last, as it says: an answer may not have reached it."""
        names = [command.id for command in self.commands]
        for _ in range(names.index(done) + 1 if done in names else 0):
            self.commands.popleft()
        return list(self.commands)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """While one request of the visit is answered, after the one before, whose answer nobody may wait for any more.

        Raises: Refused, where a third one comes or the first takes too long.
        """
        busy = Refused(429, "Waiting for the answer to the last picture.")
        if self._next.locked():
            raise busy
        async with self._next:
            try:
                await asyncio.wait_for(self._turn.acquire(), PATIENCE)
            except TimeoutError:
                raise busy from None
        try:
            yield
        finally:
            self._turn.release()


class Visits:
    """The visits of one page. Args: `minutes` that a visit may last; None: for ever."""

    def __init__(self, minutes: float | None = None) -> None:
        self._minutes = minutes
        self._visits: dict[str, Visit] = {}
        self._listeners: set[asyncio.Queue[WallEvent]] = set()

    def __len__(self) -> int:
        return len(self._visits)

    @property
    def last(self) -> WallEvent | None:
        """What a wall that is still there told last; None where there is none."""
        shown = [visit.shown for visit in self._visits.values() if visit.wall and visit.shown]
        return max(shown, key=lambda event: event.time, default=None)

    def forget(self) -> None:
        """Drops the visits that have not said a word for AWAY, and tells what is shown without them."""
        before, now = self.last, monotonic()
        self._visits = {name: one for name, one in self._visits.items() if now - one.seen < AWAY}
        if before and self.last is not before:
            self._pass_on(self.last or event(None, {}, 0, None))

    def enter(self, token: str, wall: bool = False) -> Visit:
        """The visit of a token, which is new or goes on. Raises: Refused."""
        if not TOKEN.fullmatch(token):
            raise Refused(400, "Expected a visit's token: 22 to 64 letters, digits, - or _.")
        self.forget()
        now = monotonic()
        if token not in self._visits and len(self._visits) >= MOST:
            raise Refused(503, f"{MOST} others are here already. It goes on when one of them leaves.")
        visit = self._visits.setdefault(token, Visit(now, now))
        visit.seen, visit.wall = now, wall
        if self._minutes is not None and now - visit.begun > 60 * self._minutes:
            raise Refused(410, f"{self._minutes:g} minutes are over. Press Start to go on.")
        return visit

    def send(self, command: Command) -> None:
        """Has every wall do something: it learns of it with its next answer."""
        for visit in self._visits.values():
            if visit.wall:
                visit.commands.append(command)

    def tell(self, visit: Visit, event: WallEvent) -> None:
        """Passes on what a wall shows, where its mood, its song or its number of faces is another than before."""
        if not visit.wall or (
            visit.shown and replace(event, time=visit.shown.time, shares=visit.shown.shares) == visit.shown
        ):
            return
        visit.shown = event
        self._pass_on(event)

    def _pass_on(self, event: WallEvent) -> None:
        for queue in self._listeners:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    async def listen(self) -> AsyncIterator[WallEvent]:
        """The walls' events from now on, the last one first. Who does not keep up misses the oldest."""
        queue: asyncio.Queue[WallEvent] = asyncio.Queue(_MOST_EVENTS)
        self._listeners.add(queue)
        try:
            if self.last:
                yield self.last
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)


def event(mood: Emotion | None, counts: Mapping[Emotion, int], faces: int, song: str | None) -> WallEvent:
    """What a wall shows now."""
    return WallEvent(time(), mood, shares_of(counts, faces), faces, song)


def shares_of(counts: Mapping[Emotion, int], faces: int) -> dict[Emotion, float] | None:
    """Each expression's share of the votes; None with fewer than SHARED_FROM faces in view, or votes."""
    votes = sum(counts.values())
    if min(faces, votes) < SHARED_FROM:
        return None
    return {emotion: round(count / votes, 3) for emotion, count in counts.items()}
