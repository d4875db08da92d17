"""P-Net, R-Net and O-Net of MTCNN (Zhang et al., 2016), with the mtcnn package's own weights.

`models/mtcnn.json` names the ONNX files that were made of them, with their SHA-256, for the fast engine.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from femr import engine
from femr.engine import Network
from femr.errors import ModelError
from femr.files import first_damaged, own_folder

if TYPE_CHECKING:
    import keras

RNET_SIDE, ONET_SIDE = 24, 48
"""Input side of R-Net and O-Net in pixels."""
FACTS = "mtcnn.json"
"""The file in models/ that names the ONNX files."""


_NAMES = "pnet", "rnet", "onet"


@dataclass(frozen=True, eq=False)
class Networks:
    """The three networks, of RGB uint8.

    pnet: (n, h, w, 3) → offsets (n, h', w', 4), and log odds of a face in each window (n, h', w', 1).
    rnet: (n, 24, 24, 3) → offsets (n, 4), odds (n, 1).
    onet: (n, 48, 48, 3) → offsets (n, 4), landmarks (n, 10) as x1 ... x5, y1 ... y5, odds (n, 1).
    """

    pnet: Network
    rnet: Network
    onet: Network


def load(asked: str | None = None) -> Networks:
    """The networks on an engine, see `engine.choose`; in memory once. Raises: ModelError."""
    if engine.choose(asked) == "keras":
        return engine.open_once(("keras", *_NAMES), _on_keras)
    digests = _files()
    return engine.open_once(("openvino", *digests.items()), lambda: _on_openvino(digests))


def _on_keras() -> Networks:
    engine.load_keras()
    from femr.engine.keras import KerasNetwork

    return Networks(*(KerasNetwork(model) for model in build()))


def _on_openvino(paths: Iterable[Path]) -> Networks:
    from femr.engine.openvino import OpenvinoNetwork

    return Networks(*map(OpenvinoNetwork, paths))


def build() -> "tuple[keras.Model, keras.Model, keras.Model]":
    """The three as Keras models, for the reference engine and for export. Raises: ModelError without the package."""
    try:
        from mtcnn.network.onet import ONet
        from mtcnn.network.pnet import PNet
        from mtcnn.network.rnet import RNet
    except ImportError as error:
        raise ModelError("Expected the package mtcnn with its weights: pip install mtcnn.") from error
    return (
        _from_pixels(PNet(), "pnet", (None, None, 3), heads=1),
        _from_pixels(RNet(), "rnet", (RNET_SIDE, RNET_SIDE, 3), heads=1),
        _from_pixels(ONet(), "onet", (ONET_SIDE, ONET_SIDE, 3), heads=2),
    )


def _files() -> dict[Path, str]:
    """The ONNX files, each the one that was published, in the order of Networks → SHA-256. Raises: ModelError."""
    folder = own_folder("models")
    try:
        digests = json.loads((folder / FACTS).read_text(encoding="utf-8"))["onnx"]
        paths = {folder / f"{name}.onnx": digests[f"{name}.onnx"] for name in _NAMES}
        damaged = first_damaged(folder, {path.name: digest for path, digest in paths.items()})
    except (OSError, ValueError, LookupError) as error:
        raise ModelError("The networks that find faces are missing or damaged.") from error
    if damaged:
        raise ModelError(f"The networks that find faces are damaged: {damaged} is not the file that was published.")
    return paths


def _from_pixels(network: "keras.Model", name: str, shape: tuple[int | None, ...], heads: int) -> "keras.Model":
    """One of the package's networks from uint8 pixels to its first heads and the log odds of a face.

    Not to a softmax of two, but to the difference before it, which unlike a probability has a mean.
    """
    import keras
    from mtcnn.utils.tensorflow import load_weights

    network.build((None, *shape))
    # the full path: a bare name would be looked up, and unpickled, in the current directory first
    network.set_weights(load_weights(str(files("mtcnn.assets.weights") / f"{name}.lz4")))
    *trunk, faces = network.layers
    # 127.5 ± 128 become ± 1: in the first convolution, where that costs nothing
    kernel, bias = trunk[0].get_weights()
    trunk[0].set_weights([kernel / 128, bias - kernel.sum(axis=(0, 1, 2)) * (127.5 / 128)])
    pixels = keras.Input(shape, dtype="uint8", name="pixels")
    x = keras.ops.cast(pixels, "float32")
    for layer in trunk[:-heads]:
        x = layer(x)
    width = "units" if isinstance(faces, keras.layers.Dense) else "filters"
    odds = type(faces).from_config(faces.get_config() | {width: 1, "activation": "linear", "name": "odds"})
    model = keras.Model(pixels, [*(head(x) for head in trunk[-heads:]), odds(x)], name=name)
    odds.set_weights([weights[..., 1:] - weights[..., :1] for weights in faces.get_weights()])
    return model
