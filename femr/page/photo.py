"""The Photo tab: a picture in; faces, expressions, mood and song out.

No inference here: each handler asks an Analyzer and turns its answer into what the components show.
"""

from typing import Any, Literal

import gradio as gr

from femr.expression.weights import DEFAULT_MODEL
from femr.images import Pixels, thumbnail
from femr.music import Mode
from femr.output.annotate import draw
from femr.page import html
from femr.page.inputs import PhotoInput
from femr.page.shared import (
    AT_ONCE,
    EXAMPLE,
    MODELS,
    MODELS_INFO,
    MODES,
    music_library,
    plain_errors,
    read_photo,
    text_of,
)
from femr.results import Mood, Song

SHOWN_SIDE = 1280  # pixels of the annotated picture's long side
LANE: Any = {"concurrency_id": "model", "concurrency_limit": AT_ONCE}
SOURCES: tuple[Literal["upload", "webcam", "clipboard"], ...] = ("upload", "webcam", "clipboard")
WAITING = html.plate("🎧", "The mood will stand here, and its song will play.")
TABLE_LABEL = "What each face looks like"


def analyze(photo: Pixels | None, model: str, mode: Mode, played: tuple[Song, ...]) -> tuple[Any, ...]:
    """Find every face in a photo, read its expression and choose the song of the group's mood.

    Returns: the mood and its reason (HTML), the annotated picture, the song's file, its title, the table of faces, a
    link to the table as CSV, and all numbers as JSON: mood, song, and for each face box, confidence, expression,
    seven scores, vote shares and label scores.
    """
    if photo is None:
        raise gr.Error("Choose or take a photo first.", print_exception=False)
    with plain_errors():
        found = read_photo(photo, model, mode, played)
    shown = draw(thumbnail(photo, SHOWN_SIDE), found)
    link = html.table_link([found]) if found.faces else ""
    rows = [html.table_row(face) for face in found.faces]
    answer = (
        html.headline(found.mood),
        shown,
        found.song and found.song.path,
        html.song_line(found.song, found.mood, music_library()),
        rows,
    )
    return *answer, link, html.public_details(found), found.mood, heard(played, found.song)


def heard(played: tuple[Song, ...], song: Song | None) -> tuple[Song, ...]:
    """The songs of this visit, with the one that starts now."""
    return (*played, song) if song else played


def another_song(mood: Mood | None, mode: Mode, played: tuple[Song, ...]) -> tuple[Any, ...]:
    """A different song for the mood that was found: its file, its title, and the songs of this visit with it."""
    if mood is None or mood.emotion is None:
        raise gr.Error("Find a mood first.", print_exception=False)
    song = music_library().pick(mood.emotion, mode, played)
    return song and song.path, html.song_line(song, mood, music_library()), heard(played, song)


def build() -> None:
    """The tab's components and handlers, inside the Blocks that is being built."""
    scroll = text_of("scroll.js")
    played, mood = gr.State(()), gr.State(None)  # of this visit only
    with gr.Row():
        with gr.Column(scale=4, min_width=300, elem_id="question"):
            photo = PhotoInput(label="Photo", sources=list(SOURCES), elem_id="photo", height=320)
            gr.Markdown(html.PRIVACY, elem_id="privacy")
            with gr.Row():
                find = gr.Button("Find the mood", variant="primary", scale=2, elem_id="find")
                again = gr.Button("Try again", scale=1, elem_id="again")
            with gr.Column(elem_id="options"):
                model = gr.Radio(MODELS, value=DEFAULT_MODEL, label="Reading", info=MODELS_INFO, elem_id="model")
                info = html.LIFT
                mode = gr.Radio(MODES, value="match", label="Music", info=info, elem_id="mode")
                with gr.Row(elem_id="example-row"):
                    gr.HTML(html.image(EXAMPLE.with_name("thumbnail.jpg").read_bytes(), ""), elem_id="thumbnail")
                    example = gr.Button("Try it with this photo", size="sm", elem_id="example")
                gr.Markdown(html.EXAMPLE_NOTE, elem_id="example-note")
        with gr.Column(scale=6, min_width=300, elem_id="answer"):
            result = gr.HTML(WAITING, label="Mood", elem_id="mood")
            alt = "The photo with a numbered, labelled box around each face"
            # the one button: Gradio's others include one that publishes a visitor's picture
            keep: Any = {"interactive": False, "buttons": ["download"]}
            picture = gr.Image(label="Faces", format="jpeg", alt_text=alt, elem_id="faces", **keep)
            player = gr.Audio(label="Song", autoplay=True, elem_id="player", **keep)
            with gr.Row():
                title = gr.HTML(label="Song title", elem_id="song")
                another = gr.Button("Another song", size="sm", elem_id="another")
            columns: Any = {"headers": list(html.TABLE_HEADERS), "column_widths": list(html.TABLE_WIDTHS)}
            table = gr.Dataframe(label=TABLE_LABEL, interactive=False, wrap=True, elem_id="table", **columns)
            link = gr.HTML(label="Table link", elem_id="table-link")
            with gr.Accordion("All numbers (JSON)", open=False):
                details = gr.JSON(label="Details", show_label=False, elem_id="details")
    shown = [result, picture, player, title, table, link, details, mood]
    call: Any = {"fn": analyze, "inputs": [photo, model, mode, played], "outputs": [*shown, played], **LANE}
    for button in (find, again, another, example):
        button.click(None, js=text_of("silence.js"))
    find.click(**call, api_name="analyze_photo", api_visibility="private").then(None, js=scroll)
    shown_example = example.click(lambda: EXAMPLE, outputs=photo, api_visibility="private")
    shown_example.then(**call, api_visibility="private").then(None, js=scroll)
    another.click(another_song, [mood, mode, played], [player, title, played], api_visibility="private")
    # all but the songs played so far: the next one should not be the last one
    blank = (None, WAITING, None, None, "", None, "", None, None)
    again.click(lambda: blank, outputs=[photo, *shown], api_visibility="private", queue=False)
