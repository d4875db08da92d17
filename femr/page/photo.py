"""The Photo tab: a picture in; faces, mood and songs out.

The page's script (static/photo.js) sends a question and draws the answer. Nothing of a visit is kept here: the script
tells which songs were heard.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Annotated, Any, Literal, TypeVar

import gradio as gr
from pydantic import BaseModel, Field, ValidationError

from femr.errors import DataError, FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Pixels, load_image, thumbnail
from femr.music import Mode
from femr.page import card, html
from femr.page.inputs import is_uploaded
from femr.page.shared import EXAMPLE, MODELS, MODELS_INFO, MODES, analyzer, music_library, text_of
from femr.results import EMOTIONS, Analysis, Emotion, Song

SHOWN_SIDE = 1280  # pixels of a picture's long side that the browser cannot show by itself
GONE = "That picture is not here any more. Please choose it again."
START = "import(new URL('femr/photo.js', document.baseURI)).then((page) => page.start(element, server, upload))"


@dataclass(frozen=True, slots=True)
class Example:
    """A picture to try: its file's name, what is on it, and whose it is."""

    name: str
    alt: str
    credit: str


EXAMPLES = (
    Example("eileen-collins.jpg", "Astronaut Eileen Collins", "Eileen Collins: NASA"),
    Example("grace-hopper.jpg", "Admiral Grace Hopper", "Grace Hopper: US Navy"),
    Example("group.jpg", "Both of them together", "both in the public domain"),
)
Number = Annotated[int, Field(ge=0)]


class SongsQuestion(BaseModel, extra="forbid"):
    """Which songs are asked for: those of a mood. played: the numbers of those of this visit, oldest first."""

    mood: Emotion | None = None
    mode: Mode = "match"
    played: Annotated[tuple[Number, ...], Field(max_length=1000)] = ()


class PictureQuestion(BaseModel, extra="forbid"):
    """Which picture is to be read, and how. path: where its upload lies; or the name of an example."""

    path: str = ""
    example: str = ""
    model: Literal["ensemble", "mobilenet_v2", "custom_cnn"] = "ensemble"
    mode: Mode = "match"
    played: Annotated[tuple[Number, ...], Field(max_length=1000)] = ()


Question = TypeVar("Question", bound=BaseModel)
Answer = dict[str, Any]


def answers(kind: type[Question]) -> Callable[[Callable[[Question], Answer]], Callable[[Any], Answer]]:
    """Makes a handler of questions one that the script can call: what goes wrong comes as a sentence, `error`."""

    def decorate(handler: Callable[[Question], Answer]) -> Callable[[Any], Answer]:
        @wraps(handler)
        def answer(asked: Any) -> Answer:
            try:
                return handler(kind.model_validate(asked))
            except ValidationError:
                return {"error": "The page sent something that it should not. Please load it again."}
            except FemrError as error:
                return {"error": str(error)}

        return answer

    return decorate


@answers(PictureQuestion)
def read(question: PictureQuestion) -> Answer:
    """The faces, mood and songs of a picture."""
    found = find(_picture(question), question.model, question.mode)
    emotion = found.mood.emotion
    songs = card.playlist(music_library(), emotion, question.mode, question.played) if emotion else []
    return card.answer(found, songs)


@answers(SongsQuestion)
def songs(question: SongsQuestion) -> Answer:
    """The songs of a mood, in the order in which they are to play."""
    if question.mood is None:
        raise DataError("Find a mood first.")
    return {"songs": card.playlist(music_library(), question.mood, question.mode, question.played)}


@answers(PictureQuestion)
def show(question: PictureQuestion) -> Answer:
    """A picture that the browser cannot show by itself, as an address that holds it."""
    return {"picture": html.jpeg_url(thumbnail(_picture(question), SHOWN_SIDE))}


def find(photo: Pixels, model: str, mode: Mode, played: tuple[Song, ...] = ()) -> Analysis:
    """All that a model finds in a visitor's photo. Raises: FemrError."""
    return replace(analyzer(model)(photo, mode, played), file="photo")


def _picture(question: PictureQuestion) -> Pixels:
    """The picture that a question is about: an example, or an upload and nothing else of the server's."""
    if question.example in [example.name for example in EXAMPLES]:
        return load_image(EXAMPLE.with_name(question.example))
    if not is_uploaded(question.path):
        raise DataError(GONE)
    return load_image(question.path)


def build() -> None:
    """The tab's one component, inside the Blocks that is being built."""
    props: Any = {
        "examples": [{"name": one.name, "alt": one.alt} for one in EXAMPLES],
        "credits": "; ".join(one.credit for one in EXAMPLES),
        "privacy": html.PRIVACY,
        "models": [{"name": name, "label": label, "chosen": name == DEFAULT_MODEL} for label, name in MODELS],
        "models_info": MODELS_INFO,
        "modes": [{"name": name, "label": label, "chosen": name == "match"} for label, name in MODES],
        "modes_info": html.LIFT,
        "moods": [card.look(emotion) for emotion in EMOTIONS],
    }
    handlers: Any = [read, songs, show]
    plain: Any = {"apply_default_css": False, "elem_id": "photo-tab"}
    gr.HTML(html_template=text_of("photo.html"), js_on_load=START, server_functions=handlers, **plain, **props)
