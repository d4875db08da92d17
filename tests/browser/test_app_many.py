"""The tabs Photos and video, Report and About in a real browser, and what a stranger may not do with them."""

import base64
import io
import json
import os
import re
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

import photo_tab
from builders import HAPPY5, PORTRAIT, ROOT, SAD5, video_rows
from chromium import DESKTOP, PHONE
from femr.batch.inputs import Input
from femr.errors import DataError
from femr.expression.weights import MODEL_NAMES, load_facts
from femr.output.rows import COLUMNS, to_csv
from femr.page import about, many, uploads
from femr.page.many import Findings
from femr.results import Analysis
from videos import scene, steady, write_video
from visitors import post, served, upload


@pytest.fixture(scope="module")
def files(tmp_path_factory, group, portrait):
    """Two photos of three faces, one that is none, a video, and a long one."""
    folder = tmp_path_factory.mktemp("files")
    for name in ("one.png", "[two] & more.png"):
        cv2.imwrite(str(folder / name), cv2.cvtColor(group[0], cv2.COLOR_RGB2BGR))
    (folder / "bad.jpg").write_bytes(b"<html></html>")
    row = np.concatenate([scene(portrait, (90, 50))[:, 80:240]] * 3, axis=1)
    picture = np.concatenate([row, row], axis=0)
    for name, seconds in (("six.mp4", 2), ("long.mp4", 90)):
        times = steady(seconds, 10)
        write_video(folder / name, [picture] * len(times), times, sound="aac" if seconds < 9 else None, rate=10)
    return folder


@pytest.fixture
def open_tab(visit):
    """Opens a tab as a new visitor."""

    def open_tab(tab, size=DESKTOP):
        page = visit(size)
        page.set_default_timeout(60_000)
        photo_tab.open_tab(page, tab)
        return page

    return open_tab


def give(page, *paths, into="#files"):
    page.set_input_files(f"{into} input[type=file]", [str(path) for path in paths])
    page.locator(f"{into} .file-preview a").nth(len(paths) - 1).wait_for()  # its link: it has arrived


def find_moods(page):
    page.click("#start")
    page.wait_for_selector("#downloads .download")
    page.wait_for_selector("#start:not([disabled])")


def downloaded(page, name):
    """What a download link of the page holds."""
    link = page.get_attribute(f"a.download[download='{name}']", "href")
    return base64.b64decode(link.partition(",")[2]).decode("utf-8-sig")


def everything(page):
    """The ZIP file's name, and what it holds by name."""
    with page.expect_download() as download:
        page.click("#parcel")
    with zipfile.ZipFile(download.value.path()) as archive:
        return download.value.suggested_filename, {name: archive.read(name) for name in archive.namelist()}


def left_on_server(pattern):
    return list(Path(os.environ["GRADIO_TEMP_DIR"]).rglob(pattern))


def test_photos_give_a_table_and_a_report_and_a_bad_one_is_named(open_tab, files):
    page = open_tab("Photos and video")
    give(page, files / "one.png", files / "bad.jpg", files / "[two] & more.png")
    find_moods(page)
    assert page.inner_text("#summary .name") == "Happy"
    summary = page.inner_text("#summary")
    assert "6 faces in 2 photos." in summary
    assert "bad.jpg: This is not a picture that can be read." in summary
    rows = downloaded(page, "femr.csv").splitlines()
    assert rows[0] == ",".join(COLUMNS)
    assert [row.split(",")[0] for row in rows[1:]] == [*["one.png"] * 3, "bad.jpg", *["[two] & more.png"] * 3]
    photos = page.locator(".photos figure")
    assert [caption.split(" · ")[1] for caption in photos.all_inner_texts()] == ["one.png", "[two] & more.png"]
    assert photos.locator("img").first.get_attribute("alt") == "Three faces: three look happy."
    page.locator("#summary [data-play]").nth(1).click()
    assert photo_tab.wait_until_playing(page) == page.locator("#summary .title").nth(1).inner_text()
    assert page.locator("#many-table tbody th").all_inner_texts() == [*["one.png"] * 3, *["[two] & more.png"] * 3]
    assert page.locator("#many-table thead th").count() == 3 + 1 + 7
    report = downloaded(page, "report.html")
    assert "Of 6 faces 100 % look happy" in report
    assert "one.png" not in report
    assert left_on_server("*.csv") == left_on_server("*.html") == []
    with page.expect_download() as download:
        page.click("a.download[download='femr.csv']")
    assert download.value.suggested_filename == "femr.csv"
    _, packed = everything(page)
    photos = {"photos/001 one.jpg", "photos/003 _two____more.jpg"}
    assert packed.keys() == {"femr.csv", "report.html", "playlist.m3u8", *photos}
    assert packed["femr.csv"].decode("utf-8-sig").splitlines() == rows


