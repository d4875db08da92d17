"""What a long analysis shows while it runs: a progress bar, and a JSON document that grows."""

import json
import sys
from collections.abc import Sequence
from textwrap import indent
from typing import IO, TYPE_CHECKING, Any, Self

from tqdm import tqdm

from femr.errors import FemrError
from femr.report import to_dict

if TYPE_CHECKING:
    from femr.many.inputs import Input
    from femr.results import Analysis

_BAR = "{percentage:3.0f} % |{bar}| {elapsed}, {remaining} left"


class Progress:
    """A bar with the time left on standard error, where that is a terminal; a context manager."""

    def __init__(self, inputs: "Sequence[Input]") -> None:
        self._inputs = inputs
        self._bar: Any = tqdm(total=len(inputs), disable=None, bar_format=_BAR, leave=False)
        self._number = 0
        self._length: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def advance(self, time: float | None = None) -> None:
        """One input is done; or, with a time in seconds, a video up to there."""
        if self._bar.disable:
            return
        if time is None:
            self._number, self._length = self._number + 1, None
            self._to(self._number)
            return
        if self._length is None:
            self._length = _length(self._inputs[self._number])
        self._to(self._number + min(1.0, time / self._length))

    def print(self, text: str, stream: IO[str] | None = None) -> None:
        """A line above the bar, on standard output by default."""
        tqdm.write(text, file=stream or sys.stdout)

    def _to(self, place: float) -> None:
        self._bar.update(place - self._bar.n)


class Document:
    """The JSON document {"model", "images": [...]}, printed picture by picture; a context manager."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._separator = "\n"

    def __enter__(self) -> Self:
        print(f'{{\n  "model": {json.dumps(self._model)},\n  "images": [', end="")
        return self

    def __exit__(self, *_: object) -> None:
        # also after an interruption: what was printed can be read
        print("\n  ]\n}")

    def add(self, analysis: "Analysis") -> None:
        """One more picture or frame."""
        text = json.dumps(to_dict(analysis), indent=2, ensure_ascii=False)
        print(self._separator + indent(text, "    "), end="")
        self._separator = ",\n"


def _length(source: "Input") -> float:
    """A video's length in seconds; endless where it is not known."""
    from femr.video.reader import Reader

    try:
        with source.open() as file, Reader(file) as reader:
            return reader.length or float("inf")
    except FemrError:
        return float("inf")
