"""The report's numbers: how they are counted, and that they single nobody out."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from itertools import product
from math import sqrt
from statistics import NormalDist

import pytest

from builders import HAPPY5, SAD5, empty_row, photo_rows, video_rows
from femr.errors import DataError, clock
from femr.output.rows import REQUIRED_COLUMNS
from femr.output.timeline import Timeline
from femr.report.charts import charts_of
from femr.report.count import KINDS, Tally, wilson
from femr.report.page import answer
from femr.report.summary import (
    LEAST,
    MAX_BINS,
    Bin,
    bin_seconds,
    file_bins,
    photos_a_bin,
    summarise,
    video_bins,
)
from femr.results import EMOTIONS, Emotion


def counts(tally):
    return {share.kind: share.count for share in tally.shares if share.count}


@pytest.mark.parametrize("rows", [[], [empty_row()], [empty_row(error="Damaged.")], video_rows({0.0: [], 0.25: []})])
def test_without_a_face_there_is_nothing_to_report(rows):
    with pytest.raises(DataError, match="no face"):
        summarise(rows)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (photo_rows(["happy"] * 4), "5 faces in all photos together"),
        (photo_rows(["happy"] * 2, ["sad"] * 2), "5 faces in all photos together"),
        (video_rows({n / 4: ["happy"] * 4 for n in range(400)}), "5 faces in one frame of a video"),
        (photo_rows(["sad"]) + video_rows({0.0: ["sad"] * 4}), "in one frame of a video or in all photos together"),
    ],
)
def test_fewer_than_five_faces_are_not_reported(rows, words):
    with pytest.raises(DataError, match=words):
        summarise(rows)


@pytest.mark.parametrize("least", [4, 1, 0, -5])
def test_the_threshold_cannot_be_lowered(least):
    with pytest.raises(DataError, match=f"5 faces or more.*{least}$"):
        summarise(photo_rows(HAPPY5), least=least)


def test_each_face_counts_once():
    group = summarise(photo_rows(["happy", "happy", "sad", "?", "neutral"], SAD5))
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
    rows = photo_rows(["happy"] * 6)
    rows[-1] |= doubtful
    group = summarise(rows)
    assert (counts(group.total), group.total.faces) == ({"happy": 5}, 5)
    rows[0] |= doubtful
    with pytest.raises(DataError, match="needs 5 faces"):  # four are left
        summarise(rows)
    rows[0] |= {"unsure_reason": "covered"}
    assert counts(summarise(rows).total) == {"happy": 4, "unsure": 1}


def test_unsure_faces_alone_have_a_mood_by_their_probabilities():
    group = summarise(photo_rows(["?"] * 5))
    assert group.total.mood is Emotion.SAD
    assert counts(group.total) == {"unsure": 5}
    assert Tally().mood is None


def test_a_tie_goes_to_the_higher_probabilities():
    rows = photo_rows(["happy", "happy", "fear", "fear", "sad"])
    rows[2] |= {"fear": 0.98, "happy": 0.0}
    assert summarise(rows).total.mood is Emotion.FEAR


@pytest.mark.parametrize(("count", "of"), [(0, 10), (10, 10), (5, 10), (1, 29), (1, 5), (380, 1000), (0, 1), (81, 263)])
def test_wilsons_limits_are_the_shares_that_the_score_test_just_rejects(count, of):
    """Each lies as many of its own standard errors from what was seen as hold 95 % of a normal distribution."""
    least = NormalDist().inv_cdf(0.975)
    for limit, end in zip(wilson(count, of), (0, 1), strict=True):
        away = abs(count / of - limit) - least * sqrt(limit * (1 - limit) / of)
        assert limit == end == count / of or away == pytest.approx(0, abs=1e-9)


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


def test_wilsons_interval_of_none_and_of_all_is_exact_at_its_end():
    for of in range(1, 200):
        assert wilson(0, of)[0] == 0 < wilson(0, of)[1]
        assert wilson(of, of)[0] < 1 == wilson(of, of)[1]


def test_exactly_five_faces_are_shown_and_four_are_not():
    for rows in (photo_rows(HAPPY5), video_rows({0.0: HAPPY5})):
        (moment,) = summarise(rows).filled
        assert (moment.tally.faces, moment.tally.pictures) == (5, 1)
        with pytest.raises(DataError, match="needs 5 faces"):
            summarise(rows[:4])
    (moment,) = summarise(photo_rows(["happy"] * 6), least=6).filled
    assert moment.tally.faces == 6
    with pytest.raises(DataError, match="needs 6 faces"):
        summarise(photo_rows(HAPPY5), least=6)


def test_photos_of_one_face_each_are_a_pool_from_five_on():
    for faces in (5, 6):
        group = summarise(photo_rows(*[["sad"]] * faces))
        assert (group.filled, group.pool.pictures, counts(group.pool)) == ((), faces, {"sad": faces})
    with pytest.raises(DataError, match="needs 5 faces"):
        summarise(photo_rows(*[["sad"]] * 4))
    group = summarise(photo_rows(HAPPY5, [], *[["sad"]] * 5))
    assert (group.pool.pictures, group.left_out) == (5, 1)


def test_under_a_higher_threshold_small_photos_join_only_if_they_are_five_by_themselves():
    """Else two reports would differ by a handful of faces."""
    rows = photo_rows(["happy"] * 7, SAD5, ["fear"] * 4)
    assert (summarise(rows, least=7).pool, summarise(rows).pool) == (None, None)
    group = summarise(photo_rows(["happy"] * 7, SAD5, SAD5, ["fear"] * 4), least=7)
    assert counts(group.pool) == {"sad": 10}
    group = summarise(photo_rows(["happy"] * 7, SAD5, ["fear"] * 4, ["fear"]), least=7)
    assert counts(group.pool) == {"sad": 5, "fear": 5}


def test_bins_begin_at_their_border():
    frames = {0.0: HAPPY5, 9.999: HAPPY5, 10.0: SAD5, 19.75: SAD5, 20.0: ["fear"] * 5}
    group = summarise(video_rows(frames), seconds=10)
    assert [(moment.label, counts(moment.tally)) for moment in group.filled] == [
        ("0:00–0:10", {"happy": 10}),
        ("0:10–0:20", {"sad": 10}),
        ("0:20–0:30", {"fear": 5}),
    ]


def test_borders_are_exact_where_floats_are_not():
    """0.3 // 0.1 is 2."""
    group = summarise(video_rows({n / 10: HAPPY5 for n in range(10)}), seconds=0.1)
    assert [moment.index for moment in group.filled] == list(range(10))
    assert all(moment.tally.pictures == 1 for moment in group.filled)


