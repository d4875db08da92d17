from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.resources import files

import cv2
import joblib
import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from mtcnn.network.onet import ONet
from mtcnn.network.pnet import PNet
from mtcnn.network.rnet import RNet
from mtcnn.utils.tensorflow import load_weights
from PIL import Image
from skimage import data

from benchmarks.scenes import backgrounds
from builders import PORTRAIT_FACE, detect, overlap
from femr.engine import ENGINES
from femr.errors import DataError, ImageError, ModelError
from femr.faces.crop import crop_face
from femr.faces.detector import Follower
from femr.faces.mtcnn import MtcnnDetector
from femr.faces.mtcnn_networks import load
from femr.images import to_picture
from femr.results import Face


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((12, 12, 3), np.uint8),
        np.zeros((1, 5000, 3), np.uint8),
        np.full((400, 600, 3), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8),
    ],
    ids=["1x1", "12x12", "1x5000", "white", "noise"],
)
def test_no_face_is_an_empty_tuple(detector, picture):
    assert detect(detector, picture) == ()


@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea", "brick", "page", "coins"])
def test_pictures_of_things_hold_no_face(detector, name):
    picture = getattr(data, name)()
    picture = np.stack([picture] * 3, axis=-1) if picture.ndim == 2 else picture
    assert detect(detector, picture) == ()


def test_finds_the_face_and_its_landmarks(detector, portrait):
    (face,) = detect(detector, portrait)
    assert isinstance(face, Face)
    assert overlap(face.box, PORTRAIT_FACE) > 0.7
    assert face.confidence > 0.99
    marks = face.landmarks
    expected = {"left_eye": (204, 100), "right_eye": (246, 102), "nose": (224, 128)}
    for name, place in expected.items():
        assert np.hypot(*np.subtract(getattr(marks, name), place)) < 5, name
    assert marks.mouth_left[0] < marks.nose[0] < marks.mouth_right[0]
    assert marks.mouth_left[1] > marks.nose[1] > marks.left_eye[1]


def test_several_faces_come_from_left_to_right(detector, group):
    picture, places = group
    faces = detect(detector, picture)
    assert len(faces) == 3
    for face, place in zip(faces, places, strict=True):
        assert overlap(face.box, place) > 0.6


@pytest.mark.parametrize("smallest", [12, 20, 24, 31, 40, 60])
def test_any_smallest_face_works(portrait, smallest):
    (face,) = detect(MtcnnDetector(smallest), portrait)
    assert overlap(face.box, PORTRAIT_FACE) > 0.6


def test_a_smallest_face_under_the_networks_window_is_refused():
    with pytest.raises(ModelError, match="12 pixels"):
        MtcnnDetector(11)


@pytest.mark.parametrize("side", [16, 20, 24, 30, 40, 80, 160, 1000])
def test_a_face_that_fills_the_picture_is_found_at_any_size(detector, portrait, side):
    close_up = np.asarray(Image.fromarray(portrait[50:190, 150:290]).resize((side, side), Image.Resampling.BOX))
    (face,) = detect(detector, close_up)
    x1, y1, x2, y2 = face.box
    assert 0 <= x1 < x2 <= side
    assert 0 <= y1 < y2 <= side
    assert x2 - x1 > side / 3


class Trap:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (self.mark, "w")


