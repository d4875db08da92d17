"""The page, in Gradio: one module a tab, put together and served by `app`."""
