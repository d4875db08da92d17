"""Augmentation, and that training and inference scale a face by the same code."""

from dataclasses import fields, replace

import numpy as np
import pytest

from femr.faces.crop import to_batch
from femr.training.augment import FaceBatches, augment
from femr.training.recipes import Augmentation, find

NO_CHANGE = Augmentation(flip=0.0, warp=0.0)
FACES = np.random.default_rng(0).integers(0, 256, (4, 48, 48)).astype(np.uint8)
TARGETS = np.stack([np.eye(7, dtype=np.float32)[:4]] * 2, axis=1)
CERTAIN = {"flip": 1.0, "light": 1.0, "gamma": 1.0, "dim": 1.0, "blur": 1.0, "jpeg": 1.0, "erase": 1.0, "wide": 1.0}


def rng(seed=0):
    return np.random.default_rng(seed)


def test_no_faces():
    assert augment(FACES[:0], 96, Augmentation(), rng()).shape == (0, 96, 96)


def batches(size, epoch=0, seed=0, augmentation=NO_CHANGE, network="custom_cnn", targets=TARGETS):
    recipe = replace(find(network, "best"), batch_size=size, augmentation=augmentation)
    return FaceBatches(FACES, targets, recipe, seed, epoch)


@pytest.mark.parametrize(
    ("network", "epoch", "side", "span"),
    [("custom_cnn", 0, 48, (0.0, 1.0)), ("mobilenet_v2", 0, 64, (-1.0, 1.0)), ("mobilenet_v2", 30, 96, (-1.0, 1.0))],
)
def test_training_and_inference_feed_the_network_the_same(network, epoch, side, span):
    trained, (labels, people), weights = batches(4, epoch, network=network)[0]
    inferred = to_batch(FACES, side, *span)[labels.argmax(axis=1)]
    # the training warp rounds to whole grays, once
    assert np.abs(trained - inferred).max() <= 0.51 * (span[1] - span[0]) / 255
    assert (labels == people).all()
    assert [list(one) for one in weights] == [[1] * 4] * 2


def test_a_head_without_a_target_has_no_weight():
    unknown = TARGETS.copy()
    unknown[:, 1] = 0
    assert [one.tolist() for one in batches(4, targets=unknown)[0][2]] == [[1] * 4, [0] * 4]


def test_flip_is_the_mirror_image():
    mirrored = augment(FACES, 48, replace(NO_CHANGE, flip=1.0), rng())
    np.testing.assert_array_equal(mirrored, FACES[:, :, ::-1])


@pytest.mark.parametrize("name", CERTAIN)
def test_each_change_changes(name):
    changed = augment(FACES, 48, replace(NO_CHANGE, **{name: 1.0}), rng())
    assert changed.shape == FACES.shape
    assert all((one != face).any() for one, face in zip(changed, FACES, strict=True))


def test_warp_shifts_zooms_and_turns_about_the_centre():
    face = np.zeros((1, 48, 48), np.uint8)
    face[0, 22:26, 22:26] = 255
    turned = augment(face, 48, replace(NO_CHANGE, warp=1.0, rotation=90.0, zoom=0.5), rng())[0]
    assert turned[23:25, 23:25].min() > 200
    shifted = augment(face, 48, replace(NO_CHANGE, warp=1.0, shift=0.4), rng())[0]
    assert shifted[23:25, 23:25].max() < 255


def test_a_wide_crop_makes_the_face_smaller():
    face = np.zeros((1, 48, 48), np.uint8)
    face[0, 14:34, 14:34] = 255
    wide = augment(face, 48, replace(NO_CHANGE, wide=1.0), np.random.default_rng(1))[0]
    scale = np.sqrt(400 / (wide > 127).sum())
    assert 0.85 * 0.95 < scale < 1.3 * 1.05
    areas = [(augment(face, 48, replace(NO_CHANGE, wide=1.0), rng(seed)) > 127).sum() for seed in range(20)]
    assert min(areas) < 300
    assert max(areas) > 400


def test_the_same_seed_gives_the_same_faces():
    everything = Augmentation(rotation=10, zoom=0.1, shift=0.1, **CERTAIN)
    assert {field.name for field in fields(Augmentation)} >= CERTAIN.keys()
    first = augment(FACES, 96, everything, rng(1))
    np.testing.assert_array_equal(first, augment(FACES, 96, everything, rng(1)))
    assert (first != augment(FACES, 96, everything, rng(2))).any()


def test_an_epoch_is_shuffled_whole_and_repeatable():
    def epoch(number, seed=0):
        made = batches(2, number, seed, Augmentation(rotation=10))
        return [(made[index][0], made[index][1][0]) for index in range(len(made))]

    first, again, second, other = epoch(0), epoch(0), epoch(1), epoch(0, seed=1)
    assert len(first) == 2
    assert sorted(np.concatenate([labels for _, labels in first]).argmax(axis=1)) == [0, 1, 2, 3]
    for (one, labels), (same, same_labels) in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
        np.testing.assert_array_equal(labels, same_labels)
    assert (first[0][0] != second[0][0]).any()
    assert (first[0][0] != other[0][0]).any()


def test_fewer_faces_than_a_batch_make_one_batch():
    made = batches(128)
    assert len(made) == 1
    assert made[0][0].shape == (4, 48, 48, 3)
