"""The Songs tab as loud as the others; and songs whose names are not UTF-8 are answered all the same."""

import json
import shutil
from contextlib import contextmanager

import pytest
from mutagen.id3 import APIC, ID3

from builders import PORTRAIT, damage, write_noise, write_wav
from chromium import visiting
from femr.__main__ import main
from femr.page import shared
from femr.page.card import song_card
from femr.song_tags import COMMON, TARGET, gain_of
from photo_tab import open_tab, wait_until_playing
from visitors import ask, post, served, upload


@pytest.fixture
def own_music(tmp_path, monkeypatch):
    """A folder of songs for the page, which is read anew."""
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path))
    shared.SONGS.forget()
    yield tmp_path
    shared.SONGS.forget()


@pytest.fixture
def empty_music(own_music, monkeypatch):
    """A folder without songs, which is read anew whenever somebody asks for one."""
    monkeypatch.setattr(shared, "AGAIN", -1.0)
    shared.analyzer("mobilenet_v2")(PORTRAIT)
    return own_music


def test_a_folder_that_is_filled_while_the_page_is_up_plays_everywhere(empty_music, browser):
    with served() as url, visiting(url) as open_page:
        page = open_page(browser)
        open_tab(page, "Songs")
        assert page.locator("[data-play]").count() == 0
        write_wav(empty_music / "happy" / "one.wav", seconds=20)
        path = upload(url, "me.jpg", PORTRAIT.read_bytes())
        photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
        _, (found,) = post(url, "analyze", [photo, "mobilenet_v2", "match", False])
        assert found["song"]["title"] == "one"
        page.reload()
        open_tab(page, "Songs")
        page.click("[data-play]")
        assert wait_until_playing(page) == "one"


def test_a_folder_that_is_being_filled_is_read_until_nothing_more_comes(empty_music):
    found = []
    for name in ("one", "two", "", ""):
        if name:
            write_wav(empty_music / "happy" / f"{name}.wav")
        found.append(shared.music_library())
    write_wav(empty_music / "happy" / "three.wav")
    assert [len(library.songs) for library in (*found, shared.music_library())] == [1, 2, 2, 2, 2]
    assert found[1] is found[-1]


def test_not_all_covers_are_kept_in_memory(tmp_path, library):
    from femr.page import media

    song = shutil.copy(library.songs[0].path, tmp_path / "0.mp3")
    tags = ID3(song)
    tags.setall("APIC", [APIC(mime="image/png", data=bytes(100_000))])
    tags.save(song)
    media.picture_in.cache_clear()
    for number in range(1, 101):
        copy = shutil.copy(song, tmp_path / f"{number}.mp3")
        assert len(media.picture_in(copy)[0]) == 100_000
    assert media.picture_in.cache_info().currsize < 50


def test_a_link_that_the_browser_cannot_read_stops_no_music(own_music, browser):
    write_wav(own_music / "one.wav", seconds=20)
    (own_music / "library.csv").write_text("file,expression,link\none.wav,happy,https://1.2.3.4.5/x\n")
    with served() as url, visiting(url) as open_page:
        page = open_page(browser)
        open_tab(page, "Songs")
        page.click("[data-play]")
        assert wait_until_playing(page) == "one"
        assert page.text_content(".player .facts a") == "1.2.3.4.5 ↗"


CARDS = """async (songs) => {
  window.player = await import(new URL('femr/player.js', document.baseURI))
  // as each answer of the server has cards of its own
  window.card = (title) => ({ ...songs.find((song) => song.title === title) })
  player.play([card('whole')])
}"""


@contextmanager
def player_with(browser, folder, *broken):
    """A page whose player plays the song "whole", and can be given others; `broken`: titles, and their whole bytes."""
    write_wav(folder / "happy" / "whole.wav", seconds=40)
    for title, head in broken:
        song = folder / "happy" / f"{title}.flac"
        write_noise(song, -20, seconds=30)
        damage(song, head)
    shared.SONGS.forget()
    cards = [{**song_card(song), "mood": "happy"} for song in shared.music_library().songs]
    with served() as url, visiting(url, but=("Failed to load resource",)) as open_page:
        page = open_page(browser)
        open_tab(page, "Songs")
        page.evaluate(CARDS, cards)
        wait_until_playing(page)
        yield page


