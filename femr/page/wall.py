"""The wall: the stage on a page of its own, for a big screen and a whole evening. It needs nothing of Gradio.

What walls show programs are told, too: server-sent events at /wall/events, the last one at /wall/events?once. They tell
of all together, never of a face. Only programs of this machine or its network are meant: no page of another site may
read them, and where a page is open to everybody there are none.

The host has a remote for all walls, at /wall/remote: a page for a phone, behind a code that is shown at start. Whoever
has the code gets a cookie for this run of the server. Wrong codes are slowed down, at first for the address that they
come from, then for all: so even of many addresses nobody tries more than one code a minute.
"""

import asyncio
import hmac
import json
import re
import secrets
import socket
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict
from http import HTTPStatus
from time import monotonic
from typing import Any, get_args

from jinja2 import Environment
from markupsafe import Markup
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from femr.errors import plural
from femr.music import Mode
from femr.page import live, shared
from femr.page.live import Setup
from femr.page.visits import HERE, NO_STRANGERS, Command, CommandName, Visits, WallEvent, foreign

PATH = "/wall"
_OWN = "'self' blob: data:"
HEADERS = {
    "Content-Security-Policy": f"default-src 'self'; img-src {_OWN}; media-src {_OWN}; base-uri 'none'",
    "Permissions-Policy": "microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
}
KEEP_ALIVE = 10.0
"""Seconds without an event after which a comment is sent, so that nothing on the way gives the line up."""
MOST_LISTENERS = 32  # at once
NO_EVENTS = "This page is open to everybody, so it tells no events."
FULL = f"{MOST_LISTENERS} programs are listening already."
NO_REMOTE = "The remote is off. Start femr with --remote to have one."
WRONG_CODE = "This is not the code. It stands in the window where femr was started."

_PADDING = ":" + 4096 * " " + "\n\n"
"""What a proxy that collects the first kilobytes may keep."""
_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"}
_OBS = ("http://absolute", "file://")
"""Where it says that its local files come from. Not "null": any site's frame in a sandbox says that."""

_FREE, _FREE_OF_ALL = 2, 19  # wrong codes of an address, and of all, without a wait
_LONGEST, _LONGEST_OF_ALL = 600.0, 60.0  # seconds
_MOST_PHONES = 16
_MOST_ASKED = 1_000  # bytes of what a phone asks
_COOKIE = "femr-remote"
_EVERYWHERE = ("0.0.0.0", "[::]")
_REMOTE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}


def routes(setup: Setup) -> list[BaseRoute]:
    """The routes to be served beside Gradio's."""
    template = Environment(autoescape=True).from_string(shared.text_of("wall.html"))
    parts = {"stage": live.stage(setup, wall=True), "player": shared.text_of("player.html")}
    page = template.render({name: Markup(text) for name, text in parts.items()})

    async def show(_: Request) -> Response:
        return HTMLResponse(page, headers=HEADERS)

    return [Route(PATH, show)]


def middleware(setup: Setup) -> list[Middleware]:
    """What stands before the page: where it was started as a wall, its bare address leads there."""
    return [Middleware(_WallFirst)] if setup.wall else []


class _WallFirst:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bare = scope["type"] == "http" and scope["path"] == "/" and not scope["query_string"]
        answer = RedirectResponse(PATH.lstrip("/")) if bare and scope["method"] == "GET" else self._app
        await answer(scope, receive, send)


class Events:
    """The events of all walls of a page. Args: `hosted`, whether it is open to everybody."""

    def __init__(self, visits: Visits, hosted: bool = False) -> None:
        self._visits, self._hosted, self._listening = visits, hosted, 0

    def routes(self) -> list[BaseRoute]:
        """The route to be served beside Gradio's."""
        return [Route("/wall/events", self._answer)]

    async def _answer(self, request: Request) -> Response:
        if self._hosted:
            return JSONResponse({"error": NO_EVENTS}, 404)
        origin = request.headers.get("origin")
        if origin not in _OBS and foreign(request.headers):
            return JSONResponse({"error": NO_STRANGERS}, 403)
        headers = {**_UNBUFFERED, "Vary": "Origin"}
        headers |= {"Access-Control-Allow-Origin": origin} if origin in _OBS else {}
        if "once" in request.query_params:
            self._visits.forget()
            last = self._visits.last
            return Response(_json(last) if last else "null", media_type="application/json", headers=headers)
        if self._listening >= MOST_LISTENERS:
            return JSONResponse({"error": FULL}, 503, headers | {"Retry-After": "60"})
        self._listening += 1
        return _Line(self._stream(), self._hung_up, headers)

    def _hung_up(self) -> None:
        self._listening -= 1

    async def _stream(self) -> AsyncIterator[str]:
        events = self._visits.listen()
        coming = asyncio.ensure_future(anext(events))
        try:
            yield _PADDING + "retry: 2000\n\n"
            while True:
                done, _ = await asyncio.wait([coming], timeout=KEEP_ALIVE)
                if done:
                    yield f"data: {_json(coming.result())}\n\n"
                    coming = asyncio.ensure_future(anext(events))
                else:
                    self._visits.forget()
                    yield ": nothing new\n\n"
        finally:
            coming.cancel()


class _Line(StreamingResponse):
    """A listener's line. Args: `events`; what is called when it `ends`, which it may before its first event."""

    def __init__(self, events: AsyncIterator[str], ends: Callable[[], None], headers: dict[str, str]) -> None:
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._ends = ends

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._ends()


def _json(event: WallEvent) -> str:
    return json.dumps(asdict(event), ensure_ascii=False)


