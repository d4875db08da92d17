"""The Live tab in a real browser, its camera fed from a film; and what a stranger may send instead of a picture."""

import json
import os
import urllib.error
import urllib.request
from functools import partial
from http import HTTPStatus
from pathlib import Path

import cv2
import numpy as np
import pytest

from builders import PORTRAIT, ROOT, looking
from camera import astonished, film, nobody, smile, start, wait_for_fade, wait_for_mood, wait_for_songs, wait_for_word
from chromium import DESKTOP, PHONE, REFUSED_CAMERA, visiting
from femr.__main__ import main
from femr.cli import BAD_INPUT
from femr.errors import DataError
from femr.mood import vote
from femr.page import app, live, shared
from femr.page.live import Setup
from femr.song_tags import gain_of
from femr.video.session import Session
from photo_tab import ask, open_tab, serious, wait_until_playing
from visitors import served

TOKEN = "a" * 32
STABLE, LEAST = 2.0, 14.0


@pytest.fixture(autouse=True)
def sooner(monkeypatch):
    """Songs begin and change a little sooner than in a visitor's session."""
    monkeypatch.setattr(live, "Session", partial(Session, stable=STABLE, least=LEAST))


@pytest.fixture(scope="module")
def films(tmp_path_factory, portrait):
    folder = tmp_path_factory.mktemp("films")
    return {
        "turn": film(folder / "turn.y4m", (smile(portrait), 10), (astonished(portrait), 90)),
        "smile": film(folder / "smile.y4m", (smile(portrait), 5)),
        "nobody": film(folder / "nobody.y4m", (nobody(), 5)),
    }


@pytest.fixture
def visit(launch, watcher, url, films):
    """Opens the tab as a new visitor whose camera plays a film."""
    with visiting(url, but=("410",)) as open_page:

        def open_live(film=None, flags=(), size=DESKTOP, address="?view=live"):
            return open_page(watcher(films[film]) if film else launch(*flags), size, address)

        yield open_live


