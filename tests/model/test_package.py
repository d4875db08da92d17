"""The package as it is installed elsewhere: a wheel in a fresh environment, used from an empty folder."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest
from gradio_client import handle_file
from packaging.requirements import Requirement

import femr
from builders import PORTRAIT, ROOT
from femr.__main__ import main
from femr.publish.push import QUICKSTART
from hub_server import TOKEN, HubServer, ask_here, run_client
from visitors import serving

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MEGABYTE = 10**6


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if find_spec("hatchling") is None:
        message = "The wheel's tests need hatchling: pip install -e '.[dev]'"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    folder = tmp_path_factory.mktemp("wheel")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(pip, check=True)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment's programs: it has femr from the wheel, and sees all else that the tests see."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "-q", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True)
    (site,) = folder.glob("**/site-packages")
    (site / "tests.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return programs


@pytest.fixture
def elsewhere(tmp_path):
    """An empty folder, and an environment in which nothing points to the clone."""
    own = {"GRADIO_TEMP_DIR": str(tmp_path / "temp"), "FEMR_MUSIC_DIR": "", "PYTHONPATH": ""}
    (tmp_path / "empty").mkdir()
    return {"cwd": tmp_path / "empty", "env": {**os.environ, **own}}


def test_the_wheel_holds_what_is_needed_and_no_more(wheel):
    assert wheel.stat().st_size < 100 * MEGABYTE
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.partition("/")[0] for name in names} == {"femr", f"femr-{femr.__version__}.dist-info"}
    songs = {f"femr/assets/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "music").glob("*/*.mp3")}
    weights = {f"femr/assets/models/{path.name}" for path in (ROOT / "models").glob("*.h5")}
    page = {f"femr/page/{name}" for name in ("app.css", "about.md", "photo.html", "static/player.js")}
    assert songs | weights | page | {"femr/py.typed", "femr/assets/music/library.json"} <= names
    assert not [name for name in names if "compose" in name or "tests" in name or name.endswith((".ipynb", ".mid"))]


def test_a_spaces_quickstart_installs_the_same_from_the_space(wheel, tmp_path, monkeypatch):
    site, quickstart = tmp_path / "site", tmp_path / "quickstart.ipy"
    # 0 means without: pip's is the opposite of its option
    pip = {"PIP_TARGET": str(site), "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    patient = {"HF_HUB_ETAG_TIMEOUT": "60", "HF_HUB_DOWNLOAD_TIMEOUT": "60"}
    with HubServer() as hub:
        with monkeypatch.context() as patch:
            ask_here(patch, tmp_path / "home", hub.url, TOKEN)
            assert main(["push", "--space", "somebody/mood"]) == 0
        notebook = json.loads(hub.repositories["spaces/somebody/mood"].files[QUICKSTART])
        first = next("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
        quickstart.write_text(f"import sys\nsys.modules['google.colab'] = sys\n{first}", encoding="utf-8")
        ipython = ("-m", "IPython", "--quick", str(quickstart))
        run_client(tmp_path / "colab", hub.url, *ipython, IPYTHONDIR=str(tmp_path), **pip, **patient)
    with zipfile.ZipFile(wheel) as archive:
        wanted = {name for name in archive.namelist() if name.startswith("femr/")}
    there = [path for path in (site / "femr").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.relative_to(site).as_posix() for path in there} == wanted
    assert all(path.stat().st_size > 200 for path in there if path.suffix in (".h5", ".mp3", ".jpg"))  # no pointers


def test_a_photo_from_an_empty_folder(installed, elsewhere):
    code = f"""
