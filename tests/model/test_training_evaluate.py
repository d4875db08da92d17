"""Evaluation of anybody's network, and the one rule: no split that a model learned from."""

import json
from dataclasses import asdict, fields

import keras
import numpy as np
import pytest

from femr.errors import DataError, ModelError
from femr.expression import weights
from femr.expression.calibration import Calibration
from femr.expression.facts import Interval, Measures, PeopleMeasures
from femr.publish.text import run_sentence, to_text
from femr.training import data, plots
from femr.training.checkpoint import RunConfig
from femr.training.evaluate import Tuning, evaluate, find_model, measure
from femr.training.network import SPANS, adapted, load_file
from training_builders import EPOCH, PICTURES, band_network, faces, few_splits, predicted, write_run

CERTAIN = Interval(1.0, 1.0, 1.0)
UNTUNED = Tuning(1.0, 0.5, Calibration(), 0.5)


@pytest.fixture
def splits():
    return few_splits()


@pytest.mark.parametrize(("channels", "activation"), [(3, "softmax"), (1, "softmax"), (3, None)])
def test_somebody_elses_network(tmp_path, splits, channels, activation):
    path = tmp_path / "theirs.keras"
    band_network(channels=channels, activation=activation).save(path)
    measured = evaluate(str(path), splits)
    assert (measured.model, measured.split, measured.images) == ("theirs", "PrivateTest", 21)
    assert measured.accuracy == measured.accuracy_mirrored == CERTAIN
    assert measured.macro_f1 == 1.0
    assert measured.ferplus_accuracy is measured.people is None
    assert "PEOPLE: the people head against FER+'s votes: not measured, the data have no votes" in to_text(measured)
    assert list(measured.weights_sha256) == ["theirs.keras"]
    assert np.trace(measured.confusion_matrix) == 21
    assert measured.ece_after <= measured.ece_before + 0.01
    json.dumps(asdict(measured))


@pytest.mark.parametrize("heads", [1, 2])
def test_both_answers_are_measured_where_there_are_votes(tmp_path, heads):
    band_network(heads=heads).save(tmp_path / "theirs.keras")
    measured = evaluate(str(tmp_path / "theirs.keras"), few_splits(voted=True))
    people = measured.people
    assert measured.ferplus_accuracy == people.accuracy == CERTAIN
    assert (people.images, people.images_majority, people.images_ferplus) == (21, 21, 21)
    assert people.agreement == people.agreement_best == pytest.approx(0.8)
    assert people.balance == 0
    assert people.mean_recall == people.natural_mix == 1
    # eight of nine votes for the seven agree: calibrated on them, a sure network says so
    assert people.temperature > measured.temperature
    assert people.ece_after < 0.03 < people.ece_before
    assert people.cross_entropy >= people.cross_entropy_least
    text = to_text(measured)
    assert "21 have a majority, 21 by FER+'s own rule" in text
    assert "right, of faces on which over half of ten people agree 100.00%  (100.00% to 100.00%)" in text
    json.dumps(asdict(measured))


def test_the_balance_is_of_what_is_named_alone(tmp_path):
    band_network(heads=2).save(tmp_path / "theirs.keras")
    plain, balanced = (
        evaluate(str(tmp_path / "theirs.keras"), few_splits(voted=True), balance=balance) for balance in (None, 1)
    )
    assert balanced.people.balance == 1
    for one in fields(Measures):
        assert one.name == "people" or getattr(plain, one.name) == getattr(balanced, one.name)
    for key in ("temperature", "cross_entropy", "ece_before", "ece_after", "accuracy_unbalanced"):
        assert getattr(plain.people, key) == getattr(balanced.people, key)
    with pytest.raises(ModelError, match="Expected a balance from 0"):
        evaluate("missing.keras", "anywhere", balance=1.5)


def test_pictures(tmp_path, splits):
    band_network().save(tmp_path / "m.keras")
    evaluate(str(tmp_path / "m.keras"), splits, "PublicTest", tmp_path / "pictures")
    assert {path.stem for path in (tmp_path / "pictures").iterdir()} == PICTURES
    evaluate(str(tmp_path / "m.keras"), few_splits(voted=True), "PublicTest", tmp_path / "more")
    assert {path.stem for path in (tmp_path / "more").iterdir()} == PICTURES | {"people_confusion_matrix"}
    plots.draw_curves([EPOCH], tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("low", "high"), SPANS)
