"""The page in a real browser: headless Chromium through Playwright."""

import os
import re
import sys
import urllib.request
from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio_client import handle_file

from builders import PORTRAIT, write_wav
from chromium import DESKTOP, PHONE, REFUSED_CAMERA, watching
from femr.output.rows import COLUMNS, to_dict
from femr.page import photo
from femr.page.card import song_card
from femr.results import Emotion
from photo_tab import answered, ask, film, hold_first, let_go, name, open_tab, reason, upload, wait_until_playing
from visitors import serving

LOW = {"width": 1180, "height": 620}
WATCHED = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
DROP = """([bytes, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/jpeg'}));
  const at = document.querySelector('#about');
  for (const kind of ['dragover', 'drop']) {
    at.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
  }
}"""
PASTE = """([bytes, name]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/jpeg'}));
  document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true}));
}"""


@pytest.fixture(scope="module")
def camera(tmp_path_factory, portrait):
    return film(tmp_path_factory.mktemp("camera") / "face.y4m", portrait)


@pytest.fixture(scope="module")
def browser(launch, camera):
    return launch(*watching(camera))


@pytest.fixture
def grey(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((200, 200, 3), 128, np.uint8))
    return tmp_path / "grey.png"


def sounding(page):
    return page.evaluate("window.sounding().length")


def boxes(page, selector):
    found = [one.bounding_box() for one in page.locator(selector).all()]
    return [(box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]) for box in found]


def test_the_first_screen_holds_all_that_is_needed(visit):
    for size in (PHONE, {"width": 1280, "height": 720}):
        page = visit(size)
        for selector in (".selfie", ".choose", ".examples", ".stage > .small", ".options summary"):
            box = page.locator(selector).first.bounding_box()
            assert box["y"] + box["height"] <= size["height"], selector
        assert not page.is_visible(".options fieldset")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        wide = page.locator(".selfie").bounding_box()["width"]
        assert wide == page.locator(".choose").bounding_box()["width"] >= 0.85 * min(size["width"], 640)


@pytest.mark.parametrize("size", [PHONE, DESKTOP, LOW], ids=["phone", "desktop", "low"])
def test_an_example_is_one_tap_from_its_song(visit, size):
    page = visit(size)
    page.click("[data-example='group.jpg']")
    answered(page)
    assert (name(page), reason(page)) == ("Happy", "2 of 3 faces look happy")
    places = [page.locator(part).bounding_box() for part in (".picture img", ".boxes")]
    assert places[0] == places[1]  # the boxes are where the picture is, and it is not distorted
    assert places[0]["width"] / places[0]["height"] == pytest.approx(1280 / 860, rel=0.01)
    assert page.get_attribute(".picture img", "alt") == "Three faces: two look happy, one looks neutral."
    wait_until_playing(page)
    assert sounding(page) == 1


def test_a_photo_gives_mood_faces_numbers_and_a_song(visit, group, tmp_path):
    cv2.imwrite(str(tmp_path / "group.png"), cv2.cvtColor(group[0], cv2.COLOR_RGB2BGR))
    page = visit()
    ask(page, tmp_path / "group.png")
    assert (name(page), reason(page)) == ("Happy", "All 3 faces look happy")
    assert page.locator(".told").get_attribute("role") == "status"
    picture = page.locator(".picture img").bounding_box()
    scale = picture["width"] / group[0].shape[1]
    assert picture["height"] == pytest.approx(scale * group[0].shape[0], abs=1)
    drawn = boxes(page, ".box")
    for (x1, y1, x2, y2), (left, top, right, bottom) in zip(group[1], drawn, strict=True):
        middle = ((x1 + x2) / 2 * scale + picture["x"], (y1 + y2) / 2 * scale + picture["y"])
        assert left < middle[0] < right
        assert top < middle[1] < bottom
    page.click(".box >> nth=1")
    assert "Face 2 looks happy" in page.inner_text(".face")
    assert [word.split()[-1] for word in page.locator(".bar .word").all_inner_texts()] == list(WATCHED)
    assert "would say happy" in page.inner_text(".face .reason")
    page.keyboard.press("Escape")
    assert not page.is_visible(".face")
    with page.expect_download() as download:
        page.click(".table")
    assert download.value.suggested_filename == "femr.csv"
    rows = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert rows[0] == ",".join(COLUMNS)
    assert len(rows) == 4
    wait_until_playing(page)
    page.click(".player .about")
    assert "CC0-1.0" in page.inner_text(".player .facts")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_no_label_lies_on_a_face_or_on_another_label(visit, portrait, tmp_path, size):
    small = cv2.resize(portrait, (240, 240), interpolation=cv2.INTER_AREA)[:200, 40:200]
    crowd = np.concatenate([np.concatenate([small] * 6, axis=1)] * 3, axis=0)
    cv2.imwrite(str(tmp_path / "crowd.png"), cv2.cvtColor(crowd, cv2.COLOR_RGB2BGR))
    page = visit(size)
    ask(page, tmp_path / "crowd.png")
    faces, labels = boxes(page, ".box"), boxes(page, ".label:visible")
    assert len(faces) == 18
    assert len(labels) >= 9
    for number, one in enumerate(labels):
        for other in [*faces, *labels[number + 1 :]]:
            across = min(one[2], other[2]) - max(one[0], other[0])
            assert across <= 0.5 or min(one[3], other[3]) - max(one[1], other[1]) <= 0.5
    assert page.evaluate("parseFloat(getComputedStyle(document.querySelector('.label')).fontSize)") >= 12


