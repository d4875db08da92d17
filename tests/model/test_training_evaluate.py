"""Evaluation of anybody's network, and the facts that come of it."""

import json

import keras
import numpy as np
import pytest

from femr.errors import DataError, ModelError
from femr.expression import weights
from femr.expression.calibration import Calibration
from femr.expression.networks import build_mobilenet_v2
from femr.training import data, facts, plots, publishing, record, summary
from femr.training.answers import Looks
from femr.training.evaluate import Tuning, evaluate, measure
from femr.training.models import find_model
from femr.training.prediction import RANGES, Answers, input_range, load_file
from femr.training.recipes import find

PICTURES = {"confusion_matrix", "reliability", "risk_coverage"}
EPOCH = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "seconds": 60.0}
KEYS = {
    "model", "split", "images", "accuracy", "accuracy_mirrored", "accuracy_deduplicated",
    "accuracy_mirrored_deduplicated", "macro_f1", "per_class", "confusion_matrix", "nll", "brier",
    "ece_before", "ece_after", "temperature", "unsure_threshold", "ferplus_accuracy", "weights_sha256", "people",
}  # fmt: skip


PEOPLE = {
    "images", "balance", "temperature", "unsure_threshold", "accuracy", "images_majority", "accuracy_unbalanced",
    "accuracy_ferplus", "images_ferplus", "mean_recall", "natural_mix", "per_class", "confusion_matrix",
    "cross_entropy", "cross_entropy_least", "ece_before", "ece_after", "ece_named", "agreement", "agreement_best",
    "sure", "accuracy_sure",
}  # fmt: skip
COLUMNS = [4, 5, 6, 1, 3, 2, 0]  # FER+'s, in the order of EMOTIONS


def face(label):
    """A face that a linear network can tell: one bright seventh of the rows."""
    image = np.full((48, 48), 20, np.uint8)
    image[label * 6 : label * 6 + 6] = 235
    return image


def faces(count, shift=0, voted=False):
    """Those faces; of ten people eight say what the label says, one something else and one nothing."""
    labels = np.arange(count) % 7
    images = np.stack([face(label) for label in labels])
    images[:, 47, 47] += (np.arange(count) + shift).astype(np.uint8)  # so that no two are the same
    votes = np.zeros((count, 10), np.int64)
    votes[np.arange(count), np.array(COLUMNS)[labels]] += 8
    votes[np.arange(count), np.array(COLUMNS)[(labels + 1) % 7]] += 1
    votes[:, 8] += 1
    return data.FaceData(images, labels.astype(np.int64), votes if voted else None)


def network(low=0.0, high=1.0, channels=3, activation="softmax", heads=1):
    """A network that reads those faces if black is `low` and white is `high`; anything else misleads it."""
    inputs = keras.Input((48, 48, channels))
    bands = keras.layers.Flatten()(keras.layers.AveragePooling2D((6, 48))(inputs))
    outputs = [keras.layers.Dense(7, activation=activation, name=name)(bands) for name in weights.HEADS[:heads]]
    model = keras.Model(inputs, outputs if heads > 1 else outputs[0])
    kernel, bias = np.zeros((8 * channels, 7), np.float32), np.zeros(7, np.float32)
    for label in range(7):
        kernel[label * channels, label] = 10 / (high - low)
    # a fixed band lifts one answer, and the bias takes exactly that back for the right black and no other
    dark = low + (high - low) * 20 / 255
    kernel[7 * channels, 0], bias[0] = 1000 / (high - low), -1000 / (high - low) * dark
    model.set_weights([kernel, bias] * heads)
    return model


def two_heads():
    return network(heads=2)


@pytest.fixture
def splits():
    counts = {"Training": (70, 0), "PublicTest": (42, 100), "PrivateTest": (21, 63)}
    return {split: faces(*numbers) for split, numbers in counts.items()}


def with_votes(splits):
    counts = {"Training": (70, 0), "PublicTest": (42, 100), "PrivateTest": (21, 63)}
    return splits | {split: faces(*numbers, voted=True) for split, numbers in counts.items()}


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
    assert report["ferplus_accuracy"] is report["people"] is None
    assert "PEOPLE: the people head against FER+'s votes: not measured, the data have no votes" in summary.to_text(
        report
    )
    assert list(report["weights_sha256"]) == ["theirs.keras"]
    assert np.trace(report["confusion_matrix"]) == 21
    assert report["ece_after"] <= report["ece_before"] + 0.01
    json.dumps(report)


