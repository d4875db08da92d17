"""What is kept of a run by the reference's recipe, and how the card tells of it."""

import json

import pytest
from test_card import cells
from test_training_evaluate import faces, two_heads
from test_training_finish import write_run

from femr.__main__ import main
from femr.errors import ModelError
from femr.expression import networks, weights
from femr.hub import card
from femr.training import data, record, reference

HISTORY = [
    {"epoch": epoch, "loss": 2 / epoch, "accuracy": 0.2 * epoch, "val_loss": loss, "val_accuracy": 0.4, "seconds": 30.0}
    for epoch, loss in ((1, 1.8), (2, 1.2), (3, 1.5))
]


@pytest.fixture(scope="module")
def splits():
    return {"Training": faces(70), "PublicTest": faces(42, shift=100), "PrivateTest": faces(21, shift=63)}


@pytest.fixture(scope="module")
def run(splits, tmp_path_factory):
    folder = write_run(tmp_path_factory.mktemp("runs") / "run", "custom_cnn", "reference", splits, ("Training",))
    record.write(folder, record.read(folder), HISTORY, {"val_loss": 1.2, "val_accuracy": 0.4})
    return folder


@pytest.fixture
def models(splits, tmp_path, monkeypatch):
    """The data are those few faces, and models/ holds the shipped models' facts without their weights."""
    for name in weights.MODEL_NAMES:
        (tmp_path / f"{name}.json").write_bytes((weights.MODELS_DIR / f"{name}.json").read_bytes())
    monkeypatch.setattr(weights, "MODELS_DIR", tmp_path)
    monkeypatch.setattr(networks, "BUILDERS", {"custom_cnn": two_heads})
    monkeypatch.setattr(data, "load", lambda source: splits)
    return tmp_path


def test_figures_and_curves_are_kept_and_told(run, models, capsys):
    assert main(["publish", str(run), "--data", "anywhere", "--reference"]) == 0
    assert capsys.readouterr().out == "Wrote reference/custom_cnn.json\n"
    kept = json.loads((models / "reference" / "custom_cnn.json").read_text())
    assert kept["recipe"]["name"] == "reference"
    assert kept["history"] == HISTORY
    assert kept["scores"]["PrivateTest"]["images"] == 21
    assert (models / "pictures" / "custom_cnn" / "reference_curves.png").stat().st_size > 1000
    assert not list(models.glob("custom_cnn*.h5"))
    told = (models / "README.md").read_text(encoding="utf-8")
    assert cells(told, "its authors' accuracy") == [["67.5 %"]]
    assert cells(told, "epochs") == [["3 of 100, the best 2"]]
    assert cells(told, "accuracy on the held-out fifth of Training") == [["40.0 %"]]
    assert cells(told, "curves") == [["![Custom CNN: curves](pictures/custom_cnn/reference_curves.png)"]]
    accuracy = kept["scores"]["PrivateTest"]["accuracy"]["value"]
    assert cells(told, "accuracy, one view")[-1][0].startswith(f"{100 * accuracy:.1f} % (")


def test_without_runs_nothing_is_told(models):
    assert "run again" not in card.card_of(models)


@pytest.mark.parametrize(("recipe", "scores"), [("best", {"val_loss": 1.0}), ("reference", None)])
def test_only_finished_runs_by_that_recipe(splits, models, tmp_path, recipe, scores):
    folder = write_run(tmp_path / "other", "custom_cnn", recipe, splits, ("Training",))
    record.write(folder, record.read(folder), HISTORY, scores)
    with pytest.raises(ModelError, match="Expected a finished run by the recipe reference"):
        reference.keep(folder, "anywhere")