def test_faces_are_blurred_in_what_is_shown_and_taken_along(open_tab, files, analyzer):
    page = open_tab("Photos and video")
    give(page, files / "one.png")
    page.check("#blur input")
    find_moods(page)
    shown = page.get_attribute(".photos img", "src")
    _, packed = everything(page)
    for content in (base64.b64decode(shown.partition(",")[2]), packed["photos/001 one.jpg"]):
        assert analyzer(content).faces == ()


def test_too_few_faces_for_a_report_is_said(open_tab, files):
    page = open_tab("Photos and video")
    give(page, files / "one.png")
    find_moods(page)
    assert "No group report: A report needs 5 faces" in page.inner_text("#downloads")
    assert page.locator("a[download='report.html']").count() == 0


def test_a_zip_file_is_read_under_its_own_names(open_tab, files, tmp_path):
    with zipfile.ZipFile(tmp_path / "party.zip", "w") as archive:
        archive.write(files / "one.png", "party/one.png")
        archive.write(files / "bad.jpg", "../../evil.jpg")
    page = open_tab("Photos and video")
    give(page, tmp_path / "party.zip")
    find_moods(page)
    assert "evil.jpg: This is not a picture" in page.inner_text("#summary")
    table = downloaded(page, "femr.csv")
    assert "party/one.png" in table
    assert os.environ["GRADIO_TEMP_DIR"] not in table + page.inner_html("#summary")


def test_a_video_gives_timeline_report_and_annotated_video(open_tab, files):
    page = open_tab("Photos and video")
    give(page, files / "six.mp4")
    page.check("#film input")
    find_moods(page)
    assert "Looks happy in 8 of 8 frames with faces" in page.inner_text("#summary")
    assert "1 video (0:02, 8 frames)" in downloaded(page, "report.html")
    page.wait_for_function("() => (document.querySelector('#film-shown video') || {}).readyState > 0")
    assert page.evaluate("document.querySelector('#film-shown video').duration") == pytest.approx(2, abs=0.3)
    filename, packed = everything(page)
    assert filename == "femr.zip"
    assert packed.keys() == {"femr.csv", "report.html", "timeline.png", "annotated.mp4", "playlist.m3u8"}
    assert packed["timeline.png"].startswith(b"\x89PNG")
    songs = [line for line in packed["playlist.m3u8"].decode().splitlines() if not line.startswith("#")]
    assert len(songs) >= 3
    assert all(page.request.get(song).ok for song in songs)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_tap_on_the_timeline_seeks_the_film(open_tab, files, size):
    page = open_tab("Photos and video", size)
    give(page, files / "six.mp4")
    find_moods(page)  # without an annotated film the visitor's own is shown
    page.wait_for_function("() => (document.querySelector('#film-shown video') || {}).readyState > 0")
    assert page.locator(".film .lane").count() == 7
    slider = page.get_by_role("slider", name="Place in the film")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box["height"] >= 44
    assert box["x"] + box["width"] <= size["width"]
    strip = page.locator(".film svg").first.bounding_box()
    assert (box["x"], box["width"]) == pytest.approx((strip["x"], strip["width"]), abs=2)
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 20)
    where = "document.querySelector('#film-shown video').currentTime"
    assert page.evaluate(where) == pytest.approx(1.5, abs=0.1)
    assert page.inner_text(".film output") == "0:01 · looks happy"
    before = page.evaluate(where)
    slider.press("ArrowLeft")
    assert page.evaluate(where) < before
    page.evaluate("document.querySelector('#film-shown video').currentTime = 0.5")
    page.wait_for_function("Math.abs(document.querySelector('.film input').valueAsNumber - 0.5) < 0.01")
    assert "Over the film: angry 0%" in page.get_attribute(".film .lanes", "aria-label")