def test_bins_are_chosen_so_that_there_are_few():
    for seconds in (1, 39, 300, 7200, 86400):
        group = summarise(video_rows({0.0: HAPPY5, float(seconds): SAD5}))
        assert 2 <= len(group.bins) <= 40, seconds
    assert summarise(video_rows({0.0: HAPPY5, 299.75: SAD5})).bin_seconds == 10
    assert summarise(video_rows({0.0: HAPPY5})).bin_seconds == 1


@pytest.mark.parametrize(("videos", "end"), [(41, 20.0), (50, 100.0), (240, 7200.0), (241, 10.0), (1000, 0.0)])
def test_any_number_of_videos_has_a_report(videos, end):
    rows = [row for number in range(videos) for row in video_rows({0.0: HAPPY5, end: SAD5}, f"{number}.mp4")]
    group = summarise(rows)
    assert len(group.filled) <= len(group.bins) <= MAX_BINS
    assert sum(moment.tally.pictures for moment in group.filled) == len(rows) / 5
    assert (group.bin_seconds is None) == (videos > MAX_BINS)


def test_videos_that_share_a_bin_are_named_together():
    rows = [row for number in range(482) for row in video_rows({0.0: HAPPY5}, f"{number}.mp4")]
    group = summarise([*photo_rows(SAD5), *rows])
    assert [one.label for one in group.bins[:3]] == ["photo 1", "videos 1–3", "videos 4–6"]
    assert (group.bins[-1].label, group.videos_a_bin, len(group.bins)) == ("videos 481–482", 3, 162)
    assert [moment.tally.pictures for moment in group.filled] == [1, *[3] * 160, 2]


