"""femr train, evaluate and publish, for those who have FER2013; and femr push: networks and app to the Hub."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from femr.cli.terminal import quiet, waiting
from femr.engine import load_keras
from femr.errors import FemrError
from femr.expression.weights import MODEL_NAMES

_DATA = "FER2013: a file, a folder or a Hub data set"


def add(commands: Any) -> None:
    """Declares the commands."""
    train = commands.add_parser("train", help="train a network", description="Train a network on FER2013.")
    train.add_argument("network", help="custom_cnn or mobilenet_v2")
    train.add_argument("--data", required=True, metavar="PATH", help=_DATA)
    train.add_argument("--recipe", help="best (the default) or finish (the default with --finish)")
    train.add_argument("--out", type=Path, metavar="DIR", help="the run's folder; default runs/NETWORK-RECIPE")
    train.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    train.add_argument(
        "--epochs", type=int, metavar="N", help="how often the data is gone through; default: the recipe's"
    )
    train.add_argument("--seed", type=int, default=1, metavar="N", help="of what is drawn at random; default 1")
    train.add_argument("--start", metavar="FILE", help="starting weights: a .keras file, ImageNet .h5, or imagenet")
    teacher: dict[str, Any] = {"action": "append", "default": [], "type": Path, "metavar": "FILE"}
    train.add_argument("--teacher", **teacher, help="a .keras file to distil from")
    train.add_argument("--finish", action="store_true", help="go on from --start with PublicTest too, a few epochs")
    train.set_defaults(run=run_train)
    evaluate = commands.add_parser(
        "evaluate", help="measure a model", description="Measure a model on FER2013 or photos."
    )
    evaluate.add_argument("model", help=f"one of {', '.join(MODEL_NAMES)}, or anybody's .keras, .h5 or .hdf5 file")
    evaluate.add_argument("--data", required=True, metavar="PATH", help=f"{_DATA}; or photos")
    evaluate.add_argument("--split", help="a split it did not learn from: PublicTest or PrivateTest, the default")
    evaluate.add_argument("--balance", type=float, metavar="X", help="as in analyze; choose it on PublicTest or photos")
    evaluate.add_argument("--json", action="store_true", help="print all measures as JSON")
    evaluate.add_argument("--pictures", type=Path, metavar="DIR", help="confusion matrix and curves as PNG")
    evaluate.set_defaults(run=run_evaluate)
    words = "Put the networks of finished runs into models/, with their figures and a model card."
    publish = commands.add_parser("publish", help="put trained networks into models/", description=words)
    publish.add_argument(
        "runs", nargs="+", metavar="RUN", help="a finished run's folder; or a model's name, to measure it anew"
    )
    publish.add_argument("--data", required=True, metavar="PATH", help="FER2013 with FER+ votes, to measure them")
    publish.add_argument("--photos", type=Path, metavar="FILE", help="photos (Parquet) to measure and balance them by")
    publish.add_argument("--note", action="append", default=[], metavar="TEXT", help="to tell of the runs in the card")
    publish.add_argument("--force", action="store_true", help="even if it is worse on PublicTest")
    publish.set_defaults(run=run_publish)
    _add_push(commands)


def _add_push(commands: Any) -> None:
    push = commands.add_parser("push", help="upload to the Hub", description="Upload the networks, the app or both.")
    push.add_argument("--repo", metavar="USER/NAME", help="networks: as NAME-mobilenet-v2 and NAME-custom-cnn")
    push.add_argument("--space", metavar="USER/NAME", help="the app, as a Space")
    push.add_argument(
        "--hardware", metavar="NAME", help="of the Space: zero-a10g, which needs no paid plan, or cpu-basic"
    )
    push.add_argument("--private", action="store_true", help="create it as private")
    push.set_defaults(run=run_push)


def run_train(options: argparse.Namespace) -> int:
    """Trains, and prints where the network is."""
    _load_keras()
    from femr.training.train import Settings, train

    settings = Settings(
        recipe=options.recipe,
        epochs=options.epochs,
        seed=options.seed,
        resume=options.resume,
        start=options.start,
        teachers=tuple(options.teacher),
        finish_on_public_test=options.finish,
    )
    folder = options.out or Path("runs") / f"{options.network}-{settings.recipe_name}"
    print(f"The trained network is {train(options.network, options.data, folder, settings)}")
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    """Measures, and prints the report."""
    _load_keras()
    from femr.publish import photos
    from femr.publish.text import to_text
    from femr.training.data import PRIVATE_TEST
    from femr.training.evaluate import evaluate

    if photos.holds_photos(options.data):
        report = photos.evaluate(options.model, options.data, options.balance, options.pictures)
        document, text = report.as_dict(), report.to_text()
    else:
        split = options.split or PRIVATE_TEST
        measured = evaluate(options.model, options.data, split, options.pictures, options.balance)
        document, text = asdict(measured), to_text(measured)
    print(json.dumps(document, indent=2) if options.json else text)
    return 0


def run_publish(options: argparse.Namespace) -> int:
    """Puts runs' networks into models/, with their configs, the ensemble's and the card."""
    _load_keras()
    from femr.expression.weights import MODELS_DIR
    from femr.publish import photos
    from femr.publish.card import write_card
    from femr.publish.models import Bench, publish
    from femr.training import data

    bench = Bench(data.load(options.data), None if options.photos is None else photos.load(options.photos))
    for path in publish(options.runs, bench, force=options.force, notes=options.note):
        print(f"Wrote {path.name}")
    write_card(MODELS_DIR)
    return 0


def run_push(options: argparse.Namespace) -> int:
    """Prints what will be uploaded, uploads it, and prints the addresses."""
    from femr.publish.push import HARDWARE, model_uploads, space_upload, upload

    repo, space, hardware = options.repo, options.space, options.hardware
    if not (repo or space):
        raise FemrError("Expected --repo USER/NAME, --space USER/NAME or both.")
    if hardware and not space:
        raise FemrError("Expected --hardware with --space USER/NAME.")
    if hardware and hardware not in HARDWARE:
        raise FemrError(f"Expected the hardware {' or '.join(HARDWARE)}. Received: {hardware}")
    with waiting("Preparing the networks …"), quiet():
        uploads = model_uploads(repo, space) if repo else []
    uploads += [space_upload(space, repo)] if space else []
    for one in uploads:
        print(one, flush=True)
    for one in uploads:
        print(upload(one, options.private, hardware if one.kind == "space" else None), flush=True)
    return 0


def _load_keras() -> None:
    """Keras, without what its backend says when it is loaded and looks for a GPU. Raises: ModelError."""
    with waiting("Loading Keras …"), quiet():
        load_keras().ops.zeros(1)
