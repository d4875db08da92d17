"""What a wall tells programs, and what its host may tell it from a phone: over HTTP, and in a browser."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.cookiejar import CookieJar
from threading import Thread
from urllib.error import HTTPError

import cv2
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from chromium import PHONE, visiting
from femr.expression.weights import DEFAULT_MODEL
from femr.page import live, remote, shared, visits, wall
from femr.page.app import is_public
from femr.page.media import STATIC
from femr.page.remote import Door, Remote
from femr.page.visits import Command, Visits
from femr.page.wall import Events
from femr.results import Emotion
from photo_tab import serious, wait_until_playing
from visitors import served
from wall_film import Scene, write_film

TOKEN = "a" * 22
HAPPY = visits.event(Emotion.HAPPY, {Emotion.HAPPY: 6, Emotion.SAD: 2}, 8, "Sunday Kites")
SMALL = visits.event(Emotion.SAD, {Emotion.SAD: 2}, 2, None)


LOOPS = []  # of the servers, the one that runs last


@asynccontextmanager
async def running(_):
    LOOPS.append(asyncio.get_running_loop())
    yield
    LOOPS.pop()


@contextmanager
def serving(*routes):
    """The address of a server with these routes, in a thread of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = Starlette(routes=[*routes, Mount("/femr", StaticFiles(directory=STATIC))], lifespan=running)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield f"http://127.0.0.1:{port}/"
    server.force_exit = server.should_exit = True
    thread.join()


@pytest.fixture
def table():
    table = Visits()
    table.enter(TOKEN, wall=True)
    return table


def tell(table, event):
    """As an answer to a wall does, in the server's loop."""
    visit = table.enter(TOKEN, wall=True)
    LOOPS[-1].call_soon_threadsafe(table.tell, visit, event)


@pytest.fixture
def listening(table):
    with serving(*Events(table).routes()) as url:
        yield f"{url}wall/events"


def told(stream):
    """The next event, whatever comments stand before it."""
    line = next(line for line in stream if line.startswith(b"data: "))
    return json.loads(line.removeprefix(b"data: "))


def test_a_listener_hears_the_last_event_and_each_that_follows(table, listening):
    tell(table, HAPPY)
    with urllib.request.urlopen(listening, timeout=10) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["X-Accel-Buffering"] == "no"
        assert stream.headers["Cache-Control"] == "no-store"
        first = told(stream)
        assert first["time"] == pytest.approx(HAPPY.time)
        assert first | {"time": 0} == {
            "time": 0,
            "mood": "happy",
            "shares": {"happy": 0.75, "sad": 0.25},
            "faces": 8,
            "song": "Sunday Kites",
        }
        tell(table, SMALL)
        assert told(stream)["shares"] is None  # of so few


def test_a_line_on_which_nothing_happens_is_kept(listening, monkeypatch):
    monkeypatch.setattr(wall, "KEEP_ALIVE", 0.1)
    with urllib.request.urlopen(listening, timeout=10) as stream:
        lines = [next(stream) for _ in range(9)]
    assert len(lines[0]) > 4000  # what a proxy collects first
    assert lines.count(b": nothing new\n") >= 2


@contextmanager
def collecting(url):
    """A proxy that passes an answer on when it has all of it."""

    async def collect(request):
        asked = f"{url}{request.url.path.lstrip('/')}?{request.url.query}"
        return Response(await asyncio.to_thread(lambda: urllib.request.urlopen(asked, timeout=2).read()))

    with serving(Route("/wall/events", collect)) as proxy:
        yield proxy


def test_behind_a_proxy_that_collects_all_the_last_event_can_be_asked_for(table, listening):
    with collecting(listening.removesuffix("wall/events")) as proxy:
        events = f"{proxy}wall/events"
        with pytest.raises(HTTPError):
            urllib.request.urlopen(events)
        for event, mood in ((HAPPY, "happy"), (SMALL, "sad")):
            tell(table, event)
            for _ in range(100):
                with urllib.request.urlopen(f"{events}?once") as answer:
                    last = json.load(answer)
                if last and last["mood"] == mood:
                    break
            assert last["faces"] == event.faces


