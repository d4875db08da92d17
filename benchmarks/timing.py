"""Timing side by side: each candidate in turn, again and again, so that a busy moment hits all of them alike."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from femr.images import Pixels


@dataclass(frozen=True)
class Repeats:
    """Rounds for one measurement: `least`, more until `seconds` have passed, never over `most`.

    Once `patience` seconds have passed no further round begins: a call of many seconds needs no averaging.
    """

    least: int = 3
    most: int = 15
    seconds: float = 2.5
    patience: float = 12.0


class Kept:
    """A call that keeps what came back last, as `result`."""

    def __init__(self, call: Callable[[Pixels], Any], image: Pixels) -> None:
        self._call, self._image = call, image
        self.result: Any = None

    def __call__(self) -> None:
        """Calls, and keeps the result."""
        self.result = self._call(self._image)


def once(call: Callable[[], object]) -> float:
    """Milliseconds that one call takes."""
    start = perf_counter()
    call()
    return (perf_counter() - start) * 1000


def side_by_side(candidates: Mapping[str, Callable[[], object]], repeats: Repeats) -> dict[str, float]:
    """Name → median milliseconds, of rounds of A B A B. The first round warms up, and counts only if it is the last."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    start = perf_counter()
    for done in range(repeats.most + 1):
        for name, call in candidates.items():
            times[name].append(once(call))
        elapsed = perf_counter() - start
        if elapsed > repeats.patience or (done >= repeats.least and elapsed > repeats.seconds):
            break
    return {name: median(values[1:] or values) for name, values in times.items()}


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """The power of size that cost grows with: slope of the line through the logarithms; None under two sizes."""
    if len(set(sizes)) < 2:
        return None
    return float(np.polyfit([math.log(size) for size in sizes], [math.log(cost) for cost in costs], 1)[0])


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """Cost of one more: slope of the straight line; None under two sizes."""
    return float(np.polyfit(sizes, costs, 1)[0]) if len(set(sizes)) >= 2 else None
