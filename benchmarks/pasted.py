"""What detection and cropping cost: PublicTest's faces pasted into photos and read by the pipeline, or fed directly.

FER2013 is cropped already, so its accuracy leaves out what goes wrong before the network. Here each face is enlarged,
turned a little and pasted with soft edges into a photo without faces; it has to be found and framed first. Recipes and
crops may be tuned by the difference, hence PublicTest only: `python -m benchmarks.pasted MODEL --data PATH`.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import scenes
from benchmarks.scenes import backgrounds, fer_cutout
from femr.errors import DataError, ModelError
from femr.expression.facts import Interval
from femr.faces.crop import FACE_SIDE
from femr.images import Pixels, load_image, to_picture
from femr.music import MusicLibrary
from femr.results import EMOTIONS, Box, EmotionScores, FaceEmotion
from femr.training import data, metrics
from femr.training.data import FaceData, Mask
from femr.training.evaluate import find_model

if TYPE_CHECKING:  # loads TensorFlow
    from femr.analyzer import Analyzer

SIDES = (60.0, 260.0)
"""Least and greatest side of a pasted face in pixels."""

_HEIGHT, _WIDTH = 480, 640  # of a scene
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_ROLL = 8.0  # degrees either way
_REACH = 0.84  # of the side: from the middle to where the pasted surroundings have faded out
_AT_ONCE = 16
_RESAMPLES = 2000


def measure(
    model: str,
    source: str | Path,
    photos: Path | None = None,
    limit: int = 600,
    balance: float | None = None,
) -> dict[str, Any]:
    """How often a model is right on faces in photos, and on the same faces fed directly; ready for JSON.

    Keys: model, split, images; photos (their names) and photos_with_faces (left out, because the detector finds
    something there); found, the share of the pasted faces that were found; accuracy_direct and accuracy_pipeline of the
    found ones, accuracy_direct_missed of the others, each {value, low, high} with a 95 % bootstrap interval, or None
    without a face; drop, direct minus pipeline, with its paired bootstrap interval.

    Args:
        model: one of femr's own, or a .keras file; in any case one that did not learn from PublicTest. For a finished
            model that is the final.keras of the run that it finished.
        photos: a folder of pictures without faces; None for some of scikit-image's.
        limit: how many faces; drawn at random, but always the same.
        balance: see `calibration.Calibration`; None for the model's own.
    Raises: DataError, ModelError.
    """
    from femr.analyzer import Analyzer
    from femr.faces.mtcnn import MtcnnDetector

    if limit < 1:
        raise DataError(f"Expected at least 1 face. Received: {limit}")
    pictures = read_photos(photos)
    public = data.split_named(data.load(source), data.PUBLIC_TEST)
    known = find_model(model, public)
    if data.PUBLIC_TEST in known.facts.trained_on:
        raise ModelError(f"Expected a model that did not learn from {data.PUBLIC_TEST}. Received: {model}")
    classifier = known.classifier(balance)
    faces = public[np.sort(np.random.default_rng(0).permutation(len(public))[:limit])]
    analyzer = Analyzer(MtcnnDetector(), classifier, MusicLibrary(()))
    empty = {name: photo for name, photo in pictures.items() if not analyzer.read([to_picture(photo)])[0]}
    if not empty:
        raise DataError("Expected photos without faces. Received: only such with faces")
    readings = classifier.classify(list(np.stack([faces.images, faces.images[:, :, ::-1]], axis=1)))
    direct = _right([reading.scores for reading in readings], faces.labels)
    piped = _through_pipeline(analyzer, faces, list(empty.values()))
    found, right = np.array([scores is not None for scores in piped]), _right(piped, faces.labels)
    head = {"model": model, "split": data.PUBLIC_TEST, "images": len(faces), "photos": list(empty)}
    head["photos_with_faces"] = [name for name in pictures if name not in empty]
    return head | _compare(direct, right, found)


def _compare(direct: Mask, piped: Mask, found: Mask) -> dict[str, Any]:
    """The shares of faces that are read right, by who read them."""
    return {
        "found": _share(found),
        "accuracy_direct": _share(direct[found]),
        "accuracy_pipeline": _share(piped[found]),
        "drop": _mean_interval(direct[found].astype(float) - piped[found]),
        "accuracy_direct_missed": _share(direct[~found]),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints one JSON document."""
    parser = argparse.ArgumentParser("benchmarks.pasted", description="What detection and cropping cost.")
    parser.add_argument("model", help="a .keras file that did not learn from PublicTest")
    parser.add_argument("--data", required=True, metavar="PATH", help="FER2013")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="pictures without faces; default scikit-image's")
    parser.add_argument("--limit", type=int, default=600, metavar="N", help="faces")
    parser.add_argument("--balance", type=float, metavar="X", help="as in femr analyze")
    options = parser.parse_args(arguments)
    report = measure(options.model, options.data, options.photos, limit=options.limit, balance=options.balance)
    print(json.dumps(report, indent=2))


