"""How fast femr is: `python -m benchmarks.speed`; --quick for half a minute, --json for one document.

Everything is measured side by side, in turns, as medians, so that a busy moment hits all alike: detection against the
mtcnn package, and the whole analysis against the reference work's way, which makes a detector and loads the network for
each picture and calls `predict` for each face, and against the same with both loaded once. --against CHECKOUT compares
with another femr instead: its MobileNetV2 and this ensemble, both loaded, in a process each.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import IO, Any, NamedTuple, TypeAlias, cast

import cv2
import numpy as np
from tqdm import tqdm

from benchmarks.scenes import Plan, Scene, backgrounds, compose, portrait
from benchmarks.tools import Finder, femr_finder, package_detector, package_finder, table
from femr.faces.crop import FACE_SIDE, VIEWS
from femr.images import Pixels

SIZES = {0.1: (360, 270), 0.3: (640, 480), 2: (1920, 1080), 12: (4000, 3000)}
"""Megapixels → width and height."""

_BACKGROUND = "motorcycle_left"
_REFERENCE_MODEL = "mobilenet_v2"
_PACKAGE_SMALLEST = 20  # pixels; with any other smallest face the package finds nothing
_ROUNDS = 6  # pictures a thread
_TITLES = {
    "detection": "Detection: femr, also for faces from 20 px, and the package, which looks for those",
    "analysis": "Whole analysis: femr, the reference's way, and that with everything loaded once",
    "classifier": "Networks; a batch is so many faces at once",
    "threads": "Several visitors at once",
}
"""Part of the document → its table's title."""

# run in both checkouts, so it uses what both have; the first of two pictures brings back the caches
_WORKER = """
import sys, time, numpy, femr
image, analyzer = numpy.load(sys.argv[2]), femr.load(sys.argv[1])
for turn in sys.stdin:
    analyzer(image)
    start = time.process_time()
    faces = analyzer(image).faces
    print(1000 * (time.process_time() - start), len(faces), flush=True)
"""
_WARM = 5  # of its turns, which do not count

Case: TypeAlias = tuple[float, int]
"""Megapixels, faces."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """Rounds for one measurement: `least`, more until `seconds` have passed, never over `most`.

    Once `patience` seconds have passed no further round begins: a call of many seconds needs no averaging.
    """

    least: int = 3
    most: int = 15
    seconds: float = 2.5
    patience: float = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Which cases are measured. typical: The picture that several visitors send at once."""

    repeats: Repeats = Repeats()
    detection: tuple[Case, ...] = tuple((megapixels, faces) for megapixels in (0.3, 2, 12) for faces in (1, 5, 30))
    analysis: tuple[Case, ...] = ((0.3, 1), (2, 1), (2, 5), (2, 30), (12, 5))
    typical: Case = (2, 5)
    models: tuple[str, ...] = ("mobilenet_v2", "custom_cnn")
    batches: tuple[int, ...] = (1, 4, 16, 64)
    threads: tuple[int, ...] = (1, 2, 4)


QUICK = Workload(
    repeats=Repeats(1, 2, 0.5),
    detection=((0.3, 1),),
    analysis=((0.3, 1),),
    typical=(0.3, 1),
    models=("mobilenet_v2",),
    batches=(1, 4),
    threads=(1, 2),
)
"""To see that it works; its figures are not for quoting."""


class Timed(NamedTuple):
    """Median milliseconds of some calls, and what the last one gave."""

    milliseconds: float
    result: Any


@cache
def picture(megapixels: float, faces: int) -> Scene:
    """A garage full of things with that many portraits, as large as their places allow or up to a quarter smaller."""
    background = backgrounds([f"{_BACKGROUND}.png"])[_BACKGROUND]
    return compose(Plan(*SIZES[megapixels], faces), (_BACKGROUND, background), [portrait()], seed=faces)


def timed(call: Callable[[], Any]) -> Timed:
    """One call."""
    start = perf_counter()
    result = call()
    return Timed((perf_counter() - start) * 1000, result)


