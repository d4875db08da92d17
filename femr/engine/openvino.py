"""The default engine: ONNX files on OpenVINO's CPU runtime."""

import ctypes
import os
import platform
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from femr.engine import Outputs, check_process
from femr.errors import ModelError

# the converter, which nobody needs here, tells OpenVINO's makers of each import of it; nothing is missed without
sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]
import openvino  # noqa: E402

del sys.modules["openvino.tools.ovc"]

# two threads whose first call of it comes at once wait for each other for ever (2026.4): one has Python's lock and
# wants that of the table behind it, the other the other way round
openvino.Type.f32.to_dtype()

_CONFIG = {
    # bfloat16, which it takes by itself where the processor has it, moves scores by up to .02
    "INFERENCE_PRECISION_HINT": "f32",
    # a batch a core: all cores on one batch wait for each other after every layer
    "PERFORMANCE_HINT": "THROUGHPUT",
}
_AVX = 10  # of OpenCV's CpuFeatures
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # of malloc.h
# what is prepared for a size of input is forgotten: pictures come in ever new ones
_ANY_SIZE = {"CPU_RUNTIME_CACHE_CAPACITY": 0}


class OpenvinoNetwork:
    """A network in an ONNX file, whose large weights may lie in files beside it.

    Raises:
        ModelError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            model = _core().read_model(path)
            self.input_shape = _shape(model.input(0))
            self.outputs: Mapping[str, tuple[int | None, ...]] = {
                output.get_any_name(): _shape(output) for output in model.outputs
            }
            config = _CONFIG | (_ANY_SIZE if None in self.input_shape else {})
            self._compiled = _core().compile_model(model, "CPU", config)
        except RuntimeError as error:  # whatever is wrong, be it the file or the processor
            raise ModelError(f"The network in {path.name} cannot be read by OpenVINO.") from error
        self._at_once = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._process = os.getpid()
        self._idle: list[Any] = []  # requests, each for one batch at a time

    def __call__(self, batches: Iterable[npt.NDArray[Any]]) -> list[Outputs]:
        """As in Network. Raises: ModelError, where the memory is not enough above all."""
        check_process(self._process)
        outputs, running = list[Outputs](), deque[tuple[Any, Any]]()
        try:
            for batch in batches:
                if len(running) == self._at_once:
                    outputs.append(self._finish(*running.popleft()))
                running.append(self._start(np.ascontiguousarray(batch)))
            return outputs + [self._finish(*one) for one in running]
        except RuntimeError as error:
            raise ModelError("A network could not be run; there may be too little memory.") from error

    def _start(self, batch: npt.NDArray[Any]) -> tuple[Any, npt.NDArray[Any]]:
        """The request, and its input, which has to be kept until it is done."""
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        # as OpenVINO's own start_async does, which first finds out what it was given
        request.set_input_tensor(openvino.Tensor(batch, shared_memory=True))
        request.start_async()
        return request, batch

    def _finish(self, request: Any, _: npt.NDArray[Any]) -> Outputs:
        request.wait()
        outputs = tuple(np.array(request.get_output_tensor(number).data) for number in range(len(self.outputs)))
        self._idle.append(request)
        return outputs


@cache
def _core() -> Any:
    """OpenVINO, loaded once. Raises: ModelError, where it would end the whole process in the first picture."""
    if platform.machine() in ("x86_64", "AMD64") and not cv2.checkHardwareSupport(_AVX):
        raise ModelError("The networks need a processor with AVX, as nearly all have that were made since 2013.")
    _give_memory_back()
    return openvino.Core()


def _give_memory_back() -> None:
    """Makes glibc return what large tensors had, which it keeps for each thread: 60 MB of the page's."""
    allocator: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(allocator, "mallopt"):  # as in glibc, but not in Alpine's musl
        allocator.mallopt(_MMAP_THRESHOLD, 1 << 19)
        allocator.mallopt(_ARENA_MAX, 2)


def _shape(port: Any) -> tuple[int | None, ...]:
    _, *sides = port.get_partial_shape()
    return tuple(side.get_length() if side.is_static else None for side in sides)
