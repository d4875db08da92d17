"""femr push: the networks, the app as a Space, or both, to the Hub."""

import argparse
from typing import Any

from femr.cli.terminal import quiet, waiting
from femr.errors import FemrError


def add(commands: Any) -> None:
    """Declares the command."""
    push = commands.add_parser("push", help="upload to the Hub", description="Upload the models, or the whole Space.")
    push.add_argument("--repo", metavar="USER/NAME", help="model repositories: NAME-mobilenet-v2 and NAME-custom-cnn")
    push.add_argument("--space", metavar="USER/NAME", help="Space for the app itself")
    push.add_argument(
        "--hardware", metavar="NAME", help="of the Space: zero-a10g, which needs no paid plan, or cpu-basic"
    )
    push.add_argument("--private", action="store_true", help="create it as private")
    push.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Prints what will be uploaded, uploads it, and prints the addresses."""
    from femr.publish.push import HARDWARE, model_uploads, space_upload, upload

    repo, space, hardware = options.repo, options.space, options.hardware
    if not (repo or space):
        raise FemrError("Expected --repo USER/NAME, --space USER/NAME or both.")
    if hardware and not space:
        raise FemrError("Expected --hardware with --space USER/NAME.")
    if hardware and hardware not in HARDWARE:
        raise FemrError(f"Expected the hardware {' or '.join(HARDWARE)}. Received: {hardware}")
    with waiting("Preparing the networks …"), quiet():
        uploads = model_uploads(repo, space) if repo else []
    uploads += [space_upload(space, repo)] if space else []
    for one in uploads:
        print(one, flush=True)
    for one in uploads:
        print(upload(one, options.private, hardware if one.kind == "space" else None), flush=True)
    return 0
