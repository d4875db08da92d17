"""The command line as people meet it: its first word, its last one, its colours, its help, what it opens and plays."""

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from builders import PORTRAIT, ROOT, write_wav
from femr.__main__ import main
from femr.cli import EXAMPLES, Parser
from femr.cli.terminal import quiet
from femr.images import load_image
from videos import write_video

MODEL = ("--model", "mobilenet_v2")
COLOR = re.compile(r"\x1b\[38;5;(\d+)m(\w+)\x1b\[0m")


@pytest.fixture
def party(tmp_path, portrait, monkeypatch):
    """In the current folder, another with a portrait, a landscape, a damaged picture, a film and a text."""
    folder = tmp_path / "party"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(PORTRAIT.read_bytes())
    (folder / "b.jpg").write_bytes(PORTRAIT.read_bytes()[:3000])
    Image.fromarray(data.rocket()).save(folder / "c.jpg")
    write_video(folder / "d.mp4", [portrait[:240, 60:380]] * 3, [0, 0.5, 1], rate=2)
    (folder / "e.txt").write_text("")
    monkeypatch.chdir(tmp_path)
    return folder


def command(*arguments):
    return [sys.executable, "-m", "femr", *map(str, arguments)]


def environment(**own):
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "DISPLAY", "BROWSER")}
    return {**kept, "PYTHONPATH": str(ROOT), "TERM": "xterm", **{name: str(value) for name, value in own.items()}}


def run(*arguments, **own):
    options = {"capture_output": True, "text": True, "check": False}
    return subprocess.run(command(*arguments), env=environment(**own), **options)


def on_a_terminal(*arguments, **own):
    """The exit code, and all that a terminal gets: both streams."""
    leader, follower = os.openpty()
    process = subprocess.Popen(command(*arguments), env=environment(**own), stdout=follower, stderr=follower)
    os.close(follower)
    shown = b""
    while piece := _read(leader):
        shown += piece
    os.close(leader)
    return process.wait(), shown.decode()


def _read(terminal):
    """What comes next; Linux says the end of a terminal with an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def program(path, lines):
    """A program of the machine, which notes what it is given."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


def test_a_photo_is_enough(capsys):
    assert main([str(PORTRAIT), *MODEL]) == 0
    assert "The face looks happy" in capsys.readouterr().out
    assert main([*MODEL, "--json", str(PORTRAIT)]) == 0
    assert main(["gone.jpg"]) == 2
    assert "There is no file named gone.jpg." in capsys.readouterr().err


def test_without_a_word_there_is_help(capsys):
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 0
    assert "femr party.jpg" in capsys.readouterr().out


@pytest.mark.parametrize("name", EXAMPLES)
def test_help_of_each_command_ends_with_three_examples(capsys, name):
    with pytest.raises(SystemExit):
        main([*name.split()[1:], "--help"])
    *_, examples = capsys.readouterr().out.partition("examples:\n")
    assert [line.strip() for line in examples.splitlines()] == list(EXAMPLES[name])
    assert len(EXAMPLES[name]) == 3


def test_a_groups_help_ends_with_the_examples_of_its_commands(capsys):
    with pytest.raises(SystemExit):
        main(["music", "--help"])
    *_, examples = capsys.readouterr().out.partition("examples:\n")
    expected = [*EXAMPLES["femr music check"], *EXAMPLES["femr music playlist"]]
    assert [line.strip() for line in examples.splitlines()] == expected


def test_each_command_has_examples_that_it_takes(party, monkeypatch):
    made, parsed = [], []
    start, parse = Parser.__init__, Parser.parse_args
    monkeypatch.setattr(Parser, "__init__", lambda self, *a, **k: (start(self, *a, **k), made.append(self.prog))[0])
    monkeypatch.setattr(Parser, "parse_args", lambda self, words: parsed.append(parse(self, words)) or _nothing())
    for example in (line for lines in EXAMPLES.values() for line in lines):
        words = [word for word in shlex.split(example) if "=" not in word]
        assert main(words[1:]) == 0
    assert set(made) == {*EXAMPLES, "femr music"}
    assert len(parsed) == 3 * len(EXAMPLES)


def _nothing():
    return argparse.Namespace(run=lambda _: 0)


def test_a_terminal_gets_a_first_word_and_colours():
    code, shown = on_a_terminal(PORTRAIT, *MODEL)
    assert code == 0
    assert shown.startswith("Loading the networks …\r")
    assert ("178", "happy") in COLOR.findall(shown)
    _, plain = on_a_terminal(PORTRAIT, *MODEL, NO_COLOR=1)
    assert "\x1b[38" not in plain
    assert "The face looks happy" in plain


@pytest.mark.parametrize("engine", ["openvino", "keras"])
def test_a_pipe_gets_the_answer_and_nothing_else(engine):
    done = run(PORTRAIT, *MODEL, FEMR_ENGINE=engine)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert done.stdout.startswith(f"{PORTRAIT}: The face looks happy\n")


