"""The page: faces, expressions, mood and song of a photo. For a Hugging Face Space, or `python app.py` at home.

Each tab is a module of `tabs`; here they are put together and served.
"""

import argparse
from pathlib import Path
from threading import Thread
from typing import Any

import gradio as gr

from femr import display
from femr.expression.weights import DEFAULT_MODEL
from tabs import about, live, loaded, many, photo, report, songs

HERE = Path(__file__).parent
SWEEP_SECONDS, KEPT_SECONDS = 300, 1500  # together: no picture stays longer than the 30 minutes that the page promises


def build_page() -> gr.Blocks:
    """The page with its handlers; nothing is loaded yet but the list of songs."""
    with gr.Blocks(title="femr", analytics_enabled=False, delete_cache=(SWEEP_SECONDS, KEPT_SECONDS)) as page:
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
            songs.build(loaded.music_library())
        with gr.Tab("About"):
            about.build(loaded.music_library(), (SWEEP_SECONDS + KEPT_SECONDS) // 60)
        gr.Markdown(display.ABOUT, elem_id="about")
    page.queue(max_size=16, api_open=False)
    return page  # type: ignore[no-any-return]


def launch(page: gr.Blocks, **where: Any) -> Any:
    """Serve the page with the settings that keep visitors' pictures private. Returns what gr.Blocks.launch does."""
    folders = sorted({str(song.path.parent) for song in loaded.music_library().songs})
    return page.launch(
        theme=gr.themes.Soft(primary_hue="amber", secondary_hue="amber", font=["system-ui", "sans-serif"]),
        css_paths=[HERE / "app.css"],
        footer_links=["api"],
        max_file_size="100mb",
        allowed_paths=folders,
        run_history=False,
        enable_monitoring=False,
        show_error=False,
        ssr_mode=False,
        **where,
    )


def main() -> None:
    """Serve the page until it is stopped; the default model is loaded and warmed up meanwhile."""
    parser = argparse.ArgumentParser("app.py", description="The femr page.")
    parser.add_argument("--share", action="store_true", help="also make a public link (or GRADIO_SHARE=True)")
    parser.add_argument("--host", help="address to listen on; 0.0.0.0 for other devices of your network")
    parser.add_argument("--port", type=int, help="default: the first free one from 7860")
    options = parser.parse_args()
    Thread(target=loaded.warm_up, args=[DEFAULT_MODEL], daemon=True).start()  # while the page is already up
    launch(build_page(), share=options.share or None, server_name=options.host, server_port=options.port)


if __name__ == "__main__":
    main()
