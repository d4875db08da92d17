import dataclasses

import pytest

from femr.results import EMOTIONS, Emotion, EmotionScores, Face, FaceEmotion, Landmarks, Reading, Song

MARKS = Landmarks((1.0, 1.0), (3.0, 1.0), (2.0, 2.0), (1.0, 3.0), (3.0, 3.0))


def test_the_order_is_fer2013s():
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def test_every_expression_has_its_own_colour_word_and_face():
    for facet in ("color", "adjective", "emoji"):
        assert len({getattr(emotion, facet) for emotion in EMOTIONS}) == 7


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (4, 0, 2, 5), (0, 5, 5, 5), (0, 0, float("nan"), 5)])
def test_an_empty_box_is_refused(box):
    with pytest.raises(ValueError, match="Expected a box"):
        Face(box, 0.9, MARKS)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan")])
def test_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match="confidence"):
        Face((0, 0, 1, 1), confidence, MARKS)


def test_scaling_moves_box_and_landmarks():
    face = Face((1, 2, 5, 10), 0.9, MARKS).scaled(2)
    assert face.box == (2, 4, 10, 20)
    assert face.landmarks.right_eye == (6, 2)
    assert face.size == 16


@pytest.mark.parametrize("values", [(), (1.0,), (1.0,) * 7, (0.5, 0.6, -0.1, 0, 0, 0, 0), (float("nan"),) * 7])
def test_scores_are_seven_probabilities(values):
    with pytest.raises(ValueError, match="Expected"):
        EmotionScores(values)


def test_scores_know_their_top_and_answer_by_name():
    scores = EmotionScores((0.1, 0.0, 0.0, 0.6, 0.1, 0.1, 0.1))
    assert scores.top is Emotion.HAPPY
    assert scores.top_score == scores["happy"] == scores[Emotion.HAPPY] == 0.6
    assert list(scores.as_dict()) == [str(emotion) for emotion in EMOTIONS]
    with pytest.raises(ValueError, match="joy"):
        scores["joy"]


def test_results_are_frozen(tmp_path):
    song = Song("A", tmp_path, Emotion.SAD)
    with pytest.raises(dataclasses.FrozenInstanceError):
        song.title = "B"


def test_a_face_with_one_answer_has_it_as_all_three():
    one, other = EmotionScores((1.0, 0, 0, 0, 0, 0, 0)), EmotionScores((0, 1.0, 0, 0, 0, 0, 0))
    face = FaceEmotion(1, Face((0, 0, 1, 1), 0.9, MARKS), Reading.of(one))
    assert face.scores is face.vote_shares is face.label_scores
    both = FaceEmotion(1, face.face, Reading(one, other, one))
    assert (both.scores, both.vote_shares, both.label_scores) == (one, other, one)
