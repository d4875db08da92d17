"""Faces on known paths: whose number stays whose."""

import math
import pickle

import numpy as np
import pytest

from builders import found
from femr.video.tracking import Tracker

WIDTH = 640


def face(x, y=240.0, size=100.0):
    """A face with its centre at x, y, cut at the picture's edges; None where less than a tenth of it is left."""
    x1, x2 = max(0.0, x - 0.42 * size), min(float(WIDTH), x + 0.42 * size)
    if x2 - x1 < 0.1 * size:
        return None
    return found((x1, y - size / 2, x2, y + size / 2), mark=(x, y))


def numbers(steps):
    """Who → the numbers they had, from (time, {who: face or None}) a picture."""
    tracker, seen = Tracker(), {}
    for time, people in steps:
        there = {who: face for who, face in people.items() if face}
        for who, number in zip(there, tracker.update(list(there.values()), time), strict=True):
            seen.setdefault(who, []).append(number)
    return {who: sorted(set(all_)) for who, all_ in seen.items()}


def test_no_faces_no_numbers():
    tracker = Tracker()
    assert tracker.update([], 0.0) == ()
    assert tracker.update([], 0.0) == ()
    assert tracker.update([face(100)], 9.0) == (1,)


def test_numbers_start_at_1_and_follow_the_faces_not_their_order():
    tracker = Tracker()
    left, right = face(100), face(400)
    assert tracker.update([left, right], 0.0) == (1, 2)
    assert tracker.update([right, left], 0.5) == (2, 1)


def test_who_leaves_and_returns_is_a_new_number_and_none_is_used_twice():
    tracker = Tracker()
    for visit in range(1, 6):
        start = 10.0 * visit
        assert tracker.update([face(300)], start) == (visit,)
        assert tracker.update([face(300)], start + 0.5) == (visit,)
        for time in (1.0, 1.5, 2.0, 2.5):
            assert tracker.update([], start + time) == ()


@pytest.mark.parametrize("rate", [2, 4, 10])
@pytest.mark.parametrize("speed", [0, 60, 150])
def test_half_a_second_hidden_changes_nothing(rate, speed):
    for begin in np.arange(2.0, 3.0, 0.1):
        times = np.arange(0, 5 * rate) / rate
        visible = [face(20 + speed * t) if not begin <= t < begin + 0.5 else None for t in times]
        steps = [(t, {"one": here, "other": face(500, 100)}) for t, here in zip(times, visible, strict=True)]
        assert numbers(steps) == {"one": [1], "other": [2]}


@pytest.mark.parametrize("rate", [2, 4])
@pytest.mark.parametrize("speed", [80, 120, 200])
@pytest.mark.parametrize("sizes", [(100, 85), (95, 95)])
def test_two_people_who_cross_keep_their_numbers(rate, speed, sizes):
    """The one behind is not found while the other hides them."""
    for shift in np.arange(0, 1, 0.1) / rate:
        steps = []
        for t in np.arange(0, rate * 600 / speed) / rate:
            front, behind = face(speed * (t + shift), 240, sizes[0]), face(WIDTH - speed * (t + shift), 250, sizes[1])
            apart = abs(WIDTH - 2 * speed * (t + shift))
            steps.append((t, {"front": front, "behind": behind if apart > 50 else None}))
        assert numbers(steps) in ({"front": [1], "behind": [2]}, {"front": [2], "behind": [1]})


@pytest.mark.parametrize("rate", [2, 4])
def test_a_shaking_camera_and_uneven_steps_change_nothing(rate):
    random = np.random.default_rng(7)
    for _ in range(20):
        steps, time = [], 0.0
        for _ in range(60):
            x, y = random.uniform(-30, 30, 2)
            steps.append((time, {place: face(place + x, 240 + y) for place in (100, 300, 500)}))
            time += random.uniform(0.2, 1.8) / rate
        assert numbers(steps) == {100: [1], 300: [2], 500: [3]}


def test_faces_enter_and_leave_at_the_borders():
    times = np.arange(0, 40) / 4
    steps = [(t, {"out": face(300 - 60 * t), "in": face(780 - 60 * t), "still": face(320, 90, 60)}) for t in times]
    assert numbers(steps) == {"out": [1], "still": [2], "in": [3]}


def test_a_crowd_keeps_its_numbers():
    random = np.random.default_rng(1)
    places = [(60 + 70 * column, 60 + 60 * row) for row in range(8) for column in range(8)]
    steps = [
        (t / 4, {at: face(*(np.array(at) + random.normal(0, 3, 2)), 40) for at in places if random.random() > 0.05})
        for t in range(30)
    ]
    found = numbers(steps)
    assert sorted(found.values()) == [[number] for number in range(1, 65)]


def test_a_far_or_much_larger_face_is_somebody_else():
    tracker = Tracker()
    assert tracker.update([face(100)], 0.0) == (1,)
    assert tracker.update([face(600)], 0.5) == (2,)
    assert tracker.update([face(600, 240, 30)], 1.0) == (3,)


def test_a_long_pause_does_not_let_numbers_jump():
    tracker = Tracker()
    assert tracker.update([face(60, 240, 60)], 0.0) == (1,)
    assert tracker.update([face(600, 240, 60)], 3600.0) == (2,)


def test_the_same_time_twice_is_fine_and_going_back_is_not():
    tracker = Tracker()
    assert tracker.update([face(100)], 5.0) == (1,)
    assert tracker.update([face(101)], 5.0) == (1,)
    for time in (4.9, math.nan):
        with pytest.raises(ValueError, match=r"Expected a time of 5.0 s or later"):
            tracker.update([], time)


def test_nothing_piles_up():
    tracker, sizes = Tracker(), []
    for step in range(3000):
        tracker.update([face(300)] if step % 8 == 0 else [], step / 4)
        sizes.append(len(pickle.dumps(tracker)))
    assert max(sizes) < 1.1 * max(sizes[:8])
    assert tracker.update([face(300)], 750.0) == (376,)
