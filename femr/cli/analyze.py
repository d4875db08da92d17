"""femr analyze: pictures and videos in; a table, JSON, annotated pictures and videos, timelines out."""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from textwrap import indent
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any, Self, TypeAlias

from femr.cli import BAD_INPUT, INTERRUPTED, check_targets, old_name, target
from femr.cli.terminal import LOADING, give_up_output, paint, play, quiet, show, waiting
from femr.errors import DataError, FemrError, ImageError, plural, printable
from femr.expression.weights import DEFAULT_MODEL, MODEL_NAMES
from femr.files import free_name, make_folder, replacing, writing
from femr.output.rows import to_dict
from femr.results import Emotion, Mood, Song

if TYPE_CHECKING:
    from femr.batch.inputs import Input
    from femr.music import MusicLibrary
    from femr.output.table import TableWriter
    from femr.output.timeline import Timeline
    from femr.results import Analysis

Engine: TypeAlias = "Callable[..., Iterator[Analysis]]"

_BAR = "{percentage:3.0f} % |{bar}| {elapsed}, {remaining} left"
_PATH = (
    "pictures, videos, folders, patterns in quotes, .txt lists of paths, .zip files of pictures, web addresses of "
    "pictures, or - for a picture from standard input"
)


class Tally:
    """Counts what was read and what was written, from now on.

    faces: in pictures. failed: what could not be "read" or "drawn". drawn: the first annotated picture or video.
    """

    def __init__(self) -> None:
        self._begun = perf_counter()
        self._moods = Counter[Emotion | None]()
        self._songs: dict[Emotion, Song] = {}
        self._read = Counter[str]()
        self._written = Counter[tuple[str, Path]]()
        self.faces = 0
        self.failed = Counter[str]()
        self.drawn: Path | None = None

    def add(self, kind: str, mood: Mood, song: Song | None) -> None:
        """One more picture or video, as `kind` says."""
        self._read[kind] += 1
        self._moods[mood.emotion] += 1
        if mood.emotion and song:
            self._songs.setdefault(mood.emotion, song)

    def wrote(self, kind: str, path: Path) -> None:
        """One more file was written: an annotated picture or video, or a timeline."""
        self._written[kind, path.parent] += 1
        if kind != "timeline":
            self.drawn = self.drawn or path

    def song(self) -> Song | None:
        """The song of the mood that most have; None where none has one."""
        moods = (emotion for emotion, _ in self._moods.most_common() if emotion in self._songs)
        return next((self._songs[emotion] for emotion in moods if emotion), None)

    def read(self) -> str:
        """What was read, its moods and the seconds it took; empty where nothing was."""
        if not self._read:
            return ""
        kinds = [plural(count, kind) for kind, count in self._read.items()]
        moods = [f"{count} {emotion or 'without a mood'}" for emotion, count in self._moods.most_common()]
        failed = "".join(f"; {count} could not be {what}" for what, count in self.failed.items())
        sums = ", ".join([*kinds, plural(self.faces, "face")] if self._read["picture"] else kinds)
        return f"{sums} in {perf_counter() - self._begun:.1f} s: {', '.join(moods)}{failed}"

    def written(self, table: Path | None) -> str:
        """What was written where; empty where nothing was."""
        files = [f"{plural(count, kind)} in {folder}" for (kind, folder), count in self._written.items()]
        files = [str(table), *files] if table else files
        return f"Wrote {', '.join(files)}" if files else ""


