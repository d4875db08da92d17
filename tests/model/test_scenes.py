"""Test scenes: the truth is where the pixels changed, and the same seed gives the same scene."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.recall import ROWS, scenes
from benchmarks.scenes import (
    BACKGROUNDS,
    PORTRAIT_FACE,
    Plan,
    backgrounds,
    compose,
    fer2013,
    fer_cutout,
    paste,
    portrait,
)
from benchmarks.speed import picture
from builders import PORTRAIT_FACE as MARKED
from builders import overlap
from femr.errors import DataError

GREY = ("grey", np.full((480, 640, 3), 90, np.uint8))
PLAN = Plan(640, 480, 4, (50, 100))


def changed(image, background):
    """The box of all pixels that differ."""
    rows, columns = np.nonzero((image != background).any(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_an_empty_scene_is_its_background():
    scene = compose(Plan(640, 480, 0), GREY, [portrait()], seed=1)
    assert scene.truths == ()
    assert (scene.image == 90).all()


@pytest.mark.parametrize("size", [20, 107, 300])
@pytest.mark.parametrize("rotation", [0, 30, -30])
def test_a_face_lies_where_its_truth_says(size, rotation):
    """The visible middle of the cutout, which is solid there, is the face itself, so both have one centre."""
    image = np.full((800, 800, 3), 90, np.uint8)
    truth = paste(image, portrait(), size, rotation, (380, 420))
    x1, y1, x2, y2 = truth.box
    left, top, right, bottom = changed(image, 90)
    assert left < x1 < x2 < right
    assert top < y1 < y2 < bottom
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((380, 420))
    assert right - left < 2.3 * size
    turned = max(x2 - x1, y2 - y1)
    assert turned == pytest.approx(size) if rotation == 0 else 0.9 * size < turned < size


def test_a_face_at_its_own_size_has_its_own_pixels_and_marks():
    image = np.zeros((300, 300, 3), np.uint8)
    cutout = portrait()
    truth = paste(image, cutout, cutout.size, 0, (150, 150))
    shift = np.array([150, 150]) - [(cutout.box[0] + cutout.box[2]) / 2, (cutout.box[1] + cutout.box[3]) / 2]
    expected = np.array(cutout.landmarks.points()) + shift
    np.testing.assert_allclose(truth.landmarks.points(), expected, atol=1e-6)
    x, y = truth.landmarks.nose
    assert abs(image[round(y), round(x)].astype(int) - cutout.pixels[116, 96]).max() < 30


def test_a_turned_face_has_turned_marks():
    """Clockwise: the picture's right eye sinks."""
    truth = paste(np.zeros((400, 400, 3), np.uint8), portrait(), 100, 30, (200, 200))
    left, right = truth.landmarks.left_eye, truth.landmarks.right_eye
    assert np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])) == pytest.approx(33.3, abs=0.1)


def test_a_mirrored_face_keeps_left_on_the_left():
    twin = portrait().mirrored()
    assert twin.landmarks.left_eye[0] < twin.landmarks.nose[0] < twin.landmarks.right_eye[0]
    assert twin.box[0] == pytest.approx(portrait().pixels.shape[1] - portrait().box[2])


def test_the_same_seed_gives_the_same_scene():
    one, same, other = (compose(PLAN, GREY, [portrait()], seed) for seed in (1, 1, 2))
    assert (one.image == same.image).all()
    assert one.truths == same.truths
    assert one.truths != other.truths


def test_faces_keep_apart_and_to_the_plan():
    plan = Plan(1280, 960, 12, (60, 160), (10, 20))
    truths = compose(plan, GREY, [portrait()], seed=3).truths
    assert len(truths) == 12
    assert all(60 <= truth.size <= 160 and 10 <= abs(truth.rotation) <= 20 for truth in truths)
    assert max(overlap(a.box, b.box) for a in truths for b in truths if a is not b) == 0


