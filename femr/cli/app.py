"""femr app: the page, served from this machine; femr mcp: the tools for agents, over standard input and output."""

import argparse
import os
from typing import Any

from femr.cli import folder, port


def add(commands: Any) -> None:
    """Declare the commands."""
    parser = commands.add_parser("app", help="start the page", description="The femr page.")
    parser.add_argument("--share", action="store_true", help="also make a public link (or GRADIO_SHARE=True)")
    parser.add_argument("--host", help="address to listen on; 0.0.0.0 for other devices of your network")
    parser.add_argument("--port", type=port, help="default: the first free one from 7860")
    words = "the wall and the Live tab; all but --wall, --music and --remote can be set there, too"
    _add_stage(parser.add_argument_group(words))
    parser.set_defaults(run=serve_page)
    words = "femr's tools for agents (MCP) over standard input and output; an agent's program starts it."
    commands.add_parser("mcp", help="tools for agents", description=words).set_defaults(run=serve_tools)


def _add_stage(group: Any) -> None:
    group.add_argument("--wall", action="store_true", help="the page is the wall: for a big screen and an evening")
    group.add_argument("--music", type=folder, metavar="DIR", help="your songs instead of femr's (or FEMR_MUSIC_DIR)")
    group.add_argument("--lift", action="store_true", help="answer hard moods with brighter songs")
    group.add_argument(
        "--smallest-face", type=int, metavar="PX", help="side of the smallest face, of 1280; larger is faster"
    )
    group.add_argument(
        "--detect-every", type=int, default=1, metavar="N", help="look for new faces in every Nth picture only; faster"
    )
    yes_or_no: Any = {"action": argparse.BooleanOptionalAction, "default": True}
    group.add_argument("--mirror", **yes_or_no, help="show the picture as a mirror does; default")
    group.add_argument("--video", **yes_or_no, help="show the picture; default")
    group.add_argument(
        "--remote",
        action=argparse.BooleanOptionalAction,
        help="a remote for the host's phone, behind a code; default with --wall where not everybody can open the page",
    )
    group.add_argument("--camera", metavar="NAME|N", help="the camera's number, from 1, or a part of its name")


def serve_page(options: argparse.Namespace) -> int:
    """Serve the page until it is stopped."""
    from femr.page.app import serve  # the other commands do without Gradio
    from femr.page.live import Setup

    if options.music:
        os.environ["FEMR_MUSIC_DIR"] = options.music
    setup = Setup(
        "lift" if options.lift else "match",
        options.smallest_face,
        options.detect_every,
        options.mirror,
        options.camera,
        options.video,
        options.wall,
    )
    serve(options.host, options.port, options.share, setup, options.remote)
    return 0


def serve_tools(options: argparse.Namespace) -> int:
    """Answer an agent until it hangs up. Raises: FemrError without the extra mcp."""
    from femr.page import agents, shared

    shared.tell_of_music()
    agents.tools(local=True).run("stdio")
    return 0