def test_cancel_stops_the_work_and_leaves_no_film(open_tab, files):
    before = set(left_on_server("annotated.mp4"))
    page, other = open_tab("Photos and video"), open_tab("Photo")
    give(page, files / "long.mp4")
    page.check("#film input")
    page.click("#start")
    page.locator("#summary").get_by_text("At 0:0", exact=False).wait_for()
    # a single photo does not wait for it
    photo_tab.ask(other, PORTRAIT)
    assert page.is_disabled("#start")
    asked = []
    page.route("**/cancel", lambda route: asked.append(route))
    page.click("#cancel")
    page.wait_for_timeout(1000)
    assert page.is_disabled("#start")  # while the work goes on a new one would be swallowed
    asked[0].continue_()
    page.wait_for_selector("#start:not([disabled])")
    deadline = time.monotonic() + 60
    while set(left_on_server("annotated.mp4")) - before and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert set(left_on_server("annotated.mp4")) == before
    page.wait_for_function("() => document.querySelector('#summary').innerText.includes('will stand here')")
    assert page.locator("#downloads .download").count() == 0
    page.locator('#files button[aria-label="Clear"]').click()
    give(page, files / "one.png")
    find_moods(page)
    assert "3 faces in 1 photo." in page.inner_text("#summary")


def test_nothing_chosen_or_nothing_readable_is_said(open_tab, tmp_path):
    (tmp_path / "film.mp4").write_text("not a film")
    page = open_tab("Photos and video")
    page.click("#start")
    page.get_by_text("Choose photos or a video first, and wait until they are here.").wait_for()
    give(page, tmp_path / "film.mp4")
    page.wait_for_selector("#start:not([disabled])")
    page.click("#start")
    page.get_by_text("not a video that can be read").first.wait_for()
    page.wait_for_selector("#start:not([disabled])")


def test_the_report_tab_shows_and_hands_over_the_report(open_tab, tmp_path):
    rows = video_rows({n / 4: HAPPY5 if n < 60 else SAD5 for n in range(120)})
    write_rows(tmp_path / "table.csv", rows)
    page = open_tab("Report")
    page.click("#make")
    page.get_by_text("Choose a table first.").wait_for()
    give(page, tmp_path / "table.csv", into="#report-table")
    page.click("#make")
    frame = page.frame_locator("iframe.report")
    frame.get_by_text(re.compile("Of 600 faces 50 % look (happy|sad) and as many (happy|sad)")).wait_for()
    assert frame.locator("svg:visible").count() == 4
    assert page.get_attribute("iframe.report", "sandbox") == ""
    assert "1 video (0:30, 120 frames)" in downloaded(page, "report.html")
    page.fill("#report-bin input", "15")
    page.click("#make")
    frame.get_by_text("2 shown, of 15 seconds of a video each").wait_for()


@pytest.mark.parametrize(
    ("content", "words"),
    [("file,time\na,1\n", "lacks the columns"), (to_csv([]), "no face"), ("", "lacks the columns")],
)
def test_a_table_that_cannot_be_reported_gets_a_sentence(open_tab, tmp_path, content, words):
    (tmp_path / "table.csv").write_text(content or "x\n", encoding="utf-8")
    page = open_tab("Report")
    give(page, tmp_path / "table.csv", into="#report-table")
    page.click("#make")
    page.get_by_text(words, exact=False).first.wait_for()