def test_input_span_is_found_out(splits, low, high):
    assert adapted(band_network(low, high), splits["PublicTest"])[1] == (48, low, high)


def test_what_cannot_be_evaluated(tmp_path, splits):
    with pytest.raises(ModelError, match="no such file"):
        evaluate("missing.keras", splits)
    with pytest.raises(ModelError, match="Expected a model named"):
        evaluate("nonsense", splits)
    with pytest.raises(DataError, match="Training, PublicTest, PrivateTest"):
        evaluate("missing.keras", splits, "Test")
    (tmp_path / "a.keras").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read"):
        load_file(tmp_path / "a.keras")
    keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]).save(tmp_path / "b.keras")
    with pytest.raises(ModelError, match="seven scores"):
        load_file(tmp_path / "b.keras")


def test_a_split_that_was_learned_from_is_refused(tmp_path, splits):
    before = write_run(tmp_path / "before", "custom_cnn") / "final.keras"
    finished = write_run(tmp_path / "finished", "custom_cnn", "finish", before=before)
    for path, split in ((before, "Training"), (finished / "final.keras", "PublicTest")):
        with pytest.raises(ModelError, match=f"a split that final did not learn from. Received: {split}"):
            evaluate(str(path), splits, split)
    # it cannot be tuned on PublicTest either; the network before, beside it, can
    assert evaluate(str(finished / "final.keras"), splits).temperature == 1.0
    measured = evaluate(str(finished / "calibration.keras"), splits, "PublicTest")
    assert measured.accuracy == evaluate(str(before), splits, "PublicTest").accuracy
    with pytest.raises(ModelError, match=r"ensemble did not learn from. Received: PublicTest"):
        evaluate("ensemble", splits, "PublicTest")


def test_measures_without_the_training_images():
    private = faces(14)
    wrong = predicted(np.eye(7)[(private.labels + (np.arange(14) < 7)) % 7])
    measured = measure(wrong, private, np.arange(14) >= 7, UNTUNED)
    assert measured.accuracy.value == 0.5
    assert measured.accuracy_deduplicated.value == 1.0
    assert measure(wrong, private, np.zeros(14, bool), UNTUNED).accuracy_deduplicated is None


def test_votes_are_used_where_there_are_any():
    private = faces(7)
    votes = np.zeros((7, 10), np.int64)
    votes[:, 1] = 10  # all say happiness
    found = measure(
        predicted(np.eye(7)), data.FaceData(private.images, private.labels, votes), np.ones(7, bool), UNTUNED
    )
    assert found.ferplus_accuracy.value == found.people.accuracy.value == pytest.approx(1 / 7)
    unknown = np.zeros((7, 10), np.int64)
    unknown[:, 8] = 10
    faces_nobody_knows = data.FaceData(private.images, private.labels, unknown)
    assert measure(predicted(np.eye(7)), faces_nobody_knows, np.ones(7, bool), UNTUNED).people is None


def test_own_models_and_the_ensemble_are_found(splits):
    model = find_model("ensemble", splits["PublicTest"])
    assert len(model.networks) == 2
    few = splits["PublicTest"][:2]
    predictions = model.predict(few)
    assert predictions.plain.labels.shape == predictions.mirrored.people.shape == (2, 7)
    np.testing.assert_allclose(predictions.mean.people.sum(axis=1), 1, atol=1e-3)
    assert model.networks[0].predict(few) is model.networks[0].predict(few)  # asked once


def test_shipped_configs_tell_what_the_code_tells_and_have_all_measures():
    documents = {name: weights.load_facts(name).document for name in weights.MODEL_NAMES}
    recorded = {name: document for name, document in documents.items() if "run" in document}
    assert "custom_cnn" in recorded
    for name, document in recorded.items():
        assert document["training"] == run_sentence(
            RunConfig.from_dict({"network": name, "trained_on": document["trained_on"], **document["run"]})
        )
    for document in documents.values():
        private = document["scores"]["PrivateTest"]
        assert set(private) == {one.name for one in fields(Measures)}
        assert set(private["people"]) == {one.name for one in fields(PeopleMeasures)}
    titles = [documents[name]["title"] for name in documents["ensemble"]["members"]]
    assert all(title in documents["ensemble"]["training"] for title in titles)
