"""Honest numbers for a model: `evaluate()` is what the command line and the notebooks call.

A model has two answers and each is measured against its own truth: the label head against FER2013's labels, the figure
that others report, and the people head, which is what femr shows, against the ten votes a face of FER+.

One rule keeps the numbers honest: a model's config lists the splits it learned from, `evaluate` refuses those, and
temperatures and thresholds come from PublicTest by a network that did not learn from it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from femr.engine.keras import KerasNetwork
from femr.errors import ModelError
from femr.expression import weights
from femr.expression.calibration import Calibration, apply_temperature
from femr.expression.classifier import Classifier
from femr.expression.facts import Measures, ModelFacts
from femr.files import make_folder, sha256
from femr.results import EMOTIONS
from femr.training import data, metrics, plots
from femr.training.checkpoint import CALIBRATION, RunConfig
from femr.training.data import PRIVATE_TEST, PUBLIC_TEST, SPLITS, TRAINING, FaceData, Mask, Splits
from femr.training.network import NETWORK_FILES, Heads, adapted, load_file, predict

_UNTUNED_THRESHOLD = 0.5  # for "unsure", of a model that has none and cannot be given one for want of PublicTest


@dataclass(frozen=True, slots=True)
class Tuning:
    """What PublicTest decides: temperature and threshold of the label head, and those of the people head."""

    label_temperature: float
    label_threshold: float
    calibration: Calibration
    unsure_threshold: float


class Predictions(NamedTuple):
    """Both heads' probabilities of faces as they are, and of their mirror images."""

    plain: Heads
    mirrored: Heads

    @property
    def mean(self) -> Heads:
        """The average of both, the test-time augmentation of inference."""
        return Heads(*(np.add(self.plain, self.mirrored) / 2))


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """A network and what is known of it. It predicts the same faces once only."""

    facts: ModelFacts
    network: keras.Model
    _known: dict[FaceData, Predictions] = field(default_factory=dict)

    def predict(self, faces: FaceData) -> Predictions:
        """Both heads' probabilities of faces and of their mirror images."""
        if faces not in self._known:
            both = faces.images, np.ascontiguousarray(faces.images[:, :, ::-1])
            form = self.facts.side, self.facts.low, self.facts.high
            self._known[faces] = Predictions(*(predict(self.network, images, *form) for images in both))
        return self._known[faces]


@dataclass(frozen=True, eq=False, slots=True)
class Model:
    """One network or several whose predictions are averaged."""

    facts: ModelFacts
    networks: tuple[Network, ...]

    def predict(self, faces: FaceData) -> Predictions:
        """The mean of the networks' predictions."""
        return Predictions(*(Heads(*view) for view in np.mean([one.predict(faces) for one in self.networks], axis=0)))

    def classifier(self, balance: float | None = None) -> Classifier:
        """What an Analyzer reads faces with. Raises ModelError if the balance cannot be."""
        return Classifier(self.facts, [(one.facts, KerasNetwork(one.network)) for one in self.networks], balance)


def find_model(name: str, probe: FaceData) -> Model:
    """The model of that name or path, loaded. Raises ModelError if there is none, or a damaged one or of another kind.

    `probe`: labelled faces that tell an unknown network's input.
    """
    if name in weights.MODEL_NAMES:
        facts = weights.load_facts(name)
        networks = (Network(*weights.load_network(one)) for one in facts.members or (name,))
        return combine(facts, tuple(networks))
    path = Path(name)
    if path.suffix.lower() not in NETWORK_FILES and not os.path.exists(path):  # noqa: PTH110 - without an error
        weights.check_name(name)
    (network, form), run = adapted(load_file(path), probe), RunConfig.beside(path)
    facts = ModelFacts(
        name=path.stem,
        title=path.stem,
        files={path.name: sha256(path)},
        **form._asdict(),
        calibration=Calibration(),
        label_temperature=1.0,
        unsure_threshold=_UNTUNED_THRESHOLD,
        # the network before a finish lies beside it, and learned from Training alone
        trained_on=run.trained_on if run and path.name != CALIBRATION else (TRAINING,),
    )
    return Model(facts, (Network(facts, network),))


def combine(facts: ModelFacts, networks: tuple[Network, ...]) -> Model:
    """One of femr's own models: the network itself, or the members of an ensemble with all their files and splits."""
    learned = {split for one in networks for split in one.facts.trained_on}
    files = {file: digest for one in networks for file, digest in one.facts.files.items()}
    trained_on = tuple(split for split in SPLITS if split in learned)
    return Model(replace(facts, files=files, trained_on=trained_on), networks)


def evaluate(
    model: str,
    source: str | Path | Splits,
    split: str = PRIVATE_TEST,
    pictures: Path | None = None,
    balance: float | None = None,
) -> Measures:
    """All measures of a model on one split that it did not learn from.

    Args:
        model: A model's name, "ensemble", or the path of anybody's network, as `network.load_file` takes it.
        source: FER2013 in any shape that `data.load` reads, or what it gave.
        pictures: A folder for confusion matrices, reliability diagram and risk-coverage curve as PNG, or None.
        balance: Of the people head's answers, see `calibration.Calibration`; None is the model's own.

    Raises:
        DataError: When the data cannot be read or lack the split.
        ModelError: When there is no such model, or it learned from the split.
    """
    Calibration(balance=balance or 0.0)  # a wrong one is said before the data are read
    splits = source if isinstance(source, Mapping) else data.load(source)
    found = find_model(model, splits.get(PUBLIC_TEST, data.split_named(splits, split)))
    return measure_model(found, splits, split, tune(found, splits, balance), pictures)


