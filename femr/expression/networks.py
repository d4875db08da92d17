"""The expression networks and what is to be known of each, in pure Keras 3: the same graph on all its backends.

Both take a gray face repeated on three channels and answer twice, seven probabilities each in the order of EMOTIONS:
the label head says which label FER2013 would give, the people head which expressions ten people would name (FER+'s
votes). Layer widths up to the label head are those of the reference work; the people head is femr's own and branches
off where the features are complete. `dropout` rates hold no parameters and are the recipe's own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from femr.results import EMOTIONS

if TYPE_CHECKING:  # loads a backend, and whoever asks for names should not
    import keras

HEADS = LABEL_HEAD, PEOPLE_HEAD = "scores", "people"
"""Names of the two output layers, in the order of the network's outputs; see `weights` for networks with one."""

_CONV_DROPOUT = (0.05, 0.1, 0.15, 0.2)
_DENSE_DROPOUT = (0.3, 0.25, 0.15, 0.0)
_HEAD_DROPOUT = 0.2
_PEOPLE_DROPOUT = (0.3, 0.2)  # of the custom CNN's people head: before and behind its hidden layer


def build_custom_cnn(
    conv_dropout: Sequence[float] = _CONV_DROPOUT, dense_dropout: Sequence[float] = _DENSE_DROPOUT
) -> "keras.Model":
    """The custom CNN: 11 convolutions and 5 dense layers, 9,019,719 parameters, 9,012,295 of them trainable.

    The people head adds one hidden layer on the flattened features, 527,367 parameters more.
    Input: float (n, 48, 48, 3) in [0, 1]. Outputs: scores and people, float32 (n, 7) each, softmax.

    Args:
        conv_dropout: Rates after the four convolution stages.
        dense_dropout: Rates after the four hidden dense layers.
    """
    import keras
    from keras import layers

    x = inputs = keras.Input((48, 48, 3), name="face")
    x = layers.Conv2D(64, 3, activation="relu", kernel_initializer="he_normal", name="stage1_conv1")(x)
    x = _convolution(x, 64, "stage1_conv2")
    x = _end_of_stage(x, conv_dropout[0], "stage1")
    for stage, (filters, rate) in enumerate(zip((128, 256, 512), conv_dropout[1:], strict=True), start=2):
        for conv in (1, 2, 3):
            x = _convolution(x, filters, f"stage{stage}_conv{conv}")
        x = _end_of_stage(x, rate, f"stage{stage}")
    x = features = layers.Flatten(name="flatten")(x)
    for number, (units, rate) in enumerate(zip((512, 256, 128, 64), dense_dropout, strict=True), start=1):
        x = _dense(x, units, rate, f"dense{number}")
    people = layers.Dropout(_PEOPLE_DROPOUT[0], name="people_dropout")(features)
    people = _dense(people, 256, _PEOPLE_DROPOUT[1], "people_dense1")
    return keras.Model(inputs, [_answer(x, LABEL_HEAD), _answer(people, PEOPLE_HEAD)], name="custom_cnn")


def build_mobilenet_v2(weights: str | None = None, dropout: float = _HEAD_DROPOUT, side: int = 96) -> "keras.Model":
    """MobileNetV2 (Sandler et al., 2018) with a small dense head, 2,430,663 parameters, 2,396,551 of them trainable.

    The people head is another of the same kind, 172,679 parameters more.
    Input: float (n, side, side, 3) in [-1, 1]. Outputs: scores and people, float32 (n, 7) each, softmax.

    Args:
        weights: None (random), "imagenet" (Keras downloads them) or a `.weights.h5` file of the backbone.
        side: 96 wherever it is used, a smaller multiple of 32 to train sooner: the weights fit any.
    """
    import keras
    from keras import layers

    backbone = keras.applications.MobileNetV2((side, side, 3), include_top=False, weights=weights)
    pooled = layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    answers = [
        _answer(_small_head(pooled, dropout, "head"), LABEL_HEAD),
        _answer(_small_head(pooled, dropout, "people"), PEOPLE_HEAD),
    ]
    return keras.Model(backbone.input, answers, name="mobilenet_v2")


def label_network(network: "keras.Model") -> "keras.Model":
    """The network as the reference work has it: up to its label head, without the people head; weights are shared."""
    import keras

    return keras.Model(network.inputs, network.get_layer(LABEL_HEAD).output, name=network.name)


def _convolution(x: Any, filters: int, name: str) -> Any:
    from keras import layers

    x = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal", name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)


def _end_of_stage(x: Any, rate: float, name: str) -> Any:
    from keras import layers

    x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    return layers.Dropout(rate, name=f"{name}_dropout")(x)


def _dense(x: Any, units: int, rate: float, name: str) -> Any:
    from keras import layers

    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name)(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Dropout(rate, name=f"{name}_dropout")(x)


def _small_head(x: Any, rate: float, name: str) -> Any:
    from keras import layers

    x = layers.Dropout(rate, name=f"{name}_dropout")(x)
    x = layers.Dense(128, activation="relu", kernel_initializer="he_normal", name=f"{name}_dense1")(x)
    return layers.Dense(64, activation="relu", kernel_initializer="he_normal", name=f"{name}_dense2")(x)


def _answer(x: Any, name: str) -> Any:
    from keras import layers

    # float32 whatever the precision policy: a softmax in bfloat16 has steps of 0.4 %
    return layers.Dense(len(EMOTIONS), activation="softmax", dtype="float32", name=name)(x)


_policy = Lock()  # Keras' belongs to the process


@contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """In the block Keras builds layers of this precision, such as "float32"; one thread at a time."""
    import keras

    with _policy:
        previous = keras.config.dtype_policy()
        keras.config.set_dtype_policy(name)
        try:
            yield
        finally:
            keras.config.set_dtype_policy(previous)


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """What is to be known of a network.

    side: of its input, pixels. low, high: its input's values for black and white. build: makes it, untrained.
    backbone: whether `build` takes ImageNet weights of a backbone and any side; else it takes two rates of dropout.
    """

    name: str
    title: str
    side: int
    low: float
    high: float
    build: "Callable[..., keras.Model]"
    backbone: bool = False


NETWORKS: Mapping[str, NetworkSpec] = MappingProxyType(
    {
        network.name: network
        for network in (
            # the smallest side for which ImageNet weights were published
            NetworkSpec("mobilenet_v2", "MobileNetV2", 96, -1.0, 1.0, build_mobilenet_v2, backbone=True),
            NetworkSpec("custom_cnn", "Custom CNN", 48, 0.0, 1.0, build_custom_cnn),  # FER2013's own size
        )
    }
)
"""Name → network."""
