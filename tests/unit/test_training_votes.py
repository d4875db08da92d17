"""FER+'s votes in the order of EMOTIONS."""

import numpy as np
import pytest

from femr.results import EMOTIONS
from femr.training import data

# FER+'s own order
NAMES = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "unknown", "no face")


def ballots(**counts):
    return np.array([[counts.get(name, 0) for name in NAMES]])


def test_no_faces():
    none = np.empty((0, 10), np.int64)
    assert data.vote_shares(none).shape == (0, 7)
    assert [len(part) for part in data.majority(none)] == [0, 0]


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_every_expression_is_in_its_place(emotion):
    ten = ballots(**{emotion: 10})
    assert data.vote_shares(ten)[0, EMOTIONS.index(emotion)] == 1
    assert data.majority(ten)[0].tolist() == [EMOTIONS.index(emotion)]


def test_shares_are_among_the_seven_and_need_three_votes():
    assert data.vote_shares(ballots(happy=2, sad=1, contempt=7))[0] == pytest.approx([0, 0, 0, 2 / 3, 1 / 3, 0, 0])
    assert not data.vote_shares(ballots(happy=2, contempt=8)).any()


def test_a_majority_is_more_than_half_of_all_ten():
    both = np.concatenate([ballots(happy=5, contempt=5), ballots(happy=6, unknown=4)])
    assert data.majority(both)[1].tolist() == [False, True]
