"""femr beside its peers, each in its own virtual environment, because they bring versions of OpenCV of their own.

A peer that is not there is listed as missing, with the reason; one that fails as broken, with what it said.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2

from femr.benchmark.effort import Case, Effort
from femr.benchmark.pictures import picture
from femr.benchmark.progress import Progress
from femr.benchmark.timing import once
from femr.errors import FemrError
from femr.images import Pixels

ENVIRONMENTS = ("fer", "facex", "opencv")
"""Names of the virtual environments; opencv is this very Python where no other is given."""

_WORKER = Path(__file__).with_name("peer_worker.py")
_FOLDER = Path(".peers")
_CASES: tuple[Case, ...] = ((0.3, 1), (2, 5))
_ROUNDS = 5


@dataclass(frozen=True)
class Peer:
    """A way of one peer: its name, whose environment it runs in, and what of femr's it is held against."""

    name: str
    environment: str
    against: str


PEERS = (
    Peer("fer-mtcnn", "fer", "analysis"),
    Peer("fer-haar", "fer", "analysis"),
    Peer("facex", "facex", "analysis"),
    Peer("opencv-haar", "opencv", "detection"),
    Peer("opencv-yunet", "opencv", "detection"),
)


class _MissingError(FemrError):
    """The peer is not installed in its environment."""


class _Worker:
    """A peer's process, loaded and waiting. Raises: FemrError with the reason if it could not be loaded."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.facts = self._answer()

    def ask(self, path: Path) -> dict[str, Any]:
        """ms and found of a picture. Raises: FemrError."""
        if self._process.stdin:
            self._process.stdin.write(f"{path}\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise FemrError("it ended without an answer")
        values: dict[str, Any] = json.loads(line)
        if "error" in values:
            raise (_MissingError if values.get("missing") else FemrError)(values["error"])
        return values


def parse_environments(given: Sequence[str]) -> dict[str, str]:
    """Environment → its Python, of NAME=PATH each; those not given are looked for in .peers. Raises: FemrError."""
    pythons = {name: str(_FOLDER / name / "bin" / "python") for name in ENVIRONMENTS}
    pythons = {name: path for name, path in pythons.items() if Path(path).is_file()}
    pythons.setdefault("opencv", sys.executable)
    for text in given:
        name, _, path = text.partition("=")
        if name not in ENVIRONMENTS or not path:
            raise FemrError(f"Expected --peer-env NAME=PYTHON with {', '.join(ENVIRONMENTS)}. Received: {text}")
        if not Path(path).is_file():
            raise FemrError(f"There is no Python at {path}.")
        pythons[name] = path
    return pythons


def measure(
    femr: Mapping[str, Callable[[Pixels], object]], pythons: Mapping[str, str], yunet: Path | None, effort: Effort
) -> list[dict[str, Any]]:
    """One entry a peer: name, against, status (measured, missing or broken), reason, version, load_s, pictures.

    pictures: [{megapixels, faces, ms, femr_ms, ratio, found}], medians of rounds in which all take turns.
    Args: `femr`, its "analysis" and its "detection" of a picture.
    """
    cases = _CASES if len(effort.detection) > 1 else effort.detection
    progress = Progress("peers", len(PEERS))
    with TemporaryDirectory() as folder, ExitStack() as stack:
        paths = {case: Path(folder) / f"{case[0]}-{case[1]}.png" for case in cases}
        for case, path in paths.items():
            cv2.imwrite(str(path), picture(*case).image[..., ::-1])
        entries, workers = [], {}
        for peer in PEERS:
            entry, worker = _open(peer, pythons, yunet, stack)
            entries.append(entry)
            if worker:
                workers[peer.name] = worker
            progress.step(f"{peer.name} {entry['status']}")
        for entry in entries:
            entry["pictures"] = []
        for case, path in paths.items():
            _compare(case, path, femr, entries, workers)
    return entries


def _open(
    peer: Peer, pythons: Mapping[str, str], yunet: Path | None, stack: ExitStack
) -> tuple[dict[str, Any], _Worker | None]:
    """What is known of a peer, and its process if it runs."""
    entry: dict[str, Any] = {"name": peer.name, "against": peer.against, "status": "missing"}
    if peer.environment not in pythons:
        where = f".peers/{peer.environment}/bin/python"
        return entry | {"reason": f"no {where} and no --peer-env {peer.environment}=PYTHON"}, None
    if peer.name == "opencv-yunet" and yunet is None:
        return entry | {"reason": "no --yunet FILE, OpenCV Zoo's face_detection_yunet ONNX file"}, None
    arguments = [str(yunet)] if peer.name == "opencv-yunet" else []
    try:
        worker = stack.enter_context(_running([pythons[peer.environment], str(_WORKER), peer.name, *arguments]))
    except FemrError as error:
        status = "missing" if isinstance(error, _MissingError) else "broken"
        return entry | {"status": status, "reason": str(error)}, None
    return entry | {"status": "measured", **worker.facts}, worker


@contextmanager
def _running(command: list[str]) -> Iterator[_Worker]:
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield _Worker(process)
        finally:
            process.kill()


def _compare(
    case: Case,
    path: Path,
    femr: Mapping[str, Callable[[Pixels], object]],
    entries: Sequence[dict[str, Any]],
    workers: dict[str, _Worker],
) -> None:
    """Add a picture's figures to each peer that runs; one that fails on it is broken from then on."""
    image = picture(*case).image
    times: dict[str, list[float]] = {}
    found: dict[str, int] = {}
    for done in range(_ROUNDS + 1):
        for name, call in femr.items():
            times.setdefault(name, []).append(once(lambda call=call: call(image)))  # type: ignore[misc]
        for entry in entries:
            worker = workers.get(entry["name"])
            if worker is None:
                continue
            try:
                answer = worker.ask(path)
            except FemrError as error:
                entry.update(status="broken", reason=str(error))
                workers.pop(entry["name"])
                continue
            times.setdefault(entry["name"], []).append(answer["ms"])
            found[entry["name"]] = answer["found"]
        if not done:  # a warm-up
            times = {}
    for entry in entries:
        if entry["name"] in workers:
            ours, theirs = median(times[entry["against"]]), median(times[entry["name"]])
            figures = {"ms": theirs, "femr_ms": ours, "ratio": theirs / ours, "found": found[entry["name"]]}
            entry["pictures"].append({"megapixels": case[0], "faces": case[1], **figures})
