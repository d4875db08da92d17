"""What is shared and downloaded, of real photos that real networks have read."""

import io
import json
import zipfile
from functools import partial

import av
import cv2
import numpy as np
import pytest

from builders import HOPPER, PORTRAIT, crowd, detect, looking
from femr.__main__ import main
from femr.corrections import correct, corrected, to_zip
from femr.images import load_image
from femr.mood import surely_a_face
from femr.output.annotate import blurred, draw
from femr.output.share import card
from femr.results import EMOTIONS, Analysis, Emotion, Mood
from femr.video.analysis import analyze_video
from femr.video.writer import annotated
from videos import scene, steady, write_video


@pytest.fixture(scope="module")
def group_photo():
    return crowd(8, 5, head=160)[0]


@pytest.fixture(scope="module")
def read(analyzer, group_photo):
    return analyzer(group_photo)


def test_labels_of_a_group_lie_on_no_face_that_was_found(group_photo, read):
    assert len(read.faces) == 40
    changed = (draw(group_photo, read) != group_photo).any(axis=2)
    for x1, y1, x2, y2 in (map(round, face.box) for face in read.faces):
        assert not changed[y1 + 10 : y2 - 10, x1 + 10 : x2 - 10].any()


def test_in_a_blurred_picture_no_face_is_left(detector, group_photo, read):
    assert detect(detector, blurred(group_photo, read)) == ()
    for path in (PORTRAIT, HOPPER):
        image = load_image(path)
        for size in (200, 512, 1500):
            small = cv2.resize(image, (size, round(size * image.shape[0] / image.shape[1])))
            faces = detect(detector, small)
            seen = tuple(looking("happy", face=face) for face in faces)
            assert seen
            hidden = blurred(small, Analysis(small.shape[1], small.shape[0], seen, Mood(None, ""), None, "m"))
            assert detect(detector, hidden) == ()


def test_a_card_of_a_blurred_group_holds_no_face(detector, group_photo, read):
    assert detect(detector, card(blurred(group_photo, read), read, "femr", boxes=False)) == ()


def test_the_command_blurs_what_it_annotates(detector, tmp_path, capsys):
    for options in ([], ["--blur"]):
        command = ["analyze", str(PORTRAIT), "--model", "mobilenet_v2", "--annotate", str(tmp_path), *options]
        assert main(command) == 0
    assert "The face looks happy" in capsys.readouterr().out
    plain, hidden = (load_image(tmp_path / name) for name in ("eileen-collins.jpg", "eileen-collins-2.jpg"))
    assert len(detect(detector, plain)) == 1
    assert detect(detector, hidden) == ()


def test_a_moving_face_is_hidden_between_two_looks(detector, analyzer, portrait, tmp_path):
    times = steady(2)
    pictures = [scene(portrait, (round(80 * time), 40)) for time in times]
    source, target = write_video(tmp_path / "a.mp4", pictures, times), tmp_path / "b.mp4"
    list(annotated(partial(source.open, "rb"), target, analyze_video(source, analyzer=analyzer), blur=True))
    with av.open(str(target)) as film:
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(shown) == len(times)
    # a weak box may lie on anything
    assert [n for n, frame in enumerate(shown) if any(map(surely_a_face, detect(detector, frame)))] == []


def test_a_set_of_corrections_is_what_evaluate_reads(group_photo, read, tmp_path, capsys):
    said = {face.number: face.scores.top for face in read.faces} | {2: Emotion.SAD, 5: Emotion.FEAR}
    made = [correct(group_photo, read, number, shows) for number, shows in said.items()]
    assert sum(one.shows is one.face.scores.top for one in made) == 38
    with zipfile.ZipFile(io.BytesIO(to_zip(made, crops=True))) as file:
        file.extractall(tmp_path)
    assert main(["evaluate", "mobilenet_v2", "--data", str(tmp_path / "corrections"), "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["images"] == 40
    rows = dict(zip(EMOTIONS, np.array(measured["confusion_matrix"]).sum(axis=1), strict=True))
    assert (rows[Emotion.SAD], rows[Emotion.FEAR]) == (1, 1)
    assert measured["accuracy_mirrored"]["value"] > 0.7


def test_a_corrected_group_has_another_mood_and_song(read, library):
    says = {face.number: Emotion.SAD for face in read.faces[:30]}
    after = corrected(read, says)
    assert (after.mood.emotion, after.song) == (Emotion.SAD, None)
    assert after.mood.reason.startswith(("30 of 40", "31 of 40"))
    assert library.pick(after.mood.emotion).emotion is Emotion.SAD
