"""The rules of the house that a tool can check: who imports whom, what is pinned, what a clone carries."""

import ast
import re
import subprocess
import sys

import pytest

import femr
from builders import ROOT

MODULES = sorted((ROOT / "femr").rglob("*.py"))
PAGE = [ROOT / "app.py"]
LEVELS = {
    "errors": -1, "results": 0, "mending": 0, "files": 0, "decoding": 1, "expression.calibration": 1,
    "song_facts": 1, "images": 2, "faces.crop": 2, "hub.client": 2, "expression.networks": 2,
    "faces.mtcnn.networks": 2, "faces.mtcnn.pyramid": 2, "faces.mtcnn.patches": 2, "faces.mtcnn.opinion": 2,
    "video.tracking": 2, "batch.inputs": 3, "expression.weights": 3, "faces.mtcnn.cascade": 3, "faces.covering": 3,
    "video.reader": 3, "hub.card_text": 3, "expression.classifier": 4, "faces.mtcnn.turning": 4, "mood": 4,
    "music": 4, "output.annotate": 4, "output.rows": 4, "hub.card_tables": 4, "faces.detector": 5, "hub.card": 5,
    "songs": 5, "faces.quality": 5, "video.session": 5, "output.timeline": 5, "video.writer": 5,
    "output.table": 6, "report.count": 6, "hub.push": 6, "analyzer": 6, "report.summary": 7,
    "video.analysis": 7, "report.charts": 8, "batch.folder": 8, "report.page": 9, "batch.ray": 9,
}  # fmt: skip
"""A module imports only from levels under its own: no cycles, and no stage reads another's insides."""
ON_TOP = {"benchmark", "cli", "page", "training"}
"""Packages that may import from all the others."""
ONLY_IN = {
    "mtcnn": {"faces.mtcnn.networks"},
    "huggingface_hub": {"hub.client", "hub.card"},
    "gradio": set(),
    "PIL": {"images", "decoding", "output.annotate"},
    "jinja2": {"report.page"},
    "markupsafe": {"report.page"},
    "matplotlib": {"report.charts", "output.timeline"},
    "av": {"video.reader"},
    "ray": {"batch.ray"},
    "fsspec": {"batch.inputs"},
}
OPTIONAL = {"fsspec", "ray"}
"""Only for those who ask for them, as femr[ray]."""
PACKAGES = {"PIL": "pillow", "cv2": "opencv-python-headless", "pi_heif": "pi-heif"}


def imports(path):
    """Full names of all modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            package = (ROOT / node.module.replace(".", "/")).is_dir()
            yield from (f"{node.module}.{name.name}" for name in node.names) if package else [node.module]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path):
    parts = path.relative_to(ROOT / "femr").with_suffix("").parts
    if parts[0] in ON_TOP or parts[-1].startswith("__"):
        return
    module = ".".join(parts)
    assert module in LEVELS, "give the new module its level"
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "femr":
            assert rest in LEVELS, f"{module} imports {name}"
            assert LEVELS[rest] < LEVELS[module], f"{module} imports {name}"
        if top in ONLY_IN:
            assert module in ONLY_IN[top], f"{module} imports {name}"


def test_requirements_are_what_is_imported_and_pinned():
    files = [*PAGE, *(path for path in MODULES if not {"benchmark", "training"} & set(path.parts))]
    own = {*sys.stdlib_module_names, "femr", *OPTIONAL}
    used = {name.split(".")[0] for path in files for name in imports(path)} - own
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    assert {line.split("==")[0] for line in lines} == {PACKAGES.get(name, name) for name in used}


def test_the_space_runs_the_pinned_gradio():
    front = (ROOT / "README.md").read_text(encoding="utf-8").split("---")[1]
    pin = re.search(r"^gradio==(.+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)[1]
    assert f"sdk_version: {pin}\n" in front
    assert 'python_version: "3.12"' in front


def test_no_tracked_file_is_over_10_mib():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in files.split("\0") if name]
    assert [path.name for path in paths if path.is_file() and path.stat().st_size > 10 * 2**20] == []


def test_importing_femr_warns_of_nothing_and_loads_no_tensorflow():
    heavy = "{'tensorflow', 'keras', 'cv2', 'gradio', 'huggingface_hub'}"
    code = f"import sys, femr; print(sorted({heavy} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (process.stdout.strip(), process.stderr) == ("[]", "")


def test_public_names_exist():
    for name in femr.__all__:
        assert getattr(femr, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = femr.nonsense
