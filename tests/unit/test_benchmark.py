"""The benchmark: matching and fitting on cases made by hand, and one short run of the command."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from builders import ROOT
from femr.benchmark import peers, recall
from femr.benchmark.finders import Found, femr_finder, package_finder
from femr.benchmark.recall import iou, match, only, summarise
from femr.benchmark.scenes import Truth
from femr.benchmark.text import to_text
from femr.benchmark.timing import Repeats, exponent, side_by_side, slope
from femr.errors import FemrError
from femr.results import Landmarks

POINTS = ((10.0, 10.0), (30.0, 10.0), (20.0, 20.0), (12.0, 30.0), (28.0, 30.0))


def truth(box):
    return Truth(box, Landmarks(*POINTS), box[3] - box[1], 0, "plain", "portrait")


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "femr", "benchmark", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One run of everything, and the folder with its picture."""
    folder = tmp_path_factory.mktemp("benchmark")
    process = command("--quick", "--json", "--recall", "--peers", "--out", str(folder))
    assert process.returncode == 0, process.stderr[-2000:]
    return json.loads(process.stdout), process.stderr, folder


def test_no_face_and_nothing_found_is_perfect():
    outcome = match("empty", [], [])
    assert (outcome.pairs, outcome.extra) == ((), ())
    assert summarise([outcome]) == {
        "found": 0, "recall": None, "sure_recall": None, "false_positives": 0.0, "sure_false_positives": 0.0,
        "iou": None, "landmark_error": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (0, 0, 5, 5), 0.25),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0),
        ((0, 0, 10, 10), (4, 4, 4, 4), 0),
    ],
)
def test_overlap_of_boxes(a, b, expected):
    assert iou(a, b) == pytest.approx(expected)


def test_a_face_is_found_once_by_its_best_box():
    better, worse = Found((0, 0, 10, 10)), Found((0, 0, 10, 8))
    outcome = match("one", [truth((0, 0, 10, 10))], [worse, better])
    assert outcome.pairs[0][1] is better
    assert outcome.extra == (worse,)
    assert summarise([outcome])["false_positives"] == 1


def test_one_box_finds_one_of_two_faces():
    outcome = match("two", [truth((0, 0, 10, 10)), truth((0, 1, 10, 11))], [Found((0, 1, 10, 11))])
    assert [face is not None for _, face in outcome.pairs] == [False, True]
    assert summarise([outcome])["recall"] == 0.5


def test_a_box_too_far_away_is_a_miss_and_a_false_positive():
    outcome = match("far", [truth((0, 0, 10, 10))], [Found((5, 0, 15, 10))])
    assert outcome.pairs[0][1] is None
    assert len(outcome.extra) == 1


def test_landmarks_are_measured_in_eye_distances():
    moved = tuple((x + 2, y) for x, y in POINTS)
    assert summarise([match("off", [truth((0, 0, 10, 10))], [Found((0, 0, 10, 10), moved)])])["landmark_error"] == 0.1
    without = summarise([match("none", [truth((0, 0, 10, 10))], [Found((0, 0, 10, 10))])])
    assert without["landmark_error"] is None


def test_errors_are_named_with_their_scene():
    outcomes = [match("garage", [truth((0, 0, 10, 10))], [Found((50, 50, 60, 60))])]
    assert [(error["scene"], error["error"]) for error in recall.errors(outcomes)] == [
        ("garage", "missed"),
        ("garage", "false positive"),
    ]


def test_faces_that_one_alone_found_are_counted():
    truths = [truth((0, 0, 10, 10)), truth((20, 0, 30, 10))]
    both = [Found(face.box) for face in truths]
    assert only({"a": [match("x", truths, both)], "b": [match("x", truths, both[:1])]}) == {"a": 1, "b": 0}


@pytest.mark.parametrize("make", [femr_finder, package_finder])
def test_both_detectors_find_the_portrait_s_face(make, portrait):
    (face,) = make()(portrait)
    marked = recall.portrait()
    points = np.add(marked.landmarks.points(), (128, 10))
    assert iou(face.box, (182, 64, 265, 171)) > 0.6
    assert np.linalg.norm(np.array(face.landmarks) - points, axis=1).max() < 6


