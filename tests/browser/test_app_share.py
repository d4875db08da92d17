"""What a visitor says of a face, and what can be taken along: in a browser, and by who asks the server without one."""

import base64
import json
import os
import zipfile
from pathlib import Path

import cv2
import pytest
from PIL import Image

from builders import PORTRAIT, ROOT
from chromium import DESKTOP, PHONE
from femr.images import load_image
from femr.page.photo import GONE, NOT_OURS, Question
from femr.page.shared import number_of
from femr.results import Emotion
from femr.video.reader import Reader
from photo_tab import answered, hold_first, let_go, name, reason, serious, upload, wait_until_playing
from visitors import ask
from visitors import upload as sent


@pytest.fixture
def visit(visit):
    """Opens the page as a new visitor who chooses the group's photo."""

    def visit_group(size=DESKTOP):
        page = visit(size)
        page.click("[data-example='group.jpg']")
        answered(page)
        return page

    return visit_group


@pytest.fixture
def grey(tmp_path):
    Image.new("RGB", (200, 200), "gray").save(tmp_path / "grey.png")
    return tmp_path / "grey.png"


def say(page, face, emotion):
    page.click(f".box >> nth={face - 1}")
    page.click(f".face [title={emotion}]")
    page.locator(f".face [title={emotion}][aria-pressed=true]").wait_for()


def taken(page, kind):
    with page.expect_download() as download:
        page.click(f"[data-take={kind}]")
    return download.value.suggested_filename, Path(download.value.path())


def test_what_a_visitor_says_moves_the_vote_the_mood_and_the_song(visit, library):
    page = visit(PHONE)
    first = wait_until_playing(page)
    say(page, 1, "sad")
    assert name(page) == "Happy"
    assert page.inner_text(".player .title") == first  # the mood is the same, its song goes on
    page.click(".box >> nth=0")
    say(page, 2, "sad")
    assert (name(page), reason(page)) == ("Sad", "2 of 3 faces look sad")
    title = wait_until_playing(page, first)
    assert next(song.emotion for song in library.songs if song.title == title) == "sad"
    assert "Face 2 shows sad, you say" in page.inner_text(".face")
    assert [label.split()[-1] for label in page.locator(".label").all_inner_texts()] == ["sad", "sad", "happy"]


@pytest.mark.parametrize("emotion", ["happy", "sad"])
def test_the_first_mood_of_a_picture_that_had_none_is_heard(visit, portrait, tmp_path, library, emotion):
    cv2.imwrite(str(tmp_path / "haze.png"), cv2.GaussianBlur(portrait[..., ::-1], (0, 0), 8.8))
    page = visit()
    upload(page, tmp_path / "haze.png")
    page.get_by_text("Nothing here is clearly a face").wait_for()
    say(page, 1, emotion)
    title = wait_until_playing(page)
    assert next(song.emotion for song in library.songs if song.title == title) == emotion
    assert page.get_attribute("[data-mood][aria-pressed=true]", "data-mood") == emotion


def test_what_is_said_last_of_a_face_is_drawn_though_the_answer_before_comes_later(visit):
    page = visit()
    held = hold_first(page, "read")
    page.click(".box >> nth=0")
    page.click(".face [title=sad]")
    page.click(".face [title=angry]")
    page.locator(".face [title=angry][aria-pressed=true]").wait_for()
    let_go(page, held)
    assert page.locator(".label").first.inner_text().endswith("angry")
    assert page.get_attribute(".face [aria-pressed=true]", "title") == "angry"


def test_a_mood_that_is_chosen_goes_on_where_what_is_said_changes_none(visit):
    page = visit()
    first = wait_until_playing(page)
    page.click("[data-mood=sad]")
    title = wait_until_playing(page, first)
    say(page, 1, "happy")
    assert page.get_attribute("[data-mood][aria-pressed=true]", "data-mood") == "sad"
    assert page.inner_text(".player .title") == title


def test_a_face_that_is_closed_before_the_answer_stays_closed_and_keeps_the_focus(visit):
    page = visit()
    held = hold_first(page, "read")
    page.focus(".box >> nth=1")
    page.keyboard.press("Enter")
    page.focus(".face [title=sad]")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    let_go(page, held)
    assert not page.is_visible(".face")
    assert page.evaluate("document.activeElement.ariaLabel") == "Face 2: looks sad"


