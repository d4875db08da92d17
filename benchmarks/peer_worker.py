"""Runs in a peer's own Python: a picture's path a line in, a line of JSON out. Imports nothing of femr's.

Usage: PYTHON peer_worker.py NAME [YUNET_FILE]. The first line out says that the peer is loaded, or why it is not.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

Counter = Callable[[Any], int]
"""From a BGR picture, as OpenCV reads it, to the number of faces found."""


def fer(mtcnn: bool) -> Counter:
    """fer, with facenet-pytorch's MTCNN or OpenCV's Haar cascade: faces and expressions."""
    detector = import_module("fer.fer").FER(mtcnn=mtcnn)
    return lambda image: len(detector.detect_emotions(image))


def facex() -> Counter:
    """facex: faces by OpenCV's Haar cascade, and expressions."""
    pool = import_module("facex").PoolManager(pool_size=1)
    return lambda image: len(pool.predict(image))


def haar() -> Counter:
    """OpenCV's Haar cascade at its usual settings: faces."""
    cv2 = import_module("cv2")
    if not hasattr(cv2, "CascadeClassifier"):
        raise ModuleNotFoundError(f"OpenCV {cv2.__version__} has no Haar cascades; opencv-contrib-python has them")
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades, "haarcascade_frontalface_default.xml")))
    return lambda image: len(cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 5))


def yunet(file: str) -> Counter:
    """OpenCV's YuNet at its demo's settings: faces."""
    detector = import_module("cv2").FaceDetectorYN.create(file, "", (320, 320), 0.9, 0.3, 5000)

    def count(image: Any) -> int:
        detector.setInputSize((image.shape[1], image.shape[0]))
        faces = detector.detect(image)[1]
        return 0 if faces is None else len(faces)

    return count


PEERS: dict[str, Callable[..., Counter]] = {
    "fer-mtcnn": lambda: fer(True),
    "fer-haar": lambda: fer(False),
    "facex": facex,
    "opencv-haar": haar,
    "opencv-yunet": yunet,
}


def serve(name: str, *arguments: str) -> None:
    """Load the peer, then time it on each picture that is asked for."""
    # what the peer's libraries print goes to standard error, so that the answers stay alone
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    start = time.perf_counter()
    try:
        cv2 = import_module("cv2")
        count = PEERS[name](*arguments)
    except ModuleNotFoundError as error:
        return answer(error=str(error), missing=True)
    except Exception as error:
        return answer(error=f"{type(error).__name__}: {error}".splitlines()[0])
    answer(load_s=time.perf_counter() - start, opencv=cv2.__version__)
    for line in sys.stdin:
        image = cv2.imread(line.strip())
        start = time.perf_counter()
        try:
            found = count(image)
        except Exception as error:
            return answer(error=f"{type(error).__name__}: {error}".splitlines()[0])
        answer(ms=(time.perf_counter() - start) * 1000, found=int(found))
    return None


if __name__ == "__main__":
    serve(*sys.argv[1:])