@pytest.mark.parametrize("seed", range(4))
def test_a_face_that_the_edge_cuts_counts_with_what_is_inside(seed):
    scene = compose(Plan(640, 480, 2, (60, 100), (0, 0), outside=0.5), GREY, [portrait()], seed)
    (truth,) = scene.truths
    x1, y1, x2, y2 = truth.box
    assert 0 in (x1, y1) or x2 == 640 or y2 == 480
    whole = truth.size**2 * (MARKED[2] - MARKED[0]) / (MARKED[3] - MARKED[1])
    assert (x2 - x1) * (y2 - y1) == pytest.approx(whole / 2, rel=0.01)


def test_too_large_a_face_is_refused():
    with pytest.raises(ValueError, match="Expected faces up to"):
        compose(Plan(640, 480, 4, (50, 500)), GREY, [portrait()], seed=1)


@pytest.mark.parametrize(("condition", "low", "high"), [("dark", 0, 40), ("bright", 180, 255), ("plain", 90, 90)])
def test_light_changes_the_whole_scene(condition, low, high):
    scene = compose(Plan(640, 480, 0, None, condition=condition), GREY, [], seed=1)
    assert scene.image.min() >= low
    assert scene.image.max() <= high


def test_blur_takes_detail_away():
    plain, blurred = (
        compose(Plan(640, 480, 1, (300, 300), condition=c), GREY, [portrait()], 1) for c in ("plain", "blurred")
    )
    detail = [np.abs(np.diff(scene.image.astype(int), axis=1)).mean() for scene in (plain, blurred)]
    assert detail[1] < 0.6 * detail[0]


def test_the_portrait_is_marked_as_in_the_other_tests():
    assert PORTRAIT_FACE == MARKED


def test_backgrounds_come_from_the_installed_package():
    pictures = backgrounds()
    assert len(pictures) == len(BACKGROUNDS)
    assert "astronaut" not in pictures
    assert all(image.ndim == 3 and image.dtype == np.uint8 for image in pictures.values())


def test_a_tight_crop_gets_surroundings():
    face = np.random.default_rng(1).integers(0, 256, (48, 48), np.uint8)
    cutout = fer_cutout(face)
    assert cutout.pixels.shape == (80, 80, 3)
    np.testing.assert_array_equal(cutout.pixels[20:60, 20:60, 0], face[4:44, 4:44])
    assert cutout.opacity[40, 40] == 1
    assert cutout.opacity[0].max() < 0.01
    assert cutout.landmarks is None


def test_fer2013_faces_are_public_test_s_alone(tmp_path):
    rows = ["emotion,pixels,Usage"]
    rows += [
        f"0,{' '.join([str(value)] * 48 * 48)},{usage}" for value, usage in [(10, "Training"), (20, "PrivateTest")]
    ]
    path = tmp_path / "fer2013.csv"
    path.write_text("\n".join(rows))
    with pytest.raises(DataError, match="no PublicTest"):
        fer2013(path)
    path.write_text("\n".join([*rows, f"3,{' '.join(['30'] * 48 * 48)},PublicTest"]))
    (face,) = fer2013(path)
    assert (face.pixels == 30).all()


def test_every_row_of_the_recall_table_can_be_made():
    first = {}
    rows = [replace(row, scenes=min(row.scenes, 12)) for row in ROWS if row.plan.faces < 3]
    for row, scene in scenes(rows, [portrait()]):
        first.setdefault(row.name, scene)
        assert len(scene.truths) == row.plan.truths
        for truth in scene.truths:
            assert 0 <= truth.box[0] < truth.box[2] <= 1280
            assert 0 <= truth.box[1] < truth.box[3] <= 960
    assert len(first) == 7


def test_a_timed_picture_has_its_size_and_faces():
    scene = picture(0.3, 30)
    assert scene.image.shape == (480, 640, 3)
    assert len(scene.truths) == 30
