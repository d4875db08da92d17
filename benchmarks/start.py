"""How soon the page is up, when it first answers, and what memory it takes: `python -m benchmarks.start`; Linux only.

A page of its own on loopback, from cold: a portrait first, then groups, then all models. MB are 10⁶ bytes of VmRSS,
with the parts of libraries' files that are in memory.
"""

import argparse
import json
from collections.abc import Sequence
from time import perf_counter

import cv2
import numpy as np

from benchmarks.tools import megabytes, table
from benchmarks.visitors import Page, serving
from femr.expression.weights import DEFAULT_MODEL, MODEL_NAMES
from femr.files import own_folder


def measure() -> dict[str, float]:
    """Seconds since the start, and MB after what has been asked so far."""
    portrait, group = (own_folder("examples") / name for name in ("grace-hopper.jpg", "group.jpg"))
    crowd = cv2.imencode(".jpg", np.tile(cv2.imread(str(group)), (3, 3, 1)))[1].tobytes()
    groups = [group.read_bytes(), crowd]
    begun = perf_counter()
    with serving() as page:
        up = perf_counter() - begun
        page.ask(0, portrait.read_bytes())
        document = {"seconds_until_it_is_up": up, "seconds_until_the_first_answer": perf_counter() - begun}
        document["mb_after_a_portrait"] = megabytes(page.process)
        ask_all(page, groups * 3)
        document["mb_after_groups"] = megabytes(page.process)
        for model in MODEL_NAMES:
            ask_all(page, groups, model)
        return document | {"mb_after_groups_with_every_model": megabytes(page.process)}


def ask_all(page: Page, photos: Sequence[bytes], model: str = DEFAULT_MODEL) -> None:
    """Asks for photos one after another. Raises: SystemExit where one has no answer."""
    if not all(page.ask(number, content, model=model).faces for number, content in enumerate(photos)):
        raise SystemExit("A photo was not answered.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints a table or the document."""
    parser = argparse.ArgumentParser("benchmarks.start", description="How the page starts, and what it takes.")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    options = parser.parse_args(arguments)
    document = measure()
    rows = [(key.replace("_", " "), f"{value:.3g}") for key, value in document.items()]
    print(json.dumps(document, indent=2) if options.json else table("A page", ["", ""], rows))


if __name__ == "__main__":
    main()
