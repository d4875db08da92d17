"""This femr's ensemble beside another checkout's MobileNetV2: `python -m benchmarks.against CHECKOUT [--turns N]`.

Processor time for 2 megapixels with five portraits, both loaded, turn by turn in two processes: medians.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import IO, Any, cast

import numpy as np

from benchmarks.speed import Workload, picture

# run in both checkouts, so it uses what both have; the first of two pictures brings back the caches
_WORKER = """
import sys, time, numpy, femr
image, analyzer = numpy.load(sys.argv[2]), femr.load(sys.argv[1])
for turn in sys.stdin:
    analyzer(image)
    start = time.process_time()
    faces = analyzer(image).faces
    print(1000 * (time.process_time() - start), len(faces), flush=True)
"""
_WARM = 5  # turns that do not count


class _Femr:
    """A checkout in a process of its own, with a model loaded."""

    def __init__(self, checkout: Path, model: str, image: Path) -> None:
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, "-c", _WORKER, model, str(image)]
        # found first there, whichever femr is installed
        self.process = subprocess.Popen(command, cwd=checkout, env=os.environ | {"PYTHONPATH": str(checkout)}, **pipes)

    def turn(self) -> tuple[float, int]:
        """Milliseconds of processor time, and how many faces were found."""
        to, back = cast(IO[str], self.process.stdin), cast(IO[str], self.process.stdout)
        to.write("\n")
        to.flush()
        milliseconds, faces = back.readline().split()
        return float(milliseconds), int(faces)


def measure(checkout: Path, turns: int) -> str:
    """Two lines and the ratio of the medians."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.npy"
        np.save(image, picture(*Workload().typical).image)
        sides = [_Femr(checkout, "mobilenet_v2", image), _Femr(Path(__file__).parents[1], "ensemble", image)]
        seen = [[side.turn() for side in sides] for _ in range(_WARM + turns)][_WARM:]
        for side in sides:
            side.process.communicate()
    then, now = (median(row[side][0] for row in seen) for side in (0, 1))
    found = [faces for _, faces in seen[-1]]
    return (
        f"MobileNetV2 there: {then:.1f} ms, {found[0]} faces\n"
        f"ensemble here: {now:.1f} ms, {found[1]} faces\n"
        f"ratio of the medians: {now / then:.2f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser("benchmarks.against", description="This femr's ensemble beside another's network.")
    parser.add_argument("checkout", type=Path, help="a folder with another femr")
    parser.add_argument("--turns", type=int, default=80, help="of both; default 80")
    options = parser.parse_args(arguments)
    print(measure(options.checkout.resolve(), options.turns))


if __name__ == "__main__":
    main()
