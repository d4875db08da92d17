"""The API for programs: a JSON document a photo, and what the songs and the server are. Described in docs/api.md.

A call that cannot be answered gets a document too: {"error": {"code": …, "message": …}}. Photos come as uploads or as
base64. Web addresses are refused: whoever calls can fetch the picture as well, and a server that fetches for strangers
is one more way into its network.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, TypeAlias, cast, get_args

import gradio as gr
from gradio.events import api
from gradio.route_utils import get_root_url

from femr import __version__
from femr.errors import FemrError, ImageError, printable
from femr.expression.weights import DEFAULT_MODEL, MODEL_NAMES
from femr.images import WEB, Picture, load_picture, thumbnail
from femr.music import Mode
from femr.output.annotate import draw
from femr.page import queues, shared
from femr.page.html import jpeg_url
from femr.page.media import song_url
from femr.results import Song

MOST_PHOTOS = 32  # in one call
BATCH_AT_ONCE = 4  # of them that wait in the lane, so that others' photos come in between
SHOWN_SIDE = 1280  # pixels of the annotated picture's long side

Code: TypeAlias = Literal["bad_request", "address_refused", "file_gone", "not_a_picture", "unavailable"]
Document: TypeAlias = dict[str, Any]
Address: TypeAlias = Callable[[Song], str]
"""Where those who called find a song of the server's."""


class CallError(FemrError):
    """A call that cannot be answered, with a word for programs."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a photo, beside the photo. Raises: CallError."""

    model: str = DEFAULT_MODEL
    mode: str = "match"
    annotated: bool = False

    def __post_init__(self) -> None:
        for name, value, choices in (("model", self.model, MODEL_NAMES), ("mode", self.mode, get_args(Mode))):
            if value not in choices:
                raise CallError("bad_request", f"Expected a {name}: {', '.join(choices)}. Received: {_said(value)}")


def analyze(
    request: gr.Request,
    photo: dict[str, Any] | str | None = None,
    model: str = DEFAULT_MODEL,
    mode: str = "match",
    annotated: bool = False,
) -> Document:
    """Finds every face in a photo, reads its expression and chooses the song of the group's mood: one JSON document.

    photo: an uploaded file, a data: address, or a file's bytes as base64; JPEG, PNG, WebP, HEIC and others, up to 20
    MB. model: "ensemble", or quicker "mobilenet_v2" or "custom_cnn". mode: "match" plays the mood, "lift" answers a
    hard one with brighter songs. annotated: whether to draw the faces, too.
    """
    _forget(request)
    return _answer(photo, model, mode, annotated, addresses(request.request))


def analyze_batch(
    request: gr.Request,
    photos: list[dict[str, Any] | str] | None = None,
    model: str = DEFAULT_MODEL,
    mode: str = "match",
    annotated: bool = False,
) -> Document:
    """The documents of up to 32 photos, in their order, under "photos": each as /analyze gives it, or its error."""
    _forget(request)
    if not isinstance(photos, list) or not 0 < len(photos) <= MOST_PHOTOS:
        received = len(photos) if isinstance(photos, list) else _said(photos)
        return _failure(CallError("bad_request", f"Expected a list of 1 to {MOST_PHOTOS} photos. Received: {received}"))
    answer = partial(_answer, model=model, mode=mode, annotated=annotated, address=addresses(request.request))
    with ThreadPoolExecutor(BATCH_AT_ONCE) as pool:
        return {"photos": list(pool.map(answer, photos))}


def songs(request: gr.Request) -> Document:
    """All songs under "songs", each with its mood, facts and address."""
    address = addresses(request.request)
    return {"songs": [song_to_dict(song, address) for song in shared.music_library().songs]}


def health() -> Document:
    """Whether the server answers: its version, models, number of songs, and seconds a photo of late, if known."""
    pace = shared.LANE.seconds(1)
    return {
        "status": "ok",
        "version": __version__,
        "models": list(MODEL_NAMES),
        "songs": len(shared.music_library().songs),
        "seconds_a_photo": pace and round(pace, 3),
    }


