"""Each command on each strange path: one sentence and an exit code, never a stack trace."""

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

import femr
from builders import PORTRAIT
from femr.__main__ import main
from femr.cli import BAD_INPUT, PIPE_CLOSED
from femr.expression import networks
from training_builders import TINY, band_network

ROOT = Path(__file__).parents[2]
LONG = "x" * 300
STRANGE = {
    "gone": "gone.jpg",
    "empty": "",
    "long": f"{LONG}.jpg",
    "long song": f"{LONG}.mp3",
    "long table": f"{LONG}.csv",
    "long list": f"{LONG}.txt",
    "long zip": f"{LONG}.zip",
    "long network": f"{LONG}.keras",
    "long parquet": f"{LONG}.parquet",
    "deep": "/".join(["d" * 200] * 30),
    "not UTF-8": "\udcff\udcfe.jpg",
    "写真": "写真.jpg",
    "escape": "a\x1b[31m\nb.jpg",
    "looks like an option's value": "=1+1.jpg",
    "loop": "loop",
    "loop.zip": "loop.zip",
    "dangling": "dangling.jpg",
    "a file as a folder": "file.jpg/a.jpg",
    "a table as a folder": "table.csv/a.csv",
    "socket": "socket.jpg",
    "null": "/dev/null",
    "empty folder": "folder",
    "folder that ends like a file": "folder.jpg",
    "folder that ends like a table": "folder.csv",
    "folder that ends like a Parquet file": "folder.parquet",
    "folder that ends like a network": "folder.keras",
    "folder that ends like a zip": "folder.zip",
    "folder that ends like a list": "folder.txt",
    "empty file": "file.jpg",
    "empty zip": "file.zip",
    "empty list": "file.txt",
    "empty table": "file.csv",
    "empty network": "file.keras",
    "empty Parquet": "file.parquet",
    "pattern": "[a-",
    "pattern of nothing": "**/*.nothing",
    "standard input": "-",
    "web": "http://127.0.0.1:1/a.jpg",
    "no web": "https://",
    "no scheme": "nosuch://a/b.jpg",
    "data": "data:image/png;base64,AAAA",
    "Hub": f"{LONG}/{LONG}",
    "odd Hub": "a--b/c..d",
}
COMMANDS = {
    "analyze": ["analyze", "{}"],
    "analyze --detector": ["analyze", str(PORTRAIT), "--detector", "yunet:{}"],
    "report": ["report", "{}"],
    "music check": ["music", "check", "{}"],
    "train --data": ["train", "custom_cnn", "--data", "{}", "--out", "out"],
    "evaluate": ["evaluate", "{}", "--data", "faces"],
    "evaluate --data": ["evaluate", "network.keras", "--data", "{}"],
    "publish": ["publish", "{}", "--data", "faces"],
    "publish --data": ["publish", "run", "--data", "{}"],
    "publish --photos": ["publish", "run", "--data", "faces", "--photos", "{}"],
    "train --start": ["train", "custom_cnn", "--data", "faces", "--start", "{}", "--out", "out"],
    "train --teacher": ["train", "custom_cnn", "--data", "faces", "--teacher", "{}", "--out", "out"],
}
FEWER = {"train --start", "train --teacher", "publish"}
"""Those that take a while before they look at the path: no table, list or address is given to them."""
CASES = [
    (command, path)
    for command in COMMANDS
    for path in STRANGE
    if command not in FEWER or not any(kind in path for kind in ("table", "list", "zip", "pattern", "web", "Hub", "P"))
]
OUTPUTS = {
    "--csv": ["analyze", "portrait.jpg", "--csv", "{}"],
    "--table": ["analyze", "portrait.jpg", "--table", "{}"],
    "--annotate": ["analyze", "portrait.jpg", "--annotate", "{}"],
    "--timeline": ["analyze", "portrait.jpg", "--timeline", "{}"],
    "--out": ["report", "folder", "--out", "{}"],
    "train --out": ["train", "custom_cnn", "--data", "faces", "--out", "{}"],
    "--pictures": ["evaluate", "network.keras", "--data", "faces", "--pictures", "{}"],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder that holds the strange things, and good ones beside them."""
    place = tmp_path_factory.mktemp("strange")
    for ending in ("", ".jpg", ".csv", ".parquet", ".keras", ".zip", ".txt"):
        (place / f"folder{ending}").mkdir()
    for ending in ("jpg", "zip", "txt", "csv", "keras", "parquet"):
        (place / f"file.{ending}").touch()
    (place / "table.csv").write_text("file\n")
    for name in ("loop", "loop.zip"):
        (place / name).symlink_to(name)
    (place / "dangling.jpg").symlink_to("nowhere.jpg")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(place):
        listening.bind("socket.jpg")
    for number, (split, emotion) in enumerate(product(("train", "validation", "test"), femr.EMOTIONS)):
        (place / "faces" / split / emotion).mkdir(parents=True)
        Image.new("L", (48, 48), number).save(place / "faces" / split / emotion / "1.png")
    band_network().save(place / "network.keras")
    (place / "portrait.jpg").write_bytes(PORTRAIT.read_bytes())
    return place


@pytest.fixture
def inside(place, analyzer, monkeypatch):
    """There, with nothing on standard input, no network, tiny ones to train, and the analyzer that all tests share."""
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(networks, "NETWORKS", TINY)
    load = femr.load
    monkeypatch.setattr(
        femr, "load", lambda *a, **k: analyzer if k.get("detector", "mtcnn") == "mtcnn" else load(*a, **k)
    )


def told(capsys, arguments):
    """The exit code and the lines on standard error that are femr's."""
    code = main(arguments)
    shown = capsys.readouterr()
    lines = [line for line in shown.err.splitlines() if not line.startswith(("WARNING", "I0000", "E0000", "W0000"))]
    assert all(line.isprintable() for line in lines)
    assert "Traceback" not in shown.err
    return code, lines


@pytest.mark.parametrize(("command", "path"), CASES)
def test_every_command_on_every_strange_path(inside, capsys, command, path):
    arguments = [argument.replace("{}", STRANGE[path]) for argument in COMMANDS[command]]
    code, lines = told(capsys, arguments)
    assert code == BAD_INPUT
    assert len(lines) == 1
    assert all(line.startswith("femr: ") and len(line) < 700 for line in lines)


@pytest.mark.parametrize("option", OUTPUTS)
@pytest.mark.parametrize("path", [f"{LONG}.csv", f"{LONG}/a.csv", "loop/a.csv", "file.jpg/a.csv", "/proc/a/b.csv"])
def test_every_output_to_every_strange_path(inside, capsys, option, path):
    code, lines = told(capsys, [argument.replace("{}", path) for argument in OUTPUTS[option]])
    assert code == BAD_INPUT
    assert len(lines) == 1


def run(arguments, cwd, **options):
    """The command in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2", **options.pop("env", {})}
    command = [sys.executable, "-m", "femr", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, check=False, stderr=subprocess.PIPE, **options)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_json_is_valid_whatever_the_output_can_say(inside, tmp_path, monkeypatch, encoding):
    for name in ("写真 é.jpg", "🙂.jpg"):
        (tmp_path / name).write_bytes(PORTRAIT.read_bytes())
    monkeypatch.chdir(tmp_path)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert main(["analyze", ".", "--json"]) == 0
    document = json.loads(written.getvalue().decode(encoding))
    assert [each["path"] for each in document["images"]] == ["写真 é.jpg", "🙂.jpg"]


def test_an_output_that_nobody_takes(place):
    arguments = ["music", "check", str(ROOT / "music")]
    reading, writing = os.pipe()
    os.close(reading)
    process = run(arguments, place, stdout=writing)
    os.close(writing)
    assert (process.returncode, process.stderr) == (PIPE_CLOSED, b"")
    with Path("/dev/full").open("w") as full:
        process = run(arguments, place, stdout=full)
    assert process.returncode == BAD_INPUT
    assert process.stderr == b"femr: The output cannot be used: No space left on device.\n"


def test_closed_streams(place):
    command = f"{sys.executable} -m femr analyze gone.jpg - --model custom_cnn >&- 2>&- <&-"
    process = subprocess.run(["sh", "-c", command], cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert process.returncode == BAD_INPUT


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999", "http", "²"])
def test_a_port_that_is_none(capsys, port):
    with pytest.raises(SystemExit) as ended:
        main(["app", f"--port={port}"])
    assert ended.value.code == BAD_INPUT
    assert f"expected a port from 1 to 65535, received {port}" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["analyze .", "music check .", "report ."])
def test_a_current_folder_that_is_gone(place, command):
    shell = f"mkdir gone && cd gone && rmdir ../gone && {sys.executable} -m femr {command}"
    process = subprocess.run(
        ["sh", "-c", shell], cwd=place, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, stderr=subprocess.PIPE
    )
    assert process.returncode == BAD_INPUT
    assert process.stderr == b"femr: The current folder cannot be used: No such file or directory.\n"


def test_a_picture_from_standard_input(inside, place, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PORTRAIT.read_bytes())))
    assert main(["analyze", "-", "--annotate", "drawn"]) == 0
    assert capsys.readouterr().out.startswith("-: The face looks happy")
    assert [path.name for path in (place / "drawn").iterdir()] == ["-.jpg"]


def test_annotated_pictures_whose_names_collide_are_all_kept(place, inside, capsys, tmp_path):
    for name in ("a.jpg", "a.png", "a-2.jpg", "b/a.jpg", "b/a.b.jpg", f"{'y' * 251}.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PORTRAIT.read_bytes())
    (tmp_path / "b" / "new.jxl").touch()
    out = tmp_path.parent / f"{tmp_path.name}-out"
    code, lines = told(capsys, ["analyze", str(tmp_path), "--annotate", str(out)])
    assert code == 0
    assert lines == ["femr: Passed over as neither pictures nor videos by their endings: 1 .jxl."]
    names = sorted(path.name for path in out.iterdir())
    assert names == ["a-2.jpg", "a-3.jpg", "a-4.jpg", "a.b.jpg", "a.jpg", f"{'y' * 230}.jpg"]
