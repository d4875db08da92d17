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
    train.add_argument("--recipe", default="best", help="best or reference")
    train.add_argument("--out", type=Path, metavar="DIR", help="the run's folder; default runs/NETWORK-RECIPE")
    train.add_argument("--resume", action="store_true", help="go on after the last finished epoch")
    train.add_argument("--epochs", type=int, metavar="N", help="instead of the recipe's")
    train.add_argument("--seed", type=int, default=1, metavar="N")
    train.add_argument("--start", metavar="FILE", help="starting weights: a .keras file, or imagenet")
    train.add_argument("--teacher", action="append", default=[], type=Path, metavar="FILE", help="distil from a .keras")
    train.add_argument("--finish", action="store_true", help="learn from PublicTest too; fix the epochs beforehand")
    train.set_defaults(run=run_train)
    evaluate = commands.add_parser("evaluate", help="measure a model", description="Measure a model on FER2013.")
    evaluate.add_argument("model", help=f"one of {', '.join(MODEL_NAMES)}, or anybody's .keras file")
    evaluate.add_argument("--data", required=True, metavar="PATH", help="FER2013: a file, a folder or a Hub data set")
    evaluate.add_argument("--split", default="PrivateTest", help="Training, PublicTest or PrivateTest")
    evaluate.add_argument("--json", action="store_true", help="print all measures as JSON")
    evaluate.add_argument("--pictures", type=Path, metavar="DIR", help="confusion matrix and curves as PNG")
    evaluate.set_defaults(run=run_evaluate)
    publish = commands.add_parser("publish", help="put a trained network into models/", description="Publish a run.")
    publish.add_argument("folder", type=Path, metavar="RUN", help="a finished run's folder")
    publish.add_argument("--data", required=True, metavar="PATH", help="FER2013, to measure it")
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
    folder = options.out or Path("runs") / f"{options.network}-{options.recipe}"
    print(f"The trained network is {train(options.network, options.data, folder, settings)}")
    return 0


def run_evaluate(options: argparse.Namespace) -> int:
    """Measures, and prints the report."""
    from femr.training.evaluate import evaluate
    from femr.training.summary import to_text

    report = evaluate(options.model, options.data, options.split, options.pictures)
    print(json.dumps(report, indent=2) if options.json else to_text(report))
    return 0


def run_publish(options: argparse.Namespace) -> int:
    """Puts a run's network into models/, with its facts, the ensemble's and the card."""
    from femr.card import write_card
    from femr.training.facts import publish, update_scores
    from femr.weights import MODELS_DIR

    print(f"Wrote {publish(options.folder, options.data, options.force).name}")
    print(f"Wrote {update_scores('ensemble', options.data).name}")
    write_card(MODELS_DIR)
    return 0
