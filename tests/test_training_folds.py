"""Out-of-fold teachers: no face is told of by a network that has seen it, and a run can go on fold by fold."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from femr.errors import DataError, ModelError
from femr.networks import build_custom_cnn
from femr.training import answers, data, record, teachers
from femr.training.folds import train_folds
from femr.training.prediction import load_file, predict, predict_mirrored
from femr.training.recipes import find
from femr.training.train import Settings, train

IMAGES = np.random.default_rng(0).integers(0, 256, (77, 48, 48)).astype(np.uint8)
IMAGES[8], IMAGES[23] = IMAGES[1], IMAGES[1]  # exact duplicates
QUICK = replace(
    find("custom_cnn", "best"),
    epochs=1,
    batch_size=7,
    last_epochs=0,
    batch_norm_batches=0,
    precision="float32",
    optimizer="sgd",
    ema=0.0,
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "fer2013.csv"
    with path.open("w", newline="") as file:
        splits = ["Training"] * 63 + ["PublicTest"] * 14
        texts = [" ".join(map(str, image.ravel())) for image in IMAGES]
        rows = [(n % 7, *row) for n, row in enumerate(zip(texts, splits, strict=True))]
        csv.writer(file).writerows([("emotion", "pixels", "Usage"), *rows])
    return path


@pytest.fixture(scope="module")
def made(source, tmp_path_factory):
    """The file of out-of-fold probabilities."""
    return train_folds("custom_cnn", source, tmp_path_factory.mktemp("folds"), 2, Settings(recipe=QUICK))


@pytest.fixture(scope="module")
def training(source):
    return data.load(source)["Training"]


def test_folds_are_even_and_keep_duplicates_together(training):
    fold = data.grouped_folds(training, 5, seed=1)
    assert sorted(set(fold)) == [0, 1, 2, 3, 4]
    assert np.bincount(fold).min() >= 10
    assert fold[1] == fold[8] == fold[23]
    np.testing.assert_array_equal(fold, data.grouped_folds(training, 5, seed=1))
    assert (fold != data.grouped_folds(training, 5, seed=2)).any()


def test_each_face_is_told_of_by_the_network_that_has_not_seen_it(made, training):
    (found,) = answers.read(made, training, teachers.OUT_OF_FOLD)
    fold = data.grouped_folds(training, 2, seed=1)
    for number in (0, 1):
        run = made.parent / f"fold-{number + 1}"
        own, network = training[fold == number], load_file(run / "final.keras")
        expected = (predict(network, own.images, 0, 1) + predict_mirrored(network, own.images, 0, 1)) / 2
        np.testing.assert_allclose(found[fold == number], expected, atol=1e-5)
        assert data.unseen(own, [training[fold != number]]).all()
        assert record.read(run)["data"]["training"]["images"] == (fold != number).sum()


def test_finished_folds_are_not_trained_again(made, source, capsys):
    before = {path: path.stat().st_mtime_ns for path in made.parent.glob("fold-*/final.keras")}
    content = made.read_bytes()
    made.unlink()
    again = train_folds("custom_cnn", source, made.parent, 2, Settings(recipe=QUICK, resume=True))
    assert again.read_bytes() == content
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "Epoch" not in capsys.readouterr().out
    with pytest.raises(ModelError, match="--resume"):
        train_folds("custom_cnn", source, made.parent, 2, Settings(recipe=QUICK))


def test_they_teach_alone_and_with_a_network(made, source, training, tmp_path):
    alone = teachers.probabilities([made], training, seed=1)
    np.testing.assert_allclose(alone.sum(axis=1), 1, atol=1e-3)
    build_custom_cnn().save(tmp_path / "other.keras")
    other = teachers.probabilities([tmp_path / "other.keras"], training, seed=1)
    both = teachers.probabilities([made, tmp_path / "other.keras"], training, seed=1)
    np.testing.assert_allclose(both, (alone + other) / 2, atol=1e-6)


def test_a_run_learns_from_them(made, source, tmp_path):
    train("custom_cnn", source, tmp_path / "run", Settings(recipe=QUICK, teachers=(made,)))
    (teacher,) = record.read(tmp_path / "run")["teachers"]
    assert teacher["name"] == "out_of_fold.npz"
    held_out = replace(QUICK, validation="held out")  # so it learns from other faces than those that were told of
    with pytest.raises(DataError, match=r"those of others \(out_of_fold.npz\)"):
        train("custom_cnn", source, tmp_path / "other", Settings(recipe=held_out, teachers=(made,)))


@pytest.mark.parametrize(
    ("folds", "settings", "words"),
    [
        (1, Settings(), "at least 2 folds. Received: 1"),
        (2, Settings(start="final.keras"), "know all faces"),
        (2, Settings(finish_on_public_test=True, start="final.keras"), "know all faces"),
        (2, Settings(teachers=("a.keras",)), "know all faces"),
    ],
)
def test_folds_that_would_not_be_out_of_fold(source, tmp_path, folds, settings, words):
    with pytest.raises(ModelError, match=words):
        train_folds("custom_cnn", source, tmp_path, folds, settings)
