"""A finished run becomes a model: its weights go to models/, and it is tuned and measured with what is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt

from femr.errors import DataError, ModelError
from femr.expression import weights
from femr.expression.networks import label_network
from femr.training import balance, data, facts, finish, metrics, photos, plots, votes
from femr.training import record as records
from femr.training.answers import Looks
from femr.training.data import FaceData
from femr.training.evaluate import evaluate_model, tune
from femr.training.facts import Facts
from femr.training.models import Model, Networks, find_model
from femr.training.photos import Photos, Readings
from femr.training.prediction import load_file
from femr.training.run import CURVES, FINAL

if TYPE_CHECKING:  # loads OpenCV's and MTCNN's networks
    from femr.faces.detector import Detector

_SCORED = (data.PUBLIC_TEST, data.PRIVATE_TEST)


@dataclass(eq=False, slots=True)
class Bench:
    """What models are measured with, all of it read once, however many they are.

    splits: FER2013's, with votes. photos: to measure and choose the balance by, or None. networks: those in memory.
    crowd: PublicTest's majorities, see `votes.majority`.
    Raises: DataError without PublicTest or votes.
    """

    splits: Mapping[str, FaceData]
    photos: Photos | None = None
    networks: Networks = field(default_factory=dict)
    detector: "Detector | None" = None

    crowd: tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]] = field(init=False)

    def __post_init__(self) -> None:
        cast = self.public.votes
        if cast is None or not votes.majority(cast)[1].any():
            raise DataError(
                "Expected data with FER+ votes: what a model shows is what people say. Received: PublicTest without any"
            )
        self.crowd = votes.majority(cast)

    @property
    def public(self) -> FaceData:
        """PublicTest. Raises: DataError if it is missing."""
        return data.split_named(self.splits, data.PUBLIC_TEST)

    def read_photos(self, found: Model) -> Readings | None:
        """What a model says of the photos; None without any."""
        if self.photos is None:
            return None
        self.detector = self.detector or photos.own_detector()
        return photos.read(found, self.photos, self.detector)


def open_bench(source: str | Path, pictures: Path | None = None) -> Bench:
    """FER2013 and the photos of a Parquet file, read. Raises: DataError."""
    return Bench(data.load(source), None if pictures is None else photos.load(pictures))


def publish(run: Path, bench: Bench, force: bool = False, before: Sequence[Path] = ()) -> Path:
    """The path of the facts of a finished run, whose weights are now in models/, tuned and measured.

    On PublicTest the mean of its two accuracies, labels' and FER+ majorities', must be better than that of the model
    that is there, unless `force` is set, or it finishes the very run that is there. The ensemble's scores are then out
    of date: call `update_scores("ensemble", ...)`.

    Args: `before`, .keras files; for a run that learned from PublicTest the one that it started from is among them, see
        `femr.training.finish`: that is compared, tuned and measured on PublicTest.
    Raises: ModelError if it is not better, not finished or has other heads; DataError.
    """
    record = records.read(run)
    name = record["network"]
    if not (run / FINAL).is_file():
        raise ModelError("Expected a finished training run. Received: one without final.keras")
    start = finish.started_from(record, before)
    looks = find_model(str(start or run / FINAL), bench.public).look(bench.public)
    if not (force or _is_published(name, start)):
        _check_better(name, looks, bench)
    network = load_file(run / FINAL)
    if tuple(network.output_names) != weights.HEADS:
        heads = " and ".join(network.output_names)
        raise ModelError(f"Expected a network with the heads {' and '.join(weights.HEADS)}. Received: {heads}")
    document = _document(name, record, start, network)
    document |= {"files": weights.save_network(network, name, weights.MODELS_DIR)}
    if start is None:
        finish.forget(name)
    else:
        document |= finish.remember(name, start, looks, bench.public)
    facts.write(document)
    bench.networks.pop(name, None)
    return _score(document, bench)


def update_scores(name: str, bench: Bench) -> Path:
    """The path of a model's facts, tuned and measured anew. Raises: ModelError, DataError.

    The ensemble's facts are made wholly anew, from those of its members.
    """
    if name != facts.ENSEMBLE:
        return _score(facts.read(name), bench)
    document = facts.ensemble()
    if not facts.path_of(name).is_file():
        facts.write(document)
    return _score(document, bench)


def _document(name: str, record: records.Record, start: Path | None, network: keras.Model) -> Facts:
    """The facts of a run before its scores."""
    earlier = None if start is None else finish.known(start)
    up_to_labels = label_network(network).count_params()
    told = record | ({"before": earlier} if earlier else {})
    return facts.skeleton(name, told, up_to_labels, network.count_params() - up_to_labels)


def _is_published(name: str, start: Path | None) -> bool:
    """Whether the model in models/ is of the run that ended with the file `start`, or a finish of it."""
    if start is None or not facts.path_of(name).is_file():
        return False
    known = facts.read(name)
    if weights.sha256(start) in known.get(finish.BEFORE, {}).get("weights_sha256", {}).values():
        return True
    run, earlier = known.get("run", {}), finish.known(start)
    return earlier is not None and all(run.get(key) == earlier[key] for key in facts.RUN_KEYS)


def _check_better(name: str, looks: Looks, bench: Bench) -> None:
    """Return if what was said of PublicTest is better than the published model's scores. Raises: ModelError."""
    before = _public_accuracy(name)
    labels, said = looks.mean
    seen, agreed = bench.crowd
    after = (metrics.accuracy(labels, bench.public.labels) + metrics.accuracy(said[agreed], seen[agreed])) / 2
    if before is not None and after <= before:
        raise ModelError(
            f"Expected more than {before:.2%} on PublicTest, the mean of labels and FER+ majorities, to replace the "
            f"model. Received: {after:.2%}"
        )