def side_by_side(candidates: Mapping[str, Callable[[], Any]], repeats: Repeats) -> dict[str, Timed]:
    """Name → its calls, in rounds of A B A B. The first round warms up, and counts only if it is the last."""
    calls: dict[str, list[Timed]] = {name: [] for name in candidates}
    start = perf_counter()
    for done in range(repeats.most + 1):
        for name, call in candidates.items():
            calls[name].append(timed(call))
        elapsed = perf_counter() - start
        if elapsed > repeats.patience or (done >= repeats.least and elapsed > repeats.seconds):
            break
    return {
        name: Timed(median(one.milliseconds for one in some[1:] or some), some[-1].result)
        for name, some in calls.items()
    }


def reference_way() -> Callable[[Pixels], list[Any]]:
    """The reference work's analysis: seven probabilities a face; its detector and network are made now, once.

    The network is femr's MobileNetV2, so that nothing differs but the way.
    """
    from femr.expression.weights import load_network

    detector = package_detector()
    facts, network = load_network(_REFERENCE_MODEL)
    low, scale = facts.low, (facts.high - facts.low) / 255

    def analyze(image: Pixels) -> list[Any]:
        crops = (_crop(image, face["box"], facts.side) for face in detector.detect_faces(image))
        return [network.predict(low + scale * crop[np.newaxis], verbose=0)[0] for crop in crops if crop is not None]

    return analyze


def measure(workload: Workload) -> dict[str, Any]:
    """The document: rows of detection, analysis, classifier and threads, ready for JSON."""
    from femr.analyzer import load
    from femr.faces.mtcnn import MtcnnDetector

    detector = MtcnnDetector()
    finders = {
        "femr": femr_finder(detector),
        "femr_20": femr_finder(MtcnnDetector(smallest_face=_PACKAGE_SMALLEST)),
        "package": package_finder(),
    }
    analyzer = load(detector=detector)
    return {
        "detection": [_detection(case, finders, workload) for case in tqdm(workload.detection, "detection")],
        "analysis": [_analysis(case, analyzer, workload) for case in tqdm(workload.analysis, "analysis")],
        "classifier": [row for model in tqdm(workload.models, "classifier") for row in _classifier(model, workload)],
        "threads": [_throughput(threads, analyzer, workload) for threads in tqdm(workload.threads, "threads")],
    }


class _Femr:
    """A checkout in a process of its own, with a model loaded."""

    def __init__(self, checkout: Path, model: str, image: Path) -> None:
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, "-c", _WORKER, model, str(image)]
        # found first there, whichever femr is installed
        self.process = subprocess.Popen(command, cwd=checkout, env=os.environ | {"PYTHONPATH": str(checkout)}, **pipes)

    def turn(self) -> tuple[float, int]:
        """Milliseconds of processor time, and how many faces were found."""
        to, back = cast(IO[str], self.process.stdin), cast(IO[str], self.process.stdout)
        to.write("\n")
        to.flush()
        milliseconds, faces = back.readline().split()
        return float(milliseconds), int(faces)


