"""Faces pasted into photos, found and read by the pipeline, against the same faces fed directly."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from benchmarks import pasted
from builders import PORTRAIT, detect
from femr.errors import DataError, ModelError
from femr.expression.weights import load_network
from femr.faces.crop import crop_face
from femr.results import EMOTIONS

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def smile(detector, portrait):
    """The portrait's face as FER2013 would have it: grey uint8 (48, 48)."""
    return crop_face(portrait, *detect(detector, portrait))


@pytest.fixture(scope="module")
def source(smile, tmp_path_factory):
    """Five smiles in PublicTest, one of them labelled sad, and a picture of nothing."""
    path = tmp_path_factory.mktemp("data") / "fer2013.csv"
    happy, sad = EMOTIONS.index("happy"), EMOTIONS.index("sad")
    faces = [(np.clip(smile.astype(int) + step, 0, 255), happy) for step in (-20, -10, 10, 20)]
    faces += [(smile, sad), (np.full((48, 48), 127), happy)]
    with path.open("w", newline="") as file:
        rows = [(label, " ".join(map(str, face.ravel())), "PublicTest") for face, label in faces]
        csv.writer(file).writerows([("emotion", "pixels", "Usage"), *rows])
    return path


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A photo of a lawn, more or less, and one with a face."""
    folder = tmp_path_factory.mktemp("photos")
    lawn = RNG.normal((60, 110, 50), 25, (300, 500, 3)).clip(0, 255).astype(np.uint8)
    Image.fromarray(lawn).save(folder / "lawn.png")
    (folder / "portrait.jpg").write_bytes(PORTRAIT.read_bytes())
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """The shipped network as somebody's file: its own name would be refused, because it learned from PublicTest."""
    path = tmp_path_factory.mktemp("network") / "network.keras"
    load_network("mobilenet_v2")[1].save(path)
    return str(path)


@pytest.fixture(scope="module")
def report(network, source, photos):
    return pasted.measure(network, source, photos)


def test_faces_are_found_and_read(report):
    assert report["images"] == 6
    assert report["photos"] == ["lawn.png"]
    assert report["photos_with_faces"] == ["portrait.jpg"]
    assert report["found"]["value"] == pytest.approx(5 / 6)  # all but the picture of nothing
    assert report["accuracy_direct"]["value"] == pytest.approx(0.8)
    assert report["accuracy_pipeline"]["value"] == pytest.approx(0.8)
    assert report["drop"] == {"value": 0, "low": 0, "high": 0}
    assert 0 <= report["accuracy_direct_missed"]["value"] <= 1


def test_fewer_faces_and_the_command(network, source, photos, capsys):
    pasted.main([network, "--data", str(source), "--photos", str(photos), "--limit", "2"])
    assert json.loads(capsys.readouterr().out)["images"] == 2


def test_a_pasted_face_lies_where_it_is_said_to():
    photo = np.full((480, 640, 3), 255, np.uint8)
    rng = np.random.default_rng(3)
    low, high = pasted.SIDES
    for _ in range(10):
        picture, truth = pasted.paste(photo, np.zeros((48, 48), np.uint8), rng)
        rows, columns = np.nonzero((picture < 128).all(axis=2))
        x1, y1, x2, y2 = truth.box
        # the box is that of a face within the crop, its middle half a pixel of the 48 lower than the crop's
        assert (columns.mean(), rows.mean()) == pytest.approx(((x1 + x2) / 2, (y1 + y2) / 2), abs=0.02 * high)
        assert 0.95 * low <= truth.size <= high
    assert (photo == 255).all()


def test_scikit_images_pictures_will_do():
    pytest.importorskip("skimage")
    found = pasted.read_photos(None)
    assert {picture.shape for picture in found.values()} == {(480, 640, 3)}
    assert "coffee" in found


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"limit": 0}, DataError, "at least 1 face. Received: 0"),
        ({"model": "theirs.keras"}, ModelError, "theirs.keras"),
        ({"model": "theirs"}, ModelError, "Expected a model named"),
        ({"model": "mobilenet_v2"}, ModelError, "did not learn from PublicTest. Received: mobilenet_v2"),
        ({"model": "ensemble"}, ModelError, "did not learn from PublicTest. Received: ensemble"),
        ({"empty": True}, DataError, "one without any"),
    ],
    ids=str,
)
def test_what_cannot_be_measured(network, source, photos, tmp_path, options, error, words):
    folder = tmp_path if options.pop("empty", False) else photos
    with pytest.raises(error, match=words):
        pasted.measure(options.pop("model", network), source, folder, **options)


def test_photos_that_all_have_faces(network, source, tmp_path):
    (tmp_path / "portrait.jpg").write_bytes(PORTRAIT.read_bytes())
    with pytest.raises(DataError, match="Expected photos without faces"):
        pasted.measure(network, source, tmp_path)
