"""The report's numbers: how they are counted, and that they single nobody out."""

import re
from contextlib import suppress
from itertools import product

import pytest
from scipy.stats import binomtest

from femr.errors import DataError
from femr.output.rows import COLUMNS, to_rows
from femr.report.count import KINDS, Tally, wilson
from femr.report.summary import LEAST, MAX_BINS, summarise
from femr.results import EMOTIONS, Analysis, Emotion
from femr.wording import clock


def face_row(number=1, expression="happy", file="a.jpg", time=None, sure=True):
    """A row as the tidy table has it."""
    top = 0.88 if sure else 0.4
    scores = {str(emotion): top if emotion == expression else (1 - top) / 6 for emotion in EMOTIONS}
    known = {"file": file, "time": time, "face": number, "model": "mobilenet_v2", **scores}
    return dict.fromkeys(COLUMNS) | known | {"expression": expression, "unsure": not sure}


def empty_row(file="a.jpg", time=None, error=None):
    return dict.fromkeys(COLUMNS) | {"file": file, "time": time, "model": "mobilenet_v2", "error": error}


def picture(expressions, file="a.jpg", time=None):
    """The rows of a picture whose faces look so; "?" is an unsure one."""
    rows = [
        face_row(number, "sad" if looks == "?" else looks, file, time, looks != "?")
        for number, looks in enumerate(expressions, start=1)
    ]
    return rows or [empty_row(file, time)]


def photos(*pictures):
    return [row for n, faces in enumerate(pictures, start=1) for row in picture(faces, f"p{n}.jpg")]


def video(frames, file="a.mp4"):
    """The rows of a video: time → faces."""
    return [row for time, faces in frames.items() for row in picture(faces, file, time)]


def counts(tally):
    return {share.kind: share.count for share in tally.shares if share.count}


HAPPY5, SAD5 = ["happy"] * 5, ["sad"] * 5


@pytest.mark.parametrize("rows", [[], [empty_row()], [empty_row(error="Damaged.")], video({0.0: [], 0.25: []})])
def test_without_a_face_there_is_nothing_to_report(rows):
    with pytest.raises(DataError, match="no face"):
        summarise(rows)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (photos(["happy"] * 4), "5 faces in all photos together"),
        (photos(["happy"] * 2, ["sad"] * 2), "5 faces in all photos together"),
        (video({n / 4: ["happy"] * 4 for n in range(400)}), "5 faces in one frame of a video"),
        (photos(["sad"]) + video({0.0: ["sad"] * 4}), "in one frame of a video or in all photos together"),
    ],
)
def test_fewer_than_five_faces_are_not_reported(rows, words):
    with pytest.raises(DataError, match=words):
        summarise(rows)


@pytest.mark.parametrize("least", [4, 1, 0, -5])
def test_the_threshold_cannot_be_lowered(least):
    with pytest.raises(DataError, match=f"5 faces or more.*{least}$"):
        summarise(photos(HAPPY5), least=least)


def test_each_face_counts_once():
    group = summarise(photos(["happy", "happy", "sad", "?", "neutral"], SAD5))
    assert counts(group.total) == {"happy": 2, "sad": 6, "neutral": 1, "unsure": 1}
    assert group.total.faces == 10
    assert sum(share.value for share in group.total.shares) == pytest.approx(1)
    assert [share.kind for share in group.total.shares] == list(KINDS)
    assert group.total.mood is Emotion.SAD
    assert [counts(moment.tally) for moment in group.filled] == [
        {"happy": 2, "sad": 1, "neutral": 1, "unsure": 1},
        {"sad": 5},
    ]


def test_what_may_be_no_face_is_counted_nowhere():
    doubtful = {"unsure": True, "unsure_reason": "may be no face"}
    rows = photos(["happy"] * 6)
    rows[-1] |= doubtful
    group = summarise(rows)
    assert (counts(group.total), group.total.faces) == ({"happy": 5}, 5)
    rows[0] |= doubtful
    with pytest.raises(DataError, match="needs 5 faces"):  # four are left
        summarise(rows)
    rows[0] |= {"unsure_reason": "covered"}
    assert counts(summarise(rows).total) == {"happy": 4, "unsure": 1}


def test_an_analysis_of_the_package_is_counted(analyzer, group):
    """As the pipeline made it, not as this file imagines rows."""
    picture, _ = group
    found = analyzer(picture)
    rows = [row | {"file": name} for name in ("1.jpg", "2.jpg") for row in to_rows(found)]
    total = summarise([*rows, *to_rows(Analysis.failed("3.jpg", "mobilenet_v2", "Damaged."))])
    assert counts(total.total) == {"happy": 6}
    assert (total.photos, total.failed, total.models) == (2, 1, ("mobilenet_v2",))


