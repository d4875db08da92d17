"""The wall in a real browser: started once, it goes on by itself; what breaks is told in a line, and comes back."""

import urllib.request
from contextlib import contextmanager
from functools import partial

import cv2
import numpy as np
import pytest
import soundfile

from builders import damage
from camera import crowd_of, film, smile, start, wait_for_fade, wait_for_mood, wait_for_songs, wait_for_word
from chromium import PHONE, THREE_CAMERAS, visiting
from evening import Server
from femr.page import live, shared
from femr.page.live import Setup
from femr.video.session import STABLE, Session
from photo_tab import serious
from visitors import served

AWAY = ("Failed to load resource", "net::ERR")  # what the browser logs while the server is away
PATIENCE = 60_000  # milliseconds
SMALL = {"width": 640, "height": 480}  # a screen that takes little to draw
CAMERAS = ["fake_device_0", "fake_device_1", "fake_device_2"]  # THREE_CAMERAS
SHOWN = "(name) => document.querySelector('.live video').srcObject?.getTracks()[0].label === name"


def write_songs(folder, *moods, seconds=20, songs=2):
    """Some songs a mood: a chord without a silence in it."""
    rate = 8000  # a song of some minutes is fetched at once
    times = np.arange(rate * seconds) / rate
    for mood in moods:
        (folder / mood).mkdir(parents=True)
        for number in range(songs):
            chord = sum(0.1 * np.sin(2 * np.pi * (220 + 110 * note + 20 * number) * times) for note in range(3))
            soundfile.write(folder / mood / f"{mood} {number}.mp3", chord, rate)
    return folder


@pytest.fixture(scope="module")
def films(tmp_path_factory, portrait):
    folder = tmp_path_factory.mktemp("films")
    large = cv2.resize(smile(portrait), (3840, 2160))
    return {
        "4K at 60": film(folder / "large.y4m", (large, 0.05), rate=60),
        "smile": film(folder / "smile.y4m", (smile(portrait), 5)),
        "crowd": film(folder / "crowd.y4m", (crowd_of(portrait, 7), 2)),
        "black": film(folder / "black.y4m", (np.zeros((240, 320, 3), np.uint8), 8), (smile(portrait), 30)),
    }


@contextmanager
def serving(songs, **setup):
    """The address of a wall in this process with a folder's songs, which begin sooner than on an evening."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEMR_MUSIC_DIR", str(songs))
        patch.setattr(shared, "AGAIN", 1.0)
        patch.setattr(live, "Session", partial(Session, stable=1.0))
        forget_songs()
        with served(Setup(wall=True, **setup)) as url:
            yield url
    forget_songs()


def forget_songs():
    shared.SONGS.forget()
    shared.loaded.cache_clear()


@pytest.fixture(scope="module")
def wall(tmp_path_factory):
    """A wall that nobody kills."""
    with serving(write_songs(tmp_path_factory.mktemp("music"), "happy", "neutral")) as url:
        yield url


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """One in a process of its own, which is killed."""
    server = Server(write_songs(tmp_path_factory.mktemp("songs"), "happy", seconds=200), "-m", "femr", "app")
    yield server
    server.kill()


@pytest.fixture
def mortal(killed):
    """The same, running, with whole songs."""
    songs = {path: path.read_bytes() for path in killed.music.rglob("*.mp3")}
    if not killed.process or killed.process.poll() is not None:
        killed.start()
    yield killed
    for path, content in songs.items():
        path.write_bytes(content)


@pytest.fixture
def opened(watcher, films):
    """Opens a wall's page with a camera that shows a film."""

    @contextmanager
    def opened(url, film="smile"):
        with visiting(url, AWAY) as visit:
            yield visit(watcher(films[film]), SMALL)

    return opened


def note_gaps(page):
    """From now on the page notes when nothing is heard: [from, to], in seconds."""
    page.evaluate("""() => {
      window.gaps = [];
      let silent = false;
      setInterval(() => {
        const now = performance.now() / 1000, heard = window.sounding().some((one) => one.readyState > 2);
        if (!heard && !silent) window.gaps.push([now, now]);
        if (!heard) window.gaps.at(-1)[1] = now;
        silent = !heard;
      }, 50);
    }""")