class Door:
    """A code of six digits that lets phones in.

    code: The host shows it to whom they like.
    """

    def __init__(self) -> None:
        self.code = f"{secrets.randbelow(10**6):06}"
        self._phones: deque[str] = deque(maxlen=_MOST_PHONES)
        self._wrong: Counter[str] = Counter()
        self._all = 0
        self._closed: dict[str, float] = {}  # until when, by address; "" for all

    def wait(self, address: str) -> float:
        """Seconds until this address may try a code; 0: now."""
        return max(0.0, *(self._closed.get(key, 0.0) - monotonic() for key in (address, "")))

    def enter(self, code: str, address: str) -> str | None:
        """What a phone is known by from now on; None where the code is wrong, or comes before it may be tried."""
        if self.wait(address) > 0:
            return None
        if hmac.compare_digest(code.encode(errors="replace"), self.code.encode()):
            self._wrong.pop(address, None)
            self._phones.append(secrets.token_urlsafe(32))
            return self._phones[-1]
        self._wrong[address] += 1
        self._all += 1
        now = monotonic()
        self._closed[address] = now + _delay(self._wrong[address] - _FREE, _LONGEST)
        self._closed[""] = now + _delay(self._all - _FREE_OF_ALL, _LONGEST_OF_ALL)
        return None

    def knows(self, phone: str) -> bool:
        """Whether a phone has had the code."""
        return any(hmac.compare_digest(phone.encode(errors="replace"), known.encode()) for known in self._phones)


def _delay(tries: int, longest: float) -> float:
    """Twice as many seconds after each try too many."""
    return min(longest, 2.0 ** min(tries, 30)) if tries > 0 else 0.0


def way_to_remote(door: Door, url: str, host: str) -> str:
    """How the host comes to the remote, as lines for the terminal. Args: `url` of the page, `host` it listens on."""
    if host not in _EVERYWHERE:
        aside = " (start femr with --host 0.0.0.0 to reach it from a phone)" if host.strip("[]") in HERE else ""
        return f"* The remote: {url}wall/remote with the code {door.code}{aside}"
    family, outside = (socket.AF_INET6, "2001:db8::1") if host == "[::]" else (socket.AF_INET, "192.0.2.1")
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as line:  # OSError: there is no network
        line.connect((outside, 9))  # sends nothing; it tells which of this machine's addresses others see
        address = line.getsockname()[0]
        url = re.sub(r"//(localhost|\[::\]):", f"//[{address}]:" if ":" in address else f"//{address}:", url)
    return f"* The remote: {url}wall/remote with the code {door.code}"


class Remote:
    """The remote of a page. Args: `door`; None: it is off."""

    def __init__(self, visits: Visits, door: Door | None) -> None:
        self._visits, self._door = visits, door

    def routes(self) -> list[BaseRoute]:
        """The routes to be served beside Gradio's."""
        return [Route("/wall/remote", self._page), Route("/wall/remote", self._asked, methods=["POST"])]

    async def _page(self, _: Request) -> Response:
        if self._door is None:
            return HTMLResponse(f"<!doctype html><title>femr</title><p>{NO_REMOTE}", 404, _REMOTE_HEADERS)
        return HTMLResponse(shared.text_of("remote.html"), headers=_REMOTE_HEADERS)

    async def _asked(self, request: Request) -> Response:
        """Lets a phone in that has the code, or does what a phone asks that is in."""
        if self._door is None:
            return _refused(404, NO_REMOTE)
        if foreign(request.headers):
            return _refused(403, NO_STRANGERS)
        asked = await _document(request)
        if "code" in asked:
            return self._let_in(self._door, str(asked["code"]), request)
        if not self._door.knows(request.cookies.get(_COOKIE, "")):
            return _refused(401, "Please type the code first.")
        if not asked:  # a phone that comes back and asks whether it is in
            return Response(status_code=HTTPStatus.NO_CONTENT)
        if (command := _command(asked)) is None:
            return _refused(400, f"Expected one of {', '.join(get_args(CommandName))}.")
        self._visits.send(command)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @staticmethod
    def _let_in(door: Door, code: str, request: Request) -> Response:
        address = request.client.host if request.client else ""
        if wait := door.wait(address):
            seconds = int(wait) + 1
            words = f"Too many wrong codes. Please try again in {plural(seconds, 'second')}."
            return _refused(429, words, {"Retry-After": str(seconds)})
        phone = door.enter(code, address)
        if phone is None:
            return _refused(403, WRONG_CODE)
        response = Response(status_code=HTTPStatus.NO_CONTENT)
        response.set_cookie(
            _COOKIE,
            phone,
            path=None,  # where the remote is, as the phone sees it: a proxy may have put it elsewhere
            httponly=True,
            samesite="strict",
            max_age=86_400,
            secure=request.url.scheme == "https",
        )
        return response


async def _document(request: Request) -> dict[str, Any]:
    """The object that a request holds; empty where it is none, large, or of a form on another site."""
    size = request.headers.get("content-length", "")
    if not size.isdecimal() or int(size) > _MOST_ASKED or request.headers.get("content-type") != "application/json":
        return {}
    try:
        document = json.loads(await request.body())
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _command(asked: dict[str, Any]) -> Command | None:
    name, value = asked.get("name"), asked.get("value")
    if name == "volume":
        sound = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1
        return Command("volume", value) if sound else None
    if name == "mode":
        return Command("mode", value) if value in get_args(Mode) else None
    known = next((one for one in get_args(CommandName) if one == name), None)
    return Command(known) if known else None


def _refused(status: int, words: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": words}, status, headers)
