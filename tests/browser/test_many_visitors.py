"""Several visitors at once in a real browser: each gets the own answer, sees the own place, or hears when to come."""

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from time import sleep

import cv2
import numpy as np
import pytest

from builders import PORTRAIT
from chromium import visiting
from femr.errors import ImageError
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
    monkeypatch.setattr(queues, "MOST_WAITING", 2)
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
        told(third, "2 others are waiting already. Please try again in about")
        opened.set()
        for page in (first, second):
            told(page, "The face looks happy")
        assert [len(answer.result()["faces"]) for answer in answers] == [3] * queues.AT_ONCE
        third.set_input_files("#photo-tab .chooser", str(PORTRAIT))
        told(third, "The face looks happy")


@pytest.fixture
def waiting(monkeypatch):
    """A page on which each picture that is to be opened tells `begun`; none can be opened, as is said in the end."""
    begun, opened = Semaphore(0), Event()

    def load_picture(_):
        begun.release()
        assert opened.wait(240)
        raise ImageError("Not now.")

    monkeypatch.setattr(photo, "load_picture", load_picture)
    with served() as url:
        yield url, begun, opened
        opened.set()


@pytest.mark.parametrize("handler", ["show", "share", "clip", "corrections"])
def test_however_many_wait_for_what_they_take_along_others_get_songs_and_scripts(waiting, handler):
    url, begun, opened = waiting
    question = {"example": "group.jpg"}
    asked = {"pictures": [question]} if handler == "corrections" else question
    with ThreadPoolExecutor(45) as others:
        answers = [others.submit(ask, url, handler, asked) for _ in range(45)]
        try:
            assert begun.acquire(timeout=60)
            sleep(2)  # until the others wait
            with urllib.request.urlopen(f"{url}femr/player.js", timeout=30) as script:
                assert script.read()
            (song, *_) = ask(url, "songs", {"mood": "happy"})["songs"]
            with urllib.request.urlopen(f"{url}{song['url']}", timeout=30) as sound:
                assert sound.read(9)
        finally:
            opened.set()
        assert [answer.result() for answer in answers] == [{"error": "Not now."}] * 45