def longest_gap(page):
    return max((end - begun for begun, end in page.evaluate("window.gaps")), default=0)


def answered(page):
    """Waits for the next answer to a picture in which there is a face."""
    page.evaluate("""() => {
      window.heard = 0;
      document.querySelector('.live').addEventListener('answer', ({detail}) => { window.heard += detail.faces });
    }""")
    page.wait_for_function("() => window.heard > 0", timeout=PATIENCE)


def wait_until_heard(page):
    """Waits until a song has sounded for a second."""
    page.wait_for_function("() => window.sounding().some((one) => one.currentTime > 1)", timeout=PATIENCE)


def stays_silent(page, milliseconds):
    """After so long nothing is heard."""
    page.wait_for_timeout(milliseconds)
    assert page.evaluate("window.sounding().length") == 0


def wait_for_another_song(page, before):
    """Waits until another song plays than the one before."""
    changed = "(before) => document.querySelector('.live .song .title').textContent !== before"
    page.wait_for_function(changed, arg=before, timeout=PATIENCE)


def title(page):
    return page.text_content(".live .song .title")


def test_the_bare_address_leads_to_the_wall_and_the_page_is_still_there(mortal, server):
    with urllib.request.urlopen(mortal.url) as response:
        assert response.url == f"{mortal.url}wall"
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    with urllib.request.urlopen(f"{mortal.url}?view=photo") as response:
        assert "gradio" in response.read().decode()
    with urllib.request.urlopen(server) as response:  # where the page was not started as a wall
        assert response.url == server


def test_view_wall_leads_there(browser, server):
    with visiting(server) as visit:
        page = visit(browser, address="?view=wall")
        page.get_by_role("button", name="Start", exact=True).wait_for()
        assert page.url.endswith("/wall")


def test_one_press_starts_it_and_keys_do_the_rest(wall, opened):
    with opened(wall) as page:
        assert "Nothing is recorded or kept" in page.inner_text(".live .watched")
        assert "AI Act, Art. 5" in page.inner_text(".live .law")
        assert serious(page) == []
        start(page)
        wait_for_mood(page, "happy")
        wait_for_songs(page, 1)
        page.wait_for_function("() => window.sounding().length === 1")
        assert serious(page) == []
        first = title(page)
        for _ in range(2):
            page.keyboard.down(" ")  # held, which presses it again and again
        page.keyboard.up(" ")
        page.wait_for_function("() => window.sounding().length === 0")
        page.locator(".live .next").get_by_text("Paused").wait_for()
        page.keyboard.press(" ")
        page.wait_for_function("() => window.sounding().length === 1")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.querySelector('.player .volume').value") == "0.95"
        page.keyboard.press("n")
        wait_for_another_song(page, first)
        wait_for_fade(page)
        page.wait_for_function("() => document.body.classList.contains('idle')")
        page.locator(".live .stop").wait_for(state="hidden")
        page.mouse.move(200, 200)
        page.locator(".live .stop").wait_for()


def test_it_fills_the_screen_and_keeps_it_awake(wall, opened):
    with opened(wall) as page:
        page.evaluate("""() => {
          const ask = navigator.wakeLock.request.bind(navigator.wakeLock);
          window.locks = [];
          navigator.wakeLock.request = async (kind) => {
            window.locks.push(await ask(kind));
            return window.locks.at(-1);
          };
        }""")
        awake = "(count) => window.locks.length === count && !window.locks.at(-1).released"
        filled = "(on) => Boolean(document.fullscreenElement) === on"
        start(page)
        page.wait_for_function(filled, arg=True)
        page.wait_for_function(awake, arg=1)
        for on in (False, True):
            page.keyboard.press("f")
            page.wait_for_function(filled, arg=on)
        page.evaluate("window.locks[0].release()")  # as browsers do where the page is hidden
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.wait_for_function(awake, arg=2)
        page.keyboard.press("f")
        page.mouse.move(200, 200)
        page.locator(".live .stop").click()
        page.wait_for_function("() => window.locks.at(-1).released")


