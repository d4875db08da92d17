"""Which models there are, what is known of each, and where its weights come from.

`models/<name>.json` holds a model's facts and the SHA-256 of each of its files; nothing is deserialised before its
SHA-256 was checked against them. The files are taken from `models/` when they are there, else from the Hub repository
and the full commit in the facts' `hub` entry. FEMR_MODELS_DIR names another folder to use as `models/`.

A network on the Hub, user/name or user/name@revision, is a repository in Keras' own layout with the facts, FACTS, and
the ONNX files beside it, as `femr push` makes it. Of a branch or tag the newest commit counts, or the one that was
fetched last where the Hub cannot be reached; everything then comes from that one commit.
"""

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.client import FORBIDDEN, TOO_MANY_REQUESTS
from pathlib import Path
from typing import TYPE_CHECKING, Any

from femr.engine import Engine, Network, choose, load_keras, open_once
from femr.errors import ModelError, printable
from femr.expression import networks
from femr.expression.facts import ModelFacts
from femr.expression.networks import HEADS
from femr.files import first_damaged, lacking, own_folder, sha256
from femr.results import EMOTIONS

if TYPE_CHECKING:  # loads TensorFlow, and asking for the facts should not
    import keras

MODELS_DIR = Path(os.environ.get("FEMR_MODELS_DIR") or own_folder("models"))
ENSEMBLE = DEFAULT_MODEL = "ensemble"
MODEL_NAMES = (*networks.NETWORKS, ENSEMBLE)
SHARD_BYTES = 10_000_000
"""Weights are cut into files of about this size: a plain git push to a Space refuses files over 10 MiB."""

FACTS = "femr.json"
"""The facts' name in a Hub repository, where config.json is Keras' own."""
REPOSITORY = re.compile(r"(?!.*(--|\.\.|\.git$))[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REFUSALS = {
    401: "the Hub does not accept your token; run `hf auth login` again",
    402: "the Hub asks for a paid plan to create it",
}
_SHA256 = re.compile(r"[0-9a-f]{64}")


def check_name(name: str) -> str:
    """The name itself. Raises: ModelError if there is no such model."""
    if name not in MODEL_NAMES:
        raise ModelError(f"Expected a model named {', '.join(MODEL_NAMES)}. Received: {name}")
    return name


def load_facts(name: str) -> ModelFacts:
    """The facts of a model, by its name or its address on the Hub, without loading it. Raises: ModelError."""
    if "/" not in name:
        return read_facts(MODELS_DIR / f"{check_name(name)}.json")
    repo, at, revision = name.removeprefix("hf://").partition("@")
    if not REPOSITORY.fullmatch(repo) or (at and not revision):
        raise ModelError(f"Expected a Hub repository such as user/name or user/name@revision. Received: {name}")
    path = _download(repo, revision or "main", FACTS)
    return replace(read_facts(path), address=f"{repo}@{path.parent.name}")


def read_facts(path: Path) -> ModelFacts:
    """The facts in a JSON file.

    Raises:
        ModelError: It is missing, damaged, made for other expressions, or lacks a calibration that can be.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if tuple(document["labels"]) != tuple(EMOTIONS):
            raise ModelError(f"{path.name} is for other expressions than {', '.join(EMOTIONS)}.")
        facts = ModelFacts.from_dict(document, path.name)
        known = networks.NETWORKS if path.name == FACTS else (path.stem,)
        if facts.name not in known or not _plausible(facts):
            raise ValueError(f"{path.name} contradicts itself")
        return facts
    except FileNotFoundError:
        missing = f"The model's facts, {path.name}, are missing." if path.parent.is_dir() else lacking(path.parent)
        if not path.parent.is_dir() and os.environ.get("FEMR_MODELS_DIR"):
            missing = f"Expected FEMR_MODELS_DIR to name a folder. Received: {printable(path.parent.name)}"
        raise ModelError(missing) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"The model's facts, {path.name}, are damaged.") from error


def locate(name: str, engine: Engine = "keras") -> tuple[Path, ModelFacts]:
    """The folder with a model's files for an engine, each of the right SHA-256, and the facts. Raises: ModelError."""
    facts = load_facts(name)
    files = facts.files_for(engine)
    if facts.address != facts.name:
        return _fetch(facts, files), facts
    missing = [file for file in files if not (MODELS_DIR / file).is_file()]
    if missing:
        there = _on_the_hub(facts, missing)
        return _fetch(there, there.files_for(engine)), there
    verify(MODELS_DIR, facts, files)
    return MODELS_DIR, facts


