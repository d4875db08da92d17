import base64
import weakref
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

import femr
from builders import PORTRAIT, PORTRAIT_FACE, overlap
from femr.analyzer import Analyzer
from femr.errors import DataError, ImageError
from femr.images import to_picture
from femr.mood import NO_FACE
from femr.output.rows import to_dict, to_rows, to_text
from femr.report.summary import summarise
from femr.results import EMOTIONS, Analysis, Reading


def test_no_face_no_mood_no_song(analyzer):
    analysis = analyzer(np.zeros((60, 80, 3), np.uint8))
    assert (analysis.width, analysis.height, analysis.faces) == (80, 60, ())
    assert (analysis.mood.emotion, analysis.mood.reason, analysis.song) == (None, NO_FACE, None)


def test_a_smile_is_happy_and_plays_a_happy_song(analyzer):
    analysis = analyzer(PORTRAIT)
    (face,) = analysis.faces
    assert face.number == 1
    assert overlap(face.box, PORTRAIT_FACE) > 0.7
    assert face.scores.top == "happy"
    assert face.scores["happy"] > 0.8
    assert not face.unsure
    assert analysis.mood.emotion == "happy"
    assert analysis.mood.reason == "The face looks happy"
    assert analysis.song.emotion == "happy"
    assert analysis.song.path.is_file()
    assert analysis.model == "mobilenet_v2"


def test_bytes_pil_and_array_give_the_same_numbers(analyzer, portrait):
    expected = analyzer(PORTRAIT).faces
    for source in (str(PORTRAIT), PORTRAIT.read_bytes(), Image.open(PORTRAIT), portrait):
        assert analyzer(source).faces == expected


def test_that_an_end_is_missing_is_told(analyzer):
    whole = PORTRAIT.read_bytes()
    analysis = analyzer(whole[: round(len(whole) * 0.98)])
    (face,) = analysis.faces
    assert face.scores.top == "happy"
    assert analysis.note.startswith("The picture's end is missing: 9")
    assert to_dict(analysis)["note"] == analysis.note
    assert analysis.note in to_text(analysis).splitlines()[1]
    assert all(row["error"] is None for row in to_rows(analysis))
    told = analyzer(whole)
    assert to_dict(told)["note"] is None
    assert to_text(told).splitlines()[1].startswith(" face")


def test_every_face_keeps_its_own_box_and_number(analyzer, group):
    picture, places = group
    faces = analyzer(picture).faces
    assert [face.number for face in faces] == [1, 2, 3]
    for face, place in zip(faces, places, strict=True):
        assert overlap(face.box, place) > 0.6


def test_boxes_are_in_the_original_pictures_pixels(analyzer, portrait):
    large = np.asarray(Image.fromarray(portrait).resize((3000, 3000)))
    analysis = analyzer(large)
    assert (analysis.width, analysis.height) == (3000, 3000)
    expected = tuple(value * 3000 / 512 for value in PORTRAIT_FACE)
    face = max((reading.face for reading in analysis.faces), key=lambda face: face.confidence)
    assert overlap(face.box, expected) > 0.7
    marks = face.landmarks
    assert marks.nose == pytest.approx((224 * 3000 / 512, 128 * 3000 / 512), abs=40)


class Stub:
    """A detector or classifier that gives what it was given."""

    def __init__(self, **answers):
        self.__dict__.update(answers)


def test_scores_belong_to_the_face_they_were_read_from(detector, library, group, classifier):
    picture, _ = group
    numbered = [femr.EmotionScores(tuple(0.4 if i == n else 0.1 for i in range(7))) for n in range(6)]
    readings = [Reading(numbered[n], numbered[n + 1], numbered[n + 2]) for n in range(3)]
    stub = Stub(facts=classifier.facts, classify=lambda crops: readings[: len(crops)])
    faces = Analyzer(detector, stub, library)(picture).faces
    assert [face.scores for face in faces] == numbered[:3]
    assert [face.vote_shares for face in faces] == numbered[1:4]
    assert [face.label_scores for face in faces] == numbered[2:5]


def test_the_threshold_of_the_models_facts_decides_who_is_unsure(detector, library, portrait, classifier):
    for threshold, unsure in ((0.0, False), (1.0, True)):
        facts = Stub(name="x", unsure_threshold=threshold)
        stub = Stub(facts=facts, classify=classifier.classify)
        (face,) = Analyzer(detector, stub, library)(portrait).faces
        assert face.unsure is unsure


