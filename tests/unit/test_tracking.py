"""Faces on known paths: whose number stays whose."""

import math
import pickle
from itertools import product

import numpy as np
import pytest

from builders import found, overlap
from femr.video.tracking import GATE, LEAST, MOST, NOISE, PUSH, SPEED, Tracker

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
    for _ in range(10):
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


def reach_after(*seconds):
    """How far, in its sizes, a face may be off its place after it was seen at such steps: Kalman's by the book."""
    covariance, place = np.diag([NOISE**2, SPEED**2]), np.array([[1.0, 0.0]])
    for number, step in enumerate(seconds):
        if number:
            gain = covariance @ place.T / (place @ covariance @ place.T + NOISE**2)
            covariance = (np.eye(2) - gain @ place) @ covariance
        moved, pushed = np.array([[1, step], [0, 1]]), PUSH * np.array([[step**2 / 2], [step]])
        covariance = moved @ covariance @ moved.T + pushed @ pushed.T
    return min(max(GATE * math.sqrt(covariance[0, 0] + NOISE**2), LEAST), MOST)


@pytest.mark.parametrize("steps", [(0.02,), (0.25,), (0.5,), (0.8,), (1.0,), (0.5, 0.5), (0.2, 0.8), (0.25, 0.25, 0.6)])
@pytest.mark.parametrize("way", [(1.0, 0.0), (0.0, -1.0), (0.6, 0.8)])
def test_a_face_is_looked_for_as_far_as_it_may_have_moved(steps, way):
    far = 100 * reach_after(*steps)
    for off, number in ((far - 0.5, 1), (far + 0.5, 2)):
        tracker, time = Tracker(), 0.0
        for step in steps:
            assert tracker.update([face(300, 600)], time) == (1,)
            time += step
        assert tracker.update([found_at(300 + off * way[0], 600 + off * way[1])], time) == (number,)


def found_at(x, y, width=84.0, height=100.0):
    """A face with its centre at x, y, wherever that is."""
    return found((x - width / 2, y - height / 2, x + width / 2, y + height / 2))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_face_is_no_other_of_twice_its_size(factor):
    for change, number in ((0.99, 1), (1.01, 2)):
        size = factor**change
        tracker = Tracker()
        tracker.update([found_at(300, 300)], 0.0)
        assert tracker.update([found_at(300, 300, 84 * size, 100 * size)], 0.5) == (number,)


def cost(one, other):
    """What it costs to take a face for another: distance in sizes, what they do not share, change of size."""
    sizes = [max(box[2] - box[0], box[3] - box[1]) for box in (one.box, other.box)]
    centres = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) for box in (one.box, other.box)]
    return math.dist(*centres) / sizes[0] + 1 - overlap(one.box, other.box) + abs(math.log(sizes[1] / sizes[0]))


def test_faces_are_paired_at_the_least_cost_in_all():
    random = np.random.default_rng(5)
    for _ in range(400):
        before = [found_at(*random.uniform(200, 290, 2), *random.uniform(60, 110, 2)) for _ in range(2)]
        after = [found_at(*random.uniform(200, 290, 2), *random.uniform(60, 110, 2)) for _ in range(2)]
        straight, crossed = (sum(cost(before[i], after[i ^ way]) for i in (0, 1)) for way in (0, 1))
        if any(max(one.size, other.size) > 1.9 * min(one.size, other.size) for one, other in product(before, after)):
            continue
        tracker = Tracker()
        assert tracker.update(before, 0.0) == (1, 2)
        assert tracker.update(after, 0.5) == ((1, 2) if straight < crossed else (2, 1))
