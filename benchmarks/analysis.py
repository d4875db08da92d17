"""The whole analysis of a picture, from pixels to song, against the reference's way; and several visitors at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from femr.benchmark import reference
from femr.benchmark.effort import Effort
from femr.benchmark.pictures import picture
from femr.benchmark.progress import Progress
from femr.benchmark.timing import Kept, once, side_by_side
from femr.images import Pixels

_ROUNDS = 6  # pictures a thread


def measure(analyze: Callable[[Pixels], Any], effort: Effort) -> list[dict[str, Any]]:
    """One row a case: megapixels, faces, femr_ms, reference_ms, reference_loaded_ms, ratio, ratio_loaded, found."""
    loaded = reference.loaded()
    reference.request(picture(*effort.analysis[0]).image)  # what TensorFlow does once a process counts for nobody
    progress = Progress("analysis", len(effort.analysis))
    return [_row(megapixels, faces, analyze, loaded, effort) for megapixels, faces in progress.over(effort.analysis)]


def _row(
    megapixels: float, faces: int, analyze: Callable[[Pixels], Any], loaded: Callable[[Pixels], Any], effort: Effort
) -> dict[str, Any]:
    image = picture(megapixels, faces).image
    ways = {"femr": analyze, "loaded": loaded, "request": reference.request}
    calls = {name: Kept(way, image) for name, way in ways.items()}
    times = side_by_side(calls, effort.repeats)
    return {
        "megapixels": megapixels,
        "faces": faces,
        "femr_ms": times["femr"],
        "reference_ms": times["request"],
        "reference_loaded_ms": times["loaded"],
        "ratio": times["request"] / times["femr"],
        "ratio_loaded": times["loaded"] / times["femr"],
        "found": {"femr": len(calls["femr"].result.faces), "reference": len(calls["request"].result)},
    }


def throughput(analyze: Callable[[Pixels], Any], effort: Effort) -> list[dict[str, Any]]:
    """One row a number of threads: threads, images_a_second. All send the typical picture."""
    image = picture(*effort.typical).image
    rows = []
    for threads in effort.threads:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(analyze, [image] * threads))
            jobs = [image] * (_ROUNDS * threads)
            milliseconds = once(lambda pool=pool, jobs=jobs: list(pool.map(analyze, jobs)))  # type: ignore[misc]
        rows.append({"threads": threads, "images_a_second": 1000 * len(jobs) / milliseconds})
    return rows