@pytest.mark.parametrize("heads", [1, 2])
def test_both_answers_are_measured_where_there_are_votes(tmp_path, monkeypatch, splits, heads):
    monkeypatch.setattr(data, "load", lambda source: with_votes(splits))
    network(heads=heads).save(tmp_path / "theirs.keras")
    report = evaluate(str(tmp_path / "theirs.keras"), "anywhere")
    assert set(report) == KEYS
    people = report["people"]
    assert set(people) == PEOPLE
    assert report["ferplus_accuracy"] == people["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert (people["images"], people["images_majority"], people["images_ferplus"]) == (21, 21, 21)
    assert people["agreement"] == people["agreement_best"] == pytest.approx(0.8)
    assert people["balance"] == 0
    assert people["mean_recall"] == people["natural_mix"] == 1
    # eight of nine votes for the seven agree: calibrated on them, a sure network says so
    assert people["temperature"] > report["temperature"]
    assert people["ece_after"] < 0.03 < people["ece_before"]
    assert people["cross_entropy"] >= people["cross_entropy_least"]
    text = summary.to_text(report)
    assert "accuracy, over 5 of 10 votes (21 faces)      100.00%" in text
    json.dumps(report)


def test_the_balance_is_of_what_is_named_alone(tmp_path, monkeypatch, splits):
    monkeypatch.setattr(data, "load", lambda source: with_votes(splits))
    network(heads=2).save(tmp_path / "theirs.keras")
    plain, balanced = (evaluate(str(tmp_path / "theirs.keras"), "anywhere", balance=balance) for balance in (None, 1))
    assert balanced["people"]["balance"] == 1
    same = KEYS - {"people"}
    assert {key: plain[key] for key in same} == {key: balanced[key] for key in same}
    for key in ("temperature", "cross_entropy", "ece_before", "ece_after", "accuracy_unbalanced"):
        assert plain["people"][key] == balanced["people"][key]
    with pytest.raises(ModelError, match="Expected a balance from 0"):
        evaluate("missing.keras", "anywhere", balance=1.5)


def test_pictures(tmp_path, loaded):
    pytest.importorskip("matplotlib")
    network().save(tmp_path / "m.keras")
    evaluate(str(tmp_path / "m.keras"), "anywhere", "PublicTest", tmp_path / "pictures")
    assert {path.stem for path in (tmp_path / "pictures").iterdir()} == PICTURES
    loaded |= with_votes(loaded)
    evaluate(str(tmp_path / "m.keras"), "anywhere", "PublicTest", tmp_path / "more")
    assert {path.stem for path in (tmp_path / "more").iterdir()} == PICTURES | {"people_confusion_matrix"}
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


def said(probabilities):
    """Looks with the same answer to everything."""
    return Looks(*[Answers(*[probabilities.astype(np.float32)] * 2)] * 2)


UNTUNED = Tuning(1.0, 0.5, Calibration(), 0.5)


def test_measures_without_the_training_images():
    private = faces(14)
    wrong = said(np.eye(7)[(private.labels + (np.arange(14) < 7)) % 7])
    report = measure(wrong, private, np.arange(14) >= 7, UNTUNED)
    assert report["accuracy"]["value"] == 0.5
    assert report["accuracy_deduplicated"]["value"] == 1.0
    assert measure(wrong, private, np.zeros(14, bool), UNTUNED)["accuracy_deduplicated"] is None


def test_votes_are_used_where_there_are_any():
    private = faces(7)
    votes = np.zeros((7, 10), np.int64)
    votes[:, 1] = 10  # all say happiness
    found = measure(said(np.eye(7)), data.FaceData(private.images, private.labels, votes), np.ones(7, bool), UNTUNED)
    assert found["ferplus_accuracy"]["value"] == found["people"]["accuracy"]["value"] == pytest.approx(1 / 7)
    unknown = np.zeros((7, 10), np.int64)
    unknown[:, 8] = 10
    faces_nobody_knows = data.FaceData(private.images, private.labels, unknown)
    assert measure(said(np.eye(7)), faces_nobody_knows, np.ones(7, bool), UNTUNED)["people"] is None


def test_own_models_and_the_ensemble_are_found(splits):
    model = find_model("ensemble", splits["PublicTest"])
    assert len(model.members) == 2
    few = splits["PublicTest"][:2]
    looks = model.look(few)
    assert looks.plain.labels.shape == looks.mirror.people.shape == (2, 7)
    np.testing.assert_allclose(looks.mean.people.sum(axis=1), 1, atol=1e-3)
    assert model.members[0].look(few) is model.members[0].look(few)  # asked once


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


@pytest.fixture
def bench(splits):
    return publishing.Bench(with_votes(splits))


def test_a_run_without_result_is_not_published(tmp_path, models, bench):
    with pytest.raises(ModelError, match=r"run\.json"):
        publishing.publish(tmp_path, bench)
    (tmp_path / "run.json").write_text(json.dumps({"network": "custom_cnn"}))
    with pytest.raises(ModelError, match="finished"):
        publishing.publish(tmp_path, bench)


def test_nothing_is_published_without_votes(splits):
    with pytest.raises(DataError, match=r"Expected data with FER\+ votes"):
        publishing.Bench(splits)


def test_a_worse_model_does_not_replace_a_better_one(tmp_path, bench, models):
    (tmp_path / "run.json").write_text(json.dumps({"network": "custom_cnn"}))
    network().save(tmp_path / "final.keras")
    right = {"value": 1.0}
    scores = {"PublicTest": {"accuracy_mirrored": right, "ferplus_accuracy": right}}
    (models / "custom_cnn.json").write_text(json.dumps({"scores": scores}))
    with pytest.raises(ModelError, match=r"more than 100.00% on PublicTest.*Received: 100.00%"):
        publishing.publish(tmp_path, bench)
    with pytest.raises(ModelError, match=r"Expected a network with the heads scores and people\. Received: scores"):
        publishing.publish(tmp_path, bench, force=True)


def test_a_finished_run_becomes_a_model_with_its_facts(tmp_path, bench, models):
    recipe = find("mobilenet_v2", "best")
    known = record.describe(recipe, 1, ("Training",), bench.splits["Training"], bench.splits["PublicTest"])
    known |= record.origins("imagenet", (tmp_path / "teacher.keras",), [])
    record.write(tmp_path, known, [EPOCH], {"val_loss": 1.0, "val_accuracy": 0.5})
    build_mobilenet_v2().save(tmp_path / "final.keras")
    path = publishing.publish(tmp_path, bench)
    found = weights.read_facts(path)
    assert (found.name, found.side, found.low, found.high) == ("mobilenet_v2", 96, -1.0, 1.0)
    assert found.calibration.temperature > 0
    assert found.label_temperature > 0
    assert set(found.scores) == {"PublicTest", "PrivateTest"}
    assert set(found.scores["PrivateTest"]) == KEYS
    written = {file.name: weights.sha256(file) for file in models.iterdir() if file.is_file() and file != path}
    assert found.files == written
    drawn = {file.stem for file in models.glob("pictures/mobilenet_v2/*.png")}
    assert drawn == PICTURES | {"curves", "balances", "people_confusion_matrix"}
    assert found.document["parameters"] == 2_430_663
    assert found.document["people_parameters"] == 172_679
    assert "The first 27 epochs saw faces of 64 pixels instead of 96." in found.document["training"]
    assert "It started from imagenet." in found.document["training"]
    assert "60 % of its targets came from one teacher (teacher.keras)." in found.document["training"]
    assert "before" not in found.document["run"]
    plain, *balanced = found.document["balances"]
    assert plain["PublicTest"]["accuracy"] == found.scores["PublicTest"]["people"]["accuracy_unbalanced"]["value"]
    assert [row["balance"] for row in balanced] == [step / 10 for step in range(1, 11)]
    assert found.calibration.balance == found.scores["PublicTest"]["people"]["balance"]
    facts.add_notes("mobilenet_v2", "It rained.")
    noted = weights.read_facts(facts.add_notes("mobilenet_v2", "It rained.", "Then the sun shone."))
    assert noted.document["run"]["notes"] == ["It rained.", "Then the sun shone."]
    assert noted.document["training"] == found.document["training"] + " It rained. Then the sun shone."
    assert set(found.document["run"]) >= {"recipe", "seed", "data", "epochs", "versions", "hardware", "seconds"}
