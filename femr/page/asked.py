"""What the page's script asks of the Photo tab: checked, as anybody may send it; and the picture it is about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import wraps
from typing import Any, get_args

from femr.corrections import corrected
from femr.errors import DataError, FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Picture, load_picture
from femr.music import Mode
from femr.page.inputs import is_uploaded
from femr.page.shared import EXAMPLE, MODELS, music_library, numbered, read_photo
from femr.results import EMOTIONS, Analysis, Emotion

NOT_OURS = "The page sent something that it should not. Please load it again."
GONE = "That picture is not here any more. Please choose it again."
MOST_PLAYED = 1000
MOST_SHOWS = 200
MOST_LETTERS = 300  # of an address
Answer = dict[str, Any]


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
        words = all(isinstance(word, str) for word in (self.path, self.example, self.address))
        known = self.model in [name for _, name in MODELS] and self.mode in get_args(Mode)
        known = (
            known
            and self.mood in (None, *EMOTIONS)
            and all(isinstance(is_on, bool) for is_on in (self.boxes, self.blur))
        )
        numbers = isinstance(self.played, list | tuple) and len(self.played) <= MOST_PLAYED
        numbers = numbers and all(isinstance(n, int) and n >= 0 for n in (*self.played, self.song or 0, self.ticket))
        shows = isinstance(self.shows, dict) and len(self.shows) <= MOST_SHOWS
        shows = shows and all(key.isdecimal() and one in EMOTIONS for key, one in self.shows.items())
        if not (words and known and numbers and shows and len(self.address) <= MOST_LETTERS):
            raise DataError(NOT_OURS)

    @classmethod
    def of(cls, asked: Any) -> "Question":
        """The question in what came from the browser. Raises: DataError if it is none."""
        if not isinstance(asked, dict) or not set(asked) <= {field.name for field in fields(cls)}:
            raise DataError(NOT_OURS)
        return cls(**asked)

    def picture(self) -> Picture:
        """The picture: an example, or an upload and nothing else of the server's. Raises: FemrError."""
        if self.example in [one.name for one in EXAMPLES]:
            return load_picture(EXAMPLE.with_name(self.example))
        if not is_uploaded(self.path):
            raise DataError(GONE)
        return load_picture(self.path)

    def told(self) -> dict[int, Emotion]:
        """What faces show as the visitor says."""
        return {int(number): Emotion(one) for number, one in self.shows.items()}

    def analysis(self, picture: Picture) -> Analysis:
        """What is found in the picture, with what the visitor says, and the song that is named. Raises: FemrError."""
        found = corrected(read_photo(picture, self.model, self.mode), self.told())
        song = numbered(music_library()).get(self.song) if self.song is not None else None
        return replace(found, song=song or found.song)


def answering(handler: Callable[[Question], Answer]) -> Callable[[Any], Answer]:
    """A handler of questions as one that the script can call: what goes wrong comes as a sentence, `error`."""

    @wraps(handler)
    def answer(asked: Any) -> Answer:
        try:
            return handler(Question.of(asked))
        except FemrError as error:
            return {"error": str(error)}

    return answer
