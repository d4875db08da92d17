"""Whole photos, each with the expression of one face: what a user meets, detection and cropping included.

A photo is read as the page reads it, by an Analyzer. Of several faces the largest counts, since photos like these are
of one person; one in which no face is found counts as wrong. Photos are for measuring and choosing, never to train on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from femr.errors import DataError, ImageError
from femr.expression.calibration import Calibration
from femr.faces.crop import FACE_SIDE, crop_face
from femr.images import Picture, Pixels, load_picture
from femr.music import MusicLibrary
from femr.results import EMOTIONS, Face, FaceEmotion
from femr.training import balance as balances
from femr.training import metrics, parquet, plots
from femr.training.checkpoint import make_folder
from femr.training.data import FaceData
from femr.training.models import Model, find_model
from femr.training.sources import label_of

if TYPE_CHECKING:  # loads TensorFlow
    from femr.faces.detector import Detector

Report: TypeAlias = dict[str, Any]

NEWS = "news"
"""The source whose photos a balance is chosen by; all, where photos tell no source."""

_AT_ONCE = 8
_PROBE = 64  # photos whose faces tell an unknown network's input range
_SHOWN = 5


@dataclass(frozen=True, eq=False, slots=True)
class Photos:
    """Some labelled photos.

    name: the data set's. files: picture files as bytes. labels: int64 (n,), indices into EMOTIONS. sources: where each
    is from, such as "news"; empty strings where that is not told.
    """

    name: str
    files: tuple[bytes, ...]
    labels: npt.NDArray[np.int64]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    def pictures(self) -> Iterator[Picture]:
        """Each photo. Raises: DataError, with the row, for a file that is no picture."""
        for row, file in enumerate(self.files, start=1):
            try:
                yield load_picture(BytesIO(file))
            except ImageError as error:
                raise DataError(f"Expected pictures. Received: in row {row} none that can be read") from error

    def of(self, source: str) -> npt.NDArray[np.bool_]:
        """Which photos are from a source: bool (n,)."""
        return np.array([one == source for one in self.sources], bool)


@dataclass(frozen=True, eq=False, slots=True)
class Readings:
    """What a model says of some photos.

    shares: calibrated vote shares, not balanced, float64 (n, 7); zeros where no face was found.
    hard: bool (n,), whether a face is unsure for another reason than a low probability.
    """

    shares: npt.NDArray[np.float64]
    hard: npt.NDArray[np.bool_]


def holds_photos(source: str | Path) -> bool:
    """Whether a source is a Parquet file of photos, and not of FER2013's 48×48 faces. Raises: DataError."""
    path = Path(source)
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return False
    first = parquet.first_picture(path)
    try:
        return first is not None and load_picture(BytesIO(first)).size != (FACE_SIDE, FACE_SIDE)
    except ImageError:
        return False


def load(source: str | Path) -> Photos:
    """The photos of a Parquet file: columns image and label, and source if there is one.

    Raises: DataError if it is missing or damaged, and for labels that are none, with the rows.
    """
    path = Path(source)
    files, labels, sources, bad = list[bytes](), list[int](), list[str](), list[str]()
    for where, row in parquet.rows(path):
        try:
            labels.append(label_of(row.label))
        except ValueError as error:
            bad.append(f"{where}: {error}")
        if not isinstance(row.image, bytes):
            bad.append(f"{where}: not a picture")
        files.append(row.image)
        sources.append(row.source or "")
    if bad:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise DataError(f"Expected well-formed rows. Received: {'; '.join(bad[:_SHOWN])}{more}")
    if not files:
        raise DataError(f"Expected photos. Received: none ({path.name})")
    return Photos(path.stem, tuple(files), np.array(labels, np.int64), tuple(sources))


def evaluate(model: str, source: str | Path, balance: float | None = None, pictures: Path | None = None) -> Report:
    """All measures of a model on the photos of a Parquet file, ready for JSON: see `measure`.

    Args: `model`, a name, "ensemble", or somebody's .keras file, which is not calibrated. `balance`, None for the
        model's own. `pictures`, a folder for the confusion matrix and what each balance gives as PNG, or None.
    Raises: DataError, ModelError.
    """
    Calibration(balance=balance or 0.0)  # a wrong one is said before the photos are read
    photos, detector = load(source), own_detector()
    found = find_model(model, _probe(photos, detector))
    facts = found.facts
    chosen = facts.calibration.balance if balance is None else balance
    report = measure(read(found, photos, detector), photos, chosen, facts.unsure_threshold)
    if pictures is not None:
        title, folder = f"{facts.name}, {photos.name}", make_folder(pictures)
        plots.draw_confusion_matrix(np.array(report["confusion_matrix"]), folder / "confusion_matrix.png", title)
        plots.draw_balances({photos.name: report["balances"]}, chosen, folder / "balances.png", facts.name)
    return {"model": facts.name} | report


