"""What a visitor takes along: card, clip, playlist, and what was said of faces. None of it stays on the server."""

import base64
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from femr.corrections import Correction, correct, to_zip
from femr.errors import DataError, FemrError
from femr.images import Pixels, thumbnail
from femr.output.annotate import blurred
from femr.output.share import card, to_m3u8
from femr.page import card as cards
from femr.page import html
from femr.page.asked import NOT_OURS, Answer, Question, answering
from femr.page.media import song_url
from femr.page.shared import music_library, read_photo
from femr.results import Analysis, Emotion

SIDE = 1280  # pixels of the long side of the picture that goes on a card
_ONE_CLIP = Lock()  # a second one would only make both late
MOST_PICTURES = 20  # of the set of corrections


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
        return {"file": _held(target.read_bytes(), "video/mp4")}


@answering
def playlist(question: Question) -> Answer:
    """The songs of a mood as a playlist, each with its address here."""
    if question.mood is None:
        raise DataError("Find a mood first.")
    library = music_library()
    numbers = [one["number"] for one in cards.playlist(library, Emotion(question.mood), question.mode, [])]
    base = question.address.rstrip("/")
    text = to_m3u8([library.songs[n] for n in numbers], lambda song: f"{base}/{song_url(library.songs.index(song))}")
    return {"file": _held(text.encode(), "audio/mpegurl")}


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
        return {"file": _held(to_zip(told, crops=asked.get("crops") is True), "application/zip")}
    except FemrError as error:
        return {"error": str(error)}


def _told(question: Question, number: int) -> list[Correction]:
    picture = question.picture()
    read = read_photo(picture, question.model, question.mode)
    return [correct(picture.pixels, read, face, shows, number) for face, shows in question.told().items()]


def _card(question: Question) -> tuple[Pixels, Analysis]:
    picture = question.picture()
    found = question.analysis(picture)
    small = thumbnail(picture.pixels, SIDE)
    return card(blurred(small, found) if question.blur else small, found, question.address, question.boxes), found


def _held(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


HANDLERS: tuple[Callable[[Any], Answer], ...] = (share, clip, playlist, corrections)
