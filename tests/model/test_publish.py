"""Finished runs become models, honestly: PublicTest is asked by networks that did not learn from it."""

import json
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from femr.__main__ import main
from femr.errors import DataError, ModelError
from femr.expression import networks, weights
from femr.files import sha256
from femr.publish import card, models
from femr.publish.models import Bench, publish
from femr.publish.text import run_sentence
from femr.training import data, metrics
from femr.training.checkpoint import RunConfig
from femr.training.evaluate import find_model
from training_builders import PICTURES, band_network, faces, few_splits, two_heads, write_run


@pytest.fixture(scope="module")
def patched(tmp_path_factory):
    """The data are a few faces, the networks small ones, and models/ is empty."""
    patch = pytest.MonkeyPatch()
    small = {name: replace(network, side=48, low=0.0, build=two_heads) for name, network in networks.NETWORKS.items()}
    patch.setattr(networks, "NETWORKS", small)
    patch.setattr(data, "load", lambda source: few_splits(voted=True))
    patch.setattr(weights, "MODELS_DIR", tmp_path_factory.mktemp("models"))
    yield weights.MODELS_DIR
    patch.undo()


@pytest.fixture(scope="module")
def bench():
    return Bench(few_splits(voted=True))


@pytest.fixture(scope="module")
def runs(patched, tmp_path_factory):
    """An ordinary run of each network, the finish of one of them, and a poor one."""
    root = tmp_path_factory.mktemp("runs")
    before = write_run(root / "before", "mobilenet_v2")
    return {
        "before": before,
        "finished": write_run(root / "finished", "mobilenet_v2", "finish", seed=2, before=before / "final.keras"),
        "poor": write_run(root / "poor", "mobilenet_v2", seed=5, noise=30),
        "custom": write_run(root / "custom", "custom_cnn", seed=4, teachers=(Path("teacher.keras"),)),
    }


@pytest.fixture(scope="module")
def published(patched, bench, runs):
    """models/ after an ordinary custom CNN, a MobileNetV2 that learned from PublicTest at the end, and the ensemble."""
    paths = publish([runs["custom"], runs["finished"]], bench, notes=["It rained."])
    assert [path.name for path in paths] == ["custom_cnn.json", "mobilenet_v2.json", "ensemble.json"]
    return patched


def config(folder, name):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def predicted_by(path, public):
    return find_model(str(path), public).predict(public).mean


def test_a_run_without_result_is_not_published(tmp_path, patched, bench):
    with pytest.raises(ModelError, match=r"run\.json"):
        publish([tmp_path], bench)
    (tmp_path / "run.json").write_text(json.dumps({"network": "custom_cnn", "recipe": {"name": "best"}}))
    with pytest.raises(ModelError, match="finished"):
        publish([tmp_path], bench)
    band_network().save(tmp_path / "final.keras")
    with pytest.raises(ModelError, match=r"Expected a network with the heads scores and people\. Received: scores"):
        publish([tmp_path], bench)


def test_nothing_is_published_without_votes():
    with pytest.raises(DataError, match=r"Expected data with FER\+ votes"):
        Bench(few_splits())


@pytest.mark.parametrize("same", [False, True])
def test_the_network_before_is_asked_for(tmp_path, bench, runs, same):
    run = write_run(tmp_path / "run", "custom_cnn", "finish", before=runs["before"] / "final.keras")
    (run / "calibration.keras").unlink()
    if same:
        (run / "calibration.keras").write_bytes((run / "final.keras").read_bytes())
    words = "the same network" if same else "none"
    with pytest.raises(ModelError, match=rf"calibration\.keras beside final\.keras: .*Received: {words}"):
        publish([run], bench)


def test_there_is_one_run_of_each_network(patched, bench, runs):
    with pytest.raises(ModelError, match=r"^Expected one run of each network\. Received: 2 runs of MobileNetV2$"):
        publish([runs["before"], runs["finished"], runs["custom"]], bench)


def test_a_runs_folder_may_be_named_like_a_model(tmp_path, patched, bench, runs, monkeypatch):
    (tmp_path / "mobilenet_v2").symlink_to(runs["before"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="2 runs of MobileNetV2"):
        publish(["mobilenet_v2", runs["before"]], bench)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_published_stays_where_a_network_cannot_be_exported(published, bench, runs, monkeypatch):
    before = contents(published)
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ModelError, match="Expected onnx and tf2onnx to publish with"):
        publish([runs["custom"], runs["finished"]], bench, force=True)
    monkeypatch.undo()

    def broken(network, *_):
        raise ModelError("export is broken")

    monkeypatch.setattr(models, "export", broken)
    with pytest.raises(ModelError, match="export is broken"):
        publish([runs["custom"], runs["finished"]], bench, force=True)
    assert contents(published) == before


