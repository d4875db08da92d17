"""The stage: a camera's pictures in; faces, mood and the song that follows it out. The wall and the Live tab show it.

The browser sends one JPEG at a time and the next when its answer came, so a slow line or a busy machine slows the rate
and nothing queues. A picture is read in the lane that all visitors share, and dropped where it waited too long. With
each goes what the browser knows of the music, so that a restart of the server changes nothing: see static/stage.js.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, wraps
from io import BytesIO
from time import monotonic
from typing import Any, cast, get_args

import gradio as gr
from jinja2 import Environment
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from femr.analyzer import Analyzer
from femr.errors import DataError, FemrError, ImageError
from femr.expression.weights import DEFAULT_MODEL
from femr.faces.detector import Follower
from femr.faces.quality import surely_a_face
from femr.images import Picture, load_image, to_picture
from femr.music import Mode, MusicLibrary
from femr.page import card, shared
from femr.page.visits import NO_STRANGERS, SHARED_FROM, Refused, Visit, Visits, event, foreign, shares_of
from femr.results import EMOTIONS, Emotion, FaceEmotion, Mood, Song
from femr.video.session import Coming, Played, Session

LATE = 2.5
"""Seconds that a picture may wait for its turn."""
MINUTES = 10
"""That a visit lasts on a page that is open to everybody."""
MOST_BYTES = 1_000_000
SIDE = 1280
"""Pixels that a picture is wide at most."""
LEAST_FACE = 12
SMALLEST = (None, 40, 80)
"""Pixels of the smallest face that is looked for, as one may choose on the page; None: the detector's own."""
EVERY = (1, 2, 4)
"""In every how many-th picture new faces are looked for, as one may choose."""
MOST_EVERY = 100
PRIVACY = (
    "A camera looks at the faces here and guesses what they look like, to choose the music. "
    "Nothing is recorded or kept, and no one is identified."
)
LAW = (
    "Tell everybody in view before you start. In the EU not for pupils, students or staff (AI Act, Art. 5); elsewhere, "
    "too, those in view must be told (Art. 50)."
)
START = "import(new URL('femr/stage.js', document.baseURI)).then((stage) => stage.start(element))"

_MOST_HEARD = 500
_PATIENCE = 10.0  # seconds for a picture to arrive


@dataclass(frozen=True, slots=True)
class Setup:
    """How a stage is set until its host sets it otherwise, by who starts the page.

    camera: its number, from 1, or a part of its name. video: whether people see themselves. wall: the wall is the page.
    hosted: the page is open to everybody.
    """

    mode: Mode = "match"
    smallest_face: int | None = None
    every: int = 1
    mirror: bool = True
    camera: str | None = None
    video: bool = True
    wall: bool = False
    hosted: bool = False

    def __post_init__(self) -> None:
        if self.smallest_face is not None and not LEAST_FACE <= self.smallest_face <= SIDE:
            raise DataError(
                f"Expected a smallest face of {LEAST_FACE} to {SIDE} pixels. Received: {self.smallest_face}"
            )
        if not 1 <= self.every <= MOST_EVERY:
            raise DataError(
                f"Expected to look for new faces in every 1 to {MOST_EVERY} pictures. Received: {self.every}"
            )
        if self.camera is not None and not self.camera.strip(" 0"):
            raise DataError(f"Expected a camera's number from 1, or a part of its name. Received: {self.camera!r}")


PLAIN = Setup()
"""Where nobody sets anything."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a browser says of itself with each request. Songs are their numbers, see shared.number_of.

    song: what plays. mood: for which it was chosen. since: for how many seconds it has been heard. heard: all so far,
    oldest first. failed: those that cannot be played. done: the last of the host's commands that it did.
    """

    wall: bool = False
    mode: Mode = "match"
    smallest_face: int | None = None
    every: int = 1
    song: int | None = None
    mood: Emotion | None = None
    since: float = 0.0
    paused: bool = False
    heard: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    done: str | None = None

    @classmethod
    def of(cls, text: str) -> "Told":
        """What the header's JSON says. Raises: DataError."""
        try:
            said = json.loads(text)
            mood = said.get("mood")
            lists = {name: tuple(said.get(name, ())) for name in ("heard", "failed")}
            told = cls(**{**said, **lists, "mood": None if mood is None else Emotion(mood)})
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise DataError("Expected what the page's script sends along.") from error
        if not told._sound():
            raise DataError("Expected what the page's script sends along.")
        return told

    def _sound(self) -> bool:
        told = [number for number in (self.song, self.smallest_face) if number is not None]
        numbers = (*self.heard, *self.failed, self.every, *told)
        return (
            all(type(number) is int and 0 <= number < shared.NUMBERS for number in numbers)
            and len(self.heard) + len(self.failed) <= 2 * _MOST_HEARD
            and all(isinstance(is_on, bool) for is_on in (self.wall, self.paused))
            and self.mode in get_args(Mode)
            and (self.done is None or isinstance(self.done, str))
            and isinstance(self.since, int | float)
            and 0 <= self.since < 10**6
        )