def test_another_song_plays_another_song(visit):
    page = visit()
    ask(page, PORTRAIT)
    first = wait_until_playing(page)
    page.click(".player .next")
    assert wait_until_playing(page, first) != first
    assert sounding(page) == 1
    page.click(".player .play")
    page.wait_for_selector(".player[data-state=paused]")
    assert sounding(page) == 0


def test_music_for_another_mood_is_one_tap(visit, library):
    page = visit()
    ask(page, PORTRAIT)
    first = wait_until_playing(page)
    page.click("[data-mood=sad]")
    title = wait_until_playing(page, first)
    assert next(song.emotion for song in library.songs if song.title == title) == "sad"
    assert name(page) == "Happy"
    page.click(".options summary")
    page.check("input[value=lift]")
    title = wait_until_playing(page, title)
    assert next(song.emotion for song in library.songs if song.title == title) != "sad"


def test_a_song_that_ends_fades_into_the_next(visit):
    page = visit()
    ask(page, PORTRAIT)
    first = wait_until_playing(page)
    page.evaluate("() => { const [one] = window.sounding(); one.currentTime = one.duration - 3; }")
    assert wait_until_playing(page, first) != first
    page.wait_for_function("window.sounding().length === 2")
    page.wait_for_function("window.sounding().length === 1")
    page.wait_for_timeout(1000)  # the old one may end a little sooner than the fade
    volume = page.evaluate("window.sounding()[0].volume")  # the song's own: songs are made equally loud
    assert volume > 0.3
    page.wait_for_timeout(300)
    assert page.evaluate("window.sounding()[0].volume") == volume


def test_a_song_that_is_there_only_after_the_one_before_has_ended_is_heard(visit, library):
    page, held = visit(), []
    near, late = ({**song_card(song), "mood": "happy"} for song in library.of(Emotion.HAPPY)[:2])
    page.route(f"**/{late['url']}", lambda route: held.append(route))
    page.evaluate(
        """async ([near, late]) => {
          window.player = await import(new URL('femr/player.js', document.baseURI));
          player.play([near]);
        }""",
        [near, late],
    )
    assert wait_until_playing(page) == near["title"]
    page.evaluate(
        """(late) => {
          player.follow(late);
          player.play([late], true);
          const [one] = window.sounding();
          one.currentTime = one.duration - 0.5;
        }""",
        late,
    )
    page.locator(".player .title").get_by_text(late["title"], exact=True).wait_for()
    for route in held:
        route.continue_()
    page.wait_for_function("window.sounding().some((one) => one.currentTime > 1)")


def test_a_new_picture_takes_the_old_answer_and_its_song_away_at_once(visit, grey):
    page = visit()
    ask(page, PORTRAIT)
    wait_until_playing(page)
    page.evaluate("""() => {
      window.seen = [];
      new MutationObserver(() => window.seen.push([
        document.querySelector('.told').innerText, document.querySelectorAll('.box').length, window.sounding().length,
      ])).observe(document.querySelector('.told'), {childList: true, subtree: true});
    }""")
    upload(page, grey)
    page.get_by_text("No face found").wait_for()
    seen = page.evaluate("window.seen")
    assert "Looking for faces" in " ".join(words for words, _, _ in seen)
    assert all("Happy" not in words for words, _, _ in seen)
    assert [max(one[1] for one in seen), max(one[2] for one in seen)] == [0, 0]
    assert page.get_attribute(".player", "data-state") == "none"
    assert not page.is_visible(".stage .table")


