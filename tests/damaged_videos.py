"""Good films of every kind, and what becomes of them when they are damaged at random."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import damage
from femr.video.analysis import frames
from videos import KINDS, write_video

PARTS = (
    *(b"ftyp", b"moov", b"mdat", b"stts", b"stsz", b"stco", b"elst", b"mdhd", b"RIFF", b"LIST", b"movi", b"idx1"),
    *(b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75", b"G\x40", b"OggS", b"FLV\1", b"\0\0\1\xb3", b"\xff\xd8", b"#EXTM3U\n"),
)
TIMES = [0, 0.1, 0.2, 0.3, 0.4, 1, 1.1, 1.5]


def good_videos():
    """Ending and content of small films: eight pictures, one of which stays; some are turned or have sound."""
    more = {".mp4": {"rotation": 90, "sound": "aac"}, ".webm": {"codec": "libvpx-vp9"}, ".flv": {"codec": "flv"}}
    more |= {".gif": {"codec": "gif", "pixels": "rgb8"}, ".wmv": {"codec": "wmv2"}, ".avi": {"codec": "ffv1"}}
    more |= {".mov": {"codec": "prores", "pixels": "yuv422p10le"}, ".apng": {"codec": "apng", "pixels": "rgb24"}}
    pictures = [np.full((32, 32, 3), 20 + 30 * number, np.uint8) for number in range(len(TIMES))]
    with TemporaryDirectory() as name:
        return [
            (ending, write_video(Path(name, f"a{ending}"), pictures, TIMES, **options).read_bytes())
            for ending, options in [*KINDS.items(), *more.items()]
        ]


def try_videos(count, seed):
    """How many damaged films are read to their end, and how many are refused in a sentence; see `damage.try_many`."""
    with TemporaryDirectory() as name:

        def read(ending, data):
            path = Path(name, f"a{ending}")
            path.write_bytes(data)
            for frame in frames(path):
                assert frame.image.dtype == np.uint8

        return damage.try_many(read, good_videos(), spoil, count, seed)


def spoil(data, chance):
    """The film with some faults."""
    return damage.damage(data, chance, PARTS, (1, 4, 30))
