import cv2
import numpy as np
import pytest

from femr.faces import crop as cropping
from femr.faces.crop import FACE_SIDE, NATURAL_ROLL, VIEWS, crop_face, face_views, to_batch
from femr.results import Face, Landmarks

EYE_ROW, LEFT_EYE, RIGHT_EYE, MOUTH_ROW = 17.5, 15.2, 32.8, 38.5
"""Where FER2013's mean face has its eyes and mouth, in pixels of 48 (measured on its 28,709 Training images)."""


def fer_face(side, corner=(0.0, 0.0), roll=0.0):
    """A face that fills a square of the picture just as FER2013's mean face fills its own; turned by `roll` degrees."""
    marks = np.array([[LEFT_EYE, EYE_ROW], [RIGHT_EYE, EYE_ROW], [24, 28], [18, MOUTH_ROW], [30, MOUTH_ROW]])
    marks = marks * side / FACE_SIDE + corner
    centre = np.array(corner) + side / 2
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    marks = (marks - centre) @ np.array([[c, s], [-s, c]]) + centre
    box = (corner[0], corner[1], corner[0] + side, corner[1] + side)
    return Face(box, 1.0, Landmarks(*(tuple(mark) for mark in marks)))


def smooth_picture(height, width):
    """Grey waves, the same on all channels, without fine detail."""
    y, x = np.mgrid[:height, :width]
    waves = 128 + 60 * np.sin(x / width * 9) + 60 * np.cos(y / height * 7)
    return np.repeat(waves.astype(np.uint8)[:, :, np.newaxis], 3, axis=2)


def test_a_face_framed_like_fer2013_is_cropped_to_itself():
    picture = smooth_picture(FACE_SIDE, FACE_SIDE)
    crop = crop_face(picture, fer_face(FACE_SIDE))
    assert crop.shape == (FACE_SIDE, FACE_SIDE)
    assert crop.dtype == np.uint8
    assert np.abs(crop.astype(int) - picture[:, :, 0]).mean() < 4


@pytest.mark.parametrize("side", [20, 48, 96, 240, 700])
def test_the_crop_is_the_square_in_any_size(side):
    picture = smooth_picture(900, 1200)
    crop = crop_face(picture, fer_face(side, (150.0, 90.0)))
    square = picture[90 : 90 + side, 150 : 150 + side, 0]
    assert np.abs(crop.astype(int) - cv2.resize(square, (48, 48), interpolation=cv2.INTER_AREA)).mean() < 3


def test_large_faces_are_averaged_not_sampled():
    picture = np.zeros((480, 480, 3), np.uint8)
    picture[::2] = 255  # sampling would give stripes or a flat black or white
    crop = crop_face(picture, fer_face(480))
    assert np.abs(crop[2:-2, 2:-2].astype(int) - 128).max() < 40


def test_outside_the_picture_the_border_is_repeated():
    picture = np.full((60, 60, 3), 200, np.uint8)
    crop = crop_face(picture, fer_face(80, (-30.0, -30.0)))
    assert (crop == 200).all()


@pytest.mark.parametrize("corner", [(200.0, 140.0), (-30.0, 20.0), (350.0, 250.0), (-150.0, 60.0), (480.0, 400.0)])
@pytest.mark.parametrize("roll", [0.0, 40.0])
def test_at_the_border_the_crop_is_that_of_a_picture_with_its_border_repeated(corner, roll):
    picture = smooth_picture(300, 400)
    wider = cv2.copyMakeBorder(picture, 300, 300, 300, 300, cv2.BORDER_REPLICATE)
    crop = crop_face(picture, fer_face(120, corner, roll))
    expected = crop_face(wider, fer_face(120, (corner[0] + 300, corner[1] + 300), roll))
    assert np.abs(crop.astype(int) - expected).max() <= 1


def test_a_tilted_head_is_turned_back_but_for_the_natural_tilt():
    upright = fer_face(200, (300.0, 300.0))
    picture = np.full((800, 800, 3), 200, np.uint8)
    for x, y in upright.landmarks.points()[:2]:
        cv2.circle(picture, (round(x), round(y)), 14, (0, 0, 0), -1)
    for roll in (-40.0, -5.0, 0.0, 8.0, 30.0):
        turned = fer_face(200, (300.0, 300.0), roll)
        matrix = cv2.getRotationMatrix2D((400, 400), -roll, 1)
        crop = crop_face(cv2.warpAffine(picture, matrix, (800, 800), borderMode=cv2.BORDER_REPLICATE), turned)
        left, right = (np.argwhere(half < 30).mean(axis=0) for half in (crop[:, :24], crop[:, 24:]))
        tilt = np.degrees(np.arctan2(right[0] - left[0], 24 + right[1] - left[1]))
        assert tilt == pytest.approx(np.sign(roll) * min(abs(roll), NATURAL_ROLL), abs=2.5)


def test_scale_widens_the_square_around_the_same_centre():
    picture = smooth_picture(600, 600)
    face = fer_face(200, (200.0, 200.0))
    wide = crop_face(picture, face, 1.5)
    square = picture[150:450, 150:450, 0]
    assert np.abs(wide.astype(int) - cv2.resize(square, (48, 48), interpolation=cv2.INTER_AREA)).mean() < 3