def open_network(name: str, asked: str | None = None) -> tuple[ModelFacts, Network]:
    """A single network that is ready to run, and its facts; in memory once, however often it is opened.

    Args:
        asked: See `engine.choose`. None: Keras also where a network was not exported for the fast engine.

    Raises:
        ModelError: Whatever goes wrong.
    """
    facts, chosen = load_facts(name), choose(asked)
    if chosen == "openvino" and not facts.onnx:
        if asked:
            raise ModelError(f"{facts.title} has no file for the engine {asked}: publish it anew, or choose keras.")
        chosen = choose("keras")
    return facts, open_once((chosen, *facts.files_for(chosen).items()), partial(_opened, facts, chosen))


def _opened(facts: ModelFacts, engine: Engine) -> Network:
    if engine == "keras":
        load_keras()
        from femr.engine.keras import KerasNetwork

        return KerasNetwork(load_network(facts.address)[1])
    from femr.engine.openvino import OpenvinoNetwork

    folder, _ = locate(facts.address, engine)
    network = OpenvinoNetwork(folder / next(iter(facts.onnx)))
    _check_shapes(facts, network)
    return network


def load_network(name: str) -> tuple[ModelFacts, "keras.Model"]:
    """A single network as a Keras model with its trained weights, and its facts. Raises: ModelError, as above."""
    folder, facts = locate(name)
    entry = next(iter(facts.files), None)
    if entry is None:
        raise ModelError(f"{facts.title} is not a single network.")
    return facts, _deserialise(folder / entry, facts)


def save_network(network: "keras.Model", name: str, folder: Path) -> dict[str, str]:
    """Write a network's weights in half precision, in files of about SHARD_BYTES: file name → SHA-256, for the facts.

    float16 keeps the probabilities to about 0.001; the first file is the one to load.
    """
    half = in_half_precision(network, name)
    index = folder / f"{name}.weights.json"
    half.save_weights(index, max_shard_size=SHARD_BYTES / 2**30)  # Keras counts in GiB
    shards = sorted(folder.glob(f"{name}_*.weights.h5"))
    return {path.name: sha256(path) for path in (index, *shards)}


def in_half_precision(network: "keras.Model", name: str) -> "keras.Model":
    """The network as `save_network` keeps it: its weights in float16, but for the heads."""
    with networks.dtype_policy("float16"):
        half = networks.NETWORKS[name].build()
    half.set_weights(network.get_weights())
    return half


def verify(folder: Path, facts: ModelFacts, files: Mapping[str, str]) -> None:
    """Return if a folder holds the very files of a model that are told. Raises: ModelError."""
    damaged = first_damaged(folder, files)
    if damaged:
        raise ModelError(f"The weights of {facts.title} are damaged: {damaged} is not the file that was published.")


def _plausible(facts: ModelFacts) -> bool:
    # file names must be plain: facts may come from the Hub, and a path could lead out of the folder
    told = (*facts.files.items(), *facts.onnx.items())
    files = all(Path(file).name == file and _SHA256.fullmatch(digest) for file, digest in told)
    numbers = 0 < facts.label_temperature < math.inf and 0 <= facts.unsure_threshold <= 1
    hub = isinstance(facts.document.get("hub") or {}, dict)
    return files and numbers and hub and set(facts.members) <= set(MODEL_NAMES)


def _on_the_hub(facts: ModelFacts, missing: Iterable[str]) -> ModelFacts:
    """The same network's facts in the repository and commit that the facts name. Raises: ModelError."""
    entry = facts.document.get("hub") or {}
    repo, revision = entry.get("repo"), entry.get("revision")
    if not repo:
        raise ModelError(f"The weights of {facts.title} are missing: {', '.join(missing)}.")
    if not _COMMIT.fullmatch(str(revision)):  # a branch can move
        raise ModelError(f"Expected {facts.name}.json to name a full Hub commit of 40 digits. Received: {revision}")
    there = load_facts(f"{repo}@{revision}")
    if _measured(there) != _measured(facts):
        raise ModelError(f"Expected {repo} to hold the network of {facts.name}.json. Received: another's")
    return there


def _measured(facts: ModelFacts) -> dict[str, Any]:
    """The facts but for where the weights are: scores tell the SHA-256 of what was measured."""
    return {key: value for key, value in facts.document.items() if key not in ("files", "onnx", "hub")}