def test_weights_in_the_current_directory_are_not_unpickled(tmp_path, monkeypatch, portrait):
    for name in ("pnet.lz4", "rnet.lz4", "onet.lz4"):
        joblib.dump(Trap(str(tmp_path / "sprung")), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(detect(MtcnnDetector(engine="keras"), portrait)) == 1
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_the_networks_give_the_packages_numbers(portrait, engine):
    networks = load(engine)
    for name, package in (("pnet", PNet()), ("rnet", RNet()), ("onet", ONet())):
        network = getattr(networks, name)
        side = network.input_shape[0] or 60
        package.build((None, side, side, 3))
        package.set_weights(load_weights(str(files("mtcnn.assets.weights") / f"{name}.lz4")))
        pixels = np.stack([portrait[y : y + side, 180 : 180 + side] for y in (60, 75, 90)])
        *expected, faces = (output.numpy() for output in package((pixels.astype(np.float32) - 127.5) / 128))
        ((*outputs, scores),) = network([pixels])
        for output, values in zip(outputs, expected, strict=True):
            assert output == pytest.approx(values, abs=1e-5)
        assert 1 / (1 + np.exp(-scores[..., 0])) == pytest.approx(faces[..., 1], abs=1e-5)


def test_many_pictures_at_once_give_what_each_gives_alone(detector, portrait, group):
    pictures = [group[0], np.zeros((40, 50, 3), np.uint8), portrait, portrait[60:180, 170:290]]
    together = detector.detect([to_picture(picture) for picture in pictures])
    assert [len(faces) for faces in together] == [3, 0, 1, 1]
    for faces, picture in zip(together, pictures, strict=True):
        for one, other in zip(faces, detect(detector, picture), strict=True):
            assert one.box == pytest.approx(other.box, abs=0.01)
            assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
    assert detector.detect([]) == []


def test_a_face_that_moved_is_followed(detector, portrait):
    faces = detect(detector, portrait)
    for shift in ((0, 0), (12, 0), (0, -14)):
        moved = np.roll(portrait, shift, axis=(1, 0))
        ((face,),) = detector.detect([to_picture(moved)], near=faces)
        assert overlap(face.box, detect(detector, moved)[0].box) > 0.85
    assert detector.detect([to_picture(np.zeros_like(portrait))], near=faces) == [()]
    assert detector.detect([to_picture(portrait)], near=()) == [()]


def test_new_faces_are_looked_for_in_every_nth_frame_and_where_one_is_gone(detector, portrait, group):
    three, _ = group
    one = three.copy()
    one[:, three.shape[1] // 3 :] = 90
    frames = [to_picture(image) for image in (one, three, three, three, one, one, one, three)]
    # 0, 3, 6 are looked at anew; in 4 two faces are gone; 7 follows the one of 6
    assert [len(faces) for faces in Follower(3).detect(detector, frames)] == [1, 1, 1, 3, 1, 1, 1, 1]
    assert [len(faces) for faces in Follower(1).detect(detector, frames)] == [1, 3, 3, 3, 1, 1, 1, 3]
    assert Follower(2).detect(detector, []) == []


def test_no_frame_to_look_at_is_refused():
    with pytest.raises(DataError, match="1 or more"):
        Follower(0)


def test_large_pictures_are_searched_for_large_faces_only(portrait):
    """40 of 1920 pixels by default, so that no picture takes long; whoever asks for smaller ones gets them."""
    head = cv2.resize(portrait[30:230, 130:320], (42, 45), interpolation=cv2.INTER_AREA)
    picture = np.full((1080, 1920, 3), 120, np.uint8)
    picture[500:545, 900:942] = head
    assert len(detect(MtcnnDetector(20), picture)) == 1
    assert detect(MtcnnDetector(), picture) == ()
    assert len(detect(MtcnnDetector(), np.ascontiguousarray(picture[300:780, 600:1240]))) == 1


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_face_of_which_two_fifths_lie_outside_is_found_beside_another(detector, portrait, side):
    x1, y1, x2, y2 = PORTRAIT_FACE
    across, down = round(x1 + 0.4 * (x2 - x1)), round(y1 + 0.4 * (y2 - y1))
    left, right, top, bottom = across, round(x1 + 0.6 * (x2 - x1)), down, round(y1 + 0.6 * (y2 - y1))
    cut = {
        "left": portrait[:, left:], "right": portrait[:, :right], "top": portrait[top:], "bottom": portrait[:bottom]
    }[side]  # fmt: skip
    truth = {
        "left": (0, y1, x2 - left, y2), "right": (x1, y1, right, y2), "top": (x1, 0, x2, y2 - top),
        "bottom": (x1, y1, x2, bottom),
    }[side]  # fmt: skip
    height, width = cut.shape[:2]
    picture = np.full((max(height, 600), width + 600, 3), 90, np.uint8)
    shift = (600 if side == "right" else 0, picture.shape[0] - height if side == "bottom" else 0)
    picture[shift[1] : shift[1] + height, shift[0] : shift[0] + width] = cut
    other = width if side != "right" else 0
    picture[40 : 40 + 512, other + 20 : other + 20 + 512] = portrait
    faces = detect(detector, picture)
    assert len(faces) == 2
    expected = tuple(value + shift[axis % 2] for axis, value in enumerate(truth))
    found = max(faces, key=lambda face: overlap(face.box, expected))
    assert overlap(found.box, expected) > 0.4
    assert found.confidence > 0.9


def test_a_sliver_of_a_face_is_none(detector, portrait):
    _, _, x2, _ = PORTRAIT_FACE
    assert detect(detector, np.ascontiguousarray(portrait[:, x2 - 16 :])) == ()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_picture_gives_the_upright_one_s_face(detector, portrait, quarters):
    (upright,) = detect(detector, portrait)
    picture = np.ascontiguousarray(np.rot90(portrait, quarters))
    (face,) = detect(detector, picture)
    assert face.confidence > 0.98
    x1, y1, x2, y2 = upright.box
    places = {1: (y1, 512 - x2, y2, 512 - x1), 2: (512 - x2, 512 - y2, 512 - x1, 512 - y1)}
    places[3] = (512 - y2, x1, 512 - y1, x2)
    assert face.box == pytest.approx(places[quarters], abs=1)
    straight = crop_face(portrait, upright).astype(int)
    assert np.abs(crop_face(picture, face).astype(int) - straight).mean() < 12  # mirrored it is 51


@pytest.mark.parametrize("side", [100, 120, 180, 240])
def test_a_face_upside_down_beside_an_upright_one_is_not_read_the_wrong_way_up(detector, portrait, side):
    """O-Net alone sees its mouth above its eyes, at up to .997; then it was read, and voted, as surely as any."""
    head = Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)).crop((110, 10, 410, 310))
    picture = np.full((512, 1024, 3), 90, np.uint8)
    picture[:, 512:] = portrait
    picture[100 : 100 + side, 100 : 100 + side] = np.asarray(head.resize((side, side)))[::-1, ::-1]
    face, upright = detect(detector, picture)
    assert upright.box[0] > 512
    marks = face.landmarks
    assert marks.mouth_left[1] < marks.nose[1] < marks.left_eye[1]
    assert marks.left_eye[0] > marks.right_eye[0]
    assert face.confidence > 0.99


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_pictures_of_things_hold_no_face(detector, quarters):
    for name in ("rocket", "chelsea", "grass"):
        picture = getattr(data, name)()
        picture = np.stack([picture] * 3, axis=-1) if picture.ndim == 2 else picture
        assert detect(detector, np.ascontiguousarray(np.rot90(picture, quarters))) == ()


