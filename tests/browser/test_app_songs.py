"""Songs whose names are not UTF-8: the command line and the page answer all the same."""

import json

from builders import PORTRAIT
from femr.__main__ import main
from visitors import served


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
