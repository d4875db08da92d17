"""The page, in Gradio: one module a tab, put together and served by `app`."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _without_stubs() -> Iterator[None]:
    """Where Gradio (6.31) finds its components' source, it takes a third of its start to write .pyi files beside it."""

    def find_nothing(_: Any) -> str:
        raise OSError

    find, inspect.getfile = inspect.getfile, find_nothing
    try:
        yield
    finally:
        inspect.getfile = find


with _without_stubs():
    import gradio as gradio