@pytest.mark.parametrize(
    ("faces", "said"),
    [
        (HAPPY5, "Of 5 faces 100 % look happy, more than any other way."),
        (HAPPY5 + ["angry"] * 5, "Of 10 faces 50 % look happy and as many angry."),
        ([*HAPPY5, *["angry"] * 5, *SAD5], "Of 15 faces 33 % look happy and as many angry and as many sad."),
    ],
)
def test_the_sentence_says_where_as_many_look_another_way(faces, said):
    rows = photo_rows(faces)
    for row in rows:  # as where the happy ones were told more surely
        row["happy"] = 0.9 if row["expression"] == "happy" else row["happy"]
    assert answer(summarise(rows)) == said


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e-9])
def test_bins_that_cannot_be_are_refused(seconds):
    with pytest.raises(DataError, match="bins"):
        summarise(video_rows({0.0: HAPPY5}), seconds=seconds)


def test_more_bins_than_can_be_shown_are_refused():
    with pytest.raises(DataError, match=f"at most {MAX_BINS} bins"):
        summarise(video_rows({0.0: HAPPY5, 1e9: HAPPY5}), seconds=1)
    assert len(summarise(video_rows({0.0: HAPPY5, 1e9: HAPPY5})).bins) <= 41


def test_frames_with_few_faces_are_counted_nowhere():
    """A speaker alone for nine seconds, then the hall."""
    frames = {float(n): ["angry"] for n in range(9)} | {9.0: HAPPY5} | {10.0 + n: ["angry"] * 4 for n in range(10)}
    group = summarise(video_rows(frames), seconds=10)
    assert counts(group.total) == {"happy": 5}
    assert [moment.label for moment in group.filled] == ["0:00–0:10"]
    assert len(group.bins) == 2
    assert group.left_out == 19


def test_photos_with_few_faces_are_counted_together_or_nowhere():
    group = summarise(photo_rows(HAPPY5, ["sad", "sad"], [], ["fear"] * 3))
    assert [moment.label for moment in group.filled] == ["photo 1"]
    assert counts(group.pool) == {"sad": 2, "fear": 3}
    assert counts(group.total) == {"happy": 5, "sad": 2, "fear": 3}
    assert group.left_out == 1
    group = summarise(photo_rows(HAPPY5, ["sad", "sad"], ["fear"] * 2))
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
        rows = photo_rows(*(EMOTIONS[n : n + 1] * size for n, size in enumerate(sizes)), ["neutral"] * 2)
        seen = []
        for least in (5, 6, 7, 9):
            with suppress(DataError):
                seen += shown(summarise(rows, least=least))
        for first, second in product(seen, repeat=2):
            rest = [a - b for a, b in zip(first.sure, second.sure, strict=True)]
            assert min(rest) < 0 or sum(rest) == 0 or sum(rest) >= LEAST, sizes


def test_totals_are_over_what_is_shown():
    rows = video_rows({0.0: HAPPY5, 10.0: ["angry"] * 3, 20.0: SAD5}) + photo_rows(["fear"] * 4)
    group = summarise(rows, seconds=10)
    assert counts(group.total) == {"happy": 5, "sad": 5}
    assert group.total == Tally.of(moment.tally for moment in group.filled)


def test_two_reports_with_other_bins_differ_by_whole_frames():
    frames = {n / 4: ["happy"] * (n % 9) for n in range(200)}
    wide, narrow = (summarise(video_rows(frames), seconds=seconds) for seconds in (10, 3))
    assert (wide.total.pictures, counts(wide.total)) == (narrow.total.pictures, counts(narrow.total))
    for first, second in product(wide.filled, narrow.filled):
        assert first.tally.faces == second.tally.faces or abs(first.tally.faces - second.tally.faces) >= LEAST


def test_the_same_face_cannot_be_counted_twice():
    """A photo with three faces in a table that was put together from two would pass for one with six."""
    rows = photo_rows(["sad"] * 3)
    with pytest.raises(DataError, match="lists a face twice"):
        summarise([*rows, *rows])


def test_a_higher_threshold_hides_more():
    rows = photo_rows(HAPPY5, ["sad"] * 8, ["fear"] * 3)
    assert [moment.label for moment in summarise(rows).filled] == ["photo 1", "photo 2"]
    group = summarise(rows, least=8)
    assert [moment.label for moment in group.filled] == ["photo 2"]
    assert group.pool is None


