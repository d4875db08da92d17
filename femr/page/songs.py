"""The Songs tab: the whole library by mood, each song one tap from being heard."""

import gradio as gr

from femr.music import MusicLibrary
from femr.page import card, html
from femr.results import EMOTIONS, Emotion


def build(library: MusicLibrary) -> None:
    """The tab's one component, inside the Blocks that is being built."""
    shelves = "".join(_shelf(library, emotion) for emotion in EMOTIONS if library.of(emotion))
    gr.HTML(f'<div class="library">{shelves}</div>', apply_default_css=False, js_on_load=None, elem_id="songs")


def _shelf(library: MusicLibrary, emotion: Emotion) -> str:
    songs = [card.song_card(n, song) for n, song in enumerate(library.songs) if song.emotion is emotion]
    title = f'<h2><span class="emoji" aria-hidden="true">{emotion.emoji}</span> {emotion}</h2>'
    return f'<section aria-label="{emotion}">{title}{html.song_cards(songs)}</section>'