def add(commands: Any) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "analyze", help="read pictures and videos", description="Faces, expressions and mood of pictures and videos."
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help=_PATH)
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help=f"one of {', '.join(MODEL_NAMES)}, or the Hub's user/name"
    )
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
        help="side of the smallest face to look for; default 28, in large pictures 1/48 of the long side",
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
    table.add_argument("--csv", type=target, metavar="FILE", help="write a table as CSV, one row a face")
    table.add_argument("--table", type=target, metavar="FILE", help="the same as .csv, .jsonl or .parquet")
    parser.add_argument("--excel", action="store_true", help="mark a CSV as UTF-8: Excel shows é and 日 by that")
    parser.add_argument("--resume", action="store_true", help="go on with the table of a run that was interrupted")
    parser.add_argument("--annotate", type=target, metavar="DIR", help="write annotated pictures and videos")
    parser.add_argument("--blur", action="store_true", help="with --annotate: blur the faces that were found")
    parser.add_argument("--open", action="store_true", help="open the first annotated picture or video")
    parser.add_argument("--play", action="store_true", help="play the song; of many, that of the most frequent mood")
    parser.add_argument(
        "--timeline", type=target, metavar="DIR", help="write a picture of each video's moods over time"
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local", help="ray: several processes or machines"
    )
    parser.add_argument("--address", metavar="HOST:PORT", help="a running Ray cluster; default: one on this machine")
    parser.add_argument("--workers", type=int, metavar="N", help="Ray's processes; default: one for each CPU")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Analyses the files; BAD_INPUT if one could not be read or drawn, INTERRUPTED after Ctrl-C.

    Also where nobody reads what is printed any more, while something is written that is not complete.
    """
    table = options.table or options.csv
    try:
        return _analyze(options, table)
    except (KeyboardInterrupt, BrokenPipeError) as stop:
        unread = isinstance(stop, BrokenPipeError)
        if unread and not (table or options.annotate or options.timeline):
            raise
        kept = f" {table} holds what was done; the same with --resume goes on." if table else ""
        give_up_output()
        with suppress(BrokenPipeError):
            print(f"femr: stopped{', for nobody reads the output' if unread else ''}.{kept}", file=sys.stderr)
        return INTERRUPTED


def _check(options: argparse.Namespace, table: Path | None) -> None:
    """Raises: FemrError where an option is out of range or lacks another one: now, before an hour of photos."""
    from femr.faces.detector import Follower
    from femr.video.analysis import exact_rate

    drawn, ray = options.annotate or options.open, options.engine == "ray"
    for option, given, need, met in (
        ("--resume", options.resume, "--table or --csv", table),
        ("--excel", options.excel, "--table or --csv", table),
        ("--blur", options.blur, "--annotate", drawn),
        ("--address", options.address is not None, "--engine ray", ray),
        ("--workers", options.workers is not None, "--engine ray", ray),
    ):
        if given and not met:
            raise FemrError(f"Expected {need} with {option}.")
    if options.workers is not None and options.workers < 1:
        raise FemrError(f"Expected one worker or more. Received: {options.workers}")
    exact_rate(options.fps)
    Follower(options.detect_every)


def _analyze(options: argparse.Namespace, table: Path | None) -> int:
    tally, passed = Tally(), Counter[str]()
    with waiting(LOADING):
        inputs, writer, library, engine = _prepare(options, table, passed)
    from femr.batch.inputs import copied, tell_passed  # not before the first word: it loads OpenCV

    with ExitStack() as stack:
        if writer:
            stack.enter_context(writer)
        if options.annotate and options.engine != "ray":  # whose workers may be elsewhere
            inputs = copied(inputs, stack.enter_context(tempfile.TemporaryDirectory(prefix="femr-")))
        skip = writer.done if writer else frozenset()
        document = stack.enter_context(Document(options.model)) if options.json else None
        left = [each for each in inputs if each.name not in skip]
        progress = stack.enter_context(Progress(left))
        by_name = {each.name: each for each in inputs}
        _Run(options, by_name, library, writer, document, progress, tally).all(engine(inputs, skip=skip))
    if passed:
        print(f"femr: {tell_passed(passed)}", file=sys.stderr)
    if not left and not document:
        print(f"There is nothing left to do: {table} holds all.")
    if tally.read() and not document:
        lines = (tally.read() if len(inputs) > 1 else "", tally.written(table))
        print("".join(f"{paint(line)}\n" for line in lines if line), end="")
    if options.open and tally.drawn:
        show(tally.drawn)
    if options.play:
        song = tally.song()
        if song is None:
            raise FemrError("There is no song to play.")
        with waiting(f"♫ {printable(song.title)}, until Ctrl-C"):
            play(song.path)
    return BAD_INPUT if tally.failed else 0


def _prepare(
    options: argparse.Namespace, table: Path | None, passed: Counter[str]
) -> "tuple[list[Input], TableWriter | None, MusicLibrary, Engine]":
    """What is to be read, the table, the songs, the networks; with the folders to write to, and `passed` counted."""
    from femr.batch.inputs import find
    from femr.output.table import FORMATS, TableWriter
    from femr.songs import load_library

    _check(options, table)
    inputs = find(options.paths, passed)
    # with `femr * --csv faces.csv` a table of the last time is an input, too
    read = [] if table and table.suffix.lower() in FORMATS else [*options.paths, *(each.path for each in inputs)]
    files = {"--csv": options.csv, "--table": options.table}
    check_targets(files, {"--annotate": options.annotate, "--timeline": options.timeline}, read)
    writer = TableWriter(table, options.resume, ".csv" if options.csv else None, options.excel) if table else None
    if options.open and not options.annotate:
        options.annotate = Path(tempfile.mkdtemp(prefix="femr-"))
    for folder in (options.annotate, options.timeline, table and table.parent):
        if folder:
            make_folder(folder)
    library = load_library()  # once, for what it leaves out is told
    return inputs, writer, library, _engine(options, library)


def _engine(options: argparse.Namespace, library: "MusicLibrary") -> Engine:
    how = {"rate": options.fps, "mode": "lift" if options.lift else "match", "every": options.detect_every}
    parts = {"balance": options.balance, "detector": options.detector, "smallest_face": options.smallest_face}
    if options.engine == "ray":
        from femr.batch import ray

        where = {"address": options.address, "workers": options.workers}
        return partial(ray.analyze_inputs, model=options.model, parts=parts, **where, **how)
    from femr import load
    from femr.batch import folder

    with quiet():
        analyzer = load(options.model, library=library, **parts)
    return partial(folder.analyze_inputs, analyzer, **how)


class Progress:
    """A bar with the time left on standard error, where that is a terminal; a context manager."""

    def __init__(self, inputs: "Sequence[Input]") -> None:
        from tqdm import tqdm

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
            self._length = video_length(self._inputs[self._number])
        self._to(self._number + min(1.0, time / self._length))

    def print(self, text: str, stream: IO[str] | None = None) -> None:
        """A line above the bar, on standard output by default."""
        self._bar.write(text, file=stream or sys.stdout)

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


def video_length(source: "Input") -> float:
    """A video's length in seconds; endless where it is not known."""
    from femr.video.reader import Reader

    try:
        with source.open() as file, Reader(file) as reader:
            return reader.length or float("inf")
    except FemrError:
        return float("inf")


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Passes each analysis on to the terminal, the table and the pictures, and keeps none. inputs: by their names."""

    options: argparse.Namespace
    inputs: "dict[str, Input]"
    library: "MusicLibrary"
    table: "TableWriter | None"
    document: Document | None
    progress: Progress
    tally: Tally

    def all(self, analyses: "Iterator[Analysis]") -> None:
        """Everything."""
        for name, group in groupby(analyses, key=lambda analysis: str(analysis.file)):
            source = self.inputs[name]
            if source.video:
                self._video(source, group)
            else:
                self._pictures(source, group)

    def _pictures(self, source: "Input", group: "Iterable[Analysis]") -> None:
        for analysis in group:
            self._keep(analysis)
            if analysis.error is None:
                self.tally.add("picture", analysis.mood, analysis.song)
                self.tally.faces += len(analysis.faces)
                self._say(source.name, self._text(analysis))
                if self.options.annotate:
                    self._draw(source, analysis)
            self.progress.advance()

    def _text(self, analysis: "Analysis") -> str:
        """All that is to be told of a picture; of one of many, a line."""
        from femr.output.rows import to_text

        if len(self.inputs) == 1:
            return to_text(analysis).removeprefix(f"{analysis.file}: ")
        return f"{analysis.mood!r}" + (f" · plays {printable(analysis.song.title)}" if analysis.song else "")

    def _video(self, source: "Input", group: "Iterable[Analysis]") -> None:
        from femr.output.timeline import Timeline

        stem = Path(source.name).stem
        timeline = Timeline()
        if self.options.annotate:
            group = self._filmed(source, free_name(self.options.annotate, stem, ".mp4"), group)
        for analysis in group:
            self._keep(analysis)
            timeline.add(analysis)
            if analysis.time is not None:  # a failure has none, and does not end the film twice
                self.progress.advance(analysis.time)
        self.progress.advance()
        if not timeline.frames:
            return
        self._conclude(source.name, timeline)
        if self.options.timeline:
            path = free_name(self.options.timeline, stem, ".png")
            self._write(source, "timeline", path, lambda file: timeline.save(file, Path(source.name).name))

    def _filmed(self, source: "Input", path: Path, group: "Iterable[Analysis]") -> "Iterator[Analysis]":
        """The same analyses, while the video is annotated along; as NAME.unfinished until it is complete."""
        from femr.video.writer import annotated

        unfinished = path.with_name(f"{path.name}.unfinished")
        try:
            yield from annotated(source.open, unfinished, group, self.options.blur)
            if unfinished.exists():
                with writing(path):
                    unfinished.replace(path)
                self.tally.wrote("video", path)
        except (DataError, ImageError) as error:  # not what an engine raises, which ends it all
            unfinished.unlink(missing_ok=True)
            self._failed(source, "drawn", str(error))
            yield from group

    def _conclude(self, name: str, timeline: "Timeline") -> None:
        """A video's mood and song."""
        mood: Mood = timeline.mood()
        song = self.library.pick(mood.emotion, "lift" if self.options.lift else "match") if mood.emotion else None
        self.tally.add("video", mood, song)
        seen = f"{plural(timeline.frames, 'frame')}, at most {plural(timeline.most_faces, 'face')} at once"
        plays = f"\n  plays {song.title} ({song.emotion})" if song else ""
        self._say(name, f"{mood.reason}\n  {seen}{plays}")

    def _say(self, name: str, text: str) -> None:
        if not self.document:
            self.progress.print(f"{printable(name)}: {paint(text)}")

    def _keep(self, analysis: "Analysis") -> None:
        if self.table:
            self.table.write(analysis)
        if self.document:
            self.document.add(analysis)
        if analysis.error is not None:
            self._failed(self.inputs[str(analysis.file)], "read", analysis.error)

    def _failed(self, source: "Input", what: str, error: str) -> None:
        """Tells and counts what could not be done."""
        self.tally.failed[what] += 1
        self.progress.print(f"femr: {printable(source.name)}: {error}", sys.stderr)

    def _draw(self, source: "Input", analysis: "Analysis") -> None:
        from femr.output.annotate import blurred, draw, save

        def draw_into(file: Path) -> None:
            # read again: to keep the full picture of all that are on their way would take too much memory
            image = source.image()
            save(draw(blurred(image, analysis) if self.options.blur else image, analysis), file)

        self._write(source, "picture", free_name(self.options.annotate, Path(source.name).stem), draw_into)
        if source.copy:
            Path(source.copy).unlink(missing_ok=True)

    def _write(self, source: "Input", kind: str, path: Path, save: Callable[[Path], None]) -> None:
        """A picture of one input; if it cannot be had that is told, and the others are analysed all the same."""
        try:
            with replacing(path) as unfinished:
                save(unfinished)
        except FemrError as error:
            self._failed(source, "drawn", str(error))
        else:
            self.tally.wrote(kind, path)