def test_best_and_lowest_moments_are_by_valence():
    group = summarise(video_rows({0.0: HAPPY5, 10.0: ["angry"] * 5, 20.0: ["neutral"] * 5}), seconds=10)
    assert [moment.index for moment in group.ranked] == [0, 2, 1]
    happy, neutral, angry = (moment.tally.valence for moment in group.ranked)
    assert 1 > happy > neutral > 0 > angry > -1
    assert happy == pytest.approx(0.88 * 0.8 + 0.02 * (-0.65 - 0.5 - 0.7 - 0.65 + 0.4 + 0.15), abs=1e-9)


def test_what_is_drawn_for_several_visitors_at_once_looks_as_if_alone():
    """Matplotlib's settings, which the charts change, are those of the whole process."""
    group = summarise(video_rows({0.0: HAPPY5}))

    def timeline():
        Timeline().save(file := BytesIO())
        return file.getvalue()

    alone = timeline()
    with ThreadPoolExecutor(2) as pool:
        charts = [pool.submit(charts_of, group) for _ in range(8)]
        pictures = [timeline() for _ in range(4)]
    assert pictures == [alone] * 4
    assert [chart.result() for chart in charts] == [charts_of(group)] * 8


def test_faces_over_time():
    group = summarise(video_rows({0.0: ["happy"] * 6, 1.0: ["happy"] * 8, 10.0: HAPPY5}), seconds=10)
    assert [moment.tally.faces_a_picture for moment in group.filled] == [7, 5]
    assert group.total.most == 8
    assert group.duration == 10


def test_files_are_called_by_number_unless_asked():
    rows = photo_rows(HAPPY5, SAD5)
    assert [place.label for place in summarise(rows).bins] == ["photo 1", "photo 2"]
    assert [place.label for place in summarise(rows, names=True).bins] == ["p1.jpg", "p2.jpg"]
    two = video_rows({0.0: HAPPY5}, "dir/x.mp4") + video_rows({0.0: SAD5}, "y.mp4")
    assert [place.label for place in summarise(two).bins] == ["video 1, 0:00–0:01", "video 2, 0:00–0:01"]
    assert summarise(two, names=True).bins[0].label == "x.mp4, 0:00–0:01"


def test_many_photos_share_places():
    group = summarise(photo_rows(*[HAPPY5] * 150))
    assert (group.photos_a_bin, len(group.bins)) == (5, 30)
    assert group.bins[-1].label == "photos 146–150"
    assert sum(moment.tally.faces for moment in group.filled) == 750


def test_what_a_report_was_made_from_is_told():
    failed = [empty_row("x.jpg", error="Damaged."), empty_row("y.jpg", error="Damaged.")]
    other = [row | {"model": "ensemble"} for row in photo_rows(SAD5, ["fear"] * 6)]
    group = summarise([*failed, *video_rows({0.0: HAPPY5, 3.0: []}), *video_rows({1.0: SAD5}, "b.mp4"), *other])
    assert (group.photos, group.videos, group.frames, group.failed) == (2, 2, 3, 2)
    assert (group.duration, group.bin_seconds, group.photos_a_bin, group.least) == (4.0, 1, 1, 5)
    assert group.models == ("mobilenet_v2", "ensemble")
    assert [(moment.label, moment.tally.faces) for moment in group.filled] == [
        ("photo 1", 5),
        ("photo 2", 6),
        ("video 1, 0:00–0:01", 5),
        ("video 2, 0:01–0:02", 5),
    ]
    group = summarise(photo_rows(SAD5), least=5)
    assert (group.videos, group.failed, group.bin_seconds, group.models) == (0, 0, None, ("mobilenet_v2",))


@pytest.mark.parametrize("column", ["file", "unsure", "happy", "error"])
def test_a_missing_column_is_named(column):
    rows = [{key: value for key, value in row.items() if key != column} for row in photo_rows(HAPPY5)]
    with pytest.raises(DataError, match=f"Missing: {column}"):
        summarise(rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"expression": "bored"}, "without its expression"),
        ({"happy": None}, "seven probabilities"),
        ({"happy": float("nan")}, "seven probabilities"),
        ({"happy": 1.001}, "seven probabilities"),
        ({"happy": -0.001}, "seven probabilities"),
        ({"happy": "0.9"}, "seven probabilities"),
        ({"time": "soon"}, "times in seconds"),
        ({"time": -1.0}, "times in seconds"),
        ({"time": float("inf")}, "times in seconds"),
    ],
)
def test_values_that_cannot_be_are_refused(change, words):
    rows = photo_rows(HAPPY5)
    rows[0] |= change
    with pytest.raises(DataError, match=words):
        summarise(rows)