def test_so_many_may_listen_and_whoever_leaves_makes_room(table, listening, monkeypatch):
    monkeypatch.setattr(wall, "MOST_LISTENERS", 2)
    monkeypatch.setattr(wall, "KEEP_ALIVE", 0.05)
    tell(table, HAPPY)
    streams = [urllib.request.urlopen(listening, timeout=10) for _ in range(2)]
    assert [told(stream)["faces"] for stream in streams] == [8, 8]
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(listening)
    assert refused.value.code == 503
    assert "listening already" in json.load(refused.value)["error"]
    streams[0].close()
    for _ in range(100):
        try:
            streams[0] = urllib.request.urlopen(listening, timeout=10)
            break
        except HTTPError:
            continue
    assert told(streams[0])["faces"] == 8
    for stream in streams:
        stream.close()


def test_as_many_as_come_at_once_none_too_many_listen(listening, monkeypatch):
    monkeypatch.setattr(wall, "MOST_LISTENERS", 2)

    async def listen(client):
        async with client.stream("GET", listening) as answer:
            await asyncio.sleep(1)
            return answer.status_code

    async def come():
        async with httpx.AsyncClient() as client:
            return await asyncio.gather(*(listen(client) for _ in range(20)))

    assert sorted(asyncio.run(come())) == 2 * [200] + 18 * [503]


@pytest.fixture(scope="module")
def page():
    """The whole page with its middleware, and with a remote."""
    with served(live.Setup(wall=True), Door()) as url:
        yield url


OWN = "192.0.2.7:7860"  # as a device of the network calls it
ASKING = [
    ("GET", "wall/events?once", 200),
    ("POST", "wall/remote", 401),
    ("POST", f"live/pulse?visit={TOKEN}", 200),
]


@pytest.mark.parametrize(("method", "path", "own"), ASKING)
@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Origin": f"http://{OWN}"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Origin": "http://femr.house:8080", "Host": "femr.house"}, False),  # as proxies pass it on
        ({"Origin": "http://femr.house", "Host": "127.0.0.1:7860"}, False),
        ({"Origin": "null"}, True),
        ({"Origin": "http://[::1"}, True),
        ({"Origin": "https://example.com"}, True),
        ({"Origin": "https://example.com", "X-Forwarded-Host": "example.com"}, True),  # any page may send it
        ({"Origin": "https://example.com", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
    ],
)
def test_no_page_of_another_site_asks(page, method, path, own, headers, foreign):
    answer = httpx.request(method, page + path, headers={"Host": OWN, **headers})
    assert answer.status_code == (403 if foreign else own)


def test_obs_may_read_the_events_and_move_nothing(page):
    headers = {"Origin": "http://absolute", "Sec-Fetch-Site": "cross-site"}
    answer = httpx.get(f"{page}wall/events?once", headers=headers)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "http://absolute")
    assert httpx.post(f"{page}wall/remote", headers=headers).status_code == 403


def test_a_frame_of_another_site_reads_none(browser, table, listening):
    tell(table, HAPPY)
    tell_above = "(words) => parent.postMessage(words, '*')"
    asking = f"fetch('{listening}?once').then(() => 'read', () => 'refused').then({tell_above})"
    html = f"""<script>onmessage = ({{data}}) => document.title = data</script>
        <iframe sandbox="allow-scripts" srcdoc="<script>{asking}</script>"></iframe>"""

    async def page(_):
        return HTMLResponse(html)

    with serving(Route("/", page)) as other:
        page = browser.new_page()
        page.goto(other.replace("127.0.0.1", "localhost"))
        page.wait_for_function("document.title")
        assert page.title() == "refused"
        page.close()


def test_a_wall_that_has_gone_is_told_of_no_more(table, listening, monkeypatch):
    monkeypatch.setattr(wall, "KEEP_ALIVE", 0.05)
    tell(table, HAPPY)
    with urllib.request.urlopen(listening, timeout=10) as stream:
        assert told(stream)["mood"] == "happy"
        monkeypatch.setattr(visits, "AWAY", 0.0)
        event = told(stream)
        assert (event["mood"], event["shares"], event["faces"], event["song"]) == (None, None, 0, None)
    with urllib.request.urlopen(f"{listening}?once") as answer:
        assert json.load(answer) is None