def build() -> None:
    """The endpoints, inside the Blocks that is being built."""
    api(analyze, api_name="analyze", concurrency_id="model", concurrency_limit=queues.AT_ONCE)
    api(analyze_batch, api_name="analyze_batch", concurrency_id="batch", concurrency_limit=1)
    api(songs, api_name="songs", queue=False)
    api(health, api_name="health", queue=False)


def picture_of(photo: object) -> Picture:
    """The picture that a call brought, an upload or base64. Raises: CallError."""
    try:
        return load_picture(_source(photo))
    except ImageError as error:
        raise CallError("not_a_picture", str(error)) from error


def document(read: Callable[[], Picture], wish: Wish, address: Address) -> Document:
    """What is found in a photo, for programs. Raises: FemrError.

    Args: `read`, gives the picture, and is timed; `address`, of the song. The annotated picture is its own address.
    """
    started = perf_counter()
    picture = read()
    there = perf_counter()
    chosen = shared.analyzer(wish.model)
    analysis = chosen.conclude(picture, shared.LANE.read(chosen, picture) or (), cast(Mode, wish.mode))
    found = perf_counter()
    drawn = jpeg_url(draw(thumbnail(picture.pixels, SHOWN_SIDE), analysis)) if wish.annotated else None
    plain, (width, height) = analysis.to_dict(), picture.size
    return {
        "version": __version__,
        "model": analysis.model,
        "size": {"width": width, "height": height},
        "faces": plain["faces"],
        "mood": plain["mood"],
        "song": analysis.song and song_to_dict(analysis.song, address),
        "annotated": drawn,
        "timings": {"read": round(there - started, 3), "faces": round(found - there, 3)},
    }


def song_to_dict(song: Song, address: Address) -> Document:
    """A song's facts as plain values, with its address in place of its path."""
    facts = {each.name: getattr(song, each.name) for each in fields(song) if each.name != "path"}
    return {**facts, "url": address(song)}


def addresses(request: Any) -> Address:
    """Where the page serves songs, for whoever sent the HTTP request; their paths where None was sent."""
    if request is None:
        return lambda song: str(song.path)
    root = get_root_url(request, request.url.path, request.app.root_path)
    return lambda song: f"{root}/{song_url(song)}"


def _answer(photo: object, model: str, mode: str, annotated: bool, address: Address) -> Document:
    try:
        return document(partial(picture_of, photo), Wish(model, mode, annotated), address)
    except FemrError as error:
        return _failure(error)


def _failure(error: FemrError) -> Document:
    code = error.code if isinstance(error, CallError) else "unavailable"
    return {"error": {"code": code, "message": str(error)}}


def _source(photo: object) -> Path | bytes:
    """What may be read: a file that was uploaded and is still there, or bytes as a data: address. Raises: CallError."""
    if isinstance(photo, dict):
        path = str(photo.get("path"))
        if shared.is_uploaded(path):
            return Path(path)
        if not path.startswith(WEB):
            raise CallError("file_gone", "Expected an uploaded file. That one is not here, or not any more.")
        photo = path
    data = isinstance(photo, str) and photo[:5].lower() == "data:"
    if isinstance(photo, str) and ":" in photo and not data:  # no letter of base64
        raise CallError("address_refused", "This server opens no addresses. Please send the picture itself.")
    named = isinstance(photo, str) and "." in photo and not data  # nor is a dot
    if not isinstance(photo, str) or not photo or named:
        expected = "Expected a photo: an uploaded file, a data: address or base64."
        raise CallError("bad_request", f"{expected} Received: {'the name of a file' if named else _said(photo)}")
    return (photo if data else f"data:;base64,{photo}").encode("ascii", "replace")


def _forget(request: gr.Request) -> None:
    """Drops the photo from what Gradio (6.31) remembers of a session's last inputs, for its deep links."""
    if request.request and request.session_hash in (sessions := request.request.app.state_holder):
        for config in list(sessions[request.session_hash].config_values.values()):
            config.get("props", {}).pop("value", None)


def _said(value: object) -> str:
    if not value:
        return "nothing"
    return printable(value, 40) if isinstance(value, str) else type(value).__name__
