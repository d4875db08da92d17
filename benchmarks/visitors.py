"""Many visitors of the page at once: `python -m benchmarks.visitors`; others look at themselves meanwhile.

--live and --walls add visitors of the Live tab and walls, --large a picture of 50 megapixels.

The page runs in a process of its own on loopback. Each photo is sent alone first, as the answers to compare with; then
all visitors send all photos, each the next one when the last one is answered. Seconds are those of the whole way, from
the upload to the answer with all numbers; whoever is refused has no answer.
"""

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from threading import Event
from time import perf_counter
from typing import Any, NamedTuple
from urllib.error import HTTPError

import cv2
import numpy as np

from benchmarks.scenes import Plan, backgrounds, compose, portrait
from benchmarks.tools import megabytes, processor_seconds, table
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Pixels

PHOTO = Plan(1024, 683, 5)
"""0.7 megapixels, five faces."""
LARGE = Plan(8660, 5773, 5)
"""50 megapixels."""
FRAME = Plan(640, 480, 1)
"""Of a visitor of the Live tab."""
STAGE = Plan(1280, 720, 8)
"""Of a wall."""
RATE = 4
"""Frames a second that a stage sends at most."""

_BACKGROUND = "motorcycle_left"
_DIGITS = 1e-5
_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "multipart/form-data; boundary=femr"}
_HEAD = b'--femr\r\nContent-Disposition: form-data; name="files"; filename="photo.jpg"\r\n\r\n'


class Answer(NamedTuple):
    """A photo's number, the seconds until its answer, and the faces in it; None where there was none."""

    photo: int
    seconds: float
    faces: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class Page:
    """The page as visitors' browsers see it.

    url: With a slash at the end. process: The server's number. tab: The number of the Photo tab's component.
    """

    url: str
    process: int
    tab: int

    def ask(self, photo: int, content: bytes, visitor: str = "", model: str = DEFAULT_MODEL) -> Answer:
        """The answer to a photo, the bytes of a JPEG file."""
        start = perf_counter()
        try:
            (path,) = json.load(self._post("upload", _HEAD + content + b"\r\n--femr--\r\n", _FORM))
            asked = {"component_id": self.tab, "fn_name": "read", "session_hash": visitor or "femr"}
            question = {**asked, "data": {"path": path, "model": model}}
            answer = json.load(self._post("component_server/", json.dumps(question).encode()))
        except HTTPError:
            answer = {}
        return Answer(photo, perf_counter() - start, answer.get("faces"))

    def watch(self, content: bytes, over: Event, wall: bool = False) -> list[float]:
        """The seconds from frame to answer of a visitor of the Live tab, or of a wall, until it is over.

        The next frame, the same one, is sent as soon as an answer is there, but not more than RATE a second.
        """
        url = f"{self.url}live/frame?visit={secrets.token_urlsafe(16)}"
        headers = {"Content-Type": "image/jpeg", "femr-told": json.dumps({"wall": wall})}
        seconds = list[float]()
        while not over.is_set():
            start = perf_counter()
            with urllib.request.urlopen(urllib.request.Request(url, content, headers)) as answer:
                read = answer.status == HTTPStatus.OK  # else it was too late, and dropped
            if read:
                seconds.append(perf_counter() - start)
            over.wait(max(0.0, 1 / RATE - (perf_counter() - start)))
        return seconds

    def peak(self) -> float:
        """The most memory that the server has taken so far, in MB."""
        return megabytes(self.process, "VmHWM")

    def _post(self, path: str, body: bytes, headers: dict[str, str] = _JSON) -> Any:
        return urllib.request.urlopen(urllib.request.Request(f"{self.url}gradio_api/{path}", body, headers))


@contextmanager
def serving() -> Iterator[Page]:
    """The page, in a process and at a port of its own; what visitors upload is gone afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "femr", "app", "--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"GRADIO_TEMP_DIR": folder}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            try:
                if not any("http://127.0.0.1" in line for line in process.stdout or ()):
                    raise SystemExit("The page did not start.")
                url = f"http://127.0.0.1:{port}/"
                parts = json.load(urllib.request.urlopen(f"{url}config"))["components"]
                tab = next(part["id"] for part in parts if part["props"].get("elem_id") == "photo-tab")
                yield Page(url, process.pid, tab)
            finally:
                process.terminate()


def photo(plan: Plan, seed: int) -> bytes:
    """A garage full of things, with portraits, as a JPEG file."""
    background: Pixels = backgrounds([f"{_BACKGROUND}.png"])[_BACKGROUND]
    scene = compose(plan, (_BACKGROUND, background), [portrait()], seed)
    return cv2.imencode(".jpg", cv2.cvtColor(scene.image, cv2.COLOR_RGB2BGR))[1].tobytes()


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many come at once: with photos, so many each, to the Live tab, as walls; and whether one has a large one."""

    visitors: int
    photos: int
    live: int = 0
    walls: int = 0
    large: bool = False