def test_a_page_that_is_open_to_everybody_tells_none(table):
    with serving(*Events(table, hosted=True).routes()) as url, pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{url}wall/events")
    assert refused.value.code == 404


def test_curl_reads_them_as_the_manual_says(table, listening):
    tell(table, HAPPY)
    with subprocess.Popen(["curl", "-sN", listening], stdout=subprocess.PIPE) as curl:
        assert told(curl.stdout)["song"] == "Sunday Kites"
        curl.terminate()


class Phone:
    """A phone without a browser."""

    def __init__(self, url):
        self._url = f"{url}wall/remote"
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())).open

    def ask(self, headers=None, **asked):
        """The status, and what was said."""
        headers = headers or {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, json.dumps(asked).encode(), headers)
        try:
            with self._open(request) as answer:
                return answer.status, ""
        except HTTPError as error:
            return error.code, json.load(error)["error"]


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def controlled(table, door):
    with serving(*Remote(table, door).routes(), *Events(table).routes()) as url:
        yield url


def commands(table):
    return list(table.enter(TOKEN, wall=True).commands)


def wrong(door):
    return f"{(int(door.code) + 1) % 10**6:06}"


def test_whoever_has_the_code_moves_the_wall_and_nobody_else(table, door, controlled):
    host, guest = Phone(controlled), Phone(controlled)
    assert host.ask(code=door.code) == (204, "")
    assert host.ask() == (204, "")
    for asked in ({"name": "skip"}, {"name": "volume", "value": 0.4}, {"name": "mode", "value": "lift"}):
        assert host.ask(**asked) == (204, "")
        assert guest.ask(**asked) == (401, "Please type the code first.")
    assert commands(table) == [Command("skip"), Command("volume", 0.4), Command("mode", "lift")]


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "louder"},
        {"name": "volume"},
        {"name": "volume", "value": 2},
        {"name": "volume", "value": True},
        {"name": "mode", "value": "loud"},
        {"name": None},
        {"name": ["skip"]},
    ],
)
def test_what_is_no_command_is_refused(table, door, controlled, asked):
    host = Phone(controlled)
    host.ask(code=door.code)
    assert host.ask(**asked)[0] == 400
    assert commands(table) == []


def test_another_sites_form_moves_nothing(table, door, controlled):
    host = Phone(controlled)
    host.ask(code=door.code)
    host.ask({"Content-Type": "text/plain"}, name="skip")
    host.ask(name="skip" + 2000 * " ")
    assert commands(table) == []


def test_wrong_codes_are_slowed_down_the_right_one_too(door, controlled):
    phone = Phone(controlled)
    said = [phone.ask(code=wrong(door)) for _ in range(6)]
    assert [status for status, _ in said] == [403] * 3 + [429] * 3
    assert said[0][1] == remote.WRONG_CODE
    assert said[-1][1].startswith("Too many wrong codes. Please try again in ")
    assert phone.ask(code=door.code)[0] == 429


def test_a_phone_is_let_in_behind_a_proxy_that_serves_the_page_elsewhere(table, door):
    with serving(Mount("/house", routes=Remote(table, door).routes())) as url:
        host = Phone(f"{url}house/")
        assert host.ask(code=door.code) == (204, "")
        assert host.ask(name="skip") == (204, "")


@pytest.mark.parametrize("code", ["", "12345", "1234567", "é" * 6, None, 5, [], {}])
def test_what_is_no_code_is_wrong(controlled, code):
    assert Phone(controlled).ask(code=code)[0] == 403


def hours_to_try(door, monkeypatch, addresses, codes):
    """How long so many wrong codes take from so many addresses, by the clock that the door goes by."""
    now = 0.0
    monkeypatch.setattr(remote, "monotonic", lambda: now)
    for number in range(codes):
        address = str(number % addresses)
        now += door.wait(address)
        assert door.enter(wrong(door), address) is None
    return now / 3600


