"""Other people's networks: measured, or told exactly what is expected."""

import io

import h5py
import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import PORTRAIT
from femr.errors import ModelError
from femr.publish import photos
from femr.training.evaluate import evaluate
from femr.training.network import load_file
from training_builders import band_network, few_splits

layers = keras.layers


@pytest.fixture(scope="module")
def splits():
    return few_splits()


def free(low=0.0, high=1.0, channels=3, activation=None):
    """The network that reads faces by their bands, of pictures of any side."""
    inputs = keras.Input((None, None, channels))
    bands = layers.Resizing(48, 48)(inputs)
    return keras.Model(inputs, band_network(low, high, channels, activation)(bands))


def pooled(side):
    """A network that takes pictures of any side, but none that is smaller than `side`."""
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(7, 1)(layers.AveragePooling2D(side, padding="valid")(inputs))
    return keras.Model(inputs, layers.Softmax()(layers.GlobalAveragePooling2D()(x)))


def named(network):
    inputs = keras.Input((48, 48, 3), name="face")
    return keras.Model({"face": inputs}, network(inputs))


def nested(network):
    return keras.Sequential([keras.Input(network.input_shape[1:]), network])


@pytest.mark.parametrize("ending", [".keras", ".h5", ".hdf5"])
@pytest.mark.parametrize(
    "network",
    [
        lambda: band_network(channels=1, activation=None),
        lambda: band_network(-1.0, 1.0, activation="log_softmax"),
        lambda: free(0.0, 255.0),
        lambda: free(channels=1, activation="softmax"),
        lambda: named(band_network(activation=None)),
        lambda: nested(band_network(heads=1, activation=None)),
        lambda: band_network(heads=2, activation=None),
    ],
    ids=[
        "grey logits",
        "logarithms",
        "any side",
        "any side, grey",
        "an input by its name",
        "a network in a network",
        "two heads of logits",
    ],
)
def test_it_is_measured(tmp_path, splits, network, ending):
    path = tmp_path / f"theirs{ending}"
    network().save(path)
    measured = evaluate(str(path), splits)
    assert (measured.model, measured.images) == ("theirs", 21)
    assert measured.accuracy.value == 1


@pytest.mark.parametrize(
    ("held", "called"), [(".h5", ".H5"), (".keras", ".KERAS"), (".keras", ".h5"), (".h5", ".keras")]
)
def test_what_a_file_holds_counts_and_not_its_ending(tmp_path, splits, held, called):
    band_network().save(tmp_path / f"mine{held}")
    path = (tmp_path / f"mine{held}").rename(tmp_path / f"theirs{called}")
    assert evaluate(str(path), splits).accuracy.value == 1


@pytest.mark.parametrize("name", ["theirs.weights.h5", "theirs.h5", "theirs.hdf5"])
def test_weights_without_their_network_are_told(tmp_path, name):
    band_network().save_weights(tmp_path / "mine.weights.h5")
    path = (tmp_path / "mine.weights.h5").rename(tmp_path / name)
    with pytest.raises(ModelError, match=f"Received: {name} holds weights without their network"):
        load_file(path)


@pytest.mark.parametrize("name", ["theirs.onnx", "theirs.pt", "saved_model"])
def test_other_programs_networks_are_told_what_is_expected(tmp_path, splits, name):
    (tmp_path / name).mkdir() if "_" in name else (tmp_path / name).write_bytes(b"\x08\x08")
    with pytest.raises(ModelError, match=r"Expected a network's \.keras, \.h5, \.hdf5 file"):
        evaluate(str(tmp_path / name), splits)


@pytest.mark.parametrize("channels", [1, 3])
def test_logits_are_measured_on_photos_too(tmp_path, channels):
    table = {"image": [{"bytes": PORTRAIT.read_bytes(), "path": None}], "label": ["happy"]}
    pq.write_table(pa.table(table), tmp_path / "wild.parquet")
    free(channels=channels).save(tmp_path / "theirs.keras")
    report = photos.evaluate(str(tmp_path / "theirs.keras"), tmp_path / "wild.parquet")
    assert report.everything.found.value == 1
    assert np.sum(report.everything.confusion_matrix) == 1


def test_a_side_at_which_it_fails_is_not_tried_again(tmp_path, splits):
    pooled(50).save(tmp_path / "theirs.keras")
    assert evaluate(str(tmp_path / "theirs.keras"), splits).images == 21


