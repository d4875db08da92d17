"""What tests build from: the portrait and where its face is, small files, one picture's faces."""

import socket
import subprocess
import wave
from contextlib import contextmanager
from pathlib import Path

from femr.images import to_picture

ROOT = Path(__file__).parent.parent
PORTRAIT = ROOT / "examples" / "eileen-collins.jpg"
PORTRAIT_FACE = (182, 64, 265, 171)
"""Where the face is in the portrait, marked by hand: x1, y1, x2, y2 in pixels."""


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
