"""Runs a network, and nothing else: on OpenVINO where its wheel is installed, else on Keras, the reference.

Both give the same answers to about four digits; what they cost: docs/decisions/engines.md.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from threading import Lock
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, get_args
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from femr.errors import ModelError

Engine: TypeAlias = Literal["openvino", "keras"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
"""The faster one first."""

Outputs: TypeAlias = tuple[npt.NDArray[np.float32], ...]
"""A network's, of one batch."""

T = TypeVar("T")

_PIXELS = 20_000  # of one batch: enough for the speed, and bounds the memory between two layers


class Network(Protocol):
    """A network that is ready to run; may be called from several threads."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Without the batch; None where it may be of any length."""
        ...

    @property
    def outputs(self) -> Mapping[str, tuple[int | None, ...]]:
        """Name → shape without the batch, in the order of what a call returns."""
        ...

    def __call__(self, batches: Iterable[npt.NDArray[Any]]) -> list[Outputs]:
        """Each output, float32 (n, ...), for each of some inputs (n, ...). Raises: ModelError if it cannot be run."""
        ...


def choose(asked: str | None = None) -> Engine:
    """The engine that was asked for, by an argument or by FEMR_ENGINE, else the first that is installed.

    Raises:
        ModelError: There is no such engine, or it is not installed.
    """
    asked = asked or os.environ.get("FEMR_ENGINE") or next(filter(find_spec, ENGINES), ENGINES[0])
    if asked not in ENGINES:
        raise ModelError(f"Expected an engine named {', '.join(ENGINES)}. Received: {asked}")
    if not find_spec(asked):
        packages = asked if asked == "openvino" else "keras tensorflow"
        raise ModelError(f"The engine {asked} is not installed: pip install {packages}.")
    return asked


def load_keras() -> Any:
    """Keras with its backend. Raises: ModelError."""
    choose("keras")
    try:
        import keras
    except (ImportError, ValueError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        words = "KERAS_BACKEND names its backend, tensorflow, jax or torch, which has to be installed."
        raise ModelError(f"Keras cannot be loaded: {reason}. {words}") from error
    return keras


def check_process(loaded_in: int) -> None:
    """Return in the process that loaded a network; in a fork of it engines would wait for ever. Raises: ModelError."""
    if os.getpid() != loaded_in:
        raise ModelError(
            "Expected an analyzer that was loaded in this process: call femr.load() in each. Received: one from a fork"
        )


opened: WeakValueDictionary[tuple[Any, ...], Any] = WeakValueDictionary()
"""The networks that somebody uses: by process, as forks inherit them, engine and file."""
_opening = Lock()


def open_once(key: tuple[Any, ...], read: Callable[[], T]) -> T:
    """What `read` gave for a key in this process, or gives now if nobody has that any more."""
    with _opening:
        found = opened.get((os.getpid(), *key))
        if found is None:
            found = opened[os.getpid(), *key] = read()
    return found


def run(network: Network, inputs: npt.NDArray[Any]) -> Outputs:
    """A network's outputs for any number of inputs of one size, in a few sizes of batch.

    Engines prepare each size that they meet and keep that: so memory stays as it is, whatever comes.
    """
    parts = network(inputs[part] for part in _parts(len(inputs), inputs.shape[1] * inputs.shape[2]))
    if not parts:
        return tuple(np.empty((0, *map(int, filter(None, shape))), np.float32) for shape in network.outputs.values())
    return tuple(np.concatenate(outputs) for outputs in zip(*parts, strict=True))


def _parts(count: int, pixels: int) -> Iterator[slice]:
    """The batches of `count` inputs, about as large as each other: 1, 2, 3, 4, 6, 8, 12 and so on, up to _PIXELS."""
    start, most = 0, max(1, _PIXELS // pixels)
    while left := count - start:
        even = math.ceil(left / math.ceil(left / most))
        power = 1 << even.bit_length() - 1
        size = power * 3 // 2 if power * 3 // 2 <= even else power
        yield slice(start, start + size)
        start += size
