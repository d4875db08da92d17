"""Detection alone: femr's driver against `mtcnn.MTCNN().detect_faces`, which has the same networks and weights."""

from collections.abc import Callable
from typing import Any

import numpy as np

from femr.benchmark.effort import Effort
from femr.benchmark.finders import Finder
from femr.benchmark.pictures import picture
from femr.benchmark.progress import Progress
from femr.benchmark.timing import Kept, once, side_by_side
from femr.images import Pixels


def measure(femr: Finder, femr_20: Finder, package: Finder, effort: Effort) -> list[dict[str, Any]]:
    """One row a case: megapixels, faces, femr_ms, package_ms, ratio, the same for femr's smallest face of 20 px, found.

    Both see the whole picture. The package looks for faces from 20 px, its only working value; femr from its default,
    which is 40 px at 1920 x 1080, and for comparison from 20 px as well.
    """
    progress = Progress("detection", len(effort.detection))
    return [
        _row(megapixels, faces, femr, femr_20, package, effort) for megapixels, faces in progress.over(effort.detection)
    ]


def _row(
    megapixels: float, faces: int, femr: Finder, femr_20: Finder, package: Finder, effort: Effort
) -> dict[str, Any]:
    image = picture(megapixels, faces).image
    finders = {"femr": femr, "femr_20": femr_20, "package": package}
    calls = {name: Kept(finder, image) for name, finder in finders.items()}
    times = side_by_side(calls, effort.repeats)
    return {
        "megapixels": megapixels,
        "faces": faces,
        "femr_ms": times["femr"],
        "package_ms": times["package"],
        "ratio": times["package"] / times["femr"],
        "femr_20_ms": times["femr_20"],
        "ratio_20": times["package"] / times["femr_20"],
        "found": {name: len(call.result) for name, call in calls.items()},
    }


def new_size(finders: dict[str, Callable[[Pixels], object]], effort: Effort) -> dict[str, Any]:
    """Median milliseconds of the first call on a picture size never seen before, of the second, and their ratio."""
    image = picture(0.3, 1).image
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in finders}
    for number in range(effort.new_sizes):
        # no other picture of a run has these sides
        cut = np.ascontiguousarray(image[: 431 - 10 * number, : 613 - 18 * number])
        for name, finder in finders.items():
            times[name].append((once(Kept(finder, cut)), once(Kept(finder, cut))))
    medians = {name: np.median(values, axis=0) for name, values in times.items()}
    return {
        name: {"first_ms": float(first), "second_ms": float(second), "ratio": float(first / second)}
        for name, (first, second) in medians.items()
    }
