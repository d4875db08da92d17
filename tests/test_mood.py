import pytest

from femr.emotions import EMOTIONS, Emotion
from femr.mood import NO_FACE, vote
from femr.results import EmotionScores, Face, FaceEmotion, Landmarks

SPOT = Face((0, 0, 9, 9), 1.0, Landmarks(*[(1.0, 1.0)] * 5))


def face(looks, sure=0.7, unsure=False):
    """A face with one top expression; the rest of the probability is spread evenly."""
    rest = (1 - sure) / 6
    scores = EmotionScores(tuple(sure if emotion == looks else rest for emotion in EMOTIONS))
    return FaceEmotion(1, SPOT, scores, unsure)


def test_no_face_no_mood():
    mood = vote([])
    assert (mood.emotion, mood.reason, mood.counts) == (None, NO_FACE, {})


@pytest.mark.parametrize(
    ("faces", "winner", "reason"),
    [
        (["happy"], "happy", "The face looks happy"),
        (["sad", "sad"], "sad", "Both faces look sad"),
        (["fear"] * 4, "fear", "All 4 faces look afraid"),
        (["happy", "sad", "happy", "angry", "happy"], "happy", "3 of 5 faces look happy"),
    ],
)
def test_most_votes_win(faces, winner, reason):
    mood = vote([face(looks) for looks in faces])
    assert mood.emotion == winner
    assert mood.reason == reason
    assert sum(mood.counts.values()) == len(faces)


def test_unsure_faces_do_not_vote_while_others_do():
    mood = vote([face("sad", 0.3, unsure=True), face("sad", 0.3, unsure=True), face("happy")])
    assert mood.emotion is Emotion.HAPPY
    assert mood.reason == "1 of 3 faces looks happy; 2 were unclear"
    assert mood.counts == {Emotion.HAPPY: 1}


def test_one_unclear_face_is_counted_in_the_reason():
    faces = [face("happy"), face("happy"), face("happy"), face("sad"), face("fear", 0.2, unsure=True)]
    assert vote(faces).reason == "3 of 5 faces look happy; 1 was unclear"


def test_where_all_are_unsure_all_vote_and_it_is_said():
    assert vote([face("sad", 0.3, unsure=True)]).reason == "The face is hard to read; the best guess is sad"
    mood = vote([face("fear", 0.3, unsure=True)] * 2)
    assert mood.emotion is Emotion.FEAR
    assert mood.reason == "Both faces are hard to read; the best guess is afraid"


def test_a_tie_goes_to_the_larger_sum_and_says_so():
    mood = vote([face("sad", 0.6), face("happy", 0.9), face("sad", 0.6), face("happy", 0.5)])
    assert mood.emotion is Emotion.HAPPY
    assert mood.reason == "A tie: happy and sad, 2 faces each; happy has the higher scores"
    assert mood.counts == {Emotion.HAPPY: 2, Emotion.SAD: 2}


def test_a_tie_of_three_names_all():
    mood = vote([face("sad", 0.5), face("happy", 0.6), face("angry", 0.9)])
    assert mood.reason == "A tie: angry, happy and sad, 1 face each; angry has the higher scores"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_of_the_faces_does_not_matter(order):
    faces = [face("sad", 0.8), face("happy", 0.7), face("neutral", 0.75)]
    assert vote([faces[i] for i in order]).emotion is Emotion.SAD