def write_rows(path, rows):
    lines = [",".join("" if row[column] is None else str(row[column]) for column in COLUMNS) for row in rows]
    path.write_text("\n".join([",".join(COLUMNS), *lines, ""]), encoding="utf-8")


def test_the_about_tab_tells_the_measured_figures(open_tab, library):
    page = open_tab("About")
    text = page.inner_text("#about-text")
    for name in MODEL_NAMES:
        facts = load_facts(name)
        assert f"{100 * facts.scores['PrivateTest'].accuracy_mirrored.value:.1f} %" in text
    assert f"{len(library.songs)} songs, CC0-1.0" in text
    assert "within 30 minutes" in text
    assert "Art. 5(1)(f)" in text


def test_the_about_tab_says_where_nothing_was_measured(monkeypatch, tmp_path, library):
    document = json.loads((ROOT / "models" / "custom_cnn.json").read_text(encoding="utf-8"))
    (tmp_path / "custom_cnn.json").write_text(json.dumps(document | {"scores": {}}))
    monkeypatch.setattr("femr.expression.weights.MODELS_DIR", tmp_path)
    text = about.text(library, 30)
    assert "| as most people | not measured |" in text
    assert "| finds fear | ? |" in text
    assert "| FER2013's label | not measured |" in text


def test_the_about_tab_tells_both_numbers(monkeypatch, tmp_path, library):
    document = json.loads((ROOT / "models" / "custom_cnn.json").read_text(encoding="utf-8"))
    measured = {
        "images": 3589,
        "accuracy_mirrored": {"value": 0.741, "low": 0.73, "high": 0.75},
        "people": {"accuracy": {"value": 0.905, "low": 0.89, "high": 0.92}, "per_class": {"fear": {"recall": 0.53}}},
    }
    (tmp_path / "custom_cnn.json").write_text(json.dumps(document | {"scores": {"PrivateTest": measured}}))
    monkeypatch.setattr("femr.expression.weights.MODELS_DIR", tmp_path)
    text = about.text(library, 30)
    assert "| as most people | 90.5 % (89.0–92.0) |" in text
    assert "| finds fear | 53% |" in text
    assert "| finds happy | ? |" in text
    assert "| FER2013's label | 74.1 % (73.0–75.0) |" in text