def test_unsure_faces_alone_have_a_mood_by_their_probabilities():
    group = summarise(photos(["?"] * 5))
    assert group.total.mood is Emotion.SAD
    assert counts(group.total) == {"unsure": 5}
    assert Tally().mood is None


def test_a_tie_goes_to_the_higher_probabilities():
    rows = photos(["happy", "happy", "fear", "fear", "sad"])
    rows[2] |= {"fear": 0.98, "happy": 0.0}
    assert summarise(rows).total.mood is Emotion.FEAR


@pytest.mark.parametrize(("count", "of"), [(0, 10), (10, 10), (5, 10), (1, 29), (1, 5), (380, 1000), (0, 1), (81, 263)])
def test_wilsons_interval_is_scipys(count, of):
    expected = binomtest(count, of).proportion_ci(0.95, "wilson")
    assert wilson(count, of) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_wilsons_interval_as_published():
    """Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (count, of), limits in published.items():
        assert wilson(count, of) == pytest.approx(limits, abs=5e-5)
    assert wilson(0, 0) == (0, 1)


def test_bins_begin_at_their_border():
    frames = {0.0: HAPPY5, 9.999: HAPPY5, 10.0: SAD5, 19.75: SAD5, 20.0: ["fear"] * 5}
    group = summarise(video(frames), seconds=10)
    assert [(moment.label, counts(moment.tally)) for moment in group.filled] == [
        ("0:00–0:10", {"happy": 10}),
        ("0:10–0:20", {"sad": 10}),
        ("0:20–0:30", {"fear": 5}),
    ]


def test_borders_are_exact_where_floats_are_not():
    """0.3 // 0.1 is 2."""
    group = summarise(video({n / 10: HAPPY5 for n in range(10)}), seconds=0.1)
    assert [moment.index for moment in group.filled] == list(range(10))
    assert all(moment.tally.pictures == 1 for moment in group.filled)


def test_bins_are_chosen_so_that_there_are_few():
    for seconds in (1, 39, 300, 7200, 86400):
        group = summarise(video({0.0: HAPPY5, float(seconds): SAD5}))
        assert 2 <= len(group.bins) <= 40, seconds
    assert summarise(video({0.0: HAPPY5, 299.75: SAD5})).bin_seconds == 10
    assert summarise(video({0.0: HAPPY5})).bin_seconds == 1


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e-9])
def test_bins_that_cannot_be_are_refused(seconds):
    with pytest.raises(DataError, match="bins"):
        summarise(video({0.0: HAPPY5}), seconds=seconds)


def test_more_bins_than_can_be_shown_are_refused():
    with pytest.raises(DataError, match=f"at most {MAX_BINS} bins"):
        summarise(video({0.0: HAPPY5, 1e9: HAPPY5}), seconds=1)
    assert len(summarise(video({0.0: HAPPY5, 1e9: HAPPY5})).bins) <= 41


def test_frames_with_few_faces_are_counted_nowhere():
    """A speaker alone for nine seconds, then the hall."""
    frames = {float(n): ["angry"] for n in range(9)} | {9.0: HAPPY5} | {10.0 + n: ["angry"] * 4 for n in range(10)}
    group = summarise(video(frames), seconds=10)
    assert counts(group.total) == {"happy": 5}
    assert [moment.label for moment in group.filled] == ["0:00–0:10"]
    assert len(group.bins) == 2
    assert group.left_out == 19


def test_photos_with_few_faces_are_counted_together_or_nowhere():
    group = summarise(photos(HAPPY5, ["sad", "sad"], [], ["fear"] * 3))
    assert [moment.label for moment in group.filled] == ["photo 1"]
    assert counts(group.pool) == {"sad": 2, "fear": 3}
    assert counts(group.total) == {"happy": 5, "sad": 2, "fear": 3}
    assert group.left_out == 1
    group = summarise(photos(HAPPY5, ["sad", "sad"], ["fear"] * 2))
    assert group.pool is None
    assert counts(group.total) == {"happy": 5}
    assert group.left_out == 2


def shown(group):
    """All tallies that a reader of a report can see."""
    parts = [moment.tally for moment in group.filled] + ([group.pool] if group.pool else [])
    return [*parts, group.total]


def test_subtraction_finds_nobody():
    """Within a report and between reports of other thresholds, each difference is nothing or at least five faces."""
    for sizes in product((1, 3, 5, 6, 8), repeat=3):
        rows = photos(*(EMOTIONS[n : n + 1] * size for n, size in enumerate(sizes)), ["neutral"] * 2)
        seen = []
        for least in (5, 6, 7, 9):
            with suppress(DataError):
                seen += shown(summarise(rows, least=least))
        for first, second in product(seen, repeat=2):
            rest = [a - b for a, b in zip(first.sure, second.sure, strict=True)]
            assert min(rest) < 0 or sum(rest) == 0 or sum(rest) >= LEAST, sizes


