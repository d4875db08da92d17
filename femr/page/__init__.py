"""The page, in Gradio: one module a tab, put together and served by `app`."""

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """A library in whose place this stands until somebody asks it for something."""

    _lock = Lock()

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


# Gradio (6.31) imports pandas, and sums up all events with it after each; and it asks Matplotlib for its backend, which
# loads all of that where none is named: together 50 MB for what this page does not show
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(sys.maxsize))
os.environ.setdefault("MPLBACKEND", "agg")
if "pandas" not in sys.modules:
    later = _Later("pandas")
    later.__spec__ = find_spec("pandas")  # for who asks whether there is one
    sys.modules["pandas"] = later
