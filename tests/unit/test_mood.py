import itertools
from dataclasses import replace

import pytest

from builders import found, looking
from femr.faces.quality import SURELY_A_FACE, surely_a_face
from femr.mood import BESIDE, NO_FACE, NOTHING_SURE, vote
from femr.results import Emotion

JUST_BELOW = SURELY_A_FACE - 0.001


def face(looks, sure=0.7, unsure=False, size=90, confidence=1.0):
    """A face with one top expression; the rest of the probability is spread evenly."""
    return looking(looks, sure, face=found((0, 0, size, size), confidence), unsure=unsure)


def unclear(looks, **rest):
    return face(looks, 0.3, unsure=True, **rest)


def weak(looks="sad", **rest):
    """A box that may be no face, and is read as surely as any."""
    return face(looks, 0.95, confidence=0.83, **rest)


def said(*faces):
    """The winner and the sentence, which must not hang on the order of the faces."""
    moods = [vote(order) for order in itertools.permutations(faces)] if len(faces) < 5 else [vote(faces)]
    assert len({(mood.emotion, mood.reason, tuple(sorted(mood.counts.items()))) for mood in moods}) == 1
    return moods[0].emotion, moods[0].reason


def test_no_face_no_mood():
    mood = vote([])
    assert (mood.emotion, mood.reason, mood.counts) == (None, NO_FACE, {})


@pytest.mark.parametrize("faces", [[weak()], [weak("happy"), weak("happy", size=400)]])
def test_nothing_but_what_may_be_no_face_has_no_mood(faces):
    mood = vote(faces)
    assert (mood.emotion, mood.reason, mood.counts) == (None, NOTHING_SURE, {})


def test_the_border_of_what_is_surely_a_face():
    for confidence, expected in ((0.0, False), (JUST_BELOW, False), (SURELY_A_FACE, True), (1.0, True)):
        one = face("happy", confidence=confidence)
        assert surely_a_face(one.face) is expected
        assert vote([one]).emotion == ("happy" if expected else None)


def test_what_may_be_no_face_neither_votes_nor_counts_beside_real_faces():
    assert said(face("happy", 0.5), weak()) == ("happy", "The face looks happy; 1 more may not be a face")
    both = (face("happy"), face("happy"), weak(), weak(size=900))
    assert said(*both) == ("happy", "Both faces look happy; 2 more may not be faces")
    assert vote(both).counts == {"happy": 2}
    assert said(unclear("fear"), weak()) == (
        "fear",
        "The face is hard to read; the best guess is afraid; 1 more may not be a face",
    )


def test_a_face_that_somebody_has_told_of_votes_whatever_it_is_beside():
    told = replace(face("sad", size=20), told=True)
    assert said(told, unclear("happy", size=900)) == ("sad", "1 of 2 faces looks sad; 1 was unclear")
    assert said(replace(weak("sad"), unsure=False, told=True)) == ("sad", "The face looks sad")


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


def test_unclear_faces_do_not_vote_while_others_do():
    faces = (unclear("sad"), unclear("sad"), face("happy"))
    assert said(*faces) == ("happy", "1 of 3 faces looks happy; 2 were unclear")
    assert vote(faces).counts == {Emotion.HAPPY: 1}


def test_one_unclear_face_is_counted_in_the_reason():
    faces = [face("happy"), face("happy"), face("happy"), face("sad"), unclear("fear")]
    assert vote(faces).reason == "3 of 5 faces look happy; 1 was unclear"


def test_where_all_are_unclear_all_vote_and_it_is_said():
    assert said(unclear("sad")) == ("sad", "The face is hard to read; the best guess is sad")
    assert said(unclear("fear"), unclear("fear")) == (
        "fear",
        "Both faces are hard to read; the best guess is afraid",
    )
    three = (unclear("sad"), unclear("sad"), unclear("happy"))
    assert said(*three) == ("sad", "All 3 faces are hard to read; the best guess is sad")
    assert vote(three).counts == {"sad": 2, "happy": 1}


def test_an_ear_does_not_outvote_the_unclear_face_it_belongs_to():
    ear, man = face("sad", 0.9, size=69), unclear("happy", size=405)
    assert said(ear, man) == ("happy", "The largest face is hard to read; the best guess is happy")
    assert vote([ear, man]).counts == {"happy": 1}
    assert said(ear, ear, ear, man)[0] == "happy"
    two = (ear, man, unclear("fear", size=300), unclear("fear", size=300))
    assert said(*two) == ("fear", "The 3 largest faces are hard to read; the best guess is afraid")


def test_the_border_of_a_face_that_is_large_enough_to_vote_beside_an_unclear_one():
    large = unclear("neutral", size=300)
    assert said(face("sad", size=300 * BESIDE), large) == ("sad", "1 of 2 faces looks sad; 1 was unclear")
    assert said(face("sad", size=300 * BESIDE - 1), large)[0] == "neutral"


def test_small_faces_are_told_where_others_vote():
    faces = (face("happy", size=200), unclear("neutral", size=300), face("sad", size=50))
    assert said(*faces) == ("happy", "1 of 3 faces looks happy; 1 was unclear and 1 was too small to vote")
    faces = (*faces, face("sad", size=60), weak())
    end = "1 was unclear, 2 were too small to vote and 1 more may not be a face"
    assert said(*faces) == ("happy", f"1 of 4 faces looks happy; {end}")
    assert vote(faces).counts == {"happy": 1}


def test_small_clear_faces_vote_beside_a_large_clear_one():
    crowd = [face("happy", size=40) for _ in range(3)]
    assert said(face("sad", size=400), *crowd) == ("happy", "3 of 4 faces look happy")


def test_a_small_unclear_face_holds_nobody_back():
    assert said(face("happy", size=200), unclear("sad", size=30)) == (
        "happy",
        "1 of 2 faces looks happy; 1 was unclear",
    )


def test_among_unclear_faces_only_the_large_ones_guess():
    small = [unclear("sad", size=30)] * 3
    assert said(unclear("happy", size=200), *small) == (
        "happy",
        "The largest face is hard to read; the best guess is happy",
    )


def test_a_tie_goes_to_the_larger_and_clearer_faces_and_says_so():
    faces = (face("sad", 0.6), face("happy", 0.9), face("sad", 0.6), face("happy", 0.5))
    assert said(*faces) == ("happy", "A tie: happy and sad, 2 faces each; the happy faces are larger or clearer")
    assert vote(faces).counts == {Emotion.HAPPY: 2, Emotion.SAD: 2}
    assert said(face("sad", 0.6, size=200), face("happy", 0.9)) == (
        "sad",
        "A tie: sad and happy, 1 face each; the sad one is larger or clearer",
    )


def test_a_tie_of_three_names_all():
    mood = vote([face("sad", 0.5), face("happy", 0.6), face("angry", 0.9)])
    assert mood.reason == "A tie: angry, happy and sad, 1 face each; the angry one is larger or clearer"


def test_a_tie_tells_of_unclear_faces_too():
    assert said(face("sad", 0.5), face("happy"), unclear("fear")) == (
        "happy",
        "A tie: happy and sad, 1 face each; the happy one is larger or clearer; 1 was unclear",
    )
