"""What the measurements share: two face detectors behind one call, what a process takes, and tables for a terminal."""

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from femr.images import Pixels, to_picture
from femr.results import Box, Point


class Found(NamedTuple):
    """A detected face: box xyxy and five landmarks in pixels, the order of femr.results.Landmarks; no landmarks: ().

    confidence: That it is a face, 0 to 1.
    """

    box: Box
    landmarks: tuple[Point, ...] = ()
    confidence: float = 1.0


Finder: TypeAlias = Callable[[Pixels], list[Found]]


def femr_finder(detector: Any = None) -> Finder:
    """femr's MTCNN at its default smallest face, or the given detector."""
    from femr.faces.mtcnn import MtcnnDetector

    chosen = detector or MtcnnDetector()

    def find(image: Pixels) -> list[Found]:
        (faces,) = chosen.detect([to_picture(image)])
        return [Found(face.box, face.landmarks.points(), face.confidence) for face in faces]

    return find


def package_finder() -> Finder:
    """`mtcnn.MTCNN().detect_faces` at its defaults, made once; its smallest face is 20 px, its only working value."""
    package = package_detector()
    return lambda image: [_found(face) for face in package.detect_faces(image)]


def package_detector() -> Any:
    """A new `mtcnn.MTCNN()`, its networks built and its weights read."""
    import mtcnn

    return mtcnn.MTCNN()


def processor_seconds(process: int) -> float:
    """What a running process has taken of the processors so far."""
    user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def megabytes(process: int | str = "self", kind: str = "VmRSS") -> float:
    """The memory of a running process, 10⁶ bytes: what it has now; as VmHWM the most that it has had."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    (kibibytes,) = re.findall(rf"^{kind}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kibibytes) * 1024 / 1e6


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A title and columns, the first left-aligned and the others right."""
    cells = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = (
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
        for row in cells
    )
    return "\n".join([title, *(f"  {line}" for line in lines)])


def _found(face: dict[str, Any]) -> Found:
    x, y, width, height = (float(value) for value in face["box"])
    points = face["keypoints"]
    names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    places = tuple((float(points[n][0]), float(points[n][1])) for n in names)
    return Found((x, y, x + width, y + height), places, float(face["confidence"]))