def measure_model(model: Model, splits: Splits, split: str, tuning: Tuning, pictures: Path | None = None) -> Measures:
    """The same for a model that is loaded and tuned."""
    if split in model.facts.trained_on:
        raise ModelError(f"Expected a split that {model.facts.name} did not learn from. Received: {split}")
    faces = data.split_named(splits, split)
    predictions = model.predict(faces)
    new = data.unseen(faces, [splits[name] for name in model.facts.trained_on if name in splits])
    measured = measure(predictions, faces, new, tuning)
    measured = replace(measured, model=model.facts.name, split=split, weights_sha256=dict(model.facts.files))
    if pictures is not None:
        make_folder(pictures)
        _draw(measured, predictions, faces, tuning, pictures)
    return measured


def tune(model: Model, splits: Splits, balance: float | None = None) -> Tuning:
    """Temperatures and thresholds from PublicTest; the model's own where that is missing or was learned from."""
    facts, public = model.facts, splits.get(PUBLIC_TEST)
    wanted = facts.calibration if balance is None else replace(facts.calibration, balance=balance)
    own = Tuning(facts.label_temperature, facts.unsure_threshold, wanted, facts.unsure_threshold)
    if public is None or PUBLIC_TEST in model.facts.trained_on:
        return own
    labels, people = model.predict(public).mean
    temperature = metrics.fit_temperature(labels, np.eye(len(EMOTIONS))[public.labels])
    calibrated = apply_temperature(labels, temperature)
    threshold = metrics.abstain_threshold(calibrated.max(axis=1), metrics.hits(calibrated, public.labels))
    if public.votes is None or not data.majority(public.votes)[1].any():
        return replace(own, label_temperature=temperature, label_threshold=threshold)
    return Tuning(temperature, threshold, *metrics.tune(people, public.votes, wanted.balance))


def measure(predictions: Predictions, faces: FaceData, new: Mask, tuning: Tuning) -> Measures:
    """The measures of some faces from both heads' predictions. `new`, bool (n,): pixels not in the training data."""
    labels, votes, (mirrored, people) = faces.labels, faces.votes, predictions.mean
    calibrated = apply_temperature(mirrored, tuning.label_temperature)
    right, right_mirrored = metrics.hits(predictions.plain.labels, labels), metrics.hits(mirrored, labels)
    matrix = metrics.confusion_matrix(calibrated.argmax(axis=1), labels)
    crowd, agreed = (labels, np.zeros(len(labels), bool)) if votes is None else data.majority(votes)
    told = None if votes is None else metrics.measure_people(people, votes, tuning.calibration, tuning.unsure_threshold)
    return Measures(
        model="",
        split="",
        images=len(faces),
        accuracy=metrics.interval(right),
        accuracy_mirrored=metrics.interval(right_mirrored),
        accuracy_deduplicated=metrics.interval(right[new]),
        accuracy_mirrored_deduplicated=metrics.interval(right_mirrored[new]),
        ferplus_accuracy=metrics.interval(metrics.hits(mirrored, crowd)[agreed]),
        macro_f1=metrics.macro_f1(matrix),
        nll=metrics.negative_log_likelihood(calibrated, labels),
        brier=metrics.brier_score(calibrated, labels),
        ece_before=metrics.calibration_error(mirrored.max(axis=1), right_mirrored),
        ece_after=metrics.calibration_error(calibrated.max(axis=1), right_mirrored),
        temperature=tuning.label_temperature,
        unsure_threshold=tuning.label_threshold,
        per_class=metrics.per_class(matrix),
        confusion_matrix=matrix[:, :-1].tolist(),
        people=told,
    )


def _draw(measured: Measures, predictions: Predictions, faces: FaceData, tuning: Tuning, folder: Path) -> None:
    """The label head's confusion; that, calibration and risk of the people head where there are votes to draw by."""
    title, (labels, people) = f"{measured.model}, {measured.split}", predictions.mean
    plots.draw_confusion_matrix(measured.confusion_matrix, folder / "confusion_matrix.png", f"{title}: labels")
    if faces.votes is not None and measured.people and measured.people.images_majority:
        threshold, right, head = tuning.unsure_threshold, "share of voters who agree", f"{title}: people"
        bins = metrics.people_reliability(people, faces.votes, tuning.calibration)
        truth, agreed = data.majority(faces.votes)
        named, truth = tuning.calibration.apply(people)[agreed], truth[agreed]
        plots.draw_confusion_matrix(measured.people.confusion_matrix, folder / "people_confusion_matrix.png", head)
    else:
        threshold, right, head = tuning.label_threshold, "share read right", f"{title}: labels"
        named, truth = apply_temperature(labels, tuning.label_temperature), faces.labels
        bins = metrics.reliability(named.max(axis=1), metrics.hits(named, truth))
    curve = metrics.risk_coverage(named.max(axis=1), metrics.hits(named, truth))
    plots.draw_reliability(bins, folder / "reliability.png", head, right)
    plots.draw_risk_coverage(curve, threshold, folder / "risk_coverage.png", head)