@dataclass(frozen=True, eq=False, slots=True)
class _Following:
    """An analyzer that looks for new faces in every few pictures of one visit only; never read with another's."""

    analyzer: Analyzer
    follower: Follower

    def read(self, pictures: Sequence[Picture]) -> list[tuple[FaceEmotion, ...]]:
        return self.analyzer.read(pictures, self.follower)


class Stage:
    """Answers the requests of all visits of one page."""

    def __init__(self, visits: Visits, setup: Setup) -> None:
        self.visits, self._setup = visits, setup

    def routes(self) -> list[BaseRoute]:
        """The routes to be served beside Gradio's."""
        parts = {"/live/frame": self._frame, "/live/pulse": self._pulse}
        return [Route(path, _answering(handler), methods=["POST"]) for path, handler in parts.items()]

    async def _frame(self, request: Request) -> Response:
        """Faces, mood and music after a picture; where it was too late, what the host wants, or 204."""
        visit, told = self._enter(request)
        async with visit.turn():
            data = await _body(request)
            analyzer, picture = await asyncio.to_thread(_prepared, data, told)
            session = _session(visit, analyzer, told)
            reader = analyzer if told.every == 1 else _Following(analyzer, session.follower)
            faces = await asyncio.wrap_future(shared.LANE.join(cast(Analyzer, reader), picture, "frame", LATE))
            if faces is None:  # too late; what the host wants is done all the same
                left = _left(visit, told)
                return JSONResponse({"commands": left}) if left else Response(status_code=204)
            _hear(session, told)
            step = session.step(faces, monotonic())
        shown = [face for face in step.faces if surely_a_face(face.face)]
        # where none is clear all have a vote, of which no share is told
        votes = {} if all(face.unsure for face in shown) else step.mood.counts
        mood = replace(step.mood, emotion=session.looks, counts=votes)
        self._tell(visit, session, mood, len(shown))
        seen = _seen(shown, mood, picture.size)
        return JSONResponse({**seen, **_music(session), "commands": _left(visit, told)})

    async def _pulse(self, request: Request) -> Response:
        """The music and the host's commands, while there is no picture."""
        visit, told = self._enter(request)
        async with visit.turn():
            analyzer = await asyncio.to_thread(shared.analyzer, DEFAULT_MODEL, told.smallest_face)
            session = _session(visit, analyzer, told)
            _hear(session, told)
            session.miss(monotonic())
        self._tell(visit, session, Mood(None, ""), 0)
        return JSONResponse({**_music(session), "commands": _left(visit, told)})

    def _tell(self, visit: Visit, session: Session, mood: Mood, faces: int) -> None:
        title = session.song.title if session.song else None
        self.visits.tell(visit, event(mood.emotion, mood.counts, faces, title))

    def _enter(self, request: Request) -> tuple[Visit, Told]:
        if foreign(request.headers):
            raise Refused(403, NO_STRANGERS)
        told = Told.of(request.headers.get("femr-told", "{}"))
        # a wall may have been started before the server was, with other options
        if told.smallest_face not in SMALLEST:
            told = replace(told, smallest_face=self._setup.smallest_face)
        if told.every not in EVERY:
            told = replace(told, every=self._setup.every)
        return self.visits.enter(request.query_params.get("visit", ""), told.wall), told


def _answering(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The handler, whose refusals and errors are sentences for the stage."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            response = await handler(request)
        except Refused as refused:
            response = JSONResponse({"error": str(refused)}, refused.status)
        except FemrError as error:
            response = JSONResponse({"error": str(error)}, 400)
        response.headers["Cache-Control"] = "no-store"
        return response

    return answer


async def _body(request: Request) -> bytes:
    """A request's picture. Raises: Refused where it is large, slow, or of another kind."""
    if request.headers.get("content-type") != "image/jpeg":
        raise Refused(415, "Expected a JPEG.")
    data = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE):
            async for piece in request.stream():
                data += piece
                if len(data) > MOST_BYTES:
                    raise Refused(413, f"Expected a picture of {MOST_BYTES / 1e6:g} MB at most.")
    except TimeoutError:
        raise Refused(408, "The picture came too slowly.") from None
    return bytes(data)


def _prepared(data: bytes, told: Told) -> tuple[Analyzer, Picture]:
    return shared.analyzer(DEFAULT_MODEL, told.smallest_face), _picture(data)


