"""Whole photos, each with the expression of one face: what a user meets, detection and cropping included.

A photo is read as the page reads it, by an Analyzer. Of several faces the largest counts, since photos like these are
of one person; one in which no face is found counts as wrong. Photos are for measuring and for choosing a model's
balance, never to train on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from femr.analyzer import Analyzer
from femr.errors import DataError, ImageError
from femr.expression.calibration import Calibration, Probabilities
from femr.expression.facts import Balanced, PhotoMeasures
from femr.faces.crop import FACE_SIDE, Pixels, crop_face
from femr.faces.detector import Detector
from femr.faces.mtcnn import MtcnnDetector
from femr.files import make_folder
from femr.images import Picture, load_picture
from femr.music import MusicLibrary
from femr.publish.text import PHOTO_SHARES, lines_of, percent
from femr.results import EMOTIONS, Face, FaceEmotion
from femr.training import data, metrics, plots
from femr.training.data import FaceData, Mask
from femr.training.evaluate import Model, find_model
from femr.training.metrics import Labels

Curve: TypeAlias = list[Balanced]

NEWS = "news"
"""The source whose photos a balance is chosen by; all, where photos tell no source."""
BALANCES = tuple(step / 10 for step in range(11))
"""The balances that are tried."""

_COLORS = {"accuracy": "#2F6FC4", "mean_recall": "#D9661F", "natural_mix": "#5E7D1E"}  # of a balance's measures
_AT_ONCE = 8
_PROBE = 64  # photos whose faces tell an unknown network's input span


@dataclass(frozen=True, eq=False, slots=True)
class Photos:
    """Some labelled photos.

    name: The data set's. files: Picture files as bytes. labels: int64 (n,), indices into EMOTIONS. sources: Where each
    is from, such as "news"; empty strings where that is not told.
    """

    name: str
    files: tuple[bytes, ...]
    labels: npt.NDArray[np.int64]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    def pictures(self) -> Iterator[Picture]:
        """Each photo. Raises DataError, with the row, for a file that is no picture."""
        for row, file in enumerate(self.files, start=1):
            try:
                yield load_picture(BytesIO(file))
            except ImageError as error:
                raise DataError(f"Expected pictures. Received: in row {row} none that can be read") from error

    def of(self, source: str) -> Mask:
        """Which photos are from a source: bool (n,)."""
        return np.array([one == source for one in self.sources], bool)


@dataclass(frozen=True, eq=False, slots=True)
class Readings:
    """What a model says of photos.

    shares: Calibrated vote shares, not balanced, float64 (n, 7); zeros where no face was found.
    hard: bool (n,), whether a face is unsure for another reason than a low probability.
    """

    photos: Photos
    shares: npt.NDArray[np.float64]
    hard: Mask


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """The measures of a data set of photos, of all and by source, where sources are told."""

    model: str
    data: str
    everything: PhotoMeasures
    by_source: Mapping[str, PhotoMeasures]

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON."""
        by_source = {source: asdict(one) for source, one in self.by_source.items()}
        return {"model": self.model, "data": self.data, **asdict(self.everything), "by_source": by_source}

    def to_text(self) -> str:
        """The report for a terminal, the measures one a line."""
        everything = self.everything
        lines = [f"{self.model} on {self.data}, {everything.images:,} photos, balance {everything.balance:g}"]
        lines.append("Of several faces in a photo the largest counts; one in which none is found is read wrong.")
        for name, part in {"all": everything, **self.by_source}.items():
            lines += ["", f"{name}: {part.images:,} photos", *lines_of(part, PHOTO_SHARES)]
        lines += ["", "all, by balance: accuracy, mean recall, natural mix"]
        for row in everything.balances:
            lines.append(" ".join([f"{row.balance:4g}", *(f"{percent(share):>8}" for share in row.shares)]))
        return "\n".join(lines)


def holds_photos(source: str | Path) -> bool:
    """Whether a source is a Parquet file of photos, and not of FER2013's 48×48 faces. Raises DataError."""
    path = Path(source)
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return False
    first = data.first_photo(path)
    try:
        return first is not None and load_picture(BytesIO(first)).size != (FACE_SIDE, FACE_SIDE)
    except ImageError:
        return False


def load(source: str | Path) -> Photos:
    """The photos of a Parquet file: columns image and label, and source if there is one.

    Raises:
        DataError: If it is missing or damaged, and for labels that are none, with the rows.
    """
    path = Path(source)
    files, labels, sources, bad = list[bytes](), list[int](), list[str](), list[str]()
    for row in data.parquet_rows(path):
        try:
            labels.append(data.label_of(row.label))
        except ValueError as error:
            bad.append(f"{row.where}: {error}")
        if not isinstance(row.image, bytes):
            bad.append(f"{row.where}: not a picture")
        files.append(row.image)
        sources.append(row.source or "")
    data.check_rows(bad)
    if not files:
        raise DataError(f"Expected photos. Received: none ({path.name})")
    return Photos(path.stem, tuple(files), np.array(labels, np.int64), tuple(sources))


def evaluate(model: str, source: str | Path, balance: float | None = None, pictures: Path | None = None) -> PhotoReport:
    """All measures of a model on the photos of a Parquet file.

    Args:
        model: A name, "ensemble", or somebody's .keras file, which is not calibrated.
        balance: None for the model's own.
        pictures: A folder for the confusion matrix and what each balance gives as PNG, or None.

    Raises:
        DataError: When the photos cannot be read.
        ModelError: When there is no such model.
    """
    Calibration(balance=balance or 0.0)  # a wrong one is said before the photos are read
    photos, detector = load(source), own_detector()
    found = find_model(model, _probe(photos, detector))
    chosen = found.facts.calibration.balance if balance is None else balance
    report = measure(found.facts.name, read(found, photos, detector), chosen, found.facts.unsure_threshold)
    if pictures is not None:
        make_folder(pictures)
        title, measured = f"{report.model}, {photos.name}", report.everything
        plots.draw_confusion_matrix(measured.confusion_matrix, pictures / "confusion_matrix.png", title)
        draw_balances({photos.name: measured.balances}, chosen, pictures / "balances.png", report.model)
    return report


