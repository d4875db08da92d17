"""Shared by all tests: a real photo, the real detector and a real network, loaded once a session where asked for."""

import os
from weakref import WeakValueDictionary

import cv2
import numpy as np
import pytest

from builders import PORTRAIT, PORTRAIT_FACE, cannot_be_tried, write_list, write_wav
from femr.images import load_image
from visitors import served


def pytest_configure(config):
    """pytest-xdist would begin with the files of most tests; the page's, few and long, must not be the last."""
    config.option.loadscopereorder = False
    # each process has ports of its own: Gradio (6.31) waits for ever where another takes a port that it found free
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["GRADIO_SERVER_PORT"] = str(7860 + 100 * int(worker.removeprefix("gw")))


@pytest.fixture(scope="session")
def portrait():
    """Eileen Collins, smiling: RGB uint8 (512, 512, 3)."""
    return load_image(PORTRAIT)


@pytest.fixture(scope="session")
def group(portrait):
    """Three of her on one picture, each larger than the one before, and the faces' places."""
    picture = np.full((620, 1400, 3), 128, np.uint8)
    places = []
    for left, side in ((40, 260), (400, 360), (830, 512)):
        picture[50 : 50 + side, left : left + side] = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
        factor = side / 512
        places.append(tuple(value * factor + shift for value, shift in zip(PORTRAIT_FACE, (left, 50) * 2, strict=True)))
    return picture, places


@pytest.fixture(scope="session")
def library():
    from femr.songs import load_library

    return load_library()


@pytest.fixture
def latin(tmp_path):
    """A folder with a song whose name is UTF-8 and others whose names, or whose folder's, are not; one is in a list."""
    write_wav(tmp_path / "sad" / "good.wav")
    try:
        (tmp_path / "sad" / os.fsdecode(b"caf\xe9.wav")).write_bytes((tmp_path / "sad" / "good.wav").read_bytes())
        write_wav(tmp_path / "happy" / "caf\udce9" / "titled.wav")
        write_wav(tmp_path / "happy" / os.fsdecode(b"\xfc.wav"))
    except OSError:
        cannot_be_tried("this file system keeps names in UTF-8")
    write_list(tmp_path, [("happy/\udcfc.wav", "happy"), ("sad/good.wav", "sad")], "json")
    return tmp_path


@pytest.fixture(scope="session")
def detector():
    from femr.faces.mtcnn import MtcnnDetector

    return MtcnnDetector()


@pytest.fixture(scope="session")
def classifier():
    """MobileNetV2: the quick one."""
    from femr.expression.classifier import load_classifier

    return load_classifier("mobilenet_v2")


@pytest.fixture(scope="session")
def analyzer(detector, classifier, library):
    from femr.analyzer import Analyzer

    return Analyzer(detector, classifier, library)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The page, served on loopback from this process; its temporary files lie in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        with served() as url:
            yield url


@pytest.fixture
def unopened(monkeypatch):
    """As if no network were open: its file is read, whatever other tests have in use."""
    monkeypatch.setattr("femr.engine.opened", WeakValueDictionary())
