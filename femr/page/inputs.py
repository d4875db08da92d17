"""What a visitor sends and gets as files: Gradio's components; inputs open nothing but what was uploaded to them."""

from abc import ABCMeta
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import processing_utils
from gradio.component_meta import ComponentMeta
from gradio.data_classes import FileData, ListFiles
from gradio.utils import get_upload_folder, is_in_or_equal


class WithoutStub(ComponentMeta):
    """For a component that adds no event: Gradio (6.31) would write a .pyi beside its source, for the events' sake."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> Any:
        """The class alone."""
        return ABCMeta.__new__(cls, name, bases, attributes)


class FilesInput(gr.File, metaclass=WithoutStub):
    """gr.File that hands over paths, and opens nothing but what was uploaded."""

    is_template = True  # looks and behaves like gr.File in the browser

    def preprocess(self, payload: ListFiles | FileData | None) -> list[str]:
        """The paths of the uploaded files, each once, in their order. Raises: gr.Error if one is not there."""
        given = [] if payload is None else payload.root if isinstance(payload, ListFiles) else [payload]
        paths = [file.path for file in given]
        if not all(path and is_uploaded(path) for path in paths):
            raise gr.Error("A file is not here any more. Please choose it again.", print_exception=False)
        return list(dict.fromkeys(paths))


class FilmOutput(gr.Video, metaclass=WithoutStub):
    """gr.Video that shows a file as it is: Gradio's own would convert what it thinks no browser plays, for minutes."""

    is_template = True  # looks and behaves like gr.Video in the browser

    def postprocess(self, value: str | None) -> FileData | None:
        """The file; None where there is no film."""
        return None if value is None else FileData(path=value)


def is_uploaded(path: str) -> bool:
    """Whether a path is that of a file which was uploaded and is still there."""
    try:
        return is_in_or_equal(path, get_upload_folder()) and Path(path).is_file()
    except (OSError, ValueError):  # no file has such a name
        return False


async def _not_fetched(url: str, cache_dir: str) -> str:
    """An address that stood in the place of a file, as it is: it is no upload, so every input here refuses it.

    In place of Gradio's own fetch (6.31), which takes any length and any time, for any input. Its request would be a
    stranger's, made from inside the server's network.
    """
    return url


processing_utils.async_ssrf_protected_download = _not_fetched
