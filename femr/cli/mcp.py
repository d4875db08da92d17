"""femr mcp: the tools for agents, over standard input and output."""

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Declare the command."""
    words = "femr's tools for agents (MCP) over standard input and output; an agent's program starts it."
    parser = commands.add_parser("mcp", help="tools for agents", description=words)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Answer an agent until it hangs up. Raises: FemrError without femr[mcp]."""
    from femr.page import agents, shared  # the other commands do without Gradio

    shared.tell_of_music()
    agents.tools(local=True).run("stdio")
    return 0
