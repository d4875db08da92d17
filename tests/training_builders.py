"""What the tests of training and publishing share: faces that a linear network can read, and such networks."""

from dataclasses import asdict, replace

import keras
import numpy as np

from femr.expression import networks
from femr.training import data
from femr.training.checkpoint import RunConfig, file_id, machine
from femr.training.evaluate import Predictions
from femr.training.network import Heads
from femr.training.recipes import find
from femr.training.train import Settings, train

EPOCH = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5, "seconds": 60.0}
PICTURES = {"confusion_matrix", "reliability", "risk_coverage"}
"""What evaluation draws of any network."""
VOTE_COLUMNS = np.array([4, 5, 6, 1, 3, 2, 0])  # FER+'s, in the order of EMOTIONS
_SPLITS = {"Training": (70, 0), "PublicTest": (42, 100), "PrivateTest": (21, 63)}


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
    votes[np.arange(count), VOTE_COLUMNS[labels]] += 8
    votes[np.arange(count), VOTE_COLUMNS[(labels + 1) % 7]] += 1
    votes[:, 8] += 1
    return data.FaceData(images, labels.astype(np.int64), votes if voted else None)


def few_splits(voted=False):
    """The three splits, a few of those faces each."""
    return {split: faces(*numbers, voted=voted) for split, numbers in _SPLITS.items()}


def band_network(low=0.0, high=1.0, channels=3, activation="softmax", heads=1):
    """A network that reads those faces if black is `low` and white is `high`; anything else misleads it."""
    inputs = keras.Input((48, 48, channels))
    bands = keras.layers.Flatten()(keras.layers.AveragePooling2D((6, 48))(inputs))
    outputs = [keras.layers.Dense(7, activation=activation, name=name)(bands) for name in networks.HEADS[:heads]]
    model = keras.Model(inputs, outputs if heads > 1 else outputs[0])
    kernel, bias = np.zeros((8 * channels, 7), np.float32), np.zeros(7, np.float32)
    for label in range(7):
        kernel[label * channels, label] = 10 / (high - low)
    # a fixed band lifts one answer, and the bias takes exactly that back for the right black and no other
    dark = low + (high - low) * 20 / 255
    kernel[7 * channels, 0], bias[0] = 1000 / (high - low), -1000 / (high - low) * dark
    model.set_weights([kernel, bias] * heads)
    return model


def tiny_network(*_, side=48, **__):
    """Instead of either network where training itself is tested: two convolutions, BatchNormalization, both heads."""
    layers = keras.layers
    x = inputs = keras.Input((side, side, 3))
    x = layers.Conv2D(16, 3, strides=4, use_bias=False, name="stage1_conv1")(x)
    x = layers.BatchNormalization(name="stage1_conv1_bn")(x)
    x = layers.Conv2D(16, 3, activation="relu", name="stage3_conv1")(layers.Activation("relu")(x))
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    heads = [layers.Dense(7, activation="softmax", dtype="float32", name=name)(x) for name in networks.HEADS]
    return keras.Model(inputs, heads)


TINY = {name: replace(network, build=tiny_network) for name, network in networks.NETWORKS.items()}
"""Instead of networks.NETWORKS."""


def two_heads():
    return band_network(heads=2)


def noisy(seed, noise=3):
    """A network with both heads that is right more or less often."""
    model, rng = two_heads(), np.random.default_rng(seed)
    model.set_weights([array + rng.normal(0, noise, array.shape) for array in model.get_weights()])
    return model


def predicted(probabilities):
    """The same prediction for everything."""
    return Predictions(*[Heads(*[probabilities.astype(np.float32)] * 2)] * 2)


def write_run(folder, network, recipe="best", *, seed=1, noise=3, before=None, teachers=()):
    """A run's folder as training leaves it; `before`, the network that it finished on PublicTest too."""
    folder.mkdir(parents=True)
    splits = few_splits(voted=True)
    config = RunConfig(
        network=network,
        recipe=asdict(find(network, recipe)),
        seed=seed,
        data={"training": {"images": len(splits["Training"])}},
        teachers=tuple(file_id(path) for path in teachers),
        epochs=1,
        seconds=60.0,
        history=(EPOCH,),
        validation_scores={"val_loss": 1.0},
        **machine(),
    )
    if before is not None:
        (folder / "calibration.keras").write_bytes(before.read_bytes())
        config = replace(config, trained_on=("Training", "PublicTest"), start=file_id(before))
    config.write(folder)
    noisy(seed, noise).save(folder / "final.keras")
    return folder


def short_run(network, source, out, epochs=2, resume=False, teachers=()):
    """A few steps an epoch by the network's own recipe."""
    recipe = replace(
        find(network, "best"),
        start=None,
        early_part=0.0,
        batch_size=14,
        epochs=epochs,
        last_epochs=1,
        batch_norm_batches=1,
        precision="float32",
    )
    return train(network, source, out, Settings(recipe=recipe, resume=resume, teachers=teachers))
