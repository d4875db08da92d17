"""The optimizer of a recipe, and the learning rate at any moment of a run."""

import math
from typing import Any

import keras

from femr.training.muon import Muon
from femr.training.recipes import Recipe

_KINDS: dict[str, Any] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "muon": Muon,
    "sgd": keras.optimizers.SGD,
}
_MOMENTUM = 0.9
_UNDECAYED = ("bias", "gamma", "beta")


def make_optimizer(recipe: Recipe) -> keras.optimizers.Optimizer:
    """A fresh optimizer with the recipe's weight decay (kernels only), clipping and weight averaging."""
    options: dict[str, Any] = {"learning_rate": recipe.rate}
    if recipe.ema:
        options |= {"use_ema": True, "ema_momentum": recipe.ema}
    if recipe.clip_norm:
        options["global_clipnorm"] = recipe.clip_norm
    if recipe.optimizer == "sgd":
        options |= {"momentum": _MOMENTUM, "nesterov": True}
    if recipe.weight_decay:
        options["weight_decay"] = recipe.weight_decay
    optimizer = _KINDS[recipe.optimizer](**options)
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=list(_UNDECAYED))
    return optimizer


def learning_rate(recipe: Recipe, epochs_done: float, losses: list[float]) -> float:
    """The rate after some epochs, parts of one included.

    Args: `losses`, the validation loss of each finished epoch; only the "plateau" schedule looks at them.
    """
    if epochs_done < recipe.warmup:
        return recipe.rate * (epochs_done + 0.01) / (recipe.warmup + 0.01)
    if recipe.schedule == "plateau":
        falls = plateaus(losses, recipe.plateau_patience)
        return float(recipe.rate * recipe.plateau_factor**falls)
    part = (epochs_done - recipe.warmup) / (recipe.epochs - recipe.warmup)
    return recipe.rate * (1 + math.cos(math.pi * min(1.0, part))) / 2


def plateaus(losses: list[float], patience: int) -> int:
    """How often `patience` epochs brought no new minimum, as Keras' ReduceLROnPlateau counts (min_delta 1e-4)."""
    best, waited, falls = math.inf, 0, 0
    for loss in losses:
        waited += 1
        if loss < best - 1e-4:
            best, waited = loss, 0
        elif waited >= patience:
            falls, waited = falls + 1, 0
    return falls


def should_stop(losses: list[float], patience: int) -> bool:
    """Whether the last `patience` epochs brought no new minimum; never for patience 0."""
    return 0 < patience <= len(losses) - 1 - losses.index(min(losses)) if losses else False
