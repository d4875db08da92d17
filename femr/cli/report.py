"""femr report: the group report of a table, of photos or of a video."""

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from femr.cli import BAD_INPUT, check_targets, old_name, target
from femr.cli.analyze import Progress, video_length
from femr.cli.terminal import LOADING, quiet, waiting
from femr.errors import FemrError, printable
from femr.expression.weights import DEFAULT_MODEL, MODEL_NAMES
from femr.files import make_folder, writing

if TYPE_CHECKING:
    from femr.batch.inputs import Input

_OTHER_TABLES = (".xlsx", ".xls", ".ods", ".numbers", ".tsv", ".json", ".gz")  # to be told as what they are


def add(commands: Any) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "report",
        help="what a group showed, over photos or time",
        description="A group report: one HTML file of counts and shares that single nobody out.",
    )
    parser.add_argument("source", metavar="TABLE|DIR|VIDEO", help="a table of `analyze`, or what `analyze` reads")
    parser.add_argument("--out", type=target, default=Path("report.html"), metavar="FILE", help="default: report.html")
    parser.add_argument(
        "--bin-seconds", type=float, metavar="SECONDS", help="width of a video's bins; default: about 40 of them"
    )
    parser.add_argument(
        "--min-faces", type=int, default=5, metavar="FACES", help="fewest faces shown on their own, 5 or more"
    )
    old_name(parser, "--bin", "bin_seconds", float)
    old_name(parser, "--least", "min_faces", int)
    parser.add_argument("--names", action="store_true", help="call photos and videos by file name, not by number")
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"one of {', '.join(MODEL_NAMES)}; not for a table")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the report; BAD_INPUT if a file could not be read."""
    from femr import __version__
    from femr.output.table import FORMATS, read_rows
    from femr.report.page import answer, to_html
    from femr.report.summary import bin_seconds, check_least, summarise
    from femr.songs import load_library

    # before an hour of analysis
    check_least(options.min_faces)
    bin_seconds([], options.bin_seconds)
    check_targets({"--out": options.out}, {}, [options.source])
    make_folder(options.out.parent)
    seen = Counter[str]()
    table = Path(options.source).suffix.lower() in (*FORMATS, *_OTHER_TABLES)
    rows = read_rows(options.source) if table else _analyzed(options, seen)
    try:
        group = summarise(rows, options.min_faces, options.bin_seconds, options.names)
    except FemrError:
        if seen["failed"] and not seen["read"]:  # that is told
            return BAD_INPUT
        raise
    with writing(options.out):
        options.out.write_text(to_html(group, load_library(), __version__), encoding="utf-8", newline="")
    print(f"{options.out}: {answer(group)}")
    return BAD_INPUT if seen["failed"] else 0


def _analyzed(options: argparse.Namespace, seen: Counter[str]) -> Iterator[dict[str, Any]]:
    """The rows of photos or videos as they are analysed; failures go to standard error, and all is counted."""
    passed = Counter[str]()
    with waiting(LOADING), quiet():
        from femr import load
        from femr.batch.folder import analyze_inputs
        from femr.batch.inputs import find, tell_passed
        from femr.output.rows import to_rows

        inputs = find([options.source], passed)
        _check_bins(inputs, options.bin_seconds)
        analyses = analyze_inputs(load(options.model), inputs)
    with Progress(inputs) as progress:
        for file, group in groupby(analyses, key=lambda analysis: analysis.file):
            for analysis in group:
                if analysis.error:
                    progress.print(f"femr: {printable(str(file))}: {analysis.error}", sys.stderr)
                seen["failed" if analysis.error else "read"] += 1
                if analysis.time is not None:
                    progress.advance(analysis.time)
                yield from to_rows(analysis)
            progress.advance()
    if passed:
        print(f"femr: {tell_passed(passed)}", file=sys.stderr)


def _check_bins(inputs: "Sequence[Input]", seconds: float | None) -> None:
    """Raises: DataError where videos as long as they say have more bins of that width than a report shows."""
    from femr.report.summary import bin_seconds
    from femr.video.analysis import RATE

    if seconds is not None:
        lengths = [video_length(each) for each in inputs if each.video]
        bin_seconds([max(0.0, length - 1 / RATE) for length in lengths if length < math.inf], seconds)
