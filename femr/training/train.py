"""Training of one network by a recipe: `train()` is what the command line and the notebooks call.

A run lives in a folder: run.json, checkpoint.npz, curves.png, latest.keras, and final.keras when it is done; after a
finish on PublicTest also calibration.keras, the network as it was before. It may be killed at any moment; with `resume`
it goes on after the last finished epoch.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
import numpy.typing as npt

from femr.errors import DataError, ModelError
from femr.expression.networks import LABEL_HEAD
from femr.files import make_folder, remove_unfinished, replacing
from femr.results import EMOTIONS
from femr.training import checkpoint, data, metrics, plots, recipes
from femr.training.augment import FaceBatches
from femr.training.checkpoint import CALIBRATION, CHECKPOINT, CURVES, FINAL, LATEST, RunConfig
from femr.training.data import FaceData, Splits, vote_shares
from femr.training.network import adapted, build, build_started, load_file, predict
from femr.training.optim import averaged_weights, make_optimizer, reestimate_batch_norm, use_averages
from femr.training.recipes import Recipe

Targets: TypeAlias = npt.NDArray[np.float32]
"""What both heads learn: labels and people's votes, mixed with soft labels of finished networks (distillation)."""

_SEEDS = 2**32  # as many as NumPy's global generator takes, which Keras seeds
_HELD_OUT = 0.2  # of Training, to validate on where there is no PublicTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user may choose for a run. Raises ModelError for a number that cannot be.

    recipe: "best" or "finish", or a Recipe of one's own; None is "finish" when finishing, else "best".
    epochs: Instead of the recipe's number. start: Starting weights, see `network.build_started`.
    teachers: .keras files to distil from.
    finish_on_public_test: Go on from a trained network with PublicTest too; then nothing is left to choose by, so fix
        the epochs beforehand. Validation is then on faces that were learned from, and tells nothing.
    """

    recipe: str | Recipe | None = None
    epochs: int | None = None
    seed: int = 1
    resume: bool = False
    start: str | None = None
    teachers: tuple[Path, ...] = ()
    finish_on_public_test: bool = False

    def __post_init__(self) -> None:
        if self.epochs is not None and self.epochs < 1:
            raise ModelError(f"Expected at least 1 epoch. Received: {self.epochs}")
        if self.start == "":
            raise ModelError("Expected starting weights: a .keras file, ImageNet .h5, or imagenet. Received: nothing")
        if not 0 <= self.seed < _SEEDS:
            raise ModelError(f"Expected a seed from 0 to {_SEEDS - 1:,}. Received: {self.seed}")

    @property
    def recipe_name(self) -> str:
        """The recipe's name, also where none was chosen."""
        if isinstance(self.recipe, Recipe):
            return self.recipe.name
        return self.recipe or ("finish" if self.finish_on_public_test else "best")

    @property
    def trained_on(self) -> tuple[str, ...]:
        """The splits to learn from."""
        return (data.TRAINING, data.PUBLIC_TEST) if self.finish_on_public_test else (data.TRAINING,)