def test_the_second_picture_wins_over_the_first_that_is_still_being_read(visit, grey):
    page = visit()
    slow = re.compile("component_server")
    held = []
    page.route(
        slow, lambda route: held.append(route) if "grey" in (route.request.post_data or "") else route.continue_()
    )
    upload(page, grey)
    page.wait_for_function("document.querySelector('.told').innerText.includes('Looking')")
    page.wait_for_timeout(200)
    ask(page, PORTRAIT)
    assert held
    with page.expect_response(lambda one: "grey" in (one.request.post_data or "")):
        for route in held:
            route.continue_()
    page.wait_for_timeout(300)
    assert name(page) == "Happy"
    assert sounding(page) == 1


def test_who_has_to_wait_is_told_the_place_in_line(visit, monkeypatch):
    monkeypatch.setattr(photo.DESK, "place", lambda ticket: (3, 4) if ticket else (0, 0))
    page = visit()
    held = []
    page.route(
        "**/component_server/**", lambda one: held.append(one) if '"read"' in one.request.post_data else one.continue_()
    )
    page.click("[data-example='group.jpg']")
    page.get_by_role("status").get_by_text("3 pictures are before yours: about 4 seconds.").wait_for()
    held[0].continue_()
    answered(page)
    assert name(page) == "Happy"
    page.wait_for_timeout(2500)
    assert name(page) == "Happy"


def test_a_selfie_is_one_tap_and_the_shutter(visit):
    page = visit(PHONE)
    page.click(".selfie")
    page.click(".shutter")
    answered(page)
    assert name(page) == "Happy"
    first = wait_until_playing(page)
    page.click(".selfie")  # and another one
    page.wait_for_selector(".shutter:visible")
    assert sounding(page) == 0
    page.click(".shutter")
    page.wait_for_selector(".camera", state="hidden")
    answered(page)
    assert wait_until_playing(page, first)
    page.click(".selfie")
    page.wait_for_selector(".shutter:visible")
    page.keyboard.press("Escape")
    page.wait_for_selector(".camera", state="hidden")
    assert page.evaluate("document.activeElement.matches('.selfie')")


KEEP_TRACKS = """() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices)
    window.tracks = []
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        await window.allowed
        const stream = await ask(wanted)
        tracks.push(...stream.getTracks())
        return stream
    }
}"""
ENDED = "() => tracks.length && tracks.every((track) => track.readyState === 'ended')"


def test_the_camera_is_closed_when_another_tab_is_opened(visit):
    page = visit()
    page.evaluate(KEEP_TRACKS)
    page.click(".selfie")
    page.wait_for_selector(".shutter:visible")
    open_tab(page, "Songs")
    page.wait_for_function(ENDED)
    open_tab(page, "Photo")
    page.wait_for_selector(".selfie:visible")


def test_a_camera_that_comes_after_another_tab_was_opened_is_closed_and_its_song_goes_on(visit):
    page = visit()
    page.evaluate(KEEP_TRACKS)
    page.evaluate("() => { window.allowed = new Promise((allow) => (window.allow = allow)) }")
    page.click(".selfie")
    open_tab(page, "Songs")
    page.click(".library button >> nth=0")
    wait_until_playing(page)
    page.evaluate("allow()")
    page.wait_for_function(ENDED)
    assert sounding(page) == 1


def test_no_song_of_a_picture_before_begins_over_the_camera(visit):
    page = visit()
    held = hold_first(page, "read")
    page.click("[data-example='group.jpg']")
    page.get_by_role("status").get_by_text("Looking for faces").wait_for()
    page.click(".selfie")
    page.wait_for_selector(".shutter:visible")
    let_go(page, held)
    assert page.get_attribute(".player", "data-state") == "none"
    page.keyboard.press("Escape")
    assert name(page) == "Happy"  # the answer is there
    assert sounding(page) == 0
    page.click("[data-mood=sad]")
    wait_until_playing(page)


def test_a_song_that_is_chosen_while_a_picture_is_read_goes_on(visit):
    page = visit()
    held = hold_first(page, "read")
    page.click("[data-example='group.jpg']")
    page.get_by_role("status").get_by_text("Looking for faces").wait_for()
    open_tab(page, "Songs")
    page.click(".library button >> nth=0")
    title = wait_until_playing(page)
    let_go(page, held)
    assert page.inner_text(".player .title") == title