def test_who_skips_twice_does_not_hear_the_song_before(tmp_path, opened):
    with serving(write_songs(tmp_path, "happy", songs=3)) as url, opened(url) as page:
        start(page)
        wait_for_songs(page, 1)
        page.wait_for_function(
            "() => window.sounds.some((one) => one.paused && one.src.startsWith('blob:') && one.readyState > 2)"
        )  # the next song is there
        page.evaluate("""() => {
          const press = () => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'n', bubbles: true }));
          const title = document.querySelector('.player .title');
          window.titles = [title.textContent];
          new MutationObserver(() => {
            if (window.titles.includes(title.textContent)) return;
            window.titles.push(title.textContent);
            if (window.titles.length === 2) press();
          }).observe(title, { childList: true });
          press();
        }""")
        page.wait_for_function("() => window.titles.length === 3", timeout=10_000)


def test_a_crowds_shares_are_told_and_the_words_can_stay(wall, opened):
    with opened(wall, "crowd") as page:
        page.click(".live summary")
        page.check("input[name=told]")
        page.uncheck("input[name=video]")
        start(page)
        page.locator(".live .reason").get_by_text("7 of 7 look happy").wait_for(timeout=PATIENCE)
        assert "Nothing is recorded or kept" in page.inner_text(".live .told")
        assert page.evaluate("getComputedStyle(document.querySelector('.live video')).opacity") == "0"


def test_the_server_is_killed_and_comes_back(mortal, opened):
    with opened(mortal.url) as page:
        start(page)
        wait_for_songs(page, 1)
        song = title(page)
        page.wait_for_function("() => window.sounding().length === 1")
        note_gaps(page)
        mortal.kill()
        wait_for_word(page, "Waiting for femr")
        mortal.start()
        answered(page)
        page.locator(".live .waits").wait_for(state="hidden")
        page.wait_for_timeout(1000 * STABLE + 1000)  # a session that knew nothing would begin a song
        assert title(page) == song
        assert longest_gap(page) == 0


def test_songs_go_on_while_the_network_is_away(wall, opened):
    with opened(wall) as page:
        start(page)
        wait_for_songs(page, 1)
        page.wait_for_function("() => window.sounding().length === 1")
        page.wait_for_function(
            "() => window.sounds.some((one) => one.paused && one.src.startsWith('blob:') && one.readyState > 2)"
        )  # the next song is there
        note_gaps(page)
        page.context.set_offline(True)
        wait_for_word(page, "Waiting for femr")
        page.evaluate("() => { const [one] = window.sounding(); one.currentTime = one.duration - 5 }")
        wait_for_songs(page, 2)
        assert page.inner_text(".live .song .next") == ""  # nobody knows what comes
        page.context.set_offline(False)
        answered(page)
        assert longest_gap(page) < 0.5