@dataclass(eq=False, slots=True)
class Run:
    """A run in memory: the network, its optimizer and what happened so far; an epoch at a time, each safe on disk."""

    network: keras.Model
    recipe: Recipe
    faces: FaceData
    targets: Targets
    validation: FaceData
    seed: int
    history: checkpoint.History = field(default_factory=list)

    def prepare(self) -> None:
        """Compiles the network with the recipe's optimizer."""
        # on a CPU, XLA made TensorFlow three to six times slower (measured); JAX cannot do without
        jit = keras.backend.backend() == "jax"
        optimizer = make_optimizer(self.recipe, len(self.batches(0)))
        losses = ["categorical_crossentropy", "categorical_crossentropy"]
        self.network.compile(optimizer, losses, metrics=[["accuracy"], []], jit_compile=jit)
        optimizer.build(self.network.trainable_variables)

    @property
    def variables(self) -> list[keras.Variable]:
        """All that an epoch changes: the network's variables, then the optimizer's."""
        return [*self.network.variables, *self.network.optimizer.variables]

    def resume(self, folder: Path) -> None:
        """Takes up the state in a folder. Raises ModelError when it is damaged or another network's."""
        variables, self.history = checkpoint.read_checkpoint(folder / CHECKPOINT)
        checkpoint.assign(self.variables, variables)

    def batches(self, epoch: int) -> FaceBatches:
        """The batches of an epoch, from 0; past the last one, those of the last once more in another order."""
        return FaceBatches(self.faces.images, self.targets, self.recipe, self.seed, epoch)

    def train_epoch(self) -> None:
        """Trains one epoch and adds its row to the history."""
        began, epoch = time.monotonic(), len(self.history)
        self._resize(self.recipe.side_in(epoch))
        stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: setattr(self.network, "stop_training", True))
        logs = self.network.fit(
            self.batches(epoch), epochs=self.recipe.epochs, initial_epoch=epoch, shuffle=False, callbacks=[stop]
        ).history
        (loss,), (right,) = logs["loss"], logs[f"{LABEL_HEAD}_accuracy"]
        rate = float(self.network.optimizer.learning_rate)
        row = {"epoch": epoch + 1, "rate": rate, "loss": float(loss), "accuracy": float(right)}
        with averaged_weights(self.network):
            row |= self.validate()
        self.history.append(row | {"seconds": time.monotonic() - began})

    def validate(self) -> dict[str, float]:
        """The measures of one view of the validation faces; their loss (nats) is both heads' added, as in training."""
        spec = self.recipe.spec
        labels, people = predict(self.network, self.validation.images, self.network.input_shape[1], spec.low, spec.high)
        loss = metrics.negative_log_likelihood(labels, self.validation.labels)
        row = {"val_loss": loss, "val_accuracy": metrics.accuracy(labels, self.validation.labels)}
        if self.validation.votes is not None:
            seen, agreed = data.majority(self.validation.votes)
            row["val_loss"] += metrics.cross_entropy(people, data.vote_shares(self.validation.votes))
            row["val_people_accuracy"] = metrics.accuracy(people[agreed], seen[agreed]) if agreed.any() else 0.0
        return row

    def save(self, folder: Path) -> None:
        """Writes the finished epoch, the checkpoint last: an interruption repeats work but loses none."""
        with averaged_weights(self.network):
            self.export(folder / LATEST)
        checkpoint.write_checkpoint(folder / CHECKPOINT, checkpoint.values(self.variables), self.history)

    def finish(self, folder: Path) -> dict[str, float]:
        """Writes final.keras; returns its validation scores.

        BatchNormalization is re-estimated for the last averaged weights, and that kept if the validation loss falls.
        """
        self._resize(self.recipe.spec.side)
        use_averages(self.network)
        scores, weights = self.validate(), self.network.get_weights()
        batches, most = self.batches(self.recipe.epochs), self.recipe.batch_norm_batches
        reestimate_batch_norm(self.network, (batches[number][0] for number in range(min(most, len(batches)))))
        again = self.validate()
        if again["val_loss"] < scores["val_loss"]:
            scores = again
        else:
            self.network.set_weights(weights)
        self.export(folder / FINAL)
        return scores

    def export(self, path: Path) -> None:
        """Writes the network as it is now as a float32 Keras file."""
        plain = build(self.recipe, plain=True)
        plain.set_weights(self.network.get_weights())
        with replacing(path) as temporary:
            plain.save(temporary)

    def _resize(self, side: int) -> None:
        """Goes on with a network of another input side: the same variables, the optimizer's too."""
        if self.network.input_shape[1] == side:
            return
        before = checkpoint.values(self.variables)
        self.network = build(self.recipe, side=side)
        self.prepare()
        checkpoint.assign(self.variables, before)


def train(network: str, source: str | Path, out: Path, settings: Settings | None = None) -> Path:
    """The finished network, the path of final.keras in the folder `out`. An epoch that was finished is never lost.

    Args:
        network: "custom_cnn" or "mobilenet_v2".
        source: FER2013 in any shape that `data.load` reads. PrivateTest in it is never touched.

    Raises:
        DataError: When the data cannot be read or learned from, or a file not written.
        ModelError: For settings that cannot be, and a run that cannot be resumed.
    """
    settings = settings or Settings()
    recipe = _recipe(network, settings)  # a wrong name is said before the data are read
    splits = data.load(source)
    for difference in data.differences(splits):
        print(f"Note: {difference}.")
    if any(faces.votes is None for faces in splits.values()):
        print("Note: there are no FER+ votes in the data; only the label head learns.")
    faces, validation = _parts(splits, settings)
    _prepare_folder(out, settings.resume)
    config = _config(recipe, settings, faces, validation)
    earlier = RunConfig.beside(out / FINAL) if settings.resume else None
    if earlier:
        config.check(earlier)
        if (out / FINAL).is_file() and earlier.validation_scores is not None:
            return out / FINAL
    keras.utils.set_random_seed(settings.seed)
    started = build_started(recipe, settings.start)
    soft = soft_labels(settings.teachers, faces) if settings.teachers else None
    targets = make_targets(faces, recipe, soft)
    run = Run(started, recipe, faces, targets, validation, settings.seed)
    run.prepare()
    if (out / CHECKPOINT).exists():
        run.resume(out)
    if settings.finish_on_public_test:
        with replacing(out / CALIBRATION) as temporary:
            shutil.copyfile(str(settings.start), temporary)
    return _go(run, out, config)


