"""One training run: the network, its optimizer and what happened so far; an epoch at a time, each safe on disk."""

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import keras
import numpy as np

from femr.expression.networks import LABEL_HEAD
from femr.faces.crop import Batch
from femr.training import checkpoint, votes
from femr.training.averaging import averaged_weights, reestimate_batch_norm, use_averages
from femr.training.batches import steps, training_batches
from femr.training.building import build
from femr.training.data import FaceData
from femr.training.metrics import accuracy, cross_entropy, negative_log_likelihood
from femr.training.optimizers import learning_rate, make_optimizer, should_stop
from femr.training.prediction import load_file, predict
from femr.training.recipes import Recipe
from femr.training.targets import Targets

CHECKPOINT, HISTORY, LATEST, BEST, FINAL = "checkpoint.npz", "history.csv", "latest.keras", "best.keras", "final.keras"
"""A run's files: the state to resume from, one line an epoch, the last and the best epoch's model, the result."""
CURVES = "curves.png"
"""And its loss and accuracy by epoch, drawn."""


@dataclass(eq=False, slots=True)
class Run:
    """A run in memory. history: one row an epoch, as in history.csv; its accuracy is the label head's."""

    network: keras.Model
    recipe: Recipe
    faces: FaceData
    targets: Targets
    validation: FaceData
    seed: int
    history: list[dict[str, float]] = field(default_factory=list)

    def prepare(self) -> None:
        """Compiles the network with the recipe's optimizer."""
        # on a CPU, XLA made TensorFlow three to six times slower (measured); JAX cannot do without
        jit = keras.backend.backend() == "jax"
        optimizer = make_optimizer(self.recipe)
        self.network.compile(
            optimizer,
            ["categorical_crossentropy", "categorical_crossentropy"],
            loss_weights=[1.0, self.recipe.people_weight],
            metrics=[["accuracy"], []],
            jit_compile=jit,
        )
        optimizer.build(self.network.trainable_variables)

    def resume(self, folder: Path) -> None:
        """Takes up the state in a folder. Raises: ModelError when it is damaged or another network's."""
        saved = checkpoint.read(folder / CHECKPOINT)
        checkpoint.assign(self.network.variables, saved.model)
        checkpoint.assign(self.network.optimizer.variables, saved.optimizer)
        self.history = saved.state["history"]

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or the recipe says to stop."""
        return len(self.history) >= self.recipe.epochs or should_stop(self._losses(), self.recipe.stop_patience)

    def train_epoch(self) -> None:
        """Trains one epoch and adds its row to the history."""
        began, epoch = time.monotonic(), len(self.history)
        self._resize(self.recipe.side_in(epoch))
        count = steps(len(self.faces), self.recipe)
        bar = keras.utils.Progbar(count, unit_name="batch")
        totals = np.zeros(2)
        batches = training_batches(self.faces.images, self.targets, self.recipe, self.seed, epoch)
        for step, (faces, targets) in enumerate(batches):
            rate = learning_rate(self.recipe, epoch + step / count, self._losses())
            self.network.optimizer.learning_rate.assign(rate)
            self.network.reset_metrics()
            # a target of zeros needs a weight of zero: TensorFlow's gradient takes for granted that targets sum to 1
            both = np.moveaxis(targets, 1, 0)
            weights = np.asarray(both.any(axis=2), np.float32)
            logs = self.network.train_on_batch(faces, list(both), sample_weight=list(weights), return_dict=True)
            now = float(logs["loss"]), float(logs[f"{LABEL_HEAD}_accuracy"])
            totals += now
            bar.update(step + 1, list(zip(("loss", "accuracy"), now, strict=True)))
        loss, right = totals / count
        row = {"epoch": epoch + 1, "rate": rate, "loss": float(loss), "accuracy": float(right)}
        with averaged_weights(self.network):
            row |= self.validate()
        self.history.append(row | {"seconds": time.monotonic() - began})

    def validate(self) -> dict[str, float]:
        """On the validation faces, one view: both heads' loss (nats) added, as in training, and the label accuracy.

        With votes also people_accuracy, on the faces on which over half of them agree.
        """
        labels, people = predict(self.network, self.validation.images, self.recipe.low, self.recipe.high)
        loss = negative_log_likelihood(labels, self.validation.labels)
        row = {"val_loss": loss, "val_accuracy": accuracy(labels, self.validation.labels)}
        if self.validation.votes is not None and self.recipe.people_weight:
            seen, agreed = votes.majority(self.validation.votes)
            row["val_loss"] += self.recipe.people_weight * cross_entropy(people, votes.shares(self.validation.votes))
            row["val_people_accuracy"] = accuracy(people[agreed], seen[agreed]) if agreed.any() else 0.0
        return row

    def save(self, folder: Path) -> None:
        """Writes the finished epoch, the checkpoint last: an interruption repeats work but loses none."""
        with averaged_weights(self.network):
            self.export(folder / LATEST)
            if min(self._losses()) == self._losses()[-1]:
                self.export(folder / BEST)
        with checkpoint.replacing(folder / HISTORY) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.history[0]))
            writer.writeheader()
            writer.writerows(self.history)
        model = checkpoint.values(self.network.variables)
        optimizer = checkpoint.values(self.network.optimizer.variables)
        checkpoint.write(folder / CHECKPOINT, checkpoint.Checkpoint(model, optimizer, {"history": self.history}))

    def finish(self, folder: Path) -> dict[str, float]:
        """Writes final.keras; returns its validation scores.

        BatchNormalization is re-estimated for the last averaged weights, and that kept if the validation loss falls.
        """
        self._resize(self.recipe.side)
        if self.recipe.keep == "best":
            self.network.set_weights(load_file(folder / BEST).get_weights())
        elif self.recipe.ema:
            use_averages(self.network)
        scores, weights = self.validate(), self.network.get_weights()
        if self.recipe.keep == "last" and self.recipe.batch_norm_batches:
            reestimate_batch_norm(self.network, islice(self._inputs(), self.recipe.batch_norm_batches))
            again = self.validate()
            if again["val_loss"] < scores["val_loss"]:
                scores = again
            else:
                self.network.set_weights(weights)
        self.export(folder / FINAL)
        return scores

    def export(self, path: Path) -> None:
        """Writes the network as it is now as a float32 Keras file."""
        plain = build(self.recipe, "float32")
        plain.set_weights(self.network.get_weights())
        with checkpoint.replacing(path) as temporary:
            plain.save(temporary)

    def _resize(self, side: int) -> None:
        """Goes on with a network of another input side: the same variables, the optimizer's too."""
        if self.network.input_shape[1] == side:
            return
        before = self.network
        self.network = build(self.recipe, side=side)
        self.prepare()
        checkpoint.assign(self.network.variables, checkpoint.values(before.variables))
        checkpoint.assign(self.network.optimizer.variables, checkpoint.values(before.optimizer.variables))

    def _inputs(self) -> Iterator[Batch]:
        batches = training_batches(self.faces.images, self.targets, self.recipe, self.seed, self.recipe.epochs)
        return (faces for faces, _ in batches)

    def _losses(self) -> list[float]:
        return [row["val_loss"] for row in self.history]