import femr
analysis = femr.load("mobilenet_v2")({str(PORTRAIT)!r})
print(femr.__file__, analysis.mood.emotion, analysis.song.path, sep="\\n")"""
    done = subprocess.run([installed / "python", "-c", code], capture_output=True, text=True, **elsewhere)
    assert done.returncode == 0, done.stderr
    package, mood, song = done.stdout.splitlines()[-3:]
    assert Path(package).is_relative_to(installed.parent)
    assert mood == "happy"
    assert Path(song).parent == Path(package).parent / "assets" / "music" / "happy"
    assert Path(song).is_file()


def test_the_command_line_from_an_empty_folder(installed, elsewhere):
    for option, expected in ((["--version"], f"femr {femr.__version__}\n"), (["music", "check", "gone"], "")):
        done = subprocess.run([installed / "femr", *option], capture_output=True, text=True, **elsewhere)
        assert done.stdout == expected
    assert done.stderr == "femr: There is no music folder named gone.\n"


def test_the_page_from_an_empty_folder(installed, elsewhere, tmp_path):
    with serving([installed / "femr", "app"], tmp_path, **elsewhere) as client:
        answer = client.predict(handle_file(str(PORTRAIT)), "mobilenet_v2", "match", api_name="/analyze")
        with urllib.request.urlopen(answer["song"]["url"]) as song:
            assert song.headers["Content-Type"] == "audio/mpeg"
    assert answer["mood"]["emotion"] == "happy"


@pytest.mark.parametrize(("command", "folder"), [(["analyze", str(PORTRAIT)], "music"), (["app"], "examples")])
def test_a_package_without_its_folders_says_so(tmp_path, command, folder):
    shutil.copytree(ROOT / "femr", tmp_path / "femr")
    femr = [sys.executable, "-m", "femr", *command]
    done = subprocess.run(femr, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("femr:")]
    assert lines == [f"femr: This copy of femr lacks its folder {folder}; install it from a whole clone."]


WITHOUT_EXTRAS = """
import sys
sys.modules.update(dict.fromkeys(("av", "fsspec", "pyarrow", "ray")))  # as if none of them were installed
from femr.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["clip.mp4"], "clip.mp4: Videos and clips need PyAV: pip install av."),
        (["--table", "faces.parquet"], "A Parquet table needs pyarrow: pip install pyarrow."),
        (["--engine", "ray"], "Expected Ray for --engine ray: pip install 'ray[data]'."),
        (["s3://bucket/photo.jpg"], "s3://bucket/photo.jpg: Reading addresses needs fsspec: pip install fsspec."),
    ],
)
def test_what_an_extra_is_for_says_which(tmp_path, arguments, sentence):
    (tmp_path / "clip.mp4").write_bytes(b"")
    command = [sys.executable, "-c", WITHOUT_EXTRAS, "analyze", "--model", "mobilenet_v2", str(PORTRAIT), *arguments]
    own = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
    assert [line for line in done.stderr.splitlines() if line.startswith("femr:")] == [f"femr: {sentence}"]
    assert done.returncode == 2


def test_the_pins_of_a_space_are_within_the_bounds():
    extras = PROJECT["optional-dependencies"]
    lines = PROJECT["dependencies"] + extras["video"] + extras["train"]
    bounds = {bound.name: bound for bound in map(Requirement, lines)}
    text = (ROOT / "requirements.txt").read_text()
    pins = {pin.name: pin for pin in map(Requirement, re.findall("^[^#].+", text, re.MULTILINE))}
    assert bounds.keys() - pins.keys() == {"onnx", "pyarrow", "tf2onnx"}  # what trains and exports
    assert pins.keys() - bounds.keys() == set()
    for name, pin in pins.items():
        (version,) = [one.version for one in pin.specifier]
        assert bounds[name].specifier.contains(version), bounds[name]
        assert bounds[name].marker == pin.marker
    assert all(bound.specifier for bound in bounds.values())
    # a Space's builder installs gradio[oauth,mcp] in one go with them
    for wanted in map(Requirement, metadata.requires("gradio")):
        here = any(wanted.marker is None or wanted.marker.evaluate({"extra": extra}) for extra in ("oauth", "mcp"))
        if here and wanted.name in pins:
            assert wanted.specifier.contains(str(pins[wanted.name].specifier).removeprefix("==")), wanted


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "tensorflow-cpu"),
        ("win32", "AMD64", "tensorflow-cpu"),
        ("linux", "aarch64", "tensorflow"),
        ("darwin", "arm64", "tensorflow"),
        ("darwin", "x86_64", "tensorflow"),
    ],
)
def test_one_tensorflow_for_each_machine(system, machine, name):
    bounds = map(Requirement, PROJECT["optional-dependencies"]["train"])
    where = {"sys_platform": system, "platform_machine": machine}
    chosen = [bound.name for bound in bounds if bound.marker and bound.marker.evaluate(where)]
    assert chosen == [name]


def test_readme_tells_the_very_commands_that_make_runs():
    blocks = re.findall(
        r"^```bash\n(.*?)\n```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    make = subprocess.run(
        ["make", "-n", "--no-print-directory", "VENV=.venv", "install", "test"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert " && ".join(make.stdout.splitlines()) in blocks
    assert ".ci-venv install check docs test\n" in (ROOT / ".ci" / "run").read_text()


def test_the_changes_begin_with_this_version():
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)[1]
    assert heading.rstrip(",") == femr.__version__
    assert f"\nversion: {femr.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_load_spells_its_parameters():
    from femr import analyzer

    outside, inside = (inspect.signature(load).parameters for load in (femr.load, analyzer.load))
    assert [(one.name, one.kind, one.default) for one in outside.values()] == [
        (one.name, one.kind, one.default) for one in inside.values()
    ]
