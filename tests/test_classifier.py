import numpy as np
import pytest

import femr
from femr.calibration import adjust_prior, apply_temperature
from femr.classifier import EnsembleClassifier, NetworkClassifier, load_classifier
from femr.errors import ModelError
from femr.preprocessing import crop_face, to_batch
from femr.weights import load_facts, load_network


@pytest.fixture(scope="module")
def crops(detector, portrait):
    """One smiling face at two scales, and noise at two scales: uint8 (2, 2, 48, 48)."""
    (face,) = detector.detect(portrait)
    noise = np.random.default_rng(1).integers(0, 256, (2, 48, 48), np.uint8)
    return np.stack([np.stack([crop_face(portrait, face, scale) for scale in (0.9, 1.1)]), noise])


@pytest.fixture(scope="module")
def classifiers():
    """(name, strength of the prior adjustment) → classifier."""
    return {(name, tau): load_classifier(name, tau) for name in ("custom_cnn", "ensemble") for tau in (0.0, 0.6)}


@pytest.fixture(scope="module")
def networks():
    return {name: load_network(name) for name in ("custom_cnn", "mobilenet_v2")}


@pytest.mark.parametrize("name", ["custom_cnn", "mobilenet_v2"])
def test_no_face_gives_no_scores(networks, name):
    facts, network = networks[name]
    assert NetworkClassifier(network, facts).classify(np.empty((0, 5, 48, 48), np.uint8)) == []


@pytest.mark.parametrize("name", ["custom_cnn", "mobilenet_v2"])
def test_a_clear_smile_is_happy(networks, crops, name):
    facts, network = networks[name]
    assert NetworkClassifier(network, facts).classify(crops[:1])[0].top == "happy"


@pytest.mark.parametrize("name", ["custom_cnn", "mobilenet_v2"])
def test_scores_are_the_mean_over_each_faces_views(networks, crops, name):
    facts, network = networks[name]
    faces = [crops[0], crops[1, :1], crops.reshape(-1, 48, 48)]
    expected = [network(to_batch(views, facts.side, facts.low, facts.high)).numpy().mean(axis=0) for views in faces]
    assert np.allclose(NetworkClassifier(network, facts).probabilities(faces), expected, atol=1e-5)


def test_more_views_than_one_batch_holds(classifier, crops):
    many = list(np.tile(crops, (150, 1, 1, 1)))
    found = classifier.probabilities(many)
    assert np.allclose(found[::2], classifier.probabilities(crops)[0], atol=1e-5)
    assert np.allclose(found[1::2], classifier.probabilities(crops)[1], atol=1e-5)


def test_faces_do_not_influence_one_another(classifier, crops):
    together = [scores.probabilities for scores in classifier.classify(crops)]
    apart = [classifier.classify(crops[i : i + 1])[0].probabilities for i in (0, 1)]
    assert np.allclose(together, apart, atol=1e-5)


def test_one_graph_serves_any_number_of_faces(classifier):
    for faces in (1, 2, 3, 17, 64):
        assert len(classifier.classify(np.zeros((faces, 1, 48, 48), np.uint8))) == faces
    assert classifier._run.experimental_get_tracing_count() == 1


def test_the_ensemble_is_the_mean_of_its_members(networks, crops):
    members = [NetworkClassifier(network, facts) for facts, network in networks.values()]
    facts = load_facts("ensemble")
    means = np.mean([member.probabilities(crops) for member in members], axis=0)
    expected = apply_temperature(means, facts.temperature)
    scores = EnsembleClassifier(members, facts).classify(crops)
    assert np.allclose([score.probabilities for score in scores], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["custom_cnn", "ensemble"])
def test_prior_adjustment_comes_after_calibration(classifiers, crops, name):
    plain, adjusted = (classifiers[name, strength].classify(crops) for strength in (0.0, 0.6))
    expected = adjust_prior(np.array([scores.probabilities for scores in plain]), 0.6)
    assert np.allclose([scores.probabilities for scores in adjusted], expected, atol=1e-5)
    assert all(one["disgust"] > other["disgust"] for one, other in zip(adjusted, plain, strict=True))


def test_a_prior_adjustment_that_cannot_be_is_refused():
    with pytest.raises(ModelError, match=r"Received: -1"):
        femr.load("custom_cnn", prior_adjustment=-1)


def test_an_unknown_model_is_refused_with_the_choices():
    with pytest.raises(ModelError, match=r"mobilenet_v2, custom_cnn, ensemble.*vgg"):
        load_classifier("vgg")
