"""The wall: the stage on a page of its own, for a big screen and a whole evening. It needs nothing of Gradio.

What walls show programs are told, too: server-sent events at /wall/events, the last one at /wall/events?once. They tell
of all together, never of a face. Only programs of this machine or its network are meant: no page of another site may
read them, and where a page is open to everybody there are none.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict

from jinja2 import Environment
from markupsafe import Markup
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from femr.page import live, shared
from femr.page.live import Setup
from femr.page.visits import NO_STRANGERS, Visits, WallEvent, foreign

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

_PADDING = ":" + 4096 * " " + "\n\n"
"""What a proxy that collects the first kilobytes may keep."""
_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"}
_OBS = ("http://absolute", "file://")
"""Where it says that its local files come from. Not "null": any site's frame in a sandbox says that."""


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
