"""The page in a real browser: headless Chromium through Playwright."""

import os
import sys
import urllib.request

import cv2
import numpy as np
import pytest
from gradio_client import handle_file

from builders import PORTRAIT, write_wav
from chromium import DESKTOP, FAKE_CAMERA, PHONE, PLAYED, SOURCE, chromium, visiting
from femr.images import load_image
from femr.output.rows import to_dict
from femr.page import photo
from femr.page.html import TABLE_HEADERS
from visitors import serving


@pytest.fixture(scope="module")
def url(server):
    return server


@pytest.fixture(scope="module")
def camera(tmp_path_factory, portrait):
    """A film of a face for Chromium's fake camera: raw 4:2:0 frames with a Y4M header."""
    frame = np.full((480, 640, 3), 90, np.uint8)
    frame[:, 80:560] = cv2.resize(portrait, (480, 480), interpolation=cv2.INTER_AREA)
    path = tmp_path_factory.mktemp("camera") / "face.y4m"
    picture = b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes()
    path.write_bytes(b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg\n" + 10 * picture)
    return path


@pytest.fixture(scope="module")
def browser(camera):
    with chromium(*FAKE_CAMERA, f"--use-file-for-fake-video-capture={camera}") as browser:
        yield browser


@pytest.fixture
def visit(browser, url):
    with visiting(url) as open_page:

        def visit(size=DESKTOP):
            page = open_page(browser, size)
            page.wait_for_selector("#find")
            return page

        yield visit


def upload(page, path):
    page.set_input_files("#photo input[type=file]", str(path))
    page.wait_for_selector("#photo img")


def find_mood(page):
    page.click("#find")
    page.wait_for_selector("#faces img")


def table(page):
    """The table's cells, row by row; Gradio marks each with its place."""
    cells = page.query_selector_all('#table [data-testid^="cell-"]')
    texts = [cell.inner_text().strip() for cell in cells]
    return [texts[i : i + len(TABLE_HEADERS)] for i in range(0, len(texts), len(TABLE_HEADERS))]


def wait_until_playing(page, player="#player", before=None):
    page.wait_for_function(f"(given) => ({PLAYED})(...given) > 0.3", arg=[player, before], timeout=15_000)


def annotated(page):
    """The annotated picture as RGB array."""
    response = page.request.get(page.get_attribute("#faces img", "src"))
    return load_image(response.body())


def test_a_photo_gives_faces_mood_table_and_a_song_that_plays(visit, group, tmp_path):
    picture, _ = group
    cv2.imwrite(str(tmp_path / "group.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    page = visit()
    upload(page, tmp_path / "group.png")
    find_mood(page)
    assert page.inner_text("#mood .name") == "Happy"
    assert page.inner_text("#mood .reason") == "All 3 faces look happy"
    assert page.inner_text("#table thead").lower().split() == " ".join(TABLE_HEADERS).lower().split()
    rows = table(page)
    assert [row[:2] for row in rows] == [["1", "happy"], ["2", "happy"], ["3", "happy"]]
    assert all(row[2].endswith("would say happy") and row[6].endswith("%") for row in rows)
    shown = annotated(page)
    assert max(shown.shape) == photo.SHOWN_SIDE
    plain = cv2.resize(picture, shown.shape[1::-1], interpolation=cv2.INTER_AREA)
    changed = np.abs(shown.astype(int) - plain).max(axis=2) > 60
    thirds = [changed[:, left:right].sum() for left, right in ((0, 330), (330, 740), (740, 1280))]
    assert min(thirds) > 300
    wait_until_playing(page)
    assert "CC0-1.0" in page.inner_text("#song")


def test_another_song_plays_another_song(visit):
    page = visit()
    upload(page, PORTRAIT)
    find_mood(page)
    wait_until_playing(page)
    first = page.inner_text("#song")
    page.click("#another")
    page.wait_for_function("first => document.querySelector('#song').innerText !== first", arg=first)
    wait_until_playing(page)


def test_try_again_clears_everything_and_stops_the_song(visit):
    page = visit()
    upload(page, PORTRAIT)
    find_mood(page)
    wait_until_playing(page)
    page.click("#again")
    page.wait_for_selector("#faces img", state="detached")
    page.wait_for_selector("#photo img", state="detached")
    assert "will stand here" in page.inner_text("#mood")
    assert page.inner_text("#song").strip() == ""
    assert not any(cell for row in table(page) for cell in row)
    assert page.evaluate(PLAYED, "#player") == 0
    upload(page, PORTRAIT)
    find_mood(page)
    assert page.inner_text("#mood .name") == "Happy"


def test_the_camera_takes_a_photo_and_retakes_it(visit):
    page = visit()
    page.click('#photo button[aria-label="Capture from camera"]')
    page.get_by_text("Click to Access Webcam").click()
    for _ in range(2):
        page.click('#photo button[aria-label="capture photo"]')
        page.wait_for_selector("#photo img")
        page.click('#photo button[aria-label="Remove Image"]')
        page.get_by_text("Click to Access Webcam").or_(page.get_by_label("capture photo")).first.wait_for()
        if page.get_by_text("Click to Access Webcam").is_visible():
            page.get_by_text("Click to Access Webcam").click()
    page.click('#photo button[aria-label="capture photo"]')
    page.wait_for_selector("#photo img")
    find_mood(page)
    assert page.inner_text("#mood .name") == "Happy"


def test_the_example_works_with_one_click(visit):
    page = visit()
    page.click("#example")
    page.wait_for_selector("#faces img")
    assert page.inner_text("#mood .name") == "Happy"
    wait_until_playing(page)


def test_two_visitors_at_once_see_their_own_results_only(visit, tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((200, 200, 3), 128, np.uint8))
    first, second = visit(), visit()
    upload(first, PORTRAIT)
    upload(second, tmp_path / "grey.png")
    first.click("#find")
    second.click("#find")
    first.wait_for_selector("#faces img")
    second.wait_for_selector("#faces img")
    assert first.inner_text("#mood .name") == "Happy"
    assert "No face found" in second.inner_text("#mood")
    assert second.inner_text("#song").strip() == ""
    assert second.inner_text("#table-link").strip() == ""
    second.click("#another")
    second.get_by_text("Find a mood first.").wait_for()
    assert first.inner_text("#mood .name") == "Happy"


def test_a_bad_file_gives_a_sentence_and_the_page_stays_usable(visit, tmp_path):
    (tmp_path / "page.jpg").write_bytes(b"<html><body>not a photo</body></html>")
    page = visit()
    page.click("#find")
    page.get_by_text("Choose or take a photo first.").wait_for()
    page.set_input_files("#photo input[type=file]", str(tmp_path / "page.jpg"))
    page.wait_for_selector('#photo button[aria-label="Remove Image"]')
    page.click("#find")
    page.get_by_text("This is not a picture that can be read.").wait_for()
    page.click('#photo button[aria-label="Remove Image"]')
    upload(page, PORTRAIT)
    find_mood(page)
    assert page.inner_text("#mood .name") == "Happy"


def test_on_a_phone_nothing_sticks_out_and_the_answer_scrolls_into_view(visit):
    page = visit(PHONE)
    upload(page, PORTRAIT)
    find_mood(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.wait_for_function(
        "() => { const y = document.querySelector('#mood').getBoundingClientRect().y; return y > -5 && y < 400 }"
    )
    boxes = [page.locator(selector).bounding_box() for selector in ("#find", "#mood", "#faces", "#player", "#options")]
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
    example = page.locator("#example").bounding_box()
    assert 0 <= example["x"] < example["x"] + example["width"] <= PHONE["width"]


def test_every_song_can_be_heard_and_one_at_a_time(visit, library):
    page = visit()
    upload(page, PORTRAIT)
    find_mood(page)
    wait_until_playing(page)
    page.get_by_role("tab", name="Songs").click()
    rows = page.locator("#songs tbody tr")
    assert [row.split("\n")[0].strip("▶ \t") for row in rows.all_inner_texts()] == [
        song.title for song in library.songs
    ]
    for number in (2, 7):
        before = page.evaluate(SOURCE, "#library-player")
        rows.nth(number).click()
        # the player's last song must not be taken for this one
        wait_until_playing(page, "#library-player", before)
        assert page.evaluate(PLAYED, "#player") == 0
    page.get_by_role("tab", name="Photo", exact=True).click()
    page.click("#another")
    wait_until_playing(page)
    assert page.evaluate(PLAYED, "#library-player") == 0


def test_every_control_has_a_name(visit):
    page = visit()
    upload(page, PORTRAIT)
    find_mood(page)
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, input, select, audio')]
      .filter((e) => e.offsetParent !== null && e.type !== 'file')
      .filter((e) => !(e.innerText || e.ariaLabel || e.title || e.querySelector('img[alt]:not([alt=""])')
                       || (e.labels && [...e.labels].some((l) => l.innerText))))
      .map((e) => e.outerHTML.slice(0, 200))""")
    assert nameless == []


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
