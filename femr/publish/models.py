"""Finished runs become models: calibrated and measured with what is there, their weights in models/.

A run's folder holds run.json and final.keras. A run that learned from PublicTest also holds calibration.keras, the
network that had not yet: on PublicTest that one is asked instead, for temperatures, thresholds, the balance and the
scores told, because a network is right and sure on faces it learned from.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np

from femr.errors import DataError, ModelError, plural
from femr.expression import networks, weights
from femr.expression.calibration import Calibration, Probabilities
from femr.expression.facts import Balanced, ModelFacts
from femr.expression.weights import ENSEMBLE
from femr.files import make_folder, sha256, writing
from femr.publish import photos
from femr.publish.export import check_packages, export
from femr.publish.photos import Curve, Photos, Readings
from femr.publish.text import run_sentence
from femr.results import EMOTIONS
from femr.training import data, metrics, plots
from femr.training.checkpoint import CALIBRATION, CONFIG, CURVES, FINAL, RunConfig
from femr.training.data import PRIVATE_TEST, PUBLIC_TEST, FaceData
from femr.training.evaluate import Model, Network, combine, find_model, measure_model, tune
from femr.training.network import load_file

MEMBERS = tuple(sorted(networks.NETWORKS))
_ALL = (*MEMBERS, ENSEMBLE)

_UNTUNED = {
    "calibration": {"temperature": 1.0, "balance": 0.0},
    "label_temperature": 1.0,
    "unsure_threshold": 0.0,
}


@dataclass(eq=False, slots=True)
class Bench:
    """What models are measured with, all of it read once, however many they are.

    splits: FER2013's, with votes. photos: To measure and choose the balance by, or None.

    Raises:
        DataError: Without PublicTest or votes.
    """

    splits: Mapping[str, FaceData]
    photos: Photos | None = None
    detector: Any = None

    def __post_init__(self) -> None:
        votes = self.public.votes
        if votes is None or not data.majority(votes)[1].any():
            raise DataError(
                "Expected data with FER+ votes: what a model shows is what people say. Received: PublicTest without any"
            )

    @property
    def public(self) -> FaceData:
        """PublicTest. Raises DataError if it is missing."""
        return data.split_named(self.splits, PUBLIC_TEST)

    def crowd(self, model: Model) -> tuple[Probabilities, metrics.Labels]:
        """What the people head says of PublicTest's faces with a majority, and what that majority says."""
        seen, agreed = data.majority(np.asarray(self.public.votes))
        return model.predict(self.public).mean.people[agreed], seen[agreed]

    def read_photos(self, model: Model) -> Readings | None:
        """What a model says of the photos; None without any."""
        if self.photos is None:
            return None
        self.detector = self.detector or photos.own_detector()
        return photos.read(model, self.photos, self.detector)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to be measured: what ships, and the same before it learned from PublicTest.

    before: None where that is not known any more; then calibration and PublicTest's scores stay as they are.
    folder: The run's; None for what was published before.
    """

    model: Model
    before: Model | None
    folder: Path | None = None

    @property
    def facts(self) -> ModelFacts:
        """What is known of it so far."""
        return self.model.facts


def publish(
    sources: Sequence[str | Path], bench: Bench, *, force: bool = False, notes: Sequence[str] = ()
) -> list[Path]:
    """The configs written to models/: those of the sources, and the ensemble's. All of it, or what was there stays.

    Args:
        sources: Finished runs' folders; or the names of models, to measure them anew with the calibration they have.
        force: Publish what is worse on PublicTest than the model that is there, too. What counts is the mean of the
            accuracies on labels and on FER+ majorities.
        notes: Sentences on the runs, for the card.

    Raises:
        ModelError: For a run that is worse, not finished, has other heads or lacks its calibration network; for two
            runs of a network; and where the packages that export networks are not installed.
        DataError: When a file cannot be written.
    """
    folders = [Path(source) for source in sources if str(source) not in _ALL or Path(source, CONFIG).is_file()]
    names = [str(source) for source in sources if Path(source) not in folders]
    if folders:
        check_packages()
    runs = [_open_run(folder, notes) for folder in folders]
    members = {run.facts.name: run for run in runs}
    if len(members) < len(runs):
        ((title, count),) = Counter(run.facts.title for run in runs).most_common(1)
        raise ModelError(f"Expected one run of each network. Received: {plural(count, 'run')} of {title}")
    for run in runs:
        if not force:
            _check_better(run, bench)
    for name in MEMBERS:
        if name not in members:
            members[name] = _open_published(name, bench)
    forgotten = [one.facts.title for one in members.values() if one.before is None]
    if runs and forgotten:
        raise ModelError(
            f"Expected the runs of both networks, by which the ensemble is calibrated. Received: none of "
            f"{forgotten[0]}, which learned from {PUBLIC_TEST}"
        )
    candidates = {run.facts.name: run for run in runs} | {name: members[name] for name in names if name in MEMBERS}
    candidates[ENSEMBLE] = _ensemble([members[name] for name in MEMBERS])
    with writing(weights.MODELS_DIR), TemporaryDirectory(prefix=".writing-", dir=weights.MODELS_DIR) as place:
        for candidate in candidates.values():
            _write(candidate, _measure(candidate, bench, Path(place)), Path(place))
        return _install(Path(place), candidates, [run.facts.name for run in runs])


def _open_run(folder: Path, notes: Sequence[str]) -> Candidate:
    """A finished run, its networks loaded. Raises ModelError."""
    run = RunConfig.read(folder)
    run = replace(run, notes=(*run.notes, *(note for note in notes if note not in run.notes)))
    name = run.network
    if not (folder / FINAL).is_file():
        raise ModelError(f"Expected a finished training run. Received: one without {FINAL}")
    network = load_file(folder / FINAL)
    if tuple(network.output_names) != networks.HEADS:
        heads = " and ".join(network.output_names)
        raise ModelError(f"Expected a network with the heads {' and '.join(networks.HEADS)}. Received: {heads}")
    # weights ship in half precision, and that is what is measured
    network.set_weights([np.asarray(one, np.float32) for one in weights.in_half_precision(network, name).get_weights()])
    before = folder / FINAL
    if PUBLIC_TEST in run.trained_on:
        before = folder / CALIBRATION
        if not before.is_file() or sha256(before) == sha256(folder / FINAL):
            raise ModelError(
                f"Expected {CALIBRATION} beside {FINAL}: the network before it learned from {PUBLIC_TEST}. "
                f"Received: {'the same network' if before.is_file() else 'none'}"
            )
    facts = ModelFacts.from_dict(_document(name, run, network), name)
    earlier = network if before.name == FINAL else load_file(before)
    known = replace(facts, trained_on=(data.TRAINING,), files={before.name: sha256(before)})
    return Candidate(Model(facts, (Network(facts, network),)), Model(known, (Network(known, earlier),)), folder)


def _open_published(name: str, bench: Bench) -> Candidate:
    """A model of models/, its network loaded. Raises ModelError."""
    model = find_model(name, bench.public)
    return Candidate(model, None if PUBLIC_TEST in model.facts.trained_on else model)


def _ensemble(members: Sequence[Candidate]) -> Candidate:
    """The mean of both networks; before: of both as they were, if that is known."""
    path = weights.MODELS_DIR / f"{ENSEMBLE}.json"
    learned = {split for member in members for split in member.facts.trained_on}
    titles = " and ".join(member.facts.title for member in members)
    known = weights.read_facts(path).document if path.is_file() else _UNTUNED
    document = {
        **known,
        "name": ENSEMBLE,
        "title": "Ensemble of both",
        "labels": [str(emotion) for emotion in EMOTIONS],
        "members": list(MEMBERS),
        "parameters": sum(member.facts.parameters or 0 for member in members),
        "people_parameters": sum(member.facts.people_parameters or 0 for member in members),
        "files": {},
        "training": f"The mean of the probabilities of {titles}; nothing was trained for it.",
        "trained_on": [split for split in data.SPLITS if split in learned],
    }
    facts = ModelFacts.from_dict(document, ENSEMBLE)
    model = combine(facts, tuple(network for member in members for network in member.model.networks))
    befores = [member.before for member in members if member.before is not None]
    if len(befores) < len(members):
        return Candidate(model, None)
    digests = {f"{one.facts.name}, {file}": digest for one in befores for file, digest in one.facts.files.items()}
    earlier = tuple(network for one in befores for network in one.networks)
    return Candidate(model, Model(replace(facts, trained_on=(data.TRAINING,), files=digests), earlier))


def _check_better(run: Candidate, bench: Bench) -> None:
    """Return if a run is as good on PublicTest as the published model. Raises ModelError."""
    path = weights.MODELS_DIR / f"{run.facts.name}.json"
    known = weights.read_facts(path).scores.get(PUBLIC_TEST) if path.is_file() else None
    labels, people = known and known.accuracy_mirrored, known and known.people and known.people.accuracy_unbalanced
    if run.before is None or not (labels and people):
        return
    said, seen = bench.crowd(run.before)
    right = metrics.accuracy(run.before.predict(bench.public).mean.labels, bench.public.labels)
    before, after = (labels.value + people.value) / 2, (right + metrics.accuracy(said, seen)) / 2
    if after < before:
        raise ModelError(
            f"Expected at least {before:.2%} on PublicTest, the mean of labels and FER+ majorities, to replace the "
            f"model. Received: {after:.2%}"
        )


def _measure(candidate: Candidate, bench: Bench, place: Path) -> dict[str, Any]:
    """A model's document, with all that is measured: calibration, thresholds, scores, and what each balance gives.

    Its pictures are drawn in `place`.
    """
    model, before, facts = candidate.model, candidate.before, candidate.facts
    document = dict(facts.document)
    pictures = place / "pictures" / facts.name
    scores = dict(document.get("scores", {}))
    if before is None:
        tuning = tune(model, {})
        readings = bench.read_photos(model)
    else:
        tuning = tune(before, bench.splits, 0.0)
        readings = bench.read_photos(replace(model, facts=replace(model.facts, calibration=tuning.calibration)))
        curves = _curves(before, tuning.calibration, readings, bench)
        chosen = photos.choose_balance(list(curves.values()))
        tuning = tune(before, bench.splits, chosen)
        public = measure_model(before, bench.splits, PUBLIC_TEST, tuning)
        scores[PUBLIC_TEST] = asdict(replace(public, model=facts.name))
        document["balances"] = [
            {"balance": rows[0].balance, **{name: _row(row) for name, row in zip(curves, rows, strict=True)}}
            for rows in zip(*curves.values(), strict=True)
        ]
        make_folder(pictures)
        photos.draw_balances(curves, chosen, pictures / "balances.png", facts.title)
    scores[PRIVATE_TEST] = asdict(measure_model(model, bench.splits, PRIVATE_TEST, tuning, pictures))
    calibration, threshold = tuning.calibration, tuning.unsure_threshold
    document |= {
        "calibration": {"temperature": round(calibration.temperature, 4), "balance": calibration.balance},
        "label_temperature": round(tuning.label_temperature, 4),
        "unsure_threshold": threshold,
        "scores": scores,
    }
    if readings is not None:
        report = photos.measure(facts.name, readings, calibration.balance, threshold)
        document["photos"] = {report.data: report.as_dict()}
    return document


def _curves(before: Model, calibration: Calibration, readings: Readings | None, bench: Bench) -> dict[str, Curve]:
    """What each balance gives, on PublicTest's majorities and, where there are photos, those of the news or all."""
    said, seen = bench.crowd(before)
    curves = {PUBLIC_TEST: photos.balance_curve(calibration.apply(said), seen)}
    if readings is not None:
        shown, news = readings.photos, readings.photos.of(photos.NEWS)
        name, some = (f"{shown.name}, {photos.NEWS}", news) if news.any() else (shown.name, ~news)
        curves[name] = photos.balance_curve(readings.shares[some], shown.labels[some])
    return curves


