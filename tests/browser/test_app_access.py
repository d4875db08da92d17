"""Accessibility: axe finds nothing serious on any tab, empty and in use, in both themes and on a phone."""

import pytest

from builders import PORTRAIT
from chromium import DESKTOP, PHONE, chromium, visiting
from femr.page import shared
from photo_tab import answered, ask, open_tab, serious, wait_until_playing

TABS = ("Photo", "Live", "Photos and video", "Report", "Songs", "About")


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser, server):
    shared.analyzer("ensemble")(PORTRAIT)
    with visiting(server) as open_page:
        yield lambda size, scheme: open_page(browser, size, color_scheme=scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_serious_is_found_on_any_tab(visit, size, scheme):
    page = visit(size, scheme)
    found = {}
    for tab in TABS:
        open_tab(page, tab)
        page.wait_for_timeout(1500)
        found[f"{tab}, empty"] = serious(page)
    open_tab(page, "Photo")
    page.click("[data-example='group.jpg']")
    answered(page)
    wait_until_playing(page)
    page.click(".box >> nth=0")
    page.click(".options summary")
    found["an answer"] = serious(page)
    open_tab(page, "Songs")
    page.locator(".library button").nth(4).click()
    page.wait_for_timeout(500)
    found["a song"] = serious(page)
    assert {state: problems for state, problems in found.items() if problems} == {}


def test_errors_and_cameras_are_accessible_too(visit, tmp_path):
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    page = visit(PHONE, "light")
    page.wait_for_selector(".stage .selfie")
    page.click(".selfie")  # this browser has no camera
    page.get_by_role("status").get_by_text("No camera").wait_for()
    assert serious(page) == []
    page.set_input_files(".stage .chooser", str(tmp_path / "page.jpg"))
    page.get_by_role("status").get_by_text("not a picture").wait_for()
    assert serious(page) == []
    ask(page, PORTRAIT)


def test_reduced_motion_is_honoured(browser, server):
    with visiting(server) as open_page:
        page = open_page(browser, PHONE, reduced_motion="reduce")
        page.wait_for_selector(".stage .selfie")
        page.route("**/component_server/**", lambda route: None)  # an answer that does not come
        page.click("[data-example='group.jpg']")
        page.wait_for_selector(".told .emoji")
        assert page.evaluate("document.getAnimations().length") == 0
