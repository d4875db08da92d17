"""`femr analyze` on many photos and on videos, as a user runs it: killed, stopped, gone on with."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import av
import cv2
import pytest
from PIL import Image

from builders import PORTRAIT, ROOT, write_wav
from femr.__main__ import main
from femr.images import load_image
from femr.output.rows import to_dict
from femr.output.table import done
from tables import read_table
from videos import scene, write_video

PHOTOS = 60
MODEL = ("--model", "mobilenet_v2")


class Once(BaseHTTPRequestHandler):
    """Gives each picture once."""

    asked: ClassVar = Counter()

    def do_GET(self):
        self.asked[self.path] += 1
        if self.asked[self.path] > 1:
            self.send_error(503)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(PORTRAIT.read_bytes())

    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def photos(portrait, tmp_path_factory):
    """Small photos, all different; the last is broken."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(PHOTOS):
        side = 110 + number
        small = cv2.resize(portrait[:300, 60:360], (side, side), interpolation=cv2.INTER_AREA)
        Image.fromarray(small).save(folder / f"{number:02}.png")
    (folder / f"{PHOTOS - 1}.png").write_bytes(b"broken")
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
    assert main(["analyze", *arguments, "--resume"]) == 2
    assert capsys.readouterr().out.count("The face looks") < PHOTOS - second + 2
    rows = read_table(table)
    assert rows == read_table(whole)
    assert table.read_bytes() == whole.read_bytes()
    assert [row["file"] for row in rows] == [str(photos / f"{number:02}.png") for number in range(PHOTOS)]
    assert [row["file"] for row in rows if row["error"]] == [str(photos / "59.png")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table.parquet", "whole.parquet"]


def test_what_could_not_be_read_is_tried_again_and_then_nothing_is_left(tmp_path, capsys):
    (tmp_path / "a.jpg").write_bytes(b"broken")
    (tmp_path / "b.jpg").write_bytes(PORTRAIT.read_bytes())
    arguments = [str(tmp_path), *MODEL, "--csv", str(table := tmp_path / "t.csv"), "--resume"]
    assert main(arguments) == main(arguments) == 2  # it fails again, and that is told again
    assert capsys.readouterr().err.count("a.jpg: ") == 2
    (tmp_path / "a.jpg").write_bytes(PORTRAIT.read_bytes())
    assert main(arguments) == 0
    found = [(Path(row["file"]).name, row["expression"], row["error"]) for row in read_table(table)]
    assert found == [("b.jpg", "happy", None), ("a.jpg", "happy", None)]
    capsys.readouterr()
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"There is nothing left to do: {table} holds all.\n"


def test_what_cannot_be_drawn_costs_nothing_else(tmp_path, capsys):
    """Too wide for a JPEG."""
    (tmp_path / "album").mkdir()
    Image.new("L", (66_000, 300)).save(tmp_path / "album" / "a.png")
    (tmp_path / "album" / "b.jpg").write_bytes(PORTRAIT.read_bytes())
    outputs = ["--csv", str(tmp_path / "t.csv"), "--annotate", str(tmp_path / "out")]
    assert main([str(tmp_path / "album"), *MODEL, *outputs]) == 2
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert f"{tmp_path}/album/a.png: a.jpg cannot be written: " in line
    assert "; 1 could not be drawn\n" in shown.out
    assert [row["error"] for row in read_table(tmp_path / "t.csv")] == [None] * 2
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["b.jpg"]


def test_a_picture_of_the_web_is_drawn_as_it_was_read(tmp_path, monkeypatch):
    """A moment later the camera behind its address has another one, or none."""
    monkeypatch.setattr(tempfile, "tempdir", str(left := tmp_path / "left"))
    left.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), Once) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"http://127.0.0.1:{server.server_port}/once.jpg"
        assert main([where, *MODEL, "--annotate", str(tmp_path / "out")]) == 0
        server.shutdown()
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["once.jpg"]
    assert list(left.iterdir()) == []


def test_a_film_that_cannot_be_drawn_costs_nothing_else(clip, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "clip.mp4.unfinished").symlink_to("/dev/full")
    outputs = ["--table", str(tmp_path / "t.jsonl"), "--annotate", str(tmp_path / "out")]
    assert main([str(clip), str(PORTRAIT), "--fps", "2", *MODEL, *outputs]) == 2
    shown = capsys.readouterr()
    assert "cannot be written: No space left on device" in shown.err
    assert shown.err.count("\n") == 1
    assert "1 could not be drawn" in shown.out
    assert [row["time"] for row in read_table(tmp_path / "t.jsonl")] == [0, 0.5, 1, 1, 1.5, 1.5, None]
    assert [each.name for each in (tmp_path / "out").iterdir()] == [PORTRAIT.name]


