"""The command line: python -m femr analyze, music check, train, evaluate, publish and push.

`python -m femr COMMAND --help` lists a command's options.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from femr import available_models
from femr.errors import FemrError, ImageError

if TYPE_CHECKING:
    from femr import Analyzer
    from femr.report import Entry

BAD_INPUT = 2
"""Exit code when something that was asked for could not be done; the same as argparse's own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns: 0, or BAD_INPUT after a clear line on standard error."""
    # TensorFlow reads it when it is imported; its start-up log would bury the table
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except FemrError as error:
        print(f"femr: {error}", file=sys.stderr)
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("femr", description="Faces, expressions, mood and music of pictures.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    analyze = commands.add_parser(
        "analyze", help="read pictures", description="Faces, expressions and mood of pictures."
    )
    analyze.add_argument("paths", nargs="+", metavar="PATH", help="picture files")
    analyze.add_argument("--model", default=available_models()[0], help=f"one of {', '.join(available_models())}")
    analyze.add_argument("--lift", action="store_true", help="answer a hard mood with calm or cheerful songs")
    analyze.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    analyze.add_argument("--csv", type=Path, metavar="FILE", help="write a table, one row a face")
    analyze.add_argument("--annotate", type=Path, metavar="DIR", help="write the annotated pictures")
    analyze.set_defaults(run=_analyze)
    music = commands.add_parser("music", help="your own songs").add_subparsers(required=True, metavar="COMMAND")
    check = music.add_parser("check", help="what would be played", description="What a music folder would play.")
    check.add_argument("folder", type=Path, metavar="DIR", help="sub-folders by expression, or a library.csv or .json")
    check.set_defaults(run=_check_music)
    _add_training(commands)
    push = commands.add_parser("push", help="upload to the Hub", description="Upload the models, or the whole Space.")
    push.add_argument("--repo", metavar="USER/NAME", help="model repository for both networks and the model card")
    push.add_argument("--space", metavar="USER/NAME", help="Space for the app itself")
    push.add_argument("--private", action="store_true", help="create it as private")
    push.set_defaults(run=_push)
    return parser


def _add_training(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """train, evaluate and publish: for those who have FER2013, as Kaggle's CSV, folders, Parquet or on the Hub."""
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
    train.set_defaults(run=_train)
    evaluate = commands.add_parser("evaluate", help="measure a model", description="Measure a model on FER2013.")
    evaluate.add_argument("model", help=f"one of {', '.join(available_models())}, or anybody's .keras file")
    evaluate.add_argument("--data", required=True, metavar="PATH", help="FER2013: a file, a folder or a Hub data set")
    evaluate.add_argument("--split", default="PrivateTest", help="Training, PublicTest or PrivateTest")
    evaluate.add_argument("--json", action="store_true", help="print all measures as JSON")
    evaluate.add_argument("--pictures", type=Path, metavar="DIR", help="confusion matrix and curves as PNG")
    evaluate.set_defaults(run=_evaluate)
    publish = commands.add_parser("publish", help="put a trained network into models/", description="Publish a run.")
    publish.add_argument("folder", type=Path, metavar="RUN", help="a finished run's folder")
    publish.add_argument("--data", required=True, metavar="PATH", help="FER2013, to measure it")
    publish.add_argument("--force", action="store_true", help="even if it is not better on PublicTest")
    publish.set_defaults(run=_publish)


def _analyze(options: argparse.Namespace) -> int:
    from femr import load
    from femr.report import to_csv, to_document, to_text

    for target in (options.annotate, options.csv and options.csv.parent):
        if target:
            _make_folder(target)
    analyzer = load(options.model)
    entries = []
    for path in options.paths:
        entry = _read(analyzer, path, options)
        entries.append(entry)
        if entry.error:
            print(f"femr: {path}: {entry.error}", file=sys.stderr)
        elif not options.json:
            print(to_text(entry))
    if options.json:
        print(json.dumps(to_document(options.model, entries), indent=2, ensure_ascii=False))
    if options.csv:
        with _writing(options.csv):
            options.csv.write_text(to_csv(entries), encoding="utf-8", newline="")
    return BAD_INPUT if any(entry.error for entry in entries) else 0


def _read(analyzer: "Analyzer", path: str, options: argparse.Namespace) -> "Entry":
    """One file's analysis, or the reason why there is none. Writes the annotated picture where asked."""
    from femr.annotate import draw, save
    from femr.images import load_image
    from femr.report import Entry

    try:
        image = load_image(path)
        analysis = analyzer(image, "lift" if options.lift else "match")
    except ImageError as error:
        return Entry(path, error=str(error))
    if options.annotate:
        target = _free_name(options.annotate, Path(path).stem)
        with _writing(target):
            save(draw(image, analysis), target)
    return Entry(path, analysis)


def _free_name(folder: Path, stem: str) -> Path:
    """A file name that overwrites nothing: two photos of different folders may share theirs."""
    paths = (folder / (f"{stem}.jpg" if number == 1 else f"{stem}-{number}.jpg") for number in count(1))
    return next(path for path in paths if not path.exists())


def _make_folder(folder: Path) -> None:
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turns a failure to write into one clear sentence."""
    try:
        yield
    except OSError as error:
        raise FemrError(f"{path} cannot be written: {error.strerror}.") from error


def _check_music(options: argparse.Namespace) -> int:
    from femr.emotions import EMOTIONS
    from femr.songs import read_folder

    library = read_folder(options.folder)
    for emotion in EMOTIONS:
        titles = [f"  {song.title} ({song.path.name})" for song in library.of(emotion)]
        print("\n".join([f"{emotion}:", *(titles or ["  nothing"])]))
    for problem in library.problems:
        print(f"femr: {problem}", file=sys.stderr)
    return BAD_INPUT if library.problems else 0


def _train(options: argparse.Namespace) -> int:
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


def _evaluate(options: argparse.Namespace) -> int:
    from femr.training.evaluate import evaluate
    from femr.training.summary import to_text

    report = evaluate(options.model, options.data, options.split, options.pictures)
    print(json.dumps(report, indent=2) if options.json else to_text(report))
    return 0


def _publish(options: argparse.Namespace) -> int:
    from femr.card import write_card
    from femr.training.facts import publish, update_scores
    from femr.weights import MODELS_DIR

    print(f"Wrote {publish(options.folder, options.data, options.force).name}")
    print(f"Wrote {update_scores('ensemble', options.data).name}")
    write_card(MODELS_DIR)
    return 0


def _push(options: argparse.Namespace) -> int:
    from femr.push import push_models, push_space

    if not (options.repo or options.space):
        raise FemrError("Expected --repo USER/NAME, --space USER/NAME or both.")
    if options.repo:
        print(push_models(options.repo, private=options.private))
    if options.space:
        print(push_space(options.space, private=options.private))
    return 0


if __name__ == "__main__":
    sys.exit(main())
