"""femr app: the page, served from this machine."""

import argparse
from typing import Any

_LAST_PORT = 65_535


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("app", help="start the page", description="The femr page.")
    parser.add_argument("--share", action="store_true", help="also make a public link (or GRADIO_SHARE=True)")
    parser.add_argument("--host", help="address to listen on; 0.0.0.0 for other devices of your network")
    parser.add_argument("--port", type=port, help="default: the first free one from 7860")
    parser.set_defaults(run=run)


def port(text: str) -> int:
    """A port's number. Raises: ArgumentTypeError."""
    if not text.isdecimal() or not 0 < int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"expected a port from 1 to {_LAST_PORT}, received {text}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Serve the page until it is stopped."""
    from femr.page.app import serve  # the other commands do without Gradio

    serve(options.host, options.port, options.share)
    return 0
