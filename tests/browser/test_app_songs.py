"""Songs whose names are not UTF-8: the command line and the page answer all the same."""

import json

import pytest

from builders import PORTRAIT, write_wav
from chromium import visiting
from femr.__main__ import main
from photo_tab import open_tab, wait_until_playing
from visitors import served


@pytest.fixture
def own_music(tmp_path, monkeypatch):
    """A folder of songs for the page, which is read anew."""
    from femr.page import shared

    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path))
    shared.library_read.cache_clear()
    yield tmp_path
    shared.library_read.cache_clear()


def test_a_link_that_the_browser_cannot_read_stops_no_music(own_music, browser):
    write_wav(own_music / "one.wav", seconds=20)
    (own_music / "library.csv").write_text("file,expression,link\none.wav,happy,https://1.2.3.4.5/x\n")
    with served() as url, visiting(url) as open_page:
        page = open_page(browser)
        open_tab(page, "Songs")
        page.click("[data-play]")
        assert wait_until_playing(page) == "one"
        assert page.text_content(".player .facts a") == "1.2.3.4.5 ↗"


def test_the_command_line_answers_all_the_same(latin, monkeypatch, capfd):
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(latin))
    assert main(["analyze", "--json", "--model", "mobilenet_v2", str(PORTRAIT)]) == 0
    (image,) = json.loads(capfd.readouterr().out)["images"]
    assert image["mood"]["emotion"] == "happy"
    assert image["song"] is None


def test_the_page_answers_all_the_same(latin, monkeypatch):
    import httpx2

    from femr.page import photo, shared

    monkeypatch.setenv("FEMR_MUSIC_DIR", str(latin))
    shared.library_read.cache_clear()
    with served() as url:
        answer = httpx2.get(url)
        config = httpx2.get(f"{url}config")
        cover = httpx2.get(f"{url}femr/cover/0")
        (song,) = photo.songs({"mood": "sad"})["songs"]
        sound = httpx2.get(f"{url}{song['url']}")
    shared.library_read.cache_clear()
    assert (answer.status_code, config.status_code) == (200, 200)
    assert "good" in str(config.json())
    assert song["title"] == "good"
    assert sound.content == (latin / "sad" / "good.wav").read_bytes()
    assert cover.headers["content-type"] == "image/svg+xml"
