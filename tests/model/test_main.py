import csv
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import femr
from builders import PORTRAIT, write_wav
from damaged_pictures import good_files
from femr.__main__ import main
from femr.images import load_image
from femr.output.rows import to_dict


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "broken.jpg"
    path.write_bytes(PORTRAIT.read_bytes()[:5000])
    return path


@pytest.fixture(scope="module")
def run(broken, tmp_path_factory):
    """The command as a user runs it, on good, broken and missing files: the finished process, its output folder."""
    out = tmp_path_factory.mktemp("out")
    options = ["--json", "--csv", str(out / "new" / "table.csv"), "--annotate", str(out / "pictures")]
    again = tmp_path_factory.mktemp("again") / PORTRAIT.name
    again.write_bytes(PORTRAIT.read_bytes())
    command = [sys.executable, "-m", "femr", "analyze", str(PORTRAIT), str(broken), "gone.jpg", str(again), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False), out


def test_json_is_one_document_with_the_same_numbers_as_python(run):
    process, _ = run
    document = json.loads(process.stdout)
    assert document["model"] == "ensemble"
    first, second, third, fourth = document["images"]
    expected = to_dict(replace(femr.load()(PORTRAIT), file=str(PORTRAIT)))
    assert first["faces"] == fourth["faces"] == expected["faces"]
    assert {**first, "song": None} == {**expected, "song": None}
    assert first["song"]["emotion"] == "happy"
    assert "damaged" in second["error"]
    assert "gone.jpg" in third["error"]


def test_a_bad_file_gives_one_line_and_exit_code_2(run):
    process, _ = run
    assert process.returncode == 2
    lines = [line for line in process.stderr.splitlines() if line.startswith("femr:")]
    assert len(lines) == 2
    assert "Traceback" not in process.stderr


def test_whatever_is_on_standard_error_is_femrs_own(tmp_path):
    tiff = bytearray(good_files()["tiff lzw"])
    (tmp_path / "cut.tif").write_bytes(tiff.replace(tiff[8:40], b"\xff" * 32))
    samples = tiff.index(b"\x15\x01\x03\x00") + 8
    tiff[samples : samples + 2] = b"\x80\0"
    (tmp_path / "samples.tif").write_bytes(tiff)
    write_wav(tmp_path / "music" / "sad" / "rain.wav")
    (tmp_path / "music" / "sad" / "cut.wav").write_bytes(b"RIFF\1")
    own = os.environ | {"FEMR_MUSIC_DIR": "music", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-m", "femr", "analyze", "cut.tif", "samples.tif"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=own)
    told = [line.split()[:2] for line in done.stderr.splitlines()]
    assert told == [["femr:", "cut.wav"], ["femr:", "cut.tif:"], ["femr:", "samples.tif:"]]


def test_table_and_pictures_are_written(run):
    _, out = run
    with (out / "new" / "table.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["expression"] for row in rows] == ["happy", "", "", "happy"]
    pictures = sorted((out / "pictures").iterdir())
    assert [picture.name for picture in pictures] == ["eileen-collins-2.jpg", "eileen-collins.jpg"]
    assert load_image(pictures[0]).shape == (640, 640, 3)


def test_the_table_for_readers(capsys):
    assert main(["analyze", str(PORTRAIT), "--model", "custom_cnn", "--lift"]) == 0
    assert "The face looks happy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["analyze", str(PORTRAIT), "--model", "vgg"], "Expected a model named"),
        (["analyze", str(PORTRAIT), "--csv", "/proc/none/table.csv"], "cannot be written"),
        (["push"], "--repo"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(capsys, arguments, words):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1


def test_music_check_tells_what_would_be_played_and_what_is_wrong(capsys, tmp_path, monkeypatch):
    write_wav(tmp_path / "sad" / "rain.wav")
    assert main(["music", "check", str(tmp_path)]) == 0
    (tmp_path / "sad" / "notes.txt").write_text("")
    assert main(["music", "check", str(tmp_path)]) == 0
    (tmp_path / "sad" / "score.mid").write_text("")
    assert main(["music", "check", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert "sad:\n  rain (rain.wav)" in shown.out
    assert "happy:\n  nothing" in shown.out
    assert shown.err.startswith("femr: score.mid is left out: browsers do not play this")
    assert main(["music", "check", str(tmp_path / "gone")]) == 2
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path))
    capsys.readouterr()
    assert main([str(PORTRAIT)]) == 0
    assert "score.mid is left out" in capsys.readouterr().err


def test_an_unknown_command_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["dance"])
    assert caught.value.code == 2


def test_a_bad_balance_is_said_in_a_line_by_the_command(capsys):
    assert main(["analyze", str(PORTRAIT), "--balance", "nan"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == "femr: Expected a balance from 0 (off) to 1. Received: nan"


@pytest.mark.parametrize(("old", "new"), [("--rate", "--fps"), ("--every", "--detect-every")])
def test_options_go_by_their_old_names_too_but_help_does_not_mention_them(capsys, old, new):
    for name in (old, new):
        assert main(["analyze", "missing.jpg", name, "2"]) == 2
    assert "There is no file named missing.jpg." in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["analyze", "--help"])
    shown = capsys.readouterr().out
    assert f"{new} N" in shown
    assert f"{old} " not in shown


def test_where_the_page_cannot_be_served_that_is_said(capsys, monkeypatch):
    from femr.page import shared

    monkeypatch.setattr(shared, "warm_up", lambda model: None)
    with socket.create_server(("127.0.0.1", 0)) as used:
        # no machine's, and no name: neither asks a name server, which may not answer, or may know any name
        hosts = ["--host", "240.0.0.1"], ["--host", 64 * "x"]
        for where in (*hosts, ["--port", str(used.getsockname()[1])]):
            assert main(["app", *where]) == 2
            assert capsys.readouterr().err == "femr: Expected an address of this machine and a free port.\n"