@pytest.mark.parametrize("tab", ["Photos and video", "Report", "About"])
def test_on_a_phone_nothing_sticks_out_and_every_control_has_a_name(open_tab, tab):
    page = open_tab(tab, PHONE)
    photo_tab.wait_until_still(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    nameless = page.evaluate("""() => [...document.querySelectorAll('button, input, select, iframe')]
      .filter((e) => e.offsetParent !== null && e.type !== 'file')
      .filter((e) => !(e.innerText || e.ariaLabel || e.title || (e.labels && [...e.labels].some((l) => l.innerText))))
      .map((e) => e.outerHTML.slice(0, 200))""")
    assert nameless == []


# what a stranger may not do

FILE = {"_type": "gradio.FileData"}


@pytest.mark.parametrize("meta", [{"meta": FILE}, {}])
@pytest.mark.parametrize("path", [str(PORTRAIT), "/etc/passwd", "../../etc/passwd", "", "."])
def test_no_file_of_the_server_can_be_named(server, meta, path):
    for name, rest in (("analyze_many", ["mobilenet_v2", False, False]), ("group_report", [None, 5])):
        value = {"path": path, "orig_name": "a.jpg", **meta}
        kind, data = post(server, name, [[value] if name == "analyze_many" else value, *rest])
        assert kind == "error"
        assert "happy" not in json.dumps(data)
        assert "root:" not in json.dumps(data)
        assert str(ROOT) not in json.dumps(data)


def test_a_list_of_paths_is_not_followed(server):
    """The command line reads a .txt file as a list of pictures; the page must not."""
    path = upload(server, "list.txt", f"{PORTRAIT}\n/etc/passwd\n".encode())
    kind, data = post(server, "analyze_many", [[{"path": path, "meta": FILE}], "mobilenet_v2", False, False])
    assert kind == "complete"
    assert "This is not a picture that can be read" in data[0]
    assert "Happy" not in data[0]


def test_a_play_list_opens_no_file_of_the_server(server, files):
    text = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{files / 'six.mp4'}\n#EXT-X-ENDLIST\n"
    path = upload(server, "film.mp4", text.encode())
    kind, data = post(server, "analyze_many", [[{"path": path, "meta": FILE}], "mobilenet_v2", False, False])
    assert kind == "error" or "Happy" not in data[0]


def test_file_names_cannot_smuggle_markup_in():
    assert "&lt;img" in concluded(failed("<img src=x onerror=alert(1)>.jpg"))[0]
    assert "<img" not in concluded(failed("<img src=x onerror=alert(1)>.jpg"))[0]


def concluded(*analyses):
    found = Findings(zipfile.ZipFile(io.BytesIO(), "w"))
    for analysis in analyses:
        found.add(analysis, Input(str(analysis.file), ""))
    return found.conclude()


def failed(name):
    return Analysis.failed(name, "mobilenet_v2", "Damaged.")


def test_what_is_too_much_or_mixed_is_refused(tmp_path, files):
    with pytest.raises(DataError, match="Received: both"):
        many.chosen([str(files / "one.png"), str(files / "six.mp4")])
    with pytest.raises(DataError, match="at most 200 photos"):
        many.chosen([f"{n}.jpg" for n in range(201)])
    assert len(many.chosen([f"{n}.jpg" for n in range(200)])) == 200
    with pytest.raises(DataError, match="no ZIP file"):
        many.chosen([str((tmp_path / "b.zip").write_bytes(b"x") and tmp_path / "b.zip")])


def test_photos_of_one_name_stay_apart():
    """Two faces of one name would be taken for one photo by the report."""
    assert [each.name for each in many.chosen(["x/a.jpg", "y/a.jpg", "z/a.jpg"])] == ["a.jpg", "a.jpg (2)", "a.jpg (3)"]


def test_a_long_video_is_read_up_to_the_limit(monkeypatch, files):
    monkeypatch.setattr(many, "LONGEST", 0.6)
    *_, (_, _, rows, *_) = many.analyze([str(files / "six.mp4")], "mobilenet_v2", False, False)
    assert set(re.findall('<th scope="row">(.*?)</th>', rows)) == {"0:00", "0:00.3", "0:00.5"}


def test_all_of_it_is_deleted_from_the_server(monkeypatch, tmp_path, files):
    """With the page's own sweep, only faster."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "server"))
    monkeypatch.setattr(uploads, "SWEEP_SECONDS", 1)
    monkeypatch.setattr(uploads, "KEPT_SECONDS", 15)
    with served() as url:
        path = upload(url, "six.mp4", (files / "six.mp4").read_bytes())
        kind, data = post(url, "analyze_many", [[{"path": path, "meta": FILE}], "mobilenet_v2", True, False])
        assert kind == "complete"
        assert data[4]["value"]["path"].endswith("annotated.mp4")
        kept = left_on_server("*.*")
        assert {each.name for each in kept} == {"six.mp4", "annotated.mp4", "femr.zip"}
        deadline = time.monotonic() + 60
        while kept and time.monotonic() < deadline:
            time.sleep(0.5)
            kept = left_on_server("*.*")
        assert kept == []


def test_the_tab_promises_what_the_photo_tab_does(library):
    minutes = (uploads.SWEEP_SECONDS + uploads.KEPT_SECONDS) // 60
    assert f"within {minutes} minutes" in many.LIMITS
    assert f"within {minutes} minutes" in about.text(library, minutes)
