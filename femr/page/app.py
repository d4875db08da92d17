"""The page: its tabs put together, and served."""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from threading import Thread, current_thread, main_thread
from typing import Any
from unittest.mock import patch

from femr.page import later

# where Gradio (6.31) finds its components' source, it takes a third of its start to write .pyi files beside it; and it
# imports pandas, 30 MB, of which this page uses nothing
with patch("inspect.getfile", side_effect=OSError), later("pandas"):
    import gradio as gr
from gradio.routes import ORJSONResponse
from starlette.middleware import Middleware

from femr.errors import FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.files import lacking
from femr.page import about, agents, api, bodies, html, live, many, media, photo, queues, shared, uploads, wall
from femr.page.live import PLAIN, Setup
from femr.page.remote import Door, Remote, way_to_remote
from femr.page.visits import Visits
from femr.page.wall import Events

TITLE = "femr · hear the mood of your photo"
DESCRIPTION = "Take a selfie or choose a photo: femr finds every face, and plays the song of the group's mood."
PLAYER = "import(new URL('femr/player.js', document.baseURI)).then((player) => player.start(element))"
# in place of Gradio's
WORDS = {"upload_text.drop_file": "Choose files", "upload_text.click_to_upload": "or drop them here"}
# the scripts come beside Gradio's, not after them
_PHOTO = f'<script type="module" src="{media.ROOT}/photo.js"></script>'
HEAD = f'{_PHOTO}<script type="module">{shared.text_of("page.js")}</script>'


class Page(gr.Blocks):
    """Blocks that say what they are to whom a link to them is sent."""

    def get_config_file(self) -> Any:
        """Gradio's config, with description and picture for a link's preview."""
        host = os.environ.get("SPACE_HOST")
        thumbnail = f"https://{host}/{media.ROOT}/examples/page.png" if host else None
        return {**super().get_config_file(), "simple_description": DESCRIPTION, "thumbnail": thumbnail}


