"""The command line: femr analyze, app, mcp, report, music, train, evaluate, publish and push.

`femr photo.jpg` analyzes. `femr COMMAND --help` lists a command's options, with examples.
"""

import logging
import os
import sys
from collections.abc import Collection, Sequence
from io import TextIOWrapper
from pathlib import Path

from femr import __version__
from femr.cli import (
    BAD_INPUT,
    INTERRUPTED,
    PIPE_CLOSED,
    Parser,
    analyze,
    app,
    check_environment,
    music,
    report,
    training,
    with_command,
)
from femr.cli.terminal import give_up_output
from femr.errors import FemrError, printable

_LONGEST = 600  # characters of an error: a name in it may have thousands


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns: 0, or BAD_INPUT after a clear line on standard error, or another code of `femr.cli`."""
    # TensorFlow reads it when it is imported; its start-up log would bury the table
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed, as by >&-
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for the whole run
    told = logging.StreamHandler()
    told.setFormatter(logging.Formatter("femr: %(message)s"))
    logging.getLogger("femr").addHandler(told)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a title in letters that the output's encoding lacks
    try:
        try:
            parser, commands = _parser()
            options = parser.parse_args(with_command(sys.argv[1:] if arguments is None else arguments, commands))
            check_environment()
            return int(options.run(options))
        finally:
            logging.getLogger("femr").removeHandler(told)
            sys.stdout.flush()  # here, where it can be told if nobody takes it
    except KeyboardInterrupt:
        print("femr: stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        give_up_output()
        return PIPE_CLOSED
    except FemrError as error:
        print(f"femr: {printable(str(error), _LONGEST)}", file=sys.stderr)
    except OSError as error:
        give_up_output()
        nameless = "The current folder" if isinstance(error, FileNotFoundError) else "The output"
        where = printable(Path(os.fsdecode(error.filename)).name) if error.filename else nameless
        print(f"femr: {where} cannot be used: {error.strerror or error}.", file=sys.stderr)
    return BAD_INPUT


def _parser() -> tuple[Parser, Collection[str]]:
    """The parser, and the commands' names."""
    parser = Parser("femr", description="Faces, expressions, mood and music of pictures; without a command: analyze.")
    parser.add_argument("--version", action="version", version=f"femr {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for topic in (analyze, app, report, music, training):
        topic.add(commands)
    if "_ARGCOMPLETE" in os.environ:  # the shell asks what may come next
        import argcomplete

        argcomplete.autocomplete(parser)
    return parser, commands.choices


if __name__ == "__main__":
    sys.exit(main())
