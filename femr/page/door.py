"""Lets so many visitors' photos in at once; the others wait in a row, in which each can see its place."""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from femr.errors import FemrError
from femr.page.shared import AT_ONCE, MOST_WAITING, too_many


class Door:
    """For one page, which runs in one event loop."""

    def __init__(self, at_once: int = AT_ONCE, most: int = MOST_WAITING) -> None:
        self._places, self._most = Semaphore(at_once), most
        self._waiting: dict[str, None] = {}  # tickets, the first to come first

    @asynccontextmanager
    async def enter(self, ticket: str) -> AsyncIterator[None]:
        """A place in the block, once it is free. Args: `ticket`, to ask by. Raises: FemrError if too many wait."""
        if len(self._waiting) >= self._most:
            raise FemrError(too_many())
        self._waiting[ticket] = None
        try:
            await self._places.acquire()
        finally:
            self._waiting.pop(ticket, None)
        try:
            yield
        finally:
            self._places.release()

    def ahead(self, ticket: str) -> int:
        """How many wait before a ticket; 0 for one that does not wait."""
        return list(self._waiting).index(ticket) if ticket in self._waiting else 0
