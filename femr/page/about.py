"""The tabs that only tell: Songs, the whole library by mood, each one tap from being heard; and About.

About: how often the models are right, what is kept, whose work this is, and what it is not for.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import gradio as gr

from femr import __version__
from femr.errors import ModelError
from femr.expression.facts import Interval, ModelFacts
from femr.expression.weights import load_facts
from femr.music import MusicLibrary
from femr.page import card, html
from femr.page.shared import MODELS, music_library, text_of
from femr.results import EMOTIONS, Emotion


def text(library: MusicLibrary, minutes: int) -> str:
    """The tab as Markdown. `minutes`: how long files stay at most. The figures are those in the models' facts."""
    facts = {}
    for title, name in MODELS:
        with suppress(ModelError):  # the page works with the others; this one says so when it is chosen
            facts[title] = load_facts(name)
    images = {f"{one.scores['PrivateTest'].images:,}" for one in facts.values() if "PrivateTest" in one.scores}
    return text_of("about.md").format(
        version=__version__, scores=_scores(facts), images=" or ".join(images), minutes=minutes, songs=_songs(library)
    )


def _scores(facts: Mapping[str, ModelFacts]) -> str:
    """How often models, by the page's names, say what people and what FER2013's labels say, as a Markdown table."""
    labels = [one.scores.get("PrivateTest") for one in facts.values()]
    people = [one and one.people for one in labels]
    lines = [["", *facts], ["---"] * (len(facts) + 1)]
    lines.append(["as most people", *(_accuracy(one.accuracy if one else None) for one in people)])
    for emotion in EMOTIONS:
        shown = [one and one.per_class.get(emotion) for one in people]
        lines.append([f"finds {emotion}", *(f"{scores.recall:.0%}" if scores else "?" for scores in shown)])
    lines.append(["FER2013's label", *(_accuracy(one.accuracy_mirrored if one else None) for one in labels)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _accuracy(measured: Interval | None) -> str:
    if measured is None:
        return "not measured"
    return f"{100 * measured.value:.1f} % ({100 * measured.low:.1f}–{100 * measured.high:.1f})"


def _songs(library: MusicLibrary) -> str:
    """How many songs there are, under which licences."""
    licences = sorted({song.licence or "licence not stated" for song in library.songs})
    return f"{len(library.songs)} songs, {', '.join(licences)}" if licences else "none"


def build(library: MusicLibrary, minutes: int) -> None:
    """The About tab's component, inside the Blocks that is being built."""
    gr.Markdown(text(library, minutes), elem_id="about-text")


def build_songs(library: MusicLibrary) -> None:
    """The Songs tab's one component, inside the Blocks that is being built."""
    # where there is no song yet, each visit asks anew
    shown: Any = _shelves(library) if library.songs else lambda: _shelves(music_library())
    gr.HTML(shown, apply_default_css=False, js_on_load=None, elem_id="songs")


def _shelves(library: MusicLibrary) -> str:
    shelves = "".join(_shelf(library, emotion) for emotion in EMOTIONS if library.of(emotion))
    return f'<div class="library">{shelves}</div>'


def _shelf(library: MusicLibrary, emotion: Emotion) -> str:
    songs = [card.song_card(song) for song in library.of(emotion)]
    title = f'<h2><span class="emoji" aria-hidden="true">{emotion.emoji}</span> {emotion}</h2>'
    return f'<section aria-label="{emotion}">{title}{html.song_cards(songs)}</section>'
