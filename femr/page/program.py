"""`/analyze`, for programs: the Photo tab's answer as files, rows and numbers. Its components are never drawn."""

from typing import Any

import gradio as gr

from femr.expression.weights import DEFAULT_MODEL
from femr.images import Pixels, thumbnail
from femr.music import Mode
from femr.output.annotate import draw
from femr.page import html
from femr.page.asked import find
from femr.page.inputs import PhotoInput
from femr.page.photo import SHOWN_SIDE
from femr.page.shared import MODELS, MODES, music_library, plain_errors
from femr.results import Song

LANE: Any = {"concurrency_id": "model", "concurrency_limit": 1}


def analyze(photo: Pixels | None, model: str, mode: Mode, played: tuple[Song, ...]) -> tuple[Any, ...]:
    """Find every face in a photo, read its expression and choose the song of the group's mood.

    Returns: the mood and its reason (HTML), the annotated picture, the song's file, its title, the table of faces, a
    link to the table as CSV, and all numbers as JSON: mood, song, and for each face box, confidence, expression,
    seven scores, vote shares and label scores.
    """
    if photo is None:
        raise gr.Error("Choose or take a photo first.", print_exception=False)
    with plain_errors():
        found = find(photo, model, mode, played)
    link = html.table_link([found]) if found.faces else ""
    answer = (
        html.headline(found.mood),
        draw(thumbnail(photo, SHOWN_SIDE), found),
        found.song and found.song.path,
        html.song_line(found.song, found.mood, music_library()),
        [html.table_row(face) for face in found.faces],
    )
    return *answer, link, html.public_details(found), (*played, found.song) if found.song else played


def build() -> None:
    """The endpoint, inside the Blocks that is being built."""
    unseen: Any = {"visible": False}
    played = gr.State(())  # of this program's session only
    inputs = [
        PhotoInput(label="Photo", **unseen),
        gr.Radio(MODELS, value=DEFAULT_MODEL, label="Reading", **unseen),
        gr.Radio(MODES, value="match", label="Music", **unseen),
        played,
    ]
    outputs = [
        gr.HTML(label="Mood", **unseen),
        gr.Image(label="Faces", format="jpeg", **unseen),
        gr.Audio(label="Song", **unseen),
        gr.HTML(label="Song title", **unseen),
        gr.Dataframe(label="What each face looks like", headers=list(html.TABLE_HEADERS), **unseen),
        gr.HTML(label="Table link", **unseen),
        gr.JSON(label="Details", **unseen),
        played,
    ]
    gr.Button(**unseen).click(analyze, inputs, outputs, api_name="analyze", **LANE)
