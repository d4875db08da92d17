"""How loud each song plays, so that one follows another at the same loudness: ReplayGain's reference, -18 LUFS.

Lists and tags tell how loud a song is. Where neither does, FFmpeg's EBU R128 filter measures it once, in the
background, if PyAV is there; what it finds is kept in memory, and nothing is written beside the songs.
"""

import logging
from contextlib import suppress
from functools import cache
from itertools import chain
from pathlib import Path
from queue import LifoQueue
from threading import Thread

from femr.results import Song
from femr.song_tags import open_song

TARGET = -18.0
"""LUFS, the reference of ReplayGain 2.0."""
COMMON = -12.0
"""LUFS of what nothing is known of yet: as most records are, so that it is not the loud one of the evening."""
_SILENCE = -70.0  # LUFS, the gate of EBU R128

_log = logging.getLogger(__name__)
_measured: dict[Path, float | None] = {}
_wanted: LifoQueue[Path] = LifoQueue()  # the song that was asked for last plays next


def factor(song: Song) -> float:
    """What the player multiplies a song's volume by, over 0 to 1: it can only make songs softer, not louder."""
    loudness = song.loudness if song.loudness is not None else _measured.get(song.path)
    if loudness is None:
        if song.path not in _measured:
            _worker()
            _wanted.put(song.path)
        loudness = COMMON
    return round(min(1.0, 10 ** ((TARGET - loudness) / 20)), 4)


def measure(path: Path) -> float | None:
    """The integrated loudness of a song in LUFS (EBU R128); None where it cannot be told: no PyAV, damaged, silent."""
    try:
        from av.filter import Graph
    except ImportError:
        return None
    loudness = _SILENCE
    try:
        with open_song(path) as file:
            graph, stream = Graph(), file.streams.audio[0]
            sink = graph.add("abuffersink")
            graph.link_nodes(graph.add_abuffer(template=stream), graph.add("ebur128", "metadata=1"), sink).configure()
            for frame in chain(file.decode(stream), [None]):
                graph.push(frame)
                with suppress(BlockingIOError, EOFError):  # it gives out what it can
                    while True:
                        loudness = float(sink.pull().metadata.get("lavfi.r128.I", loudness))
    except Exception as error:  # a damaged file makes the library raise nearly anything; what it played counts
        _log.debug("%s: %s", path.name, error)
    return loudness if loudness > _SILENCE else None


@cache
def _worker() -> Thread:
    """The one thread that measures; it does not hold the program up when that ends."""
    thread = Thread(target=_work, name="loudness", daemon=True)
    thread.start()
    return thread


def _work() -> None:
    while True:
        path = _wanted.get()
        if path not in _measured:
            _measured[path] = measure(path)