def test_nothing_is_left_of_a_network_that_is_replaced(tmp_path, published, bench, runs):
    of_reference = published / "pictures" / "custom_cnn" / "reference_curves.png"
    for name in ("custom_cnn_00009.weights.h5", "custom_cnn_00009.onnx_data", "pictures/custom_cnn/old.png"):
        (published / name).touch()
    of_reference.touch()
    told = json.loads((runs["custom"] / "run.json").read_text())
    run = Path(shutil.copytree(runs["custom"], tmp_path / "run"))
    (run / "run.json").write_text(json.dumps({key: value for key, value in told.items() if key != "history"}))
    publish([run, runs["finished"]], bench)
    assert [path for path in published.rglob("*") if "00009" in path.name or path.name == "old.png"] == []
    drawn = {path.parent.name for path in published.rglob("curves.png")}
    assert drawn == {"mobilenet_v2"}  # no curves of a run that tells no history
    of_reference.unlink()  # it belongs to another run, in reference/, and nobody would draw it again
    publish([runs["custom"], runs["finished"]], bench, notes=["It rained."])


def test_a_worse_run_is_refused(published, bench, runs):
    scores = config(published, "mobilenet_v2")["scores"]["PublicTest"]
    good = (scores["accuracy_mirrored"]["value"] + scores["people"]["accuracy_unbalanced"]["value"]) / 2
    with pytest.raises(ModelError, match=f"Expected at least {good:.2%} on PublicTest"):
        publish([runs["poor"]], bench)


def test_public_test_is_measured_before_and_private_test_after(published, runs, bench):
    found = config(published, "mobilenet_v2")
    public, private = found["scores"]["PublicTest"], found["scores"]["PrivateTest"]
    (digest,) = public["weights_sha256"].values()
    assert digest == sha256(runs["before"] / "final.keras")
    before = predicted_by(runs["before"] / "final.keras", bench.public)
    assert public["accuracy_mirrored"]["value"] == metrics.accuracy(before.labels, bench.public.labels)
    assert public["people"]["accuracy_unbalanced"]["value"] == metrics.accuracy(before.people, bench.public.labels)
    assert private["weights_sha256"] == found["files"]
    after = predicted_by(runs["finished"] / "final.keras", bench.splits["PrivateTest"])
    assert private["accuracy_mirrored"]["value"] == pytest.approx(
        metrics.accuracy(after.labels, bench.splits["PrivateTest"].labels), abs=0.05
    )
    assert found["label_temperature"] == round(private["temperature"], 4) == round(public["temperature"], 4)
    assert found["calibration"]["temperature"] == round(private["people"]["temperature"], 4)
    assert found["trained_on"] == ["Training", "PublicTest"]


def test_the_config_is_whole_and_its_files_are_there(published, runs):
    found = weights.read_facts(published / "custom_cnn.json")
    assert (found.name, found.side, found.low, found.high) == ("custom_cnn", 48, 0.0, 1.0)
    there = {path.name: sha256(path) for path in published.glob("custom_cnn*")}
    del there["custom_cnn.json"]
    assert {**found.files, **found.onnx} == there
    assert next(iter(found.onnx)) == "custom_cnn.onnx"
    loaded = weights.load_network("custom_cnn")[1].get_weights()
    kept = find_model(str(runs["custom"] / "final.keras"), faces(7)).networks[0].network.get_weights()
    for one, other in zip(loaded, kept, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3)
    assert {file.stem for file in published.glob("pictures/custom_cnn/*.png")} == PICTURES | {
        "curves",
        "balances",
        "people_confusion_matrix",
    }
    assert found.parameters == found.people_parameters
    assert found.document["run"]["seed"] == 4
    assert "60 % of its targets came from one teacher (teacher.keras)." in found.training
    assert found.training.endswith(" It rained.")
    assert found.balances[0]["PublicTest"].accuracy == found.scores["PublicTest"].people.accuracy_unbalanced.value
    assert list(found.balances) == [step / 10 for step in range(11)]
    assert found.calibration.balance == found.scores["PublicTest"].people.balance