def test_the_camera_is_pulled_out_and_put_back(wall, opened):
    with opened(wall) as page:
        page.evaluate("""() => {
          const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
          window.plugged = true;
          devices.getUserMedia = (wanted) => window.plugged ? open(wanted)
            : Promise.reject(new DOMException('Requested device not found', 'NotFoundError'));
        }""")
        start(page)
        wait_for_songs(page, 1)
        note_gaps(page)
        page.evaluate("window.plugged = false; document.querySelector('.live video').srcObject.getTracks()[0].stop()")
        wait_for_word(page, "Waiting for a camera: none is connected.")
        assert page.inner_text(".live .reason") == ""
        page.evaluate("window.plugged = true; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
        answered(page)
        page.locator(".live .waits").wait_for(state="hidden")
        assert longest_gap(page) == 0


PULLED = """() => {
  const devices = navigator.mediaDevices;
  const [open, list] = ['getUserMedia', 'enumerateDevices'].map((name) => devices[name].bind(devices));
  window.allowed = false;
  window.pulled = '';
  window.opened = [];
  window.taken = '';
  window.slow = 0;
  window.socket = '';
  const settings = MediaStreamTrack.prototype.getSettings;
  const moved = (one) => ({ kind: one.kind, label: one.label, deviceId: window.socket + one.deviceId });
  MediaStreamTrack.prototype.getSettings = function () { return moved(settings.call(this)) };
  const here = ({ kind, label }) => kind === 'videoinput' && label !== window.pulled;
  const there = async () => (await list()).filter(here).map(moved);
  devices.getUserMedia = async ({ video }) => {
    const all = await there(), { exact } = video.deviceId || {};
    const one = exact ? all.find(({ deviceId }) => deviceId === exact) : all[0];
    if (!one) throw new OverconstrainedError('deviceId');
    window.allowed = true;
    if (one.label === window.taken) throw new DOMException('Could not start video source', 'NotReadableError');
    await new Promise((done) => setTimeout(done, window.slow));
    window.opened.push(one.label);
    return open({ video: { deviceId: { exact: one.deviceId.slice(window.socket.length) } } });
  };
  devices.enumerateDevices = async () => {
    const all = await there();
    return window.allowed ? all : all.map(({ kind }) => ({ kind, label: '', deviceId: '' }));
  };
  window.pull = (label) => {
    window.pulled = label;
    if (label) document.querySelector('.live video').srcObject.getTracks()[0].stop();
    devices.dispatchEvent(new Event('devicechange'));
  };
}"""
"""Cameras without a name for a page that never had one, as browsers have it; window.pull(name) pulls one out.

window.taken: the one that another program uses. window.slow: milliseconds until one is open. window.opened: names.
window.socket: what stands before their ids, which differ from socket to socket.
"""


@pytest.mark.parametrize(("wanted", "name"), [("2", "fake_device_1"), ("DEVICE_2", "fake_device_2")])
def test_the_chosen_camera_is_opened_and_no_other(tmp_path, launch, wanted, name):
    with serving(tmp_path, camera=wanted) as url, visiting(url, AWAY) as visit:
        page = visit(launch(*THREE_CAMERAS), SMALL)
        page.evaluate(PULLED)
        start(page)
        page.wait_for_function(SHOWN, arg=name)
        page.evaluate("window.pull", name)
        wait_for_word(page, "Waiting for the chosen camera: it is not connected.")
        page.evaluate("window.socket = 'another '; window.pull('')")
        page.wait_for_function(SHOWN, arg=name)
        page.locator(".live .waits").wait_for(state="hidden")
        page.mouse.move(200, 200)
        page.click(".live .stop")
        assert page.locator("select[name=camera] option").all_text_contents() == [wanted, *CAMERAS]


def test_where_no_camera_is_chosen_another_stands_in_for_the_first(wall, launch):
    with visiting(wall, AWAY) as visit:
        page = visit(launch(*THREE_CAMERAS), SMALL)
        page.evaluate(PULLED)
        start(page)
        page.wait_for_function(SHOWN, arg="fake_device_0")
        page.evaluate("window.pull", "fake_device_0")
        page.wait_for_function(SHOWN, arg="fake_device_1")
        page.evaluate("window.socket = 'another '; window.pull('')")
        page.wait_for_function(SHOWN, arg="fake_device_0")


def test_the_first_camera_is_gone_back_to_though_it_comes_while_another_is_opened(wall, launch):
    with visiting(wall, AWAY) as visit:
        page = visit(launch(*THREE_CAMERAS), SMALL)
        page.evaluate(PULLED)
        start(page)
        page.wait_for_function(SHOWN, arg="fake_device_0")
        page.evaluate("""async () => {
          window.slow = 800;
          window.pull('fake_device_0');
          const { getUserMedia } = navigator.mediaDevices;
          await new Promise((done) => {
            navigator.mediaDevices.getUserMedia = (wanted) => {
              navigator.mediaDevices.getUserMedia = getUserMedia;
              setTimeout(done, 300);
              return getUserMedia(wanted);
            };
          });
          window.pull('');
        }""")
        page.wait_for_function("() => window.opened.join() === 'fake_device_0,fake_device_1,fake_device_0'")
        page.wait_for_function(SHOWN, arg="fake_device_0")


def test_a_chosen_camera_is_opened_while_another_is_in_use(tmp_path, launch):
    with serving(tmp_path, camera="DEVICE_2") as url, visiting(url, AWAY) as visit:
        page = visit(launch(*THREE_CAMERAS), SMALL)
        page.evaluate(PULLED)
        page.evaluate("window.taken = 'fake_device_0'")
        start(page)
        page.wait_for_function(SHOWN, arg="fake_device_2")


def test_a_browser_that_counts_no_pictures_of_a_camera_keeps_it_open(wall, opened):
    with opened(wall) as page:
        page.evaluate("""() => {
          HTMLVideoElement.prototype.getVideoPlaybackQuality = () => ({ totalVideoFrames: 0 });
          const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          window.opened = 0;
          navigator.mediaDevices.getUserMedia = (wanted) => {
            window.opened += 1;
            return open(wanted);
          };
        }""")
        start(page)
        answered(page)
        page.wait_for_timeout(7000)
        answered(page)
        assert page.evaluate("window.opened") == 1


def test_while_a_browser_waits_for_leave_the_wall_goes_on(wall, opened):
    with opened(wall) as page:
        page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}) }")
        start(page)
        for _ in range(2):
            with page.expect_response("**/live/pulse*"):
                pass
        wait_for_word(page, "Waiting for the camera.")
        assert page.inner_text(".live .reason") == "looking for faces"


