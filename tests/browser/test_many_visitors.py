"""Several visitors at once in a real browser: each gets the own answer, sees the own place, or hears when to come."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import cv2
import numpy as np
import pytest

from builders import PORTRAIT
from chromium import chromium, visiting
from femr.page import app, photo, shared
from visitors import post, upload


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def visit(browser):
    """Opens a page and chooses a photo there."""

    def visit(open_page, path):
        page = open_page(browser)
        page.set_input_files("#photo input[type=file]", str(path))
        page.wait_for_selector("#photo img")
        return page

    return visit


def test_each_gets_the_own_answer(server, visit, portrait, tmp_path):
    head = cv2.resize(portrait, (300, 300), interpolation=cv2.INTER_AREA)
    for count in range(4):
        picture = np.hstack([head] * count) if count else np.full_like(head, 128)
        cv2.imwrite(str(tmp_path / f"{count}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    with visiting(server) as open_page:
        pages = [visit(open_page, tmp_path / f"{count}.png") for count in range(4)]
        for page in pages:
            page.click("#find")
        words = ["No face found", "The face looks happy", "Both faces look happy", "All 3 faces look happy"]
        for page, expected in zip(pages, words, strict=True):
            page.locator("#mood").get_by_text(expected).wait_for(timeout=60_000)


@pytest.fixture
def held(monkeypatch):
    """A page that is open for two who wait, and whose readings begin, each told by `begun`, but end with `open`."""
    begun, opened, read = Semaphore(0), Event(), shared.read_photo

    def read_photo(*given):
        begun.release()
        assert opened.wait(60)
        return read(*given)

    monkeypatch.setattr(photo, "read_photo", read_photo)
    monkeypatch.setattr(app, "MOST_WAITING", 2)
    page = app.build_page()
    _, url, _ = app.launch(page, prevent_thread_lock=True, quiet=True)
    yield url, begun, opened
    opened.set()
    page.close()


def test_who_waits_sees_the_place_and_who_finds_it_full_a_time(held, visit):
    url, begun, opened = held
    given = {"path": upload(url, "photo.jpg", PORTRAIT.read_bytes()), "meta": {"_type": "gradio.FileData"}}
    with ThreadPoolExecutor(shared.AT_ONCE) as others, visiting(url) as open_page:
        answers = []
        for _ in range(shared.AT_ONCE):
            answers.append(others.submit(post, url, "analyze", [given, "mobilenet_v2", "match"]))
            assert begun.acquire(timeout=60)
        first, second, third = (visit(open_page, PORTRAIT) for _ in range(3))
        first.click("#find")
        first.get_by_text("queue: 1/1").first.wait_for()
        second.click("#find")
        second.get_by_text("queue: 2/2").first.wait_for()
        third.click("#find")
        third.get_by_text("2 others are waiting already. Please try again in about").wait_for()
        opened.set()
        for page in (first, second):
            page.locator("#mood").get_by_text("The face looks happy").wait_for(timeout=60_000)
        assert [answer.result()[0] for answer in answers] == ["complete"] * shared.AT_ONCE
        third.click("#find")
        third.locator("#mood").get_by_text("The face looks happy").wait_for(timeout=60_000)
