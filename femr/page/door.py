"""Lets so many visitors' photos in at once; the others wait in a row, in which each can see its place."""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from femr.errors import FemrError
from femr.page.shared import too_many


class Door:
    """For one page, which runs in one event loop. Args: `at_once`, photos inside; `most`, who may wait."""

    def __init__(self, at_once: int, most: int) -> None:
        self._places, self._most = Semaphore(at_once), most
        self._waiting: dict[str, None] = {}  # tickets, the first to come first

    @asynccontextmanager
    async def enter(self, ticket: str) -> AsyncIterator[None]:
        """A place in the block, once it is free. Args: `ticket`, to ask by. Raises: FemrError if too many wait."""
        if len(self._waiting) >= self._most:
            raise FemrError(too_many(self._most))
        self._waiting[ticket] = None
        try:
            await self._places.acquire()
        finally:
            self._waiting.pop(ticket, None)
        try:
            yield
        finally:
            self._places.release()

    def place(self, ticket: str) -> int:
        """Where a ticket stands in the row, 1 for the next; 0 if it does not wait."""
        return list(self._waiting).index(ticket) + 1 if ticket in self._waiting else 0
