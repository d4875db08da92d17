"""python -m femr benchmark: how fast femr is, which faces it finds, and how others do, on this very machine."""

import argparse
import json
from pathlib import Path
from typing import Any

from femr.errors import FemrError
from femr.files import make_folder, writing


def add(commands: Any) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "benchmark", help="measure speed and recall", description="Speed and recall, side by side with others."
    )
    parser.add_argument("--quick", action="store_true", help="half a minute, to see that it works")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the picture of how cost grows")
    parser.add_argument("--recall", action="store_true", help="also measure which pasted faces are found")
    parser.add_argument("--recall-only", action="store_true", help="measure nothing but that")
    parser.add_argument(
        "--data", metavar="PATH", help="FER2013, for more faces than the portrait's in the recall table"
    )
    parser.add_argument("--peers", action="store_true", help="also measure fer, facex, and OpenCV's Haar and YuNet")
    parser.add_argument(
        "--peer-env", action="append", default=[], metavar="NAME=PYTHON", help="a peer's Python: fer, facex or opencv"
    )
    parser.add_argument("--yunet", type=Path, metavar="FILE", help="YuNet's ONNX file, from OpenCV Zoo")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measures, and prints the tables or the document."""
    _check(options)
    from femr.benchmark import peers

    pythons = peers.parse_environments(options.peer_env) if options.peers else None  # before TensorFlow is loaded
    from femr.benchmark import plot
    from femr.benchmark.run import Wish, measure, measure_recall
    from femr.benchmark.text import to_text

    if options.out:
        make_folder(options.out)
    wish = Wish(options.quick, options.recall, options.data, pythons, options.yunet)
    document = measure_recall(wish) if options.recall_only else measure(wish)
    print(json.dumps(document, indent=2, ensure_ascii=False) if options.json else to_text(document))
    if options.out:
        with writing(options.out / plot.FILE):
            plot.draw(document["growth"], options.out)
    return 0


def _check(options: argparse.Namespace) -> None:
    """Return if the options go together. Raises: FemrError."""
    if options.recall_only and (options.peers or options.out):
        raise FemrError("--recall-only measures no speed: leave out --peers and --out.")
    if options.data and not (options.recall or options.recall_only):
        raise FemrError("--data is for the recall table: add --recall or --recall-only.")
    if (options.peer_env or options.yunet) and not options.peers:
        raise FemrError("--peer-env and --yunet are for the peers: add --peers.")
    if options.yunet and not options.yunet.is_file():
        raise FemrError(f"There is no file named {options.yunet.name}.")
