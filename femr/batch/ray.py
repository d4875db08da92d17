"""The same analysis on Ray, with several processes or machines: optional, with the extra ray.

A pool of actors, each with an analyzer of its own, takes batches of inputs from Ray Data. Results come in the order of
the inputs; the work of an actor that dies is done again by another.
"""

import logging
import os
import pickle
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

from femr.analyzer import load
from femr.batch.folder import analyze_inputs as analyze_locally
from femr.batch.folder import batches
from femr.batch.inputs import Input
from femr.errors import FemrError
from femr.expression.weights import DEFAULT_MODEL, load_facts
from femr.music import Mode
from femr.results import Analysis
from femr.video.analysis import RATE

_MOST_BLOCKS = 2000  # units in which Ray hands out work
_PATIENCE = 5  # seconds
_SENT = 32  # analyses sent back at once


def analyze_inputs(
    inputs: Sequence[Input],
    model: str = DEFAULT_MODEL,
    rate: float = RATE,
    mode: Mode = "match",
    *,
    parts: Mapping[str, Any] | None = None,
    address: str | None = None,
    workers: int | None = None,
    skip: Collection[str] = (),
    every: int = 1,
) -> Iterator[Analysis]:
    """The analyses that folder.analyze_inputs gives, in the same order.

    Args:
        inputs: the workers must be able to read them: on other machines, from a shared disk or an address.
        model, rate, mode, skip, every: as in femr.load and folder.analyze_inputs.
        parts: femr.load's other arguments, such as {"balance": 0.5}.
        address: a running cluster's; None: the one this process is connected to, or a new one on this machine.
        workers: processes; None: one for each CPU of the cluster.
    Raises: FemrError if Ray is not installed, cannot be reached or its workers fail.
    """
    how = {"rate": rate, "mode": mode, "skip": frozenset(skip), "every": every}
    load_facts(model)  # a wrong name is better told here than by a worker
    work = [{"inputs": pickle.dumps(batch)} for batch in batches(inputs, skip)]
    if not work:
        return
    with _connected(address, workers) as ray:
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        # an actor that dies is started again and its work done again, as often as it takes: Ray Data's default
        data = ray.data.from_items(work, override_num_blocks=min(len(work), _MOST_BLOCKS)).map_batches(
            _Worker,
            fn_constructor_args=(model, dict(parts or {}), how),
            batch_size=1,
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(size=min(len(work), workers or int(ray.cluster_resources()["CPU"]))),
        )
        rows = iter(data.iter_rows())
        with _unheard():
            first = list(islice(rows, 1))
        for row in chain(first, rows):
            yield from pickle.loads(row["analyses"])


class _Worker:
    """An actor: an analyzer, loaded once."""

    def __init__(self, model: str, parts: Mapping[str, Any], how: Mapping[str, Any]) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        self._analyzer = load(model, **parts)
        self._how = how

    def __call__(self, batch: dict[str, Any]) -> Iterator[dict[str, list[bytes]]]:
        """The analyses of a batch of inputs, a few at a time: a film has many."""
        for inputs in batch["inputs"]:
            some_inputs = pickle.loads(inputs)
            analyses = analyze_locally(self._analyzer, some_inputs, **self._how)
            while some := list(islice(analyses, _SENT)):
                yield {"analyses": [pickle.dumps(some)]}


@contextmanager
def _connected(address: str | None, workers: int | None) -> Iterator[Any]:
    """Ray, connected; disconnected again if it was not before."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address:
        _check(address)
    else:
        # Ray's name for: listen on loopback only. It is read when Ray is imported
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise FemrError("Expected Ray for --engine ray: pip install 'ray[data]'.") from error
    before = ray.is_initialized()
    try:
        if not before and address:
            ray.init(address, log_to_driver=False, logging_level="ERROR")
        elif not before:
            cpus = max(workers or 1, os.cpu_count() or 1)
            ray.init("local", num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        yield ray
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise FemrError(f"The analysis on Ray failed: {str(error).splitlines()[0]}") from error
    finally:
        if not before:
            ray.shutdown()


@contextmanager
def _unheard() -> Iterator[None]:
    """While Ray starts its actors, on which its core (2.60) remarks on standard error, whatever its level of logs."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - no file
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _check(address: str) -> None:
    """Ray would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except (OSError, ValueError) as error:
        raise FemrError(f"Expected the HOST:PORT of a running Ray cluster. Received: {address}") from error
