"""Several visitors at once in a real browser: each gets the own answer, sees the own place, or hears when to come."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import cv2
import numpy as np
import pytest

from builders import PORTRAIT
from chromium import visiting
from femr.page import photo, queues, shared
from visitors import ask, served


@pytest.fixture
def visit(browser):
    """Opens a page and chooses a photo there."""

    def visit(open_page, path):
        page = open_page(browser)
        page.set_input_files("#photo-tab .chooser", str(path))
        return page

    return visit


def told(page, words):
    page.locator("#photo-tab .told").get_by_text(words).wait_for(timeout=60_000)


def test_each_gets_the_own_answer(server, visit, portrait, tmp_path):
    head = cv2.resize(portrait, (300, 300), interpolation=cv2.INTER_AREA)
    for count in range(4):
        picture = np.hstack([head] * count) if count else np.full_like(head, 128)
        cv2.imwrite(str(tmp_path / f"{count}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    words = ["No face found", "The face looks happy", "Both faces look happy", "All 3 faces look happy"]
    with visiting(server) as open_page:
        pages = [visit(open_page, tmp_path / f"{count}.png") for count in range(4)]
        for page, expected in zip(pages, words, strict=True):
            told(page, expected)


@pytest.fixture
def held(monkeypatch):
    """A page that is open for two who wait, and whose readings begin, each told by `begun`, but end with `open`."""
    begun, opened, read = Semaphore(0), Event(), shared.read_photo

    def read_photo(*given):
        begun.release()
        assert opened.wait(240)
        return read(*given)

    monkeypatch.setattr(photo, "read_photo", read_photo)
    monkeypatch.setattr(queues, "MOST_WAITING", queues.AT_ONCE + 2)
    with served() as url:
        yield url, begun, opened
        opened.set()


def test_who_waits_sees_the_place_and_who_finds_it_full_a_time(held, visit):
    url, begun, opened = held
    with ThreadPoolExecutor(queues.AT_ONCE) as others, visiting(url) as open_page:
        answers = [
            others.submit(ask, url, "read", {"example": "group.jpg", "ticket": number})
            for number in range(queues.AT_ONCE)
        ]
        assert all(begun.acquire(timeout=60) for _ in answers)
        first = visit(open_page, PORTRAIT)
        told(first, "One picture is before yours")
        second = visit(open_page, PORTRAIT)
        told(second, "2 pictures are before yours")
        third = visit(open_page, PORTRAIT)
        told(third, "10 others are waiting already. Please try again in about")
        opened.set()
        for page in (first, second):
            told(page, "The face looks happy")
        assert [len(answer.result()["faces"]) for answer in answers] == [3] * queues.AT_ONCE
        third.set_input_files("#photo-tab .chooser", str(PORTRAIT))
        told(third, "The face looks happy")
