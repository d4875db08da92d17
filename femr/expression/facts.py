"""What is known of a model, as values: the facts in its JSON, models/<name>.json, with all that was measured of it.

An accuracy is None where there was no face to measure by.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Self, TypeAlias, get_args, get_origin

from femr.engine import Engine
from femr.errors import ModelError
from femr.expression.calibration import Calibration


@dataclass(frozen=True, slots=True)
class Stored:
    """A value that is kept as JSON, by `dataclasses.asdict`."""

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """The value in a document, perhaps another version's.

        What this version does not know is passed over; what that one did not is None, or an empty dictionary.
        """
        return cls(**{one.name: _read(one.type, document.get(one.name)) for one in fields(cls)})


@dataclass(frozen=True, slots=True)
class Interval(Stored):
    """A share from 0 to 1 with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ClassScores(Stored):
    """Precision, recall and F1 of an expression (0 to 1, and 0 for none of a kind) and how many faces show it."""

    precision: float
    recall: float
    f1: float
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleMeasures(Stored):
    """The people head against FER+'s votes, on the faces with three votes or more for the seven.

    Of what is named, calibrated and balanced: accuracy, over the images_majority faces on which over half of all ten
    votes agree; accuracy_ferplus, over images_ferplus, see `metrics.ferplus_majority`; mean_recall, natural_mix,
    per_class and confusion_matrix on those majorities; accuracy_unbalanced, the first with balance 0; agreement, the
    mean share of all ten votes that agree with the answer, and agreement_best, with the best possible one; sure, the
    share of all these faces that reaches unsure_threshold, and accuracy_sure, over the majorities among them.
    Of the vote shares, calibrated and not balanced: cross_entropy with the shares of the votes for the seven, in nats,
    and cross_entropy_least, of those shares themselves; ece_before and ece_after calibration: the gap between their top
    and the share of voters who agree with it; ece_named, the same for the expression that is named.
    """

    images: int
    balance: float
    temperature: float
    unsure_threshold: float
    accuracy: Interval | None
    images_majority: int
    accuracy_unbalanced: Interval | None
    accuracy_ferplus: Interval | None
    images_ferplus: int
    mean_recall: float | None
    natural_mix: float | None
    per_class: dict[str, ClassScores]
    confusion_matrix: list[list[int]]
    cross_entropy: float
    cross_entropy_least: float
    ece_before: float
    ece_after: float
    ece_named: float
    agreement: float
    agreement_best: float
    sure: float
    accuracy_sure: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures(Stored):
    """All measures of a model on one split of FER2013.

    Of the label head against the labels: accuracies of one view and of the mirrored average (both also without faces
    whose pixels are in the training data) and against FER+'s majorities. Of the mirrored average: macro_f1, per_class,
    confusion_matrix (rows: labels); after temperature scaling nll (nats) and brier; ece_before and ece_after it.
    people: the people head's, of the mirrored average; None without votes.
    """

    model: str
    split: str
    images: int
    accuracy: Interval | None
    accuracy_mirrored: Interval | None
    accuracy_deduplicated: Interval | None
    accuracy_mirrored_deduplicated: Interval | None
    ferplus_accuracy: Interval | None
    macro_f1: float
    nll: float
    brier: float
    ece_before: float
    ece_after: float
    temperature: float
    unsure_threshold: float
    per_class: dict[str, ClassScores]
    confusion_matrix: list[list[int]]
    people: PeopleMeasures | None
    weights_sha256: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Balanced(Stored):
    """What a balance gives."""

    balance: float
    accuracy: float | None
    mean_recall: float | None
    natural_mix: float | None

    @property
    def shares(self) -> tuple[float | None, ...]:
        """All three, by which a balance is chosen."""
        return self.accuracy, self.mean_recall, self.natural_mix


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoMeasures(Stored):
    """The measures of some photos; a missed face is wrong throughout.

    natural_mix: The accuracy where expressions are as frequent as `metrics.NATURAL_MIX`. confusion_matrix: 7×8 (rows:
    labels; the last column: no face found). sure: The share of photos with a face that is not unsure.
    """

    images: int
    balance: float
    found: Interval | None
    accuracy: Interval | None
    mean_recall: float | None
    natural_mix: float | None
    per_class: dict[str, ClassScores]
    confusion_matrix: list[list[int]]
    sure: float
    accuracy_sure: Interval | None
    balances: list[Balanced]


