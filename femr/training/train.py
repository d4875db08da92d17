"""Training of one network by a recipe: `train()` is what the command line and the notebooks call.

A run lives in a folder: run.json (all it depends on), checkpoint.npz, history.csv, curves.png, best.keras,
latest.keras, and final.keras when it is done. It may be killed at any moment; with `resume` it goes on after the last
finished epoch, and gives the same curve as if nothing had happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from femr.errors import DataError, ModelError
from femr.training import checkpoint, data, plots, recipes, record, targets
from femr.training.building import build_started
from femr.training.data import FaceData
from femr.training.recipes import Recipe
from femr.training.run import CHECKPOINT, CURVES, FINAL, Run

_TAUGHT = "teachers.npy"
_SEEDS = 2**32  # as many as NumPy's global generator takes, which Keras seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user may choose for a run.

    recipe: "best", "finish" or "reference", or a Recipe of one's own; None is "finish" when finishing, else "best".
    epochs: instead of the recipe's number. start: starting weights, see `building.build_started`.
    teachers: .keras files to distil from, see `targets.answers`.
    finish_on_public_test: go on from a trained network with PublicTest too; then nothing is left to choose by, so fix
    the epochs beforehand. Validation is then on faces that were learned from, and tells nothing.
    Raises: ModelError for a number that cannot be.
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
        if not 0 <= self.seed < _SEEDS:
            raise ModelError(f"Expected a seed from 0 to {_SEEDS - 1:,}. Received: {self.seed}")

    @property
    def recipe_name(self) -> str:
        """The recipe's name, also where none was chosen."""
        if isinstance(self.recipe, Recipe):
            return self.recipe.name
        return self.recipe or ("finish" if self.finish_on_public_test else "best")


def train(network: str, source: str | Path, out: Path, settings: Settings | None = None) -> Path:
    """The finished model, the path of final.keras in the folder `out`.

    Args:
        network: "custom_cnn" or "mobilenet_v2".
        source: FER2013 in any shape that `data.load` reads. PrivateTest in it is never touched.
    Raises: DataError, ModelError. An epoch that was finished is never lost.
    """
    settings = settings or Settings()
    _recipe(network, settings)  # a wrong name is said before the data are read
    splits = data.load(source)
    if not plots.available():
        print(f"Note: no {CURVES} without matplotlib.")
    for difference in data.differences(splits):
        print(f"Note: {difference}.")
    if any(faces.votes is None for faces in splits.values()):
        print("Note: there are no FER+ votes in the data; only the label head learns.")
    return train_loaded(network, splits, out, settings)


def train_loaded(network: str, splits: Mapping[str, FaceData], out: Path, settings: Settings) -> Path:
    """The same as `train`, for data that are loaded already. A run that is done is not resumed but left."""
    recipe = _recipe(network, settings)
    faces, validation = _parts(splits, recipe, settings)
    _make_folder(out, settings.resume)
    facts = record.describe(recipe, settings.seed, _learned(settings), faces, validation)
    facts |= record.origins(settings.start or recipe.start, settings.teachers, data.differences(splits))
    record.check(out, facts, settings.resume)
    if settings.resume and record.finished(out) and (out / FINAL).is_file():
        return out / FINAL
    keras.utils.set_random_seed(settings.seed)
    run = Run(
        network=build_started(recipe, settings.start),
        recipe=recipe,
        faces=faces,
        targets=targets.targets(faces, recipe, _taught(settings, faces, out)),
        validation=validation,
        seed=settings.seed,
    )
    run.prepare()
    if (out / CHECKPOINT).exists():
        run.resume(out)
    return _go(run, out, facts)


def _go(run: Run, out: Path, facts: record.Record) -> Path:
    """Trains to the end, writing each epoch."""
    record.write(out, facts, run.history)
    while not run.finished:
        print(f"Epoch {len(run.history) + 1} of {run.recipe.epochs}")
        run.train_epoch()
        run.save(out)
        record.write(out, facts, run.history)
        if plots.available():
            plots.draw_curves(run.history, out / CURVES)
        row = run.history[-1]
        people = f", people {row['val_people_accuracy']:.2%}" if "val_people_accuracy" in row else ""
        right = f"accuracy {row['val_accuracy']:.2%}{people}"
        print(f"  validation: loss {row['val_loss']:.4f}, {right}, {row['seconds']:.0f} s")
    record.write(out, facts, run.history, run.finish(out))
    return out / FINAL


def _recipe(network: str, settings: Settings) -> Recipe:
    own = settings.recipe if isinstance(settings.recipe, Recipe) else None
    recipe = own or recipes.find(network, settings.recipe_name)
    if recipe.network != network:
        raise ModelError(f"Expected a recipe for {network}. Received: one for {recipe.network}")
    if settings.epochs is not None:
        recipe = replace(recipe, epochs=settings.epochs)
    if settings.finish_on_public_test and Path(settings.start or "").suffix != ".keras":
        raise ModelError(f"Expected --start with the .keras file to finish. Received: {settings.start or 'none'}")
    return recipe


def _parts(splits: Mapping[str, FaceData], recipe: Recipe, settings: Settings) -> tuple[FaceData, FaceData]:
    """The faces to learn from and to validate on. Without PublicTest, and for the reference, a fifth is held out."""
    if settings.finish_on_public_test:
        faces = data.training_faces(splits, _learned(settings))
        return faces, data.split_named(splits, data.PUBLIC_TEST)
    faces = data.training_faces(splits)
    if recipe.validation == data.PUBLIC_TEST and data.PUBLIC_TEST in splits:
        return faces, splits[data.PUBLIC_TEST]
    kept, held_out = data.grouped_split(faces, data.HELD_OUT, settings.seed)
    if not len(held_out):
        raise DataError(f"Expected enough faces to hold out a fifth. Received: {len(faces)}")
    return data.training_faces({data.TRAINING: kept}), held_out


def _learned(settings: Settings) -> tuple[str, ...]:
    """The splits to learn from."""
    return (data.TRAINING, data.PUBLIC_TEST) if settings.finish_on_public_test else (data.TRAINING,)


def _taught(settings: Settings, faces: FaceData, out: Path) -> targets.Targets | None:
    """The teachers' answers, from the run's folder if they were computed before."""
    if not settings.teachers:
        return None
    cache = out / _TAUGHT
    if not cache.exists():
        found = targets.answers(settings.teachers, faces)
        with checkpoint.replacing(cache) as temporary:
            np.save(temporary, found)
    return np.asarray(np.load(cache), np.float32)


def _make_folder(out: Path, resume: bool) -> None:
    checkpoint.make_folder(out)
    if (out / CHECKPOINT).exists() and not resume:
        raise ModelError("Expected a folder without a run, or --resume. Received: a folder that holds a run")
    checkpoint.clean(out)
