"""python -m femr train, evaluate and publish: for those who have FER2013, as CSV, folders, Parquet or on the Hub."""

import argparse
import json
from pathlib import Path
from typing import Any

from femr.weights import MODEL_NAMES


def add(commands: Any) -> None:
    """Declares the commands."""
    train = commands.add_parser("train", help="train a network", description="Train a network on FER2013.")
    train.add_argument("network", help="custom_cnn or mobilenet_v2")
    train.add_argument("--data", required=True, metavar="PATH", help="FER2013: a file, a folder or a Hub data set")
    train.add_argument("--recipe", help="best, reference, or finish; default best, with --finish finish")
    train.add_argument("--out", type=Path, metavar="DIR", help="the run's folder; default runs/NETWORK-RECIPE")
    train.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    train.add_argument("--epochs", type=int, metavar="N", help="instead of the recipe's")
    train.add_argument("--seed", type=int, default=1, metavar="N")
    train.add_argument("--start", metavar="FILE", help="starting weights: a .keras file, ImageNet .h5, or imagenet")
    train.add_argument(
        "--teacher",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a .keras file to distil from",
    )
    train.add_argument("--finish", action="store_true", help="go on from --start with PublicTest too, a few epochs")
    train.set_defaults(run=run_train)
    evaluate = commands.add_parser("evaluate", help="measure a model", description="Measure a model on FER2013.")
    evaluate.add_argument("model", help=f"one of {', '.join(MODEL_NAMES)}, or anybody's .keras file")
    evaluate.add_argument("--data", required=True, metavar="PATH", help="FER2013: a file, a folder or a Hub data set")
    evaluate.add_argument("--split", help="Training, PublicTest or PrivateTest, the default")
    evaluate.add_argument(
        "--prior-adjustment", type=float, default=0.0, metavar="X", help="as in analyze; choose it on PublicTest"
    )
    evaluate.add_argument(
        "--pasted",
        nargs="?",
        const="",
        metavar="PHOTOS",
        help="what detection and cropping cost: PublicTest's faces in a folder's photos, or in scikit-image's",
    )
    evaluate.add_argument("--limit", type=int, default=600, metavar="N", help="faces for --pasted")
    evaluate.add_argument("--json", action="store_true", help="print all measures as JSON")
    evaluate.add_argument("--pictures", type=Path, metavar="DIR", help="confusion matrix and curves as PNG")
    evaluate.set_defaults(run=run_evaluate)
    publish = commands.add_parser("publish", help="put a trained network into models/", description="Publish a run.")
    publish.add_argument("folder", type=Path, metavar="RUN", help="a finished run's folder")
    publish.add_argument("--data", required=True, metavar="PATH", help="FER2013, to measure it")
    publish.add_argument("--before", type=Path, metavar="RUN", help="the run that a --finish started from")
    publish.add_argument(
        "--reference", action="store_true", help="keep the figures of a reference run, not its weights"
    )
    publish.add_argument("--force", action="store_true", help="even if it is not better on PublicTest")
    publish.set_defaults(run=run_publish)


def run_train(options: argparse.Namespace) -> int:
    """Trains, and prints where the network is."""
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
    from femr.training import data, summary
    from femr.training.evaluate import evaluate

    if options.pasted is not None:
        return _run_pasted(options)
    split = options.split or data.PRIVATE_TEST
    report = evaluate(options.model, options.data, split, options.pictures, options.prior_adjustment)
    print(json.dumps(report, indent=2) if options.json else summary.to_text(report))
    return 0


def _run_pasted(options: argparse.Namespace) -> int:
    from femr.training import data, pasted

    photos = Path(options.pasted) if options.pasted else None
    split = options.split or data.PUBLIC_TEST
    report = pasted.measure(options.model, options.data, photos, split, options.limit, options.prior_adjustment)
    print(json.dumps(report, indent=2))
    return 0


def run_publish(options: argparse.Namespace) -> int:
    """Puts a run's network into models/, with its facts and the ensemble's, or a reference run's figures; the card."""
    from femr.hub.card import write_card
    from femr.training import reference
    from femr.training.facts import publish, update_scores
    from femr.weights import MODELS_DIR

    if options.reference:
        print(f"Wrote reference/{reference.keep(options.folder, options.data).name}")
    else:
        print(f"Wrote {publish(options.folder, options.data, options.force, options.before).name}")
        print(f"Wrote {update_scores('ensemble', options.data).name}")
    write_card(MODELS_DIR)
    return 0