def test_what_libraries_log_is_told_where_they_fail():
    code = """
import os, sys
from femr.cli.terminal import quiet
with quiet():
    os.write(2, b"a log\\n")
print("then", file=sys.stderr)
with quiet():
    os.write(2, b"the reason\\n")
    raise RuntimeError("a failure")"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False)
    assert done.stderr.startswith("then\nthe reason\nTraceback")
    assert "a log" not in done.stderr


def test_an_exception_in_quiet_leaves_standard_error_as_it_was(capfd):
    with pytest.raises(RuntimeError), quiet():
        raise RuntimeError
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_of_many_there_is_a_line_each_and_a_summary(party, capsys):
    assert main(["party", *MODEL, "--csv", "t.csv", "--annotate", "out", "--timeline", "out", "--fps", "2"]) == 2
    shown = capsys.readouterr()
    first, second, film, frames, plays, read, written = shown.out.splitlines()
    assert first.startswith("party/a.jpg: happy · The face looks happy · plays ")
    assert second == "party/c.jpg: no mood · No face found"
    assert film == "party/d.mp4: Looks happy in 3 of 3 frames with faces"
    assert (frames, plays[:8]) == ("  3 frames, at most 1 face at once", "  plays ")
    assert re.fullmatch(
        r"2 pictures, 1 video, 1 face in \d+\.\d s: 2 happy, 1 without a mood; 1 could not be read", read
    )
    assert written == "Wrote t.csv, 2 pictures in out, 1 video in out, 1 timeline in out"
    assert shown.err.splitlines()[-1] == "femr: Passed over as neither pictures nor videos by their endings: 1 .txt."


def test_a_damaged_film_is_counted_once_by_the_bar_and_the_sum_tells_no_faces_of_films(party):
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (party / name).unlink()
    (party / "b.mp4").write_text("Not a video. " * 100)
    (party / "e.mp4").write_bytes((party / "d.mp4").read_bytes())
    code, shown = on_a_terminal("party", *MODEL)
    assert code == 2
    assert "Traceback" not in shown
    assert "femr: party/b.mp4: This is not a video" in shown
    plain = COLOR.sub(r"\2", shown)
    assert re.search(r"\n2 videos in \d+\.\d s: 2 happy; 1 could not be read\r?\n", plain)


def test_a_json_document_has_no_last_word(party, capsys):
    assert main(["party/a.jpg", "party/c.jpg", *MODEL, "--json", "--csv", "t.csv"]) == 0
    assert capsys.readouterr().out.endswith("]\n}\n")


def test_whoever_reads_the_first_line_only_gets_no_error(party):
    process = subprocess.Popen(
        command("party/a.jpg", "party/c.jpg", *MODEL), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), errors) == (0, b"")


def test_the_song_of_most_is_played(party, tmp_path):
    write_wav(tmp_path / "music" / "happy" / "rain.wav")
    program(tmp_path / "bin" / "ffplay", f'echo "$@" > {tmp_path}/played')
    own = {"PATH": tmp_path / "bin", "FEMR_MUSIC_DIR": tmp_path / "music"}
    done = run("party/c.jpg", "party/a.jpg", *MODEL, "--play", **own)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "played").read_text().endswith(f"{tmp_path}/music/happy/rain.wav\n")


@pytest.mark.parametrize("failure", ["exit 3", "echo 'ALSA lib: no card; audio open failed' >&2"])
def test_a_player_without_sound_is_said_in_a_line(party, tmp_path, failure):
    write_wav(tmp_path / "music" / "happy" / "rain.wav")
    program(tmp_path / "bin" / "ffplay", failure)
    done = run("party/a.jpg", *MODEL, "--play", PATH=tmp_path / "bin", FEMR_MUSIC_DIR=tmp_path / "music")
    assert (done.returncode, done.stderr) == (2, "femr: ffplay cannot play rain.wav on this machine.\n")


def test_where_nothing_plays_the_browser_does_or_a_sentence_says_so(party, tmp_path):
    (tmp_path / "bin").mkdir()
    done = run("party/a.jpg", *MODEL, "--play", PATH=tmp_path / "bin")
    assert done.returncode == 2
    assert re.fullmatch(r"femr: There is no program on this machine to open .*\.mp3\.\n", done.stderr)
    browser = program(tmp_path / "browser", f'echo "$@" > {tmp_path}/opened')
    done = run("party/a.jpg", *MODEL, "--play", PATH=tmp_path / "bin", BROWSER=browser)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"file:///.*\.mp3\n", (tmp_path / "opened").read_text())
    done = run("party/c.jpg", *MODEL, "--play")
    assert (done.returncode, done.stderr) == (2, "femr: There is no song to play.\n")


def test_the_annotated_picture_is_opened(party, tmp_path):
    browser = program(tmp_path / "browser", f'echo "$@" > {tmp_path}/opened')
    done = run("party/a.jpg", *MODEL, "--open", BROWSER=browser, TMPDIR=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    path = Path((tmp_path / "opened").read_text().strip().removeprefix("file://"))
    assert done.stdout.endswith(f"\nWrote 1 picture in {path.parent}\n")
    assert load_image(path).shape == (640, 640, 3)


@pytest.mark.parametrize(("typed", "meant"), [("femr ana", "analyze "), ("femr analyze --anno", "--annotate ")])
def test_the_shell_completes_commands_and_options(tmp_path, typed, meant):
    asked = {"_ARGCOMPLETE": 1, "COMP_LINE": typed, "COMP_POINT": len(typed)}
    done = run(**asked, _ARGCOMPLETE_STDOUT_FILENAME=tmp_path / "words")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "words").read_text() == meant
