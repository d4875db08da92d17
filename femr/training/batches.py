"""The input pipeline: augmented batches, made by threads ahead of the network, the same for the same seed."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from femr.faces.crop import Batch, Pixels, to_batch
from femr.training.augment import augment
from femr.training.recipes import Recipe
from femr.training.targets import Targets

_THREADS = 2
_AHEAD = 8


def training_batches(
    images: Pixels, targets: Targets, recipe: Recipe, seed: int, epoch: int
) -> Iterator[tuple[Batch, Targets]]:
    """One epoch of batches: network input float32 (b, side, side, 3) and targets float32 (b, 2, 7).

    Every batch has a generator of its own, from seed, epoch (from 0) and number, so the order in which threads finish
    changes nothing. Faces that do not fill a last batch are left out of this epoch; with fewer faces than a batch, one
    batch has all.
    """
    late = epoch >= recipe.epochs - recipe.last_epochs
    augmentation = recipe.last_augmentation if late else recipe.augmentation
    side = recipe.side_in(epoch)
    order = np.random.default_rng((seed, epoch)).permutation(len(images))

    def make(number: int) -> tuple[Batch, Targets]:
        rows = order[number * recipe.batch_size : (number + 1) * recipe.batch_size]
        faces = augment(images[rows], side, augmentation, np.random.default_rng((seed, epoch, number)))
        return to_batch(faces, side, recipe.low, recipe.high), targets[rows]

    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[Future[tuple[Batch, Targets]]] = deque()
        for number in range(steps(len(images), recipe)):
            waiting.append(pool.submit(make, number))
            if len(waiting) > _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def steps(faces: int, recipe: Recipe) -> int:
    """Batches in an epoch, at least 1."""
    return max(1, faces // recipe.batch_size)
