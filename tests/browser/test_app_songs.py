"""The Songs tab as loud as the others; and songs whose names are not UTF-8 are answered all the same."""

import json

import pytest

from builders import PORTRAIT, write_noise
from chromium import visiting
from femr.__main__ import main
from femr.page import shared
from femr.song_tags import COMMON, TARGET, gain_of
from photo_tab import open_tab, wait_until_playing
from visitors import served


@pytest.fixture
def unmeasured(tmp_path, monkeypatch):
    """A folder of two songs that are measured only once the page is there, and the songs."""
    for song in ("first", "second"):
        write_noise(tmp_path / "happy" / f"{song}.wav", -20, seconds=30)
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path))
    shared.library_read.cache_clear()
    yield shared.music_library().songs
    shared.library_read.cache_clear()


def test_the_songs_tab_plays_a_song_as_loud_as_it_was_measured(launch, unmeasured):
    with served() as url, visiting(url) as visit:
        page = visit(launch())
        open_tab(page, "Songs")
        cards = page.locator(".library button")
        told = json.loads(cards.first.get_attribute("data-play"))["gain"]
        assert told == pytest.approx(10 ** ((TARGET - COMMON) / 20), abs=1e-3)
        for _ in range(200):
            if told not in [gain_of(song) for song in unmeasured]:
                break
            page.wait_for_timeout(100)
        cards.first.click()
        title = wait_until_playing(page)
        loud_as(page, unmeasured[0])
        page.click(".player .next")
        wait_until_playing(page, title)
        loud_as(page, unmeasured[1])


def loud_as(page, song):
    page.wait_for_function(
        "(gain) => sounding().length === 1 && Math.abs(sounding()[0].volume - gain) < 1e-3", arg=gain_of(song)
    )


def test_the_command_line_answers_all_the_same(latin, monkeypatch, capfd):
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(latin))
    assert main(["analyze", "--json", "--model", "mobilenet_v2", str(PORTRAIT)]) == 0
    (image,) = json.loads(capfd.readouterr().out)["images"]
    assert image["mood"]["emotion"] == "happy"
    assert image["song"] is None


def test_the_page_answers_all_the_same(latin, monkeypatch):
    import httpx2

    from femr.page import photo

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
