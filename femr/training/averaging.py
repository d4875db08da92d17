"""The averaged model: weights by exponential moving average, and BatchNormalization statistics for them."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from femr.faces.crop import Batch
from femr.training.checkpoint import assign, values


@contextmanager
def averaged_weights(model: keras.Model) -> Iterator[None]:
    """Inside the block the model has its averaged weights; after it, exactly those that it had before."""
    if not model.optimizer.use_ema:
        yield
        return
    before = values(model.variables)
    use_averages(model)
    try:
        yield
    finally:
        assign(model.variables, before)


def use_averages(model: keras.Model) -> None:
    """Gives the model its averaged weights for good."""
    model.optimizer.finalize_variable_values(model.trainable_variables)
    # on JAX the model would now share arrays with the optimizer, and its next call would free them for both
    assign(model.trainable_variables, values(model.trainable_variables))


def reestimate_batch_norm(model: keras.Model, batches: Iterator[Batch]) -> None:
    """Replaces the moving statistics by plain means over the given training batches, with dropout off.

    Dropout before BatchNormalization shifts the variance that the layer sees in training (Li et al., 2019); and an
    average of weights has other statistics than the weights that were averaged.
    """
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    drops = [layer for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    momenta, rates = [layer.momentum for layer in norms], [layer.rate for layer in drops]
    try:
        for layer in drops:
            layer.rate = 0.0
        for number, batch in enumerate(batches):
            for layer in norms:
                layer.momentum = number / (number + 1)
            model(batch, training=True)
    finally:
        for layer, momentum in zip(norms, momenta, strict=True):
            layer.momentum = momentum
        for layer, rate in zip(drops, rates, strict=True):
            layer.rate = rate