def outputs(shape, count=1, inputs=(48, 48, 3)):
    given = keras.Input(inputs)
    flat = layers.Flatten()(given)
    made = [layers.Reshape(shape)(layers.Dense(int(np.prod(shape)))(flat)) for _ in range(count)]
    return keras.Model(given, made if count > 1 else made[0])


def two_inputs():
    given = [keras.Input((48, 48, 1)), keras.Input((48, 48, 1))]
    return keras.Model(given, layers.Dense(7)(layers.Flatten()(layers.Concatenate()(given))))


@pytest.mark.parametrize("ending", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("network", "received"),
    [
        (lambda: outputs((8,)), r"\(None, 48, 48, 3\) → \(None, 8\)"),
        (lambda: outputs((6,)), r"→ \(None, 6\)"),
        (lambda: outputs((7,), inputs=(64, 48, 3)), r"\(None, 64, 48, 3\)"),
        (lambda: outputs((7,), inputs=(1, 48, 48)), r"\(None, 1, 48, 48\)"),
        (lambda: outputs((7,), inputs=(48, 48, 4)), r"\(None, 48, 48, 4\)"),
        (lambda: outputs((7,), inputs=(2304,)), r"\(None, 2304\)"),
        (lambda: outputs((7,), inputs=(48, 48)), r"\(None, 48, 48\)"),
        (lambda: outputs((1, 1, 7)), r"→ \(None, 1, 1, 7\)"),
        (lambda: outputs((7,), 3), r"→ \(None, 7\), \(None, 7\), \(None, 7\)"),
        (two_inputs, r"\(None, 48, 48, 1\), \(None, 48, 48, 1\) →"),
    ],
)
def test_it_is_told_what_is_expected(tmp_path, network, received, ending):
    path = tmp_path / f"theirs{ending}"
    network().save(path)
    with pytest.raises(ModelError, match=received) as caught:
        load_file(path)
    assert "Expected a network from square pictures (None, side, side, 1 or 3)" in str(caught.value)
    assert "angry, disgust, fear, happy, sad, surprise, neutral" in str(caught.value)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_told(tmp_path, splits, number):
    network = band_network(activation=None)
    network.set_weights([np.full_like(array, number) for array in network.get_weights()])
    network.save(tmp_path / "theirs.keras")
    with pytest.raises(ModelError, match="whose scores are numbers"):
        evaluate(str(tmp_path / "theirs.keras"), splits)


@keras.saving.register_keras_serializable("theirs")
class Own(layers.Layer):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("ending", [".keras", ".h5", ".hdf5"])
def test_files_that_hold_no_network_are_told(tmp_path, ending, monkeypatch):
    def write(name, content=b"nothing"):
        (tmp_path / f"{name}{ending}").write_bytes(content)

    write("words")
    write("empty", b"")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["weights"] = np.zeros(3)
    write("weights", buffer.getvalue())
    band_network().save(tmp_path / f"whole{ending}")
    whole = (tmp_path / f"whole{ending}").read_bytes()
    write("cut", whole[: len(whole) // 2])
    inputs = keras.Input((48, 48, 3))
    scores = layers.Dense(7)(layers.Flatten()(Own()(inputs)))
    keras.Model(inputs, scores).save(tmp_path / f"own{ending}")
    marker = tmp_path / "ran"
    evil = layers.Lambda(lambda x, where=str(marker): (open(where, "w"), x)[1])  # noqa: PTH123, SIM115
    keras.Model(inputs, layers.Dense(7)(layers.Flatten()(evil(inputs)))).save(tmp_path / f"code{ending}")
    marker.unlink(missing_ok=True)
    (tmp_path / f"folder{ending}").mkdir()
    monkeypatch.delitem(keras.saving.get_custom_objects(), "theirs>Own")
    for name in ("words", "empty", "weights", "cut", "own", "code", "folder", "gone", "x" * 300):
        with pytest.raises(ModelError, match=r"Expected a network's \.keras, \.h5, \.hdf5 file") as caught:
            load_file(tmp_path / f"{name}{ending}")
        assert len(str(caught.value)) < 400
        assert str(caught.value).count("\n") == 0
    assert not marker.exists()  # nobody's code is run
