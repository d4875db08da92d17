"""Evaluation of anybody's network, and the facts that come of it."""

import json

import keras
import numpy as np
import pytest

from femr import weights
from femr.errors import DataError, ModelError
from femr.networks import build_mobilenet_v2
from femr.training import data, facts, plots, record, summary
from femr.training.evaluate import evaluate, measure
from femr.training.models import find_model
from femr.training.prediction import RANGES, input_range, load_file
from femr.training.recipes import find

PICTURES = {"confusion_matrix", "reliability", "risk_coverage"}
EPOCH = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "seconds": 60.0}
KEYS = {
    "model", "split", "images", "accuracy", "accuracy_mirrored", "accuracy_deduplicated",
    "accuracy_mirrored_deduplicated", "macro_f1", "per_class", "confusion_matrix", "nll", "brier",
    "ece_before", "ece_after", "temperature", "unsure_threshold", "ferplus_accuracy", "weights_sha256",
}  # fmt: skip


def face(label):
    """A face that a linear network can tell: one bright seventh of the rows."""
    image = np.full((48, 48), 20, np.uint8)
    image[label * 6 : label * 6 + 6] = 235
    return image


def faces(count, shift=0):
    labels = np.arange(count) % 7
    images = np.stack([face(label) for label in labels])
    images[:, 47, 47] += (np.arange(count) + shift).astype(np.uint8)  # so that no two are the same
    return data.FaceData(images, labels.astype(np.int64))


def network(low=0.0, high=1.0, channels=3, activation="softmax"):
    """A network that reads those faces if black is `low` and white is `high`; anything else misleads it."""
    inputs = keras.Input((48, 48, channels))
    bands = keras.layers.Flatten()(keras.layers.AveragePooling2D((6, 48))(inputs))
    model = keras.Model(inputs, keras.layers.Dense(7, activation=activation)(bands))
    kernel, bias = np.zeros((8 * channels, 7), np.float32), np.zeros(7, np.float32)
    for label in range(7):
        kernel[label * channels, label] = 10 / (high - low)
    # a fixed band lifts one answer, and the bias takes exactly that back for the right black and no other
    dark = low + (high - low) * 20 / 255
    kernel[7 * channels, 0], bias[0] = 1000 / (high - low), -1000 / (high - low) * dark
    model.set_weights([kernel, bias])
    return model


@pytest.fixture
def splits():
    return {"Training": faces(70), "PublicTest": faces(42, shift=100), "PrivateTest": faces(21, shift=63)}


@pytest.fixture
def loaded(monkeypatch, splits):
    monkeypatch.setattr(data, "load", lambda source: splits)
    return splits


@pytest.mark.parametrize(("channels", "activation"), [(3, "softmax"), (1, "softmax"), (3, None)])
def test_somebody_elses_network(tmp_path, loaded, channels, activation):
    path = tmp_path / "theirs.keras"
    network(channels=channels, activation=activation).save(path)
    report = evaluate(str(path), "anywhere")
    assert set(report) == KEYS
    assert (report["model"], report["split"], report["images"]) == ("theirs", "PrivateTest", 21)
    assert report["accuracy"] == report["accuracy_mirrored"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert report["macro_f1"] == 1.0
    assert report["ferplus_accuracy"] is None
    assert list(report["weights_sha256"]) == ["theirs.keras"]
    assert np.trace(report["confusion_matrix"]) == 21
    assert report["ece_after"] <= report["ece_before"] + 0.01
    json.dumps(report)


def test_prior_adjustment_comes_after_a_temperature_fitted_without(tmp_path, loaded):
    network().save(tmp_path / "theirs.keras")
    plain = evaluate(str(tmp_path / "theirs.keras"), "anywhere")
    adjusted = evaluate(str(tmp_path / "theirs.keras"), "anywhere", prior_adjustment=0.6)
    assert set(adjusted) == KEYS | {"prior_adjustment"}
    assert "prior adjustment                         0.6" in summary.to_text(adjusted)
    assert adjusted["temperature"] == plain["temperature"]
    assert adjusted["nll"] != plain["nll"]
    # however sure a network is, it can be overruled
    overruled = evaluate(str(tmp_path / "theirs.keras"), "anywhere", prior_adjustment=50)
    assert overruled["per_class"]["disgust"]["recall"] == 1
    assert overruled["accuracy"]["value"] == pytest.approx(1 / 7)
    with pytest.raises(ModelError, match="Expected a prior adjustment"):
        evaluate(str(tmp_path / "theirs.keras"), "anywhere", prior_adjustment=-1)


def test_pictures(tmp_path, loaded):
    pytest.importorskip("matplotlib")
    network().save(tmp_path / "m.keras")
    evaluate(str(tmp_path / "m.keras"), "anywhere", "PublicTest", tmp_path / "pictures")
    assert {path.stem for path in (tmp_path / "pictures").iterdir()} == PICTURES
    plots.draw_curves([EPOCH], tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_input_range_is_found_out(splits, low, high):
    assert input_range(network(low, high), splits["PublicTest"]) == (low, high)


def test_what_cannot_be_evaluated(tmp_path, loaded):
    with pytest.raises(ModelError, match="no such file"):
        evaluate("missing.keras", "anywhere")
    with pytest.raises(ModelError, match="Expected a model named"):
        evaluate("nonsense", "anywhere")
    with pytest.raises(DataError, match="Training, PublicTest, PrivateTest"):
        evaluate("missing.keras", "anywhere", "Test")
    (tmp_path / "a.keras").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read"):
        load_file(tmp_path / "a.keras")
    keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]).save(tmp_path / "b.keras")
    with pytest.raises(ModelError, match="seven scores"):
        load_file(tmp_path / "b.keras")