def framed(*marks):
    """Centre (x, y) and side of a face's square, read off its crops of a picture that grows by a grey a pixel."""
    face = Face((0.0, 0.0, 256.0, 256.0), 1.0, Landmarks(*marks))
    down, across = (np.repeat(ramp.astype(np.uint8)[:, :, np.newaxis], 3, axis=2) for ramp in np.mgrid[:256, :256])
    across, down = (crop_face(picture, face).astype(float) for picture in (across, down))
    return across.mean(), down.mean(), (across[:, -1] - across[:, 0]).mean() * FACE_SIDE / (FACE_SIDE - 1)


NOSE = (120.0, 120.0)


@pytest.mark.parametrize(
    ("eyes", "mouth", "frame"),
    [
        (((100, 100), (137, 100)), (118.5, 130), (118.5, 113.5, 100)),  # the eyes' distance is the larger
        (((110, 100), (130, 100)), (120, 144), (120, 113.5, 100)),  # the mouth's
        (((100, 100), (137, 100)), (138.5, 120), (128.5, 113.5, 100)),  # the mouth aside: half of the way counts
        (((100, 100), (137, 100)), (98.5, 120), (108.5, 113.5, 100)),
    ],
)
def test_the_square_is_framed_by_eyes_and_mouth(eyes, mouth, frame):
    corners = [(mouth[0] - 10, mouth[1]), (mouth[0] + 10, mouth[1])]
    assert framed(*eyes, NOSE, *corners) == pytest.approx(frame, abs=1)


def test_marks_in_one_place_are_a_square_of_one_pixel():
    *centre, side = framed(*[NOSE] * 5)
    assert centre == pytest.approx(NOSE, abs=1)
    assert side < 1.5


@pytest.mark.parametrize("roll", [-30.0, 0.0, 5.0, 30.0])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_in_a_turned_picture_is_read_as_in_the_upright_one(roll, quarters):
    picture = smooth_picture(300, 300)
    corner = (109.5, 89.5)
    upright = crop_face(picture, fer_face(100, corner, roll))
    # where the face's middle goes when the picture is turned anticlockwise
    x, y = (value + 50 - 149.5 for value in corner)
    for _ in range(quarters):
        x, y = y, -x
    turned = fer_face(100, (x + 99.5, y + 99.5), roll - 90 * quarters)
    crop = crop_face(np.ascontiguousarray(np.rot90(picture, quarters)), turned)
    assert np.abs(crop.astype(int) - upright).max() <= 2


@pytest.mark.parametrize("roll", [-44.0, 44.0])
def test_the_corners_of_a_turned_square_are_the_pictures_own(roll):
    picture = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (256, 1))[:, :, np.newaxis], 3, axis=2)
    crop = crop_face(picture, fer_face(100, (78.0, 78.0), roll)).astype(float)
    y, x = np.mgrid[:48, :48]
    plane = np.stack([x.ravel(), y.ravel(), np.ones(48 * 48)], axis=1)
    fit, *_ = np.linalg.lstsq(plane, crop.ravel(), rcond=None)
    assert np.abs(plane @ fit - crop.ravel()).max() < 2


def test_large_faces_are_averaged_in_a_wider_square_too():
    picture = np.zeros((960, 960, 3), np.uint8)
    picture[::2] = 255
    crop = crop_face(picture, fer_face(480, (240.0, 240.0)), 2.0)
    assert np.abs(crop[2:-2, 2:-2].astype(int) - 128).max() < 20


def test_an_empty_batch_has_the_right_shape():
    assert to_batch([], 96, -1, 1).shape == (0, 96, 96, 3)


@pytest.mark.parametrize(("side", "low", "high"), [(48, 0.0, 1.0), (96, -1.0, 1.0)])
def test_batches_are_scaled_and_repeated_on_three_channels(side, low, high):
    crops = np.stack([np.zeros((48, 48), np.uint8), np.full((48, 48), 255, np.uint8)])
    batch = to_batch(crops, side, low, high)
    assert batch.shape == (2, side, side, 3)
    assert batch.dtype == np.float32
    assert (batch[0] == low).all()
    assert np.allclose(batch[1], high)


def test_enlarging_is_bilinear():
    ramp = np.tile(np.arange(48, dtype=np.uint8) * 5, (48, 1))
    batch = to_batch([ramp], 96, 0.0, 255.0)
    expected = np.clip((np.arange(96) + 0.5) / 2 - 0.5, 0, 47) * 5
    assert np.allclose(batch[0, 10, :, 0], expected, atol=0.01)


@pytest.mark.parametrize("kinds", [VIEWS, ((0.8, True), (1.25, False), (1.0, False))])
def test_views_are_crops_of_their_sizes_mirrored_where_they_should_be(portrait, monkeypatch, kinds):
    monkeypatch.setattr(cropping, "VIEWS", kinds)
    face = fer_face(130, (160.0, 50.0))
    views = face_views(portrait, face)
    assert (views.shape, views.dtype) == ((len(kinds), 48, 48), np.uint8)
    for view, (scale, mirrored) in zip(views, kinds, strict=True):
        crop = crop_face(portrait, face, scale)
        assert np.array_equal(view, crop[:, ::-1] if mirrored else crop)
