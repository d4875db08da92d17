"""The folders that femr carries: models, music and examples. A wheel holds them in here, a clone at its top."""

from importlib.resources import files
from pathlib import Path


def folder(name: str) -> Path:
    """Where models, music or examples lie, whether or not they do."""
    inside = Path(str(files(__name__) / name))
    return inside if inside.is_dir() else inside.parents[2] / name


def missing(folder: Path) -> str:
    """The sentence for a folder that is not where it should be."""
    return f"This copy of femr lacks its folder {folder.name}; install it from a whole clone."
