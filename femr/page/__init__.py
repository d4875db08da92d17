"""The page, in Gradio: one module a tab, put together and served by `app`."""

from unittest.mock import patch

# where Gradio (6.31) finds its components' source, it takes a third of its start to write .pyi files beside it
with patch("inspect.getfile", side_effect=OSError):
    import gradio as gradio
