"""The command line: a module a command, or a few that belong together; `femr.__main__` puts them together."""

import argparse
from collections.abc import Callable
from typing import Any

BAD_INPUT = 2
"""Exit code when something that was asked for could not be done; the same as argparse's own."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""
PIPE_CLOSED = 0
"""Exit code when whoever read the output wants no more, such as `head`: they got what they wanted."""


def old_name(parser: argparse.ArgumentParser, name: str, option: str, kind: Callable[[str], Any]) -> None:
    """Lets an option go by the name that it had, which help does not mention."""
    parser.add_argument(name, dest=option, type=kind, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
