import math

import keras
import pytest

from femr.expression.networks import NETWORKS, label_network


def parameters(weights):
    return sum(math.prod(weight.shape) for weight in weights)


@pytest.mark.parametrize(
    ("name", "side", "total", "trainable"),
    [("custom_cnn", 48, 9_019_719, 9_012_295), ("mobilenet_v2", 96, 2_430_663, 2_396_551)],
)
def test_parameter_counts_up_to_the_label_head_are_the_reference_works(name, side, total, trainable):
    network = label_network(NETWORKS[name].build())
    assert network.input_shape == (None, side, side, 3)
    assert network.output_shape == (None, 7)
    assert network.count_params() == total
    assert parameters(network.trainable_weights) == trainable


@pytest.mark.parametrize(("name", "more"), [("custom_cnn", 527_367), ("mobilenet_v2", 172_679)])
def test_the_people_head_is_told_apart(name, more):
    network = NETWORKS[name].build()
    assert network.output_names == ["scores", "people"]
    assert network.output_shape == [(None, 7), (None, 7)]
    assert network.count_params() - label_network(network).count_params() == more


def test_the_custom_cnn_has_11_convolutions_and_5_dense_layers():
    layers = label_network(NETWORKS["custom_cnn"].build()).layers
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == [64] * 2 + [128] * 3 + [256] * 3 + [512] * 3
    assert {layer.kernel_size for layer in convolutions} == {(3, 3)}
    assert convolutions[0].padding == "valid"
    assert [layer.units for layer in layers if isinstance(layer, keras.layers.Dense)] == [512, 256, 128, 64, 7]
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in layers) == 10 + 4
