"""The Songs tab: the whole library, each song one click from being heard."""

from typing import Any

import gradio as gr

from femr.music import MusicLibrary
from femr.page.html import SONG_HEADERS, song_row
from femr.page.shared import text_of


def build(library: MusicLibrary) -> None:
    """The tab's components and handlers, inside the Blocks that is being built."""
    gr.Markdown("Choose a song to hear it.")
    player = gr.Audio(label="Song", autoplay=True, interactive=False, buttons=["download"], elem_id="library-player")
    samples = [song_row(song) for song in library.songs]
    songs = gr.Dataset(
        components=["textbox"] * len(SONG_HEADERS),
        headers=list(SONG_HEADERS),
        samples=samples,
        type="index",
        samples_per_page=50,
        show_label=False,
        elem_id="songs",
    )

    def play(index: int) -> Any:
        return library.songs[index].path

    songs.click(None, js=text_of("silence.js"))
    songs.click(play, songs, player, api_visibility="private", queue=False)
