"""Damage at random, of tables and films: it ends in rows or frames, or in one sentence. By hand in numbers: fuzz.py."""

import gc
import io
import struct
import subprocess
import sys

import av
import numpy as np
import pytest

from femr.errors import ImageError
from femr.video.analysis import frames
from femr.video.reader import Reader
from tables import ROWS, good_tables, read_table, try_tables
from videos import TIMES, good_videos, try_videos, write_video

PICTURES = [np.full((32, 32, 3), 20 + 30 * number, np.uint8) for number in range(len(TIMES))]
PRORES = {"codec": "prores", "pixels": "yuv422p10le"}
JPEG = {"codec": "mjpeg", "pixels": "yuvj420p"}
MOST_MEMORY = """
import contextlib, pathlib, re, sys
from femr.errors import DataError
from femr.video.analysis import frames
with contextlib.suppress(DataError):
    list(frames(sys.argv[1]))
# not ru_maxrss: that of the process which started this one counts there
print(int(re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""


def test_400_damaged_tables_end_in_rows_or_a_sentence():
    read, refused = try_tables(400, seed=18)
    assert read > 20
    assert refused > 100


def test_60_damaged_films_end_in_frames_or_a_sentence(capfd):
    read, refused = try_videos(60, seed=18)
    assert read > 10
    assert refused > 10
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_the_good_tables_are_read(tmp_path, ending):
    for data in {data for kind, data in good_tables() if kind == ending}:
        (tmp_path / f"t{ending}").write_bytes(data)
        assert len(read_table(tmp_path / f"t{ending}")) == len(ROWS)


def test_the_good_films_are_read():
    for _, data in good_videos():
        assert [frame.time for frame in frames(io.BytesIO(data))] == pytest.approx(
            [0, 0.3, 0.5, 0.75, 1, 1.25, 1.5], abs=0.1
        )


def test_colours_of_no_known_kind_hide_no_frame(tmp_path):
    data = write_video(tmp_path / "a.mov", PICTURES, TIMES, **PRORES).read_bytes()
    colours = data.index(b"fmpg") + 10
    assert data[colours : colours + 3] == b"\2\2\2"
    odd = data[:colours] + b"\x67\x67\x53" + data[colours + 3 :]
    for frame, expected in zip(frames(io.BytesIO(odd)), frames(io.BytesIO(data)), strict=True):
        assert np.abs(frame.image.astype(int) - expected.image).max() <= 2


def test_a_frame_that_says_it_is_huge_takes_no_memory(tmp_path):
    path = write_video(tmp_path / "a.mov", PICTURES, TIMES, **PRORES)
    data = bytearray(path.read_bytes())
    size = data.index(b"fmpg", data.index(b"fmpg") + 1) + 4
    assert data[size : size + 4] == struct.pack(">HH", 32, 32)
    struct.pack_into(">HH", data, size, 3861, 60_686)  # 234 megapixels, 0.9 GB
    path.write_bytes(data)
    done = subprocess.run([sys.executable, "-c", MOST_MEMORY, path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 500, done.stdout


def test_a_film_of_huge_frames_is_refused(tmp_path):
    path = write_video(tmp_path / "a.mov", [np.zeros((5000, 10_002, 3), np.uint8)], [0], **JPEG)
    with pytest.raises(ImageError, match="more than 50 megapixels"):
        list(frames(path))


def test_pictures_of_a_kind_that_nobody_knows_are_no_pictures(tmp_path):
    data = write_video(tmp_path / "a.mov", PICTURES, TIMES, **JPEG).read_bytes()
    with pytest.raises(ImageError, match="no moving pictures"):
        list(frames(io.BytesIO(data.replace(b"jpeg", b"zzzz"))))


def test_frames_are_let_go_of_at_once(tmp_path):
    path = write_video(tmp_path / "a.mp4", PICTURES, TIMES)
    gc.collect()
    gc.disable()
    try:
        assert len(list(frames(path))) == 7
        assert not [thing for thing in gc.get_objects() if isinstance(thing, av.VideoFrame)]
    finally:
        gc.enable()


def test_a_film_with_a_byte_less_in_its_head_is_refused_without_a_trace(tmp_path, capfd):
    path = write_video(tmp_path / "a.wmv", PICTURES, TIMES, codec="wmv2")
    data = path.read_bytes()
    path.write_bytes(data[:0xA0] + data[0xA1:])
    for _ in range(2):
        with pytest.raises(ImageError):
            Reader(path)
    assert capfd.readouterr().err == ""
