import dataclasses
import io
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from builders import FRAME, PORTRAIT, looking
from femr.errors import DataError
from femr.mood import vote
from femr.results import EMOTIONS, Analysis, Emotion, EmotionScores, Face, FaceEmotion, Landmarks, Lent, Reading, Song

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
    with pytest.raises(KeyError, match="joy"):
        scores["joy"]


def test_scores_are_a_mapping():
    scores = EmotionScores((0.1, 0.0, 0.0, 0.6, 0.1, 0.1, 0.1))
    assert (tuple(scores), len(scores)) == (EMOTIONS, 7)
    assert dict(scores) == scores.as_dict()
    assert "happy" in scores
    assert "joy" not in scores
    assert scores.get("joy") is None


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


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (Face((182.04, 60.2, 268.9, 173.4), 0.996, MARKS), "a face of 87×113 at (182, 60), confidence 100%"),
        (EmotionScores((0.05, 0.0, 0.004, 0.9, 0.0, 0.0, 0.046)), "happy 90% · angry 5% · neutral 5%"),
        (looking("fear", number=3), "face 3 looks afraid (94%)"),
        (looking("sad", unsure=True), "face 1 looks sad (94%), but is unclear"),
        (looking("sad", unsure=True, unsure_reason="dark"), "face 1 looks sad (94%), but is unclear (dark)"),
        (looking("sad", told=True), "face 1 looks sad, as somebody said"),
        (vote([]), "no mood · No face found"),
        (Song("Rain", Path("rain.mp3"), Emotion.SAD), "Rain (sad)"),
        (Song("Rain", Path("rain.mp3"), Emotion.SAD, artist="Él"), "Rain (sad) by Él"),
        (replace(FRAME, mood=vote([looking("happy")])), "happy · The face looks happy (640×480, 1.25 s)"),
        (Analysis.failed("x.jpg", "m", "The file is empty."), "not read · The file is empty."),
    ],
)
def test_each_result_is_a_short_line(value, line):
    assert repr(value) == line


def test_a_group_is_a_line_too():
    faces = [looking("happy", number=number, unsure=number == 5) for number in range(1, 6)]
    group = Analysis(1000, 667, tuple(faces), vote(faces), None, "ensemble", file="x.jpg")
    assert repr(group) == "happy · 4 of 5 faces look happy; 1 was unclear (1000×667)"


def test_a_face_is_found_by_the_number_that_is_drawn():
    group = replace(FRAME, faces=(looking("sad", number=7), looking("happy", number=3)))
    assert group.face(3).scores.top is Emotion.HAPPY
    with pytest.raises(DataError, match=r"number: 7, 3\. Received: 1"):
        group.face(1)
    with pytest.raises(DataError, match=r"there are no faces\. Received: 1"):
        FRAME.face(1)


def test_a_picture_is_lent_and_not_kept(portrait):
    picture = portrait.copy()
    lent = Lent(picture)
    assert lent() is picture
    assert pickle.loads(pickle.dumps(lent))() is None
    del picture
    assert lent() is None
    assert Lent(b"bytes")() is Lent()() is None
    photo = Image.fromarray(portrait)
    assert Lent(photo)() is photo


def test_an_open_file_is_not_lent_for_it_is_at_its_end():
    with PORTRAIT.open("rb") as file, io.BytesIO(b"a file") as buffer:
        assert Lent(file)() is Lent(buffer)() is None
