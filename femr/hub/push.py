"""Uploads: the networks with their model card to a Hub repository, or the app itself to a Space."""

from pathlib import Path

from femr.errors import ModelError
from femr.expression.weights import MODEL_NAMES, MODELS_DIR, read_facts, verify
from femr.hub.card import card_of, pictures, reference_runs
from femr.hub.client import upload

ROOT = Path(__file__).parents[2]
SPACE_FILES = (
    "app.py",
    "README.md",
    "LICENSE",
    "requirements.txt",
    "femr/**/*.py",
    "femr/**/*.html",
    "femr/page/*.css",
    "femr/page/*.js",
    "femr/page/*.md",
    "femr/**/*.npz",
    "examples/*",
    "music/library.json",
    "music/*/*.mp3",
)
"""What the Space needs besides models/; tests, notebooks and scratch files stay at home."""


def push_models(repo: str, private: bool = False) -> str:
    """Upload every model's weights and facts, and the model card, to a model repository. Returns: the commit's address.

    Raises: ModelError if a file is missing or damaged, or if the Hub refuses. Log in first: hf auth login.
    """
    return upload(repo, "model", model_files(MODELS_DIR), "Upload femr's models", private)


def push_space(repo: str, private: bool = False) -> str:
    """Upload the app, the package, models and music to a Space. Returns: the commit's address. Raises: ModelError."""
    return upload(repo, "space", space_files(ROOT), "Upload femr", private)


def model_files(folder: Path) -> dict[str, Path | bytes]:
    """Everything a model repository holds: name → file, or content where it is made here. Raises: ModelError."""
    facts = [read_facts(folder / f"{name}.json") for name in MODEL_NAMES]
    names = [f"{one.name}.json" for one in facts] + [file for one in facts for file in one.files]
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"Nothing was uploaded: models/ lacks {', '.join(missing)}.")
    for one in facts:
        verify(folder, one)
    names += [*pictures(folder), *(path.relative_to(folder).as_posix() for path in reference_runs(folder))]
    return {"README.md": card_of(folder).encode(), **{name: folder / name for name in names}}


def space_files(root: Path) -> dict[str, Path | bytes]:
    """Everything a Space holds: path → file. Raises: ModelError if a part of the app is missing."""
    found = {pattern: _visible(root, pattern) for pattern in SPACE_FILES}
    missing = [pattern for pattern, paths in found.items() if not paths]
    if missing:
        raise ModelError(f"Nothing was uploaded: the app lacks {', '.join(missing)}.")
    app: dict[str, Path | bytes] = {
        path.relative_to(root).as_posix(): path for paths in found.values() for path in paths
    }
    return app | {f"models/{name}": content for name, content in model_files(root / "models").items()}


def _visible(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path.is_file() and not path.name.startswith("."))
