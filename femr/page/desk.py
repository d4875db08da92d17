"""The desk where pictures are handed in: a few are read at once, the others can ask for their place in line."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from time import monotonic
from typing import TypeVar

from femr.errors import DataError

Result = TypeVar("Result")

AT_ONCE = 8
"""Enough that pictures which wait together can be read together."""
MOST_WAITING = 200
"""Who comes then is told when to come again."""
_REMEMBERED = 32  # answers, for the pace


def too_many(seconds: float) -> str:
    """The sentence for those who come when MOST_WAITING wait, which takes so many seconds."""
    when = 10 * ceil(max(1.0, seconds) / 10)
    return f"{MOST_WAITING} others are waiting already. Please try again in about {when} seconds."


class Desk:
    """First come, first served. All of it runs in one event loop but the work itself."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._at_once = at_once
        self._workers = ThreadPoolExecutor(at_once, thread_name_prefix="desk")
        self._line: list[int] = []  # tickets, the first that came first
        self._ended: deque[float] = deque(maxlen=_REMEMBERED)

    async def serve(self, ticket: int, work: Callable[[], Result]) -> Result:
        """What the work gives, when its turn has come. Raises: DataError if too many wait already."""
        if len(self._line) >= MOST_WAITING:
            raise DataError(too_many(self._seconds(MOST_WAITING)))
        self._line.append(ticket)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, work)
        finally:
            self._line.remove(ticket)
            self._ended.append(monotonic())

    def place(self, ticket: int) -> tuple[int, int]:
        """How many are before a ticket that has to wait, and the seconds that they take; zeros where it has not."""
        before = self._line.index(ticket) + 1 - self._at_once if ticket in self._line else 0
        return (before, ceil(self._seconds(before))) if before > 0 else (0, 0)

    def _seconds(self, answers: int) -> float:
        """How long so many answers take at the pace of the last ones."""
        return answers * (monotonic() - self._ended[0]) / len(self._ended) if self._ended else 0.0
