"""A recipe's network: its dropout rates, BatchNormalization momentum, precision and starting weights."""

from pathlib import Path

import keras

from femr.errors import ModelError
from femr.expression.networks import CUSTOM_CNN_SIDE, build_custom_cnn, build_mobilenet_v2
from femr.training.prediction import load_file
from femr.training.recipes import Recipe

IMAGENET = "imagenet"
_WEIGHTS_SUFFIX = ".h5"


def build(
    recipe: Recipe, precision: str | None = None, backbone: str | None = None, side: int | None = None
) -> keras.Model:
    """The recipe's network, untrained.

    Args: `precision`, a Keras dtype policy, and `side`, an input side, instead of the recipe's; `backbone`, ImageNet
        weights as in `build_mobilenet_v2`. Raises: ModelError where the network takes no other side.
    """
    previous = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision or recipe.precision)
    try:
        network = _network(recipe, backbone, side or recipe.side)
    finally:
        keras.config.set_dtype_policy(previous)
    for layer in network.layers:
        if layer.name.startswith(recipe.frozen):
            layer.trainable = False
        if recipe.batch_norm_momentum is not None and isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = recipe.batch_norm_momentum
    return network


def build_started(recipe: Recipe, start: str | None) -> keras.Model:
    """The recipe's network with its starting weights.

    Args: `start`, a .keras file of the same architecture, a .weights.h5 file of MobileNetV2's backbone, "imagenet", or
        None for what the recipe says. Raises: ModelError.
    """
    start = start or recipe.start
    if start is None:
        return build(recipe)
    if start == IMAGENET or Path(start).suffix == _WEIGHTS_SUFFIX:
        return _build_on_backbone(recipe, start)
    network = build(recipe)
    weights = load_file(Path(start)).get_weights()
    if [weight.shape for weight in weights] != [weight.shape for weight in network.get_weights()]:
        raise ModelError(f"Expected weights of a {recipe.network}. Received: another network's ({Path(start).name})")
    network.set_weights(weights)
    return network


def _build_on_backbone(recipe: Recipe, start: str) -> keras.Model:
    if recipe.network != "mobilenet_v2":
        raise ModelError(f"Expected a .keras file to start a {recipe.network} from. Received: {Path(start).name}")
    try:
        return build(recipe, backbone=start)
    except Exception as error:  # Keras raises just that where a download fails
        what = "fetched; --start takes a file of them, too" if start == IMAGENET else f"read ({Path(start).name})"
        raise ModelError(f"The ImageNet weights cannot be {what}.") from error


def _network(recipe: Recipe, backbone: str | None, side: int) -> keras.Model:
    if recipe.network == "mobilenet_v2":
        return build_mobilenet_v2(backbone, recipe.head_dropout, side)
    if side != CUSTOM_CNN_SIDE:
        raise ModelError(f"Expected an input side of {CUSTOM_CNN_SIDE} for the custom CNN. Received: {side}")
    return build_custom_cnn(recipe.conv_dropout, recipe.dense_dropout)
