"""Hands a song or a picture to a program of this machine."""

import os
import shutil
import subprocess
import sys
import webbrowser
from contextlib import suppress
from pathlib import Path

from femr.errors import FemrError, printable

_PLAYERS = (("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"), ("afplay",))
_NO_SOUND = b"audio open failed"  # ffplay's, which ends with 0 all the same


def play(song: Path) -> None:
    """Play a song until it ends or Ctrl-C, with ffplay or afplay; else as `show`. Raises: FemrError."""
    for name, *options in _PLAYERS:
        if program := shutil.which(name):
            command = [program, *options, str(song.absolute())]
            with suppress(KeyboardInterrupt):
                done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
                if done.returncode or _NO_SOUND in done.stderr:
                    raise FemrError(f"{name} cannot play {printable(song.name)} on this machine.")
            return
    show(song)


def show(path: Path) -> None:
    """Open a file with the program that is meant for it, or in the browser. Raises: FemrError."""
    if sys.platform == "win32":
        os.startfile(path)
    elif not webbrowser.open(path.absolute().as_uri()):
        raise FemrError(f"There is no program on this machine to open {printable(str(path))}.")