def test_who_said_no_to_the_camera_is_asked_again_later(wall, opened):
    with opened(wall) as page:
        page.evaluate("""() => {
          const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
          window.asked = 0;
          devices.getUserMedia = (wanted) => {
            window.asked += 1;
            return window.asked > 1 ? open(wanted) : Promise.reject(new DOMException('No', 'NotAllowedError'));
          };
        }""")
        start(page)
        wait_for_word(page, "The browser may not use the camera. Allow it beside the address.")
        page.wait_for_timeout(4000)
        assert page.evaluate("window.asked") == 1
        page.evaluate("() => { const now = performance.now.bind(performance); performance.now = () => now() + 32_000 }")
        answered(page)
        page.locator(".live .waits").wait_for(state="hidden")


def test_where_pictures_are_too_old_when_their_turn_comes_it_says_so(wall, opened, monkeypatch):
    with opened(wall) as page:
        start(page)
        wait_for_mood(page, "happy")
        monkeypatch.setattr(live, "LATE", -1.0)
        page.wait_for_timeout(3000)
        assert page.text_content(".live .name") == "happy"  # others are served, too
        wait_for_word(page, "Waiting for femr: it has too much to do.")
        wait_for_mood(page, "")
        monkeypatch.undo()
        answered(page)
        page.locator(".live .waits").wait_for(state="hidden")


def test_options_that_the_server_no_longer_has_stop_nothing(wall, opened):
    with opened(wall) as page:
        page.evaluate("""() => {
          for (const name of ['smallest', 'every']) {
            document.querySelector(`select[name=${name}]`).replaceChildren(new Option('57'))
          }
        }""")
        start(page)
        answered(page)


def test_a_tap_on_the_dark_screen_only_wakes_the_buttons(wall, watcher, films):
    with visiting(wall) as visit:
        page = visit(watcher(films["smile"]), has_touch=True)
        start(page)
        wait_for_songs(page, 1)
        box = page.locator(".live .stop").bounding_box()
        corner = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.wait_for_function("() => getComputedStyle(document.querySelector('.live .stop')).visibility === 'hidden'")
        finger = page.context.new_cdp_session(page)
        point = {"x": corner[0], "y": corner[1]}
        finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        page.wait_for_timeout(120)
        finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        page.wait_for_timeout(1000)
        assert page.locator(".live .scene").is_visible()
        page.touchscreen.tap(*corner)
        page.locator(".live .scene").wait_for(state="hidden")


def test_a_tap_on_the_dark_screen_leaves_the_volume(wall, watcher, films):
    with visiting(wall) as visit:
        page = visit(watcher(films["smile"]), PHONE, has_touch=True)
        start(page)
        wait_for_songs(page, 1)
        volume = page.locator(".player .volume")
        box = volume.bounding_box()
        place = box["x"] + box["width"] / 10, box["y"] + box["height"] / 2
        volume.wait_for(state="hidden")
        page.touchscreen.tap(*place)
        volume.wait_for()
        page.wait_for_timeout(500)
        assert volume.input_value() == "1"
        page.touchscreen.tap(*place)
        assert float(volume.input_value()) < 0.3


def test_sound_that_the_system_takes_away_comes_back(wall, opened):
    with opened(wall) as page:
        start(page)
        wait_until_heard(page)
        page.evaluate("window.sounding()[0].pause()")
        page.wait_for_function("() => window.sounding().length === 1")
        page.keyboard.press(" ")
        stays_silent(page, 2500)