def test_what_was_said_of_pictures_that_are_still_there_is_saved(visit):
    page = visit()
    say(page, 1, "sad")
    for _ in range(2):
        upload(page, PORTRAIT)
        page.wait_for_selector(".stage:not(.answered)")
        answered(page)
        say(page, 1, "happy")
    forget_uploads()
    page.click(".take summary")
    _, path = taken(page, "corrections")
    page.get_by_role("status").get_by_text("2 pictures are not here any more and are left out.").wait_for()
    with zipfile.ZipFile(path) as archive:
        assert archive.read("corrections/labels.csv").decode().split()[1:] == ["1,1,sad,neutral"]


def forget_uploads():
    """What the sweep does, sooner."""
    for path in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*.*"):
        path.unlink()


def test_what_was_said_of_pictures_that_are_all_gone_cannot_be_saved(server):
    paths = [sent(server, f"{number}.jpg", PORTRAIT.read_bytes()) for number in range(2)]
    pictures = [{"path": path, "shows": {"1": "sad"}} for path in paths]
    Path(paths[0]).unlink()
    assert ask(server, "corrections", {"pictures": pictures})["note"].startswith("1 picture is not here any more")
    Path(paths[1]).unlink()
    assert ask(server, "corrections", {"pictures": pictures}) == {"error": "None of these pictures is here any more."}
    assert "Please choose it again" in ask(server, "corrections", {"pictures": pictures[:1]})["error"]


def test_what_was_said_is_counted_once_a_face_and_can_be_taken_along(visit):
    page = visit()
    assert not page.is_visible(".said")
    page.click(".take summary")
    say(page, 2, "happy")
    page.click(".box >> nth=1")
    say(page, 1, "sad")
    page.click(".box >> nth=0")
    say(page, 1, "angry")
    assert page.inner_text(".agree") == "You agreed with femr on 1 of 2."
    filename, path = taken(page, "corrections")
    assert filename == "femr-corrections.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["corrections/labels.csv"]
        rows = archive.read("corrections/labels.csv").decode().split()
    assert rows == ["picture,face,label,femr", "1,1,angry,neutral", "1,2,happy,happy"]
    page.check("input[name=crops]")
    _, path = taken(page, "corrections")
    with zipfile.ZipFile(path) as archive:
        assert {name for name in archive.namelist() if name.endswith(".png")} == {
            "corrections/test/happy/1-2.png",
            "corrections/test/angry/1-1.png",
        }
    assert serious(page) == []
    page.click("[data-example='eileen-collins.jpg']")
    answered(page)
    assert page.inner_text(".agree") == "You agreed with femr on 1 of 2."


def test_card_clip_and_playlist_are_named_after_the_mood(visit):
    page = visit()
    title = wait_until_playing(page)
    page.click(".take summary")
    filename, path = taken(page, "share")
    assert filename == "femr-happy.jpg"
    plain = load_image(path)
    assert plain.shape == (1350, 1080, 3)
    page.check("input[name=blur]")
    page.uncheck("input[name=boxes]")
    _, path = taken(page, "share")
    assert (load_image(path) != plain).any()
    filename, path = taken(page, "clip")
    assert filename == "femr-happy.mp4"
    assert path.stat().st_size < 2_000_000
    with Reader(path) as reader:
        assert reader.length == pytest.approx(10, abs=0.3)
    filename, path = taken(page, "playlist")
    assert filename == "femr-happy.m3u8"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#EXTM3U"
    assert any(title in line for line in lines)
    songs = [line for line in lines if not line.startswith("#")]
    assert all(page.request.get(song).ok for song in songs)
    assert page.get_by_role("status").get_by_text("Saved as femr-happy.m3u8.").is_visible()


def test_without_a_mood_nothing_is_offered_but_the_playlist_of_one_that_is_chosen(visit, grey):
    page = visit()
    upload(page, grey)
    page.get_by_text("No face found").wait_for()
    assert page.locator(".take").bounding_box() is None  # nor does it leave a hole
    page.click("[data-mood=sad]")
    wait_until_playing(page)
    page.click(".take summary")
    assert page.locator("[data-take]:visible").count() == 1
    assert taken(page, "playlist")[0] == "femr-sad.m3u8"
    page.click("[data-example='group.jpg']")
    answered(page)
    assert page.locator("[data-take]:visible").count() == 3


def test_without_a_mood_there_is_no_card_and_no_clip(server, grey):
    path = sent(server, "grey.png", grey.read_bytes())
    for handler in ("share", "clip"):
        assert "There is no mood in this picture" in ask(server, handler, {"path": path})["error"]


