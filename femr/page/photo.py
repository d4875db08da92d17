"""The Photo tab: a picture in; faces, mood and songs out, and what a visitor takes along.

The page's script (static/photo.js) sends a question and draws the answer. Nothing of a visit is kept here: the script
tells which songs were heard, and what was said of faces.
"""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import gradio as gr

from femr.corrections import Correction, correct, corrected, to_zip
from femr.errors import DataError, FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Pixels, thumbnail
from femr.output.annotate import blurred
from femr.output.share import card as draw_card
from femr.output.share import to_m3u8
from femr.page import card, html
from femr.page.asked import EXAMPLES, NOT_OURS, Answer, Question, answering
from femr.page.desk import Desk
from femr.page.media import song_url
from femr.page.shared import MODELS, MODELS_INFO, MODES, music_library, read_photo, text_of
from femr.results import EMOTIONS, Analysis, Emotion

DESK = Desk()
SHOWN_SIDE = 1280  # pixels of the long side of a picture on a card, and of one that the browser cannot show by itself
MOST_PICTURES = 20  # of the set of corrections
_ONE_CLIP = Lock()  # a second one would only make both late
START = "import(new URL('femr/photo.js', document.baseURI)).then((page) => page.start(element, server))"


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
    songs = card.playlist(music_library(), Emotion(question.mood), question.mode, question.played)
    return {"songs": [card.song_card(song) for song in songs]}


@answering
def show(question: Question) -> Answer:
    """A picture that the browser cannot show by itself, as an address that holds it."""
    return {"picture": html.jpeg_url(thumbnail(question.picture().pixels, SHOWN_SIDE))}


@answering
def share(question: Question) -> Answer:
    """A card of the picture, as an address that holds it."""
    picture, _ = _card(question)
    return {"file": html.jpeg_url(picture)}


@answering
def clip(question: Question) -> Answer:
    """Ten seconds of the card with the song, as an address that holds it."""
    from femr.video.clip import write_clip  # with PyAV, which is not everywhere

    picture, found = _card(question)
    if found.song is None:
        raise DataError("There is no song to make a clip with.")
    with _ONE_CLIP, TemporaryDirectory() as folder:
        target = Path(folder, "clip.mp4")
        write_clip(picture, found.song, target)
        return {"file": html.data_url(target.read_bytes(), "video/mp4")}


@answering
def playlist(question: Question) -> Answer:
    """The songs of a mood as a playlist, each with its address here."""
    if question.mood is None:
        raise DataError("Find a mood first.")
    songs = card.playlist(music_library(), Emotion(question.mood), question.mode, [])
    base = question.address.rstrip("/")
    text = to_m3u8(songs, lambda song: f"{base}/{song_url(song)}")
    return {"file": html.data_url(text.encode(), "audio/mpegurl")}


def corrections(asked: Any) -> Answer:
    """The labelled set of what the visitor said: {pictures: questions, crops: bool} in, a ZIP file out."""
    try:
        if not isinstance(asked, dict) or not isinstance(asked.get("pictures"), list):
            raise DataError(NOT_OURS)
        if len(asked["pictures"]) > MOST_PICTURES:
            raise DataError(f"Expected at most {MOST_PICTURES} pictures. Received: {len(asked['pictures'])}")
        told = [
            one
            for number, question in enumerate(asked["pictures"], start=1)
            for one in _told(Question.of(question), number)
        ]
        return {"file": html.data_url(to_zip(told, crops=asked.get("crops") is True), "application/zip")}
    except FemrError as error:
        return {"error": str(error)}


def _told(question: Question, number: int) -> list[Correction]:
    picture = question.picture()
    read = read_photo(picture, question.model, question.mode)
    return [correct(picture.pixels, read, face, shows, number) for face, shows in question.told().items()]


def _card(question: Question) -> tuple[Pixels, Analysis]:
    picture = question.picture()
    found = question.analysis(picture)
    pixels = thumbnail(picture.pixels, SHOWN_SIDE)
    shown = blurred(pixels, found) if question.blur else pixels
    return draw_card(shown, found, question.address, question.boxes), found


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
    handlers: Any = [read, place, songs, show, share, clip, playlist, corrections]
    plain: Any = {"apply_default_css": False, "elem_id": "photo-tab"}
    gr.HTML(html_template=text_of("photo.html"), js_on_load=START, server_functions=handlers, **plain, **props)
