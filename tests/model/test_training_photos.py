"""Whole photos, measured end to end: a missed face is wrong, the largest counts, sources are told apart."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from builders import PORTRAIT
from femr.__main__ import main
from femr.errors import DataError, ModelError
from femr.expression.facts import Balanced
from femr.images import to_picture
from femr.publish import photos
from femr.results import EMOTIONS
from training_builders import two_heads

HAPPY, NEUTRAL = EMOTIONS.index("happy"), EMOTIONS.index("neutral")


def png(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return buffer.getvalue()


def write(path, files, labels, **columns):
    images = [{"bytes": file, "path": None} for file in files]
    pq.write_table(pa.table({"image": images, "label": labels, **columns}), path)
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The portrait, and a lawn, from two sources."""
    lawn = np.random.default_rng(0).normal((60, 110, 50), 25, (120, 160, 3)).clip(0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("photos") / "wild.parquet"
    return write(path, [PORTRAIT.read_bytes(), png(lawn)], [HAPPY, NEUTRAL], source=["news", "film"])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "theirs.keras"
    two_heads().save(path)
    return str(path)


def test_the_command_measures_detection_too(source, model, capsys):
    assert main(["evaluate", model, "--data", str(source), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["model"], report["data"], report["images"], report["balance"]) == ("theirs", "wild", 2, 0)
    assert report["found"]["value"] == 0.5
    matrix = np.array(report["confusion_matrix"])
    assert matrix.shape == (7, 8)
    assert matrix[NEUTRAL, 7] == 1  # no face in a lawn
    assert matrix[HAPPY, :7].sum() == 1
    assert set(report["by_source"]) == {"film", "news"}
    assert report["by_source"]["film"]["accuracy"]["value"] == 0
    assert len(report["balances"]) == 11
    assert main(["evaluate", model, "--data", str(source)]) == 0
    text = capsys.readouterr().out
    assert "theirs on wild, 2 photos, balance 0" in text
    assert "news: 1 photos" in text


@pytest.fixture
def four():
    """Four photos: right; right with a balance only; missed; right, but hard to read."""
    shares = np.zeros((4, 7))
    shares[0, HAPPY] = shares[3, HAPPY] = 1
    shares[1, [1, NEUTRAL]] = 0.45, 0.55
    labels = np.array([HAPPY, 1, NEUTRAL, HAPPY])
    hard = np.array([False, False, False, True])
    return photos.Readings(photos.Photos("wild", (b"",) * 4, labels, ("news", "news", "film", "")), shares, hard)


def test_a_missed_face_is_wrong(four):
    report = photos.measure("theirs", four, balance=0.0, threshold=0.5)
    everything, news, film = report.everything, report.by_source["news"], report.by_source["film"]
    assert everything.accuracy.value == 0.5
    assert everything.found.value == 0.75
    assert everything.mean_recall == pytest.approx(1 / 3)
    assert everything.natural_mix == pytest.approx(5696 / (208 + 5696 + 6868))
    assert everything.sure == 0.5
    assert everything.accuracy_sure.value == 0.5
    assert (news.images, film.images) == (2, 1)
    assert (film.accuracy.value, film.sure, film.accuracy_sure) == (0, 0, None)


def test_the_balance_holds(four):
    report = photos.measure("theirs", four, balance=0.3, threshold=0.5).everything
    assert (report.balance, report.accuracy.value) == (0.3, 0.75)
    assert report.balances[3].accuracy == 0.75


def test_photos_and_faces_are_told_apart(source, tmp_path):
    assert photos.holds_photos(source)
    face, large = png(np.zeros((48, 48), np.uint8)), png(np.zeros((64, 64), np.uint8))
    assert not photos.holds_photos(write(tmp_path / "faces.parquet", [face], [0]))
    assert not photos.holds_photos(write(tmp_path / "used.parquet", [large], [0], usage=["Training"]))
    assert not photos.holds_photos(tmp_path / "gone.parquet")
    assert not photos.holds_photos("somebody/fer2013")


@pytest.mark.parametrize(
    ("files", "labels", "words"),
    [
        ([b""] * 7, [7, 0, 9, 8, 8, 8, 8], r"row 1: unknown label 7.*; row 3: .* and 1 more"),
        ([], [], r"Expected photos\. Received: none"),
    ],
)
def test_labels_that_are_none(tmp_path, files, labels, words):
    schema = pa.schema({"image": pa.struct({"bytes": pa.binary(), "path": pa.string()}), "label": pa.int8()})
    images = [{"bytes": file, "path": None} for file in files]
    pq.write_table(pa.table({"image": images, "label": labels}, schema=schema), tmp_path / "wrong.parquet")
    with pytest.raises(DataError, match=words):
        photos.load(tmp_path / "wrong.parquet")


def test_files_that_are_no_pictures(source, tmp_path):
    broken = photos.load(write(tmp_path / "broken.parquet", [PORTRAIT.read_bytes(), b"nothing"], [HAPPY, HAPPY]))
    assert broken.sources == ("", "")
    with pytest.raises(DataError, match="in row 2 none that can be read"):
        list(broken.pictures())


def test_a_balance_that_cannot_be(source):
    with pytest.raises(ModelError, match="Expected a balance from 0"):
        photos.evaluate("missing.keras", source, balance=2.0)


def test_a_picture_is_looked_at_once():
    class Counting:
        looked = 0

        def detect(self, pictures, near=None):
            self.looked += len(pictures)
            return [() for _ in pictures]

    counting = Counting()
    detector = photos.CachingDetector(counting)
    picture, other = (to_picture(np.zeros((*size, 3), np.uint8)) for size in ((4, 5), (5, 4)))
    assert detector.detect([picture, other, picture]) == [(), (), ()]
    assert detector.detect([other]) == [()]
    assert counting.looked == 2


def test_the_balance_is_the_best_of_all_curves():
    # disgust is rare among the votes: a face that is nearly as much disgusted as neutral is named so with a balance
    shares = np.array([[0, 0.45, 0, 0, 0, 0, 0.55], [0, 0.1, 0, 0, 0, 0, 0.9], [0] * 7])
    labels = np.array([1, 6, 6])
    rows = photos.balance_curve(shares, labels)
    assert [row.balance for row in rows] == list(photos.BALANCES)
    assert rows[0] == Balanced(0, pytest.approx(1 / 3), 0.25, pytest.approx(6868 / 7076 / 2))
    assert rows[1].accuracy == pytest.approx(2 / 3)
    assert rows[-1].accuracy == pytest.approx(1 / 3)
    assert photos.choose_balance([rows]) == 0.1
    assert photos.choose_balance([rows, photos.balance_curve(shares[1:2], labels[1:2])]) == 0.1
