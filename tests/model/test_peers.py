"""The comparison with other packages: femr through the adapter of all, and what happens where one fails."""

import sys

import numpy as np
import pytest

from benchmarks import peers
from femr.faces.crop import EYE_DISTANCE, EYE_ROW
from femr.images import to_picture
from femr.results import EMOTIONS

HAPPY, NOTHING = EMOTIONS.index("happy"), len(EMOTIONS)


def test_whole_photos_and_cut_out_faces_go_through_the_adapter(detector, portrait):
    (faces,) = detector.detect([to_picture(portrait)])
    face = peers.cut_out(portrait, faces[0])
    with peers.Reader("femr", sys.executable, {"model": "mobilenet_v2"}) as reader:
        whole = reader.read([portrait, np.zeros((40, 60, 3), np.uint8)], whole=True)
        assert [(answer.named, answer.faces) for answer in whole] == [(HAPPY, 1), (NOTHING, 0)]
        assert all(answer.seconds > 0 for answer in whole)
        assert list(reader.named([face] * 3, whole=False)) == [HAPPY] * 3


def test_a_face_is_cut_out_as_fer2013_frames_it(detector, portrait):
    (faces,) = detector.detect([to_picture(portrait)])
    (again,) = detector.detect([to_picture(peers.cut_out(portrait, faces[0]))])
    left, right = again[0].landmarks.left_eye, again[0].landmarks.right_eye
    assert (left[1] + right[1]) / 2 / peers.CROP_SIDE == pytest.approx(EYE_ROW, abs=0.03)
    assert (right[0] - left[0]) / peers.CROP_SIDE <= EYE_DISTANCE + 0.03
    assert peers.cut_out(portrait, None) is None


def test_a_peer_that_fails_says_what_it_said(capsys):
    with pytest.raises(RuntimeError, match="No module named 'facex'"):
        peers.Reader("facex", sys.executable, {})
    with pytest.raises(SystemExit):
        peers.main(["nobody=python"])
    assert "Received: nobody" in capsys.readouterr().err
