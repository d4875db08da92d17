"""The notebooks run from start to end on a data set of a few faces, and are committed small and without logic.

The quickstart is committed with its outputs, of which the song is left out.
"""

import ast
import asyncio
import io
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import cv2
import nbformat
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from PIL import Image

from builders import PORTRAIT_FACE, ROOT
from femr.results import EMOTIONS
from femr.training.data import SPLITS

FOLDER = ROOT / "notebooks"
QUICKSTART = "00_quickstart"
TRAINING = ("01_explore_data", "02_train", "03_results")
NAMES = (QUICKSTART, *TRAINING)
FACES = {"Training": 42, "PublicTest": 21, "PrivateTest": 14}
PICTURES = {"01_explore_data": 6, "02_train": 4, "03_results": 19}
LIMIT_S = 120
IN_COLAB = {"matplotlib", "numpy", "opencv-python-headless", "pillow", "tensorflow", "tensorflow-cpu"}
"""Of requirements.txt what training imports and Colab has."""
OUTPUT_BYTES = 50_000
FILE_BYTES = 200_000


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def face(portrait, rng):
    """The portrait's face, moved and noisy, as a PNG file's bytes: grey 48×48."""
    left, top, right, bottom = PORTRAIT_FACE
    x, y = rng.integers(-8, 9, 2)
    crop = cv2.cvtColor(portrait[top + y : bottom + y, left + x : right + x], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA)
    noisy = np.clip(small + rng.normal(0, 12, small.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def environment(portrait, tmp_path_factory):
    """What the kernels are told: where the few faces lie, one epoch, and a folder for the run."""
    folder = tmp_path_factory.mktemp("notebooks")
    rng = np.random.default_rng(0)
    usage = [split for split in SPLITS for _ in range(FACES[split])]
    pictures = [face(portrait, rng) for _ in usage]
    pictures[7] = pictures[1]  # a duplicate within Training with two labels,
    pictures[-1] = pictures[0]  # and one across splits
    labels = [number % len(EMOTIONS) for number in range(len(usage))]
    table = {
        "image": [{"bytes": picture, "path": None} for picture in pictures],
        "label": [*labels[:7], 2, *labels[8:]],
        "usage": usage,
        "ferplus_votes": rng.multinomial(10, [0.1, 0.7, 0.1, 0.1, 0, 0, 0, 0, 0, 0], len(usage)).tolist(),
    }
    pq.write_table(pa.table(table), folder / "faces.parquet")
    return os.environ | {
        "FEMR_DATA": str(folder / "faces.parquet"),
        "FEMR_NETWORK": "custom_cnn",  # the other one starts from ImageNet weights, which are a download
        "FEMR_EPOCHS": "1",
        "FEMR_RUN": str(folder / "run"),
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(folder / "ipython"),
    }


@pytest.fixture(scope="module")
def executed(environment):
    """Name → notebook with its outputs; all at once, but that the third draws the run of the second."""
    found = {name: read(name) for name in NAMES}

    async def run(*names):
        for name in names:
            client = NotebookClient(found[name], timeout=LIMIT_S, resources={"metadata": {"path": str(FOLDER)}})
            await client.async_execute(env=environment)

    async def run_all():
        await asyncio.gather(run(QUICKSTART), run("01_explore_data"), run("02_train", "03_results"))

    asyncio.run(run_all())
    return found


@pytest.mark.parametrize("name", TRAINING)
def test_runs_and_draws(executed, name):
    outputs = [output for cell in code(executed[name]) for output in cell.outputs]
    assert [output.evalue for output in outputs if output.output_type == "error"] == []
    pictures = [o for o in outputs if o.output_type == "display_data" and "image/png" in o.data]
    assert len(pictures) >= PICTURES[name]


def shown(notebook, kind):
    """What its outputs hold of one kind."""
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    return [o.text if "text" in o else o.data[kind] for o in outputs if "text" in o or kind in o.data]


def test_the_quickstart_goes_from_install_to_own_music_in_ten_cells(executed):
    assert len(executed[QUICKSTART].cells) == 10
    analysis, told, *_, own = shown(executed[QUICKSTART], "text/html")
    assert re.findall("<(img|audio) ", analysis) == ["img", "audio"]
    assert told.startswith("happy · The face looks happy (512×512)\nface 1 looks happy")
    assert "♫ one tone" in own


def test_the_quickstart_is_committed_as_it_runs_but_without_the_song(executed):
    committed = read(QUICKSTART)
    said, expected = (shown(notebook, "text/plain") for notebook in (committed, executed[QUICKSTART]))
    assert said == expected
    analysis, *_ = shown(committed, "text/html")
    assert re.findall("<(img|audio) ", analysis) == ["img"]


def test_training_left_a_run(executed, environment):
    files = {path.name for path in Path(environment["FEMR_RUN"]).iterdir()}
    assert files >= {"run.json", "curves.png", "final.keras", "pictures"}


def test_what_the_reader_is_told(executed):
    said = {
        name: "".join(output.text for cell in code(notebook) for output in cell.outputs if "text" in output)
        for name, notebook in executed.items()
    }
    assert "Training: 1 of 42 repeat an earlier face" in said["01_explore_data"]
    assert "PrivateTest: 1 also occur in Training" in said["01_explore_data"]
    assert "Training is not FER2013's: 5 angry instead of 3,995" in said["01_explore_data"]
    assert "\nWith FER+ votes\n" in said["02_train"]
    assert "final on PublicTest, 21 faces" in said["02_train"]
    assert "ensemble on PrivateTest, 14 faces" in said["03_results"]
    assert "ensemble learned from Training, PublicTest." in said["03_results"]


def test_a_hub_data_set_of_ones_own_is_not_replaced_by_a_download(monkeypatch, tmp_path):
    monkeypatch.setenv("FEMR_DATA", "somebody/faces")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    choice, *others = (cell.source for cell in code(read("02_train")))
    (download,) = (source for source in others if "kagglehub.dataset_download" in source)
    names = {}
    exec(f"{choice}\n{download}", names)
    assert names["DATA"] == "somebody/faces"


def test_all_notebooks_are_known():
    assert tuple(sorted(path.stem for path in FOLDER.glob("*.ipynb"))) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_committed_small(name):
    assert (FOLDER / f"{name}.ipynb").stat().st_size < FILE_BYTES
    if name in TRAINING:
        assert len(json.dumps([cell.outputs for cell in code(read(name))])) < OUTPUT_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_no_logic_of_its_own(name):
    """What a notebook defines, nobody tests: functions and classes belong in femr.training."""
    plain = TransformerManager().transform_cell
    nodes = [node for cell in code(read(name)) for node in ast.walk(ast.parse(plain(cell.source)))]
    own = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
    assert [ast.unparse(node) for node in nodes if isinstance(node, own)] == []
    room = "femr.training" if name in TRAINING else "femr"
    assert any(isinstance(node, ast.ImportFrom) and node.module.startswith(room) for node in nodes)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_notebook_imports_is_there(name):
    """Also where a cell does not run without somebody's own repository."""
    plain = TransformerManager().transform_cell
    nodes = [node for cell in code(read(name)) for node in ast.walk(ast.parse(plain(cell.source)))]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module.startswith("femr")]
    for node in imports:
        for one in node.names:
            assert hasattr(import_module(node.module), one.name) or import_module(f"{node.module}.{one.name}")


def test_on_colab_training_installs_what_it_imports():
    cells = [cell.source for cell in code(read("02_train"))]
    (pattern,) = (match[1] for cell in cells if (match := re.search(r'grep -E "(.+)" requirements', cell)))
    pins = (ROOT / "requirements.txt").read_text().splitlines()
    others = {pin.split("==")[0] for pin in pins if "==" in pin and not re.match(pattern, pin)} - IN_COLAB
    modules = [{"lapx": "lap"}.get(name, name).replace("-", "_") for name in others]
    imports = [line for cell in cells for line in cell.splitlines() if line.startswith("from femr")]
    program = "\n".join([f"import sys; sys.modules.update(dict.fromkeys({modules}))", *imports])
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["02_train", "03_results"])
def test_private_test_is_for_reporting_once(name):
    text = "\n".join(cell.source for cell in read(name).cells if cell.cell_type == "markdown")
    assert "PrivateTest is for reporting" in text
