"""python -m femr analyze: pictures in; a table, JSON, annotated pictures out."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from femr.commands.writing import BAD_INPUT, free_name, make_folder, writing
from femr.errors import ImageError
from femr.weights import MODEL_NAMES

if TYPE_CHECKING:
    from femr.pipeline import Analyzer
    from femr.results import Analysis


def add(commands: Any) -> None:
    """Declares the command."""
    parser = commands.add_parser(
        "analyze", help="read pictures", description="Faces, expressions and mood of pictures."
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="picture files")
    parser.add_argument("--model", default=MODEL_NAMES[0], help=f"one of {', '.join(MODEL_NAMES)}")
    parser.add_argument("--lift", action="store_true", help="answer a hard mood with calm or cheerful songs")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a table, one row a face")
    parser.add_argument("--annotate", type=Path, metavar="DIR", help="write the annotated pictures")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Analyses the files; BAD_INPUT if one could not be read."""
    from femr import load
    from femr.report import to_csv, to_document, to_text

    for target in (options.annotate, options.csv and options.csv.parent):
        if target:
            make_folder(target)
    analyzer = load(options.model)
    analyses = []
    for path in options.paths:
        analysis = _read(analyzer, path, options)
        analyses.append(analysis)
        if analysis.error:
            print(f"femr: {path}: {analysis.error}", file=sys.stderr)
        elif not options.json:
            print(to_text(analysis))
    if options.json:
        print(json.dumps(to_document(options.model, analyses), indent=2, ensure_ascii=False))
    if options.csv:
        with writing(options.csv):
            options.csv.write_text(to_csv(analyses), encoding="utf-8", newline="")
    return BAD_INPUT if any(analysis.error for analysis in analyses) else 0


def _read(analyzer: "Analyzer", path: str, options: argparse.Namespace) -> "Analysis":
    """One file's analysis, or the reason why there is none. Writes the annotated picture where asked."""
    from femr.annotate import draw, save
    from femr.images import load_image
    from femr.results import Analysis

    try:
        image = load_image(path)
        analysis = replace(analyzer(image, "lift" if options.lift else "match"), file=path)
    except ImageError as error:
        return Analysis.failed(path, options.model, str(error))
    if options.annotate:
        target = free_name(options.annotate, Path(path).stem)
        with writing(target):
            save(draw(image, analysis), target)
    return analysis
