"""Why a face is hard to read: the borders of each reason, on pictures made for them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from femr.faces.crop import crop_face
from femr.faces.quality import BLURRED, DARK, SMALL, SURELY_A_FACE, TURNED, unclear, why_hard, why_unreadable
from femr.results import Face, Landmarks

BOX = (60.0, 40.0, 160.0, 150.0)
LEFT_EYE, RIGHT_EYE, NOSE = (90.0, 80.0), (140.0, 80.0), (115.0, 100.0)
HEIGHT, WIDTH = 200, 240


def face(box=BOX, left=LEFT_EYE, right=RIGHT_EYE, nose=NOSE, confidence=0.95):
    return Face(box, confidence, Landmarks(left, right, nose, (100.0, 125.0), (130.0, 125.0)))


def stripes(low, high):
    """Rows of two greys in turn: fine detail, and a mean between them."""
    picture = np.full((HEIGHT, WIDTH, 3), low, np.uint8)
    picture[::2] = high
    return picture


SHARP = np.repeat(np.random.default_rng(0).integers(60, 200, (HEIGHT, WIDTH, 1), np.uint8), 3, axis=2)


def test_a_sharp_bright_face_that_looks_here_has_no_reason():
    assert why_hard(SHARP, face()) is None


@pytest.mark.parametrize("turn", [False, True])
def test_the_longer_side_decides_what_is_too_small(turn):
    for long, reason in ((SMALL, None), (SMALL - 0.1, "too small")):
        width, height = (long, 12.0) if turn else (12.0, long)
        assert why_hard(SHARP, face((60.0, 40.0, 60 + width, 40 + height))) == reason


@pytest.mark.parametrize("edge", range(4))
def test_a_box_within_a_pixel_of_any_edge_is_cut_off(edge):
    for gap, reason in ((1.0, None), (0.9, "cut off"), (0.0, "cut off")):
        box = list(BOX)
        box[edge] = (gap, gap, WIDTH - gap, HEIGHT - gap)[edge]
        assert why_hard(SHARP, face(tuple(box))) == reason


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(
    ("across", "along"), [((50.0, 0.0), (1, 0)), ((0.0, 50.0), (0, 1)), ((30.0, 40.0), (0.6, 0.8))]
)
def test_the_nose_off_the_middle_of_the_eyes_is_a_head_turned_away(side, across, along):
    left = np.array(LEFT_EYE)
    for off, reason in ((TURNED - 0.001, None), (TURNED + 0.001, "turned away")):
        # along the line through the eyes; what is across it, 30 pixels here, does not count
        nose = left + np.array(across) / 2 + side * off * 50 * np.array(along) + 30 * np.array((-along[1], along[0]))
        assert why_hard(SHARP, face(right=tuple(left + across), nose=tuple(nose))) == reason


def test_eyes_in_one_place_are_a_head_turned_away():
    assert why_hard(SHARP, face(right=LEFT_EYE)) == "turned away"


def test_the_mean_grey_of_the_box_decides_what_is_dark():
    for low, reason in ((0, None), (0, "dark")):
        high = 2 * int(DARK) - (reason is not None)
        assert why_hard(stripes(low, high), face()) == reason
    within = (slice(40, 150), slice(60, 160))
    bright, dark = SHARP.copy(), SHARP // 8
    dark[within] = SHARP[within]
    bright[within] //= 8
    assert why_hard(dark, face()) is None
    assert why_hard(bright, face()) == "dark"


def test_the_box_is_taken_with_the_pixels_that_it_touches():
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[40:150, 60:160] = stripes(0, 2 * int(DARK))[40:150, 60:160]
    assert why_hard(picture, face((60.9, 40.9, 159.1, 149.1))) is None
    assert why_hard(picture, face((59.9, 40.9, 159.1, 149.1))) == "dark"
    assert why_hard(picture, face((60.9, 39.9, 159.1, 149.1))) == "dark"
    assert why_hard(picture, face((60.9, 40.9, 160.1, 149.1))) == "dark"
    assert why_hard(picture, face((60.9, 40.9, 159.1, 150.1))) == "dark"


def share_of_detail(grey):
    small = cv2.resize(grey, (48, 48), interpolation=cv2.INTER_AREA).astype(np.float64)
    padded = np.pad(small, 1, mode="reflect")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return (around - 4 * small).var() / small.var()


def test_little_detail_for_its_contrast_is_blurred_whatever_the_size_and_light():
    for sigma in (1, 2, 4, 6, 8, 12):
        picture = cv2.GaussianBlur(SHARP, (0, 0), sigma)
        picture = cv2.normalize(picture, None, 60, 250, cv2.NORM_MINMAX)
        share = share_of_detail(picture[40:150, 60:160, 0])
        assert why_hard(picture, face()) == ("blurred" if share < BLURRED else None), (sigma, share)


def test_a_face_without_any_contrast_is_blurred():
    assert why_hard(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), face()) == "blurred"


def test_the_first_reason_that_applies_is_given():
    dark = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    turned, cut = (100.0, 100.0), (0.0, *BOX[1:])
    assert why_hard(dark, face((0.0, 0.0, 9.0, 9.0), nose=turned)) == "too small"
    assert why_hard(dark, face(cut, nose=turned)) == "cut off"
    assert why_hard(dark, face(nose=turned)) == "turned away"
    assert why_hard(dark, face()) == "dark"


def seen(image, one, sure):
    return unclear(image, one, crop_face(image, one), sure)


def test_only_who_is_unsure_is_asked_why_and_what_may_be_no_face_always_says_so():
    dark, odd = SHARP // 8, face(confidence=SURELY_A_FACE - 0.01)
    assert seen(dark, face(), True) == (False, None)
    assert seen(dark, face(), False) == (True, "dark")
    assert seen(SHARP, face(), False) == (True, None)
    for sure in (True, False):
        assert seen(dark, odd, sure) == (True, "may be no face")
    assert why_unreadable(replace(odd, confidence=SURELY_A_FACE), crop_face(SHARP, odd)) != "may be no face"


def test_a_covered_face_is_unreadable_however_sure_the_scores(monkeypatch):
    for covered, reason in ((True, "covered"), (False, None)):
        monkeypatch.setattr("femr.faces.quality.is_covered", lambda *_, covered=covered: covered)
        assert why_unreadable(face(), crop_face(SHARP, face())) == reason
        assert seen(SHARP, face(), True) == (covered, reason)