def test_the_ensemble_is_tuned_by_the_networks_before(published, runs, bench):
    found = config(published, "ensemble")
    expected = sum(predicted_by(runs[name] / "final.keras", bench.public).labels for name in ("before", "custom"))
    measured = found["scores"]["PublicTest"]
    assert measured["accuracy_mirrored"]["value"] == pytest.approx(
        metrics.accuracy(expected, bench.public.labels), abs=0.03
    )
    assert set(measured["weights_sha256"]) == {"mobilenet_v2, calibration.keras", "custom_cnn, final.keras"}
    shipped = [config(published, name)["files"] for name in ("custom_cnn", "mobilenet_v2")]
    assert found["scores"]["PrivateTest"]["weights_sha256"] == shipped[0] | shipped[1]
    assert found["trained_on"] == ["Training", "PublicTest"]
    assert found["training"].startswith("The mean of the probabilities of Custom CNN and MobileNetV2;")
    assert found["parameters"] + found["people_parameters"] == 2 * two_heads().count_params()


def test_the_card_says_what_was_measured_when(published):
    text = card.model_card([weights.read_facts(published / f"{name}.json") for name in weights.MODEL_NAMES])
    assert "MobileNetV2, Ensemble of both: these scores, temperatures and thresholds are of the network before" in text


def test_one_run_alone_cannot_calibrate_the_ensemble(published, bench, runs):
    before = (published / "custom_cnn.json").read_bytes()
    with pytest.raises(ModelError, match=r"the runs of both networks.*none of MobileNetV2, which learned from PublicT"):
        publish([runs["custom"]], bench)
    assert (published / "custom_cnn.json").read_bytes() == before


def test_a_model_measured_anew_keeps_its_calibration_and_its_public_scores(published, capsys):
    before = {name: config(published, name) for name in weights.MODEL_NAMES}
    assert main(["publish", "mobilenet_v2", "--data", "anywhere"]) == 0
    assert capsys.readouterr().out == "Wrote mobilenet_v2.json\nWrote ensemble.json\n"
    after = {name: config(published, name) for name in weights.MODEL_NAMES}
    for name in ("mobilenet_v2", "ensemble"):
        for key in ("calibration", "label_temperature", "unsure_threshold", "balances"):
            assert after[name][key] == before[name][key]
        assert after[name]["scores"]["PublicTest"] == before[name]["scores"]["PublicTest"]
    assert after["custom_cnn"] == before["custom_cnn"]
    assert "It rained." in (published / "README.md").read_text(encoding="utf-8")


def test_a_run_trained_elsewhere_needs_three_lines(tmp_path, published, bench, runs):
    run = write_run(tmp_path / "run", "mobilenet_v2", "finish", seed=2, before=runs["before"] / "final.keras")
    told = {
        "network": "mobilenet_v2",
        "recipe": {"name": "elsewhere"},
        "trained_on": ["Training", "PublicTest"],
        "epochs": 80,
        "teachers": [{"name": "a.keras"}, {"name": "b.keras"}],
        "notes": ["Trained on a GPU."],
    }
    (run / "run.json").write_text(json.dumps(told))
    publish([run, runs["custom"]], bench)
    sentence = "Recipe `elsewhere`, 80 epochs. Soft labels came from 2 teachers (a.keras, b.keras). Trained on a GPU."
    assert config(published, "mobilenet_v2")["training"] == sentence


def test_a_run_is_told_as_far_as_it_is_known():
    whole = RunConfig.from_dict(
        {
            "network": "mobilenet_v2",
            "recipe": {
                "name": "best", "side": 96, "early_side": 64, "early_part": 0.6, "epochs": 45, "optimizer": "adamw",
                "rate": 8e-4, "batch_size": 64, "precision": "float32", "teacher_weight": 0.6,
            },
            "data": {"training": {"images": 28709}},
            "seed": 1, "epochs": 45, "seconds": 600.0, "hardware": "Xeon, 2 cores", "backend": "jax",
            "versions": {"keras": "3.15.1"}, "start": {"name": "imagenet"}, "teachers": [{"name": "final.keras"}],
        }
    )  # fmt: skip
    assert run_sentence(whole) == (
        "Recipe `best`, 45 epochs of 28,709 faces, seed 1: adamw, rate 0.0008 (cosine), batches of 64, float32, in "
        "10 minutes on Xeon, 2 cores (Keras 3.15.1, jax). The first 27 epochs saw faces of 64 pixels instead of 96. It "
        "started from imagenet. 60 % of its targets came from one teacher."
    )
    for seconds, told in ((22.0, "22 seconds"), (119.0, "119 seconds"), (120.0, "2 minutes")):
        assert f"in {told} on Xeon" in run_sentence(replace(whole, seconds=seconds))
    finish = replace(whole, recipe={"name": "finish"}, trained_on=("Training", "PublicTest"), before=asdict(whole))
    first, second = run_sentence(finish).split(" Then a finish on Training and PublicTest together. ")
    assert first == run_sentence(whole)
    assert second.startswith("Recipe `finish`")
