"""A finish on PublicTest, published honestly: what PublicTest decides is taken from the weights before it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from test_training_evaluate import EPOCH, KEYS, faces, said, two_heads

from femr.__main__ import main
from femr.errors import DataError, ModelError
from femr.expression import networks, weights
from femr.hub import card
from femr.training import answers, data, metrics, publishing, record
from femr.training.evaluate import BEFORE_THE_FINISH, evaluate
from femr.training.models import find_model
from femr.training.recipes import find


def write_run(folder, name, recipe, splits, trained_on, start=None, seed=1, noise=3):
    """A run's folder as training leaves it, with a small network that is right more or less often."""
    folder.mkdir()
    recipe = replace(find(name, recipe), side=48, low=0.0)
    known = record.describe(recipe, seed, trained_on, splits["Training"], splits["PublicTest"])
    known |= record.origins(start and str(start), (), [])
    record.write(folder, known, [EPOCH], {"val_loss": 1.0, "val_accuracy": 0.5})
    model = two_heads()
    rng = np.random.default_rng(seed)
    model.set_weights([array + rng.normal(0, noise, array.shape) for array in model.get_weights()])
    model.save(folder / "final.keras")
    return folder


@pytest.fixture(scope="module")
def splits():
    counts = {"Training": (70, 0), "PublicTest": (42, 100), "PrivateTest": (21, 63)}
    return {split: faces(*numbers, voted=True) for split, numbers in counts.items()}


@pytest.fixture
def bench(patched, splits):
    return publishing.Bench(splits)


@pytest.fixture(scope="module")
def patched(splits, tmp_path_factory):
    """The data are those few faces, the networks small ones, and models/ is empty."""
    patch = pytest.MonkeyPatch()
    patch.setattr(networks, "BUILDERS", {"mobilenet_v2": two_heads, "custom_cnn": two_heads})
    patch.setattr(data, "load", lambda source: splits)
    patch.setattr(weights, "MODELS_DIR", tmp_path_factory.mktemp("models"))
    yield weights.MODELS_DIR
    patch.undo()


@pytest.fixture(scope="module")
def runs(splits, tmp_path_factory):
    """An ordinary run of each network, the finish of one of them, and somebody's other run."""
    root = tmp_path_factory.mktemp("runs")
    plain, both = ("Training",), ("Training", "PublicTest")
    before = write_run(root / "before", "mobilenet_v2", "best", splits, plain)
    poor = write_run(root / "poor", "mobilenet_v2", "best", splits, plain, seed=5, noise=30)
    return {
        "before": before,
        "finished": write_run(
            root / "finished", "mobilenet_v2", "finish", splits, both, before / "final.keras", seed=2
        ),
        "poor": poor,
        "poor_finished": write_run(
            root / "poor_finished", "mobilenet_v2", "finish", splits, both, poor / "final.keras", seed=2
        ),
        "other": write_run(root / "other", "mobilenet_v2", "best", splits, plain, seed=3),
        "custom": write_run(root / "custom", "custom_cnn", "best", splits, plain, seed=4),
    }


@pytest.fixture(scope="module")
def published(patched, splits, runs):
    """models/ after MobileNetV2, its finish, an ordinary custom CNN and the ensemble were published."""
    bench = publishing.Bench(splits)
    publishing.publish(runs["before"], bench)
    publishing.publish(runs["finished"], bench, before=(runs["poor"] / "final.keras", runs["before"] / "final.keras"))
    publishing.publish(runs["custom"], bench)
    publishing.update_scores("ensemble", bench)
    return patched


def document(folder, name):
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def looks(path, public):
    return find_model(str(path / "final.keras"), public).look(public).mean


def test_the_weights_before_are_asked_for(bench, runs):
    with pytest.raises(ModelError, match=r"Expected --before with the file .* scores say nothing\. Received: none"):
        publishing.publish(runs["finished"], bench)


def test_no_other_weights_will_do(bench, runs):
    with pytest.raises(ModelError, match=r"Received: final\.keras"):
        publishing.publish(runs["finished"], bench, before=[runs["other"] / "final.keras"])


def test_nor_weights_that_learned_from_public_test(bench, splits, runs, tmp_path):
    start = runs["finished"] / "final.keras"
    again = write_run(tmp_path / "again", "mobilenet_v2", "finish", splits, ("Training", "PublicTest"), start)
    with pytest.raises(ModelError, match=r"never learned from PublicTest\. Received: one that did"):
        publishing.publish(again, bench, before=[start])


def test_a_finish_of_a_run_that_is_not_better_is_refused(published, bench, runs):
    scores = document(published, "mobilenet_v2")["scores"]["PublicTest"]
    good = (scores["accuracy_mirrored"]["value"] + scores["people"]["accuracy_unbalanced"]["value"]) / 2
    found = looks(runs["poor"], bench.public)
    assert metrics.accuracy(found.labels, bench.public.labels) < good
    with pytest.raises(ModelError, match=f"Expected more than {good:.2%} on PublicTest"):
        publishing.publish(runs["poor_finished"], bench, before=[runs["poor"] / "final.keras"])


