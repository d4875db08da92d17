import keras
import numpy as np
import pytest
from keras import layers

from femr.expression.classifier import fold
from femr.expression.weights import load_network


def scrambled(inputs, outputs):
    """A network whose BatchNormalization does something: all weights random and positive."""
    network = keras.Model(inputs, outputs)
    rng = np.random.default_rng(3)
    network.set_weights([rng.uniform(0.2, 1, weight.shape).astype(np.float32) for weight in network.get_weights()])
    return network


def norms(network):
    return [layer.name for layer in network.layers if isinstance(layer, layers.BatchNormalization)]


@pytest.fixture
def inputs():
    return keras.Input((8, 8, 3))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(4).uniform(-1, 1, (5, 8, 8, 3)).astype(np.float32)


CONVOLUTIONS = {
    "plain": lambda use_bias: layers.Conv2D(4, 3, padding="same", use_bias=use_bias),
    "depthwise": lambda use_bias: layers.DepthwiseConv2D(3, padding="same", use_bias=use_bias),
    "two outputs a channel": lambda use_bias: layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=use_bias),
}


@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False}, {"axis": 3}])
@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_a_normalisation_behind_a_convolution_goes(inputs, pixels, kind, use_bias, options):
    x = CONVOLUTIONS[kind](use_bias)(inputs)
    x = layers.BatchNormalization(**options)(x)
    network = scrambled(inputs, layers.Add()([layers.ReLU()(x), x]))
    folded = fold(network)
    assert norms(folded) == []
    assert len(norms(network)) == 1
    assert np.allclose(folded(pixels), network(pixels), atol=1e-4)


def test_a_normalisation_of_another_axis_stays(inputs):
    network = scrambled(inputs, layers.BatchNormalization(axis=1)(layers.Conv2D(4, 3)(inputs)))
    assert fold(network) is network


def test_others_stay(inputs, pixels):
    branch = layers.Conv2D(4, 3)(inputs)
    normed = layers.BatchNormalization(name="branch")(branch)
    x = layers.Add()([branch, normed])
    x = layers.BatchNormalization(name="sum")(x)
    x = layers.Conv2D(4, 3, activation="relu")(x)
    x = layers.BatchNormalization(name="behind_relu")(x)
    x = layers.Conv2D(4, 1)(x)
    network = scrambled(inputs, layers.BatchNormalization(name="behind_convolution")(x))
    folded = fold(network)
    assert norms(folded) == ["branch", "sum", "behind_relu"]
    assert np.allclose(folded(pixels), network(pixels), rtol=1e-4)


def test_a_network_that_uses_a_layer_twice_stays(inputs):
    convolution = layers.Conv2D(3, 3, padding="same")
    network = scrambled(inputs, layers.BatchNormalization()(convolution(convolution(inputs))))
    assert fold(network) is network


def test_a_network_in_a_network_stays(inputs):
    x = layers.Conv2D(3, 3)(inputs)
    inner = keras.Sequential([layers.Flatten(), layers.Dense(2)])
    network = scrambled(inputs, layers.Concatenate()([inner(x), layers.Flatten()(layers.BatchNormalization()(x))]))
    assert fold(network) is network


@pytest.mark.parametrize("name", ["custom_cnn", "mobilenet_v2"])
def test_both_answers_of_each_network_stay(name):
    facts, network = load_network(name)
    faces = np.random.default_rng(5).uniform(facts.low, facts.high, (4, facts.side, facts.side, 3)).astype(np.float32)
    folded = fold(network)
    assert folded.output_names == network.output_names == ["scores", "people"]
    for answer, expected in zip(folded(faces), network(faces), strict=True):
        assert np.allclose(answer, expected, atol=1e-5)


def test_all_of_mobilenet_goes():
    assert norms(fold(load_network("mobilenet_v2")[1])) == []


def test_the_custom_cnn_has_none_to_fold():
    _, network = load_network("custom_cnn")
    assert fold(network) is network
