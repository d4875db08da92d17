import numpy as np
import pytest

from femr.faces.mtcnn_views import closer_looks, is_plausible, share_held

BOX = np.array([0, 0, 80, 100], np.float32)
POINTS = np.array([[22, 40], [58, 40], [40, 60], [26, 78], [54, 78]], np.float32)
"""Eyes, nose and corners of the mouth as a face in that box has them."""


def changed(**places):
    points = POINTS.copy()
    for name, place in places.items():
        points[["left_eye", "right_eye", "nose", "left", "right"].index(name)] = place
    return points


def test_a_face_is_plausible_however_it_is_turned():
    assert is_plausible(BOX, POINTS)
    for degrees in (-30, 30, 90, 180):
        angle = np.radians(degrees)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
        assert is_plausible(BOX, (POINTS - 50) @ turn.T + 50)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((5, 2), np.float32),
        changed(left_eye=(38, 40), right_eye=(42, 40)),
        changed(nose=(40, 30)),
        changed(nose=(40, 90)),
        changed(nose=(70, 60)),
        changed(left=(26, 30), right=(54, 30)),
        changed(left=(26, 55), right=(54, 55)),
        changed(left=(54, 78), right=(26, 78)),
    ],
    ids=[
        "one place",
        "eyes together",
        "nose above",
        "nose below",
        "nose aside",
        "mouth above",
        "mouth high",
        "crossed",
    ],
)
def test_landmarks_that_no_face_has(points):
    assert not is_plausible(BOX, points)


def test_what_lies_in_another_box():
    assert share_held(BOX, []) == 0
    assert share_held(BOX, [np.array([80, 0, 160, 100], np.float32)]) == 0
    assert share_held(BOX, [np.array([40, 0, 300, 300], np.float32), BOX + 70]) == pytest.approx(0.5)


@pytest.mark.parametrize("corner", [(0, 0), (200, 150), (-60, 400), (380, -70)])
@pytest.mark.parametrize("side", [30, 100, 300])
def test_closer_looks_are_squares_around_the_middle(corner, side):
    """A white disc in the box's middle stays in the middle of each look; outside the picture is grey."""
    y, x = np.mgrid[:480, :640]
    middle = np.array(corner) + side / 2
    disc = np.hypot(x + 0.5 - middle[0], y + 0.5 - middle[1]) < side / 4
    picture = np.repeat(np.where(disc, 255, 0)[:, :, np.newaxis], 3, axis=2).astype(np.uint8)
    box = np.array([*corner, *(np.array(corner) + side)], np.float32)
    looks = closer_looks(picture, box, POINTS * side / 100 + np.float32(corner), 48)
    assert looks.shape == (4, 48, 48, 3)
    inside = 0 <= middle[0] < 640 and 0 <= middle[1] < 480
    if inside:
        assert all(look[23:25, 23:25].min() > 200 for look in looks)
    if min(corner) >= 0:
        rows, columns = np.nonzero(looks[0][:, :, 0] > 127)
        assert (rows.mean(), columns.mean()) == pytest.approx((23.5, 23.5), abs=1)