def _row(row: Balanced) -> dict[str, float | None]:
    return {key: value for key, value in asdict(row).items() if key != "balance"}


def _document(name: str, run: RunConfig, network: keras.Model) -> dict[str, Any]:
    """The facts of a run before it is measured."""
    known, up_to_labels = networks.NETWORKS[name], networks.label_network(network).count_params()
    return {
        "name": name,
        "title": known.title,
        "labels": [str(emotion) for emotion in EMOTIONS],
        "input": {"side": known.side, "low": known.low, "high": known.high},
        "parameters": up_to_labels,
        "people_parameters": network.count_params() - up_to_labels,
        "files": {},
        **_UNTUNED,
        "hub": {"repo": None, "revision": None},
        "training": run_sentence(run),
        "trained_on": list(run.trained_on),
        "run": asdict(run),
    }


def _write(candidate: Candidate, document: dict[str, Any], place: Path) -> None:
    """Writes a model's weights, if they are new, and its facts."""
    name = candidate.facts.name
    if candidate.folder is not None:
        (network,) = candidate.model.networks
        document["files"] = weights.save_network(network.network, name, place)
        document["onnx"] = export(network.network, name, place)
        document["scores"][PRIVATE_TEST]["weights_sha256"] = document["files"]
        history = (document["run"]["before"] or document["run"])["history"]
        if history:
            plots.draw_curves(history, place / "pictures" / name / CURVES)
    if name == ENSEMBLE:  # its members were written before it
        new = [place / f"{one}.json" for one in MEMBERS]
        facts = [weights.read_facts(path if path.is_file() else weights.MODELS_DIR / path.name) for path in new]
        document["scores"][PRIVATE_TEST]["weights_sha256"] = {
            file: digest for one in facts for file, digest in one.files.items()
        }
    text = json.dumps(document, indent=2, ensure_ascii=False)
    (place / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def _install(place: Path, names: Collection[str], renewed: Sequence[str]) -> list[Path]:
    """Moves all that was written into models/, the facts last; what is left there of earlier networks goes."""
    folder = weights.MODELS_DIR
    facts = [folder / f"{name}.json" for name in names]
    written = {folder / path.relative_to(place): path for path in place.rglob("*") if path.is_file()}
    for path in [*(written.keys() - set(facts)), *facts]:
        make_folder(path.parent)
        written[path].replace(path)
    kept = {*written, *folder.glob("pictures/*/reference_*.png")}  # those are of the runs in reference/
    for name in renewed:
        for pattern in (f"{name}*.weights.*", f"{name}.keras", f"{name}_*.onnx_data", f"pictures/{name}/*.png"):
            for path in set(folder.glob(pattern)) - kept:
                path.unlink()
    return facts
