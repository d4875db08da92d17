"""The host's remote for all walls, at /wall/remote: a page for a phone, behind a code that is shown at start.

Whoever has the code gets a cookie for this run of the server. Wrong codes are slowed down, at first for the address
that they come from, then for all: so even of many addresses nobody tries more than one code a minute.
"""

import hmac
import json
import re
import secrets
import socket
from collections import Counter, deque
from contextlib import suppress
from http import HTTPStatus
from time import monotonic
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from femr.errors import plural
from femr.music import Mode
from femr.page import shared
from femr.page.visits import HERE, NO_STRANGERS, Command, CommandName, Visits, foreign

NO_REMOTE = "The remote is off. Start femr with --remote to have one."
WRONG_CODE = "This is not the code. It stands in the window where femr was started."

_FREE, _FREE_OF_ALL = 2, 19  # wrong codes of an address, and of all, without a wait
_LONGEST, _LONGEST_OF_ALL = 600.0, 60.0  # seconds
_MOST_PHONES = 16
_MOST_ASKED = 1_000  # bytes of what a phone asks
_COOKIE = "femr-remote"
_EVERYWHERE = ("0.0.0.0", "[::]")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}


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
            return HTMLResponse(f"<!doctype html><title>femr</title><p>{NO_REMOTE}", 404, _HEADERS)
        return HTMLResponse(shared.text_of("remote.html"), headers=_HEADERS)

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
