import csv
import io
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import pytest

from builders import PORTRAIT_FACE, found, looking
from femr.corrections import COLUMNS, correct, corrected, to_zip
from femr.errors import DataError
from femr.faces.crop import crop_face
from femr.mood import vote
from femr.results import Analysis, Emotion, Face, Landmarks, Song
from femr.training import data

EYES = Landmarks((207, 107), (240, 107), (224, 126), (210, 145), (238, 145))
HAPPY, SAD, FEAR = Emotion.HAPPY, Emotion.SAD, Emotion.FEAR


def analysis(tmp_path, *looks, **rest):
    faces = tuple(looking(emotion, 0.7, number, found(), **rest) for number, emotion in enumerate(looks, start=1))
    mood = vote(faces)
    song = Song("Song", tmp_path / "a.mp3", mood.emotion) if mood.emotion else None
    return Analysis(512, 512, faces, mood, song, "m")


def portrait_analysis(looks=HAPPY, number=1):
    return Analysis(512, 512, (looking(looks, 0.9, number, Face(PORTRAIT_FACE, 0.99, EYES)),), vote([]), None, "m")


def files(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def test_without_a_correction_nothing_changes(tmp_path):
    for one in (analysis(tmp_path), analysis(tmp_path, "happy", "sad")):
        assert corrected(one, {}) == one
        assert corrected(one, {7: SAD}) == one


def test_vote_and_mood_follow_at_once(tmp_path):
    before = analysis(tmp_path, "happy", "happy", "sad")
    after = corrected(before, {2: SAD})
    assert (after.mood.emotion, after.mood.reason) == (SAD, "2 of 3 faces look sad")
    assert after.song is None
    assert [face.scores.top for face in after.faces] == [HAPPY, SAD, SAD]
    assert [face.told for face in after.faces] == [False, True, False]
    assert after.faces[1].vote_shares == before.faces[1].vote_shares
    assert corrected(after, {2: HAPPY}).mood == before.mood


def test_the_song_stays_where_the_mood_does(tmp_path):
    before = analysis(tmp_path, "happy", "happy", "sad")
    assert corrected(before, {1: HAPPY, 3: FEAR}).song == before.song


def test_an_unclear_face_votes_when_it_is_told(tmp_path):
    after = corrected(analysis(tmp_path, "happy", "happy", unsure=True, unsure_reason="dark"), {2: FEAR})
    assert (after.mood.emotion, after.mood.reason) == (FEAR, "1 of 2 faces looks afraid; 1 was unclear")
    assert (after.faces[1].unsure, after.faces[1].unsure_reason) == (False, None)


def test_who_sees_a_face_knows_that_it_is_one(tmp_path):
    small, doubtful = found((0, 0, 20, 20)), found(confidence=0.6)
    large = looking("happy", 0.3, 1, unsure=True)
    for face in (small, doubtful):
        one = replace(analysis(tmp_path), faces=(large, looking("happy", 0.9, 2, face)))
        assert corrected(one, {2: SAD}).mood.counts == {SAD: 1}


def test_one_that_is_sent_twice_counts_once(portrait):
    made = [correct(portrait, portrait_analysis(), 1, shows, picture) for picture, shows in ((1, SAD), (2, HAPPY))]
    changed = replace(made[0], shows=HAPPY)
    assert files(to_zip([*made, made[0], made[1]], crops=True)) == files(to_zip(made, crops=True))
    assert files(to_zip([*made, changed], crops=True)) == files(to_zip([changed, made[1]], crops=True))


def test_a_face_that_is_not_there_cannot_be_corrected(portrait):
    with pytest.raises(DataError, match=r"Expected a face's number: 1\. Received: 2"):
        correct(portrait, portrait_analysis(), 2, SAD)


def test_the_crop_is_the_networks(portrait):
    one = correct(portrait, portrait_analysis(), 1, SAD)
    crop = cv2.imdecode(np.frombuffer(one.crop, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (crop == crop_face(portrait, portrait_analysis().faces[0].face)).all()
    larger = cv2.resize(portrait, (3072, 3072))
    far = replace(portrait_analysis(), width=3072, height=3072)
    far = replace(far, faces=(replace(far.faces[0], face=far.faces[0].face.scaled(6)),))
    again = cv2.imdecode(np.frombuffer(correct(larger, far, 1, SAD).crop, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.abs(again.astype(int) - crop).mean() < 6  # resampled twice


def test_the_set_holds_no_face_unless_it_is_asked_for(portrait):
    made = [correct(portrait, portrait_analysis(), 1, shows, picture) for picture, shows in ((1, SAD), (2, HAPPY))]
    content = files(to_zip(made))
    assert list(content) == ["corrections/labels.csv"]
    rows = list(csv.reader(io.StringIO(content["corrections/labels.csv"].decode())))
    assert rows == [list(COLUMNS), ["1", "1", "sad", "happy"], ["2", "1", "happy", "happy"]]
    assert list(files(to_zip([]))) == ["corrections/labels.csv"]


def test_the_set_is_read_as_labelled_faces(portrait, tmp_path):
    made = [correct(portrait, portrait_analysis(), 1, shows, picture) for picture, shows in ((1, SAD), (2, HAPPY))]
    with zipfile.ZipFile(io.BytesIO(to_zip(made, crops=True))) as file:
        file.extractall(tmp_path)
    for folder in (tmp_path, tmp_path / "corrections"):
        (split,) = data.load(folder).items()
        assert split[0] == data.PRIVATE_TEST
        assert split[1].counts() == (0, 0, 0, 1, 1, 0, 0)