def read(found: Model, photos: Photos, detector: "Detector") -> Readings:
    """What a model says of each photo. Raises: DataError for a file that is no picture, ModelError."""
    from femr.analyzer import Analyzer

    anyhow = replace(found, facts=replace(found.facts, unsure_threshold=0.0))
    analyzer = Analyzer(detector, anyhow.classifier(), MusicLibrary(()))
    largest = list[FaceEmotion | None]()
    pictures = photos.pictures()
    while some := list(islice(pictures, _AT_ONCE)):
        largest += [max(faces, key=lambda face: face.face.size, default=None) for faces in analyzer.read(some)]
    return Readings(
        np.array([one.vote_shares.probabilities if one else (0.0,) * len(EMOTIONS) for one in largest]),
        np.array([one is not None and one.unsure for one in largest]),
    )


def measure(readings: Readings, photos: Photos, balance: float, threshold: float) -> Report:
    """The measures of photos, ready for JSON.

    Keys: data, images, balance; found, the share with a face; accuracy (both {value, low, high}), mean_recall, and
    natural_mix, the accuracy where expressions are as frequent as `metrics.NATURAL_MIX`; per_class (expression →
    precision, recall, f1, images); confusion_matrix, 7×8 (rows: labels; the last column: no face found); sure, the
    share of photos with a face that is not unsure, and accuracy_sure; balances, see `balance.curve`. A missed face is
    wrong throughout. by_source: the same of each source, where they are told.

    Args: `threshold`, the balanced probability under which a face is unsure.
    """
    rows = {source: photos.of(source) for source in sorted(set(photos.sources)) if source}
    by_source = {source: _measure(readings, photos.labels, some, balance, threshold) for source, some in rows.items()}
    everything = _measure(readings, photos.labels, np.ones(len(photos), bool), balance, threshold)
    return {"data": photos.name, **everything, "by_source": by_source}


def own_detector() -> "Detector":
    """femr's own detector, remembering what it found."""
    from femr.faces.detector import MtcnnDetector

    return RememberingDetector(MtcnnDetector())


class RememberingDetector:
    """A detector that looks at the same picture once only, however many models ask."""

    def __init__(self, detector: "Detector") -> None:
        self._detector = detector
        self._known: dict[int, tuple[Face, ...]] = {}

    def detect(self, pictures: Sequence[Picture], near: Sequence[Face] | None = None) -> list[tuple[Face, ...]]:
        """As in Detector; `near` changes nothing."""
        keys = [hash((picture.size, picture.pixels.tobytes())) for picture in pictures]
        new = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in self._known}
        self._known |= zip(new, self._detector.detect(list(new.values())), strict=True)
        return [self._known[key] for key in keys]


def _probe(photos: Photos, detector: "Detector") -> FaceData:
    """The faces of the first photos, as the crops that a network sees. Raises: DataError if none is found."""
    crops, labels = list[Pixels](), list[int]()
    for picture, label in zip(islice(photos.pictures(), _PROBE), photos.labels, strict=False):
        (faces,) = detector.detect([picture])
        if faces:
            largest = max(faces, key=lambda face: face.size)
            crops.append(crop_face(picture.pixels, largest.scaled(picture.scale)))
            labels.append(label)
    if not crops:
        raise DataError(f"Expected photos with faces. Received: none in the first {min(_PROBE, len(photos))}")
    return FaceData(np.stack(crops), np.array(labels, np.int64))


def _measure(
    readings: Readings, labels: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_], balance: float, threshold: float
) -> Report:
    """The measures of some of the photos."""
    shares, labels = readings.shares[rows], labels[rows]
    answers = balances.named(shares, balance)
    matrix, right, found = metrics.named_matrix(answers, labels), answers == labels, answers < len(EMOTIONS)
    tops = Calibration(balance=balance).apply(shares).max(axis=1)
    sure = found & ~readings.hard[rows] & (tops >= threshold)
    return {
        "images": len(labels),
        "balance": balance,
        "found": metrics.share(found),
        "accuracy": metrics.share(right),
        "mean_recall": metrics.mean_recall(matrix),
        "natural_mix": metrics.natural_mix(matrix),
        "per_class": metrics.per_class(matrix),
        "confusion_matrix": matrix.tolist(),
        "sure": float(sure.mean()),
        "accuracy_sure": metrics.share(right[sure]),
        "balances": balances.curve(shares, labels),
    }
