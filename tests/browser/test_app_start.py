"""How the page starts: up at once, its models loaded meanwhile and once."""

import os
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from builders import ROOT
from femr.page import shared

HEAVY = {"av", "h5py", "keras", "matplotlib", "mtcnn", "mutagen", "openvino", "ray", "scipy", "tensorflow"}
FOR_THE_PAGE = {"PIL", "cv2", "fsspec", "gradio", "huggingface_hub", "lap", "pandas", "pyarrow", "tinytag"}
WARNINGS = ("-W", "error", "-W", "ignore::ResourceWarning", "-W", "ignore:::gradio")  # those are Gradio's own
STARTS = {
    "import femr": HEAVY | FOR_THE_PAGE,
    # Gradio loads pandas, which loads pyarrow where it is installed
    "from femr.page.app import build_page; build_page()": HEAVY,
}


@pytest.mark.parametrize("code", STARTS)
def test_a_start_warns_of_nothing_loads_nothing_heavy_and_writes_nothing_beside_its_source(code):
    loaded = f"import sys; print(sorted({STARTS[code]} & set(sys.modules)))"
    process = subprocess.run(
        [sys.executable, *WARNINGS, "-c", f"{code}\n{loaded}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (process.stdout.strip(), process.stderr) == ("[]", "")
    assert list((ROOT / "femr").rglob("*.pyi")) == []


@pytest.mark.parametrize("own", [{"GRADIO_TEMP_DIR": "/dev/null/a"}, {"GRADIO_SERVER_NAME": "no such name"}])
def test_a_page_that_cannot_be_served_ends_in_one_sentence(own):
    command = [sys.executable, "-m", "femr", "app"]
    process = subprocess.run(command, cwd=ROOT, env=os.environ | own, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert re.fullmatch(r"femr: [^\n]+\.\n", process.stderr)


def test_visitors_who_come_while_a_model_is_loaded_wait_for_that_one():
    shared.loaded.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        one, *others = pool.map(shared.analyzer, ["mobilenet_v2"] * 4)
    assert all(other is one for other in others)


def test_a_model_that_cannot_be_loaded_does_not_stop_the_page(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("femr.expression.weights.MODELS_DIR", tmp_path)
    (tmp_path / "custom_cnn.json").write_text("{")
    shared.loaded.cache_clear()
    shared.warm_up("custom_cnn")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("femr: ")
    assert "damaged" in line


def test_the_page_names_what_its_first_view_will_ask_for(server):
    """An address that is not Gradio's any more would cost a request; too few, the seconds that they save."""
    with urllib.request.urlopen(server) as response:
        named = re.findall("<(.*?)>", response.headers["Link"])
    for kind in ("index-.*css", "index-.*js", "core-.*js", "Blocks-.*js", "Blocks-.*css", "HTML-.*js", "photo.js"):
        assert any(re.search(kind, name) for name in named), kind
    assert len(named) == len(set(named)) > 35
    for name in named:
        with urllib.request.urlopen(server + name) as response:
            assert response.status == 200
