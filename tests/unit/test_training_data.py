"""The four shapes of FER2013, its splits, and what is said of data that are not right."""

import csv
import io
import json
import os

import numpy as np
import pytest
from PIL import Image

from femr.errors import DataError
from femr.results import EMOTIONS
from femr.training import data

RNG = np.random.default_rng(0)
SPLITS = ("Training", "Training", "PublicTest", "PrivateTest")
IMAGES = RNG.integers(0, 256, (len(SPLITS) * len(EMOTIONS), 48, 48)).astype(np.uint8)
LABELS = [index % len(EMOTIONS) for index in range(len(IMAGES))]
USAGE = [SPLITS[index // len(EMOTIONS)] for index in range(len(IMAGES))]


def text(image):
    return " ".join(map(str, image.ravel()))


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def write_csv(path, rows=None, header=("emotion", "pixels", "Usage")):
    rows = rows or [(label, text(image), usage) for label, image, usage in zip(LABELS, IMAGES, USAGE, strict=True)]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def write_parquet(path, columns, features=None):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    table = pa.table(columns)
    if features:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def check(splits):
    """The splits hold all faces of this module, whatever their order within a class."""
    assert {name: len(faces) for name, faces in splits.items()} == {"Training": 14, "PublicTest": 7, "PrivateTest": 7}
    found = {
        (name, key, int(label)) for name, f in splits.items() for key, label in zip(f.keys(), f.labels, strict=True)
    }
    everything = data.FaceData(IMAGES, np.array(LABELS))
    assert found == set(zip(USAGE, everything.keys(), LABELS, strict=True))


def test_kaggle_csv(tmp_path):
    check(data.load(write_csv(tmp_path / "fer2013.csv")))


def test_icml_csv_has_blanks_in_its_header_and_another_order(tmp_path):
    rows = [(label, usage, text(image)) for label, image, usage in zip(LABELS, IMAGES, USAGE, strict=True)]
    check(data.load(str(write_csv(tmp_path / "icml_face_data.csv", rows, ("emotion", " Usage", " pixels")))))


@pytest.mark.parametrize("official", [True, False], ids=["official names", "plain names"])
def test_folder_tree(tmp_path, official):
    folders = {"Training": "train", "PublicTest": "test" if official else "validation", "PrivateTest": "test"}
    for number, (image, label, usage) in enumerate(zip(IMAGES, LABELS, USAGE, strict=True)):
        folder = tmp_path / folders[usage] / str(EMOTIONS[label]).title()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{usage + '_' if official else 'im'}{number}.png").write_bytes(png(image))
    check(data.load(tmp_path))


def test_parquet_with_usage_and_votes(tmp_path):
    votes = [[index % 3] * 10 for index in range(len(IMAGES))]
    image = [{"bytes": png(one), "path": None} for one in IMAGES]
    path = write_parquet(
        tmp_path / "a.parquet", {"image": image, "label": LABELS, "usage": USAGE, "ferplus_votes": votes}
    )
    splits = data.load(path)
    check(splits)
    assert splits["PublicTest"].votes.tolist() == votes[14:21]


def test_hub_dataset_with_splits_in_file_names_and_its_own_order_of_labels(tmp_path, monkeypatch):
    names = sorted(EMOTIONS)
    for split, file in (("Training", "train"), ("PublicTest", "validation"), ("PrivateTest", "test")):
        rows = [index for index, usage in enumerate(USAGE) if usage == split]
        columns = {
            "image": [{"bytes": png(IMAGES[row]), "path": None} for row in rows],
            "label": [names.index(EMOTIONS[LABELS[row]]) for row in rows],
        }
        feature = {"label": {"names": [str(name) for name in names], "_type": "ClassLabel"}}
        write_parquet(tmp_path / "data" / f"{file}-00000-of-00001.parquet", columns, feature)
    asked = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda repo, **_: asked.append(repo) or tmp_path)
    check(data.load("someone/fer2013"))
    assert asked == ["someone/fer2013"]


def test_tiny_picture_files_are_read(tmp_path):
    """A plain face takes 30 bytes as WebP; OpenCV refuses files so short."""
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((48, 48), np.uint8)).save(buffer, "WEBP", lossless=True)
    path = write_parquet(tmp_path / "a.parquet", {"image": [{"bytes": buffer.getvalue()}], "label": [3]})
    assert data.load(path)["Training"].counts() == (0, 0, 0, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((3, "1 2 3", "Training"), "line 3: 3 pixels instead of 2,304"),
        ((7, text(IMAGES[0]), "Training"), "line 3: unknown label '7'"),
        (("bored", text(IMAGES[0]), "Training"), "line 3: unknown label 'bored'"),
        ((3, text(IMAGES[0]).replace(" ", " x", 1), "Training"), "line 3: pixels that are not numbers from 0 to 255"),
        ((3, "256 " + text(IMAGES[0])[4:], "Training"), "line 3: pixels that are not numbers from 0 to 255"),
        ((3, text(IMAGES[0]), "Nowhere"), "line 3: unknown split 'Nowhere'"),
        ((3,), "line 3: 0 pixels"),
    ],
)
def test_malformed_rows_are_named(tmp_path, row, reason):
    path = write_csv(tmp_path / "a.csv", [(0, text(IMAGES[0]), "Training"), row])
    with pytest.raises(DataError, match=reason):
        data.load(path)


