"""What the page's own scripts ask for by address: songs, covers, example pictures and the scripts themselves.

Nothing of a visitor's is here, and no address tells where a file lies.
"""

from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from tinytag import TinyTag

from femr.page.shared import EXAMPLE, music_library

ROOT = "femr"
"""The first part of all these addresses, beside those that are Gradio's."""
STATIC = Path(__file__).with_name("static")
_COVERS = ("image/jpeg", "image/png", "image/webp")
_DAY = {"Cache-Control": "max-age=86400"}


def routes() -> list[BaseRoute]:
    """The routes to be served beside Gradio's."""
    parts: list[BaseRoute] = [
        Route("/song/{number:int}", _song),
        Route("/cover/{number:int}", _cover),
        Mount("/examples", StaticFiles(directory=EXAMPLE.parent)),
        Mount("/", StaticFiles(directory=STATIC)),
    ]
    return [Mount(f"/{ROOT}", routes=parts)]


def song_url(number: int) -> str:
    """The address of a song of the library, relative to the page's."""
    return f"{ROOT}/song/{number}"


def cover_url(number: int) -> str:
    """The address of a song's cover, relative to the page's."""
    return f"{ROOT}/cover/{number}"


def _song(request: Request) -> Response:
    """The file, or the range of it that is asked for: players need not wait for all of it."""
    path = _path(request)
    return FileResponse(path, headers=_DAY) if path else Response(status_code=404)


def _cover(request: Request) -> Response:
    path = _path(request)
    cover = path and _picture_in(path)
    if not cover:
        return FileResponse(STATIC / "cover.svg")
    return Response(cover[0], media_type=cover[1], headers=_DAY)


def _path(request: Request) -> Path | None:
    songs, number = music_library().songs, request.path_params["number"]
    return songs[number].path if number < len(songs) and songs[number].path.is_file() else None


@cache
def _picture_in(path: Path) -> tuple[bytes, str] | None:
    """The cover that a song carries and its kind; None where it has none, or its tags are damaged."""
    try:
        cover = TinyTag.get(path, duration=False, image=True).images.any
    except Exception:  # a damaged file makes the library raise nearly anything
        return None
    kind = cover and cover.mime_type
    return (cover.data, kind) if cover and kind in _COVERS else None
