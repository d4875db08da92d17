"""The Python of README and of docs/python.md, run word for word on a portrait and on a landscape; README's commands."""

import io
import re
import shlex
import shutil
import sys
from contextlib import redirect_stdout

import cv2
import pytest
from PIL import Image
from skimage import data

from builders import PORTRAIT, ROOT
from femr.__main__ import main
from femr.images import load_image
from videos import write_video

TEXT = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/python.md"))
SNIPPETS = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", TEXT, re.MULTILINE | re.DOTALL)


COMMANDS, SAID = re.search(
    r"^```bash\n(femr party.*?)^```\n\n```text\n(.*?)^```\n", TEXT, re.MULTILINE | re.DOTALL
).groups()


@pytest.fixture(params=["portrait", "landscape"])
def place(request, portrait, tmp_path, monkeypatch):
    """What the snippets read, in the current folder: the picture, a folder with it, a film of it."""
    picture = portrait if request.param == "portrait" else data.rocket()
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG")
    content = PORTRAIT.read_bytes() if request.param == "portrait" else file.getvalue()
    files = {"examples/eileen-collins.jpg": content, "party/eileen.jpg": content, "party/broken.jpg": content[:3000]}
    for name, written in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(written)
    small = cv2.resize(picture, (320, 240))
    write_video(tmp_path / "clip.mp4", [small] * 5, [number / 5 for number in range(5)], rate=5)
    monkeypatch.chdir(tmp_path)
    return request.param


def test_every_snippet_runs_and_says_what_stands_under_it(place):
    frames = [(second / 2, load_image("examples/eileen-collins.jpg")) for second in range(3)]
    names, shown = {"frames": frames}, []
    for code, _ in SNIPPETS:
        with redirect_stdout(io.StringIO()) as output:
            exec(compile(code, "a snippet", "exec"), names)
        shown.append(output.getvalue())
    assert len(shown) == 6
    if place == "landscape":
        assert shown[0] == "no mood · No face found (640×427)\n"
        return
    expected = [(text, said) for text, (_, said) in zip(shown, SNIPPETS, strict=True) if said]
    assert [text for text, _ in expected] == [said for _, said in expected]


def test_the_commands_run_in_the_light_install_and_the_first_says_what_stands_under_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pyarrow", None)  # as if the extra table were not installed
    monkeypatch.chdir(tmp_path)
    shutil.copy(PORTRAIT, "party.jpg")
    shutil.copytree(PORTRAIT.parent, "party")
    said = []
    for line in COMMANDS.splitlines():
        _, *words = shlex.split(line, comments=True)
        assert main([word for word in words if word not in ("--play", "--open")]) == 0, line
        said.append(capsys.readouterr().out)
    assert said[0].partition("  plays ")[0] == SAID.partition("  plays ")[0]  # which song of the mood is drawn
    assert {path.name for path in tmp_path.iterdir()} == {"party", "party.jpg", "faces.csv", "party.html"}
