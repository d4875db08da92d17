"""The Photo tab: a picture in; faces, mood and songs out, and what a visitor takes along.

The page's script (static/photo.js) sends a question, which is checked, as anybody may send it, and draws the answer.
Nothing of a visit is kept here: the script tells which songs were heard, and what was said of faces.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial, wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias, get_args

import gradio as gr

from femr.corrections import Correction, correct, corrected, to_zip
from femr.errors import DataError, FemrError
from femr.expression.weights import DEFAULT_MODEL, MODEL_NAMES
from femr.images import Picture, Pixels, load_picture, thumbnail
from femr.music import Mode
from femr.output.annotate import blurred
from femr.output.share import card as draw_card
from femr.output.share import to_m3u8
from femr.output.show import data_url
from femr.page import card, html
from femr.page.media import song_url
from femr.page.queues import Desk
from femr.page.shared import (
    EXAMPLE,
    MODELS,
    MODELS_INFO,
    MODES,
    NUMBERS,
    is_uploaded,
    music_library,
    numbered,
    read_photo,
    text_of,
)
from femr.results import EMOTIONS, Analysis, Emotion

Answer: TypeAlias = dict[str, Any]

DESK = Desk()
CARDS = Desk(at_once=2)
CLIPS = Desk(at_once=1)
"""A second clip would only make both late."""
LISTS = Desk()
"""What takes no time; nobody waits there for a picture."""
NOT_OURS = "The page sent something that it should not. Please load it again."
GONE = "That picture is not here any more. Please choose it again."
ALL_GONE = "None of these pictures is here any more."
SHOWN_SIDE = 1280  # pixels of the long side of a picture on a card, and of one that the browser cannot show by itself
MOST_PICTURES = 20  # of the set of corrections
MOST_PLAYED = 1000
MOST_SHOWS = 200
MOST_LETTERS = 300  # of an address
LONGEST_PATH = 4096  # letters
START = "import(new URL('femr/photo.js', document.baseURI)).then((page) => page.start(element, server))"


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
_NAMES = [one.name for one in EXAMPLES]


@dataclass(frozen=True, slots=True)
class Question:
    """What the script asks.

    path: where an upload lies. example: the name of one of EXAMPLES instead. mood: whose songs are wanted, where they
    are not the picture's. played: the numbers of this visit's songs so far, oldest first. shows: what faces show as the
    visitor says, by their numbers. ticket: a number of the script's own, with which it asks for its place in line.
    song, address, boxes, blur: what is to stand on something that is shared.
    """

    path: str = ""
    example: str = ""
    mood: str | None = None
    model: str = DEFAULT_MODEL
    mode: Mode = "match"
    played: Sequence[int] = ()
    shows: Mapping[str, str] = field(default_factory=dict)
    ticket: int = 0
    song: int | None = None
    address: str = ""
    boxes: bool = True
    blur: bool = False

    def __post_init__(self) -> None:
        if not self._sound():
            raise DataError(NOT_OURS)

    def _sound(self) -> bool:
        numbers = (*self.played, self.ticket) if isinstance(self.played, list | tuple) else (None,)
        return (
            all(isinstance(word, str) and len(word) <= LONGEST_PATH for word in (self.path, self.example))
            and isinstance(self.address, str)
            and len(self.address) <= MOST_LETTERS
            and self.address.isprintable()
            and self.model in MODEL_NAMES
            and self.mode in get_args(Mode)
            and self.mood in (None, *EMOTIONS)
            and all(isinstance(is_on, bool) for is_on in (self.boxes, self.blur))
            and len(numbers) <= MOST_PLAYED + 1
            and all(type(number) is int and 0 <= number < NUMBERS for number in numbers)
            and (self.song is None or (type(self.song) is int and 0 <= self.song < NUMBERS))
            and isinstance(self.shows, dict)
            and len(self.shows) <= MOST_SHOWS
            and all(key.isdecimal() and len(key) < 10 and one in EMOTIONS for key, one in self.shows.items())
        )

    @classmethod
    def of(cls, asked: Any) -> "Question":
        """The question in what came from the browser. Raises: DataError if it is none."""
        if not isinstance(asked, dict) or not set(asked) <= {field.name for field in fields(cls)}:
            raise DataError(NOT_OURS)
        return cls(**asked)

    def picture(self) -> Picture:
        """The picture: an example, or an upload and nothing else of the server's. Raises: FemrError."""
        if not self.is_here():
            raise DataError(GONE)
        return load_picture(EXAMPLE.with_name(self.example) if self.example in _NAMES else self.path)

    def is_here(self) -> bool:
        """Whether there is a picture that may be read: uploads are deleted after a while."""
        return self.example in _NAMES or is_uploaded(self.path)

    def told(self) -> dict[int, Emotion]:
        """What faces show as the visitor says."""
        return {int(number): Emotion(one) for number, one in self.shows.items()}

    def analysis(self, picture: Picture) -> Analysis:
        """What is found in the picture, with what the visitor says, and the song that is named. Raises: FemrError."""
        found = corrected(read_photo(picture, self.model, self.mode), self.told())
        song = numbered(music_library()).get(self.song) if self.song is not None else None
        return replace(found, song=song or found.song)


