"""`femr analyze` on many photos and on videos, as a user runs it: killed, stopped, gone on with."""

import json
import os
import signal
import subprocess
import sys
import termios
import time

import av
import cv2
import pytest
from PIL import Image

from builders import ROOT
from femr.__main__ import main
from femr.images import load_image
from femr.output.rows import to_dict
from femr.output.table import done
from tables import read_table
from videos import scene, write_video

PHOTOS = 60


@pytest.fixture(scope="module")
def photos(portrait, tmp_path_factory):
    """Small photos, all different; one is broken."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(PHOTOS):
        side = 110 + number
        small = cv2.resize(portrait[:300, 60:360], (side, side), interpolation=cv2.INTER_AREA)
        Image.fromarray(small).save(folder / f"{number:02}.png")
    (folder / "30.png").write_bytes(b"broken")
    return folder


@pytest.fixture(scope="module")
def clip(portrait, tmp_path_factory):
    """One person, then two; with sound."""
    times = [i / 10 for i in range(20)]
    pictures = [scene(portrait, (0, 50), *([(170, 60)] if time >= 1 else [])) for time in times]
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", pictures, times, sound="aac", rate=10)


def lines(table):
    """How many rows of an unfinished Parquet table are on disk yet."""
    path = table.with_name(f"{table.name}.unfinished")
    return path.read_bytes().count(b"\n") if path.exists() else 0


def interrupt(arguments, table, rows, number):
    """Starts the command and sends it a signal when that many rows are written: the finished process."""
    # nice: on a busy machine it shall not be done before this process gets a turn to look
    command = ["nice", "-n", "10", sys.executable, "-m", "femr", "analyze", *arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # a shell starts what it runs in the background deaf to Ctrl-C, these tests and their children too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while lines(table) < rows and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    _, errors = process.communicate()
    return process.returncode, errors


def test_stopped_killed_and_resumed_gives_the_table_of_an_uninterrupted_run(photos, tmp_path, capsys):
    whole, table = tmp_path / "whole.parquet", tmp_path / "table.parquet"
    assert main(["analyze", str(photos), "--table", str(whole)]) == 2  # one is broken
    arguments = [str(photos), "--table", str(table)]
    code, errors = interrupt(arguments, table, 5, signal.SIGINT)
    assert code == 130, errors[-1500:]
    assert "table.parquet holds what was done; the same with --resume goes on" in errors
    assert "Traceback" not in errors
    first = len(read_table(table))
    assert 5 <= first < PHOTOS
    code, _ = interrupt([*arguments, "--resume"], table, first + 5, signal.SIGKILL)
    assert code == -signal.SIGKILL
    second = len(done(table))
    assert first < second < PHOTOS
    capsys.readouterr()
    assert main(["analyze", *arguments, "--resume"]) == 2 * (second <= 30)
    assert capsys.readouterr().out.count("The face looks") < PHOTOS - second + 2
    rows = read_table(table)
    assert rows == read_table(whole)
    assert table.read_bytes() == whole.read_bytes()
    assert [row["file"] for row in rows] == [str(photos / f"{number:02}.png") for number in range(PHOTOS)]
    assert [row["file"] for row in rows if row["error"]] == [str(photos / "30.png")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.parquet", "whole.parquet"]


def test_a_video_gives_table_timeline_and_annotated_video(clip, tmp_path, capsys):
    table = tmp_path / "t.jsonl"
    arguments = ["--table", str(table), "--annotate", str(tmp_path / "a"), "--timeline", str(tmp_path / "t")]
    assert main(["analyze", str(clip), "--fps", "2", *arguments]) == 0
    output = capsys.readouterr().out
    assert output.startswith(f"{clip}: Looks happy in 4 of 4 frames with faces\n  4 frames, at most 2 faces at once\n")
    assert "plays" in output
    rows = [(row["time"], row["frame"], row["face"]) for row in read_table(table)]
    assert rows == [(0.0, 0, 1), (0.5, 5, 1), (1.0, 10, 1), (1.0, 10, 2), (1.5, 15, 1), (1.5, 15, 2)]
    assert load_image(tmp_path / "t" / "clip.png").shape[2] == 3
    with av.open(str(tmp_path / "a" / "clip.mp4")) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]
        assert film.streams.video[0].frames == 20


def test_the_document_of_a_video_has_its_frames(clip, capsys, analyzer):
    assert main(["analyze", str(clip), "--rate", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(image["time"], len(image["faces"]), image["song"]) for image in document["images"]] == [
        (0.0, 1, None),
        (1.0, 2, None),
    ]
    assert set(document["images"][0]) == set(to_dict(analyzer(load_image(ROOT / "examples/eileen-collins.jpg"))))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{tmp}/empty"], "There are no pictures or videos in"),
        (["{tmp}/text.mp4"], "not a video that can be read"),
        (["{tmp}/text.mp4", "--annotate", "{tmp}/a", "--timeline", "{tmp}/t"], "not a video that can be read"),
        (["{tmp}/text.mp4", "--resume"], "Expected --table or --csv with --resume"),
        (["{tmp}/text.mp4", "--table", "{tmp}/t.xlsx"], "ends in .csv, .jsonl, .parquet"),
        (["{tmp}/text.mp4", "--csv", "{tmp}/full.csv"], "cannot be written: No space left on device"),
        (["{tmp}/text.mp4", "--table", "{tmp}/old.csv", "--resume"], "old.csv lacks the columns"),
        (["{tmp}/text.mp4", "--rate", "0"], "Expected a rate of 0.001 to 1000"),
        (["{tmp}/text.mp4", "--rate", "inf"], "Expected a rate of 0.001 to 1000"),
        (["{tmp}/text.mp4", "--rate", "1e-5"], "Expected a rate of 0.001 to 1000"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(tmp_path, capsys, arguments, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("Not a video. " * 100)
    (tmp_path / "old.csv").write_text("file,face\na.jpg,1\n")
    (tmp_path / "full.csv").symlink_to("/dev/full")
    assert main(["analyze", *(argument.replace("{tmp}", str(tmp_path)) for argument in arguments)]) == 2
    shown = capsys.readouterr()
    assert words in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert shown.out == ""


def test_the_bar_is_only_on_a_terminal_and_tells_the_time_left(photos, tmp_path):
    leader, follower = os.openpty()
    termios.tcsetwinsize(follower, (24, 100))
    command = [sys.executable, "-m", "femr", "analyze", str(photos / "0*.png"), "--csv", str(tmp_path / "t.csv")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=follower, text=True)
    output, _ = process.communicate()
    os.close(follower)
    shown = b""
    while chunk := _read(leader):
        shown += chunk
    os.close(leader)
    assert process.returncode == 0
    assert "left" in shown.decode()
    assert "left" not in output
    assert output.count("The face looks") == 10


def _read(terminal):
    """What is left to read; Linux says the end of a terminal with an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
