"""The Photo tab: a picture in; faces, mood and songs out.

The page's script (static/photo.js) sends a question and draws the answer. Nothing of a visit is kept here: the script
tells which songs were heard.
"""

from asyncio import to_thread
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import wraps
from math import ceil
from typing import Any, get_args

import gradio as gr

from femr.errors import DataError, FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Picture, load_picture, thumbnail
from femr.music import Mode
from femr.page import card, html
from femr.page.door import Door
from femr.page.inputs import is_uploaded
from femr.page.shared import (
    AT_ONCE,
    EXAMPLE,
    LANE,
    MODELS,
    MODELS_INFO,
    MODES,
    MOST_WAITING,
    music_library,
    read_photo,
    text_of,
)
from femr.results import EMOTIONS, Emotion

SHOWN_SIDE = 1280  # pixels of a picture's long side that the browser cannot show by itself
NOT_OURS = "The page sent something that it should not. Please load it again."
GONE = "That picture is not here any more. Please choose it again."
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
MOST_PLAYED = 1000
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What the script asks.

    path: where an upload lies. example: the name of one of EXAMPLES instead. mood: whose songs are wanted, where they
    are not the picture's. played: the numbers of this visit's songs so far, oldest first. ticket: by which the
    picture's place is asked for while it waits.
    """

    path: str = ""
    example: str = ""
    mood: str | None = None
    model: str = DEFAULT_MODEL
    mode: Mode = "match"
    played: Sequence[int] = ()
    ticket: str = ""

    def __post_init__(self) -> None:
        words = all(isinstance(word, str) for word in (self.path, self.example, self.ticket))
        known = self.model in [name for _, name in MODELS] and self.mode in get_args(Mode)
        numbers = isinstance(self.played, list | tuple) and all(isinstance(n, int) and n >= 0 for n in self.played)
        if not (words and known and numbers and len(self.played) <= MOST_PLAYED and self.mood in (None, *EMOTIONS)):
            raise DataError(NOT_OURS)

    @classmethod
    def of(cls, asked: Any) -> "Question":
        """The question in what came from the browser. Raises: DataError if it is none."""
        if not isinstance(asked, dict) or not set(asked) <= {field.name for field in fields(cls)}:
            raise DataError(NOT_OURS)
        return cls(**asked)


def answering(handler: Callable[[Question], Answer]) -> Callable[[Any], Answer]:
    """A handler of questions as one that the script can call: what goes wrong comes as a sentence, `error`."""

    @wraps(handler)
    def answer(asked: Any) -> Answer:
        try:
            return handler(Question.of(asked))
        except FemrError as error:
            return {"error": str(error)}

    return answer


@answering
def answer_photo(question: Question) -> Answer:
    """The faces, mood and songs of a picture."""
    found = read_photo(_picture(question), question.model, question.mode)
    emotion = found.mood.emotion
    songs = card.playlist(music_library(), emotion, question.mode, question.played) if emotion else []
    return card.answer(found, songs)


@answering
def songs(question: Question) -> Answer:
    """The songs of a mood, in the order in which they are to play."""
    if question.mood is None:
        raise DataError("Find a mood first.")
    return {"songs": card.playlist(music_library(), Emotion(question.mood), question.mode, question.played)}


@answering
def show(question: Question) -> Answer:
    """A picture that the browser cannot show by itself, as an address that holds it."""
    return {"picture": html.jpeg_url(thumbnail(_picture(question).pixels, SHOWN_SIDE))}


def _picture(question: Question) -> Picture:
    """The picture that a question is about: an example, or an upload and nothing else of the server's."""
    if question.example in [example.name for example in EXAMPLES]:
        return load_picture(EXAMPLE.with_name(question.example))
    if not is_uploaded(question.path):
        raise DataError(GONE)
    return load_picture(question.path)


def visitors(door: Door) -> tuple[Callable[[Any], Any], Callable[[Any], Answer]]:
    """The handlers that read a picture when its turn at the door has come, and tell its place until then."""

    async def read(asked: Any) -> Answer:
        ticket = str(asked.get("ticket", "")) if isinstance(asked, dict) else ""
        try:
            async with door.enter(ticket):
                return await to_thread(answer_photo, asked)
        except FemrError as error:
            return {"error": str(error)}

    @answering
    def place(question: Question) -> Answer:
        number = door.place(question.ticket)
        return {"place": number, "seconds": ceil(LANE.seconds(number) or 0)}

    return read, place


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
    handlers: Any = [*visitors(Door(AT_ONCE, MOST_WAITING)), songs, show]
    plain: Any = {"apply_default_css": False, "elem_id": "photo-tab"}
    gr.HTML(html_template=text_of("photo.html"), js_on_load=START, server_functions=handlers, **plain, **props)