def read_photos(folder: Path | None) -> dict[str, Pixels]:
    """Name → picture, RGB uint8 (480, 640, 3), of a folder or of scikit-image. Raises: DataError, ImageError."""
    if folder is None:
        return {name: _covering(picture) for name, picture in backgrounds().items()}
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES)
    if not paths:
        raise DataError("Expected a folder with photos (JPEG, PNG or WebP). Received: one without any")
    return {path.name: _covering(load_image(path)) for path in paths}


def paste(photo: Pixels, face: Pixels, rng: np.random.Generator) -> tuple[Pixels, scenes.Truth]:
    """A copy of the photo with a gray face, uint8 (48, 48), at a random place, size and tilt; and where it is."""
    side = rng.uniform(*SIDES)
    reach = _REACH * side
    centre = rng.uniform(reach, _WIDTH - reach), rng.uniform(reach, _HEIGHT - reach)
    picture, cutout = photo.copy(), fer_cutout(face)
    truth = scenes.paste(picture, cutout, side * cutout.size / FACE_SIDE, rng.uniform(-_ROLL, _ROLL), centre)
    return picture, truth


def _through_pipeline(analyzer: "Analyzer", faces: FaceData, photos: Sequence[Pixels]) -> list[EmotionScores | None]:
    """The scores of each pasted face, None where it was not found."""
    rng = np.random.default_rng(0)
    scores = list[EmotionScores | None]()
    for start in range(0, len(faces), _AT_ONCE):
        rows = range(start, min(start + _AT_ONCE, len(faces)))
        pictures, truths = zip(*(paste(photos[row % len(photos)], faces.images[row], rng) for row in rows), strict=True)
        read = analyzer.read([to_picture(picture) for picture in pictures])
        scores += [_of(*pair) for pair in zip(read, truths, strict=True)]
    return scores


def _of(faces: Sequence[FaceEmotion], truth: scenes.Truth) -> EmotionScores | None:
    """The scores of the face found nearest to the pasted one, within half its size."""
    away = {math.dist(_middle(one.face.box), _middle(truth.box)): one.scores for one in faces}
    nearest = min(away, default=math.inf)
    return away[nearest] if nearest < truth.size / 2 else None


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _share(right: Mask) -> dict[str, float] | None:
    found = metrics.interval(right)
    return None if found is None else asdict(found)


def _right(scores: Sequence[EmotionScores | None], labels: metrics.Labels) -> Mask:
    """Whether each face was read right; one that was not found is not."""
    return np.array([one is not None and one.top == EMOTIONS[label] for one, label in zip(scores, labels, strict=True)])


def _mean_interval(values: npt.NDArray[np.float64]) -> dict[str, float] | None:
    """Mean with its 95 % percentile bootstrap interval. Pairs stay together: each value is one face's difference."""
    if not len(values):
        return None
    rng = np.random.default_rng(0)
    means = [rng.choice(values, len(values)).mean() for _ in range(_RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975))
    return asdict(Interval(float(values.mean()), float(low), float(high)))


def _covering(picture: Pixels) -> Pixels:
    """The middle of a picture, scaled to fill a scene."""
    zoom = max(_HEIGHT / picture.shape[0], _WIDTH / picture.shape[1])
    size = math.ceil(picture.shape[1] * zoom), math.ceil(picture.shape[0] * zoom)
    filled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
    top, left = (filled.shape[0] - _HEIGHT) // 2, (filled.shape[1] - _WIDTH) // 2
    return np.asarray(filled[top : top + _HEIGHT, left : left + _WIDTH], np.uint8)


if __name__ == "__main__":
    main()
