"""The benchmarks: matching and timing on cases made by hand, and one short run of each."""

import json
import math
import os
import re
from pathlib import Path

import numpy as np
import pytest

import benchmarks
from benchmarks import engines, recall, speed, start, visitors
from benchmarks.recall import iou, match, only, summarise
from benchmarks.scenes import Plan, Truth
from benchmarks.speed import Repeats, side_by_side
from benchmarks.tools import Found, femr_finder, megabytes, package_finder
from builders import ROOT
from femr.errors import DataError
from femr.results import Landmarks

POINTS = ((10.0, 10.0), (30.0, 10.0), (20.0, 20.0), (12.0, 30.0), (28.0, 30.0))


def truth(box):
    return Truth(box, Landmarks(*POINTS), box[3] - box[1], 0, "plain", "portrait")


def test_no_face_and_nothing_found_is_perfect():
    outcome = match([], [])
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
    outcome = match([truth((0, 0, 10, 10))], [worse, better])
    assert outcome.pairs[0][1] is better
    assert outcome.extra == (worse,)
    assert summarise([outcome])["false_positives"] == 1


def test_one_box_finds_one_of_two_faces():
    outcome = match([truth((0, 0, 10, 10)), truth((0, 1, 10, 11))], [Found((0, 1, 10, 11))])
    assert [face is not None for _, face in outcome.pairs] == [False, True]
    assert summarise([outcome])["recall"] == 0.5


def test_a_box_beside_a_face_is_a_false_positive():
    outcome = match([truth((0, 0, 10, 10))], [Found((7, 0, 17, 10))])
    assert outcome.pairs[0][1] is None
    assert len(outcome.extra) == 1


def test_a_box_on_a_face_that_is_framed_otherwise_is_neither_right_nor_wrong_and_a_second_one_is():
    poor, poorer = Found((5, 0, 15, 10)), Found((0, 6, 10, 16))
    outcome = match([truth((0, 0, 10, 10))], [poorer, poor])
    assert outcome.pairs[0][1] is None
    assert outcome.extra == (poorer,)


def test_landmarks_are_measured_in_eye_distances():
    moved = tuple((x + 2, y) for x, y in POINTS)
    assert summarise([match([truth((0, 0, 10, 10))], [Found((0, 0, 10, 10), moved)])])["landmark_error"] == 0.1
    without = summarise([match([truth((0, 0, 10, 10))], [Found((0, 0, 10, 10))])])
    assert without["landmark_error"] is None


def test_faces_that_one_alone_found_are_counted():
    truths = [truth((0, 0, 10, 10)), truth((20, 0, 30, 10))]
    both = [Found(face.box) for face in truths]
    assert only({"a": [match(truths, both)], "b": [match(truths, both[:1])]}) == {"a": 1, "b": 0}


@pytest.mark.parametrize("make", [femr_finder, package_finder])
def test_both_detectors_find_the_portrait_s_face(make, portrait):
    (face,) = make()(portrait)
    marked = recall.portrait()
    points = np.add(marked.landmarks.points(), (128, 10))
    assert iou(face.box, (182, 64, 265, 171)) > 0.6
    assert np.linalg.norm(np.array(face.landmarks) - points, axis=1).max() < 6


def test_candidates_take_turns():
    calls = []
    times = side_by_side({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, Repeats(2, 2))
    assert "".join(calls) == "ababab"
    assert set(times) == {"a", "b"}


def test_the_short_run_has_every_figure(capsys):
    speed.main(["--quick", "--json"])
    document = json.loads(capsys.readouterr().out)
    for row in document["detection"]:
        assert row["ratio"] == pytest.approx(row["package_ms"] / row["femr_ms"])
        assert row["found"]["femr"] == row["faces"]
    for row in document["analysis"]:
        figures = [row[key] for key in ("femr_ms", "reference_ms", "loaded_ms", "ratio", "ratio_loaded")]
        assert all(math.isfinite(value) and value > 0 for value in figures)
        assert row["ratio"] == pytest.approx(row["reference_ms"] / row["femr_ms"])
        assert row["found"] == {"femr": row["faces"], "reference": row["faces"]}
    assert {(row["model"], row["batch"]) for row in document["classifier"]} == {
        ("mobilenet_v2", 1),
        ("mobilenet_v2", 4),
    }
    assert all(row["ms_per_face"] > 0 for row in document["classifier"])
    assert all(row["images_a_second"] > 0 for row in document["threads"])
    text = speed.to_text(document)
    for title in ("Detection", "Whole analysis", "Networks", "Several visitors"):
        assert title in text


def test_the_short_run_measures_recall(capsys):
    recall.main(["--quick", "--json"])
    document = json.loads(capsys.readouterr().out)
    rows = document["rows"]
    assert [row["name"] for row in rows] == [row.name for row in recall.ROWS]
    assert all(row["femr"]["recall"] > 0.5 for row in rows if row["name"] in ("60 to 120 px", "300 to 600 px"))
    assert "Recall at IoU 0.4" in recall.to_text(document)


def test_data_that_are_not_there():
    with pytest.raises(DataError, match=r"nothing\.csv"):
        recall.main(["--data", "nothing.csv"])


def test_visitors_of_the_page_are_all_answered_as_if_alone(monkeypatch, capsys):
    monkeypatch.setattr(visitors, "LARGE", Plan(1600, 1200, 5))
    visitors.main(["--visitors", "3", "--photos", "2", "--live", "1", "--walls", "1", "--large", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert (document["answers"], document["refused"]) == (6, 0)
    assert document["equal_to_those_given_alone"] is True
    assert all(
        document[key] > 0 for key in ("photo_p95", "large_seconds", "live_frame_p50", "wall_frames_a_second", "peak_mb")
    )


def test_memory_is_told_in_millions_of_bytes():
    before = megabytes()
    held = np.ones(200_000_000, np.uint8)
    assert megabytes() - before == pytest.approx(held.nbytes / 1e6, abs=5)  # in MiB it would be 9 less
    assert megabytes(os.getpid(), "VmHWM") >= before + 195


def test_all_programs_are_listed():
    programs = {path.stem for path in Path(benchmarks.__file__).parent.glob("*.py") if "__main__" in path.read_text()}
    assert len(programs) == 9
    assert programs - {*re.findall(r"\w+", benchmarks.__doc__)} == set()


def test_the_commands_first_word_comes_before_its_answer():
    (first, word, _), (second, answer, _) = engines.command(starts=1)
    assert (first, second) == ("first word", "answer")
    assert 0 < float(word) <= float(answer)


def test_two_checkouts_take_turns(capsys):
    speed.main(["--against", str(ROOT), "--turns", "2"])
    there, here, ratio = capsys.readouterr().out.splitlines()
    assert there.split(", ")[1] == here.split(", ")[1] == "6 faces"  # five, and a thing that looks like one
    assert float(ratio.rsplit(" ", 1)[1]) > 1  # two networks and one


def test_a_page_from_its_start(capsys):
    start.main(["--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["seconds_until_it_is_up"] < document["seconds_until_the_first_answer"]
    memory = [value for name, value in document.items() if name.startswith("mb")]
    assert len(memory) == 3
    assert all(value > 100 for value in memory)