@pytest.mark.parametrize("addresses", [1, 100, 10_000])
def test_a_thousand_codes_take_most_of_a_day_from_however_many_addresses(door, monkeypatch, addresses):
    assert hours_to_try(door, monkeypatch, addresses, 1000) > 16


def test_after_a_wait_the_right_code_is_taken(door, monkeypatch):
    hours_to_try(door, monkeypatch, 1, 50)
    assert door.wait("1") <= 60
    now = remote.monotonic() + 600
    monkeypatch.setattr(remote, "monotonic", lambda: now)
    phone = door.enter(door.code, "0")
    assert door.knows(phone)
    assert not door.knows("")


def test_codes_have_six_digits_and_differ():
    codes = {Door().code for _ in range(50)}
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(codes) > 40


def test_the_remote_works_while_pictures_are_too_late(door, portrait, monkeypatch):
    jpeg = cv2.imencode(".jpg", portrait[..., ::-1])[1].tobytes()
    headers = {"Content-Type": "image/jpeg", "Femr-Told": json.dumps({"wall": True})}
    with served(live.Setup(wall=True), door) as url:
        monkeypatch.setattr(live, "LATE", -1.0)
        late = partial(httpx.post, f"{url}live/frame?visit={TOKEN}", content=jpeg, headers=headers)
        assert late().status_code == 204
        host = Phone(url)
        host.ask(code=door.code)
        host.ask(name="skip")
        answer = late().json()
    assert list(answer) == ["commands"]
    assert [command["name"] for command in answer["commands"]] == ["skip"]


def test_without_a_door_there_is_no_remote(table):
    with serving(*Remote(table, None).routes()) as url:
        assert Phone(url).ask(code="000000") == (404, remote.NO_REMOTE)
        with pytest.raises(HTTPError) as refused:
            urllib.request.urlopen(f"{url}wall/remote")
    assert refused.value.code == 404


def test_the_hosts_phone(browser, table, door, controlled, monkeypatch):
    shown = table.enter(TOKEN, wall=True)
    tell(table, HAPPY)
    with visiting(controlled, but=["401", "403", "429"]) as visit:
        page = visit(browser, PHONE, "wall/remote")
        page.get_by_text("Sunday Kites").wait_for()
        page.get_by_label("six digits").fill(wrong(door))
        page.get_by_role("button", name="Connect").click()
        page.get_by_text("This is not the code.").wait_for()
        assert serious(page) == []
        page.get_by_label("six digits").fill(door.code)
        page.get_by_role("button", name="Connect").click()
        page.get_by_role("button", name="Next song").click()
        page.get_by_role("button", name="Lift it").click()
        page.locator("[aria-pressed=true]").get_by_text("Lift it").wait_for()
        page.get_by_label("Volume").fill("0.3")
        page.get_by_role("button", name="Pause").click()
        page.wait_for_load_state("networkidle")
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.reload()
        page.get_by_role("button", name="Next song").wait_for()  # without the code
        page.get_by_text("Sunday Kites").wait_for()
        monkeypatch.setattr(visits, "AWAY", 0.0)  # the wall has gone
        page.get_by_text("Sunday Kites").wait_for(state="hidden")
        page.context.close()
    assert list(shown.commands) == [Command("skip"), Command("mode", "lift"), Command("volume", 0.3), Command("pause")]


