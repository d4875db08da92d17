"""The page: its tabs put together, and served."""

from http import HTTPStatus
from math import ceil
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

# where Gradio (6.31) finds its components' source, it takes a third of its start to write .pyi files beside it
with patch("inspect.getfile", side_effect=OSError):
    import gradio as gr
from gradio.routes import ORJSONResponse

from femr import assets
from femr.errors import FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.page import about, agents, api, html, live, many, photo, report, shared, songs

SWEEP_SECONDS, KEPT_SECONDS = 300, 1500  # together: no picture stays longer than the 30 minutes that the page promises
MOST_WAITING = 200  # in Gradio's queue; who comes then is told when to come again


def build_page() -> gr.Blocks:
    """The page with its handlers; nothing is loaded yet but the list of songs."""
    with gr.Blocks(title="femr", analytics_enabled=False, delete_cache=(SWEEP_SECONDS, KEPT_SECONDS)) as page:
        api.build()  # first, so that its names are its own
        gr.Markdown("# femr\nHear the mood of a picture.", elem_id="title")
        with gr.Tab("Photo"):
            photo.build()
        with gr.Tab("Live"):
            live.build()
        with gr.Tab("Photos and video"):
            many.build()
        with gr.Tab("Report"):
            report.build()
        with gr.Tab("Songs"):
            songs.build(shared.music_library())
        with gr.Tab("About"):
            about.build(shared.music_library(), (SWEEP_SECONDS + KEPT_SECONDS) // 60)
        gr.Markdown(html.ABOUT, elem_id="about")
    page.queue(max_size=MOST_WAITING, api_open=False)
    return page  # type: ignore[no-any-return]


def launch(page: gr.Blocks, **where: Any) -> Any:
    """Serve the page with the settings that keep visitors' pictures private. Returns what gr.Blocks.launch does."""
    folders = sorted({str(song.path.parent) for song in shared.music_library().songs})
    return page.launch(
        theme=gr.themes.Soft(primary_hue="amber", secondary_hue="amber", font=["system-ui", "sans-serif"]),
        css_paths=[Path(__file__).with_name("app.css")],
        footer_links=["api"],
        max_file_size="100mb",
        allowed_paths=folders,
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        app_kwargs={"exception_handlers": {HTTPStatus.SERVICE_UNAVAILABLE: refusal}, **agents.routes()},
        **where,
    )


async def refusal(_: Any, error: Any) -> ORJSONResponse:
    """Gradio's answer to those who cannot join its queue; where it is full, with a time.

    Its page (6.31) has one sentence of its own for every 503, and shows what others say.
    """
    if not str(error.detail).startswith("Queue is full"):
        return ORJSONResponse({"detail": error.detail}, error.status_code)
    seconds = shared.LANE.seconds(MOST_WAITING) or 60
    words = f"{MOST_WAITING} others are waiting already. Please try again in about {10 * ceil(seconds / 10)} seconds."
    return ORJSONResponse({"detail": words}, HTTPStatus.TOO_MANY_REQUESTS)


def serve(host: str | None = None, port: int | None = None, share: bool = False) -> None:
    """Serve the page until it is stopped; the default model is loaded and warmed up meanwhile.

    Args:
        host: address to listen on; None: what GRADIO_SERVER_NAME says, else this machine only.
        port: None: the first free one from 7860.
        share: whether to make a public link, too; GRADIO_SHARE=True does the same.

    Raises:
        FemrError: femr was installed without its folders.
    """
    if not shared.EXAMPLE.is_file():
        raise FemrError(assets.missing(shared.EXAMPLE.parent))
    Thread(target=shared.warm_up, args=[DEFAULT_MODEL], daemon=True).start()  # while the page is already up
    launch(build_page(), share=share or None, server_name=host, server_port=port)
