"""The Photo tab: a picture in; faces, mood and songs out.

The page's script (static/photo.js) sends a question and draws the answer. Nothing of a visit is kept here: the script
tells which songs were heard.
"""

from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from femr.corrections import corrected
from femr.errors import DataError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import thumbnail
from femr.page import card, html, sharing
from femr.page.asked import Answer, Question, answering
from femr.page.desk import Desk
from femr.page.shared import MODELS, MODELS_INFO, MODES, music_library, read_photo, text_of
from femr.results import EMOTIONS, Emotion

DESK = Desk()
SHOWN_SIDE = 1280  # pixels of a picture's long side that the browser cannot show by itself
START = "import(new URL('femr/photo.js', document.baseURI)).then((page) => page.start(element, server, upload))"


@dataclass(frozen=True, slots=True)
class Example:
    """A picture to try: its file's name, what is on it, whose it is, and its size in pixels."""

    name: str
    alt: str
    credit: str
    width: int
    height: int


EXAMPLES = (
    Example("eileen-collins.jpg", "Astronaut Eileen Collins", "Eileen Collins: NASA", 512, 512),
    Example("grace-hopper.jpg", "Admiral Grace Hopper", "Grace Hopper: US Navy", 512, 600),
    Example("group.jpg", "Both of them together", "both in the public domain", 1280, 860),
)


async def read(question: Any) -> Answer:
    """The faces, mood and songs of a picture, when its turn has come."""
    try:
        ticket = Question.of(question).ticket
        return await DESK.serve(ticket, lambda: answer(question))
    except DataError as error:
        return {"error": str(error)}


@answering
def place(question: Question) -> Answer:
    """How many pictures are before the one that is waiting, and how long they take."""
    before, seconds = DESK.place(question.ticket)
    return {"before": before, "seconds": seconds}


@answering
def answer(question: Question) -> Answer:
    """The faces, mood and songs of a picture."""
    read = read_photo(question.picture(), question.model, question.mode)
    found = corrected(read, question.told())
    emotion = found.mood.emotion
    songs = card.playlist(music_library(), emotion, question.mode, question.played) if emotion else []
    return card.answer(found, songs, read)


@answering
def songs(question: Question) -> Answer:
    """The songs of a mood, in the order in which they are to play."""
    if question.mood is None:
        raise DataError("Find a mood first.")
    return {"songs": card.playlist(music_library(), Emotion(question.mood), question.mode, question.played)}


@answering
def show(question: Question) -> Answer:
    """A picture that the browser cannot show by itself, as an address that holds it."""
    return {"picture": html.jpeg_url(thumbnail(question.picture().pixels, SHOWN_SIDE))}


def build() -> None:
    """The tab's one component, inside the Blocks that is being built."""
    props: Any = {
        "examples": [asdict(one) for one in EXAMPLES],
        "credits": "; ".join(one.credit for one in EXAMPLES),
        "privacy": html.PRIVACY,
        "models": [{"name": name, "label": label, "chosen": name == DEFAULT_MODEL} for label, name in MODELS],
        "models_info": MODELS_INFO,
        "modes": [{"name": name, "label": label, "chosen": name == "match"} for label, name in MODES],
        "modes_info": html.LIFT,
        "moods": [card.look(emotion) for emotion in EMOTIONS],
    }
    handlers: Any = [read, place, songs, show, *sharing.HANDLERS]
    plain: Any = {"apply_default_css": False, "elem_id": "photo-tab"}
    gr.HTML(html_template=text_of("photo.html"), js_on_load=START, server_functions=handlers, **plain, **props)