def _public_accuracy(name: str) -> float | None:
    """The published model's mean of both accuracies; one answer is both where it has no people head."""
    if not facts.path_of(name).is_file():
        return None
    scores = facts.read(name).get("scores", {}).get(data.PUBLIC_TEST, {})
    both = scores.get("accuracy_mirrored"), (scores.get("people") or {}).get("accuracy_unbalanced")
    labels, said = both[0], both[1] or scores.get("ferplus_accuracy")
    return float(labels["value"] + said["value"]) / 2 if labels and said else None


def _score(document: Facts, bench: Bench) -> Path:
    """Tunes and measures a model whose facts and weights are in models/, and writes the facts anew."""
    name = document["name"]
    found = find_model(name, bench.public, bench.networks)
    if data.PUBLIC_TEST in (found.before or found).trained_on:
        raise DataError(f"Expected what {name} said of these faces before its finish. Received: nothing known of it")
    tuning = tune(found, bench.splits, 0.0)
    plain = replace(found, facts=replace(found.facts, calibration=tuning.calibration))
    readings = bench.read_photos(plain)
    curves = _curves(plain, readings, bench)
    chosen = balance.choose(list(curves.values()))
    tuning = tune(found, bench.splits, chosen)
    pictures = facts.picture_folder(name) if plots.available() else None
    scores = {
        split: evaluate_model(found, bench.splits, split, pictures if split == data.PRIVATE_TEST else None, tuning)
        for split in _SCORED
    }
    if pictures:
        _draw(document, curves, chosen, pictures)
    measured: Facts = {
        "calibration": {"temperature": round(tuning.calibration.temperature, 4), "balance": chosen},
        "label_temperature": round(tuning.label_temperature, 4),
        "unsure_threshold": tuning.unsure_threshold,
        "balances": [_joined(rows, list(curves)) for rows in zip(*curves.values(), strict=True)],
        "scores": scores,
        "photos": {},
    }
    if readings is not None and bench.photos is not None:
        report = photos.measure(readings, bench.photos, chosen, tuning.unsure_threshold)
        measured["photos"] = {bench.photos.name: report}
    return facts.write(document | measured)


def _curves(found: Model, readings: Readings | None, bench: Bench) -> dict[str, list[balance.Row]]:
    """What each balance gives, on PublicTest's majorities and, where there are photos, those of the news or all."""
    said = (found.before or found).look(bench.public).mean.people
    seen, agreed = bench.crowd
    curves = {data.PUBLIC_TEST: balance.curve(found.facts.calibration.apply(said[agreed]), seen[agreed])}
    if readings is not None and bench.photos is not None:
        news = bench.photos.of(photos.NEWS)
        some = news if news.any() else ~news
        name = f"{bench.photos.name}, {photos.NEWS}" if news.any() else bench.photos.name
        curves[name] = balance.curve(readings.shares[some], bench.photos.labels[some])
    return curves


def _joined(rows: Sequence[balance.Row], names: Sequence[str]) -> dict[str, Any]:
    """One balance and what it gives on each data set."""
    given = [{key: value for key, value in row.items() if key != "balance"} for row in rows]
    return {"balance": rows[0]["balance"], **dict(zip(names, given, strict=True))}


def _draw(document: Facts, curves: Mapping[str, Sequence[balance.Row]], chosen: float, folder: Path) -> None:
    plots.draw_balances(curves, chosen, folder / "balances.png", document["title"])
    if "run" in document:
        run = document["run"]
        plots.draw_curves(run.get("before", run)["history"], folder / CURVES)
