"""Whether the figures of an evening tell what went wrong in it."""

from math import inf

import pytest

from evening import SETTLED, Diary, figures

CARDS = {
    number: {"title": f"{mood} {number}", "emotion": mood}
    for number, mood in enumerate(["happy", "happy", "happy", "surprise"])
}


def good():
    """Two minutes of a happy crowd, with a song every thirty seconds."""
    answer = {"mood": {"emotion": "happy"}, "faces": [{}] * 8}
    return Diary(
        levels=[(at / 10, 0.1) for at in range(1200)],
        looks=[(float(at), 10) for at in range(120)],
        answers=[(at / 2, 200.0, 200, answer) for at in range(240)],
        songs=[(5.0, 0), (35.0, 1), (65.0, 2), (95.0, 1)],
        memory=[(float(at), 300.0, 400.0) for at in range(120)],
        painted=[60.0] * 120,
        ages=[200.0] * 240,
        failures=[("network gone", 20.0, 2.0)],
        cards=CARDS,
    )


def test_a_good_evening_has_no_faults():
    found = figures(good(), [])
    assert found["faults"] == []
    assert found["minutes"] == 2
    assert found["songs"] == 4


def silent(diary):
    diary.levels[500:540] = [(at, 0.0) for at, _ in diary.levels[500:540]]


def stuck(diary):
    diary.failures.append(("asleep", 60.0, None))


def slow(diary):
    diary.failures.append(("asleep", 60.0, 12.0))


def grown(diary):
    diary.memory += [(SETTLED + at, 300.0, 400.0 + at) for at in range(120, 300)]


def swollen(diary):
    diary.memory += [(SETTLED + at, 300.0 + 900 * (200 < at < 400), 400.0) for at in range(120, 600)]


def unweighed(diary):
    diary.memory += [(SETTLED + at, 0.0, 400.0) for at in range(120, 300)]


def unmeasured(diary):
    diary.looks[50:70] = [(at, 0) for at, _ in diary.looks[50:70]]


def hasty(diary):
    diary.songs[1] = (12.0, 1)


def stubborn(diary):
    diary.songs[2] = (65.0, 0)


def stubborn_later(diary):
    stubborn(diary)
    diary.failed = [(40.0, 2)]


def contrary(diary):
    diary.songs[2] = (65.0, 3)


def mute(diary):
    diary.levels = [(at, 0.0) for at, _ in diary.levels]


def blind(diary):
    surprised = {"mood": {"emotion": "surprise"}, "faces": [{}] * 7}  # one is not found
    diary.answers[100:120] = [(at, took, status, surprised) for at, took, status, _ in diary.answers[100:120]]


def jerky(diary):
    diary.painted = [20.0] * 120


def broken(diary):
    diary.errors = ["TypeError: x is not a function"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (silent, "Nothing was heard for 4"),
        (mute, "Nothing was heard."),
        (stuck, "no answer came any more"),
        (slow, "it took 12.0 s to recover"),
        (grown, "The server had"),
        (swollen, "The browser had 300 to 1200 MB."),
        (unweighed, "The browser had 0 to"),
        (unmeasured, "Nothing was measured before 5"),
        (hasty, "happy 0 played for 7.0 s only."),
        (stubborn, "happy 0, at 65 s, came again before others of its mood."),
        (stubborn_later, "happy 0, at 65 s, came again before others of its mood."),
        (contrary, "surprise 3 came in a mood of happy."),
        (blind, "20 answers said surprise of 8 faces that look happy."),
        (jerky, "The boxes were painted 20 times a second."),
        (broken, "TypeError"),
    ],
)
def test_each_fault_is_told(spoil, words):
    diary = good()
    spoil(diary)
    assert any(words in fault for fault in figures(diary, [])["faults"])


def test_a_test_tells_no_time():
    diary = good()
    slow(diary)
    jerky(diary)
    assert figures(diary, [], soon=inf)["faults"] == []


def test_a_broken_song_that_is_not_named_is_told():
    diary = good()
    diary.memory.append((SETTLED + 1, 300.0, 400.0))
    assert figures(diary, ["happy 9"])["faults"] == ["happy 9 is broken, and was not named."]


def test_a_song_that_never_comes_is_told():
    diary = good()
    songs = {"happy 0", "happy 2", "happy 9"}
    assert figures(diary, ["happy 9"], songs=songs)["faults"] == []
    diary.memory.append((SETTLED + 1, 300.0, 400.0))
    diary.failed = [(20.0, 9)]
    diary.cards = {**CARDS, 9: {"title": "happy 9", "emotion": "happy"}}
    diary.songs = [song for song in diary.songs if song[1] != 2]
    assert "happy 2 never came." in figures(diary, ["happy 9"], songs=songs)["faults"]
    assert not any("happy 9" in fault for fault in figures(diary, ["happy 9"], songs=songs)["faults"])


@pytest.mark.parametrize(
    ("failed", "faults"), [([(12.5, 0)], []), ([(2.0, 0)], []), ([], ["happy 0 played for 7.0 s only."])]
)
def test_a_song_may_break_off_where_it_is_named(failed, faults):
    diary = good()
    hasty(diary)
    diary.failed = failed
    assert figures(diary, ["happy 0"])["faults"] == faults


@pytest.mark.parametrize(("until", "faults"), [(6.0, []), (8.0, ["happy 0 played for 3.0 s only."])])
def test_one_that_stands_in_gives_way_to_the_answer_on_its_way(until, faults):
    diary = good()
    diary.songs[1] = (until, 1)
    diary.failed = [(4.5, 9)]
    assert [fault for fault in figures(diary, [])["faults"] if "happy 0" in fault] == faults


def test_a_song_may_come_again_in_place_of_one_that_fails():
    diary = good()
    stubborn(diary)
    diary.failed = [(64.0, 2)]
    assert figures(diary, ["happy 2"])["faults"] == []


def test_no_song_has_to_come_twice_in_a_row():
    diary = good()
    diary.songs = [(5.0, 0), (25.0, 1), (45.0, 2), (65.0, 0), (75.0, 0), (95.0, 1), (115.0, 2), (135.0, 1)]
    diary.failed = [(64.0, 9), (75.0, 9)]  # a song stood in for one that failed, and counts twice
    assert figures(diary, [])["faults"] == ["happy 0 played for 10.0 s only."]


@pytest.mark.parametrize(("back", "told"), [(64.0, False), (62.0, True)])
def test_what_a_song_could_not_know_is_no_fault(back, told):
    diary = good()
    stubborn(diary)
    surprised = (200.0, 200, {"mood": {"emotion": "surprise"}})
    diary.answers = diary.answers[:40] + [(back + at / 2, *surprised) for at in range(60)]
    diary.songs = diary.songs[:3]
    assert bool(figures(diary, [])["faults"]) == told


def test_a_song_that_the_server_took_with_it_may_be_short():
    diary = good()
    hasty(diary)
    diary.answers = [one for one in diary.answers if not 11 < one[0] < 16]
    assert figures(diary, [])["faults"] == []
