"""The two expression networks, in pure Keras 3: the same graph on the TensorFlow, JAX and PyTorch backends.

Both take a grey face repeated on three channels and return seven probabilities in the order of EMOTIONS.
Layer widths are those of the reference work; `dropout` rates hold no parameters and are the recipe's own.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras
from keras import layers

from femr.emotions import EMOTIONS

CUSTOM_CNN_SIDE = 48
"""Input side of the custom CNN in pixels: FER2013's own size."""
MOBILENET_V2_SIDE = 96
"""Input side of MobileNetV2 in pixels: the smallest for which ImageNet weights were published."""

_CONV_DROPOUT = (0.05, 0.1, 0.15, 0.2)
_DENSE_DROPOUT = (0.3, 0.25, 0.15, 0.0)
_HEAD_DROPOUT = 0.2


def build_custom_cnn(
    conv_dropout: Sequence[float] = _CONV_DROPOUT, dense_dropout: Sequence[float] = _DENSE_DROPOUT
) -> keras.Model:
    """The custom CNN: 11 convolutions and 5 dense layers, 9,019,719 parameters, 9,012,295 of them trainable.

    Input: float (n, 48, 48, 3) in [0, 1]. Output: float32 (n, 7), softmax.
    Args: four dropout rates after the four convolution stages, four after the four hidden dense layers.
    """
    x = inputs = keras.Input((CUSTOM_CNN_SIDE, CUSTOM_CNN_SIDE, 3), name="face")
    x = layers.Conv2D(64, 3, activation="relu", kernel_initializer="he_normal", name="stage1_conv1")(x)
    x = _convolution(x, 64, "stage1_conv2")
    x = _end_of_stage(x, conv_dropout[0], "stage1")
    for stage, (filters, rate) in enumerate(zip((128, 256, 512), conv_dropout[1:], strict=True), start=2):
        for conv in (1, 2, 3):
            x = _convolution(x, filters, f"stage{stage}_conv{conv}")
        x = _end_of_stage(x, rate, f"stage{stage}")
    x = layers.Flatten(name="flatten")(x)
    for number, (units, rate) in enumerate(zip((512, 256, 128, 64), dense_dropout, strict=True), start=1):
        x = _dense(x, units, rate, f"dense{number}")
    return keras.Model(inputs, _scores(x), name="custom_cnn")


def build_mobilenet_v2(
    weights: str | None = None, dropout: float = _HEAD_DROPOUT, side: int = MOBILENET_V2_SIDE
) -> keras.Model:
    """MobileNetV2 (Sandler et al., 2018) with a small dense head, 2,430,663 parameters, 2,396,551 of them trainable.

    Input: float (n, side, side, 3) in [-1, 1]. Output: float32 (n, 7), softmax.
    Args: `weights`, None (random), "imagenet" (Keras downloads them) or a `.weights.h5` file of the backbone; `side`,
        96 wherever it is used, a smaller multiple of 32 to train sooner: the weights fit any.
    """
    backbone = keras.applications.MobileNetV2((side, side, 3), include_top=False, weights=weights)
    x = layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    x = layers.Dropout(dropout, name="head_dropout")(x)
    x = layers.Dense(128, activation="relu", kernel_initializer="he_normal", name="head_dense1")(x)
    x = layers.Dense(64, activation="relu", kernel_initializer="he_normal", name="head_dense2")(x)
    return keras.Model(backbone.input, _scores(x), name="mobilenet_v2")


def _convolution(x: Any, filters: int, name: str) -> Any:
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_initializer="he_normal", name=name)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)


def _end_of_stage(x: Any, rate: float, name: str) -> Any:
    x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
    return layers.Dropout(rate, name=f"{name}_dropout")(x)


def _dense(x: Any, units: int, rate: float, name: str) -> Any:
    x = layers.Dense(units, activation="relu", kernel_initializer="he_normal", name=name)(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Dropout(rate, name=f"{name}_dropout")(x)


def _scores(x: Any) -> Any:
    # float32 whatever the precision policy: a softmax in bfloat16 has steps of 0.4 %
    return layers.Dense(len(EMOTIONS), activation="softmax", dtype="float32", name="scores")(x)


BUILDERS: Mapping[str, Callable[[], keras.Model]] = MappingProxyType(
    {"custom_cnn": build_custom_cnn, "mobilenet_v2": build_mobilenet_v2}
)
"""Name of each network → its builder with untrained weights."""