def test_totals_are_over_what_is_shown():
    rows = video({0.0: HAPPY5, 10.0: ["angry"] * 3, 20.0: SAD5}) + photos(["fear"] * 4)
    group = summarise(rows, seconds=10)
    assert counts(group.total) == {"happy": 5, "sad": 5}
    assert group.total == Tally.of(moment.tally for moment in group.filled)


def test_two_reports_with_other_bins_differ_by_whole_frames():
    frames = {n / 4: ["happy"] * (n % 9) for n in range(200)}
    wide, narrow = (summarise(video(frames), seconds=seconds) for seconds in (10, 3))
    assert (wide.total.pictures, counts(wide.total)) == (narrow.total.pictures, counts(narrow.total))
    for first, second in product(wide.filled, narrow.filled):
        assert first.tally.faces == second.tally.faces or abs(first.tally.faces - second.tally.faces) >= LEAST


def test_the_same_face_cannot_be_counted_twice():
    """A photo with three faces in a table that was put together from two would pass for one with six."""
    rows = photos(["sad"] * 3)
    with pytest.raises(DataError, match="lists a face twice"):
        summarise([*rows, *rows])


def test_a_higher_threshold_hides_more():
    rows = photos(HAPPY5, ["sad"] * 8, ["fear"] * 3)
    assert [moment.label for moment in summarise(rows).filled] == ["photo 1", "photo 2"]
    group = summarise(rows, least=8)
    assert [moment.label for moment in group.filled] == ["photo 2"]
    assert group.pool is None


def test_best_and_lowest_moments_are_by_valence():
    group = summarise(video({0.0: HAPPY5, 10.0: ["angry"] * 5, 20.0: ["neutral"] * 5}), seconds=10)
    assert [moment.index for moment in group.ranked] == [0, 2, 1]
    happy, neutral, angry = (moment.tally.valence for moment in group.ranked)
    assert 1 > happy > neutral > 0 > angry > -1
    assert happy == pytest.approx(0.88 * 0.8 + 0.02 * (-0.65 - 0.5 - 0.7 - 0.65 + 0.4 + 0.15), abs=1e-9)


def test_faces_over_time():
    group = summarise(video({0.0: ["happy"] * 6, 1.0: ["happy"] * 8, 10.0: HAPPY5}), seconds=10)
    assert [moment.tally.faces_a_picture for moment in group.filled] == [7, 5]
    assert group.total.most == 8
    assert group.duration == 10


def test_files_are_called_by_number_unless_asked():
    rows = photos(HAPPY5, SAD5)
    assert [place.label for place in summarise(rows).bins] == ["photo 1", "photo 2"]
    assert [place.label for place in summarise(rows, names=True).bins] == ["p1.jpg", "p2.jpg"]
    two = video({0.0: HAPPY5}, "dir/x.mp4") + video({0.0: SAD5}, "y.mp4")
    assert [place.label for place in summarise(two).bins] == ["video 1, 0:00–0:01", "video 2, 0:00–0:01"]
    assert summarise(two, names=True).bins[0].label == "x.mp4, 0:00–0:01"


def test_many_photos_share_places():
    group = summarise(photos(*[HAPPY5] * 150))
    assert (group.photos_a_bin, len(group.bins)) == (5, 30)
    assert group.bins[-1].label == "photos 146–150"
    assert sum(moment.tally.faces for moment in group.filled) == 750


@pytest.mark.parametrize("column", ["file", "unsure", "happy", "error"])
def test_a_missing_column_is_named(column):
    rows = [{key: value for key, value in row.items() if key != column} for row in photos(HAPPY5)]
    with pytest.raises(DataError, match=f"Missing: {column}"):
        summarise(rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expression": "bored"}, "without its expression"),
        ({"happy": None}, "seven probabilities"),
        ({"happy": float("nan")}, "seven probabilities"),
        ({"happy": "0.9"}, "seven probabilities"),
        ({"time": "soon"}, "times in seconds"),
        ({"time": -1.0}, "times in seconds"),
        ({"time": float("inf")}, "times in seconds"),
    ],
)
def test_values_that_cannot_be_are_refused(change, words):
    rows = photos(HAPPY5)
    rows[0] |= change
    with pytest.raises(DataError, match=words):
        summarise(rows)


def test_clocks():
    times = {0: "0:00", 65: "1:05", 3665: "1:01:05", 0.25: "0:00.25", 59.9996: "1:00"}
    assert {seconds: clock(seconds) for seconds in times} == times
    assert re.fullmatch(r"\d+:\d\d", clock(299))
