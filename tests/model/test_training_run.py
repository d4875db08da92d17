"""Training itself: every backend that is installed, an interruption by kill -9, and runs that must not be mixed up."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import keras
import numpy as np
import pytest

from builders import ROOT
from femr.errors import DataError, ModelError
from femr.expression import networks
from femr.expression.networks import label_network
from femr.files import sha256
from femr.training.checkpoint import RunConfig, read_checkpoint, write_checkpoint
from femr.training.data import FaceData
from femr.training.network import FusedBatchNormalization, build, load_file
from femr.training.optim import averaged_weights, orthogonalize, schedule
from femr.training.recipes import RECIPES, find
from femr.training.train import Run, Settings, make_targets, soft_labels, train
from training_builders import TINY, band_network, noisy, short_run, tiny_network

BACKENDS = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]
IMAGES = np.random.default_rng(0).integers(0, 256, (64, 48, 48))
USAGE = ["Training"] * 42 + ["PublicTest"] * 14 + ["PrivateTest"] * 8

PROGRAM = """
import sys
from pathlib import Path
from training_builders import short_run
short_run(*sys.argv[1:3], Path(sys.argv[3]), epochs=1)
assert ("tensorflow" in sys.modules) == (__import__("keras").backend.backend() == "tensorflow")
"""
STANDING = """
import sys, time
from pathlib import Path
from femr.expression import networks
from femr.training.train import Run
from training_builders import TINY, short_run
networks.NETWORKS, save = TINY, Run.save
Run.save = lambda run, folder: (save(run, folder), time.sleep(600))
short_run("custom_cnn", sys.argv[1], Path(sys.argv[2]))
"""
"""The same with a tiny network; it stands still when its first epoch is on disk."""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """64 faces of noise: enough to run everything, too few to learn anything."""
    path = tmp_path_factory.mktemp("data") / "fer2013.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for index, (image, usage) in enumerate(zip(IMAGES, USAGE, strict=True)):
            writer.writerow([index % 7, " ".join(map(str, image.ravel())), usage])
    return path


@pytest.fixture
def tiny(monkeypatch):
    """A tiny network instead of the two."""
    monkeypatch.setattr(networks, "NETWORKS", TINY)


def start(program, *arguments, backend="tensorflow"):
    """A run in a process of its own."""
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def curve(folder):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in RunConfig.read(folder).history]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("network", ["custom_cnn", "mobilenet_v2"])
def test_a_few_steps_on_every_backend(tmp_path, source, network, backend):
    if backend == keras.backend.backend():
        short_run(network, source, tmp_path, epochs=1)
    else:
        process = start(PROGRAM, network, source, tmp_path, backend=backend)
        output = process.communicate(timeout=600)[0].decode()
        assert process.returncode == 0, output[-2000:]
    (row,) = curve(tmp_path)
    assert all(np.isfinite(value) for value in row.values())
    assert {"final.keras", "latest.keras", "checkpoint.npz", "run.json"} <= {p.name for p in tmp_path.iterdir()}


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path, source, tiny, capsys):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    short_run("custom_cnn", source, whole)
    assert "Epoch 2/2" in capsys.readouterr().out
    process = start(STANDING, source, killed)
    deadline = time.monotonic() + 300
    while not (killed / "checkpoint.npz").exists():
        assert process.poll() is None, process.communicate()[0].decode()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    (killed / ".writing-half.npz").write_bytes(b"half")
    assert not (killed / "final.keras").exists()
    short_run("custom_cnn", source, killed, resume=True)
    assert "Epoch 1/2" not in capsys.readouterr().out
    assert not (killed / ".writing-half.npz").exists()
    assert len(curve(killed)) == 2
    assert curve(killed) == curve(whole)
    final = [RunConfig.read(folder).validation_scores for folder in (whole, killed)]
    assert final[1] == final[0]
    both = [load_file(folder / "final.keras").get_weights() for folder in (whole, killed)]
    for one, other in zip(*both, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_that_goes_on_asks_its_teachers_again(tmp_path, source, tiny, monkeypatch):
    teachers = (tmp_path / "teacher.keras",)
    noisy(1).save(teachers[0])
    whole, stopped, save = tmp_path / "whole", tmp_path / "stopped", Run.save

    def stop(run, folder):
        save(run, folder)
        raise KeyboardInterrupt

    short_run("custom_cnn", source, whole, teachers=teachers)
    monkeypatch.setattr(Run, "save", stop)
    with pytest.raises(KeyboardInterrupt):
        short_run("custom_cnn", source, stopped, teachers=teachers)
    monkeypatch.setattr(Run, "save", save)
    short_run("custom_cnn", source, stopped, resume=True, teachers=teachers)
    assert len(curve(stopped)) == 2
    assert curve(stopped) == curve(whole)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's own kernel")
def test_fused_batch_normalization_is_the_same_function():
    images = np.random.default_rng(0).normal(3, 2, (8, 6, 6, 4)).astype(np.float32)
    start = np.random.default_rng(1).uniform(1, 2, (4, 4))
    outputs, statistics = [], []
    for cls in (keras.layers.BatchNormalization, FusedBatchNormalization):
        layer = cls(momentum=0.9)
        layer.build(images.shape)
        layer.set_weights(list(start))
        outputs.append([keras.ops.convert_to_numpy(layer(images, training=training)) for training in (False, True)])
        statistics.append([keras.ops.convert_to_numpy(one) for one in (layer.moving_mean, layer.moving_variance)])
    np.testing.assert_allclose(outputs[0], outputs[1], atol=1e-4)
    np.testing.assert_allclose(statistics[0][0], statistics[1][0], rtol=1e-5)
    # of n = 8 x 6 x 6 values the fused variance is the unbiased one
    np.testing.assert_allclose(statistics[0][1], statistics[1][1], rtol=1 / 287)
    assert (statistics[1][1] != start[3]).all()


def test_the_exported_network_has_keras_own_layers_only():
    recipe = find("mobilenet_v2", "best")
    kinds = [{type(layer) for layer in build(recipe, side=32, plain=plain).layers} for plain in (False, True)]
    assert (FusedBatchNormalization in kinds[0]) is (keras.backend.backend() == "tensorflow")
    assert FusedBatchNormalization not in kinds[1]


def test_small_pictures_first_change_nothing_but_the_side(tmp_path, tiny):
    """The run that goes on at the larger side and the one that starts there from the checkpoint end up the same."""
    recipe = replace(find("mobilenet_v2", "best"), start=None, early_side=32, early_part=0.5, epochs=2, batch_size=14)
    faces = FaceData(IMAGES.astype(np.uint8), np.arange(64) % 7)
    hard = make_targets(faces, recipe, None)

    def run():
        keras.utils.set_random_seed(1)
        one = Run(build(recipe), recipe, faces[:42], hard[:42], faces[42:], seed=1)
        one.prepare()
        return one

    whole, resumed = run(), run()
    whole.train_epoch()
    whole.save(tmp_path)
    assert whole.network.input_shape[1] == 32
    assert load_file(tmp_path / "latest.keras").input_shape[1] == 96
    whole.train_epoch()
    assert whole.network.input_shape[1] == 96
    resumed.resume(tmp_path)
    resumed.train_epoch()
    assert int(whole.network.optimizer.iterations.numpy()) == 6
    for one, other in zip(whole.history, resumed.history, strict=True):
        assert other | {"seconds": 0} == one | {"seconds": 0}


def test_averaged_weights_are_put_back_whatever_happens():
    network = band_network()
    before = network.get_weights()
    network.compile(keras.optimizers.SGD(use_ema=True))
    network.optimizer.build(network.trainable_variables)

    def save():
        assert not any(one.any() for one in network.get_weights())  # no step was made yet, and averages begin at 0
        raise DataError("The disk is full.")

    with pytest.raises(DataError, match="full"), averaged_weights(network):
        save()
    assert all(map(np.array_equal, network.get_weights(), before))


def test_targets_are_the_label_and_the_votes():
    recipe = replace(find("custom_cnn", "best"), label_smoothing=0.07, teacher_weight=0.5)
    plain, smooth = [0, 0, 0, 1, 0, 0, 0], [0.01] * 3 + [0.94] + [0.01] * 3
    votes = np.array(
        [[0, 8, 2, 0, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 3, 3, 2]]
    )  # happiness, surprise; hardly any
    faces = FaceData(np.zeros((2, 48, 48), np.uint8), np.array([3, 3]), votes)
    labels, people = np.moveaxis(make_targets(faces, recipe, None), 1, 0)
    assert labels == pytest.approx(np.array([smooth, smooth]))
    assert people == pytest.approx(np.array([[0, 0, 0, 0.8, 0, 0.2, 0], [0] * 7]))
    # with teachers: half of theirs and no smoothing; but where too few people voted, no loss
    labels, people = np.moveaxis(make_targets(faces, recipe, np.full((2, 2, 7), 1 / 7, np.float32)), 1, 0)
    assert labels[1] == pytest.approx(np.array(plain) / 2 + 1 / 14)
    assert people == pytest.approx(np.array([[1 / 14] * 3 + [0.4 + 1 / 14, 1 / 14, 0.1 + 1 / 14, 1 / 14], [0] * 7]))
    assert not make_targets(FaceData(faces.images, faces.labels), recipe, None)[:, 1].any()


def test_soft_labels_are_of_both_heads(tmp_path):
    two, one = tmp_path / "two.keras", tmp_path / "one.keras"
    network = noisy(1)
    network.save(two)
    label_network(network).save(one)
    plain = FaceData(IMAGES.astype(np.uint8)[:4], np.arange(4))
    labels, people = np.moveaxis(soft_labels([two, one], plain), 1, 0)
    assert labels.sum(axis=1) == pytest.approx(1)
    np.testing.assert_allclose(labels, soft_labels([one], plain)[:, 0], atol=1e-6)
    assert np.abs(people - labels).max() > 1e-3
    voted = replace(plain, votes=np.full((4, 10), 1))
    with pytest.raises(ModelError, match=r"teachers with a people head, as the data has votes. Received: one.keras"):
        soft_labels([one], voted)


def test_a_step_moves_each_head_by_its_own_target(tiny):
    """Without votes the people head stays; with them it learns; frozen stages stay in any case."""
    recipe = replace(find("custom_cnn", "finish"), batch_size=14, optimizer="adamw", epochs=1, warmup=0, weight_decay=0)
    votes = np.zeros((64, 10), np.int64)
    votes[:, 1] = 10  # everybody says happy
    images, labels = IMAGES.astype(np.uint8), np.arange(64) % 7
    moved = {}
    for name, faces in (("label", FaceData(images, labels)), ("both", FaceData(images, labels, votes))):
        keras.utils.set_random_seed(1)
        run = Run(build(recipe), recipe, faces[:42], make_targets(faces[:42], recipe, None), faces[42:], seed=1)
        run.prepare()
        layers = {key: run.network.get_layer(key) for key in ("scores", "people", "stage1_conv1", "stage3_conv1")}
        before = {key: layer.get_weights()[0] for key, layer in layers.items()}
        run.train_epoch()
        moved[name] = {
            key for key, layer in layers.items() if np.abs(layer.get_weights()[0] - before[key]).max() > 1e-6
        }
        assert ("val_people_accuracy" in run.history[0]) is (name == "both")
    assert moved == {"label": {"scores", "stage3_conv1"}, "both": {"scores", "people", "stage3_conv1"}}


def test_only_a_network_that_pools_takes_small_pictures():
    with pytest.raises(ModelError, match=r"side of 48 for Custom CNN. Received: 32"):
        build(find("custom_cnn", "best"), side=32)


def test_sides_by_epoch():
    recipe = replace(find("mobilenet_v2", "best"), epochs=5, early_part=0.6, early_side=64)
    assert [recipe.side_in(epoch) for epoch in range(6)] == [64, 64, 64, 96, 96, 96]
    assert {find("custom_cnn", "best").side_in(epoch) for epoch in range(60)} == {48}


def test_faces_are_changed_less_in_the_last_epochs():
    recipe = replace(find("custom_cnn", "best"), epochs=5, last_epochs=2)
    changes = [recipe.augmentation_in(epoch) for epoch in range(6)]
    assert changes == [recipe.augmentation] * 3 + [recipe.last_augmentation] * 3
    assert recipe.augmentation.warp * recipe.augmentation.rotation > recipe.last_augmentation.rotation


def test_a_run_is_not_overwritten_nor_resumed_with_other_settings(tmp_path, source):
    (tmp_path / "checkpoint.npz").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="--resume"):
        train("custom_cnn", source, tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"network": "custom_cnn", "seed": 7, "recipe": {"name": "best"}}))
    with pytest.raises(ModelError, match="another recipe, seed, data"):
        train("custom_cnn", source, tmp_path, Settings(resume=True))
    (tmp_path / "run.json").unlink()
    with pytest.raises(ModelError, match="damaged"):
        train("custom_cnn", source, tmp_path, Settings(resume=True))


def test_settings_that_cannot_be(tmp_path, source):
    with pytest.raises(ModelError, match=r"custom_cnn best.*Received: resnet best"):
        train("resnet", source, tmp_path)
    with pytest.raises(ModelError, match="at least 1 epoch"):
        train("custom_cnn", source, tmp_path, Settings(epochs=0))
    for seed in (-1, 2**32):
        with pytest.raises(ModelError, match=rf"seed from 0 to 4,294,967,295\. Received: {seed}"):
            train("custom_cnn", source, tmp_path, Settings(seed=seed))
    with pytest.raises(ModelError, match="no such file"):
        train("custom_cnn", source, tmp_path, Settings(start="missing.keras"))
    with pytest.raises(ModelError, match=r"to start a custom_cnn from\. Received: imagenet"):
        train("custom_cnn", source, tmp_path, Settings(start="imagenet"))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        train("custom_cnn", source, tmp_path / "file" / "out")


def test_imagenet_weights_that_cannot_be_fetched(tmp_path, source):
    nobody = "http://127.0.0.1:9"
    environment = os.environ | {"KERAS_HOME": str(tmp_path), "http_proxy": nobody, "https_proxy": nobody}
    command = [
        sys.executable,
        "-m",
        "femr",
        "train",
        "mobilenet_v2",
        "--data",
        str(source),
        "--out",
        str(tmp_path / "run"),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (
        "femr: The ImageNet weights cannot be fetched; --start takes a file of them, too." in done.stderr.splitlines()
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", [None, b"no HDF5"])
def test_a_file_of_imagenet_weights_that_cannot_be_read(tmp_path, source, content):
    path = tmp_path / "backbone.weights.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot be read \(backbone.weights.h5\)"):
        train("mobilenet_v2", source, tmp_path / "run", Settings(start=str(path)))


def test_a_finish_goes_on_from_a_trained_network_with_public_test(tmp_path, source, tiny):
    with pytest.raises(ModelError, match=r"Expected --start with the .keras file to finish. Received: none"):
        train("custom_cnn", source, tmp_path / "run", Settings(finish_on_public_test=True))
    with pytest.raises(ModelError, match="Received: imagenet"):
        train("mobilenet_v2", source, tmp_path / "run", Settings(finish_on_public_test=True, start="imagenet"))
    tiny_network().save(tmp_path / "start.keras")
    settings = Settings(finish_on_public_test=True, start=str(tmp_path / "start.keras"), epochs=1)
    train("custom_cnn", source, tmp_path / "run", settings)
    known = RunConfig.read(tmp_path / "run")
    assert known.trained_on == ("Training", "PublicTest")
    assert known.data["training"]["images"] == 42 + 14
    assert known.recipe["name"] == "finish"
    digest = sha256(tmp_path / "start.keras")
    assert known.start == {"name": "start.keras", "sha256": digest}
    assert sha256(tmp_path / "run" / "calibration.keras") == digest
    assert known.before is None
    done = (tmp_path / "run" / "final.keras").stat().st_mtime_ns
    train("custom_cnn", source, tmp_path / "run", replace(settings, resume=True))
    assert (tmp_path / "run" / "final.keras").stat().st_mtime_ns == done
    with pytest.raises(ModelError, match=r"that never learned from PublicTest\. Received: one that did"):
        train("custom_cnn", source, tmp_path / "again", replace(settings, start=str(tmp_path / "run" / "final.keras")))


def test_the_recipe_follows_from_what_is_asked():
    assert Settings().recipe_name == "best"
    assert Settings(finish_on_public_test=True).recipe_name == "finish"
    assert Settings(recipe="best", finish_on_public_test=True).recipe_name == "best"
    assert Settings(recipe=replace(find("custom_cnn", "best"), name="own")).recipe_name == "own"


def test_checkpoint_comes_back_as_it_was(tmp_path):
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(3, np.int64)]
    write_checkpoint(tmp_path / "c.npz", arrays, [{"epoch": 1}])
    variables, history = read_checkpoint(tmp_path / "c.npz")
    for one, other in zip(arrays, variables, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert history == [{"epoch": 1}]
    (tmp_path / "c.npz").write_bytes((tmp_path / "c.npz").read_bytes()[:-40])
    with pytest.raises(ModelError, match="damaged"):
        read_checkpoint(tmp_path / "c.npz")


def test_a_full_disk_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    write_checkpoint(path, [], [{"epoch": 1}])

    def full(file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(DataError, match=r"No space left on device. Finished epochs are kept"):
        write_checkpoint(path, [], [{"epoch": 2}])
    assert read_checkpoint(path) == ([], [{"epoch": 1}])
    assert [file.name for file in tmp_path.iterdir()] == ["c.npz"]


def test_learning_rate_warms_up_and_ends_at_zero():
    recipe = replace(find("mobilenet_v2", "best"), epochs=10, warmup=1.0, rate=1.0)
    rate = schedule(recipe, 100)
    assert [float(rate(step)) for step in (0, 50, 100, 550, 1000)] == pytest.approx(
        [0.01, 0.505, 1.0, 0.5, 0.0], abs=1e-3
    )
    assert float(schedule(replace(recipe, warmup=0.0), 100)(0)) == 1.0


@pytest.mark.parametrize("key", RECIPES, ids=" ".join)
def test_recipes_are_as_their_key_says(key):
    recipe = RECIPES[key]
    assert (recipe.network, recipe.name) == key
    if recipe.name == "finish":
        assert recipe.rate < RECIPES[recipe.network, "best"].rate
        assert recipe.start is None
        assert {recipe.side_in(epoch) for epoch in range(recipe.epochs)} == {recipe.spec.side}


def test_orthogonal_steps():
    for shape in ((40, 16), (16, 40)):
        matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
        step = keras.ops.convert_to_numpy(keras.ops.cast(orthogonalize(keras.ops.convert_to_tensor(matrix)), "float32"))
        values = np.linalg.svd(step, compute_uv=False)
        assert values.min() > 0.5
        assert values.max() < 1.4
