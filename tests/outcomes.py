"""What becomes of each file in a folder, by hand: PYTHONPATH=CHECKOUT python outcomes.py FOLDER [FIRST]

A JSON line a file: its name, what is read of it, or the sentence why nothing is. The lines of two checkouts tell what
one reads and the other refuses; docs/decisions/files.md has figures. `FIRST`, to go on after a file that ends it all.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from femr.errors import FemrError
from femr.images import load_image
from femr.songs import read_folder
from femr.video.analysis import frames

SONGS = {".aac", ".aif", ".aiff", ".ape", ".flac", ".m4a", ".mp2", ".mp3", ".mpc", ".oga", ".ogg", ".opus", ".spx"}
SONGS |= {".tta", ".wav", ".wma", ".wv"}
VIDEOS = {".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4"}
VIDEOS |= {".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".qt", ".ts", ".vob", ".webm", ".wmv"}


def picture(path):
    """Shape and checksum of its pixels."""
    pixels = load_image(path)
    return [*pixels.shape, hashlib.sha1(pixels.tobytes()).hexdigest()]


def video(path):
    """How many frames are analysed, and what is said after them."""
    times = []
    try:
        times.extend(frame.time for frame in frames(path))
    except FemrError as error:
        if not times:
            raise
        return [len(times), str(error)]
    return [len(times)]


def song(path):
    """What is known of it."""
    with TemporaryDirectory() as name:
        folder = Path(name, "happy")
        folder.mkdir()
        shutil.copy(path, folder)
        library = read_folder(Path(name))
    if not library.songs:
        raise FemrError(" ".join(library.problems))
    return [str(getattr(library.songs[0], fact)) for fact in ("title", "artist", "licence", "duration")]


def outcome(path):
    """What is read, or why nothing is."""
    ending = path.suffix.lower()
    read = video if ending in VIDEOS else song if ending in SONGS else picture
    try:
        return {"file": path.name, "read": read(path)}
    except FemrError as error:
        return {"file": path.name, "refused": str(error)}


if __name__ == "__main__":
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for each in sorted(Path(sys.argv[1]).iterdir())[first:]:
        print(json.dumps(outcome(each)), flush=True)