def answering(
    desk: Desk, check: Callable[[Any], Any] = Question.of
) -> Callable[[Callable[[Any], Answer]], Callable[[Any], Awaitable[Answer]]]:
    """Makes a handler one that the script can call: what was asked is checked, and waits at a desk for its turn.

    It waits without one of the threads which serve songs and scripts too. What goes wrong comes as a sentence, `error`.
    """

    def called(handler: Callable[[Any], Answer]) -> Callable[[Any], Awaitable[Answer]]:
        @wraps(handler)
        async def answer(asked: Any) -> Answer:
            try:
                question = check(asked)
                return await desk.serve(asked.get("ticket", 0), partial(handler, question))
            except FemrError as error:
                return {"error": str(error)}

        return answer

    return called


@answering(LISTS)
def place(question: Question) -> Answer:
    """How many pictures are before the one that is waiting, and how long they take."""
    before, seconds = DESK.place(question.ticket)
    return {"before": before, "seconds": seconds}


@answering(DESK)
def read(question: Question) -> Answer:
    """The faces, mood and songs of a picture."""
    plain = read_photo(question.picture(), question.model, question.mode)
    found = corrected(plain, question.told())
    emotion = found.mood.emotion
    songs = card.playlist(music_library(), emotion, question.mode, question.played) if emotion else []
    return card.answer(found, songs, plain)


@answering(LISTS)
def songs(question: Question) -> Answer:
    """The songs of a mood, in the order in which they are to play."""
    if question.mood is None:
        raise DataError("Find a mood first.")
    songs = card.playlist(music_library(), Emotion(question.mood), question.mode, question.played)
    return {"songs": [card.song_card(song) for song in songs]}


@answering(CARDS)
def show(question: Question) -> Answer:
    """A picture that the browser cannot show by itself, as an address that holds it."""
    return {"picture": html.jpeg_url(thumbnail(question.picture().pixels, SHOWN_SIDE))}


@answering(CARDS)
def share(question: Question) -> Answer:
    """A card of the picture, as an address that holds it."""
    picture, _ = _card(question)
    return {"file": html.jpeg_url(picture)}


@answering(CLIPS)
def clip(question: Question) -> Answer:
    """Ten seconds of the card with the song, as an address that holds it."""
    from femr.video.writer import write_clip  # with PyAV, which is not everywhere

    picture, found = _card(question)
    if found.song is None:
        raise DataError("There is no song to make a clip with.")
    with TemporaryDirectory() as folder:
        target = Path(folder, "clip.mp4")
        write_clip(picture, found.song, target)
        return {"file": data_url(target.read_bytes(), "video/mp4")}


@answering(LISTS)
def playlist(question: Question) -> Answer:
    """The songs of a mood as a playlist, each with its address here."""
    if question.mood is None:
        raise DataError("Find a mood first.")
    songs = card.playlist(music_library(), Emotion(question.mood), question.mode, [])
    base = question.address.rstrip("/")
    text = to_m3u8(songs, lambda song: f"{base}/{song_url(song)}")
    return {"file": data_url(text.encode(), "audio/mpegurl")}


def _set(asked: Any) -> tuple[list[Question], bool]:
    """The pictures of a set of what a visitor said, and whether it is to hold faces. Raises: DataError."""
    if not isinstance(asked, dict) or not isinstance(asked.get("pictures"), list):
        raise DataError(NOT_OURS)
    if len(asked["pictures"]) > MOST_PICTURES:
        raise DataError(f"Expected at most {MOST_PICTURES} pictures. Received: {len(asked['pictures'])}")
    return [Question.of(question) for question in asked["pictures"]], asked.get("crops") is True


@answering(CARDS, _set)
def corrections(asked: tuple[list[Question], bool]) -> Answer:
    """The labelled set of what the visitor said, a ZIP file: of {pictures: questions, crops: bool}.

    Pictures that are deleted by now are left out, and a note says how many.
    """
    questions, crops = asked
    here = {number: question for number, question in enumerate(questions, start=1) if question.is_here()}
    if questions and not here:
        raise DataError(GONE if len(questions) == 1 else ALL_GONE)
    told = [one for number, question in here.items() for one in _told(question, number)]
    file = data_url(to_zip(told, crops), "application/zip")
    return {"file": file, "note": _left_out(len(questions) - len(here))}


def _left_out(gone: int) -> str:
    words = "1 picture is not here any more and is" if gone == 1 else f"{gone} pictures are not here any more and are"
    return f"{words} left out." if gone else ""


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
