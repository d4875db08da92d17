"""python -m femr train, evaluate and publish: for those who have FER2013, as CSV, folders, Parquet or on the Hub."""

import argparse
import json
from pathlib import Path
from typing import Any

from femr.expression.weights import MODEL_NAMES


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
    evaluate = commands.add_parser(
        "evaluate",
        help="measure a model",
        description="Measure a model on FER2013 or photos.",
    )
    evaluate.add_argument("model", help=f"one of {', '.join(MODEL_NAMES)}, or anybody's .keras file")
    evaluate.add_argument(
        "--data", required=True, metavar="PATH", help="FER2013: a file, a folder or a Hub data set; or photos"
    )
    evaluate.add_argument("--split", help="Training, PublicTest or PrivateTest, the default")
    evaluate.add_argument("--balance", type=float, metavar="X", help="as in analyze; choose it on PublicTest or photos")
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
    publish = commands.add_parser("publish", help="put trained networks into models/", description="Publish runs.")
    publish.add_argument(
        "runs", nargs="+", metavar="RUN", help="a finished run's folder; or a model's name, to measure it anew"
    )
    publish.add_argument("--data", required=True, metavar="PATH", help="FER2013 with FER+ votes, to measure them")
    publish.add_argument("--photos", type=Path, metavar="FILE", help="photos (Parquet) to measure and balance them by")
    publish.add_argument(
        "--before",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="the .keras file that a --finish started from",
    )
    publish.add_argument("--note", action="append", default=[], metavar="TEXT", help="to tell of the runs in the card")
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
    from femr.training import data, photos, summary
    from femr.training.evaluate import evaluate

    if options.pasted is not None:
        return _run_pasted(options)
    if photos.holds_photos(options.data):
        report = photos.evaluate(options.model, options.data, options.balance, options.pictures)
        text = summary.photos_to_text(report)
    else:
        split = options.split or data.PRIVATE_TEST
        report = evaluate(options.model, options.data, split, options.pictures, options.balance)
        text = summary.to_text(report)
    print(json.dumps(report, indent=2) if options.json else text)
    return 0


def _run_pasted(options: argparse.Namespace) -> int:
    from femr.training import data, pasted

    photos = Path(options.pasted) if options.pasted else None
    split = options.split or data.PUBLIC_TEST
    report = pasted.measure(options.model, options.data, photos, split, options.limit, options.balance)
    print(json.dumps(report, indent=2))
    return 0


def run_publish(options: argparse.Namespace) -> int:
    """Puts runs' networks into models/, with their facts and the ensemble's, or reference runs' figures; the card."""
    from femr.expression.weights import MODELS_DIR
    from femr.hub.card import write_card
    from femr.training import reference

    if options.reference:
        for run in options.runs:
            print(f"Wrote reference/{reference.keep(Path(run), options.data).name}")
    else:
        _publish(options)
    write_card(MODELS_DIR)
    return 0


def _publish(options: argparse.Namespace) -> None:
    """One bench for all: what a network said of a face is asked once, also for the ensemble."""
    from femr.training import facts
    from femr.training.publishing import open_bench, publish, update_scores

    bench = open_bench(options.data, options.photos)
    for run in options.runs:
        if run in facts.MEMBERS:
            path = update_scores(run, bench)
        elif run == facts.ENSEMBLE:
            continue  # it comes last
        else:
            path = publish(Path(run), bench, options.force, options.before)
            facts.add_notes(path.stem, *options.note)
        print(f"Wrote {path.name}")
    print(f"Wrote {update_scores(facts.ENSEMBLE, bench).name}")
