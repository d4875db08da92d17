"""What the page's own scripts ask for by address: songs, covers, example pictures and the scripts themselves.

Nothing of a visitor's is here, and no address tells where a file lies.
"""

import mimetypes
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tinytag import TinyTag

from femr.page.shared import EXAMPLE, music_library, number_of, numbered
from femr.results import Song
from femr.song_tags import gain_of, sound_start

ROOT = "femr"
"""The first part of all these addresses, beside those that are Gradio's."""
STATIC = Path(__file__).with_name("static")
_COVERS = ("image/jpeg", "image/png", "image/webp")
_ASSETS = Path(gr.__file__).with_name("templates") / "frontend" / "assets"
_FIRST_VIEW = ("html", "tabs", "tabitem", "column", "state", "form")
_SCRIPTS = ("photo", "camera", "faces", "player", "sharing")
_PIECE = 65_536  # bytes
_DAY = {"Cache-Control": "max-age=86400"}


class ZippedPage:
    """Sends the page itself zipped, as Gradio (6.31) does with its scripts only: 23 kB instead of 140.

    With it goes word of all that the first view will ask for, so that a slow line is not idle meanwhile.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._plain, self._zipped = app, GZipMiddleware(app)
        own = [f"{ROOT}/{name}.js" for name in _SCRIPTS]
        self._link = ", ".join(map(_preload, [*_parts_of_first_view(), *own]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI request."""

        async def send_linked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Link"] = self._link
            await send(message)

        if scope.get("path") == "/":
            await self._zipped(scope, receive, send_linked)
        else:
            await self._plain(scope, receive, send)


def _preload(address: str) -> str:
    kind = "preload; as=style; crossorigin" if address.endswith(".css") else "modulepreload"
    return f"<{address}>; rel={kind}"


def _parts_of_first_view() -> list[str]:
    """Addresses of Gradio's (6.31) styles and scripts of the first view, in its order; fewer where it names fewer."""
    entry, core = (_text_of(pattern) for pattern in ("index-*.js", "core-*.js"))
    needed = [re.search(rf"[{{,]{name}:{{.*?component:.*?__vite__mapDeps\(\[([\d,]+)", core) for name in _FIRST_VIEW]
    numbers = {int(number) for found in needed if found for number in found[1].split(",")}
    parts = [name for number, name in enumerate(_listed(core)) if number in numbers]
    parts = [name for name in parts if re.match(r"(Index|Example|HTML)-", name)]
    start, frame = (*_names("index-*.css"), *_names("index-*.js")), (*_names("Blocks-*"), *_names("*-logo-*.js"))
    return [f"assets/{name}" for name in (*start, *_listed(entry), *frame, *parts)]


def _names(pattern: str) -> list[str]:
    return [path.name for path in _ASSETS.glob(pattern)]


def _text_of(pattern: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in _ASSETS.glob(pattern))


def _listed(script: str) -> list[str]:
    """The files that a script says it may load."""
    listed = re.search(r"m\.f=\[(.*?)\]", script)
    return re.findall(r'"\./([^"]+)"', listed[1]) if listed else []


def middleware() -> list[Middleware]:
    """What stands before the page."""
    return [Middleware(ZippedPage)]


def routes() -> list[BaseRoute]:
    """The routes to be served beside Gradio's."""
    parts: list[BaseRoute] = [
        Route("/song/{number:int}", _song),
        Route("/cover/{number:int}", _cover),
        Route("/gain/{number:int}", _gain),
        Mount("/examples", StaticFiles(directory=EXAMPLE.parent)),
        Mount("/", StaticFiles(directory=STATIC)),
    ]
    return [Mount(f"/{ROOT}", routes=parts)]


def song_url(song: Song) -> str:
    """The address of a song of the library, relative to the page's."""
    return f"{ROOT}/song/{number_of(song)}"


def cover_url(song: Song) -> str:
    """The address of a song's cover, relative to the page's."""
    return f"{ROOT}/cover/{number_of(song)}"


def _song(request: Request) -> Response:
    """The range of a song that is asked for, without its tag: a cover makes Chromium fetch all before it plays."""
    path = _path(request)
    if path is None:
        return Response(status_code=404)
    with path.open("rb") as file:
        start = sound_start(file)
    size = path.stat().st_size - start
    span = span_of(request.headers.get("range", ""), size)
    if span is None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers = {**_DAY, "Accept-Ranges": "bytes", "Content-Length": str(len(span))}
    if len(span) < size or "range" in request.headers:
        headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
    status = 206 if "Content-Range" in headers else 200
    kind = mimetypes.guess_type(path.name)[0]
    return StreamingResponse(_pieces(path, start + span.start, len(span)), status, headers, kind)


def span_of(asked: str, size: int) -> range | None:
    """The bytes that a Range header asks for, all where it is none; None where there are no such bytes (RFC 9110)."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    if not found or found.groups() == ("", ""):
        return range(size)
    first, last = found.groups()
    span = range(int(first), min(int(last or size), size - 1) + 1) if first else range(max(0, size - int(last)), size)
    return span or None


def _pieces(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(length, _PIECE))):
            length -= len(piece)
            yield piece


def _cover(request: Request) -> Response:
    path = _path(request)
    cover = path and picture_in(path)
    if not cover:
        return FileResponse(STATIC / "cover.svg")
    return Response(cover[0], media_type=cover[1], headers=_DAY)


def _gain(request: Request) -> Response:
    """A song's gain as it is known now: pages were told of songs before they were measured."""
    song = _named(request)
    return JSONResponse(gain_of(song)) if song else Response(status_code=404)


def _path(request: Request) -> Path | None:
    song = _named(request)
    return song.path if song and song.path.is_file() else None


def _named(request: Request) -> Song | None:
    return numbered(music_library()).get(request.path_params["number"])


@lru_cache(maxsize=32)  # they may be large
def picture_in(path: Path) -> tuple[bytes, str] | None:
    """The cover that a song carries and its kind; None where it has none, or its tags are damaged."""
    try:
        cover = TinyTag.get(path, duration=False, image=True).images.any
    except Exception:  # a damaged file makes the library raise nearly anything
        return None
    kind = cover and cover.mime_type
    return (cover.data, kind) if cover and kind in _COVERS else None
