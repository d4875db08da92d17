from dataclasses import replace

import numpy as np
import pytest

from builders import PORTRAIT_FACE, contrast, crowd, found, looking, overlap
from femr.images import load_image
from femr.output.annotate import SMALLEST_SIDE, blurred, draw, emoji, ink, place_labels, save
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


GROUPS = [(3, 1, 400), (6, 3, 200), (8, 5, 160), (14, 7, 100)]
"""Columns, rows, pixels of a head."""


@pytest.mark.parametrize(("columns", "rows", "head"), GROUPS)
def test_no_label_lies_on_a_face_or_on_another_label(columns, rows, head):
    picture, boxes = crowd(columns, rows, head=head)
    marked = changed(picture, draw(picture, analysis(*boxes, size=(1280, 900))))
    for x1, y1, x2, y2 in np.round(boxes).astype(int):
        line = 10  # the box's own, round at its corners
        assert not marked[y1 + line : y2 - line, x1 + line : x2 - line].any()


@pytest.mark.parametrize(("columns", "rows", "head"), GROUPS)
def test_labels_have_places_of_their_own(columns, rows, head):
    _, boxes = crowd(columns, rows, head=head)
    boxes = [tuple(map(round, box)) for box in boxes]
    places = place_labels((1280, 900), boxes, [[(46, 46), (110, 68), (240, 68)]] * len(boxes))
    plates = [place for _, place in filter(None, places)]
    assert len(plates) > len(boxes) / 2
    assert all(0 <= plate[0] < plate[2] <= 1280 and 0 <= plate[1] < plate[3] <= 900 for plate in plates)
    for number, plate in enumerate(plates):
        assert not any(overlap(plate, other) for other in [*boxes, *plates[:number]])


def test_a_label_is_as_long_as_its_place_allows():
    forms = [[(20, 20), (60, 30), (200, 30)]]
    assert place_labels((400, 300), [], []) == []
    assert place_labels((400, 300), [(100, 100, 200, 200)], forms) == [(2, (100, 70, 300, 100))]
    assert place_labels((400, 300), [(100, 100, 150, 150)], forms) == [(1, (100, 70, 160, 100))]
    assert place_labels((400, 300), [(100, 0, 200, 300)], forms) == [(2, (200, 0, 400, 30))]
    assert place_labels((400, 300), [(30, 10, 390, 290)], forms) == [(0, (10, 10, 30, 30))]
    assert place_labels((400, 300), [(0, 0, 400, 300)], forms) == [None]


def test_labels_are_18_pixels_high_on_a_phone_their_letters_12():
    picture = np.zeros((900, 1280, 3), np.uint8)
    rows = changed(picture, draw(picture, analysis((500, 400, 700, 600), size=(1280, 900))))[:398].any(axis=1)
    assert rows.sum() * 360 / 1280 >= 18


def test_what_somebody_told_has_no_score():
    picture = np.zeros((600, 800, 3), np.uint8)
    face = looking("happy", 1.0, 1, found((200, 200, 400, 400)))
    wide, narrow = (
        changed(picture, draw(picture, Analysis(800, 600, (one,), Mood(None, ""), None, "m")))[:190].any(axis=0).sum()
        for one in (face, replace(face, told=True))
    )
    assert narrow < wide


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_words_are_legible_on_each_expressions_colour(emotion):
    assert contrast(emotion.color, ink(emotion.color)) >= 4.5


def test_each_expression_has_an_emoji_of_its_own():
    faces = [np.asarray(emoji(emotion, 48)) for emotion in EMOTIONS]
    assert all(face.shape == (48, 48, 4) and not face[0, 0].any() for face in faces)
    assert len({face.tobytes() for face in faces}) == len(EMOTIONS)


def test_of_a_blurred_face_a_few_averages_are_left(portrait):
    hidden = blurred(portrait, analysis(PORTRAIT_FACE, size=(512, 512)))
    x1, y1, x2, y2 = PORTRAIT_FACE
    face, before = (one[y1:y2, x1:x2].astype(float) for one in (hidden, portrait))
    assert changed(portrait, hidden)[y1:y2, x1:x2].mean() > 0.99
    assert np.abs(np.diff(face, axis=0)).max() < 8 < 60 < np.abs(np.diff(before, axis=0)).max()
    assert not changed(portrait, hidden)[:, :150].any()
    assert (portrait == blurred(portrait, analysis())).all()


@pytest.mark.parametrize("box", [(-50, -50, 90, 90), (0, 0, 3, 3), (0, 0, 800, 600), (900, 700, 950, 750)])
def test_any_box_can_be_blurred(box):
    picture = np.random.default_rng(0).integers(0, 256, (600, 800, 3), np.uint8)
    assert blurred(picture, analysis(box)).shape == picture.shape