HANDLERS = ("share", "clip", "read", "show")
BAD = [
    {"path": str(PORTRAIT)},
    {"path": "/etc/passwd"},
    {"example": "../README.md"},
    {"example": "group.jpg", "song": -1},
    {"example": "group.jpg", "song": "0"},
    {"example": "group.jpg", "address": "x" * 301},
    {"example": "group.jpg", "address": ["x"]},
    {"example": "group.jpg", "boxes": "yes"},
    {"example": "group.jpg", "shows": {"1": "vgg"}},
    {"example": "group.jpg", "shows": {"x": "sad"}},
    {"example": "group.jpg", "shows": ["sad"]},
    {"example": "group.jpg", "shows": {str(n): "sad" for n in range(201)}},
]


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("question", BAD, ids=lambda question: str(question)[:60])
def test_what_is_asked_is_checked(server, handler, question):
    answer = ask(server, handler, question)
    assert list(answer) == ["error"]
    assert "/" not in answer["error"]


CRAFTED = [
    *({"song": song} for song in ("", [], {}, 0.0, 3.0, False, float("nan"), 10**30)),
    *({"played": [number]} for number in (True, "1", None, float("inf"), [[]], 10**30)),
    *({"ticket": ticket} for ticket in ("", None, 0.5, float("nan"))),
    *({"shows": {key: "sad"}} for key in ("", "²", "9" * 5000)),
    *({"address": address} for address in ("\ud800", "a\n#EXTINF:1", None)),
    *({name: value} for name in ("model", "mode", "mood", "path", "boxes", "played") for value in ({"a": []}, 7)),
    {"path": "x" * 5000},
    {"played": None},
    {"shows": {"1": ["sad"]}},
    {"one more": 1},
]


@pytest.mark.parametrize("crafted", CRAFTED, ids=lambda crafted: ascii(crafted)[:60])
def test_what_the_script_would_not_send_gets_one_sentence(server, crafted):
    question = {"example": "group.jpg", **crafted}
    for handler, asked in (("share", question), ("playlist", question), ("corrections", {"pictures": [question]})):
        assert ask(server, handler, asked) == {"error": NOT_OURS}
    for nothing in ([], "x", None, 7, [question]):
        assert ask(server, "share", nothing) == {"error": NOT_OURS}


@pytest.mark.parametrize("path", ["\0", "\ud800", "/", "~", "x" * 300], ids=ascii)
def test_a_path_that_is_no_upload_is_told_so(server, path):
    assert ask(server, "share", {"path": path}) == {"error": GONE}


def test_after_a_correction_that_changes_the_mood_the_song_that_plays_is_on_the_card(library):
    (sad, *_), song = library.of(Emotion.SAD), library.of(Emotion.HAPPY)[0]
    for plays in (sad, song):
        question = Question.of({"example": "group.jpg", "shows": {"1": "sad", "2": "sad"}, "song": number_of(plays)})
        found = question.analysis(question.picture())
        assert (found.mood.emotion, found.song) == ("sad", plays)


def test_after_a_correction_a_clip_has_the_song_that_plays(server, library):
    song = number_of(library.of(Emotion.SAD)[0])
    asked = {"example": "group.jpg", "shows": {"1": "sad", "2": "sad"}, "song": song}
    assert "file" in ask(server, "clip", asked)
    assert ask(server, "clip", {**asked, "song": None}) == {"error": "There is no song to make a clip with."}


@pytest.mark.parametrize(
    "asked",
    [
        None,
        {},
        {"pictures": "x"},
        {"pictures": [{"path": str(PORTRAIT), "shows": {"1": "sad"}}]},
        {"pictures": [{"example": "group.jpg", "shows": {"9": "sad"}}]},
        {"pictures": [{"example": "group.jpg"}] * 21},
    ],
    ids=["nothing", "empty", "text", "path", "no such face", "too many"],
)
def test_a_set_of_what_was_said_is_checked(server, asked):
    answer = ask(server, "corrections", asked)
    assert list(answer) == ["error"]
    assert str(ROOT) not in json.dumps(answer)


def test_a_song_that_is_not_there_is_no_song(server):
    assert "file" in ask(server, "share", {"example": "group.jpg", "song": 10_000})


def test_nothing_of_it_stays_on_the_server(server, library):
    path, song = sent(server, "me.jpg", PORTRAIT.read_bytes()), number_of(library.songs[0])
    before = set(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*"))
    for handler in ("read", "share", "clip"):
        answer = ask(server, handler, {"path": path, "song": song, "shows": {"1": "sad"}})
        assert "error" not in answer
        assert path not in json.dumps(answer)
    answer = ask(server, "corrections", {"pictures": [{"path": path, "shows": {"1": "sad"}}], "crops": True})
    assert base64.b64decode(answer["file"].partition(",")[2])[:2] == b"PK"
    assert set(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*")) == before