Measured: TypeAlias = Measures | PeopleMeasures | PhotoMeasures


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What inference, card and page need to know of a model.

    files: name → SHA-256; the first one is the one to load. Empty for an ensemble, which has `members` instead.
    onnx: the same for the fast engine; empty where it was never exported.
    side, low, high: the network's input side in pixels, and its values for black and white.
    calibration: of the people head. label_temperature: of the label head.
    unsure_threshold: a face whose top probability, calibrated and balanced, is below it counts as unclear.
    parameters: up to the label head; people_parameters: of the people head. trained_on: splits. training: in words.
    scores: by split. photos: by data set and source, "" for all of it. balances: balance → data set → what it gives.
    address: What `load_facts` takes to find the same again: the name, or user/name@commit of a network on the Hub.
    document: the whole JSON.
    """

    name: str
    title: str
    files: Mapping[str, str] = field(default_factory=dict)
    onnx: Mapping[str, str] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    side: int
    low: float
    high: float
    calibration: Calibration
    label_temperature: float
    unsure_threshold: float
    parameters: int | None = None
    people_parameters: int | None = None
    trained_on: tuple[str, ...] = ("Training",)
    training: str = ""
    scores: Mapping[str, Measures] = field(default_factory=dict)
    photos: Mapping[tuple[str, str], PhotoMeasures] = field(default_factory=dict)
    balances: Mapping[float, Mapping[str, Balanced]] = field(default_factory=dict)
    address: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any], file: str) -> Self:
        """The facts in a document, of that name.

        Raises:
            ModelError: There is no calibration, or one that cannot be.
            KeyError, ValueError, TypeError, AttributeError: Something else is missing or of another kind.
        """
        size = document.get("input", {"side": 0, "low": 0.0, "high": 1.0})
        optional = ("files", "onnx", "parameters", "people_parameters", "training")
        return cls(
            name=document["name"],
            title=document["title"],
            members=tuple(document.get("members", ())),
            side=int(size["side"]),
            low=float(size["low"]),
            high=float(size["high"]),
            calibration=_calibration(document, file),
            label_temperature=float(document["label_temperature"]),
            unsure_threshold=float(document["unsure_threshold"]),
            trained_on=tuple(document.get("trained_on", cls.trained_on)),
            scores={split: Measures.from_dict(one) for split, one in document.get("scores", {}).items()},
            photos=dict(_photos(document.get("photos", {}))),
            balances=dict(map(_balance, document.get("balances", ()))),
            address=document["name"],
            document=document,
            **{key: document[key] for key in optional if key in document},
        )

    def files_for(self, engine: Engine) -> Mapping[str, str]:
        """What an engine reads: name → SHA-256, the first one to be opened."""
        return self.onnx if engine == "openvino" else self.files


def _read(told: Any, value: Any) -> Any:
    """A value of the type that is told: a dataclass, perhaps optional, in a list or by name; or as JSON has it."""
    mapping = get_origin(told) is dict
    kind: Any = next((one for one in (told, *get_args(told)) if is_dataclass(one)), None)
    if value is None or kind is None:
        return {} if value is None and mapping else value
    if isinstance(value, list):
        return [kind.from_dict(one) for one in value]
    return {name: kind.from_dict(one) for name, one in value.items()} if mapping else kind.from_dict(value)


def _calibration(document: Mapping[str, Any], file: str) -> Calibration:
    """The calibration in a model's facts. Raises: ModelError if there is none, or one that cannot be."""
    found = document.get("calibration")
    if not found:
        raise ModelError(f"Expected {file} to have a calibration: temperature and balance. Received: none")
    try:
        return Calibration(float(found["temperature"]), float(found["balance"]))
    except ModelError as error:
        raise ModelError(f"{error} (in {file})") from None


def _photos(reports: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], PhotoMeasures]]:
    for name, report in reports.items():
        yield (name, ""), PhotoMeasures.from_dict(report)
        for source, part in sorted(report["by_source"].items(), reverse=True):
            yield (name, source), PhotoMeasures.from_dict(part)


def _balance(row: Mapping[str, Any]) -> tuple[float, dict[str, Balanced]]:
    given = {name: Balanced.from_dict({**row, **one}) for name, one in row.items() if name != "balance"}
    return row["balance"], given