def heard(page, title):
    """Waits until one song is heard, and it is that one, and goes on when a fade would have ended."""
    page.wait_for_function("sounding().length === 1 && sounding()[0].currentTime > 0.5")
    page.wait_for_timeout(2500)
    assert wait_until_playing(page) == title
    page.wait_for_function("sounding().length === 1")


@pytest.mark.parametrize("turn", ["play([card('broken')], true)", "next()", "play([card('broken'), card('whole')])"])
def test_a_song_that_jumps_to_its_end_has_failed(own_music, browser, turn):
    """Behind its head there is only noise: a browser calls it ended, or breaks off, without a sound."""
    with player_with(browser, own_music, ("broken", 1000)) as page:
        for _ in range(3):
            page.evaluate("player.follow(card('broken'))")
            page.wait_for_timeout(400)  # it is fetched, and the browser has looked at it
        page.evaluate(f"player.{turn}")
        page.wait_for_function("player.state().failed.includes(card('broken').number)")
        assert page.evaluate("player.complaint()") == "“broken” cannot be played."
        heard(page, "whole")
        assert page.evaluate("player.state().song") == page.evaluate("card('whole').number")
        assert page.evaluate("player.played.includes(card('broken').number)") is False


def test_a_song_that_breaks_off_has_failed(own_music, browser):
    with player_with(browser, own_music, ("broken", 600_000)) as page:
        page.evaluate("player.follow(card('broken'))")
        page.wait_for_timeout(1000)
        page.evaluate("player.play([card('broken')], true)")
        page.evaluate("window.answers = setInterval(() => player.follow(card('whole')), 200)")
        wait_until_playing(page, "whole")
        page.wait_for_function("player.state().failed.includes(card('broken').number)")
        heard(page, "whole")


def test_a_song_whose_bytes_stop_coming_is_passed_over(own_music, browser):
    with player_with(browser, own_music, ("late", 10**9)) as page:
        number = page.evaluate("card('late').number")
        page.route(f"**/femr/song/{number}", lambda _: None)
        page.evaluate("player.play([card('late')])")
        page.evaluate("player.follow(card('whole'))")
        heard(page, "whole")
        assert page.evaluate("player.state().failed") == []


def test_a_song_is_not_broken_where_a_proxy_finds_no_server(own_music, browser):
    with player_with(browser, own_music, ("other", 10**9)) as page:
        page.route("**/femr/song/*", lambda route: route.fulfill(status=502))
        page.evaluate("player.follow(card('other'))")
        page.wait_for_timeout(1000)
        page.evaluate("player.play([card('other')], true)")
        page.wait_for_timeout(2000)
        assert page.evaluate("player.state().failed") == []
        page.unroute("**/femr/song/*")
        page.wait_for_function("sounding().length === 1")


def test_the_next_song_asked_for_while_it_comes_begins_once(own_music, browser):
    held = []
    with player_with(browser, own_music, ("late", 10**9)) as page:
        number = page.evaluate("card('late').number")
        page.route(f"**/femr/song/{number}", lambda route: held.append(route))
        page.evaluate("player.follow(card('late'))")
        page.evaluate("player.play([card('late')], true)")
        page.evaluate("""() => new Promise((pressed) => {
          const [one] = sounding()
          one.addEventListener('ended', () => pressed(player.next(true)))
          one.currentTime = one.duration - 0.2
        })""")
        for route in held:
            route.continue_()
        heard(page, "late")
        assert page.evaluate("player.played").count(number) == 1


@pytest.fixture
def unmeasured(tmp_path, monkeypatch):
    """A folder of two songs that are measured only once the page is there, and the songs."""
    for song in ("first", "second"):
        write_noise(tmp_path / "happy" / f"{song}.wav", -20, seconds=30)
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path))
    shared.SONGS.forget()
    yield shared.music_library().songs
    shared.SONGS.forget()


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

    monkeypatch.setenv("FEMR_MUSIC_DIR", str(latin))
    shared.SONGS.forget()
    with served() as url:
        answer = httpx2.get(url)
        config = httpx2.get(f"{url}config")
        cover = httpx2.get(f"{url}femr/cover/0")
        (song,) = ask(url, "songs", {"mood": "sad"})["songs"]
        sound = httpx2.get(f"{url}{song['url']}")
    shared.SONGS.forget()
    assert (answer.status_code, config.status_code) == (200, 200)
    assert "good" in str(config.json())
    assert song["title"] == "good"
    assert sound.content == (latin / "sad" / "good.wav").read_bytes()
    assert cover.headers["content-type"] == "image/svg+xml"