def test_public_test_is_measured_before_and_private_test_after(published, runs, splits):
    found = document(published, "mobilenet_v2")
    public, private = found["scores"]["PublicTest"], found["scores"]["PrivateTest"]
    assert set(public) == KEYS | {"measured_with"}
    assert public["measured_with"] == BEFORE_THE_FINISH
    (digest,) = public["weights_sha256"].values()
    assert digest == weights.sha256(runs["before"] / "final.keras")
    before = looks(runs["before"], splits["PublicTest"])
    assert public["accuracy_mirrored"]["value"] == metrics.accuracy(before.labels, splits["PublicTest"].labels)
    assert public["people"]["accuracy_unbalanced"]["value"] == metrics.accuracy(
        before.people, splits["PublicTest"].labels
    )
    assert set(private) == KEYS
    assert private["weights_sha256"] == found["files"]
    assert found["label_temperature"] == round(private["temperature"], 4) == round(public["temperature"], 4)
    assert found["calibration"]["temperature"] == round(private["people"]["temperature"], 4)
    assert found["before"]["recorded"] is True
    assert found["trained_on"] == ["Training", "PublicTest"]


def test_the_ensemble_is_tuned_without_the_finished_member(published, runs, splits):
    found = document(published, "ensemble")
    public = splits["PublicTest"]
    expected = looks(runs["before"], public).labels + looks(runs["custom"], public).labels
    measured = found["scores"]["PublicTest"]
    assert measured["measured_with"] == BEFORE_THE_FINISH
    assert measured["accuracy_mirrored"]["value"] == pytest.approx(metrics.accuracy(expected, public.labels), abs=0.03)
    assert "mobilenet_v2, final.keras" in measured["weights_sha256"]
    assert found["trained_on"] == ["Training", "PublicTest"]
    assert found["training"].startswith("The mean of the probabilities of Custom CNN and MobileNetV2;")
    assert found["parameters"] + found["people_parameters"] == 2 * two_heads().count_params()
    assert found["parameters"] == found["people_parameters"]


def test_both_stages_are_told(published):
    told = document(published, "mobilenet_v2")["training"]
    first, second = told.split(" Then a finish on Training and PublicTest together. ")
    assert first.startswith("Recipe `best`")
    assert second.startswith("Recipe `finish`")
    assert "It started from the end of an earlier run." in second


def test_the_card_says_what_was_measured_when(published):
    shown = [weights.read_facts(published / f"{name}.json") for name in weights.MODEL_NAMES]
    text = card.model_card(shown)
    assert "MobileNetV2, Ensemble of both: these scores, temperatures and thresholds are of the weights before" in text


def test_evaluation_of_the_finished_model_is_honest_too(published, splits):
    assert evaluate("mobilenet_v2", "anywhere", "PublicTest")["measured_with"] == BEFORE_THE_FINISH
    found = document(published, "mobilenet_v2")
    assert evaluate("mobilenet_v2", "anywhere")["temperature"] == found["scores"]["PublicTest"]["temperature"]


def test_where_nothing_is_remembered_the_models_own_values_hold(published, splits, monkeypatch):
    others = splits | {"PublicTest": faces(35, shift=7, voted=True)}
    monkeypatch.setattr(data, "load", lambda source: others)
    report = evaluate("mobilenet_v2", "anywhere", "PublicTest")
    assert report["measured_with"] == "weights that learned from these faces"
    assert report["temperature"] == document(published, "mobilenet_v2")["label_temperature"]
    before = (published / "mobilenet_v2.json").read_bytes()
    with pytest.raises(DataError, match="nothing known of it"):
        publishing.update_scores("mobilenet_v2", publishing.Bench(others))
    assert (published / "mobilenet_v2.json").read_bytes() == before


def test_a_file_in_a_finishing_run_is_known_to_have_learned_from_public_test(patched, runs):
    report = evaluate(str(runs["finished"] / "final.keras"), "anywhere", "PublicTest")
    assert report["measured_with"] == "weights that learned from these faces"
    assert report["temperature"] == 1.0


def test_weights_without_a_record_will_do_and_the_card_says_so(published, runs, tmp_path, capsys):
    file = tmp_path / "two_heads.keras"
    file.write_bytes((runs["before"] / "final.keras").read_bytes())
    # the same weights: nothing better is asked for
    told = ["--before", str(file), "--note", "It rained."]
    assert main(["publish", str(runs["finished"]), "custom_cnn", "--data", "anywhere", *told]) == 0
    assert capsys.readouterr().out == "Wrote mobilenet_v2.json\nWrote custom_cnn.json\nWrote ensemble.json\n"
    found = document(published, "mobilenet_v2")
    assert found["before"]["weights_sha256"] == {"two_heads.keras": weights.sha256(file)}
    assert found["before"]["recorded"] is False
    assert found["training"].startswith("Recipe `finish`")
    assert found["training"].endswith(" It rained.")
    text = (published / "README.md").read_text(encoding="utf-8")
    assert "No record is kept of the weights before, MobileNetV2." in text
    assert " It rained." in text


def test_a_later_ordinary_run_leaves_nothing_of_the_finish(published, bench, runs):
    remembered = published / "mobilenet_v2.public_test.npz"
    assert remembered.is_file()
    publishing.publish(runs["other"], bench, force=True)
    assert not remembered.exists()
    assert "measured_with" not in document(published, "mobilenet_v2")["scores"]["PublicTest"]


def test_answers_know_their_faces(tmp_path):
    some, path = faces(7), tmp_path / "a.npz"
    found = said(np.eye(7))
    answers.write(path, some, found)
    back = answers.read(path, some)
    np.testing.assert_array_equal(back.mean.people, found.mean.people)
    np.testing.assert_array_equal(back.plain.labels, np.eye(7))
    with pytest.raises(DataError, match="those of others"):
        answers.read(path, faces(14))
    (tmp_path / "b.npz").write_bytes(b"nothing")
    with pytest.raises(DataError, match="none that can be read"):
        answers.read(tmp_path / "b.npz", some)