def test_what_the_music_folder_leaves_out_is_told_once_however_many_videos(clip, tmp_path, monkeypatch, capsys):
    write_wav(tmp_path / "music" / "happy" / "song.wav")
    (tmp_path / "music" / "happy" / "score.mid").write_text("")
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path / "music"))
    (tmp_path / "again.mp4").write_bytes(clip.read_bytes())
    assert main([str(clip), str(tmp_path / "again.mp4"), "--fps", "1", *MODEL]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("score.mid is left out") == 1
    assert shown.out.count("plays song (happy)") == 2


def test_a_film_that_is_not_complete_has_not_its_name(portrait, tmp_path):
    times = [i / 4 for i in range(120)]
    path = write_video(tmp_path / "b.mp4", [scene(portrait, (i % 40, 50)) for i in range(120)], times, rate=4)
    table, folder = tmp_path / "t.parquet", tmp_path / "out"
    arguments = [str(path), *MODEL, "--table", str(table), "--annotate", str(folder)]
    code, _ = interrupt(arguments, table, 20, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert [each.name for each in folder.iterdir()] == ["b.mp4.unfinished"]
    assert main([*arguments, "--resume"]) == 0
    assert [each.name for each in folder.iterdir()] == ["b.mp4"]
    with av.open(str(folder / "b.mp4")) as film:
        assert film.streams.video[0].frames == 120


def test_where_nobody_reads_the_output_an_unfinished_table_is_told(photos, tmp_path):
    table = tmp_path / "t.csv"
    arguments = [str(photos), *MODEL, "--csv", str(table)]
    command = [sys.executable, "-m", "femr", *arguments, "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    kept = f"{table} holds what was done; the same with --resume goes on."
    assert (process.wait(), errors) == (130, f"femr: stopped, for nobody reads the output. {kept}\n")
    assert len(done(table)) < PHOTOS - 1
    assert main([*arguments, "--resume"]) == 2
    assert len(read_table(table)) == PHOTOS


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
    "arguments",
    [
        ["--csv", ""],
        ["--csv", "."],
        ["--csv", "album"],
        ["--csv", "album/.."],
        ["--csv", "b.jpg"],
        ["--csv", "./a.txt"],
        ["--csv", "new.PNG"],
        ["--csv", "new.zip"],
        ["--csv", "new.mp4"],
        ["--csv", "new.jsonl"],
        ["--csv", "new.PARQUET"],
        ["--table", ""],
        ["--table", "album.csv"],
        ["--table", "b.jpg"],
        ["--annotate", ""],
        ["--annotate", "b.jpg"],
        ["--annotate", "new.jpg"],
        ["--timeline", ""],
        ["--timeline", "new.mp4"],
        ["--csv", "new.csv", "--annotate", "new.zip"],
        ["--annotate", "new", "--csv", "album"],
        ["--resume"],
        ["--excel"],
        ["--blur"],
        ["--detect-every", "0"],
        ["--workers", "2"],
        ["--address", "127.0.0.1:6379"],
        ["--engine", "ray", "--workers", "0"],
        ["--engine", "ray", "--detect-every", "-1", "--csv", "new.csv"],
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_touched(tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.chdir(tmp_path)
    for name in ("album", "album.csv"):
        Path(name).mkdir()
    for name in ("a.jpg", "b.jpg", "album/c.mp4"):
        Path(name).write_bytes(b"broken")
    Path("a.txt").write_text("a.jpg\n")
    before = {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}
    assert main(["a.txt", "b.jpg", "album", *MODEL, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("femr: Expected ")
    assert {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")} == before


def test_a_table_of_the_last_time_may_stand_among_the_inputs(tmp_path, monkeypatch):
    """As with `femr * --csv faces.csv`, twice."""
    monkeypatch.chdir(tmp_path)
    Path("a.jpg").write_bytes(PORTRAIT.read_bytes())
    Path("faces.csv").write_text("")
    assert main(["a.jpg", "faces.csv", *MODEL, "--csv", "faces.csv"]) == 2
    assert [(row["file"], row["expression"]) for row in read_table("faces.csv")] == [
        ("a.jpg", "happy"),
        ("faces.csv", None),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bin-seconds", "0"], "Expected bins of 0.001 seconds or more. Received: 0"),
        (["--bin-seconds", "0.005"], "Expected at most 240 bins of time. Received: "),
        (["--min-faces", "4"], "Expected a threshold of 5 faces or more"),
        (["--out", "films"], "Expected a file to write after --out"),
        (["--out", ""], "Expected a name to write to"),
        (["--out", "films/a.mp4"], "Expected a file to write after --out"),
    ],
)
def test_a_report_that_cannot_be_is_told_before_anything_is_read(clip, tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("films").mkdir()
    Path("films", "a.mp4").write_bytes(b"broken")
    Path("films", "b.mp4").write_bytes(clip.read_bytes())
    assert main(["report", "films", *MODEL, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"femr: {words}")


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
