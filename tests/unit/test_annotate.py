import numpy as np
import pytest

from builders import found, looking
from femr.images import load_image
from femr.output.annotate import SMALLEST_SIDE, draw, save
from femr.results import EMOTIONS, Analysis, Mood


def analysis(*boxes, size=(800, 600), top=3, unsure=False):
    faces = [looking(EMOTIONS[top], 0.7, n, found(box), unsure=unsure) for n, box in enumerate(boxes, start=1)]
    return Analysis(*size, tuple(faces), Mood(None, ""), None, "test")


def changed(before, after):
    return (before != after).any(axis=2)


def test_without_faces_the_picture_stays_as_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    assert (draw(picture, analysis()) == picture).all()


def test_the_original_is_not_drawn_on():
    picture = np.zeros((600, 800, 3), np.uint8)
    picture.flags.writeable = False
    assert changed(picture, draw(picture, analysis((100, 100, 300, 300)))).any()


def test_the_box_is_drawn_in_the_expressions_colour_and_the_face_stays_visible():
    picture = np.zeros((600, 800, 3), np.uint8)
    for top, emotion in enumerate(EMOTIONS):
        drawn = draw(picture, analysis((200, 200, 400, 420), top=top))
        assert f"#{bytes(drawn[420, 300]).hex()}".upper() == emotion.color
        assert not changed(picture, drawn)[215:405, 215:385].any()


def test_boxes_follow_the_pictures_size():
    drawn = draw(np.zeros((1200, 1600, 3), np.uint8), analysis((200, 200, 400, 420)))
    assert drawn[840, 600].any()
    assert not drawn[420, 300].any()


@pytest.mark.parametrize(
    "boxes",
    [
        [(0, 0, 800, 600)],
        [(-50, -50, 90, 90), (700, 500, 900, 700)],
        [(0, 0, 3, 3), (797, 597, 800, 600)],
        [(100 + 30 * i, 100, 140 + 30 * i, 160) for i in range(20)],
    ],
    ids=["whole picture", "over the edge", "tiny", "crowded"],
)
def test_any_boxes_can_be_drawn(boxes):
    picture = np.zeros((600, 800, 3), np.uint8)
    drawn = draw(picture, analysis(*boxes, unsure=True))
    assert drawn.shape == picture.shape
    assert changed(picture, drawn).any()


def test_a_tiny_picture_is_enlarged_so_that_labels_can_be_read():
    drawn = draw(np.zeros((48, 32, 3), np.uint8), analysis((4, 4, 28, 40), size=(32, 48)))
    assert max(drawn.shape) == SMALLEST_SIDE


def test_saved_pictures_can_be_opened(tmp_path):
    save(np.full((20, 30, 3), 200, np.uint8), tmp_path / "a.jpg")
    assert load_image(tmp_path / "a.jpg").shape == (20, 30, 3)