def _fetch(facts: ModelFacts, files: Mapping[str, str]) -> Path:
    """The Hub cache's folder with some of a network's files, every one checked. facts: from the Hub."""
    repo, commit = facts.address.split("@")
    folder = MODELS_DIR
    for file, expected in files.items():
        path = _download(repo, commit, file)
        if sha256(path) != expected:  # a damaged cache heals by a second download; damaged at the source, it stays so
            path = _download(repo, commit, file, force=True)
        folder = path.parent
    verify(folder, facts, files)
    return folder


def _download(repo: str, revision: str, file: str, force: bool = False) -> Path:
    """One file of a model repository in the Hub's cache, fetched if it is not there, or to be. Raises: ModelError."""
    import httpx2
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
    from huggingface_hub.errors import HfHubHTTPError

    with _clear_errors(repo, revision, file):
        cached = None if force else try_to_load_from_cache(repo, file, revision=revision)
        if isinstance(cached, str) and _COMMIT.fullmatch(revision):
            return Path(cached)
        try:
            # one quick question: hf_hub_download would wait 23 s for a Hub that is down, minutes for one that hangs
            get_hf_file_metadata(hf_hub_url(repo, file, revision=revision))
        except (httpx2.TransportError, ConnectionError, HfHubHTTPError) as error:
            # offline, or where the Hub has a fault, a branch is what it was the last time
            status = error.response.status_code if isinstance(error, HfHubHTTPError) else None
            if isinstance(cached, str) and (status in (None, FORBIDDEN, TOO_MANY_REQUESTS) or status >= 500):
                return Path(cached)
            raise
        return Path(hf_hub_download(repo, file, revision=revision, force_download=force))


@contextmanager
def _clear_errors(repo: str, revision: str, file: str) -> Iterator[None]:
    """Turns a failed download into one clear sentence."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError:
        raise ModelError(f"Expected a Hub repository such as user/name. Received: {repo}") from None
    except errors.RevisionNotFoundError:
        raise ModelError(f"There is no revision {revision} of {repo} on the Hub.") from None
    except errors.RepositoryNotFoundError:
        raise ModelError(f"There is no repository {repo} on the Hub, or it is private.") from None
    except errors.RemoteEntryNotFoundError:
        so = ": it is no network of femr's" if file == FACTS else ""
        raise ModelError(f"There is no file {file} in {repo} on the Hub{so}.") from None
    except (OSError, ValueError, RuntimeError, ImportError, httpx2.HTTPError) as error:
        raise ModelError(f"{file} of {repo} could not be fetched: {hub_failure(error)}.") from error


def hub_failure(error: Exception, forbidden: str = "the Hub does not let you read it") -> str:
    """Why the Hub or the way to it failed, in a few words without a path. forbidden: what a 403 means."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        answer = f"the Hub answered {status} {error.server_message or ''}"
        return (_REFUSALS | {FORBIDDEN: forbidden}).get(status) or answer.splitlines()[0].strip()
    if isinstance(error, httpx2.TimeoutException):
        return "the Hub does not answer"
    if isinstance(error, (httpx2.ConnectError, ConnectionError, LocalEntryNotFoundError)):
        return "the Hub cannot be reached"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, (ValueError, ImportError)):  # of a proxy's address, or what that proxy needs
        return str(error).splitlines()[0].rstrip(".")
    return "the connection broke off"


def _deserialise(path: Path, facts: ModelFacts) -> "keras.Model":
    keras = load_keras()
    from femr.engine.keras import KerasNetwork

    try:
        if path.suffix == ".keras":
            network = keras.saving.load_model(path, compile=False, safe_mode=True)
        else:
            with networks.dtype_policy("float32"):
                network = networks.NETWORKS[facts.name].build()
            network.load_weights(path)
        ready = KerasNetwork(network)
    except Exception as error:  # Keras lets through whatever its parsers of zip, JSON and HDF5 raise
        raise ModelError(f"The weights of {facts.title} cannot be read.") from error
    _check_shapes(facts, ready)
    return network


def _check_shapes(facts: ModelFacts, network: Network) -> None:
    """Return if a network takes and gives what its facts tell. Raises: ModelError."""
    heads = network.outputs
    if network.input_shape != (facts.side, facts.side, 3):
        raise ModelError(f"The weights of {facts.title} are those of another network.")
    if set(heads.values()) != {(len(EMOTIONS),)} or (len(heads) > 1 and tuple(heads) != HEADS):
        wanted = f"{len(EMOTIONS)} scores, once or as {' and '.join(HEADS)}"
        found = ", ".join(f"{'×'.join(map(str, size))} {name}" for name, size in heads.items())
        raise ModelError(f"Expected the weights of {facts.title} to give {wanted}. Received: {found}")