def test_clocks():
    times = {0: "0:00", 10: "0:10", 65: "1:05", 3599: "59:59", 3600: "1:00:00", 3665: "1:01:05", 7325.5: "2:02:05.5"}
    times |= {0.25: "0:00.25", 0.105: "0:00.105", 59.9996: "1:00", 36000: "10:00:00"}
    assert {seconds: clock(seconds) for seconds in times} == times
    assert re.fullmatch(r"\d+:\d\d", clock(299))


def test_places_have_short_names_for_the_axis():
    assert video_bins(15.0, 10.0, "video 2, ") == [
        Bin("video 2, 0:00–0:10", "0:00"),
        Bin("video 2, 0:10–0:20", "0:10"),
    ]
    assert video_bins(10.0, 10.0)[-1] == Bin("0:10–0:20", "0:10")
    assert file_bins("photo", ["x/a.jpg", "b.jpg"], 1, names=True) == [Bin("a.jpg", "1"), Bin("b.jpg", "2")]
    assert file_bins("photo", ["a.jpg", "b.jpg"], 1) == [Bin("photo 1", "1"), Bin("photo 2", "2")]
    assert file_bins("photo", ["x.jpg"] * 5, 2) == [
        Bin("photos 1–2", "1"),
        Bin("photos 3–4", "3"),
        Bin("photos 5–5", "5"),
    ]


@pytest.mark.parametrize(
    ("photos", "run"), [(0, 1), (40, 1), (41, 2), (80, 2), (81, 5), (200_000, 5000), (200_001, 5001)]
)
def test_photos_share_a_place_so_that_there_are_forty_at_most(photos, run):
    assert photos_a_bin(photos) == run


def test_a_bin_is_as_wide_as_asked_or_the_narrowest_that_gives_forty():
    assert [bin_seconds([end], None) for end in (0.0, 39.9, 40.0, 80.0, 199.9, 200.0)] == [1, 1, 2, 5, 5, 10]
    assert bin_seconds([19.9, 19.9], None) == 1
    assert bin_seconds([20.0, 20.0], None) == 2
    assert bin_seconds([], None) == 1
    assert bin_seconds([1e6], None) == 25_001
    assert (bin_seconds([1.0], 0.3), bin_seconds([0.1], 0.001)) == (0.3, 0.001)
    assert bin_seconds([239.9], 1.0) == 1
    with pytest.raises(DataError, match=r"^Expected at most 240 bins of time\. Received: 241 of 1 seconds$"):
        bin_seconds([240.0], 1.0)
    with pytest.raises(DataError, match=r"^Expected bins of 0\.001 seconds or more\. Received: 0\.0009$"):
        bin_seconds([1.0], 0.0009)


def test_what_cannot_be_reported_is_said_in_a_sentence():
    face = photo_rows(["sad"])
    whole = photo_rows(HAPPY5)
    whole[0] |= {"happy": 1, **dict.fromkeys(set(EMOTIONS) - {"happy"}, 0)}
    assert counts(summarise(whole).total) == {"happy": 5}
    for rows, words in (
        ([], "There is no face in it, so there is nothing to report."),
        (face * 2, "The table lists a face twice. Expected each picture once, read by one model."),
        (
            [face[0] | {"fear": None}],
            "The table has a face without its expression or its seven probabilities.",
        ),
        (
            [{"file": "a.jpg"} | dict.fromkeys(set(REQUIRED_COLUMNS) - {"time", "face"})],
            "Expected a table with the columns of femr. Missing: time, face",
        ),
        (
            photo_rows(["sad"]),
            "A report needs 5 faces in all photos together: with fewer it would tell about single people.",
        ),
    ):
        with pytest.raises(DataError) as caught:
            summarise(rows)
        assert str(caught.value) == words