def build_page(setup: Setup = PLAIN) -> gr.Blocks:
    """The page with its handlers; nothing is loaded yet but the list of songs."""
    library = shared.music_library()
    with Page(title=TITLE, analytics_enabled=False) as page:
        api.build()  # first, so that its names are its own
        gr.HTML(html.TITLE, apply_default_css=False, elem_id="title")
        with gr.Tab("Photo"):
            photo.build()
        live_tab = partial(live.build, setup)
        for name, build in (("Live", live_tab), ("Photos and video", many.build), ("Report", many.build_report)):
            with gr.Tab(name) as tab:
                build()
            _draw_when_opened(tab)
        with gr.Tab("Songs"):
            about.build_songs(library)
        with gr.Tab("About") as tab:
            about.build(library, (uploads.SWEEP_SECONDS + uploads.KEPT_SECONDS) // 60)
        _draw_when_opened(tab)
        gr.HTML(html.ABOUT, apply_default_css=False, elem_id="about")
        gr.HTML(shared.text_of("player.html"), apply_default_css=False, elem_id="player", js_on_load=PLAYER)
    # else Gradio (6.31) sums up its last 10,000 events after each one, for a view that is off
    with patch.dict(os.environ, GRADIO_ANALYTICS_CACHE_FREQUENCY=str(sys.maxsize)):
        page.queue(max_size=queues.MOST_WAITING, api_open=False)
    return page  # type: ignore[no-any-return]


def _draw_when_opened(tab: gr.Tab) -> None:
    """Leaves a tab's components out of the page until it is first opened: their scripts are 300 kB."""
    parts = [part for part in _within(tab) if part.visible is True]
    for part in parts:
        part.visible = False
    script = shared.text_of("draw.js").replace("TAB", str(tab._id)).replace("PARTS", str(len(parts)))
    tab.select(None, None, parts, js=script)


def _within(block: Any) -> Iterator[Any]:
    for child in block.children:
        yield child
        yield from _within(child) if hasattr(child, "children") else ()


def launch(page: gr.Blocks, setup: Setup = PLAIN, door: Door | None = None, **where: Any) -> Any:
    """What gr.Blocks.launch returns, with the settings that keep visitors' pictures private. Raises: FemrError."""
    try:
        _check(where.get("server_name") or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1")
        return page.launch(
            theme=_theme(),
            css_paths=[Path(__file__).with_name("app.css")],
            head=HEAD,
            favicon_path=media.STATIC / "icon.svg",
            footer_links=["api"],
            i18n=gr.I18n(en=WORDS),
            max_file_size="100mb",
            app_kwargs=_served(setup, door),
            run_history=False,
            enable_monitoring=False,
            show_error=False,
            ssr_mode=False,
            _frontend=False,  # else it asks its own page first, and gives up where a busy machine takes three seconds
            **where,
        )
    except (OSError, UnicodeError) as error:  # no name has parts of over 63 letters
        raise FemrError("Expected an address of this machine and a free port.") from error


def _check(host: str) -> None:
    """Raises: OSError or UnicodeError where nobody can listen: Gradio (6.31) would try for eight minutes."""
    for family, kind, _, _, address in socket.getaddrinfo(host.strip("[]"), 0, type=socket.SOCK_STREAM):
        with socket.socket(family, kind) as trial:
            trial.bind(address)


def _served(setup: Setup, door: Door | None) -> dict[str, Any]:
    """What the app serves beside Gradio's page, as arguments of FastAPI."""
    visits = Visits(live.MINUTES if setup.hosted else None)
    tools = agents.routes()

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        async with uploads.swept(app), tools.get("lifespan", nullcontext)(app):
            yield

    walls = [*wall.routes(setup), *Events(visits, setup.hosted).routes(), *Remote(visits, door).routes()]
    routes = [*media.routes(), *live.Stage(visits, setup).routes(), *walls, *tools.get("routes", ())]
    return {
        **tools,
        "routes": routes,
        "lifespan": lifespan,
        "middleware": [Middleware(bodies.Bodies), *media.middleware(), *wall.middleware(setup)],
        "exception_handlers": {HTTPStatus.SERVICE_UNAVAILABLE: refusal},
    }


def _theme() -> gr.themes.Base:
    """Warm, and with the contrast that WCAG asks for, which Gradio's own greys and labels lack."""
    hues: Any = {"primary_hue": "amber", "secondary_hue": "amber", "neutral_hue": "stone"}
    theme = gr.themes.Soft(**hues, font=["system-ui", "sans-serif"])
    text = "*body_text_color"
    return theme.set(
        body_background_fill="#fffbf4",
        body_background_fill_dark="#171310",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_label_background_fill="*background_fill_secondary",
        block_label_background_fill_dark="*background_fill_secondary",
        block_label_text_color=text,
        block_label_text_color_dark=text,
        block_title_background_fill="transparent",
        block_title_background_fill_dark="transparent",
        block_title_padding="0",
        block_title_text_color=text,
        block_title_text_color_dark=text,
        button_primary_text_color="#1f2937",  # dark ink on amber: white has too little contrast
        button_primary_text_color_dark="#1f2937",
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
        checkbox_label_text_color_selected="#1f2937",
        checkbox_label_text_color_selected_dark="#1f2937",
    )


async def refusal(_: Any, error: Any) -> ORJSONResponse:
    """Gradio's answer to those who cannot join its queue; where it is full, with a time.

    Its page (6.31) has one sentence of its own for every 503, and shows what others say.
    """
    if not str(error.detail).startswith("Queue is full"):
        return ORJSONResponse({"detail": error.detail}, error.status_code)
    words = queues.too_many(shared.LANE.seconds(queues.MOST_WAITING) or 60)
    return ORJSONResponse({"detail": words}, HTTPStatus.TOO_MANY_REQUESTS)


def serve(
    host: str | None = None,
    port: int | None = None,
    share: bool = False,
    setup: Setup = PLAIN,
    remote: bool | None = None,
) -> None:
    """Serve the page until it is stopped; the default model is loaded and warmed up meanwhile.

    Args:
        host: address to listen on; None: what GRADIO_SERVER_NAME says, else this machine only.
        port: None: the first free one from 7860.
        share: whether to make a public link, too; GRADIO_SHARE=True does the same.
        setup: of the wall and the Live tab.
        remote: whether there is one; None: for a wall, but not where everybody can open the page.

    Raises:
        FemrError: femr was installed without its folders.
    """
    if not shared.EXAMPLE.is_file():
        raise FemrError(lacking(shared.EXAMPLE.parent))
    shared.tell_of_music()
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # what visitors sent goes then, too
    warming = Thread(target=shared.warm_up, args=[DEFAULT_MODEL], daemon=True)
    warming.start()  # while the page comes up
    try:
        host = host or os.environ.get("GRADIO_SERVER_NAME")
        share = share or os.environ.get("GRADIO_SHARE", "").lower() in ("true", "1")
        setup = replace(setup, hosted=share or "SPACE_ID" in os.environ or is_public(host))
        if remote is None:
            remote = setup.wall and not setup.hosted
        with uploads.private_folder():
            # share: not None, with which Gradio shares a page by itself where it runs in some notebooks
            _serve(setup, remote, share=share, server_name=_bracketed(host), server_port=port)
    finally:
        warming.join()  # OpenVINO aborts a process that ends while it loads


def _serve(setup: Setup, remote: bool, **where: Any) -> None:
    page = build_page(setup)
    door = Door() if remote else None
    _, local, public = launch(page, setup, door, prevent_thread_lock=True, **where)
    url = f"{(public or local).rstrip('/')}/"
    if setup.wall:
        print(f"* The wall: {url.rstrip('/')}{wall.PATH}")
    if door:
        print(way_to_remote(door, url, "" if public else page.server_name))
    page.block_thread()


def is_public(host: str | None) -> bool:
    """Whether a host is an address of the internet, or the name of one."""
    with suppress(OSError, UnicodeError):  # nobody has that name
        found = socket.getaddrinfo(host.strip("[]"), None) if host else ()
        return any(ip_address(address[0]).is_global for *_, address in found)
    return False


def _bracketed(host: str | None) -> str | None:
    """An address as it stands in a URL, which Gradio makes of it."""
    return f"[{host}]" if host and ":" in host and not host.startswith("[") else host
