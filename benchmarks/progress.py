"""Progress on standard error: a line every few seconds."""

import sys
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

_EVERY = 5.0  # seconds between lines


class Progress:
    """Counts what is done of `total`."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total, self._done = name, total, 0
        self._start = perf_counter()
        self._said = self._start - _EVERY

    def over(self, things: Iterable[T]) -> Iterator[T]:
        """The same things; each counts as done when the next is asked for."""
        self._say("")
        for thing in things:
            yield thing
            self.step()

    def step(self, what: str = "") -> None:
        """One more is done; `what` says which."""
        self._done += 1
        if self._done == self._total or perf_counter() - self._said >= _EVERY:
            self._say(what)

    def _say(self, what: str) -> None:
        self._said = perf_counter()
        elapsed = self._said - self._start
        print(f"femr: {self._name} {self._done} of {self._total}, {elapsed:.0f} s {what}".rstrip(), file=sys.stderr)