def test_a_cup_that_o_net_alone_takes_for_a_face_is_none(detector):
    """A saucer seen from the side, at a confidence of .96 before the second opinion; a motorcycle's parts at .8."""
    assert detect(detector, np.ascontiguousarray(np.rot90(data.coffee()))) == ()
    pictures = backgrounds(["motorcycle_left.png", "motorcycle_right.png"]).values()
    assert [face for image in pictures for face in detect(detector, image) if face.confidence >= 0.75] == []


def test_two_threads_at_once_get_their_own_faces(detector, portrait, group):
    pictures = [portrait, group[0]] * 4
    with ThreadPoolExecutor(4) as pool:
        assert [len(faces) for faces in pool.map(partial(detect, detector), pictures)] == [1, 3] * 4


def test_three_hundred_tiny_faces_are_found(portrait):
    tile = np.asarray(Image.fromarray(portrait[20:220, 120:320]).resize((60, 60), Image.Resampling.BOX))
    faces = detect(MtcnnDetector(20), np.tile(tile, (15, 20, 1)))
    tiles = Counter((int(x // 60), int(y // 60)) for x, y in map(_centre, faces))
    assert len(tiles) >= 290
    assert set(tiles.values()) == {1}


def _centre(face):
    x1, y1, x2, y2 = face.box
    return (x1 + x2) / 2, (y1 + y2) / 2


def test_the_picture_is_left_alone_and_may_be_read_only_or_strided(detector, portrait):
    copy = portrait.copy()
    copy.flags.writeable = False
    strided = np.repeat(portrait, 2, axis=1)[:, ::2]
    assert len(detect(detector, copy)) == len(detect(detector, strided)) == 1
    assert (copy == portrait).all()


@pytest.mark.parametrize(
    "picture",
    [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3), np.float32), "party.jpg", None],
)
def test_anything_but_rgb_bytes_is_refused(picture):
    with pytest.raises(ImageError, match="Expected an RGB picture"):
        to_picture(picture)
