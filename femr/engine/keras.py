"""The reference engine: Keras models on whatever backend Keras has. For training, measuring and files of others."""

import os
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from femr.engine import Outputs, check_process


class KerasNetwork:
    """A Keras model with one input and one output or several, ready to run."""

    def __init__(self, model: keras.Model) -> None:
        # a Sequential has no names for its one output
        names = getattr(model, "output_names", None) or [model.name]
        self.input_shape: tuple[int | None, ...] = tuple(model.input_shape[1:])
        self.outputs: Mapping[str, tuple[int | None, ...]] = {
            name: tuple(output.shape[1:]) for name, output in zip(names, model.outputs, strict=True)
        }
        self._model = keras.Model(model.inputs, model.outputs)  # the same weights, with settings of its own
        self._model.jit_compile = False  # XLA takes seconds for each new size
        self._process = os.getpid()
        self._first = Lock()  # the backend's function is made by the first call

    def __call__(self, batches: Iterable[npt.NDArray[Any]]) -> list[Outputs]:
        """As in Network."""
        check_process(self._process)
        with self._first:
            self._model.make_predict_function()
        found = (keras.tree.flatten(self._model.predict_on_batch(batch)) for batch in batches)
        return [tuple(np.asarray(output, np.float32) for output in outputs) for outputs in found]
