"""The Songs tab: the whole library by mood, each song one tap from being heard."""

from typing import Any

import gradio as gr

from femr.music import MusicLibrary
from femr.page import card
from femr.page.shared import text_of
from femr.results import EMOTIONS

START = "import(new URL('femr/songs.js', document.baseURI)).then((page) => page.start(element, props.moods))"


def build(library: MusicLibrary) -> None:
    """The tab's one component, inside the Blocks that is being built."""
    moods: list[dict[str, Any]] = []
    for emotion in EMOTIONS:
        songs = [card.song_card(n, song) for n, song in enumerate(library.songs) if song.emotion is emotion]
        for song in songs:
            song["line"] = " · ".join(filter(None, [song["length"], *song["facts"][:1]]))
        if songs:
            moods.append({**card.look(emotion), "songs": songs})
    plain: Any = {"apply_default_css": False, "elem_id": "songs"}
    gr.HTML(html_template=text_of("songs.html"), js_on_load=START, moods=moods, **plain)