def make_targets(faces: FaceData, recipe: Recipe, soft: Targets | None) -> Targets:
    """Both heads' target probabilities, float32 (n, 2, 7), the label head's first. `soft`: soft labels of that shape.

    Rows sum to 1, but for zeros, which give no loss: people's shares where too few voted, or all without votes.
    """
    hard = np.eye(len(EMOTIONS), dtype=np.float32)[faces.labels]
    people = np.zeros_like(hard) if faces.votes is None else vote_shares(faces.votes)
    if soft is None:
        labels = hard * (1 - recipe.label_smoothing) + recipe.label_smoothing / len(EMOTIONS)
        return np.stack([labels, people], axis=1).astype(np.float32)
    both = np.stack([hard, people], axis=1)
    mixed = (1 - recipe.teacher_weight) * both + recipe.teacher_weight * soft
    return np.asarray(mixed * both.any(axis=2, keepdims=True), np.float32)


def soft_labels(teachers: Sequence[Path], faces: FaceData) -> Targets:
    """The mean predictions of finished networks, .keras files: float32 (n, 2, 7), labels first. Raises: ModelError.

    A trained network's probabilities tell more than a label, and even out the noise of ten votes (Hinton et al., 2015).
    """

    def ask(path: Path) -> Targets:
        teacher, form = adapted(load_file(path), faces)
        if len(teacher.outputs) == 1 and faces.votes is not None:
            raise ModelError(f"Expected teachers with a people head, as the data has votes. Received: {path.name}")
        return np.stack(predict(teacher, faces.images, *form), axis=1)

    return np.asarray(np.mean([ask(path) for path in teachers], axis=0, dtype=np.float64), np.float32)


def _go(run: Run, out: Path, config: RunConfig) -> Path:
    """Trains to the end, writing each epoch."""

    def write(scores: Mapping[str, float] | None = None) -> None:
        history, seconds = tuple(run.history), round(sum(row["seconds"] for row in run.history), 1)
        replace(config, epochs=len(history), seconds=seconds, history=history, validation_scores=scores).write(out)

    write()
    while len(run.history) < run.recipe.epochs:
        run.train_epoch()
        run.save(out)
        write()
        plots.draw_curves(run.history, out / CURVES)
        row = run.history[-1]
        people = f", people {row['val_people_accuracy']:.2%}" if "val_people_accuracy" in row else ""
        right = f"accuracy {row['val_accuracy']:.2%}{people}"
        print(f"  validation: loss {row['val_loss']:.4f}, {right}, {row['seconds']:.0f} s")
    write(run.finish(out))
    return out / FINAL


def _recipe(network: str, settings: Settings) -> Recipe:
    recipe = settings.recipe if isinstance(settings.recipe, Recipe) else recipes.find(network, settings.recipe_name)
    if recipe.network != network:
        raise ModelError(f"Expected a recipe for {network}. Received: one for {recipe.network}")
    if settings.epochs is not None:
        recipe = replace(recipe, epochs=settings.epochs)
    if settings.finish_on_public_test:
        start = Path(settings.start or "")
        if start.suffix != ".keras":
            raise ModelError(f"Expected --start with the .keras file to finish. Received: {settings.start or 'none'}")
        earlier = RunConfig.beside(start)
        if earlier and data.PUBLIC_TEST in earlier.trained_on:
            raise ModelError("Expected a --start that never learned from PublicTest. Received: one that did")
    return recipe


def _config(recipe: Recipe, settings: Settings, faces: FaceData, validation: FaceData) -> RunConfig:
    start = settings.start or recipe.start
    earlier = RunConfig.beside(Path(start)) if start else None
    return RunConfig(
        network=recipe.network,
        recipe=asdict(recipe),
        trained_on=settings.trained_on,
        seed=settings.seed,
        data={
            "training": {"images": len(faces), "classes": list(faces.counts()), "sha256": faces.sha256()},
            "validation": {"images": len(validation), "sha256": validation.sha256()},
        },
        start=checkpoint.file_id(Path(start)) if start else None,
        teachers=tuple(checkpoint.file_id(path) for path in settings.teachers),
        before=asdict(earlier) if earlier else None,
        **checkpoint.machine(),
    )


def _parts(splits: Splits, settings: Settings) -> tuple[FaceData, FaceData]:
    """The faces to learn from and to validate on. Without PublicTest a fifth is held out."""
    faces = data.training_faces(splits, settings.trained_on)
    if data.PUBLIC_TEST in splits:
        return faces, splits[data.PUBLIC_TEST]
    kept, held_out = data.grouped_split(faces, _HELD_OUT, settings.seed)
    if not len(held_out):
        raise DataError(f"Expected enough faces to hold out a fifth. Received: {len(faces)}")
    return data.training_faces({data.TRAINING: kept}), held_out


def _prepare_folder(out: Path, resume: bool) -> None:
    make_folder(out)
    if (out / CHECKPOINT).exists() and not resume:
        raise ModelError("Expected a folder without a run, or --resume. Received: a folder that holds a run")
    remove_unfinished(out)
