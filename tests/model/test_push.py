"""Uploads by the real Hub client to a stand-in on loopback."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import RepoCard, close_session

from builders import dead_links
from femr.__main__ import main
from femr.errors import ModelError
from femr.expression.networks import NETWORKS
from femr.expression.weights import MODELS_DIR
from femr.publish import push
from femr.publish.card import network_card
from femr.publish.push import QUICKSTART, model_files, repositories, space_files
from hub_server import NOWHERE, READ_ONLY_TOKEN, ROOT, TOKEN, HubServer, ask_here

REPO = "somebody/femr"
SPACE = "somebody/mood"
SPACE_PARTS = {
    "app.py",
    "README.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "Containerfile",
    "LICENSE",
    "Makefile",
    "mkdocs.yml",
    "pyproject.toml",
    "requirements.txt",
    "benchmarks",
    "docs",
    "femr",
    "examples",
    "models",
    "music",
    "notebooks",
}


@pytest.fixture
def hub():
    with HubServer() as server:
        yield server


@pytest.fixture
def femr_push(hub, tmp_path, monkeypatch, capsys):
    """Runs `femr push`, logged in unless told otherwise: what it printed, and on standard error."""

    def run(*arguments, code=0, endpoint=None, token=TOKEN):
        ask_here(monkeypatch, tmp_path / "home", endpoint or hub.url, token)
        found = main(["push", *arguments])
        said = capsys.readouterr()
        assert found == code, said.err
        return said

    return run


@pytest.fixture
def models(tmp_path):
    """A copy of models/."""
    return Path(shutil.copytree(MODELS_DIR, tmp_path / "models"))


def read(content):
    return content if isinstance(content, bytes) else content.read_bytes()


def uploaded(hub, key):
    return {name: content for name, content in hub.repositories[key].files.items() if name != ".gitattributes"}


class TestModels:
    def test_it_says_what_it_will_upload_then_where_it_is(self, hub, femr_push):
        done = femr_push("--repo", REPO)

        plan, addresses = done.out.splitlines()[:2], done.out.splitlines()[2:]
        for name, line, address in zip(NETWORKS, plan, addresses, strict=True):
            repo = repositories(REPO)[name]
            files = uploaded(hub, f"models/{repo}")
            size = sum(map(len, files.values())) / 1e6
            assert line == f"model {repo}: {len(files)} files, {size:.1f} MB"
            assert address == f"{hub.url}/{repo}/commit/{hub.repositories[f'models/{repo}'].refs['main']}"
            assert files["README.md"].decode() == network_card(MODELS_DIR, name, repo)
        assert done.err == ""

    def test_nothing_is_uploaded_without_keras(self, hub, femr_push, monkeypatch):
        monkeypatch.setattr("femr.engine.find_spec", lambda name: None if name == "keras" else name)
        told = "femr: The engine keras is not installed: pip install keras tensorflow.\n"
        assert femr_push("--repo", REPO, code=2).err == told
        assert hub.requests == []

    def test_nothing_is_uploaded_without_onnx(self, hub, femr_push, monkeypatch):
        monkeypatch.setitem(sys.modules, "onnx", None)
        told = "femr: Uploading networks needs onnx: pip install onnx.\n"
        assert femr_push("--repo", REPO, code=2).err == told
        assert hub.requests == []

    def test_missing_file(self, models):
        (models / "mobilenet_v2_00000.weights.h5").unlink()
        with pytest.raises(ModelError, match=r"models/ lacks mobilenet_v2_00000\.weights\.h5\.$"):
            model_files(models)

    def test_damaged_file(self, models):
        with (models / "mobilenet_v2_00000.weights.h5").open("ab") as file:
            file.write(b"\0")
        with pytest.raises(ModelError, match="The weights of MobileNetV2 are damaged"):
            model_files(models)

    def test_nothing_but_the_list(self, models):
        before = set(model_files(models))
        (models / ".cache").mkdir()
        for name in (".DS_Store", "notes.txt", "custom_cnn_old.keras", "custom_cnn_00009.weights.h5", ".cache/x.png"):
            (models / name).write_text("stays at home")
        assert set(model_files(models)) == before


class TestSpace:
    def test_models_and_space_name_each_other(self, hub, femr_push):
        done = femr_push("--repo", REPO, "--space", SPACE)
        readme = uploaded(hub, f"spaces/{SPACE}")["README.md"].decode()
        assert RepoCard(readme).data.models == list(repositories(REPO).values())
        for repo in repositories(REPO).values():
            card = uploaded(hub, f"models/{repo}")["README.md"].decode()
            assert f"[{SPACE}](https://huggingface.co/spaces/{SPACE})" in card
        assert [line.split(":")[0] for line in done.out.splitlines()[:3]] == [
            *(f"model {repo}" for repo in repositories(REPO).values()),
            f"space {SPACE}",
        ]

    def test_one_commit_each_time_and_no_second_repository(self, hub, femr_push):
        femr_push("--space", REPO, "--private")
        femr_push("--space", REPO)
        assert len(hub.repositories[f"spaces/{REPO}"].commits) == 3  # the Hub's own first one, and two
        assert hub.created[0]["visibility"] == "private"
        assert "visibility" not in hub.created[1]  # an existing repository stays as private as it is

    def test_its_front_matter_helps_it_to_be_found(self, hub, femr_push):
        femr_push("--space", SPACE)
        files = uploaded(hub, f"spaces/{SPACE}")
        told = RepoCard(files["README.md"].decode()).data
        assert "models" not in told.to_dict()
        _, place = told.thumbnail.split(f"https://huggingface.co/spaces/{SPACE}/resolve/main/")
        assert place in files
        assert told.suggested_hardware == push.FREE
        assert told.startup_duration_timeout == "15m"
        (badge,) = re.findall(r"\[!\[Open in Colab\]\(\S+\)\]\((\S+)\)", files["README.md"].decode())
        here, _, notebook = badge.partition("/blob/main/")
        assert here == f"https://colab.research.google.com/#fileId=https%3A//huggingface.co/spaces/{SPACE}"
        assert notebook == QUICKSTART
        assert {"facial-expression-recognition", "music"} < set(told.tags)

    def test_the_app_arrives_and_starts_from_what_was_uploaded(self, hub, femr_push, tmp_path):
        femr_push("--space", REPO)
        files = uploaded(hub, f"spaces/{REPO}")
        assert {name.partition("/")[0] for name in files} == SPACE_PARTS
        assert hub.created[0]["sdk"] == "gradio"
        for name, content in files.items():
            path = tmp_path / "space" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            added = b"spaces\n" if name == "requirements.txt" else b""
            assert name in ("README.md", QUICKSTART) or content == (ROOT / name).read_bytes() + added, name
        assert [name for name in files if name.endswith(".md") and dead_links(tmp_path / "space" / name)] == []
        start = [sys.executable, "-c", "from femr.page.app import build_page; print(type(build_page()).__name__)"]
        done = subprocess.run(start, cwd=tmp_path / "space", capture_output=True, text=True)
        assert done.stdout.strip() == "Page", done.stderr

    @pytest.mark.parametrize(("zero", "shown"), [("true", "shown\n"), ("", "")])
    def test_only_zerogpu_is_shown_a_function_for_its_gpu(self, tmp_path, zero, shown):
        # stands for ZeroGPU's package, which is nowhere but there
        (tmp_path / "spaces.py").write_text("def GPU(function): print('shown' if callable(function) else '?')")
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), "SPACES_ZERO_GPU": zero}
        command = [sys.executable, ROOT / "app.py", "--help"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(f"{shown}usage:")

    def test_a_new_space_gets_its_hardware_at_once_and_one_that_is_there_too(self, hub, femr_push):
        femr_push("--space", REPO, "--hardware", "zero-a10g")
        assert hub.created[0]["hardware"] == "zero-a10g"
        assert hub.hardware == {}
        femr_push("--space", REPO)
        assert hub.hardware == {}
        femr_push("--space", REPO, "--hardware", "cpu-basic")
        assert hub.hardware == {REPO: "cpu-basic"}

    def test_who_has_no_paid_plan_hears_what_needs_none(self, hub, femr_push):
        hub.faults.unpaid = True
        words = "the Hub asks for a paid plan to create it; with --hardware zero-a10g it needs none"
        for hardware in ([], ["--hardware", "cpu-basic"]):
            done = femr_push("--space", REPO, *hardware, code=2)
            assert done.err == f"femr: Nothing was uploaded to {REPO}: {words}.\n"
        assert hub.repositories == {}
        femr_push("--space", REPO, "--hardware", "zero-a10g")
        femr_push("--space", REPO)
        assert len(hub.repositories[f"spaces/{REPO}"].commits) == 3  # the Hub's own first one, and two

    def test_unknown_hardware(self, hub, femr_push):
        done = femr_push("--space", REPO, "--hardware", "t4", code=2)
        assert done.err == "femr: Expected the hardware zero-a10g or cpu-basic. Received: t4\n"
        assert femr_push("--repo", REPO, "--hardware", "zero-a10g", code=2).err.startswith(
            "femr: Expected --hardware with"
        )
        assert hub.requests == []

    def test_nothing_but_the_list(self, tmp_path):
        root = tmp_path / "femr"
        models = [f"models/{name}" for name in model_files(MODELS_DIR) if name != "README.md"]
        wanted = [
            *("app.py", "README.md", "LICENSE", "requirements.txt", "femr/__init__.py", "models/mtcnn.json"),
            *("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "Containerfile", "Makefile", "mkdocs.yml"),
            *("pyproject.toml", "femr/py.typed", "docs/index.md", "docs/decisions/engines.md", "notebooks/01.ipynb"),
            *("benchmarks/speed.py", "benchmarks/adapters/peer.cjs", "music/README.md", "music/compose/score.py"),
            "femr/training/__init__.py",
            "femr/faces/covering.npz",
            "femr/report/page.html",
            "femr/page/app.css",
            "femr/page/about.md",
            "femr/page/wall.html",
            "femr/page/static/player.js",
            "femr/page/static/icon.svg",
            "femr/page/static/wall.css",
            "examples/photo.jpg",
            "music/library.json",
            "music/sad/song.mp3",
            *(f"models/{name}.onnx" for name in ("pnet", "rnet", "onet")),
        ]
        unwanted = [".git/config", ".env", "notes.txt", "tests/test_app.py", "femr/__pycache__/x.pyc", "runs/a.keras"]
        unwanted += ["examples/.DS_Store", "music/sad/deeper/song.mp3", "femr/other.txt"]
        unwanted += ["models/runs/a.keras", ".venv/lib/app.py", "femr/weights.pyi", "site/index.html"]
        unwanted += ["docs/__pycache__/hooks.pyc", "notebooks/.ipynb_checkpoints/01.ipynb", "notebooks/faces.csv"]
        for name in wanted + unwanted:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)
        for name in models:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(ROOT / name)
        assert set(space_files(root)) == {*wanted, *models, "models/README.md"}

    def test_its_networks_are_those_that_are_used(self, models, monkeypatch):
        monkeypatch.setattr(push, "MODELS_DIR", models)
        assert space_files(ROOT)["models/custom_cnn.json"] == models / "custom_cnn.json"

    def test_missing_part(self, tmp_path):
        (tmp_path / "app.py").touch()
        with pytest.raises(ModelError, match=r"^Nothing was uploaded: the app lacks README.md, CHANGELOG.md"):
            space_files(tmp_path)

    def test_folders_are_no_files(self, tmp_path, monkeypatch):
        monkeypatch.setattr(push, "SPACE_FILES", ("app.py",))
        (tmp_path / "app.py").mkdir()
        with pytest.raises(ModelError, match=r"the app lacks app\.py"):
            space_files(tmp_path)


class TestRefusals:
    """Each is one line on standard error, exit code 2, and nothing was uploaded."""

    @pytest.mark.parametrize("name", ["femr", "a/b/c", "https://example.org/a/b", "a b/c", "a/b--c", "a/../c", "/femr"])
    def test_malformed_name(self, hub, femr_push, name):
        done = femr_push("--repo", name, code=2)
        assert done.err == f"femr: Expected a Hub repository such as user/name. Received: {name}\n"
        assert hub.requests == []

    def test_no_token(self, hub, femr_push):
        done = femr_push("--repo", REPO, token=None, code=2)
        expected = "femr: You are not logged in to the Hub: run `hf auth login` first, or set HF_TOKEN.\n"
        assert done.err == expected
        assert hub.requests == []

    @pytest.mark.parametrize(
        ("token", "reason"),
        [
            ("hf_wrong", "the Hub does not accept your token; run `hf auth login` again"),
            (READ_ONLY_TOKEN, "your token may not write there"),
        ],
    )
    def test_token_that_will_not_do(self, hub, femr_push, token, reason):
        done = femr_push("--space", REPO, token=token, code=2)
        assert done.err == f"femr: Nothing was uploaded to {REPO}: {reason}.\n"
        assert hub.repositories == {}

    def test_hub_is_down(self, femr_push):
        done = femr_push("--space", REPO, endpoint=NOWHERE, code=2)
        assert done.err == f"femr: Nothing was uploaded to {REPO}: the Hub cannot be reached.\n"

    def test_hub_does_not_answer(self, hub, femr_push):
        hub.faults.silent = True
        done = femr_push("--space", REPO, code=2)
        assert done.err == f"femr: Nothing was uploaded to {REPO}: the Hub does not answer.\n"

    def test_a_proxy_that_needs_another_package(self, femr_push, monkeypatch):
        monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
        close_session()
        assert "Nothing was uploaded to somebody/femr: Using SOCKS proxy, but" in femr_push("--space", REPO, code=2).err
        monkeypatch.undo()
        close_session()

    def test_hub_has_a_fault(self, hub, femr_push):
        hub.faults.status = 500
        done = femr_push("--space", REPO, code=2)
        assert done.err == f"femr: Nothing was uploaded to {REPO}: the Hub answered 500.\n"

    def test_neither_repo_nor_space(self, femr_push):
        assert femr_push(code=2).err == "femr: Expected --repo USER/NAME, --space USER/NAME or both.\n"
