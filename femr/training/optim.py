"""Optimizers (AdamW, Muon) with their learning rate, and the averaged model: EMA weights, BatchNormalization for them.

All is Keras' own but for Muon; why, is in docs/decisions/training.md.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from femr.faces.crop import Batch
from femr.training.checkpoint import assign, values
from femr.training.recipes import Recipe

_MOMENTUM = 0.95
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_STEPS = 5
_MATCH = 0.2
_TINY = 1e-7
_NARROWEST = 16  # outputs; the last layer has seven and stays with AdamW
_FIRST_RATE = 0.01  # of the highest


def make_optimizer(recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The recipe's optimizer: schedule, weight decay (kernels only), clipping, averages. `steps`: batches an epoch."""
    optimizer = {"adamw": keras.optimizers.AdamW, "muon": Muon}[recipe.optimizer](
        learning_rate=schedule(recipe, steps),
        weight_decay=recipe.weight_decay,
        global_clipnorm=recipe.clip_norm,
        use_ema=True,
        ema_momentum=recipe.ema,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def schedule(recipe: Recipe, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate by step: linear warm-up, then a cosine to zero. It follows the optimizer's own step counter."""
    warmup = round(recipe.warmup * steps)
    after = max(1, recipe.epochs * steps - warmup)
    return keras.optimizers.schedules.CosineDecay(
        _FIRST_RATE * recipe.rate, after, warmup_target=recipe.rate, warmup_steps=warmup
    )


class Muon(keras.optimizers.AdamW):  # type: ignore[misc]
    """Muon (Jordan et al., 2024): kernels move along the orthogonal matrix nearest to their momentum.

    A kernel's step is scaled to the usual size of an AdamW step (0.2 root mean square, Liu et al., 2025), so AdamW's
    learning rate and weight decay apply. Biases and the last layer stay with AdamW, as its authors advise.
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
        step = ops.cast(orthogonalize(rows), variable.dtype)
        scale = _MATCH * max(rows.shape) ** 0.5
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, ops.multiply(ops.reshape(step, variable.shape), rate * scale))


def orthogonalize(matrix: Any) -> Any:
    """About the orthogonal matrix nearest to a matrix: bfloat16, same shape, five Newton-Schulz steps."""
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else ops.transpose(matrix)
    x = ops.cast(x / (ops.sqrt(ops.sum(ops.square(x))) + _TINY), "bfloat16")
    a, b, c = _NEWTON_SCHULZ
    for _ in range(_STEPS):
        square = ops.matmul(x, ops.transpose(x))
        x = a * x + ops.matmul(b * square + c * ops.matmul(square, square), x)
    return x if wide else ops.transpose(x)


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Inside the block the model has its averaged weights; after it, exactly those that it had before."""
    before = values(model.variables)
    try:
        use_averages(model)
        yield
    finally:
        assign(model.variables, before)


def use_averages(model: keras.Model) -> None:
    """Gives the model its averaged weights for good."""
    model.optimizer.finalize_variable_values(model.trainable_variables)
    # on JAX the model would now share arrays with the optimizer, and its next call would free them for both
    assign(model.trainable_variables, values(model.trainable_variables))


def reestimate_batch_norm(model: keras.Model, batches: Iterable[Batch]) -> None:
    """Replaces the moving statistics by plain means over the given training batches, with dropout off for good.

    Dropout before BatchNormalization shifts the variance that the layer sees in training (Li et al., 2019); and an
    average of weights has other statistics than the weights that were averaged.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    for number, batch in enumerate(batches):
        for layer in norms:
            layer.momentum = number / (number + 1)
        model(batch, training=True)
