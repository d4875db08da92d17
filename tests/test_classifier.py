import numpy as np
import pytest

from femr.classifier import EnsembleClassifier, NetworkClassifier, calibrate, load_classifier
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
def test_scores_are_the_mean_over_views_and_mirror_images(networks, crops, name):
    facts, network = networks[name]
    singles = [
        network(to_batch(views, facts.side, facts.low, facts.high), training=False).numpy()
        for views in (crops.reshape(-1, 48, 48), crops[..., ::-1].reshape(-1, 48, 48))
    ]
    expected = np.mean(singles, axis=0).reshape(2, 2, 7).mean(axis=1)
    classifier = NetworkClassifier(network, facts)
    assert np.allclose(classifier.probabilities(crops), expected, atol=1e-5)
    assert np.allclose(classifier.probabilities(crops[..., ::-1]), expected, atol=1e-5)


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
    expected = calibrate(np.mean([member.probabilities(crops) for member in members], axis=0), facts.temperature)
    scores = EnsembleClassifier(members, facts).classify(crops)
    assert np.allclose([score.probabilities for score in scores], expected, atol=1e-5)


def test_calibration_changes_how_sure_not_which():
    before = np.array([[0.5, 0.2, 0.1, 0.1, 0.05, 0.05, 0.0]], np.float32)
    sharper, same, softer = (calibrate(before, temperature) for temperature in (0.5, 1.0, 2.0))
    for after in (sharper, same, softer):
        assert after.sum() == pytest.approx(1)
        assert (np.argsort(-after[0], kind="stable") == np.argsort(-before[0], kind="stable")).all()
    assert np.allclose(same, before, atol=1e-6)
    assert sharper.max() > before.max() > softer.max()


def test_an_unknown_model_is_refused_with_the_choices():
    with pytest.raises(ModelError, match=r"mobilenet_v2, custom_cnn, ensemble.*vgg"):
        load_classifier("vgg")
