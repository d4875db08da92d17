"""Networks as ONNX files, for the fast engine and for whoever runs ONNX: made once, when a model is published.

Those of MTCNN, which nobody trains here, were made by `python -m femr.publish.export`.
"""

import json
import logging
import tempfile
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

from femr.errors import ModelError
from femr.expression.weights import SHARD_BYTES
from femr.faces import mtcnn_networks
from femr.files import own_folder, sha256

_SMALL = 4096  # numbers up to which weights stay in single precision


def export(network: keras.Model, name: str, folder: Path, half: bool = True) -> dict[str, str]:
    """Writes `name`.onnx; file name → SHA-256, the first one to be opened, the others with the rest of its weights.

    Inputs and outputs have the names of the network's. No file is larger than SHARD_BYTES or its largest weights.

    Args:
        half: Large weights are kept in half precision; the network still runs in single.

    Raises:
        ModelError: Without the packages that Keras needs for it.
    """
    check_packages()
    model = _to_onnx(network)
    if half:
        _halve(model)
    shards = _shards(model, folder, name)
    path = folder / f"{name}.onnx"
    path.write_bytes(model.SerializeToString())
    return {path.name: sha256(path) for path in (path, *shards)}


def check_packages() -> None:
    """Return if the packages are there that Keras' own export needs. Raises: ModelError."""
    try:
        import onnx  # noqa: F401
        import tf2onnx  # noqa: F401 - Keras imports it
    except ImportError as error:
        raise ModelError("Expected onnx and tf2onnx to publish with: pip install onnx tf2onnx.") from error


def export_detector(folder: Path) -> Path:
    """Writes the networks of MTCNN, and the file that names them. Returns: that file. Raises: ModelError."""
    digests = [export(network, network.name, folder, half=False) for network in mtcnn_networks.build()]
    config = {
        "source": f"the weights of the package mtcnn {version('mtcnn')} (MIT)",
        "onnx": {file: digest for one in digests for file, digest in one.items()},
    }
    path = folder / mtcnn_networks.FACTS
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return path


def _to_onnx(network: keras.Model) -> Any:
    """Keras' own export, with names that tell what is what."""
    import onnx

    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    network(np.zeros((1, *(side or 24 for side in network.input_shape[1:])), network.inputs[0].dtype))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "network.onnx"
        with warnings.catch_warnings(action="ignore", category=FutureWarning):  # Keras' own, under NumPy 2
            network.export(path, format="onnx", verbose=False)
        model = onnx.load(path)
    _rename(model.graph, [*(tensor.name for tensor in network.inputs), *network.output_names])
    return model


def _rename(graph: Any, names: Sequence[str]) -> None:
    """Gives inputs and outputs these names, wherever they are mentioned."""
    ports = (*graph.input, *graph.output)
    new = {port.name: name for port, name in zip(ports, names, strict=True)}
    for port in ports:
        port.name = new[port.name]
    for node in graph.node:
        for ends in (node.input, node.output):
            ends[:] = [new.get(end, end) for end in ends]


def _halve(model: Any) -> None:
    """Large weights become float16, each with a cast back: runtimes do that once, when they read the file."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > _SMALL:
            name, half = tensor.name, f"{tensor.name}_half"
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
            casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _shards(model: Any, folder: Path, name: str) -> list[Path]:
    """Moves weights out of a model that is too large for one file, into as few as hold them."""
    from onnx import external_data_helper

    paths = list[Path]()
    if model.ByteSize() <= SHARD_BYTES:
        return paths
    for tensor in model.graph.initializer:
        data = tensor.raw_data
        if len(data) <= _SMALL:
            continue
        if not paths or paths[-1].stat().st_size + len(data) > SHARD_BYTES:
            paths.append(folder / f"{name}_{len(paths):05}.onnx_data")
            paths[-1].write_bytes(b"")
        with paths[-1].open("ab") as file:
            external_data_helper.set_external_data(tensor, paths[-1].name, file.tell(), len(data))
            file.write(data)
        tensor.ClearField("raw_data")
    return paths


if __name__ == "__main__":
    print(export_detector(own_folder("models")))