def test_many_pictures_at_once_give_what_each_gives_alone(analyzer, portrait, group):
    images = [portrait, np.zeros((60, 80, 3), np.uint8), group[0]]
    pictures = [to_picture(image) for image in images]
    together = analyzer.read(pictures)
    assert [len(faces) for faces in together] == [1, 0, 3]
    for picture, faces, image in zip(pictures, together, images, strict=True):
        alone = analyzer(image)
        assert [pytest.approx(face.box, abs=1e-3) for face in faces] == [face.box for face in alone.faces]
        assert [face.number for face in faces] == [face.number for face in alone.faces]
        assert analyzer.conclude(picture, faces).mood == alone.mood
        for one, other in zip(faces, alone.faces, strict=True):
            assert one.scores.probabilities == pytest.approx(other.scores.probabilities, abs=1e-4)
    assert analyzer.read([]) == []


def test_a_path_is_kept_as_the_file(analyzer):
    assert analyzer(PORTRAIT).file == str(PORTRAIT)
    assert analyzer(PORTRAIT.read_bytes()).file is None


def test_text_that_is_the_picture_is_not_kept(analyzer):
    small = BytesIO()
    Image.new("RGB", (48, 48), "teal").save(small, "JPEG")
    assert len(base64.b64encode(small.getvalue())) < 1000  # as short as a path may be
    for data in (PORTRAIT.read_bytes(), small.getvalue()):
        text = base64.b64encode(data).decode()
        for source in (text, f"data:image/jpeg;base64,{text}"):
            assert analyzer(source).file is None


def test_an_address_is_kept_as_the_file(analyzer, tmp_path):
    place = tmp_path / "a b.jpg"
    place.write_bytes(PORTRAIT.read_bytes())
    assert analyzer(place.as_uri()).file == place.as_uri()


def test_an_analysis_keeps_no_picture(analyzer, portrait):
    picture, image = portrait.copy(), Image.fromarray(portrait)
    kept = weakref.ref(picture), weakref.ref(image)
    analyses = analyzer(picture), analyzer(image)
    assert all(analysis.plot().size == (640, 640) for analysis in analyses)
    del picture, image
    assert [reference() for reference in kept] == [None, None]
    for analysis in (*analyses, analyzer(PORTRAIT.read_bytes())):
        with pytest.raises(DataError, match="The picture is not kept; pass it"):
            analysis.plot()
        assert analysis.plot(portrait).size == (640, 640)


def test_an_analyzer_says_what_it_is(analyzer):
    assert repr(analyzer) == "femr's mobilenet_v2, unclear under 48%, 21 songs"


def test_a_bad_picture_is_an_image_error(analyzer):
    with pytest.raises(ImageError):
        analyzer(b"<html>")


def test_two_visits_do_not_meet(analyzer):
    first = analyzer(PORTRAIT)
    analyzer(np.zeros((60, 80, 3), np.uint8))
    assert first.mood.emotion == "happy"
    assert analyzer(PORTRAIT).faces == first.faces


def test_all_songs_of_the_mood_are_played_before_one_comes_again(analyzer):
    happy = analyzer.library.of("happy")
    played = ()
    for _ in happy:
        played += (analyzer(PORTRAIT, played=played).song,)
    assert set(played) == set(happy)


def test_load_is_the_public_way_in():
    assert femr.available_models() == ("mobilenet_v2", "custom_cnn", "ensemble")
    analysis = femr.load()(PORTRAIT)
    assert analysis.model == "ensemble"
    assert analysis.mood.emotion == "happy"
    with pytest.raises(femr.ModelError, match="Expected a model named"):
        femr.load("vgg")


def test_boxes_are_the_originals_where_a_picture_is_read_smaller(analyzer, portrait, tmp_path):
    """A 108-megapixel phone's JPEG, read at half its size."""
    large = np.full((9000, 12000, 3), 128, np.uint8)
    large[2000:6608, 3000:7608] = cv2.resize(portrait, (4608, 4608))
    path = tmp_path / "phone.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(large, cv2.COLOR_RGB2BGR))
    for analysis in (analyzer(path), *femr.analyze_folder([path], analyzer=analyzer)):
        assert (analysis.width, analysis.height) == (12000, 9000)
        (face,) = analysis.faces
        wanted = tuple(9 * value + shift for value, shift in zip(PORTRAIT_FACE, (3000, 2000) * 2, strict=True))
        assert overlap(face.box, wanted) > 0.7


def test_an_analysis_of_the_package_is_counted(analyzer, group):
    picture, _ = group
    found = analyzer(picture)
    rows = [row | {"file": name} for name in ("1.jpg", "2.jpg") for row in to_rows(found)]
    total = summarise([*rows, *to_rows(Analysis.failed("3.jpg", "mobilenet_v2", "Damaged."))])
    assert total.total.sure[EMOTIONS.index("happy")] == total.total.faces == 6
    assert (total.photos, total.failed, total.models) == (2, 1, ("mobilenet_v2",))


def test_public_names_exist():
    for name in femr.__all__:
        assert getattr(femr, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = femr.nonsense