def test_the_last_of_two_moods_is_heard(visit):
    page = visit()
    ask(page, PORTRAIT)
    first = wait_until_playing(page)
    held = hold_first(page, "songs")
    page.click("[data-mood=sad]")
    page.click("[data-mood=angry]")
    title = wait_until_playing(page, first)
    let_go(page, held)
    assert page.get_attribute("[data-mood][aria-pressed=true]", "data-mood") == "angry"
    assert page.inner_text(".player .title") == title


SLOW_PICTURES = """() => {
  const decode = HTMLImageElement.prototype.decode;
  HTMLImageElement.prototype.decode = async function () {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return decode.call(this);
  };
}"""


@pytest.mark.parametrize("way", [".camera .close", ".camera .shutter"])
def test_the_camera_gives_the_focus_back(visit, way):
    page = visit()
    page.focus(".selfie")
    page.keyboard.press("Enter")
    page.wait_for_selector(".shutter:visible")
    page.evaluate(SLOW_PICTURES)
    page.focus(way)
    page.keyboard.press("Enter")
    page.wait_for_selector(".camera", state="hidden")
    if way == ".camera .shutter":
        answered(page)
        page.wait_for_selector("body:not(.moving)")
    assert page.evaluate("document.activeElement.matches('.selfie')")


LATE_CAMERA = """async () => {
    const image = Object.assign(new Image(), { src: 'femr/examples/eileen-collins.jpg' })
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: 512, height: 512 })
    const pen = canvas.getContext('2d'), stream = canvas.captureStream()
    navigator.mediaDevices.getUserMedia = async () => stream
    window.showPicture = () => setInterval(() => pen.drawImage(image, 0, 0), 100)
}"""


def test_a_shutter_that_is_pressed_before_there_is_a_picture_waits_for_it(visit):
    page = visit(PHONE)
    page.evaluate(LATE_CAMERA)
    page.click(".selfie")
    page.click(".shutter")
    page.wait_for_timeout(300)
    page.evaluate("showPicture()")
    answered(page)
    assert name(page) == "Happy"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (REFUSED_CAMERA, "The browser may not use your camera."),
        ([], "No camera was found."),
    ],
    ids=["refused", "missing"],
)
def test_without_a_camera_a_sentence_and_the_systems_camera_help(launch, visit, flags, words):
    page = visit(PHONE, browser=launch(*flags))
    page.click(".selfie")
    page.get_by_role("status").get_by_text(words).wait_for()
    page.set_input_files(".system input[capture=user]", str(PORTRAIT))
    answered(page)
    assert name(page) == "Happy"