def test_measures_without_the_training_images():
    private = faces(14)
    wrong = np.eye(7)[(private.labels + (np.arange(14) < 7)) % 7]
    report = measure(wrong, wrong, private, np.arange(14) >= 7, 1.0)
    assert report["accuracy"]["value"] == 0.5
    assert report["accuracy_deduplicated"]["value"] == 1.0
    assert measure(wrong, wrong, private, np.zeros(14, bool), 1.0)["accuracy_deduplicated"] is None


def test_votes_are_used_where_there_are_any():
    private = faces(7)
    votes = np.zeros((7, 10), np.int64)
    votes[:, 1] = 10  # all say happiness
    found = measure(np.eye(7), np.eye(7), data.FaceData(private.images, private.labels, votes), np.ones(7, bool), 1.0)
    assert found["ferplus_accuracy"]["value"] == pytest.approx(1 / 7)


def test_own_models_and_the_ensemble_are_found(splits):
    model = find_model("ensemble", splits["PublicTest"])
    assert len(model.members) == 2
    plain, mirror = model.look(splits["PublicTest"].images[:2])
    assert plain.shape == mirror.shape == (2, 7)
    np.testing.assert_allclose(plain.sum(axis=1), 1, atol=1e-3)


def test_shipped_facts_tell_what_the_code_tells():
    documents = {name: weights.load_facts(name).document for name in weights.MODEL_NAMES}
    recorded = {name: document for name, document in documents.items() if "run" in document}
    assert "custom_cnn" in recorded
    for document in recorded.values():
        assert document["training"] == facts.training_sentence(document["run"])
    titles = [documents[name]["title"] for name in documents["ensemble"]["members"]]
    assert all(title in documents["ensemble"]["training"] for title in titles)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An empty folder instead of models/."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setattr(weights, "MODELS_DIR", folder)
    return folder


def test_a_run_without_result_is_not_published(tmp_path, models):
    with pytest.raises(ModelError, match=r"run\.json"):
        facts.publish(tmp_path, "anywhere")
    (tmp_path / "run.json").write_text(json.dumps({"network": "custom_cnn"}))
    with pytest.raises(ModelError, match="finished"):
        facts.publish(tmp_path, "anywhere")


def test_a_worse_model_does_not_replace_a_better_one(tmp_path, loaded, models):
    (tmp_path / "run.json").write_text(json.dumps({"network": "custom_cnn"}))
    network().save(tmp_path / "final.keras")
    scores = {"PublicTest": {"accuracy_mirrored": {"value": 1.0}}}
    (models / "custom_cnn.json").write_text(json.dumps({"scores": scores}))
    with pytest.raises(ModelError, match=r"more than 100.00% on PublicTest.*Received: 100.00%"):
        facts.publish(tmp_path, "anywhere")


def test_a_finished_run_becomes_a_model_with_its_facts(tmp_path, loaded, models):
    recipe = find("mobilenet_v2", "best")
    known = record.describe(recipe, 1, ("Training",), loaded["Training"], loaded["PublicTest"])
    known |= record.origins("imagenet", (tmp_path / "teacher.keras",), [])
    record.write(tmp_path, known, [EPOCH], {"val_loss": 1.0, "val_accuracy": 0.5})
    build_mobilenet_v2().save(tmp_path / "final.keras")
    path = facts.publish(tmp_path, "anywhere")
    found = weights.read_facts(path)
    assert (found.name, found.side, found.low, found.high) == ("mobilenet_v2", 96, -1.0, 1.0)
    assert found.temperature > 0
    assert set(found.scores) == {"PublicTest", "PrivateTest"}
    assert set(found.scores["PrivateTest"]) == KEYS
    written = {file.name: weights.sha256(file) for file in models.iterdir() if file.is_file() and file != path}
    assert found.files == written
    assert {file.stem for file in models.glob("pictures/mobilenet_v2/*.png")} == PICTURES | {"curves"}
    assert found.document["parameters"] == 2_430_663
    assert "The first 27 epochs saw faces of 64 pixels instead of 96." in found.document["training"]
    assert "It started from imagenet." in found.document["training"]
    assert "60 % of its targets came from one teacher (teacher.keras)." in found.document["training"]
    assert "before" not in found.document["run"]
    unadjusted, *adjusted = found.document["prior_adjustments"]
    assert unadjusted["accuracy"] == found.scores["PublicTest"]["accuracy_mirrored"]["value"]
    assert [row["strength"] for row in adjusted] == [0.3, 0.6, 1.0]
    facts.add_notes("mobilenet_v2", "It rained.")
    noted = weights.read_facts(facts.add_notes("mobilenet_v2", "It rained.", "Then the sun shone."))
    assert noted.document["run"]["notes"] == ["It rained.", "Then the sun shone."]
    assert noted.document["training"] == found.document["training"] + " It rained. Then the sun shone."
    assert set(found.document["run"]) >= {"recipe", "seed", "data", "epochs", "versions", "hardware", "seconds"}
