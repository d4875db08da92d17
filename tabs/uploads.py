"""What several tabs share: files that were uploaded, and downloads that leave no file on the server."""

import base64
import html
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, ListFiles
from gradio.utils import get_upload_folder, is_in_or_equal

QUEUE: Any = {"concurrency_id": "long", "concurrency_limit": 1}
"""Long work has a line of its own, one at a time. A single photo never waits behind it: the operating system shares the
processor between the two.
"""


class FilesInput(gr.File):
    """gr.File that hands over paths, and opens nothing but what was uploaded."""

    is_template = True  # looks and behaves like gr.File in the browser

    def preprocess(self, payload: ListFiles | FileData | None) -> list[str]:
        """The paths of the uploaded files, each once, in their order. Raises: gr.Error if one is not there."""
        given = [] if payload is None else payload.root if isinstance(payload, ListFiles) else [payload]
        paths = [file.path for file in given]
        for path in paths:
            if not path or not is_in_or_equal(path, get_upload_folder()) or not Path(path).is_file():
                raise gr.Error("A file is not here any more. Please choose it again.", print_exception=False)
        return list(dict.fromkeys(paths))


def download(name: str, text: str, kind: str, label: str) -> str:
    """A link that carries its own content, as HTML: no copy is left on the server, and no one else can fetch it."""
    data = base64.b64encode(text.encode()).decode()
    return f'<a class="download" download="{name}" href="data:{kind};base64,{data}">{html.escape(label)}</a>'
