"""The command line: femr app, analyze, report, music check, train, evaluate, publish and push.

`femr COMMAND --help` lists a command's options.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

from femr import __version__
from femr.cli import BAD_INPUT, analyze, app, hub, music, report, training
from femr.errors import FemrError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns: 0, or BAD_INPUT after a clear line on standard error."""
    # TensorFlow reads it when it is imported; its start-up log would bury the table
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a title in letters that the output's encoding lacks
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except FemrError as error:
        print(f"femr: {error}", file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("femr", description="Faces, expressions, mood and music of pictures.")
    parser.add_argument("--version", action="version", version=f"femr {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for topic in (analyze, app, report, music, training, hub):
        topic.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
