"""python -m femr analyze: pictures and videos in; a table, JSON, annotated pictures and videos, timelines out."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import groupby
from pathlib import Path
from textwrap import indent
from typing import IO, TYPE_CHECKING, Any, Self, TypeAlias

from tqdm import tqdm

from femr.cli import BAD_INPUT, INTERRUPTED, old_name
from femr.errors import FemrError, printable
from femr.expression.weights import DEFAULT_MODEL, MODEL_NAMES
from femr.files import free_name, make_folder, writing
from femr.output.rows import to_dict

if TYPE_CHECKING:
    from femr.batch.inputs import Input
    from femr.music import Mode
    from femr.output.table import TableWriter
    from femr.results import Analysis

Engine: TypeAlias = "Callable[..., Iterator[Analysis]]"

_BAR = "{percentage:3.0f} % |{bar}| {elapsed}, {remaining} left"
_PATH = (
    "pictures, videos, folders, patterns in quotes, .txt lists of paths, .zip files of pictures, web addresses of "
    "pictures, or - for a picture from standard input"
)


def add(commands: Any) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "analyze", help="read pictures and videos", description="Faces, expressions and mood of pictures and videos."
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help=_PATH)
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"one of {', '.join(MODEL_NAMES)}")
    parser.add_argument(
        "--balance", type=float, metavar="X", help="how readily rare expressions are named, 0 to 1; the model's own"
    )
    parser.add_argument(
        "--detector", default="mtcnn", metavar="NAME", help="mtcnn, or yunet:FILE with an ONNX file of YuNet"
    )
    parser.add_argument(
        "--smallest-face",
        type=int,
        metavar="PX",
        help="side of the smallest face to look for; 28, or 1/48 of the picture",
    )
    parser.add_argument("--lift", action="store_true", help="answer a hard mood with calm or cheerful songs")
    parser.add_argument("--fps", type=float, default=4.0, metavar="N", help="frames a second of videos; default 4")
    parser.add_argument(
        "--detect-every", type=int, default=1, metavar="N", help="look for new faces in every Nth of those only; faster"
    )
    old_name(parser, "--rate", "fps", float)
    old_name(parser, "--every", "detect_every", int)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    table = parser.add_mutually_exclusive_group()
    table.add_argument("--csv", type=Path, metavar="FILE", help="write a table as CSV, one row a face")
    table.add_argument("--table", type=Path, metavar="FILE", help="the same as .csv, .jsonl or .parquet")
    parser.add_argument("--excel", action="store_true", help="mark a CSV as UTF-8: Excel shows é and 日 by that")
    parser.add_argument("--resume", action="store_true", help="go on with the table of a run that was interrupted")
    parser.add_argument("--annotate", type=Path, metavar="DIR", help="write annotated pictures and videos")
    parser.add_argument("--blur", action="store_true", help="with --annotate: blur the faces that were found")
    parser.add_argument("--timeline", type=Path, metavar="DIR", help="write a picture of each video's moods over time")
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="ray: several processes or machines"
    )
    parser.add_argument("--address", metavar="HOST:PORT", help="a running Ray cluster; default: one on this machine")
    parser.add_argument("--workers", type=int, metavar="N", help="Ray's processes; default: one for each CPU")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Analyses the files; BAD_INPUT if one could not be read, INTERRUPTED after Ctrl-C."""
    table = options.table or options.csv
    if options.resume and not table:
        raise FemrError("Expected --table or --csv with --resume: the table to go on with.")
    try:
        return _analyze(options, table)
    except KeyboardInterrupt:
        kept = f" {table} holds what was done; the same with --resume goes on." if table else ""
        print(f"femr: stopped.{kept}", file=sys.stderr)
        return INTERRUPTED


def _analyze(options: argparse.Namespace, table: Path | None) -> int:
    from femr.batch.inputs import find, tell_passed
    from femr.output.table import TableWriter
    from femr.video.analysis import exact_rate

    exact_rate(options.fps)  # before an hour of photos
    passed = Counter[str]()
    inputs = find(options.paths, passed)
    for target in (options.annotate, options.timeline, table and table.parent):
        if target:
            make_folder(target)
    writer = TableWriter(table, options.resume, ".csv" if options.csv else None, options.excel) if table else None
    engine = _engine(options)
    with ExitStack() as stack:
        if writer:
            stack.enter_context(writer)
        skip = writer.done if writer else frozenset()
        document = stack.enter_context(Document(options.model)) if options.json else None
        progress = stack.enter_context(Progress([each for each in inputs if each.name not in skip]))
        code = _Run(options, inputs, writer, document, progress).all(engine(inputs, skip=skip))
    if passed:
        print(f"femr: {tell_passed(passed)}", file=sys.stderr)
    return code


