"""The Live tab in a real browser, its camera fed from a film; and what a stranger may send instead of a frame."""

import asyncio
import base64
import json
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import cv2
import gradio as gr
import numpy as np
import pytest

from builders import PORTRAIT, ROOT
from chromium import DESKTOP, FAKE_CAMERA, FLAGS, PHONE, launcher, visiting
from femr.images import load_image
from femr.page import inputs, live, shared
from femr.video.session import LEAST, STABLE
from photo_tab import wait_until_playing

RATE = 5  # pictures a second of the films
# the page keeps a diary: [seconds, mood, song] at each change
DIARY = """() => {
  window.diary = [];
  const text = (selector) => document.querySelector(selector)?.innerText.trim() || '';
  setInterval(() => {
    const entry = [text('#live-mood .name'), text('#live-song b')];
    const last = window.diary.at(-1);
    if (!last || last[1] !== entry[0] || last[2] !== entry[1]) {
      window.diary.push([performance.now() / 1000, ...entry]);
    }
  }, 50);
}"""


def smile(portrait):
    """The head of the portrait, (240, 320, 3)."""
    return cv2.resize(portrait[10:235, 72:372], (320, 240))


def astonished(portrait):
    """The same head with a small round mouth painted where hers is, by hand: both networks read surprise, clearly."""
    head = portrait[10:235, 72:372].copy()
    mouth = np.zeros(head.shape[:2], np.uint8)
    cv2.ellipse(mouth, (151, 130), (30, 19), 0, 0, 360, 255, -1)
    head = cv2.inpaint(head, mouth, 5, cv2.INPAINT_TELEA)
    for radius, color in ((11, (150, 80, 75)), (8, (45, 20, 20))):  # lips, and the dark between them
        cv2.circle(head, (151, 140), radius, color, -1)
    return cv2.resize(cv2.GaussianBlur(head, (0, 0), 0.8), (320, 240))


def write_film(path, *scenes):
    """(picture, seconds) each, raw 4:2:0 frames with a Y4M header: what Chromium's fake camera plays, over and over."""
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W320 H240 F%d:1 Ip A1:1 C420jpeg\n" % RATE)
        for picture, seconds in scenes:
            frame = b"FRAME\n" + cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2YUV_I420).tobytes()
            file.write(round(seconds * RATE) * frame)
    return path


@pytest.fixture(scope="module")
def url(server):
    shared.analyzer("mobilenet_v2")(PORTRAIT)  # loaded beforehand, as app.py does
    return server


@pytest.fixture(scope="module")
def films(tmp_path_factory, portrait):
    folder = tmp_path_factory.mktemp("films")
    nobody = np.full((240, 320, 3), 90, np.uint8)
    return {
        "turn": write_film(folder / "turn.y4m", (smile(portrait), 12), (astonished(portrait), 60)),
        "smile": write_film(folder / "smile.y4m", (smile(portrait), 5)),
        "nobody": write_film(folder / "nobody.y4m", (nobody, 5)),
    }


@pytest.fixture(scope="module")
def launch():
    """Starts browsers: launch(*flags). Each has its own camera."""
    with launcher() as launch:
        yield launch


@pytest.fixture
def visit(launch, url, films):
    """Opens the tab as a new visitor whose camera plays a film."""
    with ExitStack() as stack, visiting(url) as open_page:

        def open_tab(film=None, flags=None, size=DESKTOP):
            if flags is None:
                flags = [*FAKE_CAMERA, f"--use-file-for-fake-video-capture={films[film]}"]
            browser = launch(*FLAGS, *flags)
            stack.callback(browser.close)
            page = open_page(browser, size)
            page.get_by_role("tab", name="Live").click()
            page.evaluate(DIARY)
            return page

        yield open_tab


def start(page):
    """Switch the camera on and press Start; the page's seconds at that moment."""
    page.locator("#camera").get_by_text("Click to Access Webcam").click()
    page.get_by_role("button", name="Start", exact=True).click()
    return page.evaluate("performance.now() / 1000")


def wait_for_mood(page, words, seconds=20):
    page.locator("#live-mood").get_by_text(words, exact=False).first.wait_for(timeout=1000 * seconds)


def wait_for_songs(page, count, seconds):
    songs = "n => new Set(window.diary.map((entry) => entry[2]).filter(Boolean)).size >= n"
    page.wait_for_function(songs, arg=count, timeout=1000 * seconds)