def test_many_malformed_rows_are_counted(tmp_path):
    with pytest.raises(DataError, match=r"line 6: .* and 4 more"):
        data.load(write_csv(tmp_path / "a.csv", [(0, "1", "Training")] * 9))


def test_damaged_and_wrongly_sized_pictures_are_named(tmp_path):
    folder = tmp_path / "train" / "happy"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"nothing")
    (folder / "b.png").write_bytes(png(np.zeros((32, 72), np.uint8)))
    with pytest.raises(
        DataError, match=r"train/happy/a.png: not a picture; .*b.png: 2,304 pixels \(72×32\) instead of"
    ):
        data.load(tmp_path)


def test_what_is_no_data_set(tmp_path):
    with pytest.raises(DataError, match="no such thing"):
        data.load(tmp_path / "missing.csv")
    with pytest.raises(DataError, match="Received: none"):
        data.load(tmp_path)
    with pytest.raises(DataError, match=r"columns emotion, pixels, Usage. Received: a, b"):
        data.load(write_csv(tmp_path / "a.csv", [(1, 2)], ("a", "b")))
    (tmp_path / "b.csv").write_bytes(b"emotion,pixels\n\xff\xfe")
    with pytest.raises(DataError, match="not text"):
        data.load(tmp_path / "b.csv")
    (tmp_path / "a.parquet").write_bytes(b"nothing")
    with pytest.raises(DataError, match="damaged"):
        data.load(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="columns image and label"):
        data.load(write_parquet(tmp_path / "b.parquet", {"x": [1]}))


def test_differences_from_the_published_counts(tmp_path):
    splits = data.load(write_csv(tmp_path / "a.csv"))
    del splits["PublicTest"]
    missing, training, _ = data.differences(splits)
    assert missing == "There is no PublicTest split"
    assert training.startswith("Training is not FER2013's: 2 angry instead of 3,995, 2 disgust instead of 436")
    official = {
        name: data.FaceData(np.empty((sum(counts), 0)), np.repeat(np.arange(7), counts))
        for name, counts in data.OFFICIAL_COUNTS.items()
    }
    assert data.differences(official) == []


def test_gigabytes_without_an_end_of_line_are_told(tmp_path):
    (tmp_path / "fer2013.csv").touch()
    os.truncate(tmp_path / "fer2013.csv", 3_000_000_000)
    with pytest.raises(DataError, match=r"Received: one that is not text \(fer2013\.csv\)"):
        data.load(tmp_path / "fer2013.csv")


def test_training_on_private_test_is_refused(tmp_path):
    splits = data.load(write_csv(tmp_path / "a.csv"))
    with pytest.raises(DataError, match="PrivateTest"):
        data.training_faces(splits, ("Training", "PrivateTest"))
    assert len(data.training_faces(splits, ("Training", "PublicTest"))) == 21
    with pytest.raises(DataError, match="none that is angry, disgust"):
        data.training_faces({"Training": splits["Training"][2:5]})


def test_grouped_split_keeps_duplicates_together():
    images = np.repeat(RNG.integers(0, 256, (50, 48, 48)).astype(np.uint8), 2, axis=0)
    faces = data.FaceData(images, np.arange(100) % 7)
    kept, held_out = data.grouped_split(faces, 0.2, seed=1)
    assert len(kept) + len(held_out) == 100
    assert 15 <= len(held_out) <= 20
    assert data.unseen(held_out, [kept]).all()
    again = data.grouped_split(faces, 0.2, seed=1)[1]
    other = data.grouped_split(faces, 0.2, seed=2)[1]
    assert held_out.sha256() == again.sha256() != other.sha256()


def test_unseen_knows_pixels_whatever_the_label():
    faces = data.FaceData(IMAGES[:3], np.array([0, 1, 2]))
    assert data.unseen(faces, [faces[1:2], faces[2:]]).tolist() == [True, False, False]
    assert data.unseen(faces, []).all()
