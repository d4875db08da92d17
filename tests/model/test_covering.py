import cv2
import numpy as np
import pytest

from benchmarks.covering import changed, fit, paint
from builders import detect
from femr.analyzer import Analyzer
from femr.faces.covering import THRESHOLD, features, is_covered, score
from femr.faces.crop import crop_face
from femr.faces.quality import unclear, why_unreadable
from femr.results import UNREADABLE, UNSURE_REASONS, Face


@pytest.fixture(scope="module")
def face(detector, portrait):
    return max(detect(detector, portrait), key=lambda one: one.size)


@pytest.fixture(scope="module")
def masked(portrait, face):
    """The portrait with 20 different masks."""
    return [paint(portrait, face.landmarks, np.random.default_rng(seed)) for seed in range(20)]


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_crop_without_anything_in_it_has_numbers(value):
    described = features(np.full((48, 48), value, np.uint8))
    assert described.shape == (512,)
    assert described.dtype == np.float32
    assert np.isfinite(described).all()
    assert 0 <= score(described) <= 1


def test_the_portrait_is_not_covered_in_any_light_size_or_mirrored(portrait, face):
    assert not is_covered(crop_face(portrait, face))
    for factor in (0.3, 0.6):
        assert not is_covered(crop_face((portrait * factor).astype(np.uint8), face))
    mirrored = crop_face(portrait, face)[:, ::-1]
    assert score(features(np.ascontiguousarray(mirrored))) < THRESHOLD
    for zoom in (0.4, 2.0):
        resized = cv2.resize(portrait, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
        assert not is_covered(crop_face(resized, face.scaled(zoom)))


def test_painted_masks_are_seen(masked, face):
    assert sum(is_covered(crop_face(picture, face)) for picture in masked) >= 17


def test_painted_masks_change_the_lower_face_only(portrait, masked, face):
    eyes = int(face.landmarks.left_eye[1]) - 4
    mouth = tuple(int(value) for value in face.landmarks.mouth_left)
    for picture in masked:
        assert picture.shape == portrait.shape
        assert picture.dtype == np.uint8
        assert (picture[: eyes - 10] == portrait[: eyes - 10]).all()
        assert (picture[mouth[1], mouth[0]] != portrait[mouth[1], mouth[0]]).any()


def test_a_covered_face_is_unsure_whatever_its_scores(detector, classifier, library, masked):
    """From end to end, with a threshold that everything reaches."""

    class Sure:
        classify = classifier.classify
        facts = type("Facts", (), {"name": "x", "unsure_threshold": 0.0})

    analyses = [Analyzer(detector, Sure(), library)(picture) for picture in masked[:8]]
    faces = [face for analysis in analyses for face in analysis.faces]
    assert len(faces) >= 7
    covered = [one for one in faces if one.unsure]
    assert len(covered) >= 0.8 * len(faces)
    assert {one.unsure_reason for one in covered} <= set(UNREADABLE)
    assert "covered" in {one.unsure_reason for one in covered}


def test_what_may_be_no_face_is_told_first(masked, face):
    assert set(UNREADABLE) < set(UNSURE_REASONS)
    weak = Face(face.box, 0.83, face.landmarks)
    covered = next(crop for crop in (crop_face(picture, face) for picture in masked) if is_covered(crop))
    assert why_unreadable(weak, covered) == "may be no face"
    assert why_unreadable(face, covered) == "covered"


def test_a_plain_face_is_unclear_only_where_its_scores_are(portrait, face):
    for factor, reason in ((1.0, None), (0.25, "dark")):
        picture = (portrait * factor).astype(np.uint8)
        crop = crop_face(picture, face)
        assert unclear(picture, face, crop, sure=True) == (False, None)
        assert unclear(picture, face, crop, sure=False) == (True, reason)


def test_the_fit_tells_masked_from_plain(portrait, masked, face):
    rng = np.random.default_rng(0)
    plain = crop_face(portrait, face)
    rows = [np.stack([features(changed(plain, rng)) for _ in range(60)])]
    crops = [crop_face(picture, face) for picture in masked]
    rows.append(np.stack([features(changed(crop, rng)) for crop in crops * 3]))
    layers = fit(rows[1], rows[0])
    sure = [
        np.maximum(part @ layers.hidden + layers.hidden_bias, 0) @ layers.output + layers.output_bias for part in rows
    ]
    assert np.mean(sure[0] < 0) > 0.9
    assert np.mean(sure[1] > 0) > 0.9
