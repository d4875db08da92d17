"""python -m femr push: the models, or the whole Space, to the Hub."""

import argparse
from typing import Any

from femr.errors import FemrError


def add(commands: Any) -> None:
    """Declares the command."""
    push = commands.add_parser("push", help="upload to the Hub", description="Upload the models, or the whole Space.")
    push.add_argument("--repo", metavar="USER/NAME", help="model repository for both networks and the model card")
    push.add_argument("--space", metavar="USER/NAME", help="Space for the app itself")
    push.add_argument(
        "--hardware", metavar="NAME", help="of the Space: zero-a10g, which needs no paid plan, or cpu-basic"
    )
    push.add_argument("--private", action="store_true", help="create it as private")
    push.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Uploads, and prints the addresses."""
    from femr.publish.push import push_models, push_space

    if not (options.repo or options.space):
        raise FemrError("Expected --repo USER/NAME, --space USER/NAME or both.")
    if options.hardware and not options.space:
        raise FemrError("Expected --hardware with --space USER/NAME.")
    if options.repo:
        print(push_models(options.repo, private=options.private))
    if options.space:
        print(push_space(options.space, options.private, options.hardware))
    return 0
