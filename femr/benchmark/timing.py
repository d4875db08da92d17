"""Timing side by side: each candidate in turn, again and again, so that a busy moment hits all of them alike."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import numpy as np


@dataclass(frozen=True)
class Repeats:
    """Rounds for one measurement: `least`, more until `seconds` have passed, never over `most`.

    Once `patience` seconds have passed, two rounds are enough.
    """

    least: int = 3
    most: int = 15
    seconds: float = 2.5
    patience: float = 12.0


def once(call: Callable[[], object]) -> float:
    """Milliseconds that one call takes."""
    start = perf_counter()
    call()
    return (perf_counter() - start) * 1000


def side_by_side(
    candidates: Mapping[str, Callable[[], object]], repeats: Repeats, warm: bool = True
) -> dict[str, float]:
    """Name → median milliseconds. Rounds of A B A B; `warm`: one round before that does not count."""
    if warm:
        for call in candidates.values():
            call()
    times: dict[str, list[float]] = {name: [] for name in candidates}
    start = perf_counter()
    for done in range(repeats.most):
        elapsed = perf_counter() - start
        if (done >= repeats.least and elapsed > repeats.seconds) or (done >= 2 and elapsed > repeats.patience):
            break
        for name, call in candidates.items():
            times[name].append(once(call))
    return {name: median(values) for name, values in times.items()}


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """The power of size that cost grows with: slope of the line through the logarithms; None under two sizes."""
    if len(set(sizes)) < 2:
        return None
    return float(np.polyfit([math.log(size) for size in sizes], [math.log(cost) for cost in costs], 1)[0])


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float | None:
    """Cost of one more: slope of the straight line; None under two sizes."""
    return float(np.polyfit(sizes, costs, 1)[0]) if len(set(sizes)) >= 2 else None