def _engine(options: argparse.Namespace) -> Engine:
    mode: Mode = "lift" if options.lift else "match"
    if options.engine == "ray":
        from femr.batch import ray

        return partial(
            ray.analyze_inputs,
            model=options.model,
            rate=options.fps,
            mode=mode,
            every=options.detect_every,
            parts=_reading(options),
            address=options.address,
            workers=options.workers,
        )
    from femr import load
    from femr.batch import folder

    analyzer = load(options.model, **_reading(options))
    return partial(folder.analyze_inputs, analyzer, rate=options.fps, mode=mode, every=options.detect_every)


def _reading(options: argparse.Namespace) -> dict[str, Any]:
    """How faces are to be found and read, for `femr.load`."""
    return {"balance": options.balance, "detector": options.detector, "smallest_face": options.smallest_face}


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
        ascii_only = not str(getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
        text = json.dumps(to_dict(analysis), indent=2, ensure_ascii=ascii_only)
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


class _Run:
    """Passes each analysis on to the terminal, the table and the pictures, and keeps none."""

    def __init__(
        self,
        options: argparse.Namespace,
        inputs: "Iterable[Input]",
        table: "TableWriter | None",
        document: Document | None,
        progress: Progress,
    ) -> None:
        self._options = options
        self._inputs = {each.name: each for each in inputs}
        self._table = table
        self._document = document
        self._progress = progress
        self._failures = 0

    def all(self, analyses: "Iterator[Analysis]") -> int:
        """Everything; the exit code."""
        for name, group in groupby(analyses, key=lambda analysis: str(analysis.file)):
            source = self._inputs[name]
            if source.video:
                self._video(source, group)
            else:
                self._pictures(source, group)
        return BAD_INPUT if self._failures else 0

    def _pictures(self, source: "Input", group: "Iterable[Analysis]") -> None:
        from femr.output.rows import to_text

        for analysis in group:
            self._keep(analysis)
            if analysis.error is None:
                if not self._document:
                    self._progress.print(to_text(analysis))
                if self._options.annotate:
                    self._draw(source, analysis)
            self._progress.advance()

    def _video(self, source: "Input", group: "Iterable[Analysis]") -> None:
        from femr.output.timeline import Timeline

        stem = Path(source.name).stem
        timeline = Timeline()
        if self._options.annotate:
            from femr.video.writer import annotated

            target = free_name(self._options.annotate, stem, ".mp4")
            group = annotated(source.open, target, group, self._options.blur)
        for analysis in group:
            self._keep(analysis)
            timeline.add(analysis)
            self._progress.advance(analysis.time)
        self._progress.advance()
        if not timeline.frames:
            return
        if not self._document:
            self._progress.print(self._summary(source.name, timeline))
        if self._options.timeline:
            target = free_name(self._options.timeline, stem, ".png")
            with writing(target):
                timeline.save(target, Path(source.name).name)

    def _summary(self, name: str, timeline: Any) -> str:
        from femr.songs import load_library

        mood = timeline.mood()
        lines = [
            f"{printable(name)}: {mood.reason}",
            f"  {timeline.frames} frames, at most {timeline.most_faces} faces at once",
        ]
        song = load_library().pick(mood.emotion, "lift" if self._options.lift else "match") if mood.emotion else None
        return "\n".join([*lines, *([f"  plays {song.title} ({song.emotion})"] if song else [])])

    def _keep(self, analysis: "Analysis") -> None:
        if self._table:
            self._table.write(analysis)
        if self._document:
            self._document.add(analysis)
        if analysis.error is not None:
            self._failures += 1
            self._progress.print(f"femr: {printable(str(analysis.file))}: {analysis.error}", sys.stderr)

    def _draw(self, source: "Input", analysis: "Analysis") -> None:
        from femr.output.annotate import blurred, draw, save

        target = free_name(self._options.annotate, Path(source.name).stem)
        with writing(target):
            # read again: to keep the full picture of all that are on their way would take too much memory
            image = source.image()
            save(draw(blurred(image, analysis) if self._options.blur else image, analysis), target)
