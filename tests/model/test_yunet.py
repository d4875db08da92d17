"""YuNet behind the Detector protocol; where its weights file is not at hand, a stand-in for OpenCV's network."""

import cv2
import numpy as np
import pytest

import femr
from femr.errors import ModelError
from femr.expression.weights import MODELS_DIR
from femr.faces.detector import DETECTORS, Follower, load_detector
from femr.images import to_picture

ROWS = np.array(
    [
        # x, y, width, height; left eye, right eye, nose, mouth left and right; confidence
        [60, 20, 40, 50, 70, 40, 90, 40, 80, 50, 72, 60, 88, 60, 0.9],
        [-10, 10, 40, 40, 5, 20, 20, 20, 12, 30, 6, 40, 18, 40, 0.7],
        [200, 10, 40, 40, 205, 20, 220, 20, 212, 30, 206, 40, 218, 40, 0.8],
    ],
    np.float32,
)
"""Two faces, the second one cut by the left edge, and one that lies outside a picture 160 wide."""


class Network:
    """Gives ROWS for pictures that are blue, which tells that it was asked with BGR, and nothing for others."""

    def setInputSize(self, size):  # noqa: N802 - OpenCV's name
        self.size = size

    def detect(self, image):
        assert image.shape[1::-1] == tuple(self.size)
        return 1, ROWS if image[0, 0, 0] == 255 else None


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2.FaceDetectorYN, "create", lambda *_: Network())
    path = tmp_path / "yunet.onnx"
    path.touch()
    return path


def blue(width, height):
    return to_picture(np.full((height, width, 3), (0, 0, 255), np.uint8))


def test_no_face(file):
    assert load_detector(f"yunet:{file}").detect([]) == []
    assert load_detector(f"yunet:{file}").detect([to_picture(np.zeros((90, 160, 3), np.uint8))]) == [()]


def test_faces_come_from_left_to_right_inside_the_picture(file):
    (faces,) = load_detector(f"yunet:{file}").detect([blue(160, 90)])
    assert [face.box for face in faces] == [(0, 10, 30, 50), (60, 20, 100, 70)]
    assert [face.confidence for face in faces] == pytest.approx([0.7, 0.9])
    assert faces[1].landmarks.left_eye == (70, 40)
    assert faces[1].landmarks.mouth_right == (88, 60)


def test_boxes_are_in_the_original_pictures_pixels(file):
    (faces,) = load_detector(f"yunet:{file}").detect([blue(3840, 2160)])
    assert faces[1].box == (120, 40, 200, 140)


def test_small_faces_are_left_out_if_asked_for(file):
    (faces,) = load_detector(f"yunet:{file}", smallest_face=45).detect([blue(160, 90)])
    assert [face.size for face in faces] == [50]


def test_frames_between_are_looked_at_too(file):
    found = Follower(3).detect(load_detector(f"yunet:{file}"), [blue(160, 90)] * 4)
    assert [len(faces) for faces in found] == [2] * 4


def test_a_file_that_is_none_or_something_else(tmp_path):
    other = tmp_path / "party.onnx"
    other.write_bytes(b"no network")
    with pytest.raises(ModelError, match=r"^party\.onnx cannot be read as weights of YuNet\.$"):
        load_detector(f"yunet:{other}")
    for name in ("yunet", f"yunet:{tmp_path / 'gone.onnx'}"):
        with pytest.raises(ModelError, match=r"^Expected yunet:FILE, with an ONNX file of YuNet"):
            load_detector(name)


def test_another_network_is_told_before_the_first_picture():
    with pytest.raises(ModelError, match=r"^rnet\.onnx cannot be read as weights of YuNet\.$"):
        load_detector(f"yunet:{MODELS_DIR / 'rnet.onnx'}")
    with pytest.raises(ModelError, match=r"^mobilenet_v2\.onnx cannot be read as weights of YuNet\.$"):
        load_detector(f"yunet:{MODELS_DIR / 'mobilenet_v2.onnx'}")


def test_names():
    assert set(DETECTORS) == {"mtcnn", "yunet"}
    with pytest.raises(ModelError, match=r"^Expected a detector named mtcnn, yunet\. Received: haar$"):
        load_detector("haar")
    with pytest.raises(ModelError, match=r"^Expected mtcnn without a file"):
        load_detector("mtcnn:weights.npz")


def test_it_is_one_of_loads_choices(file, portrait, library):
    analyzer = femr.load("mobilenet_v2", detector=f"yunet:{file}", library=library)
    assert analyzer(portrait).faces == ()
