"""The wall: the stage on a page of its own, for a big screen and a whole evening. It needs nothing of Gradio."""

from jinja2 import Environment
from markupsafe import Markup
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from femr.page import live, shared
from femr.page.live import Setup

PATH = "/wall"
_OWN = "'self' blob: data:"
HEADERS = {
    "Content-Security-Policy": f"default-src 'self'; img-src {_OWN}; media-src {_OWN}; base-uri 'none'",
    "Permissions-Policy": "microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
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
    return [Middleware(_Door)] if setup.wall else []


class _Door:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        bare = scope["type"] == "http" and scope["path"] == "/" and not scope["query_string"]
        answer = RedirectResponse(PATH.lstrip("/")) if bare and scope["method"] == "GET" else self._app
        await answer(scope, receive, send)
