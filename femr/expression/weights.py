"""Which models there are, what is known of each, and where its weights come from.

`models/<name>.json` holds a model's facts and the SHA-256 of each of its files; nothing is deserialised before its
SHA-256 was checked against them. The files are taken from `models/` when they are there, else from the Hub repository
and the full commit in the facts' `hub` entry.

The environment can change that:
FEMR_WEIGHTS: "auto" (as above, the default), "local" (models/ only) or "hub" (the Hub only).
FEMR_HUB_REPO: a Hub repository to use instead, with its own <name>.json: whoever names it trusts it.
FEMR_HUB_REVISION: its branch, tag or commit, "main" by default. A full commit that is in the cache needs no network.
"""

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from femr import assets
from femr.errors import ModelError
from femr.expression.calibration import Calibration
from femr.hub.client import COMMIT, download
from femr.results import EMOTIONS

if TYPE_CHECKING:  # loads TensorFlow, and asking for the facts should not
    import keras

MODELS_DIR = assets.folder("models")
MODEL_NAMES = ("mobilenet_v2", "custom_cnn", "ensemble")
DEFAULT_MODEL = "ensemble"
SHARD_BYTES = 10_000_000
"""Weights are cut into files of about this size: a plain git push to a Space refuses files over 10 MiB."""

HEADS = ("scores", "people")
"""A network's outputs, in this order: FER2013's label, and what people would say. One that has one gives it as both."""

_SOURCES = ("auto", "local", "hub")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ModelFacts:
    """What inference and the page need to know of a model.

    files: name → SHA-256; the first one is the one to load. Empty for an ensemble, which has `members` instead.
    side, low, high: the network's input side in pixels, and its values for black and white.
    calibration: of the people head. label_temperature: of the label head.
    unsure_threshold: a face whose top probability, calibrated and balanced, is below it counts as unclear.
    scores: measured results, by split. document: the whole JSON.
    """

    name: str
    title: str
    files: Mapping[str, str]
    members: tuple[str, ...]
    side: int
    low: float
    high: float
    calibration: Calibration
    label_temperature: float
    unsure_threshold: float
    scores: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    document: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def accuracy(self) -> float | None:
        """Share of FER2013's PrivateTest faces read right, averaged over both mirror images; None if not measured."""
        measured = self.scores.get("PrivateTest", {}).get("accuracy_mirrored")
        return None if measured is None else float(measured["value"])


def check_name(name: str) -> str:
    """The name itself. Raises: ModelError if there is no such model."""
    if name not in MODEL_NAMES:
        raise ModelError(f"Expected a model named {', '.join(MODEL_NAMES)}. Received: {name}")
    return name


def load_facts(name: str) -> ModelFacts:
    """The facts of a model, from the place its weights would come from, without loading it. Raises: ModelError."""
    return _find(check_name(name))[0]


def read_facts(path: Path) -> ModelFacts:
    """The facts in a JSON file.

    Raises: ModelError if it is missing, damaged, made for other expressions, or lacks a calibration that can be.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if tuple(document["labels"]) != tuple(EMOTIONS):
            raise ModelError(f"{path.name} is for other expressions than {', '.join(EMOTIONS)}.")
        size = document.get("input", {"side": 0, "low": 0.0, "high": 1.0})
        facts = ModelFacts(
            name=document["name"],
            title=document["title"],
            files=document.get("files", {}),
            members=tuple(document.get("members", ())),
            side=int(size["side"]),
            low=float(size["low"]),
            high=float(size["high"]),
            calibration=_calibration(document, path.name),
            label_temperature=float(document["label_temperature"]),
            unsure_threshold=float(document["unsure_threshold"]),
            scores=document.get("scores", {}),
            document=document,
        )
        if facts.name != path.stem or not _plausible(facts):
            raise ValueError(f"{path.name} contradicts itself")
        return facts
    except FileNotFoundError:
        missing = (
            f"The model's facts, {path.name}, are missing." if path.parent.is_dir() else assets.missing(path.parent)
        )
        raise ModelError(missing) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"The model's facts, {path.name}, are damaged.") from error


def locate(name: str) -> tuple[Path, ModelFacts]:
    """The folder with a model's files, every one checked against its SHA-256, and the facts. Raises: ModelError."""
    facts, hub = _find(check_name(name))
    if hub is None and _source() != "hub":
        missing = _missing(facts)
        if not missing:
            verify(MODELS_DIR, facts)
            return MODELS_DIR, facts
        if _source() == "local":
            raise ModelError(f"The weights of {facts.title} are missing: {', '.join(missing)}.")
    repo, commit = hub or _hub_entry(facts)
    return _fetch(repo, commit, facts), facts


def load_network(name: str) -> tuple[ModelFacts, "keras.Model"]:
    """A single network with its trained weights, and its facts. Raises: ModelError, whatever goes wrong."""
    folder, facts = locate(name)
    entry = next(iter(facts.files), None)
    if entry is None:
        raise ModelError(f"{facts.title} is not a single network.")
    return facts, _deserialise(folder / entry, facts)