def test_who_pauses_what_the_system_has_paused_is_obeyed(wall, opened):
    with opened(wall) as page:
        start(page)
        wait_until_heard(page)
        page.evaluate("""async () => {
          const player = await import(new URL('femr/player.js', document.baseURI));
          window.sounding()[0].pause();
          player.toggle(false); // as the remote does
        }""")
        stays_silent(page, 2500)


def test_a_pause_before_the_first_song_holds(wall, opened):
    with opened(wall) as page:
        page.evaluate("""() => {
          const ask = window.fetch;
          window.fetch = async (...asked) => {
            const answer = await ask(...asked), { song } = await answer.clone().json().catch(() => ({}));
            if (song) await new Promise((go) => { window.go = go });
            return answer;
          };
        }""")
        start(page)
        page.wait_for_function("() => window.go", timeout=PATIENCE)  # a song is on its way
        page.keyboard.press(" ")
        page.locator(".live .next").get_by_text("Paused").wait_for()
        page.evaluate("window.go()")
        stays_silent(page, 3000)
        page.keyboard.press(" ")
        page.wait_for_function("() => { window.go(); return window.sounding().length === 1 }", timeout=PATIENCE)


def test_a_pause_of_a_song_that_does_not_come_holds(wall, opened):
    with opened(wall) as page:
        page.route("**/femr/song/**", lambda route: route.abort())
        start(page)
        page.wait_for_function("() => document.querySelector('.player .title').textContent", timeout=PATIENCE)
        page.keyboard.press(" ")
        page.unroute("**/femr/song/**")
        stays_silent(page, 4000)
        page.keyboard.press(" ")
        wait_until_heard(page)


def test_who_skips_and_then_pauses_hears_nothing(wall, opened):
    with opened(wall) as page:
        start(page)
        wait_for_songs(page, 1)
        wait_until_heard(page)
        first = title(page)
        page.keyboard.press("n")
        wait_for_another_song(page, first)
        wait_for_fade(page)
        page.wait_for_timeout(1500)  # there are two songs: the next one is the one before
        page.keyboard.press("n")
        page.keyboard.press(" ")
        page.wait_for_function("() => window.sounding().length === 0")
        stays_silent(page, 3000)


@pytest.mark.parametrize("freeze", ["document.createElement('canvas').captureStream(0)", "window.still"])
def test_a_camera_that_freezes_without_a_word_is_opened_anew(wall, opened, freeze):
    with opened(wall) as page:
        start(page)
        answered(page)
        page.evaluate("""() => {
          const video = document.querySelector('.live video'), canvas = document.createElement('canvas');
          window.camera = video.srcObject.id;
          window.still = canvas.captureStream();
          canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
        }""")
        page.evaluate(f"document.querySelector('.live video').srcObject = {freeze}")
        page.wait_for_function(
            "() => ![undefined, window.camera, window.still.id].includes("
            "document.querySelector('.live video').srcObject?.id)"
        )
        answered(page)


def test_a_camera_of_4k_at_60_is_read_in_small(wall, opened):
    with opened(wall, "4K at 60") as page:
        page.evaluate("""() => {
          const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
          const [width, height] = [{ exact: 3840 }, { exact: 2160 }];
          devices.getUserMedia = () => open({ video: { width, height } }); // one that gives nothing smaller
          const ask = window.fetch;
          window.fetch = async (url, asked) => {
            const { width, height } = asked?.body ? await createImageBitmap(asked.body) : {};
            window.sent = width ? [width, height] : window.sent;
            return ask(url, asked);
          };
        }""")
        start(page)
        wait_for_mood(page, "happy")
        assert page.evaluate("document.querySelector('.live video').videoWidth") == 3840
        assert page.evaluate("window.sent") == [1280, 720]
        page.locator(".live .waits").wait_for(state="hidden")


def test_a_black_picture_is_told_until_it_is_light(wall, opened):
    with opened(wall, "black") as page:
        start(page)
        wait_for_word(page, "The camera gives a black picture. Is it covered?")
        wait_for_mood(page, "happy")
        page.locator(".live .waits").wait_for(state="hidden")