def measure(page: Page, crowd: Crowd) -> dict[str, Any]:
    """What came of so many at once; all times in seconds."""
    files = [photo(PHOTO, seed) for seed in range(crowd.photos)]
    alone = [page.ask(number, content) for number, content in enumerate(files)]

    def visit(visitor: int) -> list[Answer]:
        turns = np.roll(np.arange(crowd.photos), visitor)  # not all the same photo at the same time
        return [page.ask(int(turn), files[turn], f"visitor{visitor}") for turn in turns]

    over, large = Event(), photo(LARGE, 0) if crowd.large else b""
    stages = {"live": (crowd.live, photo(FRAME, 0)), "wall": (crowd.walls, photo(STAGE, 0))}
    with ThreadPoolExecutor(crowd.visitors + crowd.live + crowd.walls + 1) as pool:
        watching = {
            name: [pool.submit(page.watch, frame, over, name == "wall") for _ in range(count)]
            for name, (count, frame) in stages.items()
        }
        start, processor = perf_counter(), processor_seconds(page.process)
        visits = [pool.submit(visit, visitor) for visitor in range(crowd.visitors)]
        heavy = pool.submit(page.ask, -1, large) if large else None
        answers = [answer for each in visits for answer in each.result()]
        taken = perf_counter() - start
        over.set()
    done = [answer for answer in answers if answer.faces is not None]
    document = {
        "answers": len(done),
        "refused": len(answers) - len(done),
        "answers_a_second": len(done) / taken,
        "processor_seconds_an_answer": (processor_seconds(page.process) - processor) / max(1, len(done)),
        **_spread("photo", [answer.seconds for answer in done]),
        "equal_to_those_given_alone": all(_same(answer.faces, alone[answer.photo].faces) for answer in done),
        "seconds_alone": float(np.median([answer.seconds for answer in alone])),
        "peak_mb": page.peak(),
    }
    if heavy:
        document["large_seconds"] = heavy.result().seconds
    for name, each in watching.items():
        document |= _shares(name, [one.result() for one in each], taken) if each else {}
    return document


def _shares(name: str, frames: Sequence[Sequence[float]], taken: float) -> dict[str, float]:
    """How long answers to frames took, how many of them a second each visitor had, and who had the fewest and most."""
    counts = [len(one) / taken for one in frames]
    shares = {"a_second": float(np.median(counts)), "fewest_a_second": min(counts), "most_a_second": max(counts)}
    seconds = _spread(f"{name}_frame", [seconds for one in frames for seconds in one])
    return seconds | {f"{name}_frames_{key}": value for key, value in shares.items()}


def _spread(name: str, seconds: Sequence[float]) -> dict[str, float]:
    shares = {"p50": 50, "p95": 95, "max": 100}
    return {f"{name}_{key}": float(np.percentile(seconds or [np.nan], share)) for key, share in shares.items()}


def _same(one: Any, other: Any) -> bool:
    """Whether two answers are the same up to the last digits of their numbers."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return abs(one - other) <= _DIGITS if isinstance(one, float) else bool(one == other)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints a table or the document."""
    parser = argparse.ArgumentParser("benchmarks.visitors", description="Many visitors of the page at once.")
    parser.add_argument("--visitors", type=int, default=50, help="how many at once; default 50")
    parser.add_argument("--photos", type=int, default=8, help="how many each; default 8")
    parser.add_argument("--live", type=int, default=0, help="visitors of the Live tab beside them; default 0")
    parser.add_argument("--walls", type=int, default=0, help="walls beside them; default 0")
    parser.add_argument("--large", action="store_true", help="and one with a picture of 50 megapixels")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    options = parser.parse_args(arguments)
    with serving() as page:
        page.ask(0, photo(PHOTO, 0))  # by then the networks are loaded
        crowd = Crowd(options.visitors, options.photos, options.live, options.walls, options.large)
        document = measure(page, crowd) | {"load": os.getloadavg()[0]}
    rows = [(key.replace("_", " "), f"{value:.4g}") for key, value in document.items()]
    title = f"{options.visitors} visitors with {options.photos} photos each"
    print(json.dumps(document, indent=2) if options.json else table(title, ["", ""], rows))


if __name__ == "__main__":
    main()