def test_a_power_is_recovered():
    sizes = [1, 2, 4, 8]
    assert exponent(sizes, [3 * size**1.5 for size in sizes]) == pytest.approx(1.5)
    assert slope(sizes, [5 + 2 * size for size in sizes]) == pytest.approx(2)
    assert exponent([2], [1]) is None


def test_candidates_take_turns():
    calls = []
    times = side_by_side({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, Repeats(2, 2))
    assert "".join(calls) == "ababab"
    assert set(times) == {"a", "b"}


def test_the_short_run_has_every_figure(quick):
    document, progress, _ = quick
    assert document["machine"]["cores"] >= 1
    assert document["startup_s"] > 0
    assert document["peak_rss_mb"] > 100
    for row in document["detection"]:
        assert row["ratio"] == pytest.approx(row["package_ms"] / row["femr_ms"])
        assert row["found"]["femr"] == row["faces"]
    for row in document["analysis"]:
        figures = [row[key] for key in ("femr_ms", "reference_ms", "reference_loaded_ms", "ratio", "ratio_loaded")]
        assert all(math.isfinite(value) and value > 0 for value in figures)
        assert row["ratio"] == pytest.approx(row["reference_ms"] / row["femr_ms"])
        assert row["found"] == {"femr": row["faces"], "reference": row["faces"]}
    assert {(row["model"], row["batch"]) for row in document["classifier"]} == {
        ("mobilenet_v2", 1),
        ("mobilenet_v2", 4),
    }
    assert all(row["ms_per_face"] > 0 for row in document["classifier"])
    assert all(row["images_a_second"] > 0 for row in document["threads"])
    assert all(values["ratio"] > 0 for values in document["new_size"].values())
    for part in document["growth"].values():
        assert all(math.isfinite(part["exponents"][name]) for name in ("femr_detect", "femr_analysis"))
    assert "femr: analysis 1 of 1" in progress


def test_the_short_run_measures_recall(quick):
    rows = quick[0]["recall"]["rows"]
    assert [row["name"] for row in rows] == [row.name for row in recall.ROWS]
    assert all(row["femr"]["recall"] > 0.5 for row in rows if row["name"] in ("60 to 120 px", "300 to 600 px"))


def test_a_peer_that_is_not_there_is_named_as_missing(quick):
    entries = {entry["name"]: entry for entry in quick[0]["peers"]}
    assert set(entries) == {peer.name for peer in peers.PEERS}
    assert entries["opencv-yunet"]["status"] == "missing"
    assert "--yunet" in entries["opencv-yunet"]["reason"]
    assert all(entry["pictures"] or entry["status"] != "measured" for entry in entries.values())


def test_the_run_is_drawn_and_told_in_tables(quick):
    document, _, folder = quick
    assert (folder / "growth.png").read_bytes().startswith(b"\x89PNG")
    text = to_text(document)
    for title in ("Detection alone", "Whole analysis", "Networks", "Peers", "Recall", "From start to first answer"):
        assert title in text


def test_a_broken_peer_is_named_as_broken(tmp_path):
    """A Python that cannot do what is asked for ends, and its reason or its silence is told."""
    assert peers.parse_environments([f"fer={sys.executable}"])["fer"] == sys.executable
    with pytest.raises(FemrError, match="ended without an answer"), peers._running([sys.executable, "-c", ""]):
        pass
    worker = [sys.executable, str(ROOT / "femr" / "benchmark" / "peer_worker.py"), "opencv-yunet", str(tmp_path)]
    with pytest.raises(FemrError), peers._running(worker):
        pass


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--recall-only", "--peers"], "--recall-only measures no speed"),
        (["--data", "x.csv"], "--data is for the recall table"),
        (["--yunet", "x.onnx"], "add --peers"),
        (["--peers", "--yunet", "x.onnx"], "no file named x.onnx"),
        (["--peers", "--peer-env", "fer"], "Expected --peer-env NAME=PYTHON"),
        (["--peers", "--peer-env", "fer=/no/python"], "no Python at"),
        (["--recall-only", "--data", "nothing.csv"], "nothing.csv"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, sentence):
    process = command(*arguments)
    assert process.returncode == 2
    assert sentence in process.stderr
    assert "Traceback" not in process.stderr
