"""Accessibility: axe finds nothing serious on any tab, empty and in use, in both themes and on a phone."""

import pytest

from builders import PORTRAIT
from chromium import DESKTOP, PHONE
from photo_tab import answered, ask, open_tab, serious, wait_until_playing, wait_until_still
from videos import scene, steady, write_video

TABS = {
    "Photo": ".stage .selfie",
    "Live": ".live[data-ready] .go",
    "Photos and video": "#start",
    "Report": "#make",
    "Songs": ".library button",
    "About": "#about-text",
}
"""And what is there when a tab is drawn."""


@pytest.fixture(scope="module")
def film(tmp_path_factory, portrait):
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_video(path, [scene(portrait, (90, 50))] * 10, steady(1, 10), rate=10)
    return path


def draw(page, tab):
    """Opens a tab and waits until it is drawn."""
    open_tab(page, tab)
    page.locator(f"{TABS[tab]}:visible").first.wait_for()
    wait_until_still(page)


def find_moods(page, *paths):
    if page.locator('#files button[aria-label="Clear"]').count():
        page.click('#files button[aria-label="Clear"]')
    page.set_input_files("#files input[type=file]", [str(path) for path in paths])
    page.locator("#files .file-preview a").nth(len(paths) - 1).wait_for()
    page.click("#start")
    page.wait_for_selector("#start[disabled]")
    page.wait_for_selector("#start:not([disabled])", timeout=60_000)
    page.wait_for_selector("#downloads .download")
    wait_until_still(page)  # the buttons' colours change slowly


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_serious_is_found_on_any_tab(visit, film, size, scheme):
    page = visit(size, color_scheme=scheme)
    found = {}
    for tab in TABS:
        draw(page, tab)
        found[f"{tab}, empty"] = serious(page)
    open_tab(page, "Photo")
    page.click("[data-example='group.jpg']")
    answered(page)
    wait_until_playing(page)
    page.click(".box >> nth=0")
    page.click(".face [title=sad]")
    page.wait_for_selector(".face [title=sad][aria-pressed=true]")
    page.click(".take summary")
    page.click(".options summary")
    found["an answer, corrected, to be shared"] = serious(page)
    open_tab(page, "Photos and video")
    find_moods(page, *(PORTRAIT.with_name(name) for name in ("group.jpg", "eileen-collins.jpg", "grace-hopper.jpg")))
    found["photos"] = serious(page)
    find_moods(page, film)
    page.wait_for_selector(".film")
    found["a film"] = serious(page)
    open_tab(page, "Songs")
    page.locator(".library button").nth(4).click()
    wait_until_still(page)
    found["a song"] = serious(page)
    assert {state: problems for state, problems in found.items() if problems} == {}


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, {"width": 640, "height": 360}], ids=["320", "200 %"])
def test_nothing_sticks_out_of_a_narrow_window(visit, film, size):
    """320 pixels, and 1280 enlarged to 200 %."""
    page = visit(size)
    out = {}

    def look(state):
        out[state] = page.evaluate("document.documentElement.scrollWidth - innerWidth")

    page.click(".selfie")  # this browser has no camera
    page.wait_for_selector(".system:visible")
    look("no camera")
    for tab in TABS:
        draw(page, tab)
        look(tab)
    open_tab(page, "Photos and video")
    find_moods(page, film)
    page.wait_for_selector(".film")
    look("a film")
    open_tab(page, "Photo")
    page.click("[data-example='group.jpg']")
    answered(page)
    wait_until_playing(page)
    page.click(".box >> nth=0")
    page.click(".take summary")
    look("an answer")
    box = page.locator(".play").bounding_box()
    assert box["x"] + box["width"] <= size["width"]
    assert {state: width for state, width in out.items() if width > 0} == {}


def test_errors_and_cameras_are_accessible_too(visit, tmp_path):
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    page = visit(PHONE)
    page.click(".selfie")  # this browser has no camera
    page.get_by_role("status").get_by_text("No camera").wait_for()
    assert serious(page) == []
    page.set_input_files(".stage .chooser", str(tmp_path / "page.jpg"))
    page.get_by_role("status").get_by_text("not a picture").wait_for()
    assert serious(page) == []
    ask(page, PORTRAIT)


def test_reduced_motion_is_honoured(visit):
    page = visit(PHONE, reduced_motion="reduce")
    page.route("**/component_server/**", lambda route: None)  # an answer that does not come
    page.click("[data-example='group.jpg']")
    page.wait_for_selector(".told .emoji")
    assert page.evaluate("document.getAnimations().length") == 0