@pytest.mark.parametrize("way", [DROP, PASTE], ids=["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted_anywhere(visit, way):
    page = visit()
    page.evaluate(way, [list(PORTRAIT.read_bytes()), "<b>me</b>.jpg"])
    answered(page)
    assert name(page) == "Happy"


def test_a_changed_option_answers_again(visit):
    page = visit(address="?model=quick&mode=lift")
    page.click(".options summary")
    assert page.is_checked("input[value=mobilenet_v2]")
    assert page.is_checked("input[value=lift]")
    ask(page, PORTRAIT)
    page.click(".box")
    before = page.inner_text(".face")
    page.check("input[value=ensemble]")
    page.wait_for_selector(".face", state="hidden")
    answered(page)
    page.click(".box")
    assert page.inner_text(".face") != before or name(page) == "Happy"


def test_the_address_opens_a_tab(visit):
    page = visit(address="?view=songs")
    page.wait_for_selector(".library button:visible")
    assert page.get_by_role("tab", name="Songs").get_attribute("aria-selected") == "true"


def test_two_visitors_at_once_see_their_own_results_only(visit, grey):
    first, second = visit(), visit()
    upload(first, PORTRAIT)
    upload(second, grey)
    answered(first)
    answered(second)
    assert name(first) == "Happy"
    assert "No face found" in second.inner_text(".told")
    assert second.get_attribute(".player", "data-state") == "none"
    assert not second.is_visible(".stage .table")
    assert name(first) == "Happy"
    wait_until_playing(first)


def test_a_bad_file_gives_a_sentence_in_the_card_and_the_page_stays_usable(visit, tmp_path):
    (tmp_path / "<img src=x onerror=alert(1)>.jpg").write_bytes(b"<html><body>not a photo</body></html>")
    page = visit()
    upload(page, next(tmp_path.iterdir()))
    page.get_by_role("status").get_by_text("This is not a picture that can be read.").wait_for()
    assert page.locator(".toast-wrap *, .error").count() == 0
    assert not page.is_visible(".picture img")
    assert not page.is_visible(".player")
    ask(page, PORTRAIT)
    assert name(page) == "Happy"


@pytest.mark.parametrize("visit", [["ERR_FAILED"]], indirect=True)
def test_a_lost_connection_is_told_and_the_next_picture_is_answered(visit):
    page = visit()
    page.route("**/component_server/**", lambda route: route.abort())
    page.click("[data-example='eileen-collins.jpg']")
    page.get_by_role("status").get_by_text("No answer came.").wait_for()
    page.unroute("**/component_server/**")
    page.click("[data-example='eileen-collins.jpg']")
    answered(page)
    assert name(page) == "Happy"
    wait_until_playing(page)


@pytest.mark.parametrize("visit", [["ERR_INTERNET_DISCONNECTED"]], indirect=True)
def test_a_connection_that_is_lost_while_a_picture_is_sent_is_told(visit):
    page = visit()
    page.context.set_offline(True)
    upload(page, PORTRAIT)
    page.get_by_role("status").get_by_text("The picture did not arrive.").wait_for()
    page.context.set_offline(False)
    ask(page, PORTRAIT)
    assert name(page) == "Happy"
    assert page.locator(".toast-wrap *, .error").count() == 0  # Gradio's stays for ten seconds


@pytest.mark.parametrize("way", ["reload", "back", "forward"])
def test_after_a_reload_and_back_and_forward_there_is_nothing_stale(visit, grey, way):
    page = visit()
    ask(page, PORTRAIT)
    wait_until_playing(page)
    if way == "reload":
        page.reload()
    else:
        page.goto("about:blank")
        page.go_back()
    if way == "forward":
        page.go_forward()
        page.go_back()
    page.wait_for_selector(".stage .selfie")
    assert sounding(page) == 0
    upload(page, grey)
    page.get_by_text("No face found").wait_for()
    assert page.locator(".box").count() == 0
    ask(page, PORTRAIT)
    wait_until_playing(page)
    assert sounding(page) == 1


@pytest.mark.parametrize("visit", [["ERR_FAILED", "ERR_ABORTED"]], indirect=True)
def test_a_page_that_is_left_while_a_picture_is_read_can_be_used_again(visit):
    page = visit()
    page.route("**/component_server/**", lambda route: None)
    page.click("[data-example='group.jpg']")
    page.get_by_role("status").get_by_text("Looking for faces").wait_for()
    page.unroute("**/component_server/**")
    page.reload()
    page.click("[data-example='eileen-collins.jpg']")
    answered(page)
    assert name(page) == "Happy"


def test_what_the_browser_cannot_show_the_server_shows(visit, portrait, tmp_path):
    cv2.imwrite(str(tmp_path / "photo.tiff"), cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR))
    page = visit()
    ask(page, tmp_path / "photo.tiff")
    page.wait_for_function("document.querySelector('.picture img').naturalWidth === 512")
    page.wait_for_selector(".label:visible")


def test_the_answer_fits_a_phone_and_a_very_small_one(visit):
    for size in (PHONE, {"width": 320, "height": 640}):
        page = visit(size)
        ask(page, PORTRAIT)
        wait_until_playing(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        assert -5 < page.locator(".told").bounding_box()["y"] < 200
        small = page.evaluate("""() => [...document.querySelectorAll('.stage, .player')]
          .flatMap((part) => [...part.querySelectorAll('button, summary, a, .options label')])
          .filter((one) => one.checkVisibility() && !one.matches('.box'))
          .filter((one) => Math.min(one.offsetWidth, one.offsetHeight) < 44).map((one) => one.outerHTML)""")
        assert small == []


def test_every_song_can_be_heard_and_one_at_a_time(visit, library):
    page = visit()
    ask(page, PORTRAIT)
    title = wait_until_playing(page)
    page.get_by_role("tab", name="Songs").click()
    cards = page.locator(".library button")
    assert sorted(cards.locator(".title").all_inner_texts()) == sorted(song.title for song in library.songs)
    for number in (2, 7):
        cards.nth(number).click()
        title = wait_until_playing(page, title)
        assert title == cards.nth(number).locator(".title").inner_text()
        assert cards.nth(number).get_attribute("aria-current") == "true"
        assert sounding(page) == 1
    page.get_by_role("tab", name="Photo", exact=True).click()
    assert name(page) == "Happy"
    page.click(".player .next")
    wait_until_playing(page, title)
    assert sounding(page) == 1


def test_where_the_browser_refuses_sound_one_button_plays(visit):
    page = visit()
    page.evaluate("""() => {
      const play = HTMLMediaElement.prototype.play;
      window.refuse = true;
      HTMLMediaElement.prototype.play = function () {
        return window.refuse ? Promise.reject(new DOMException('', 'NotAllowedError')) : play.call(this);
      };
    }""")
    page.click("[data-example='eileen-collins.jpg']")
    page.wait_for_selector(".player[data-state=refused]")
    assert page.inner_text(".player .play") == "Play"
    page.evaluate("window.refuse = false")
    page.click(".player .play")
    wait_until_playing(page)


def test_the_keyboard_alone_does_it(visit):
    page = visit()
    page.get_by_role("tab", name="Photo", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.innerText").strip() == "Live"
    page.keyboard.press("Home")
    assert page.get_by_role("tab", name="Photo", exact=True).get_attribute("aria-selected") == "true"
    page.wait_for_selector(".selfie:visible")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.example") == "eileen-collins.jpg":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    answered(page)
    page.focus(".box")
    page.keyboard.press("Enter")
    page.wait_for_selector(".face:visible")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "box"
    page.keyboard.press("Enter")
    page.focus(".face [title=sad]")
    page.keyboard.press("Enter")
    page.wait_for_selector(".face [title=sad][aria-pressed=true]")
    assert page.evaluate("document.activeElement.matches('.face [title=sad]')")
    page.keyboard.press("Escape")
    assert not page.is_visible(".face")
    assert page.evaluate("document.activeElement.className") == "box"
    tab_to(page, ".take summary")
    page.keyboard.press("Enter")
    tab_to(page, "[data-take=share]")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "femr-sad.jpg"
    page.get_by_role("status").get_by_text("Saved as femr-sad.jpg.").wait_for()
    assert page.evaluate("document.activeElement.matches('[data-take=share]')")
    tab_to(page, ".player .play")
    page.keyboard.press("Enter")
    page.wait_for_selector(".player[data-state=paused]")


def tab_to(page, selector):
    """Presses Tab until a part of the page has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached")


def test_every_control_has_a_name(visit):
    page = visit()
    ask(page, PORTRAIT)
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, input, select, audio')]
      .filter((e) => e.checkVisibility() && e.type !== 'file')
      .filter((e) => !(e.innerText || e.ariaLabel || e.title || e.querySelector('img[alt]:not([alt=""])')
                       || (e.labels && [...e.labels].some((l) => l.innerText))))
      .map((e) => e.outerHTML.slice(0, 200))""")
    assert nameless == []


def test_a_link_to_the_page_says_what_it_is(visit):
    page = visit()
    assert page.title() == "femr · hear the mood of your photo"
    meta = {one.get_attribute("property"): one.get_attribute("content") for one in page.locator("meta[property]").all()}
    assert meta["og:title"] == page.title()
    assert "plays the song" in meta["og:description"]


def test_app_py_runs_from_any_folder_with_ones_own_music(tmp_path, analyzer):
    """As README says, but for the folder: a new process, its own port, the visitor's client."""
    write_wav(tmp_path / "music" / "happy" / "Our_song.wav", seconds=1)
    own = {"FEMR_MUSIC_DIR": str(tmp_path / "music"), "GRADIO_TEMP_DIR": str(tmp_path / "temp")}
    command = [sys.executable, str(PORTRAIT.parents[1] / "app.py")]
    with serving(command, tmp_path, cwd=tmp_path, env={**os.environ, **own}) as client:
        answer = client.predict(handle_file(str(PORTRAIT)), "mobilenet_v2", "match", api_name="/analyze")
        with urllib.request.urlopen(answer["song"]["url"]) as response:
            song = response.read()
    assert answer["faces"] == to_dict(analyzer(PORTRAIT))["faces"]
    assert answer["song"]["title"] == "Our song"
    assert song == (tmp_path / "music" / "happy" / "Our_song.wav").read_bytes()
