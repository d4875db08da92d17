"""Uploads: the networks with their model card to a Hub repository, or the app itself to a Space."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import PAYMENT_REQUIRED
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from femr.errors import ModelError
from femr.expression.weights import MODEL_NAMES, MODELS_DIR, hub_failure, read_facts, verify
from femr.publish.card import card_of, pictures, reference_runs

Hardware: TypeAlias = Literal["zero-a10g", "cpu-basic"]
FREE: Hardware = "zero-a10g"
"""ZeroGPU: what the Hub lends without a paid plan. femr computes on its processor and asks for no GPU."""
HARDWARE: tuple[Hardware, ...] = get_args(Hardware)

ROOT = Path(__file__).parents[2]
SPACE_FILES = (
    "app.py",
    "README.md",
    "LICENSE",
    "requirements.txt",
    "femr/**/*.py",
    "femr/**/*.html",
    "femr/**/*.md",
    "femr/page/*.css",
    "femr/page/**/*.js",
    "femr/page/**/*.svg",
    "femr/**/*.npz",
    "examples/*",
    "models/mtcnn.json",
    "models/?net.onnx",
    "music/library.json",
    "music/*/*.mp3",
)
"""What the Space needs besides the models; tests, notebooks and scratch files stay at home."""

_REPOSITORY = re.compile(r"(?!.*(--|\.\.|\.git$))[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


def push_models(repo: str, private: bool = False) -> str:
    """Upload every model's weights and config, and the model card, to a model repository; the commit's address.

    Raises:
        ModelError: If a file is missing or damaged, or if the Hub refuses. Log in first: hf auth login.
    """
    return upload(repo, "model", model_files(MODELS_DIR), "Upload femr's models", private)


def push_space(repo: str, private: bool = False, hardware: Hardware | None = None) -> str:
    """Upload the app, the package, models and music to a Space; the commit's address.

    Args:
        hardware: What the Space runs on; None leaves it as it is, a new one on the Hub's default.

    Raises:
        ModelError: As for `push_models`.
    """
    if hardware and hardware not in HARDWARE:
        raise ModelError(f"Expected the hardware {' or '.join(HARDWARE)}. Received: {hardware}")
    return upload(repo, "space", space_files(ROOT), "Upload femr", private, hardware)


def model_files(folder: Path) -> dict[str, Path | bytes]:
    """Everything a model repository holds: name → file, or content where it is made here. Raises ModelError."""
    facts = [read_facts(folder / f"{name}.json") for name in MODEL_NAMES]
    names = [f"{one.name}.json" for one in facts] + [file for one in facts for file in (*one.files, *one.onnx)]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"Nothing was uploaded: models/ lacks {', '.join(missing)}.")
    for one in facts:
        verify(folder, one, {**one.files, **one.onnx})
    names += [*pictures(folder), *(path.relative_to(folder).as_posix() for path in reference_runs(folder))]
    return {"README.md": card_of(folder).encode(), **{name: folder / name for name in names}}


def space_files(root: Path) -> dict[str, Path | bytes]:
    """Everything a Space holds: path → file. Raises ModelError if a part of the app is missing."""
    found = {pattern: _visible(root, pattern) for pattern in SPACE_FILES}
    missing = [pattern for pattern, paths in found.items() if not paths]
    if missing:
        raise ModelError(f"Nothing was uploaded: the app lacks {', '.join(missing)}.")
    app: dict[str, Path | bytes] = {
        path.relative_to(root).as_posix(): path for paths in found.values() for path in paths
    }
    # of ZeroGPU's package the Hub has its own version, which a pin could contradict
    app["requirements.txt"] = (root / "requirements.txt").read_bytes() + b"spaces\n"
    return app | {f"models/{name}": content for name, content in model_files(root / "models").items()}


def upload(
    repo: str,
    kind: Literal["model", "space"],
    files: Mapping[str, Path | bytes],
    message: str,
    private: bool = False,
    hardware: Hardware | None = None,
) -> str:
    """The address of one new commit with `files`, path in the repository → content; the repository is made if need be.

    Files that are there already and not named stay as they are.

    Raises:
        ModelError: When the Hub refuses or cannot be reached, and then nothing was committed.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, SpaceHardware, get_token

    # the Hub would take a bare name for one of its own old repositories
    if not _REPOSITORY.fullmatch(repo):
        raise ModelError(f"Expected a Hub repository such as user/name. Received: {repo}")
    if get_token() is None:
        raise ModelError("You are not logged in to the Hub: run `hf auth login` first, or set HF_TOKEN.")
    api = HfApi()
    sdk = "gradio" if kind == "space" else None
    with _clear_errors(repo, paid=kind == "space" and hardware != FREE):
        new = not api.repo_exists(repo, repo_type=kind)
        # private=None leaves the Hub's own default, and an existing repository, as they are
        wish: Any = {"private": private or None, "space_sdk": sdk, "space_hardware": hardware}
        api.create_repo(repo, repo_type=kind, exist_ok=True, **wish)
        if hardware and not new:
            api.request_space_hardware(repo, SpaceHardware(hardware))
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        return api.create_commit(repo, operations, commit_message=message, repo_type=kind).commit_url


@contextmanager
def _clear_errors(repo: str, paid: bool) -> Iterator[None]:
    """Turns a failed upload into one clear sentence. paid: whether there is a way that needs no paid plan."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except (OSError, ValueError, RuntimeError, httpx2.HTTPError) as error:
        refused = isinstance(error, HfHubHTTPError) and error.response.status_code == PAYMENT_REQUIRED
        hint = f"; with --hardware {FREE} it needs none" if refused and paid else ""
        raise ModelError(f"Nothing was uploaded to {repo}: {hub_failure(error)}{hint}.") from error


def _visible(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))
