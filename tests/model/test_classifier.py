from dataclasses import replace

import keras
import numpy as np
import pytest

import femr
from builders import detect
from femr.engine.keras import KerasNetwork
from femr.errors import ModelError
from femr.expression.calibration import Calibration
from femr.expression.classifier import Classifier, load_classifier
from femr.expression.weights import load_facts, load_network
from femr.faces.crop import crop_face, to_batch

NAMES = ("custom_cnn", "mobilenet_v2")


@pytest.fixture(scope="module")
def crops(detector, portrait):
    """One smiling face at two scales, and noise at two scales: uint8 (2, 2, 48, 48)."""
    (face,) = detect(detector, portrait)
    noise = np.random.default_rng(1).integers(0, 256, (2, 48, 48), np.uint8)
    return np.stack([np.stack([crop_face(portrait, face, scale) for scale in (0.9, 1.1)]), noise])


@pytest.fixture(scope="module")
def networks():
    """Each network with its facts, by name."""
    return {name: load_network(name) for name in NAMES}


@pytest.fixture(scope="module")
def two_heads():
    """A small network with two heads that say different things, and facts that calibrate them differently."""
    keras.utils.set_random_seed(3)
    inputs = keras.Input((48, 48, 3))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(inputs))
    heads = [keras.layers.Dense(7, activation="softmax", name=name)(x) for name in ("scores", "people")]
    facts = replace(load_facts("custom_cnn"), calibration=Calibration(1.3, 0.4), label_temperature=0.8)
    return facts, keras.Model(inputs, heads)


def heads_of(network, views):
    """What a network says of views without any of the classifier's code: (heads, n, 7)."""
    facts, model = network
    answers = model(to_batch(views, facts.side, facts.low, facts.high))
    return np.stack([np.asarray(one) for one in (answers if isinstance(answers, list) else [answers] * 2)])


def of(*networks, facts=None, balance=None):
    """A classifier of some networks with their facts."""
    return Classifier(facts or networks[0][0], [(one, KerasNetwork(model)) for one, model in networks], balance)


def rows(readings, answer):
    return [getattr(reading, answer).probabilities for reading in readings]


@pytest.mark.parametrize("name", NAMES)
def test_no_face_gives_no_reading(networks, name):
    assert of(networks[name]).classify(np.empty((0, 5, 48, 48), np.uint8)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_clear_smile_is_happy(networks, crops, name):
    (reading,) = of(networks[name]).classify(crops[:1])
    assert reading.scores.top == reading.vote_shares.top == reading.label_scores.top == "happy"


def test_each_answer_is_the_mean_over_the_faces_views_calibrated(two_heads, crops):
    faces = [crops[0], crops[1, :1], crops.reshape(-1, 48, 48)]
    readings = of(two_heads).classify(faces)
    labels, people = np.stack([heads_of(two_heads, views).mean(axis=1) for views in faces], axis=1)
    np.testing.assert_allclose(rows(readings, "scores"), Calibration(1.3, 0.4).apply(people), atol=1e-5)
    np.testing.assert_allclose(rows(readings, "vote_shares"), Calibration(1.3).apply(people), atol=1e-5)
    np.testing.assert_allclose(rows(readings, "label_scores"), Calibration(0.8).apply(labels), atol=1e-5)
    assert not np.allclose(labels, people, atol=0.01)


def test_one_head_is_the_answer_of_both(networks, crops):
    facts, network = networks["custom_cnn"]
    one = keras.Model(network.inputs, network.outputs[0])
    facts = replace(facts, calibration=Calibration(1.1), label_temperature=1.1)
    for reading in of((facts, one)).classify(crops):
        assert reading.scores == reading.vote_shares == reading.label_scores


def test_the_ensemble_is_the_mean_of_its_networks(networks, crops):
    facts = load_facts("ensemble")
    readings = of(*networks.values(), facts=facts).classify(crops[:, :1])
    answers = np.stack([heads_of(network, crops[:, 0]) for network in networks.values()])  # (networks, heads, n, 7)
    labels, people = answers.mean(axis=0)
    np.testing.assert_allclose(rows(readings, "scores"), facts.calibration.apply(people), atol=1e-5)
    expected = Calibration(facts.label_temperature).apply(labels)
    np.testing.assert_allclose(rows(readings, "label_scores"), expected, atol=1e-5)


def test_more_views_than_one_batch_holds(classifier, crops):
    many = rows(classifier.classify(list(np.tile(crops, (150, 1, 1, 1)))), "scores")
    few = rows(classifier.classify(crops), "scores")
    np.testing.assert_allclose(many[::2], [few[0]] * 150, atol=1e-5)
    np.testing.assert_allclose(many[1::2], [few[1]] * 150, atol=1e-5)


def test_faces_do_not_influence_one_another(classifier, crops):
    together = rows(classifier.classify(crops), "scores")
    apart = [rows(classifier.classify(crops[i : i + 1]), "scores")[0] for i in (0, 1)]
    np.testing.assert_allclose(together, apart, atol=1e-5)


def test_the_balance_is_the_models_own_unless_another_is_asked_for(two_heads, crops):
    own, off, full = (of(two_heads, balance=balance).classify(crops) for balance in (None, 0, 1))
    assert own == of(two_heads, balance=0.4).classify(crops)
    for one, less, more in zip(own, off, full, strict=True):
        assert less.scores == less.vote_shares == one.vote_shares == more.vote_shares
        assert less.label_scores == more.label_scores
        assert less.scores["disgust"] < one.scores["disgust"] < more.scores["disgust"]


@pytest.mark.parametrize("name", ["custom_cnn", "ensemble"])
@pytest.mark.parametrize("balance", [-0.1, 1.5])
def test_a_balance_that_cannot_be_is_refused(name, balance):
    with pytest.raises(ModelError, match=rf"Expected a balance from 0 \(off\) to 1. Received: {balance}"):
        femr.load(name, balance=balance)


def test_an_unknown_model_is_refused_with_the_choices():
    with pytest.raises(ModelError, match=r"mobilenet_v2, custom_cnn, ensemble.*vgg"):
        load_classifier("vgg")
