import cv2
import numpy as np
import pytest

from builders import detect
from femr.analyzer import Analyzer
from femr.faces.quality import why_hard
from femr.results import UNSURE_REASONS


def the_face(detector, picture):
    """The largest face."""
    return max(detect(detector, picture), key=lambda face: face.size)


def smaller(portrait, side):
    return cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)


def darker(portrait, factor):
    return (portrait * factor).astype(np.uint8)


def blurred(portrait, sigma):
    return cv2.GaussianBlur(portrait, (0, 0), sigma)


def cut(portrait, left):
    return np.ascontiguousarray(portrait[:, left:])


def squeezed(portrait, share):
    """One half of the face made narrower, as by a turn of the head."""
    corners = np.float32([[170, 50], [280, 50], [280, 180], [170, 180]])
    far = np.float32([[0, 0], [-110 * share, 40 * share], [-110 * share, -40 * share], [0, 0]])
    return cv2.warpPerspective(portrait, cv2.getPerspectiveTransform(corners, corners + far), (512, 512))


@pytest.mark.parametrize(
    ("change", "fine", "hard", "reason"),
    [
        (smaller, 160, 96, "too small"),
        (cut, 150, 205, "cut off"),
        (squeezed, 0.3, 0.6, "turned away"),
        (darker, 0.5, 0.25, "dark"),
        (blurred, 2, 3, "blurred"),
    ],
)
def test_the_portrait_made_worse_step_by_step_gets_its_reason(portrait, detector, change, fine, hard, reason):
    assert reason in UNSURE_REASONS
    for amount, expected in ((fine, None), (hard, reason)):
        picture = change(portrait, amount)
        assert why_hard(picture, the_face(detector, picture)) == expected


def test_the_first_reason_that_applies_is_given(portrait, detector):
    picture = blurred(darker(cut(portrait, 205), 0.25), 2)
    assert why_hard(picture, the_face(detector, picture)) == "cut off"


class Unsure:
    """The real classifier behind a threshold that nothing reaches."""

    def __init__(self, classifier, threshold):
        self.classify = classifier.classify
        self.facts = type("Facts", (), {"name": "x", "unsure_threshold": threshold})


def test_only_faces_that_are_unsure_have_a_reason(portrait, detector, classifier, library):
    picture = darker(portrait, 0.25)
    for threshold, reason in ((0.0, None), (1.0, "dark")):
        (face,) = Analyzer(detector, Unsure(classifier, threshold), library)(picture).faces
        assert (face.unsure, face.unsure_reason) == (reason is not None, reason)
    (face,) = Analyzer(detector, Unsure(classifier, 1.0), library)(portrait).faces
    assert (face.unsure, face.unsure_reason) == (True, None)
