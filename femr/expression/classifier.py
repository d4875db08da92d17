"""Face crops → what people would say and FER2013's labels, in one batched call for all faces of a picture."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from femr.engine import Network, run
from femr.expression.calibration import Calibration, Probabilities
from femr.expression.facts import ModelFacts
from femr.expression.weights import load_facts, open_network
from femr.faces.boxes import Floats
from femr.faces.crop import Pixels, to_batch
from femr.results import EmotionScores, Reading

_VIEWS = 256  # read at once: 28 MB of input, whatever the number of faces


class Classifier:
    """One network, or several whose answers are averaged; `classify` may be called from several threads.

    Args:
        facts: The model's, with the calibrations of its answers.
        networks: One or more, each with its own facts. One output is the answer of both heads.
        balance: 0 (off) to 1, instead of that in the facts, see `calibration.Calibration`.

    Raises:
        ModelError: The balance is out of range.
    """

    def __init__(
        self, facts: ModelFacts, networks: Sequence[tuple[ModelFacts, Network]], balance: float | None = None
    ) -> None:
        self.facts = facts
        self.calibration = _balanced(facts.calibration, balance)
        self._networks = tuple(networks)

    def classify(self, faces: Sequence[Pixels]) -> list[Reading]:
        """What is read from each face, given as one or more gray views: uint8 (views, 48, 48) a face."""
        if not len(faces):
            return []
        labels, people = self._means(faces)
        scores, shares = self.calibration.apply(people), replace(self.calibration, balance=0.0).apply(people)
        label_scores = Calibration(self.facts.label_temperature).apply(labels)
        return [Reading(*row) for row in zip(*map(_to_scores, (scores, shares, label_scores)), strict=True)]

    def _means(self, faces: Sequence[Pixels]) -> tuple[Probabilities, Probabilities]:
        """Both heads' uncalibrated means over networks and views: the labels' and the people's, (n, 7) each."""
        views, counts = np.concatenate(faces), np.array([len(face) for face in faces])
        answers = np.stack([_read(views, *network) for network in self._networks])  # (networks, views, heads, 7)
        labels, people = np.moveaxis(_mean_of_views(answers.mean(axis=0), counts), 1, 0)
        return labels, people


def _read(views: Pixels, facts: ModelFacts, network: Network) -> Floats:
    """Both heads' probabilities, float32 (n, 2, 7), of gray views uint8 (n, 48, 48)."""
    parts = (views[at : at + _VIEWS] for at in range(0, len(views), _VIEWS))
    answers = [run(network, to_batch(part, facts.side, facts.low, facts.high)) for part in parts]
    return np.concatenate([np.stack([heads[0], heads[-1]], axis=1) for heads in answers])


def load_classifier(name: str, balance: float | None = None, engine: str | None = None) -> Classifier:
    """The classifier of that name or address on the Hub, ready to use.

    Args:
        balance: How readily rare expressions such as disgust are named: 0 (off) to 1, None for the model's own, see
            `calibration.Calibration`. The threshold under which a face counts as unsure stays the one fitted with that.
        engine: What runs the networks, see `engine.choose`.

    Raises:
        ModelError: There is no such model, or its weights are missing or damaged.
    """
    facts = load_facts(name)
    _balanced(facts.calibration, balance)  # before the weights are looked for
    return Classifier(facts, [open_network(one, engine) for one in facts.members or (facts.address,)], balance)


def _balanced(calibration: Calibration, balance: float | None) -> Calibration:
    return calibration if balance is None else replace(calibration, balance=balance)


def _mean_of_views(values: Probabilities, counts: npt.NDArray[np.int64]) -> Probabilities:
    """The means (n, ...) of each face's views, the first `counts[0]` of values (views, ...) being the first face's."""
    sums = np.add.reduceat(values, np.cumsum(counts) - counts)
    return np.asarray(sums / counts.reshape(-1, *(1,) * (values.ndim - 1)))


def _to_scores(probabilities: Probabilities) -> list[EmotionScores]:
    return [EmotionScores(tuple(float(p) for p in row)) for row in probabilities]