def save_network(network: "keras.Model", name: str, folder: Path) -> dict[str, str]:
    """Write a network's weights in half precision, in files of about SHARD_BYTES: file name → SHA-256, for the facts.

    float16 keeps the probabilities to about 0.001; the first file is the one to load.
    """
    import keras

    from femr.expression.networks import BUILDERS

    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float16")
    try:
        half = BUILDERS[name]()
    finally:
        keras.config.set_dtype_policy(previous)
    half.set_weights(network.get_weights())
    for old in (*folder.glob(f"{name}*.weights.*"), *folder.glob(f"{name}.keras")):
        old.unlink()
    index = folder / f"{name}.weights.json"
    half.save_weights(index, max_shard_size=SHARD_BYTES / 2**30)  # Keras counts in GiB
    shards = sorted(folder.glob(f"{name}_*.weights.h5"))
    return {path.name: sha256(path) for path in (index, *shards)}


def sha256(path: Path) -> str:
    """A file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(folder: Path, facts: ModelFacts) -> None:
    """Return if a folder holds the very files of the facts. Raises: ModelError."""
    for file, expected in facts.files.items():
        if sha256(folder / file) != expected:
            raise ModelError(f"The weights of {facts.title} are damaged: {file} is not the file that was published.")


def _calibration(document: Mapping[str, Any], file: str) -> Calibration:
    """The calibration in a model's facts. Raises: ModelError if there is none, or one that cannot be."""
    found = document.get("calibration")
    if not found:
        raise ModelError(f"Expected {file} to have a calibration: temperature and balance. Received: none")
    try:
        return Calibration(float(found["temperature"]), float(found["balance"]))
    except ModelError as error:
        raise ModelError(f"{error} (in {file})") from None


def _plausible(facts: ModelFacts) -> bool:
    # file names must be plain: facts may come from the Hub, and a path could lead out of the folder
    files = all(Path(file).name == file and _SHA256.fullmatch(digest) for file, digest in facts.files.items())
    numbers = 0 < facts.label_temperature < math.inf and 0 <= facts.unsure_threshold <= 1
    return files and numbers and set(facts.members) <= set(MODEL_NAMES)


def _source() -> str:
    source = os.environ.get("FEMR_WEIGHTS") or "auto"
    if source not in _SOURCES:
        raise ModelError(f"Expected FEMR_WEIGHTS to be {', '.join(_SOURCES)}. Received: {source}")
    return source


def _missing(facts: ModelFacts) -> list[str]:
    return [file for file in facts.files if not (MODELS_DIR / file).is_file()]


def _find(name: str) -> tuple[ModelFacts, tuple[str, str] | None]:
    """A model's facts and, where they are those of FEMR_HUB_REPO, that repository and the commit they are from."""
    source, repo = _source(), os.environ.get("FEMR_HUB_REPO")
    path = MODELS_DIR / f"{name}.json"
    if not repo or source == "local":
        return read_facts(path), None
    if source == "auto" and path.is_file():
        facts = read_facts(path)
        if not _missing(facts):
            return facts, None
    path = download(repo, os.environ.get("FEMR_HUB_REVISION") or "main", f"{name}.json")
    return read_facts(path), (repo, path.parent.name)


def _hub_entry(facts: ModelFacts) -> tuple[str, str]:
    """The repository and commit in the facts. Raises: ModelError if there is none, or something that can move."""
    entry = facts.document.get("hub") or {}
    repo, revision = entry.get("repo"), entry.get("revision")
    if not repo:
        raise ModelError(f"The weights of {facts.title} are not in models/, and FEMR_HUB_REPO names no Hub repository.")
    if not COMMIT.fullmatch(str(revision)):
        raise ModelError(f"Expected {facts.name}.json to name a full Hub commit of 40 digits. Received: {revision}")
    return str(repo), str(revision)


def _fetch(repo: str, commit: str, facts: ModelFacts) -> Path:
    """The Hub cache's folder with a model's files, every one checked."""
    folder = MODELS_DIR
    for file, expected in facts.files.items():
        path = download(repo, commit, file)
        if sha256(path) != expected:  # a damaged cache heals by a second download; damaged at the source, it stays so
            path = download(repo, commit, file, force=True)
        folder = path.parent
    verify(folder, facts)
    return folder


def _deserialise(path: Path, facts: ModelFacts) -> "keras.Model":
    import keras

    from femr.expression.networks import BUILDERS

    try:
        if path.suffix == ".keras":
            network = keras.saving.load_model(path, compile=False, safe_mode=True)
        else:
            network = BUILDERS[facts.name]()
            network.load_weights(path)
        shape, heads = network.input_shape[1:], _heads(network)
    except Exception as error:  # Keras lets through whatever its parsers of zip, JSON and HDF5 raise
        raise ModelError(f"The weights of {facts.title} cannot be read.") from error
    if shape != (facts.side, facts.side, 3):
        raise ModelError(f"The weights of {facts.title} are those of another network.")
    if set(heads.values()) != {(len(EMOTIONS),)} or (len(heads) > 1 and tuple(heads) != HEADS):
        wanted = f"{len(EMOTIONS)} scores, once or as {' and '.join(HEADS)}"
        found = ", ".join(f"{'×'.join(map(str, size))} {name}" for name, size in heads.items())
        raise ModelError(f"Expected the weights of {facts.title} to give {wanted}. Received: {found}")
    return network


def _heads(network: "keras.Model") -> dict[str, tuple[int, ...]]:
    """The name of each output → its shape without the batch, in their order."""
    names = getattr(network, "output_names", None) or [network.name]  # a Sequential has no names for its one output
    return {name: tuple(output.shape[1:]) for name, output in zip(names, network.outputs, strict=True)}
