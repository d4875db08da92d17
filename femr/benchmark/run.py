"""One run of the benchmark: all measurements in their order, in one process, as one document."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femr.benchmark import (
    analysis,
    classifier,
    detection,
    effort,
    finders,
    growth,
    machine,
    peers,
    recall,
    startup,
)
from femr.images import Pixels

PACKAGE_SMALLEST = 20
"""The package's smallest face in pixels: with any other it finds nothing."""


@dataclass(frozen=True)
class Wish:
    """What is asked for besides the figures of speed.

    peers: environment → its Python, None: no peers. yunet: YuNet's ONNX file. data: FER2013, for the recall table.
    """

    quick: bool = False
    recall: bool = False
    data: str | None = None
    peers: dict[str, str] | None = None
    yunet: Path | None = None


def measure(wish: Wish) -> dict[str, Any]:
    """The document: machine, startup_s, peak_rss_mb, detection, analysis, classifier, threads, new_size, growth, peers.

    recall is there where it was asked for. Raises: FemrError.
    """
    from femr.analyzer import load
    from femr.faces.detector import SMALLEST_FACE, SMALLEST_SHARE, MtcnnDetector

    how = effort.QUICK if wish.quick else effort.FULL
    document: dict[str, Any] = {"machine": machine.describe(), "quick": wish.quick}
    document |= {"smallest_face": SMALLEST_FACE, "smallest_share": SMALLEST_SHARE}
    started = startup.measure(1 if wish.quick else 3)
    document |= {"startup_s": started.pop("startup_s"), "peak_rss_mb": started.pop("peak_rss_mb"), "startup": started}
    detector = MtcnnDetector()
    femr = finders.femr_finder(detector)
    femr_20 = finders.femr_finder(MtcnnDetector(smallest_face=PACKAGE_SMALLEST))
    package, analyzer = finders.package_finder(), load(detector=detector)
    document["detection"] = detection.measure(femr, femr_20, package, how)
    document["analysis"] = analysis.measure(analyzer, how)
    document["classifier"] = classifier.measure(how)
    document["threads"] = analysis.throughput(analyzer, how)
    asked: dict[str, Callable[[Pixels], object]] = {"femr_analysis": analyzer, "femr_detect": femr}
    document["new_size"] = detection.new_size({**asked, "package_detect": package}, how)
    document["growth"] = growth.measure(asked, how, document["detection"])
    document["peers"] = []
    if wish.peers is not None:
        both: dict[str, Callable[[Pixels], object]] = {"analysis": analyzer, "detection": femr}
        document["peers"] = peers.measure(both, wish.peers, wish.yunet, how)
    if wish.recall:
        document["recall"] = recall.measure({"femr": femr, "package": package}, wish.data, quick=wish.quick)
    return document


def measure_recall(wish: Wish) -> dict[str, Any]:
    """machine and recall alone. Raises: DataError."""
    both = {"femr": finders.femr_finder(), "package": finders.package_finder()}
    return {"machine": machine.describe(), "recall": recall.measure(both, wish.data, quick=wish.quick)}
