"""Muon (Jordan et al., 2024) in pure Keras: orthogonal momentum for kernels, AdamW for the rest."""

from typing import Any

import keras
from keras import ops

_MOMENTUM = 0.95
_STEPS = 5
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_MATCH = 0.2
_TINY = 1e-7
_NARROWEST = 16  # outputs; the last layer has seven and stays with AdamW


class Muon(keras.optimizers.AdamW):  # type: ignore[misc]
    """AdamW, except that kernels move along the orthogonal matrix nearest to their momentum.

    A kernel's step is scaled to the usual size of an AdamW step (0.2 root mean square, Liu et al., 2025), so AdamW's
    learning rate and weight decay apply. The last layer stays with AdamW, as its authors advise.
    """

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Moves one variable by one step."""
        if len(variable.shape) < 2 or variable.shape[-1] < _NARROWEST:
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self._momentums[self._get_variable_index(variable)]
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(momentum, ops.add(ops.multiply(momentum, _MOMENTUM), gradient))
        rows = ops.reshape(ops.add(gradient, ops.multiply(momentum, _MOMENTUM)), (-1, variable.shape[-1]))
        step = ops.cast(orthogonalise(rows), variable.dtype)
        scale = _MATCH * max(rows.shape) ** 0.5
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, ops.multiply(ops.reshape(step, variable.shape), rate * scale))


def orthogonalise(matrix: Any) -> Any:
    """About the orthogonal matrix nearest to a matrix: bfloat16, same shape, five Newton-Schulz steps."""
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else ops.transpose(matrix)
    x = ops.cast(x / (ops.sqrt(ops.sum(ops.square(x))) + _TINY), "bfloat16")
    a, b, c = _COEFFICIENTS
    for _ in range(_STEPS):
        square = ops.matmul(x, ops.transpose(x))
        x = a * x + ops.matmul(b * square + c * ops.matmul(square, square), x)
    return x if wide else ops.transpose(x)
