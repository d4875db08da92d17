"""The Report tab: a table that was made earlier in, the group report out."""

from pathlib import Path
from typing import Any

import gradio as gr

from femr import __version__
from femr.output.table import FORMATS, read_rows
from femr.page import html
from femr.page.inputs import FilesInput
from femr.page.shared import music_library, plain_errors
from femr.report.page import to_html
from femr.report.summary import LEAST, summarise

INTRO = (
    "A report about a group: an audience, a party, your own photos. It shows shares and times, no pictures, and "
    f"nothing about fewer than {LEAST} faces. Choose a table (CSV, JSON lines or Parquet) that you made with *Photos "
    "and video* or `python -m femr analyze`."
)


def show(paths: list[str], seconds: float | None, least: float) -> tuple[str, str]:
    """The report of a table: a link to it and a frame with it, as HTML."""
    if not paths:
        raise gr.Error("Choose a table first.", print_exception=False)
    with plain_errors():
        group = summarise(read_rows(Path(paths[0])), int(least), seconds or None)
        page = to_html(group, music_library(), __version__)
    return html.report_link(page), html.report_frame(page)


def build() -> None:
    """The tab's components and handlers, inside the Blocks that is being built."""
    gr.Markdown(INTRO)
    with gr.Row():
        table = FilesInput(label="Table", file_types=list(FORMATS), elem_id="report-table")
        with gr.Column(min_width=240):
            info = "0: as wide as gives about 40 in all."
            seconds = gr.Number(0, label="Seconds a moment of a video", info=info, elem_id="report-bin")
            info = "Pictures with fewer are not shown on their own."
            least = gr.Slider(LEAST, 50, LEAST, step=1, label="Fewest faces", info=info, elem_id="report-least")
            make = gr.Button("Make the report", variant="primary", elem_id="make")
    link = gr.HTML(label="Download", padding=False, elem_id="report-link")
    frame = gr.HTML(label="Report", padding=False, elem_id="report")
    lane: Any = {"concurrency_id": "report", "concurrency_limit": 1}
    make.click(show, [table, seconds, least], [link, frame], api_name="group_report", api_visibility="private", **lane)