def _picture(data: bytes) -> Picture:
    """The picture, decoded. Raises: ImageError, before it is decoded where it is no JPEG or a large one."""
    try:
        with Image.open(BytesIO(data), formats=["JPEG"]) as image:
            (width, height), scans = image.size, "progressive" in image.info
    except (OSError, Image.DecompressionBombError) as error:
        raise ImageError("Expected a JPEG.") from error
    if scans:  # of which a small file may have thousands, and browsers write none
        raise ImageError("Expected a JPEG that is not progressive.")
    if width > SIDE or height > 2 * SIDE:
        raise ImageError(f"Expected a picture of {SIDE} pixels' width at most. Received: {width}×{height}")
    pixels = load_image(data)
    height, width = pixels.shape[:2]
    # as if all were of one size: another camera may be plugged in
    return to_picture(pixels, (SIDE, round(SIDE * height / width)))


def _session(visit: Visit, analyzer: Analyzer, told: Told) -> Session:
    visit.session = visit.session or Session(MusicLibrary(()), analyzer.threshold, every=told.every)
    return visit.session


def _hear(session: Session, told: Told) -> None:
    """Has the session go on from what the browser plays."""
    library = shared.music_library()
    session.equip(_playable(library, told.failed), told.mode)
    songs = shared.numbered(library)
    heard = tuple(songs[number] for number in told.heard[-_MOST_HEARD:] if number in songs)
    song = songs.get(told.song) if told.song is not None else None
    session.hear(Played(song, told.mood if song else None, told.since, told.paused, heard), monotonic())


@lru_cache(maxsize=64)
def _playable(library: MusicLibrary, failed: tuple[int, ...]) -> MusicLibrary:
    """The library without the songs that a browser cannot play."""
    return MusicLibrary(song for number, song in shared.numbered(library).items() if number not in failed)


def _seen(faces: Sequence[FaceEmotion], mood: Mood, size: tuple[int, int]) -> dict[str, Any]:
    """Faces and mood as the stage draws them; boxes are shares of the picture's width and height."""
    return {
        "size": size,
        "faces": [_face(face, *size) for face in faces],
        "mood": card.look(mood.emotion) if mood.emotion else None,
        "sentence": sentence(mood, faces),
        "shares": shares_of(mood.counts, len(faces)),
    }


def _face(face: FaceEmotion, width: int, height: int) -> dict[str, Any]:
    x1, y1, x2, y2 = face.box
    top = face.scores.top
    return {
        "number": face.number,
        "box": [round(x1 / width, 4), round(y1 / height, 4), round(x2 / width, 4), round(y2 / height, 4)],
        "emotion": None if face.unsure else top,
        "emoji": top.emoji,
        "color": top.color,
    }


def _music(session: Session) -> dict[str, Any]:
    """The song that is to play, the one that comes next, and a sentence where there is something to say."""
    song = session.song and _card(session.song, session.song_mood)
    coming = session.coming
    note = session.note if session.library.songs else _why_silent()
    return {"song": song, "next": coming and _next(coming), "note": note}


def _why_silent() -> str:
    library = shared.music_library()
    return "None of the songs can be played." if library.songs else " ".join(library.problems[:1])


def _card(song: Song, mood: Emotion | None) -> dict[str, Any]:
    return {**card.song_card(song), "mood": mood}


def _next(coming: Coming) -> dict[str, Any]:
    return {"song": _card(coming.song, coming.mood), "mood": coming.mood.adjective, "seconds": coming.seconds}


def _left(visit: Visit, told: Told) -> list[dict[str, Any]]:
    return [asdict(command) for command in visit.left(told.done)]


def sentence(mood: Mood, faces: Sequence[FaceEmotion]) -> str:
    """Why the mood is what it is, in a guest's words; of a small group it tells no votes."""
    if mood.emotion is None:
        return "nobody in view" if not faces else "faces are hard to see"
    if len(faces) < SHARED_FROM:
        return {1: "one face in view", 2: "two faces in view"}.get(len(faces), "a small group")
    if all(face.unsure for face in faces):
        return "hard to read from here"
    if sum(mood.counts.values()) < SHARED_FROM:
        return "a small group"
    most = mood.counts[mood.emotion]
    look = "looks" if most == 1 else "look"
    tied = [emotion for emotion, votes in mood.counts.items() if votes == most and emotion is not mood.emotion]
    if tied:
        return ", ".join(f"{most} {look} {emotion.adjective}" for emotion in (mood.emotion, *tied))
    return f"{most} of {len(faces)} {look} {mood.emotion.adjective}"


def stage(setup: Setup, wall: bool = False) -> str:
    """The stage's elements, as HTML: for the wall's page, or for the tab."""
    smallest, every = dict.fromkeys((*SMALLEST, setup.smallest_face)), sorted({*EVERY, setup.every})
    said = {"privacy": PRIVACY, "law": LAW, "modes": shared.MODES, "emotions": [card.look(one) for one in EMOTIONS]}
    template = Environment(autoescape=True).from_string(shared.text_of("stage.html"))
    return template.render(wall=wall, setup=asdict(setup), smallest=smallest, every=every, **said)


def build(setup: Setup) -> None:
    """The tab's one component, inside the Blocks that is being built."""
    gr.HTML(stage(setup), apply_default_css=False, js_on_load=START, elem_id="live")
