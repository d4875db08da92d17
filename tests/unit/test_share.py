from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from builders import PORTRAIT_FACE, found, looking
from femr.errors import DataError
from femr.output.annotate import blurred, save
from femr.output.share import CARD, card
from femr.results import EMOTIONS, Analysis, Emotion, Mood, Song

ADDRESS = "huggingface.co/spaces/someone/femr"
LONGEST = (
    "A tie: surprised, neutral and afraid, 12 faces each; the surprised faces are larger or clearer; 3 were unclear"
)


def analysis(tmp_path, emotion="happy", reason="The face looks happy", **song):
    known = {"title": "Sunday Kites", "path": tmp_path / "a.mp3", "emotion": Emotion.HAPPY} | song
    face = looking("happy", 0.9, 1, found(PORTRAIT_FACE))
    return Analysis(512, 512, (face,), Mood(Emotion(emotion), reason), Song(**known), "m")


def different(one, other):
    return (one != other).any(axis=2)


def test_without_a_mood_there_is_no_card(portrait, tmp_path):
    with pytest.raises(DataError, match="There is no mood in this picture to make a card of"):
        card(portrait, replace(analysis(tmp_path), mood=Mood(None, "No face found.")))


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_a_card_is_of_the_moods_colour_and_holds_the_picture(portrait, tmp_path, emotion):
    made = card(portrait, analysis(tmp_path, emotion), ADDRESS)
    assert made.shape == (CARD[1], CARD[0], 3)
    assert f"#{bytes(made[5, 5]).hex()}".upper() == emotion.color
    # the wall behind her, in the middle of the frame's upper edge
    assert np.abs(made[60, 540].astype(int) - portrait[8, 256]).max() < 30


def test_each_thing_on_a_card_is_seen(portrait, tmp_path):
    told = analysis(tmp_path)
    made = card(portrait, told, ADDRESS)
    others = [
        card(portrait, told),
        card(portrait, replace(told, song=None), ADDRESS),
        card(portrait, analysis(tmp_path, title="Tin Can Parade"), ADDRESS),
        card(portrait, analysis(tmp_path, artist="femr"), ADDRESS),
        card(portrait, analysis(tmp_path, reason="Both faces look happy"), ADDRESS),
        card(portrait, told, ADDRESS, boxes=False),
        card(blurred(portrait, told), told, ADDRESS),
    ]
    assert all(different(made, other).any() for other in others)
    assert len({other.tobytes() for other in others}) == len(others)


@pytest.mark.parametrize("shape", [(1, 1), (40, 3000), (3000, 40), (48, 48), (720, 1280)])
def test_pictures_of_any_shape_have_a_card(tmp_path, shape):
    width, height = shape
    picture = np.full((height, width, 3), 200, np.uint8)
    one = replace(analysis(tmp_path), width=width, height=height)
    assert card(picture, one, ADDRESS).shape == (CARD[1], CARD[0], 3)


@pytest.fixture(scope="module")
def empty(portrait, tmp_path_factory):
    """A card without words."""
    return card(portrait, analysis(tmp_path_factory.mktemp("card"), reason="", title=""), ADDRESS)


@pytest.mark.parametrize(
    "words",
    [
        {"reason": LONGEST},
        {"title": "x" * 3000},
        {"title": "<b>no</b> " * 90},
        {"title": "Él, большой 日\n"},
        {"title": ""},
    ],
    ids=["sentence", "one word", "markup", "alphabets", "nothing"],
)
def test_long_and_strange_words_stay_on_their_plates(portrait, tmp_path, empty, words):
    changes = different(card(portrait, analysis(tmp_path, **words), ADDRESS), empty)
    assert not changes[:, -40:].any()
    assert not changes[CARD[1] - 80 :].any()
    assert not changes[:860].any()


def test_a_card_carries_nothing_but_its_pixels(portrait, tmp_path):
    save(card(portrait, analysis(tmp_path), ADDRESS), tmp_path / "card.jpg")
    assert (tmp_path / "card.jpg").stat().st_size < 500_000
    with Image.open(tmp_path / "card.jpg") as picture:
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
