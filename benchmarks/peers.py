"""femr beside other packages that read faces: `python -m benchmarks.peers NAME=PATH …`.

It times them, or says with --data or --photos how well they read. NAME=PATH: a peer, and the Python of the environment
that has it, or for those of npm the folder in which npm installed it. What each needs, and what came out:
docs/compared.md. A peer finds faces and scales them its own way. Of several faces in a photo the largest counts; one in
which none is found is read wrong. --every N takes every Nth face and photo only. Nothing is chosen by what this prints.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from types import MappingProxyType
from typing import IO, Any, NamedTuple, Self

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.speed import picture
from benchmarks.tools import table
from femr.faces.crop import EYE_DISTANCE, EYE_ROW, EYE_TO_MOUTH
from femr.images import Pixels, load_image
from femr.publish import photos
from femr.results import EMOTIONS, Face, emotion_of
from femr.training import data, metrics
from femr.training.metrics import Labels

ROOT = Path(__file__).parents[1]
ADAPTERS = Path(__file__).with_name("adapters")
NPM = ("face-api", "human")
VARIANTS: Mapping[str, Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "femr": {
            "femr": {},
            "femr, balance 0": {"balance": 0.0},
            "femr, label head": {"labels": True},
            "femr, mobilenet_v2": {"model": "mobilenet_v2"},
        },
        "fer": {"fer": {}, "fer, MTCNN and Keras": {"mtcnn": True, "use_tflite": False}},
        "facex": {"facex": {}},
        "face-api": {"@vladmandic/face-api": {}},
        "human": {"@vladmandic/human": {}},
    }
)
"""Peer → what a row is called → its adapter's options."""

CROP_SIDE = 224  # of the faces cut out of photos: no peer looks at more
_AT_ONCE = 64
_ROUNDS = 8
_NOTHING = len(EMOTIONS)


class Answer(NamedTuple):
    """What the largest face is named, index into EMOTIONS or their number without a face; how many faces.

    seconds: What finding them took; 0 for a face to classify.
    """

    named: int
    faces: int
    seconds: float


