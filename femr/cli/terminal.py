"""What a terminal gets and a pipe does not: colours, and a word while one waits. What libraries log, nobody gets.

And songs and pictures, handed to a program of this machine.
"""

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from femr.errors import FemrError, printable
from femr.results import EMOTIONS, Emotion

LOADING = "Loading the networks …"

_NAMES = {word: emotion for emotion in EMOTIONS for word in (emotion.value, emotion.adjective)}
_WORD = re.compile(rf"\b(?:{'|'.join(_NAMES)})\b")
_PLAYERS = (("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"), ("afplay",))
_NO_SOUND = b"audio open failed"  # ffplay's, which ends with 0 all the same


@contextmanager
def waiting(words: str) -> Iterator[None]:
    """Words on standard error while something takes its time, where that is a terminal; then they are gone."""
    shown = sys.stderr.isatty()
    if shown:
        print(words, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print(f"\r{' ' * len(words)}\r", end="", file=sys.stderr, flush=True)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what libraries log while they are loaded off standard error; where they fail it is told all the same."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    try:
        terminal = os.dup(2)
    except OSError:  # closed, as by 2>&-
        yield
        return
    with tempfile.TemporaryFile() as log:
        sys.stderr.flush()
        os.dup2(log.fileno(), 2)
        try:
            yield
        except (FemrError, ImportError):
            raise
        except Exception:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)


def paint(text: str) -> str:
    """The text with each expression in its colour, where standard output is a terminal and NO_COLOR is not set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()
    return text if plain else _WORD.sub(lambda word: _colored(word[0], _NAMES[word[0]]), text)


def _colored(word: str, emotion: Emotion) -> str:
    """In the nearest of the 256 colours that every terminal has: a cube of six a side."""
    red, green, blue = (round(int(emotion.color[start : start + 2], 16) / 51) for start in (1, 3, 5))
    return f"\033[38;5;{16 + 36 * red + 6 * green + blue}m{word}\033[0m"


def give_up_output() -> None:
    """Sends what nobody takes nowhere: Python would try to write it again at its end, and fail."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
