"""Which of the pasted faces a detector finds, how well, and what it finds that is none: femr beside the plain package.

`python -m benchmarks.recall`; --data PATH for FER2013's faces beside the portrait's, --json for one document.

Each row of the table changes one thing. A face counts as found at an overlap (intersection over union) of 0.4. More
would ask too much of the truth: FER2013's faces have a mean framing for want of marks, a turned face an ellipse's box.
Less would let through what is no box of the face: one of half the side reaches 0.25, one half a side away 0.33.
What lies on no face, or on one that is taken already, is a false positive. A box that is on a face but not well enough
to have found it is neither: of 20 sure boxes that matched nothing in 203 scenes, 18 were on faces whose true framing is
not the mean one.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.scenes import BACKGROUNDS, Cutout, Plan, Range, Scene, Truth, backgrounds, compose, fer2013, portrait
from benchmarks.tools import Finder, Found, femr_finder, package_finder, table
from femr.faces.boxes import iou
from femr.faces.quality import SURELY_A_FACE
from femr.results import Landmarks, Point

FOUND_AT = 0.4
"""Least intersection over union of a face's box and a found one."""
_ON = 0.2  # least intersection over union of a face's box and one that is on the face

_WIDTH, _HEIGHT = 1280, 960
_MEASURES = {
    "recall": "recall",
    "sure_recall": "sure",
    "false_positives": "false",
    "sure_false_positives": "sure false",
    "iou": "IoU",
    "landmark_error": "landmarks",
}
"""What is shown of `summarise`, and as what."""


@dataclass(frozen=True)
class Row:
    """One line of the table: so many scenes of a plan."""

    name: str
    plan: Plan
    scenes: int


def _row(name: str, scenes: int, faces: int, sizes: Range | None, **changes: Any) -> Row:
    return Row(name, replace(Plan(_WIDTH, _HEIGHT, faces, sizes), **changes), scenes)


ROWS = (
    _row("20 to 30 px", 12, 24, (20, 30)),
    _row("30 to 40 px", 12, 24, (30, 40)),
    _row("40 to 60 px", 30, 16, (40, 60)),
    _row("60 to 120 px", 48, 9, (60, 120)),
    _row("120 to 300 px", 108, 2, (120, 300)),
    _row("300 to 600 px", 144, 1, (300, 600)),
    _row("turned 10° to 20°", 60, 9, (40, 160), rotation=(10, 20)),
    _row("turned 20° to 30°", 60, 9, (40, 160), rotation=(20, 30)),
    _row("dark", 60, 9, (40, 160), condition="dark"),
    _row("bright", 60, 9, (40, 160), condition="bright"),
    _row("blurred", 60, 9, (40, 160), condition="blurred"),
    _row("no faces", len(BACKGROUNDS), 0, None),
    _row("turned 90°", 24, 1, (120, 300), rotation=(90, 90)),
    _row("turned 180°", 24, 1, (120, 300), rotation=(180, 180)),
    _row("40 % outside", 48, 2, (80, 300), outside=0.4),
    _row("half outside", 48, 2, (80, 300), outside=0.5),
)
"""Upright by size (turned 5° at most, plain light), then 40 to 160 px faces turned, in other light and out of focus;
then faces on their side and upside down, and such that the edge cuts, beside two others, which do not count there."""


@dataclass(frozen=True)
class Outcome:
    """One detector on one scene: (truth, found or None) a face, and what matches none."""

    pairs: tuple[tuple[Truth, Found | None], ...]
    extra: tuple[Found, ...]


def match(truths: Sequence[Truth], found: Sequence[Found]) -> Outcome:
    """Faces and detections paired one to one, the best overlap first."""
    overlaps = (
        (float(iou(truth.box, face.box)), t, f) for t, truth in enumerate(truths) for f, face in enumerate(found)
    )
    on: dict[int, tuple[float, int]] = {}
    used = set[int]()
    for overlap, t, f in sorted(overlaps, reverse=True):
        if overlap >= _ON and t not in on and f not in used:
            on[t] = overlap, f
            used.add(f)
    taken = {t: found[f] for t, (overlap, f) in on.items() if overlap >= FOUND_AT}
    pairs = tuple((truth, taken.get(t)) for t, truth in enumerate(truths))
    return Outcome(pairs, tuple(face for f, face in enumerate(found) if f not in used))


