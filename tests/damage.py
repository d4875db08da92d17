"""Files with faults made at random, and what becomes of those that femr reads: good tables and films among them."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from femr.errors import FemrError, printable
from femr.output.table import TableWriter, read_table
from femr.video.analysis import frames
from tables import ANALYSES, PROGRAMS
from videos import KINDS, write_video

TABLE_PARTS = (
    *(b'"', b",", b";", b"\t", b"\n", b"\r", b"\0", b"[", b"{", b"}", b"null", b"NaN", b"1e999", b"-0", b"9" * 400),
    *(b"sep=;\n", b"True", b"NA", b"=1+1", b"\\ud800", b"\xe9", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"PAR1"),
)
VIDEO_PARTS = (
    *(b"ftyp", b"moov", b"mdat", b"stts", b"stsz", b"stco", b"elst", b"mdhd", b"RIFF", b"LIST", b"movi", b"idx1"),
    *(b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75", b"G\x40", b"OggS", b"FLV\1", b"\0\0\1\xb3", b"\xff\xd8", b"#EXTM3U\n"),
)
TIMES = [0, 0.1, 0.2, 0.3, 0.4, 1, 1.1, 1.5]

NUMBERS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\x01", b"\x01\0\0\0")


def damage(data, chance, parts, lengths=(1, 4, 30, 1000), faults=(1, 1, 2, 4, 8)):
    """The file with some faults, most of them where a file's facts stand: near its start or its end.

    Args: `parts`, bytes that mean something to the format; `lengths`, of a fault, in bytes; `faults`, how many.
    """
    data = bytearray(data)
    for _ in range(chance.choice(faults)):
        span = chance.choice((64, 512, 4096, len(data)))
        place = chance.randrange(min(span, len(data))) if data else 0
        place = max(0, len(data) - 1 - place) if chance.random() < 0.2 else place
        length = chance.choice(lengths)
        fault = chance.choice((_flip, _number, _random, None, _cut_out, _double, _cut_off, _zeros))
        if fault:
            fault(data, place, length, chance)
        else:
            part = chance.choice(parts)
            place = 0 if chance.random() < 0.5 else place
            data[place : place + len(part)] = part
    return bytes(data)


def _flip(data, place, length, chance):
    if data:
        data[place] ^= 1 << chance.randrange(8)


def _number(data, place, length, chance):
    number = chance.choice(NUMBERS)
    data[place : place + len(number)] = number


def _random(data, place, length, chance):
    data[place : place + length] = chance.randbytes(length)


def _cut_out(data, place, length, chance):
    del data[place : place + length]


def _double(data, place, length, chance):
    data[place:place] = data[place : place + length]


def _cut_off(data, place, length, chance):
    del data[place:]


def _zeros(data, place, length, chance):
    data[place : place + length] = bytes(length)


def try_many(read, good, spoil, count, seed):
    """How many damaged files are read, and how many are refused in a sentence.

    Whatever else `read` raises comes through, with the number that makes the file again.

    Args: `read`, of an ending and a file's bytes; `good`, endings and bytes; `spoil`, of bytes and chance.
    """
    done = 0
    for number in range(count):
        chance = random.Random(f"{seed} {number}")
        ending, data = chance.choice(good)
        try:
            read(ending, spoil(data, chance))
            done += 1
        except FemrError as error:
            if str(error) != printable(str(error), 500):
                raise
        except BaseException as error:
            error.add_note(f"{ending}, seed {seed}, number {number}")
            raise
    return done, count - done


def good_tables():
    """Ending and content of each."""
    with TemporaryDirectory() as name:
        written = []
        for ending in (".jsonl", ".parquet"):
            path = Path(name, f"t{ending}")
            with TableWriter(path) as table:
                for analysis in ANALYSES:
                    table.write(analysis)
            written.append((ending, path.read_bytes()))
    # as often as CSV, of which there are many kinds
    return [*((".csv", data) for data in PROGRAMS.values()), *written * (len(PROGRAMS) // 2)]


def spoil_table(data, chance):
    """The table, in half of all cases with its first line left as it is."""
    head = data.find(b"\n") + 1 if chance.random() < 0.5 else 0
    return data[:head] + damage(data[head:], chance, TABLE_PARTS, (1, 4), (1, 1, 2))


def try_tables(count, seed):
    """How many damaged tables are read, and how many are refused in a sentence; see `try_many`."""
    with TemporaryDirectory() as name:

        def read(ending, data):
            path = Path(name, f"t{ending}")
            path.write_bytes(data)
            assert read_table(path)

        return try_many(read, good_tables(), spoil_table, count, seed)


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
    """How many damaged films are read to their end, and how many are refused in a sentence; see `try_many`."""
    with TemporaryDirectory() as name:

        def read(ending, data):
            path = Path(name, f"a{ending}")
            path.write_bytes(data)
            for frame in frames(path):
                assert frame.image.dtype == np.uint8

        return try_many(read, good_videos(), spoil_video, count, seed)


def spoil_video(data, chance):
    """The film with some faults."""
    return damage(data, chance, VIDEO_PARTS, (1, 4, 30))