def test_mood_and_song_follow_the_face_and_two_visitors_do_not_meet(visit, portrait, library):
    expression = shared.analyzer("mobilenet_v2")(astonished(portrait)).mood.emotion
    assert expression not in (None, "happy"), "the painted face should look different"
    before = set(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*.*"))
    first, second = visit("turn"), visit("nobody")
    began = start(first)
    start(second)
    wait_for_mood(first, "Happy")
    wait_for_mood(second, "No face found")
    wait_for_songs(first, 1, 30)
    wait_until_playing(first)
    wait_for_songs(first, 2, 60)
    wait_until_playing(first)

    diary = first.evaluate("window.diary")
    moods = [mood for i, (_, mood, _) in enumerate(diary) if mood and (not i or mood != diary[i - 1][1])]
    assert moods == ["Happy", expression.adjective.capitalize()]
    songs = [(at, song) for i, (at, _, song) in enumerate(diary) if song and (not i or song != diary[i - 1][2])]
    of = {song.title: song.emotion for song in library.songs}
    assert [of[song] for _, song in songs] == ["happy", expression]
    assert songs[0][0] - began > STABLE
    assert songs[1][0] - songs[0][0] > LEAST - 1  # an answer may be a moment on its way
    assert "♫" not in second.inner_text("#live-song")
    assert all(not song for _, _, song in second.evaluate("window.diary"))
    # the boxes are on the picture, and no picture is a file
    shown = load_image(base64.b64decode(first.get_attribute("#live-picture img", "src").partition(",")[2]))
    assert max(shown.shape) == live.SHOWN_SIDE
    new = set(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*.*")) - before
    assert new == set()


def test_stop_and_start_on_a_phone(visit):
    page = visit("smile", size=PHONE)
    start(page)
    wait_for_songs(page, 1, 30)
    wait_until_playing(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    places = [page.locator(at).bounding_box()["y"] for at in ("#camera", "#live-mood", "#live-picture", "#live-chart")]
    assert places == sorted(places)
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_mood(page, "Stopped.")
    page.wait_for_function("window.sounding().length === 0")
    page.wait_for_timeout(1200)
    assert "Stopped." in page.inner_text("#live-mood")
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for_mood(page, "Happy")
    # not the song that was just heard
    wait_for_songs(page, 2, 30)


def test_a_stream_ends_by_itself_after_its_time(visit, monkeypatch):
    monkeypatch.setattr(live, "MINUTES", 0.03)
    page = visit("smile")
    start(page)
    wait_for_mood(page, "Happy")
    wait_for_mood(page, "minutes are over. Press Start to go on.")
    page.get_by_role("button", name="Start", exact=True).wait_for()
    monkeypatch.undo()
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for_mood(page, "Happy")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--use-fake-device-for-media-stream"], "The browser may not use your camera."),
        ([], "No camera was found."),
    ],
    ids=["refused", "missing"],
)
def test_without_a_camera_a_sentence_says_what_to_do(visit, flags, words):
    page = visit(flags=flags)
    page.locator("#camera").get_by_text("Click to Access Webcam").click()
    page.get_by_role("alert").get_by_text(words).wait_for()


def jpeg(picture):
    return inputs.JPEG + base64.b64encode(cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes()).decode()


def first_answer(server, payload, mode="match"):
    """Send a frame without a browser: "generating" or "error", and what came with it."""
    url = f"{server}gradio_api/call/watch"
    data = json.dumps({"data": [payload, mode]}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"})) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{url}/{event}", timeout=60) as response:
        kind = response.readline().decode().partition(": ")[2].strip()
        answer = response.readline().decode().partition(": ")[2]
    if kind == "generating":  # a stream that nobody closes waits for its next frame
        urllib.request.urlopen(urllib.request.Request(f"{server}gradio_api/stream/{event}/close", b"")).close()
    return kind, answer


def test_a_frame_is_answered(url, portrait):
    kind, answer = first_answer(url, {"url": jpeg(smile(portrait))})
    assert kind == "generating"
    assert "Happy" in answer
    assert "data:image/jpeg;base64," in answer


@pytest.mark.parametrize("meta", [{"meta": {"_type": "gradio.FileData"}}, {}])
@pytest.mark.parametrize(
    "payload",
    [
        {"path": str(PORTRAIT)},
        {"path": str(PORTRAIT), "orig_name": "a.gif"},
        {"path": "/etc/passwd"},
        {"url": f"file://{PORTRAIT}"},
        {"url": str(PORTRAIT)},
        {"url": "http://127.0.0.1:1/a.jpg"},
        {"url": "data:image/png;base64,iVBORw0KGgo="},
        {"url": "data:image/jpeg;base64,%%%"},
        {"url": inputs.JPEG + "A" * 4_100_000},
        {},
    ],
    ids=["path", "gif", "system", "file-url", "path-as-url", "http", "png", "not-base64", "large", "empty"],
)
def test_nothing_but_a_small_jpeg_is_taken(url, payload, meta):
    kind, answer = first_answer(url, {**payload, **meta})
    assert kind == "error"
    assert "happy" not in answer.lower()
    assert str(ROOT) not in answer
    assert "root:" not in answer


def test_a_frame_may_not_bring_a_path_along(url, portrait):
    kind, _ = first_answer(url, {"url": jpeg(smile(portrait)), "path": str(PORTRAIT)})
    assert kind == "error"


def test_a_damaged_frame_gets_a_sentence(url, portrait):
    kind, answer = first_answer(url, {"url": jpeg(smile(portrait))[:4003]})
    assert kind == "generating"
    assert "The picture is damaged or cut short: 13% of it is there." in answer


def test_an_unknown_mode_is_refused(url, portrait):
    assert first_answer(url, {"url": jpeg(smile(portrait))}, "loud")[0] == "error"


def test_gradio_keeps_no_frame():
    assert inputs.Frame(url="data:image/jpeg;base64,AAAA").model_dump().get("url") is None


def test_a_frame_that_waited_too_long_is_dropped(portrait, monkeypatch):
    frame = base64.b64decode(jpeg(smile(portrait)).partition(",")[2])

    def watched():  # in a thread of its own: the browser's client has a loop in this one
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(live.watch(frame, "match", None))).result()

    monkeypatch.setattr(live, "LATE", -1.0)  # whatever comes has waited longer
    assert watched() == (gr.skip(),) * 6
    monkeypatch.setattr(live, "LATE", 60.0)
    on_time = watched()
    assert "Happy" in on_time[0]