def summarise(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """found, recall, sure_recall, false_positives and sure_false_positives (a picture), iou, landmark_error.

    sure: of boxes that may vote. landmark_error: share of the eye distance. None where there is no such face.
    """
    faces = sum(len(outcome.pairs) for outcome in outcomes)
    hits = [(truth, face) for outcome in outcomes for truth, face in outcome.pairs if face is not None]
    extra = [face for outcome in outcomes for face in outcome.extra]
    marked = [(truth.landmarks, face.landmarks) for truth, face in hits if truth.landmarks and face.landmarks]
    errors = [_landmark_error(*both) for both in marked]
    return {
        "found": len(hits),
        "recall": len(hits) / faces if faces else None,
        "sure_recall": _sure(face for _, face in hits) / faces if faces else None,
        "false_positives": len(extra) / len(outcomes),
        "sure_false_positives": _sure(extra) / len(outcomes),
        "iou": float(np.mean([iou(truth.box, face.box) for truth, face in hits])) if hits else None,
        "landmark_error": float(np.mean(errors)) if errors else None,
    }


def scenes(rows: Sequence[Row], faces: Sequence[Cutout]) -> Iterator[tuple[Row, Scene]]:
    """All scenes, row by row, the same ones each time; the backgrounds take turns."""
    pictures = list(backgrounds().items())
    for number, row in enumerate(rows):
        for index in range(row.scenes):
            background = pictures[(number + index) % len(pictures)]
            yield row, compose(row.plan, background, faces, seed=1000 * number + index)


def measure(finders: Mapping[str, Finder], data: str | None = None, quick: bool = False) -> dict[str, Any]:
    """The table: rows [{name, faces, pictures, <finder>: summarise, only}], and how it came about.

    Args:
        data: FER2013 in any shape that training reads; None pastes the portrait alone.
        quick: One scene a row.
    """
    rows = [replace(row, scenes=1) for row in ROWS] if quick else ROWS
    outcomes: dict[str, dict[str, list[Outcome]]] = {row.name: {name: [] for name in finders} for row in rows}
    for row, scene in tqdm(scenes(rows, cutouts(data)), "recall", sum(row.scenes for row in rows)):
        for name, finder in finders.items():
            outcome = match(scene.truths, finder(scene.image))
            outcomes[row.name][name].append(replace(outcome, extra=()) if row.plan.outside else outcome)
    return {
        "found_at_iou": FOUND_AT,
        "sure_at": SURELY_A_FACE,
        "faces_from": "portrait and FER2013's PublicTest, half each" if data else "portrait",
        "rows": [
            {"name": row.name, "faces": row.plan.truths * row.scenes, "pictures": row.scenes}
            | {name: summarise(some) for name, some in outcomes[row.name].items()}
            | {"only": only(outcomes[row.name])}
            for row in rows
        ],
    }


def only(outcomes: Mapping[str, Sequence[Outcome]]) -> dict[str, int]:
    """Finder → how many faces it alone found: differences of a few faces are chance."""
    hits = {
        name: np.array([face is not None for outcome in some for _, face in outcome.pairs], bool)
        for name, some in outcomes.items()
    }
    times = sum(hit.astype(int) for hit in hits.values())
    return {name: int((hit & (times == 1)).sum()) for name, hit in hits.items()}


def cutouts(data: str | None) -> list[Cutout]:
    """The faces to draw from: the portrait, and as often as all of them FER2013's, where there is any."""
    others = fer2013(data) if data else []
    return [*others, *[portrait()] * max(1, len(others))]


def to_text(recall: Mapping[str, Any]) -> str:
    """The table for a terminal."""
    names = list(recall["rows"][0]["only"])
    columns = [*(f"{name} {word}" for word in _MEASURES.values() for name in names), *(f"only {n}" for n in names)]
    rows = (
        [
            *(row["name"], str(row["faces"]), str(row["pictures"])),
            *(_shown(row[name][key], key) for key in _MEASURES for name in names),
            *(str(row["only"][name]) for name in names),
        ]
        for row in recall["rows"]
    )
    title = (
        f"Recall at IoU {recall['found_at_iou']}, also of boxes of confidence {recall['sure_at']} (sure), "
        "false positives a picture, IoU, landmark error in eye distances, "
        f"faces found by one alone (faces: {recall['faces_from']})"
    )
    return table(title, ["", "faces", "pictures", *columns], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures both detectors, and prints the table or the document."""
    parser = argparse.ArgumentParser("benchmarks.recall", description="Which pasted faces are found.")
    parser.add_argument("--data", metavar="PATH", help="FER2013, for more faces than the portrait's")
    parser.add_argument("--quick", action="store_true", help="one scene a row, to see that it works")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args(arguments)
    document = measure({"femr": femr_finder(), "package": package_finder()}, options.data, options.quick)
    print(json.dumps(document, indent=2) if options.json else to_text(document))


def _sure(faces: Iterable[Found]) -> int:
    return sum(face.confidence >= SURELY_A_FACE for face in faces)


def _shown(value: float | None, key: str) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.1f} %" if key in ("recall", "sure_recall", "landmark_error") else f"{value:.2f}"


def _landmark_error(marked: Landmarks, found: Sequence[Point]) -> float:
    """Mean distance of the five points, in shares of the true eye distance."""
    points = np.array(marked.points())
    return float(np.linalg.norm(points - found, axis=1).mean() / np.linalg.norm(points[0] - points[1]))


if __name__ == "__main__":
    main()
