import math
import pickle

import pytest

from builders import found, looking
from femr.results import FaceEmotion, Reading
from femr.video.smoothing import Smoother

FACE = found((10.0, 10.0, 50.0, 50.0))


def reading(emotion, top=0.94, number=1, **rest):
    return looking(emotion, top, number, FACE, **rest)


def test_no_faces():
    assert Smoother(0.5).update([], 0.0) == ()


def test_the_first_reading_of_a_face_stays_as_it_is():
    for face in (reading("happy"), reading("sad", 0.3, unsure=True, unsure_reason="dark")):
        assert Smoother(0.5).update([face], 3.0) == (face,)


def test_after_the_time_constant_63_percent_are_new():
    smoother = Smoother(0.5, seconds=2.0)
    smoother.update([reading("happy", 1.0)], 0.0)
    (face,) = smoother.update([reading("sad", 1.0)], 2.0)
    assert face.scores["sad"] == pytest.approx(1 - math.exp(-1))
    assert face.scores["happy"] == pytest.approx(math.exp(-1))
    assert sum(face.scores.probabilities) == pytest.approx(1)


def test_all_three_answers_are_averaged_each_for_itself():
    smoother = Smoother(0.5, seconds=2.0)
    happy, sad, fear = (reading(emotion, 1.0).scores for emotion in ("happy", "sad", "fear"))
    smoother.update([FaceEmotion(1, FACE, Reading(happy, sad, fear))], 0.0)
    (face,) = smoother.update([FaceEmotion(1, FACE, Reading(sad, fear, happy))], 2.0)
    old = math.exp(-1)
    for answer, before, now in (("scores", "happy", "sad"), ("vote_shares", "sad", "fear")):
        assert getattr(face, answer)[before] == pytest.approx(old)
        assert getattr(face, answer)[now] == pytest.approx(1 - old)
    assert face.label_scores["fear"] == pytest.approx(old)
    assert face.label_scores["happy"] == pytest.approx(1 - old)


@pytest.mark.parametrize("rate", [1, 2, 4, 30])
def test_how_often_does_not_matter(rate):
    smoother = Smoother(0.5, seconds=2.0)
    smoother.update([reading("happy", 1.0)], 0.0)
    for step in range(1, 4 * rate + 1):
        (face,) = smoother.update([reading("sad", 1.0)], step / rate)
    assert face.scores["happy"] == pytest.approx(math.exp(-2))


def test_one_odd_frame_changes_nothing_and_a_new_expression_does():
    smoother, tops = Smoother(0.5), []
    for step in range(20):
        odd = step == 5 or step >= 10
        (face,) = smoother.update([reading("surprise" if odd else "happy")], step / 2)
        tops.append(face.scores.top)
    assert set(tops[:10]) == {"happy"}
    assert tops[-1] == "surprise"


def test_unsure_follows_from_the_average():
    smoother = Smoother(0.6)
    assert not smoother.update([reading("happy", 0.9)], 0.0)[0].unsure
    (between,) = smoother.update([reading("sad", 0.9, unsure_reason="blurred")], 1.4)
    assert between.unsure
    assert between.unsure_reason == "blurred"
    (again,) = smoother.update([reading("sad", 0.9, unsure=True, unsure_reason="blurred")], 9.0)
    assert not again.unsure
    assert again.unsure_reason is None


def test_faces_do_not_mix():
    smoother = Smoother(0.5)
    one, two = reading("happy", number=1), reading("sad", number=2)
    smoother.update([one, two], 0.0)
    swapped = smoother.update([two, one], 0.5)
    assert [(face.number, face.scores.top) for face in swapped] == [(2, "sad"), (1, "happy")]
    assert swapped[0].scores.probabilities == pytest.approx(two.scores.probabilities)


def test_lost_faces_are_forgotten():
    smoother = Smoother(0.5)
    sizes = []
    for number in range(1, 2000):
        smoother.update([reading("happy", number=number)], number / 2)
        if number % 10 == 0:
            sizes.append(len(pickle.dumps(smoother)))
    assert max(sizes) < 2 * sizes[2]


def test_a_face_is_new_after_five_time_constants_unseen():
    for gap, old in ((20.0, math.exp(-5)), (20.1, 0.0)):
        smoother = Smoother(0.5, seconds=4.0)
        smoother.update([reading("happy", 1.0)], 0.0)
        smoother.update([], gap)
        (face,) = smoother.update([reading("sad", 1.0)], gap)
        assert face.scores["happy"] == pytest.approx(old)


def test_a_top_probability_at_the_threshold_is_sure():
    assert not Smoother(0.75).update([reading("happy", 0.75)], 0.0)[0].unsure
    assert Smoother(0.75).update([reading("happy", 0.749)], 0.0)[0].unsure


def test_no_time_constant_changes_nothing():
    smoother = Smoother(0.5, seconds=0)
    smoother.update([reading("happy")], 0.0)
    assert smoother.update([reading("sad")], 0.1) == (reading("sad"),)


def test_certain_scores_stay_valid_for_thousands_of_steps():
    smoother = Smoother(0.5)
    for step in range(3000):
        (face,) = smoother.update([reading("happy", 1.0)], step / 7)
    assert face.scores["happy"] == pytest.approx(1)


@pytest.mark.parametrize("reason", ["covered", "may be no face"])
def test_what_cannot_be_read_stays_unsure_whatever_the_average(reason):
    smoother = Smoother(0.5)
    for time in (0.0, 0.5):
        (face,) = smoother.update([reading("happy", 0.9, unsure=True, unsure_reason=reason)], time)
        assert (face.unsure, face.unsure_reason) == (True, reason)
    assert not smoother.update([reading("happy", 0.9)], 2.0)[0].unsure


def covered_over_time(flags, seconds=2.0):
    smoother = Smoother(0.5, seconds)
    reasons = ["covered" if flag else None for flag in flags]
    faces = [
        smoother.update([reading("happy", unsure=bool(reason), unsure_reason=reason)], step / 2)[0]
        for step, reason in enumerate(reasons)
    ]
    assert all(face.unsure == (face.unsure_reason == "covered") for face in faces)
    return [face.unsure for face in faces]


def test_a_covered_face_does_not_flicker():
    masked = [step not in (5, 11) for step in range(16)]
    assert covered_over_time(masked) == [True] * 16
    bare = [step in (5, 11) for step in range(16)]
    assert covered_over_time(bare) == [False] * 16
    put_on = covered_over_time([False] * 8 + [True] * 8)
    assert put_on == sorted(put_on)  # once, and it stays
    assert put_on.index(True) == 10  # after the time constant's half-life, 1.4 s


def test_without_averages_each_frame_is_covered_or_not():
    assert covered_over_time([True, False, True], seconds=0) == [True, False, True]


def test_what_may_be_no_face_stays_so_whatever_covers_it():
    smoother = Smoother(0.5)
    smoother.update([reading("happy", unsure=True, unsure_reason="covered")], 0.0)
    (face,) = smoother.update([reading("happy", unsure=True, unsure_reason="may be no face")], 0.5)
    assert (face.unsure, face.unsure_reason) == (True, "may be no face")