def read(model: Model, photos: Photos, detector: Detector) -> Readings:
    """What a model says of each photo. Raises DataError for a file that is no picture."""
    anyhow = replace(model, facts=replace(model.facts, unsure_threshold=0.0))
    analyzer = Analyzer(detector, anyhow.classifier(), MusicLibrary(()))
    largest = list[FaceEmotion | None]()
    pictures = photos.pictures()
    while some := list(islice(pictures, _AT_ONCE)):
        largest += [max(faces, key=lambda face: face.face.size, default=None) for faces in analyzer.read(some)]
    return Readings(
        photos,
        np.array([one.vote_shares.probabilities if one else (0.0,) * len(EMOTIONS) for one in largest]),
        np.array([one is not None and one.unsure for one in largest]),
    )


def measure(model: str, readings: Readings, balance: float, threshold: float) -> PhotoReport:
    """The measures of photos. `threshold`: the balanced probability under which a face is unsure."""
    photos = readings.photos
    sources = {source: photos.of(source) for source in sorted(set(photos.sources)) if source}
    by_source = {source: _measure(readings, rows, balance, threshold) for source, rows in sources.items()}
    everything = _measure(readings, np.ones(len(photos), bool), balance, threshold)
    return PhotoReport(model, photos.name, everything, by_source)


def named_with(shares: Probabilities, balance: float) -> Labels:
    """The expression that is named, index into EMOTIONS, int (n,); their number where no face was found.

    Args:
        shares: Calibrated vote shares, not balanced; zeros where no face was found.
    """
    return np.where(shares.any(axis=1), Calibration(balance=balance).apply(shares).argmax(axis=1), len(EMOTIONS))


def balance_curve(shares: Probabilities, labels: Labels) -> Curve:
    """What each of BALANCES gives; arguments as in `named_with`."""
    rows = []
    for balance in BALANCES:
        answers = named_with(shares, balance)
        matrix = metrics.confusion_matrix(answers, labels)
        right = float((answers == labels).mean()) if len(labels) else None
        rows.append(Balanced(balance, right, metrics.mean_recall(matrix), metrics.natural_mix(matrix)))
    return rows


def choose_balance(curves: Sequence[Curve]) -> float:
    """The balance with the highest mean of accuracy, mean recall and natural mix over all curves, the least of equals.

    Why the natural mix is in it: docs/decisions/balance.md.
    """
    totals = [sum(sum(share or 0.0 for share in row.shares) for row in rows) for rows in zip(*curves, strict=True)]
    return BALANCES[int(np.argmax(totals))]


def draw_balances(curves: Mapping[str, Curve], chosen: float, path: Path, title: str) -> None:
    """Writes what each balance gives on each data set as PNG, the chosen one marked."""
    with plots.drawing(path, (4.5 * len(curves), 4), len(curves)) as axes:
        for axis, (name, rows) in zip(axes, curves.items(), strict=True):
            for key, color in _COLORS.items():
                values = [getattr(row, key) for row in rows]
                axis.plot([row.balance for row in rows], values, label=key.replace("_", " "), color=color, marker=".")
            axis.axvline(chosen, color="#6B7785", linestyle="--", label=f"chosen: {chosen:g}")
            axis.set(xlabel="balance", ylabel="share", title=f"{title}: {name}")
            axis.grid(alpha=0.3)
            axis.legend()


def own_detector() -> Detector:
    """femr's own detector, which looks at the same picture once only, however many models ask."""
    return CachingDetector(MtcnnDetector())


class CachingDetector:
    """A detector that looks at the same picture once only, however many models ask."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._known: dict[int, tuple[Face, ...]] = {}

    def detect(self, pictures: Sequence[Picture], near: Sequence[Face] | None = None) -> list[tuple[Face, ...]]:
        """As in Detector; `near` changes nothing."""
        keys = [hash((picture.size, picture.pixels.tobytes())) for picture in pictures]
        new = {key: picture for key, picture in zip(keys, pictures, strict=True) if key not in self._known}
        self._known |= zip(new, self._detector.detect(list(new.values())), strict=True)
        return [self._known[key] for key in keys]


def _probe(photos: Photos, detector: Detector) -> FaceData:
    """The faces of the first photos, as the crops that a network sees. Raises DataError if none is found."""
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


def _measure(readings: Readings, rows: Mask, balance: float, threshold: float) -> PhotoMeasures:
    """The measures of some of the photos."""
    shares, labels = readings.shares[rows], readings.photos.labels[rows]
    answers = named_with(shares, balance)
    matrix, right, found = metrics.confusion_matrix(answers, labels), answers == labels, answers < len(EMOTIONS)
    tops = Calibration(balance=balance).apply(shares).max(axis=1)
    sure = found & ~readings.hard[rows] & (tops >= threshold)
    return PhotoMeasures(
        images=len(labels),
        balance=balance,
        found=metrics.interval(found),
        accuracy=metrics.interval(right),
        mean_recall=metrics.mean_recall(matrix),
        natural_mix=metrics.natural_mix(matrix),
        per_class=metrics.per_class(matrix),
        confusion_matrix=matrix.tolist(),
        sure=float(sure.mean()),
        accuracy_sure=metrics.interval(right[sure]),
        balances=balance_curve(shares, labels),
    )
