"""How cost grows with megapixels and with faces, and the power of each that it grows with."""

from collections.abc import Callable, Mapping
from typing import Any

from femr.benchmark.effort import Effort
from femr.benchmark.pictures import picture
from femr.benchmark.progress import Progress
from femr.benchmark.timing import Repeats, exponent, side_by_side, slope
from femr.images import Pixels

FACES = 5
"""Faces in the pictures of growing size."""

Calls = Mapping[str, Callable[[Pixels], object]]


def measure(calls: Calls, effort: Effort) -> dict[str, Any]:
    """megapixels and faces: {rows, exponents by call}; for faces also ms_per_face, the cost of one more."""
    cases = (
        [(size, FACES) for size in effort.growth_megapixels],
        [(effort.typical[0], faces) for faces in effort.growth_faces],
    )
    progress = Progress("growth", sum(map(len, cases)))
    by_size, by_faces = (
        [{"megapixels": m, "faces": n, **_times(calls, m, n, effort.repeats)} for m, n in progress.over(some)]
        for some in cases
    )
    return {
        "megapixels": {"rows": by_size, "exponents": _fitted(calls, by_size, "megapixels", exponent)},
        "faces": {
            "rows": by_faces,
            "exponents": _fitted(calls, by_faces, "faces", exponent),
            "ms_per_face": _fitted(calls, by_faces, "faces", slope),
        },
    }


def _times(calls: Calls, megapixels: float, faces: int, repeats: Repeats) -> dict[str, float]:
    image = picture(megapixels, faces).image
    times = side_by_side({name: lambda call=call: call(image) for name, call in calls.items()}, repeats)  # type: ignore[misc]
    return {f"{name}_ms": value for name, value in times.items()}


def _fitted(
    calls: Calls, rows: list[dict[str, Any]], size: str, fit: Callable[[list[float], list[float]], float | None]
) -> dict[str, float | None]:
    return {name: fit([row[size] for row in rows], [row[f"{name}_ms"] for row in rows]) for name in calls}