def test_the_ribbon_goes_on_when_the_clock_is_put_back(wall, opened):
    with opened(wall) as page:
        points = page.evaluate("""async () => {
          const { Ribbon } = await import(new URL('femr/ribbon.js', document.baseURI))
          const ribbon = new Ribbon(document.createElement('canvas'), [{ emotion: 'happy', color: '#fff', emoji: '' }])
          const seen = { mood: { emotion: 'happy' } }
          ribbon.add(seen)
          const now = Date.now
          Date.now = () => now() - 3_600_000
          await new Promise((done) => setTimeout(done, 1100))
          ribbon.add(seen)
          Date.now = now
          return ribbon.points.length
        }""")
        assert points == 2


@pytest.mark.parametrize("head", [0, 1000])
def test_a_broken_song_is_named_and_passed_over(mortal, opened, head):
    with opened(mortal.url) as page:
        broken = mortal.music / "happy" / "happy 0.mp3"
        damage(broken, head)
        start(page)
        page.locator(".live .next").get_by_text("“happy 0” cannot be played.").wait_for(timeout=PATIENCE)
        wait_until_heard(page)
        assert title(page) == "♫ happy 1"


def test_where_all_songs_are_broken_it_says_so_and_plays_when_they_are_whole(mortal, opened):
    with opened(mortal.url) as page:
        songs = {path: path.read_bytes() for path in (mortal.music / "happy").iterdir()}
        for path in songs:
            damage(path)
        start(page)
        page.locator(".live .next").get_by_text("None of the songs can be played.").wait_for(timeout=PATIENCE)
        for path, content in songs.items():
            path.write_bytes(content)
        # ten minutes later, whatever the clock on the wall says
        page.evaluate("""() => {
          const now = performance.now.bind(performance);
          performance.now = () => now() + 600_000;
          Date.now = () => 0;
        }""")
        wait_until_heard(page)


def test_while_the_network_is_away_a_whole_song_stands_in_for_broken_ones(tmp_path, opened):
    write_songs(tmp_path, "happy", songs=1)
    for mood, intact in (("sad", 0.5), ("angry", 0.01)):
        (tmp_path / mood).mkdir()
        song = tmp_path / mood / f"{mood}.flac"
        soundfile.write(song, 0.1 * np.sin(np.arange(8000 * 16) / 10), 8000)
        damage(song, int(intact * song.stat().st_size))
    with serving(tmp_path) as url, opened(url) as page:
        half, bad = (
            {"number": shared.number_of(song), "url": f"femr/song/{shared.number_of(song)}", "title": song.title}
            for song in sorted(shared.music_library().songs, key=lambda song: song.title, reverse=True)
            if song.title != "happy 0"
        )
        start(page)
        wait_until_heard(page)
        page.evaluate(
            """async ([half, bad]) => {
              const player = await import(new URL('femr/player.js', document.baseURI));
              const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
              const card = player.current();
              document.querySelector('.live .stop').click();
              player.play([card]);
              await wait(2);
              player.follow({ ...card, ...half });
              await wait(2);
              player.next(true);
              await wait(3);
              player.follow({ ...card, ...bad });
              await wait(2);
            }""",
            [half, bad],
        )
        assert page.text_content(".player .title") == "sad"
        page.context.set_offline(True)
        note_gaps(page)
        page.wait_for_timeout(12_000)
        assert page.text_content(".player .title") == "happy 0"
        assert page.evaluate("window.sounding().length") == 1
        assert longest_gap(page) < 3


def test_an_empty_music_folder_is_told_and_songs_play_when_they_are_there(tmp_path, opened):
    with serving(tmp_path) as url, opened(url) as page:
        start(page)
        page.locator(".live .next").get_by_text("The music library holds no song that can be played.").wait_for()
        wait_for_mood(page, "happy")
        write_songs(tmp_path, "happy")
        wait_until_heard(page)


def test_where_nothing_else_can_be_heard_the_song_before_begins_again(mortal, opened):
    with opened(mortal.url) as page:
        start(page)
        wait_until_heard(page)
        heard = page.text_content(".player .title")
        mortal.kill()
        note_gaps(page)
        page.evaluate("""async () => {
          const player = await import(new URL('femr/player.js', document.baseURI));
          player.play([{...player.current(), number: 99, url: 'femr/song/99', title: 'gone'}]);
        }""")
        page.locator(".player[data-state=playing]").get_by_text(heard, exact=True).wait_for(state="attached")
        assert longest_gap(page) < 3
