"""How cost grows with megapixels and with faces, and the power of each that it grows with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from femr.benchmark.effort import Effort
from femr.benchmark.pictures import picture
from femr.benchmark.progress import Progress
from femr.benchmark.timing import Kept, Repeats, exponent, side_by_side, slope
from femr.images import Pixels

FACES = 5
"""Faces in the pictures of growing size."""
CALLS = ("femr_detect", "femr_analysis", "package_detect")
"""Whose cost is told: femr's two are measured here, the package's is taken from the table of detection."""

Calls = Mapping[str, Callable[[Pixels], object]]
Rows = Sequence[dict[str, Any]]


def measure(calls: Calls, effort: Effort, detection: Rows) -> dict[str, Any]:
    """megapixels and faces: {rows, exponents by call}; for faces also ms_per_face, the cost of one more.

    Args: `calls`, femr's of CALLS; `detection`, the rows of that table, for the package on the same pictures.
    """
    cases = [(size, FACES) for size in effort.growth_megapixels], [(effort.typical[0], n) for n in effort.growth_faces]
    known = {(row["megapixels"], row["faces"]): row["package_ms"] for row in detection}
    progress = Progress("growth", sum(map(len, cases)))
    by_size, by_faces = ([_row(calls, case, effort.repeats, known) for case in progress.over(some)] for some in cases)
    return {
        "megapixels": {"rows": by_size, "exponents": _fitted(by_size, "megapixels", exponent)},
        "faces": {
            "rows": by_faces,
            "exponents": _fitted(by_faces, "faces", exponent),
            "ms_per_face": _fitted(by_faces, "faces", slope),
        },
    }


def _row(
    calls: Calls, case: tuple[float, int], repeats: Repeats, known: Mapping[tuple[float, int], float]
) -> dict[str, Any]:
    image = picture(*case).image
    times = side_by_side({name: Kept(call, image) for name, call in calls.items()}, repeats)
    package = {"package_detect_ms": known[case]} if case in known else {}
    return {
        "megapixels": case[0],
        "faces": case[1],
        **{f"{name}_ms": value for name, value in times.items()},
        **package,
    }


def _fitted(rows: Rows, size: str, fit: Callable[[list[float], list[float]], float | None]) -> dict[str, float | None]:
    measured = {name: [row for row in rows if f"{name}_ms" in row] for name in CALLS}
    return {
        name: fit([row[size] for row in some], [row[f"{name}_ms"] for row in some]) for name, some in measured.items()
    }
