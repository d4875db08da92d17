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

NOT_FOR_A_PHOTO = {
    "h5py",
    "keras",
    "matplotlib.pyplot",
    "mtcnn",
    "mutagen",
    "pandas",
    "pyarrow",
    "ray",
    "tensorflow",
}
HEAVY = NOT_FOR_A_PHOTO | {"av", "matplotlib", "openvino", "scipy"}
FOR_THE_PAGE = {"PIL", "cv2", "fsspec", "gradio", "huggingface_hub", "lap", "pandas", "tinytag"}
ANSWERS = """
import sys
from builders import PORTRAIT
from femr.page import app, shared
from visitors import post, served, upload
shared.warm_up("ensemble")
with served() as url:
    photo = {{"path": upload(url, "me.jpg", PORTRAIT.read_bytes()), "meta": {{"_type": "gradio.FileData"}}}}
    for _ in range(3):
        _, (found,) = post(url, "analyze", [photo, "ensemble", "match", False])
        assert found["song"]
print(sorted({heavy} & set(sys.modules)))
"""
WARNINGS = ("-W", "error", "-W", "ignore::ResourceWarning", "-W", "ignore:::gradio")  # those are Gradio's own
STARTS = {
    "import femr": HEAVY | FOR_THE_PAGE,
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


def test_an_answered_photo_has_loaded_nothing_heavy():
    tests = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    code = ANSWERS.format(heavy=NOT_FOR_A_PHOTO)
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=tests, capture_output=True, text=True, check=False
    )
    assert (process.stdout.splitlines()[-1:], process.returncode) == (["[]"], 0), process.stderr


def test_who_asks_for_pandas_beside_the_page_gets_it():
    code = """if True:
        import femr.page.app
        from gradio import caching
        from pandas.errors import EmptyDataError
        import pandas
        assert caching.pd.DataFrame is pandas.DataFrame
        assert EmptyDataError is pandas.errors.EmptyDataError
    """
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


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