def test_the_hosts_phone_says_what_does_not_answer(browser, door, controlled):
    with visiting(controlled, but=["401", "502", "net::ERR_FAILED"]) as visit:
        page = visit(browser, PHONE, "wall/remote")
        page.get_by_label("six digits").fill(door.code)
        for answer, words in (
            (lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"), "femr does not answer."),
            (lambda route: route.abort(), "femr cannot be reached."),
        ):
            page.route("**/wall/remote", answer)
            page.get_by_role("button", name="Connect").click()
            page.get_by_text(words).wait_for()
            page.unroute("**/wall/remote")
        page.get_by_role("button", name="Connect").click()
        page.get_by_role("button", name="Next song").wait_for()
        page.get_by_text(words).wait_for(state="detached")


@pytest.mark.parametrize(
    ("url", "host", "said"),
    [
        (
            "http://127.0.0.1:7860/",
            "127.0.0.1",
            r"http://127\.0\.0\.1:7860/wall/remote with the code \d{6} \(start",
        ),
        ("http://localhost:7860/", "0.0.0.0", r"http://[\w.]+:7860/wall/remote with the code \d{6}$"),
        ("http://[::]:7860/", "[::]", r"http://\[[\da-f:]+\]:7860/wall/remote with the code \d{6}$"),
        ("https://abc.gradio.live/", "", r"https://abc\.gradio\.live/wall/remote with the code \d{6}$"),
    ],
)
def test_the_host_is_told_where_the_remote_is(door, url, host, said):
    assert re.search(said, remote.way_to_remote(door, url, host))


@pytest.mark.parametrize(
    ("environment", "options", "remote", "events"),
    [
        ({}, [], True, True),
        ({"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}, [], True, True),  # where Gradio shares pages by itself
        ({}, ["--no-remote"], False, True),
        ({"SPACE_ID": "somebody/femr"}, [], False, False),
        ({"SPACE_ID": "somebody/femr"}, ["--remote"], True, False),
    ],
)
def test_a_page_for_everybody_has_no_remote_unless_it_is_asked_for(environment, options, remote, events):
    command = [sys.executable, "-m", "femr", "app", "--wall", "--host", "127.0.0.1", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}) as process:
        said = []
        try:
            while not said or "The wall" not in said[-1]:
                said.append(next(process.stdout))
            url = said[-1].split()[-1].removesuffix("wall")
            assert "gradio.live" not in "".join(said)
            assert httpx.post(f"{url}wall/remote").status_code == (401 if remote else 404)
            assert httpx.get(f"{url}wall/events?once").status_code == (200 if events else 404)
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("host", "public"),
    [
        (None, False),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("fd00::2", False),
        ("localhost", False),
        ("1.1.1.1", True),
        ("16843009", True),  # as a name: 1.1.1.1
        ("[2606:4700:4700::1111]", True),
    ],
)
def test_an_address_of_the_internet_is_public(host, public):
    assert is_public(host) is public


@pytest.fixture
def evening(watcher, door, tmp_path):
    """A wall in a browser whose camera sees smiling people, and its address."""
    shared.warm_up(DEFAULT_MODEL)
    film = write_film(tmp_path / "smiles.mjpeg", (Scene(2, 4),), (640, 360))
    with served(live.Setup(wall=True), door) as url, visiting(url, but=["401"]) as visit:
        yield visit(watcher(film), address="wall"), url


def sounding(wall, before=None):
    """The title of the song that plays, once it is another one than `before`; the wall may have hidden it."""
    wait_until_playing(wall, before)
    return wall.text_content(".player .title")


def test_from_the_phone_to_the_wall_and_from_there_to_a_program(evening, door):
    wall, url = evening
    wall.get_by_role("button", name="Start", exact=True).click()
    first = sounding(wall)
    host = Phone(url)
    host.ask(code=door.code)
    host.ask(name="skip")
    second = sounding(wall, first)
    for _ in range(100):
        with urllib.request.urlopen(f"{url}wall/events?once") as answer:
            event = json.load(answer)
        if event and event["song"] == second:
            break
        wall.wait_for_timeout(200)
    assert event | {"time": 0} == {"time": 0, "mood": "happy", "shares": None, "faces": 2, "song": second}
    with urllib.request.urlopen(f"{url}wall/events", timeout=30) as stream:
        assert told(stream)["song"] == second
    host.ask(name="volume", value=0.25)
    wall.wait_for_function("() => document.querySelector('.player .volume').value === '0.25'")
    host.ask(name="pause")
    wall.wait_for_selector(".player[data-state=paused]", state="attached")
    host.ask(name="play")
    sounding(wall)