def against(checkout: Path, turns: int) -> str:
    """Processor time of this ensemble and of another checkout's MobileNetV2, turn by turn: medians, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.npy"
        np.save(image, picture(*Workload().typical).image)
        sides = [_Femr(checkout, "mobilenet_v2", image), _Femr(Path(__file__).parents[1], "ensemble", image)]
        seen = [[side.turn() for side in sides] for _ in range(_WARM + turns)][_WARM:]
        for side in sides:
            side.process.communicate()
    then, now = (median(row[side][0] for row in seen) for side in (0, 1))
    found = [faces for _, faces in seen[-1]]
    return (
        f"MobileNetV2 there: {then:.1f} ms, {found[0]} faces\n"
        f"ensemble here: {now:.1f} ms, {found[1]} faces\n"
        f"ratio of the medians: {now / then:.2f}"
    )


def to_text(document: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The document as tables."""
    heads = {name: [key.replace("_", " ") for key in rows[0]] for name, rows in document.items()}
    return "\n\n".join(
        table(title, heads[name], [list(map(_shown, row.values())) for row in document[name]])
        for name, title in _TITLES.items()
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints tables or the document."""
    parser = argparse.ArgumentParser("benchmarks.speed", description="How fast femr is, side by side with others.")
    parser.add_argument("--quick", action="store_true", help="half a minute, to see that it works")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="a folder with another femr to compare with")
    parser.add_argument("--turns", type=int, default=80, help="of both checkouts; default 80")
    options = parser.parse_args(arguments)
    if options.against:
        print(against(options.against.resolve(), options.turns))
        return
    document = measure(QUICK if options.quick else Workload())
    print(json.dumps(document, indent=2) if options.json else to_text(document))


def _detection(case: Case, finders: Mapping[str, Finder], workload: Workload) -> dict[str, Any]:
    row, calls = _compared(case, finders, workload)
    package = row["package_ms"]
    return row | {
        "ratio": package / row["femr_ms"],
        "ratio_20": package / row["femr_20_ms"],
        "found": {name: len(call.result) for name, call in calls.items()},
    }


def _analysis(case: Case, analyze: Callable[[Pixels], Any], workload: Workload) -> dict[str, Any]:
    ways = {"femr": analyze, "loaded": reference_way(), "reference": lambda one: reference_way()(one)}
    row, calls = _compared(case, ways, workload)
    return row | {
        "ratio": row["reference_ms"] / row["femr_ms"],
        "ratio_loaded": row["loaded_ms"] / row["femr_ms"],
        "found": {"femr": len(calls["femr"].result.faces), "reference": len(calls["reference"].result)},
    }


def _compared(
    case: Case, ways: Mapping[str, Callable[[Pixels], Any]], workload: Workload
) -> tuple[dict[str, Any], dict[str, Timed]]:
    """The case and each way's milliseconds on its picture, for a row; and the calls."""
    image = picture(*case).image
    calls = side_by_side({name: partial(way, image) for name, way in ways.items()}, workload.repeats)
    times = {f"{name}_ms": call.milliseconds for name, call in calls.items()}
    return {"megapixels": case[0], "faces": case[1], **times}, calls


def _classifier(model: str, workload: Workload) -> list[dict[str, Any]]:
    from femr.expression.classifier import load_classifier

    classifier, rows = load_classifier(model), []
    for batch in workload.batches:
        # noise: the networks' work does not depend on what they see
        faces = np.random.default_rng(batch).integers(0, 256, (batch, len(VIEWS), FACE_SIDE, FACE_SIDE), np.uint8)
        views = {"face": list(faces), "view": list(faces[:, :1])}
        times = side_by_side(
            {name: partial(classifier.classify, some) for name, some in views.items()}, workload.repeats
        )
        per_face = {f"ms_per_{name}": one.milliseconds / batch for name, one in times.items()}
        rows.append({"model": model, "batch": batch, **per_face})
    return rows


def _throughput(threads: int, analyze: Callable[[Pixels], Any], workload: Workload) -> dict[str, Any]:
    image = picture(*workload.typical).image
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(analyze, [image] * threads))
        jobs = [image] * (_ROUNDS * threads)
        taken = timed(lambda: list(pool.map(analyze, jobs))).milliseconds
    return {"threads": threads, "images_a_second": 1000 * len(jobs) / taken}


def _crop(image: Pixels, box: list[float], side: int) -> Any:
    """The box as it is, gray on three channels; None where it is empty."""
    x, y, width, height = (max(0, int(value)) for value in box)
    part = image[y : y + height, x : x + width]
    if not part.size:
        return None
    gray = cv2.resize(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), (side, side))
    return np.repeat(gray[:, :, np.newaxis].astype(np.float32), 3, axis=2)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " / ".join(map(str, value.values()))
    if isinstance(value, float):
        return f"{value:.2f}" if value < 10 else f"{value:.0f}"
    return str(value)


if __name__ == "__main__":
    main()
