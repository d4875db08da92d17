"""Shared by all tests: the real detector, a real network and a real photo, loaded once a session."""

import socket
import subprocess
import wave
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from femr.analyzer import Analyzer
from femr.expression.classifier import load_classifier
from femr.faces.mtcnn import MtcnnDetector
from femr.images import load_image, to_picture
from femr.songs import load_library

PORTRAIT = Path(__file__).parent.parent / "examples" / "eileen-collins.jpg"
PORTRAIT_FACE = (182, 64, 265, 171)
"""Where the face is in the portrait, marked by hand: x1, y1, x2, y2 in pixels."""


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
def detector():
    return MtcnnDetector()


@pytest.fixture(scope="session")
def classifier():
    """MobileNetV2: the quick one."""
    return load_classifier("mobilenet_v2")


@pytest.fixture(scope="session")
def library():
    return load_library()


@pytest.fixture(scope="session")
def analyzer(detector, classifier, library):
    return Analyzer(detector, classifier, library)


def detect(detector, image):
    """The faces of one picture."""
    (faces,) = detector.detect([to_picture(image)])
    return faces


def write_wav(path, seconds=1):
    """Write a silent song."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000 * seconds))


def overlap(a, b):
    """Intersection over union of two boxes."""
    shared = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (sum(areas) - shared)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The page, served on loopback from this process; its temporary files lie in a folder of the tests."""
    patch = pytest.MonkeyPatch()
    patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
    from femr.page import app

    page = app.build_page()
    _, url, _ = app.launch(page, prevent_thread_lock=True, quiet=True)
    yield url
    page.close()
    patch.undo()


@contextmanager
def serving(command, folder, **where):
    """A visitor's client of the page that a command serves in a process and at a port of its own."""
    from gradio_client import Client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*command, "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **where) as process:
        try:
            assert any("http://127.0.0.1" in line for line in process.stdout)
            yield Client(f"http://127.0.0.1:{port}", verbose=False, download_files=str(folder / "client"))
        finally:
            process.terminate()
