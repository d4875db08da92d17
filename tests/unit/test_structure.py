"""The rules of the house that a tool can check: who imports whom, what is pinned, what a clone carries."""

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from builders import ROOT

MODULES = sorted((ROOT / "femr").rglob("*.py"))
PAGE = [ROOT / "app.py"]
ONLY_IN = {
    "mtcnn": {"faces.mtcnn_networks"},
    "huggingface_hub": {"expression.weights"},
    "gradio": set(),
    "PIL": {"images", "decoding", "output.annotate", "output.share", "output.show", "pixels", "results", "tiff"},
    "jinja2": {"report.page"},
    "markupsafe": {"report.page"},
    "matplotlib": {"report.charts", "output.share", "output.timeline"},
    "av": {"files", "song_tags", "video.reader"},
    "ray": {"batch.ray"},
    "fsspec": {"batch.inputs"},
    "lap": {"video.tracking"},
    "tinytag": {"song_tags"},
}
FREE = ("cli.", "page.", "publish.", "training.")
"""Rooms that may use any library."""
OPTIONAL = {"argcomplete", "fsspec", "mcp", "onnx", "pandas", "pyarrow", "ray", "spaces", "tf2onnx"}
"""Only for those who ask for them, as the extra ray; and what a Space has."""
ENGINES = {"openvino", "tensorflow", "tensorflow-cpu"}
"""The runtimes of both; which TensorFlow depends on the machine."""
STRANGER = re.compile(r"""pip install [-\w ]*["']?femr\b|femr\[\w""")
"""What tells somebody to install the femr of PyPI, with its extras or without."""
PACKAGES = {"PIL": "pillow", "cv2": "opencv-python-headless", "lap": "lapx", "pi_heif": "pi-heif"}


@cache
def tops(path):
    """The libraries that a file imports, wherever in it."""
    return {name.split(".")[0] for name in imports(path)}


@cache
def imports(path):
    """Full names of all modules that a file imports, wherever in the file."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = (ROOT / node.module.replace(".", "/")).is_dir()
            names += [f"{node.module}.{name.name}" for name in node.names] if package else [node.module]
    return names


def test_rooms_import_one_way():
    """As the contract in pyproject.toml says; `lint-imports` tells which import breaks it."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("library", ONLY_IN)
def test_only_some_modules_import_a_library(library):
    users = {
        ".".join(path.relative_to(ROOT / "femr").with_suffix("").parts) for path in MODULES if library in tops(path)
    }
    assert {user for user in users if not user.startswith(FREE)} == ONLY_IN[library]


def test_requirements_are_what_is_imported_and_pinned():
    files = [*PAGE, *(path for path in MODULES if not {"benchmark", "training"} & set(path.relative_to(ROOT).parts))]
    own = {*sys.stdlib_module_names, "femr", *OPTIONAL}
    used = {name.split(".")[0] for path in files for name in imports(path)} - own
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+(; .+)?", line) for line in lines)
    assert {line.split("==")[0] for line in lines} == {PACKAGES.get(name, name) for name in used} | ENGINES


def test_the_space_runs_the_pinned_gradio():
    front = (ROOT / "README.md").read_text(encoding="utf-8").split("---")[1]
    pin = re.search(r"^gradio==(.+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    assert f"sdk_version: {pin}\n" in front
    assert 'python_version: "3.12.12"' in front  # the one of 3.12 that ZeroGPU has


@pytest.mark.parametrize("words", ["pip install femr", "pip install 'femr[video]'", 'pip install -U "femr"'])
def test_the_pattern_finds_what_would_fetch_a_stranger(words):
    assert STRANGER.search(words)


def test_nobody_is_told_to_install_the_femr_of_pypi():
    """It is another project: a sentence names the package that lacks."""
    assert [path.name for path in MODULES if STRANGER.search(path.read_text(encoding="utf-8"))] == []


def test_no_tracked_file_is_over_10_mib():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in files.split("\0") if name]
    assert [path.name for path in paths if path.is_file() and path.stat().st_size > 10 * 2**20] == []