def test_mood_and_song_follow_the_face_and_two_visitors_do_not_meet(visit, portrait, library):
    expression = shared.analyzer(live.DEFAULT_MODEL)(astonished(portrait)).mood.emotion
    assert expression not in (None, "happy"), "the painted face should look different"
    before = set(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*.*"))
    first, second = visit("turn"), visit("nobody")
    began = start(first)
    start(second)
    wait_for_mood(first, "happy")
    assert first.inner_text(".live .reason") == "one face in view"
    wait_for_songs(first, 1)
    assert "Next: " in first.inner_text(".live .song .next") or not first.inner_text(".live .song .next")
    first.locator(".live .song .next").get_by_text(f"Next: {expression.adjective}, in ").wait_for(timeout=60_000)
    wait_for_songs(first, 2)
    wait_for_fade(first)

    diary = first.evaluate("window.diary")
    moods = [mood for i, (_, mood, _) in enumerate(diary) if mood and (not i or mood != diary[i - 1][1])]
    assert moods == ["happy", expression.adjective]
    songs = [(at, song) for i, (at, _, song) in enumerate(diary) if song and (not i or song != diary[i - 1][2])]
    of = {f"♫ {song.title}": song.emotion for song in library.songs}
    assert [of[song] for _, song in songs] == ["happy", expression]
    assert songs[0][0] - began > STABLE
    assert songs[1][0] - songs[0][0] > LEAST - 1  # an answer may be a moment on its way
    heard = {song for _, song in songs}
    gains = [gain_of(song) for song in library.songs if f"♫ {song.title}" in heard]
    faded(first.evaluate("window.volumes"), songs[0][0] + 1, gains)
    assert second.inner_text(".live .name") == ""
    assert second.inner_text(".live .reason") == "nobody in view"
    assert all(not song for _, _, song in second.evaluate("window.diary"))
    # no picture is a file
    new = set(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*.*")) - before
    assert new == set()


def faded(volumes, since, gains):
    """From the first song on there is always sound, and while two are heard they are together as loud as one."""
    heard = [(at, sorted(both)) for at, both in volumes if at > since]
    assert all(both for _, both in heard)
    both = [(at, volume) for at, volume in heard if len(volume) == 2]
    assert len(both) >= 5
    assert both[-1][0] - both[0][0] < 4
    least, most = 0.65 * min(gains) ** 2, 1.35 * max(gains) ** 2
    assert all(least < sum(v * v for v in volume) < most for _, volume in both)
    assert max(len(volume) for _, volume in heard) == 2


def test_stop_and_start_on_a_phone(visit):
    page = visit("smile", size=PHONE)
    start(page)
    wait_for_songs(page, 1)
    wait_until_playing(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    scene = page.locator(".live .scene").bounding_box()
    assert scene["height"] > PHONE["height"] / 2
    assert serious(page) == []
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function("() => window.sounding().length === 0")
    assert page.evaluate("document.querySelector('.live video').srcObject") is None
    page.get_by_role("button", name="Start", exact=True).click()
    wait_for_mood(page, "happy")
    # not the song that was just heard
    wait_for_songs(page, 2)


def test_in_full_screen_it_fills_the_screen_after_a_stop_too(visit):
    page = visit("smile")
    filled = "() => document.body.classList.contains('filled')"
    start(page)
    page.click(".live .full")
    page.wait_for_function(filled)
    page.mouse.move(200, 200)
    page.click(".live .stop")
    page.wait_for_function(f"() => !({filled})()")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function(filled)


def test_a_view_is_opened_though_the_first_click_comes_too_early(browser, url):
    page = browser.new_page()
    page.add_init_script("""addEventListener('click', (event) => {
      if (window.lost || !event.target.closest('[role=tab]')) return;
      window.lost = true;
      event.stopImmediatePropagation();
    }, true)""")
    page.goto(f"{url}?view=live")
    page.locator(".live[data-ready]").wait_for()
    assert page.evaluate("window.lost")
    page.close()


def test_who_leaves_the_tab_is_not_watched_any_more(visit):
    page = visit("smile")
    start(page)
    wait_for_songs(page, 1)
    page.evaluate("window.track = document.querySelector('.live video').srcObject.getTracks()[0]")
    page.evaluate("window.asked = 0; document.querySelector('.live').addEventListener('answer', () => window.asked++)")
    page.wait_for_function("() => window.asked > 0")
    open_tab(page, "Songs")
    page.wait_for_function("() => window.track.readyState === 'ended'")
    page.wait_for_function("() => window.sounding().length === 0")
    asked = page.evaluate("window.asked")
    page.wait_for_timeout(1000)
    assert page.evaluate("window.asked") - asked <= 1
    open_tab(page, "Live")
    page.get_by_role("button", name="Start", exact=True).wait_for()


def test_live_begins_with_silence_where_a_photos_song_plays(visit):
    page = visit("smile", address="")
    page.locator(".stage").wait_for()
    ask(page, PORTRAIT)
    wait_until_playing(page)
    open_tab(page, "Live")
    start(page)
    # until Live's own song begins; the press itself may sound an instant of nothing, for iOS
    page.wait_for_function("() => window.sounding().length === 0")
    wait_for_songs(page, 1)
    page.wait_for_function("() => window.sounding().length === 1")


def test_a_song_that_is_wanted_again_while_it_is_coming_is_heard(visit, library):
    cards = [{"number": shared.number_of(song), "title": song.title} for song in library.songs[:2]]
    page = visit("smile")
    start(page)
    wait_for_songs(page, 1)
    wait_until_playing(page)
    wanted = page.evaluate(
        """async (cards) => {
          const player = await import(new URL('femr/player.js', document.baseURI));
          const now = player.current();
          const { number, title } = cards.find((one) => one.number !== now.number);
          const wanted = () => [{ ...now, number, title, url: `femr/song/${number}` }];
          player.play(wanted(), true);
          player.toggle(false);
          player.toggle(true);
          player.play(wanted(), true);
          return title;
        }""",
        cards,
    )
    page.locator(".player .title").get_by_text(wanted, exact=True).wait_for(state="attached")
    page.wait_for_timeout(3000)  # until the other one has faded
    assert page.evaluate("window.sounding().length") == 1
    assert page.text_content(".player .title") == wanted


@pytest.fixture
def hosted(monkeypatch):
    """A page that is open to everybody, on which three seconds are all that one gets."""
    monkeypatch.setattr(live, "MINUTES", 0.05)
    with served(Setup(hosted=True)) as url:
        yield url


def test_a_visit_of_a_public_page_ends_after_its_time(watcher, hosted, films):
    with visiting(hosted, but=("410",)) as open_page:
        page = open_page(watcher(films["smile"]), address="?view=live")
        start(page)
        page.locator(".live .stopped").get_by_text("minutes are over. Press Start to go on.").wait_for()
        page.get_by_role("button", name="Start", exact=True).click()
        wait_for_mood(page, "happy")


@pytest.mark.parametrize(
    ("flags", "words"),
    [(REFUSED_CAMERA, "The browser may not use the camera."), ((), "Waiting for a camera: none is connected.")],
    ids=["refused", "missing"],
)
def test_without_a_camera_a_sentence_says_what_to_do(visit, flags, words):
    page = visit(flags=flags)
    start(page)
    wait_for_word(page, words)


def jpeg(picture, quality=90):
    coded = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return coded[1].tobytes()


HUGE = jpeg(np.zeros((40, 40, 3), np.uint8)).replace(b"\x00\x28\x00\x28", b"\xff\xff\xff\xff", 1)
"""A picture that says it has four billion pixels."""
SCANS = cv2.imencode(".jpg", np.zeros((40, 40, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
"""A progressive one."""


def send(url, body, told="{}", token=TOKEN, kind="image/jpeg", where="frame"):
    """What a stranger gets without a browser: the status, and the answer."""
    headers = {"Content-Type": kind, "Femr-Told": told if isinstance(told, str) else json.dumps(told)}
    asked = urllib.request.Request(f"{url}live/{where}?visit={token}", body, headers, method="POST")
    try:
        with urllib.request.urlopen(asked) as response:
            text = response.read()
            assert response.headers["Cache-Control"] == "no-store"
            return response.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        assert str(ROOT) not in text
        return error.code, json.loads(text)["error"]


def test_a_picture_is_answered(url, portrait):
    status, answer = send(url, jpeg(smile(portrait)))
    assert status == HTTPStatus.OK
    (face,) = answer["faces"]
    assert (face["number"], face["emotion"], face["emoji"]) == (1, "happy", "😀")
    assert all(0 <= share <= 1 for share in face["box"])
    assert (answer["mood"]["emotion"], answer["sentence"], answer["shares"]) == ("happy", "one face in view", None)
    assert (answer["song"], answer["next"]["mood"], answer["commands"]) == (None, "happy", [])


def test_a_crowd_has_shares_and_a_small_group_has_none(url, portrait):
    head = cv2.resize(portrait[0:240, 100:340], (240, 240))
    for faces in (4, 6):
        _, answer = send(url, jpeg(np.hstack([head] * faces)[:, :1280]), token=f"{faces}" * 32)
        found = len(answer["faces"])
        assert answer["sentence"] == ("a small group" if faces == 4 else f"{found} of {found} look happy")
        assert answer["shares"] == (None if faces == 4 else {"happy": 1.0})


@pytest.mark.parametrize(
    ("clear", "said"), [(0, "hard to read from here"), (1, "a small group"), (5, "5 of 8 look happy")]
)
def test_of_few_that_can_be_read_no_share_is_told(clear, said):
    faces = [looking("happy", number=n, unsure=n >= clear) for n in range(8)]
    assert live.sentence(vote(faces), faces) == said


def test_after_a_restart_the_music_goes_on_from_what_the_browser_tells(url, portrait, library):
    playing, failed, *_ = (shared.number_of(song) for song in library.songs if song.emotion == "happy")
    told = {"song": playing, "mood": "happy", "since": 100.0, "heard": [1, playing], "failed": [failed]}
    _, answer = send(url, jpeg(smile(portrait)), told, token="b" * 32)
    assert (answer["song"]["number"], answer["note"]) == (playing, "")
    assert answer["next"]["song"]["number"] not in (playing, failed)
    assert answer["next"]["seconds"] is None
    assert shared.numbered(library)[answer["next"]["song"]["number"]].emotion == "happy"
    _, pulse = send(url, b"", told, token="b" * 32, where="pulse")
    assert pulse["next"]["song"] == answer["next"]["song"]
    _, pulse = send(url, b"", told, token="h" * 32, where="pulse")  # with no picture at all
    assert (pulse["song"]["number"], pulse["next"]["mood"]) == (playing, "happy")


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        "nonsense",
        {"song": -1},
        {"song": []},
        {"smallest_face": ""},
        {"song": "3"},
        {"heard": "12"},
        {"heard": list(range(2000))},
        {"heard": None},
        {"failed": [1.5]},
        {"since": "now"},
        {"mood": "great"},
        {"mood": []},
        "[" * 20_000,
        {"mode": "loud"},
        {"wall": "yes"},
        {"stranger": 1},
    ],
)
def test_what_no_script_of_ours_tells_is_refused(url, portrait, told):
    status, words = send(url, jpeg(smile(portrait)), told, token="c" * 32)
    assert status == HTTPStatus.BAD_REQUEST
    assert words.startswith("Expected ")


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "image/jpeg", 400),
        (b"%PDF-1.4", "image/jpeg", 400),
        (jpeg(np.zeros((40, 40, 3), np.uint8))[:300], "image/jpeg", 400),
        (jpeg(np.zeros((400, 1300, 3), np.uint8)), "image/jpeg", 400),
        (jpeg(np.zeros((20000, 40, 3), np.uint8)), "image/jpeg", 400),
        (SCANS, "image/jpeg", 400),
        (HUGE, "image/jpeg", 400),
        (cv2.imencode(".png", np.zeros((40, 40, 3), np.uint8))[1].tobytes(), "image/jpeg", 400),
        (bytes(live.MOST_BYTES + 1), "image/jpeg", 413),
        (jpeg(np.zeros((40, 40, 3), np.uint8)), "application/json", 415),
    ],
    ids=["empty", "pdf", "cut", "wide", "high", "progressive", "huge", "png", "large", "json"],
)
def test_nothing_but_a_small_jpeg_is_taken(url, body, kind, status):
    code, words = send(url, body, kind=kind, token="d" * 32)
    assert (code, bool(words)) == (status, True)


@pytest.mark.parametrize("token", ["", "short", "a" * 200, "../../etc/passwd-and-some-more"])
def test_a_visit_needs_a_token_that_nobody_can_guess(url, portrait, token):
    assert send(url, jpeg(smile(portrait)), token=token)[0] == HTTPStatus.BAD_REQUEST


def test_a_picture_that_waited_too_long_is_dropped(url, portrait, monkeypatch):
    monkeypatch.setattr(live, "LATE", -1.0)  # whatever comes has waited longer
    assert send(url, jpeg(smile(portrait)), token="e" * 32) == (HTTPStatus.NO_CONTENT, None)
    monkeypatch.undo()
    assert send(url, jpeg(smile(portrait)), token="e" * 32)[0] == HTTPStatus.OK


def test_new_faces_are_looked_for_in_every_second_picture_only_where_that_is_wanted(url, portrait):
    one, two = smile(portrait), np.hstack([smile(portrait)] * 2)
    told = {"every": 2, "smallest_face": 40}
    seen = [len(send(url, jpeg(picture), told, token="f" * 32)[1]["faces"]) for picture in (two, two, two)]
    assert seen == [2, 2, 2]
    blank = np.zeros_like(one)
    seen = [
        len(send(url, jpeg(np.hstack([one, other])), told, token="g" * 32)[1]["faces"]) for other in (blank, one, one)
    ]
    assert seen == [1, 1, 2]


@pytest.mark.parametrize(
    "wrong",
    [{"smallest_face": 5}, {"smallest_face": 5000}, {"every": 0}, {"every": 10**11}, {"camera": "0"}, {"camera": ""}],
)
def test_a_stage_is_not_set_up_with_what_cannot_be(wrong):
    with pytest.raises(DataError, match="Expected"):
        Setup(**wrong)


def test_what_the_command_says_stands_on_the_panel(capsys, monkeypatch):
    served = []
    monkeypatch.setattr(
        app, "serve", lambda *given: served.append(next(one for one in given if isinstance(one, Setup)))
    )
    wanted = ["--lift", "--camera", "USB", "--no-mirror", "--no-video", "--smallest-face", "33", "--detect-every", "3"]
    assert main(["app", "--wall", *wanted]) == 0
    (setup,) = served
    assert setup == Setup("lift", 33, 3, mirror=False, camera="USB", video=False, wall=True)
    panel = live.stage(setup, wall=True)
    assert all(f'value="{value}" selected' in panel for value in ("lift", "33", "3"))
    assert '<option value="USB">USB</option>' in panel
    assert "checked" not in panel
    assert main(["app", "--smallest-face", "5"]) == BAD_INPUT
    assert "Expected a smallest face of 12 to 1280 pixels. Received: 5" in capsys.readouterr().err