class Reader:
    """A peer in a process of its own; a context manager. first: seconds from its start to the portrait's answer."""

    def __init__(self, peer: str, place: str, options: Mapping[str, Any]) -> None:
        program = ["node", ADAPTERS / "peer.cjs", peer, place]
        if peer not in NPM:
            program = [place, ADAPTERS / "peer.py", peer, json.dumps(options)]
        own = {"PYTHONPATH": str(ROOT)} if peer == "femr" else {}
        begun = perf_counter()
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the reader
        self._process = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, env=os.environ | own
        )
        self.read([portrait()], whole=True)
        self.first = perf_counter() - begun

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._log.close()

    def read(self, pictures: Sequence[Pixels], whole: bool) -> list[Answer]:
        """The answers to some pictures, RGB uint8 (h, w, 3): photos, or each a face to classify."""
        with tempfile.NamedTemporaryFile() as file:
            for one in pictures:
                file.write(one.tobytes())
            file.flush()
            request = {"file": file.name, "shapes": [one.shape[:2] for one in pictures], "whole": whole}
            print(json.dumps(request), file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline() if self._process.stdout else ""
        if not answer:
            self._process.communicate()
            self._log.seek(0)
            said = self._log.read().decode(errors="replace")
            self._log.close()
            raise RuntimeError(said[-3000:])
        words, seconds = json.loads(answer).values()
        return [_answer(some, taken) for some, taken in zip(words, seconds or [0.0] * len(words), strict=True)]

    def named(self, pictures: Iterable[Pixels], whole: bool) -> Labels:
        """What each picture's largest face is named."""
        rest, answers = iter(pictures), list[Answer]()
        while some := list(islice(rest, _AT_ONCE)):
            answers += self.read(some, whole)
        return np.array([answer.named for answer in answers])


def faces_read(readers: Mapping[str, Reader], source: str, every: int) -> Iterator[dict[str, Any]]:
    """A row a reader, on the faces of FER2013's PrivateTest: against the labels, and what most of ten people say."""
    splits = data.load(source)
    faces = data.split_named(splits, data.PRIVATE_TEST)[::every]
    new = data.unseen(faces, [part for name, part in splits.items() if name != data.PRIVATE_TEST])
    row: dict[str, Any]
    for name, reader in tqdm(readers.items(), "PrivateTest"):
        named = reader.named((np.repeat(image[..., np.newaxis], 3, axis=2) for image in faces.images), whole=False)
        right = named == faces.labels
        row = {"reader": name, "faces": len(named), "labels": _shares(right), "new": _shares(right[new])}
        if faces.votes is not None:
            crowd, agreed = data.majority(faces.votes)
            agreed &= data.vote_shares(faces.votes).any(axis=1)
            matrix = metrics.confusion_matrix(named[agreed], crowd[agreed])
            row |= {"people": _shares((named == crowd)[agreed]), "people_recall": metrics.mean_recall(matrix)}
        yield row


def photos_read(readers: Mapping[str, Reader], source: str, every: int) -> Iterator[dict[str, Any]]:
    """Two rows a reader: the photos whole, and the faces that femr finds in them cut out, framed as FER2013's are."""
    known = photos.load(source)
    pictures = [one.pixels for one in islice(known.pictures(), 0, None, every)]
    crops = [cut_out(one, found) for one, found in zip(pictures, _largest(known, every), strict=True)]
    there = np.array([crop is not None for crop in crops])
    for name, reader in tqdm(readers.items(), "photos"):
        for given, some, rows in (
            ("whole", pictures, np.ones(len(pictures), bool)),
            ("cut out", [crop for crop in crops if crop is not None], there),
        ):
            named, labels = reader.named(some, given == "whole"), known.labels[::every][rows]
            matrix, news = metrics.confusion_matrix(named, labels), known.of(photos.NEWS)[::every][rows]
            yield {
                "reader": name,
                "given": given,
                "photos": len(named),
                "found": float((named < _NOTHING).mean()),
                "right": _shares(named == labels),
                "news": _shares((named == labels)[news]),
                "recall": metrics.mean_recall(matrix),
                "natural_mix": metrics.natural_mix(matrix),
            }


def timed(readers: Mapping[str, Reader]) -> Iterator[dict[str, Any]]:
    """A row a reader: seconds from cold, and the median milliseconds of two photos, all readers in turns."""
    scenes = {"portrait": portrait(), "scene": picture(2, 5).image}
    answers: dict[str, dict[str, list[Answer]]] = {name: {scene: [] for scene in scenes} for name in readers}
    for turn in tqdm(range(_ROUNDS + 1), "speed"):
        for name, reader in readers.items():
            for scene, image in scenes.items():
                one = reader.read([image], whole=True)
                answers[name][scene] += one if turn else []  # the first warms up
    for name, by_scene in answers.items():
        milliseconds = {scene: 1000 * median(one.seconds for one in some) for scene, some in by_scene.items()}
        yield {"reader": name, "first": readers[name].first, **milliseconds, "faces": by_scene["scene"][-1].faces}


def cut_out(image: Pixels, face: Face | None) -> Pixels | None:
    """A face's upright square in colour, RGB uint8 (224, 224, 3), with eyes and mouth where FER2013 has them."""
    if face is None:
        return None
    left_eye, right_eye, _, mouth_left, mouth_right = np.asarray(face.landmarks.points(), np.float64)
    eyes, mouth = (left_eye + right_eye) / 2, (mouth_left + mouth_right) / 2
    across, down = np.hypot(*(right_eye - left_eye)), np.hypot(*(mouth - eyes))
    side = max(across / EYE_DISTANCE, down / EYE_TO_MOUTH, 1.0)
    corner = np.array([(eyes[0] + mouth[0] - side) / 2, eyes[1] - EYE_ROW * side])
    zoom = CROP_SIDE / side
    place: npt.NDArray[np.float64] = np.array([[zoom, 0, -zoom * corner[0]], [0, zoom, -zoom * corner[1]]])
    how = {"flags": cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    return np.asarray(cv2.warpAffine(image, place, (CROP_SIDE, CROP_SIDE), **how), np.uint8)


def portrait() -> Pixels:
    """The portrait, 512×512, one face."""
    return load_image(ROOT / "examples" / "eileen-collins.jpg")


def measure(peers: Mapping[str, str], source: str | None, photo_file: str | None, every: int) -> dict[str, Any]:
    """The document, ready for JSON: rows of speed, faces and photos. Args: `peers`, name → Python or npm's folder."""
    with ExitStack() as stack:
        readers = {
            name: stack.enter_context(Reader(peer, place, options))
            for peer, place in tqdm(peers.items(), "start")
            for name, options in VARIANTS[peer].items()
        }
        if source:
            return {"PrivateTest's faces": list(faces_read(readers, source, every))}
        if photo_file:
            return {"photos": list(photos_read(readers, photo_file, every))}
        return {"speed": list(timed(readers))}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints tables or the document."""
    parser = argparse.ArgumentParser("benchmarks.peers", description="femr beside other packages.")
    parser.add_argument("peers", nargs="*", metavar="NAME=PATH", help=f"of {', '.join(VARIANTS)}; femr is always one")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--data", metavar="PATH", help="FER2013, to read its PrivateTest instead of timing")
    what.add_argument("--photos", metavar="FILE", help="photos (Parquet), to read them whole and cut out instead")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth face and photo only")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    options = parser.parse_args(arguments)
    peers = {"femr": sys.executable, **dict(one.split("=", 1) for one in options.peers)}
    if unknown := peers.keys() - VARIANTS.keys():
        parser.error(f"Expected peers of {', '.join(VARIANTS)}. Received: {', '.join(unknown)}")
    document = measure(peers, options.data, options.photos, options.every)
    if options.json:
        print(json.dumps(document, indent=2))
        return
    for title, rows in document.items():
        print(table(title, list(rows[0]), [[_shown(value) for value in row.values()] for row in rows]), end="\n\n")


def _answer(words: Sequence[str], seconds: float) -> Answer:
    emotion = emotion_of(words[0]) if words else None
    if words and emotion is None:
        raise ValueError(f"Expected one of the seven expressions. Received: {words[0]}")
    return Answer(EMOTIONS.index(emotion) if emotion else _NOTHING, len(words), seconds)


def _largest(known: photos.Photos, every: int) -> Iterator[Face | None]:
    """The largest face of each photo, in the pixels that were read."""
    detector = photos.own_detector()
    for one in islice(known.pictures(), 0, None, every):
        (found,) = detector.detect([one])
        largest = max(found, key=lambda face: face.size, default=None)
        yield largest and largest.scaled(one.scale)


def _shares(right: npt.NDArray[np.bool_]) -> list[float] | None:
    """A share with its 95 % interval."""
    found = metrics.interval(right)
    return found and [found.value, found.low, found.high]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "{:.1%} ({:.1%} to {:.1%})".format(*value)
    if isinstance(value, float):
        return f"{value:.1%}" if value <= 1 else f"{value:.3g}"
    return str(value)


if __name__ == "__main__":
    main()
