"""What starting takes, on each engine, and how far their answers lie apart: `python -m benchmarks.engines`.

First `femr.load` and a photo, then `femr photo.jpg` on a terminal, until its first word and until its answer.
--data PATH compares them on FER2013's PrivateTest; --pictures N shows the memory over so many pictures of 300 sizes.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from statistics import median
from time import perf_counter

import numpy as np
from tqdm import tqdm

from benchmarks.speed import picture
from benchmarks.tools import megabytes, processor_seconds, table
from femr.engine import ENGINES, run
from femr.expression.networks import NETWORKS
from femr.expression.weights import MODEL_NAMES, open_network
from femr.faces.crop import to_batch
from femr.images import thumbnail
from femr.training import data

_SIZES = 300
_MEGAPIXELS, _FACES = 2, 5
_STARTS = 7

_COLD = """
import json, sys, time
start = time.perf_counter()
import femr
analyzer = femr.load(sys.argv[1], engine=sys.argv[2])
analyzer("examples/eileen-collins.jpg")
first = time.perf_counter() - start
from benchmarks.speed import picture
from benchmarks.tools import megabytes
image, times = picture(2, 5).image, []
for _ in range(12):
    begun = time.process_time()
    analyzer(image)
    times.append(time.process_time() - begun)
print(json.dumps([first, 1000 * sorted(times)[len(times) // 2], megabytes(kind="VmHWM")]))
"""


def cold() -> Iterator[list[str]]:
    """A row a model and engine, each a process of its own, in turns: seconds, milliseconds and MB."""
    for model in MODEL_NAMES:
        for engine in ENGINES:
            command = [sys.executable, "-c", _COLD, model, engine]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            first, milliseconds, most = json.loads(done.stdout)
            yield [model, engine, f"{first:.1f}", f"{milliseconds:.0f}", f"{most:.0f}"]


def command(starts: int = _STARTS) -> Iterator[list[str]]:
    """Two rows, `femr photo.jpg` to its first word and to its answer: medians of seconds, by clock and by processor."""
    times = [_started() for _ in range(starts)]
    for row, name in enumerate(("first word", "answer")):
        yield [name, *(f"{median(one[row][column] for one in times):.2f}" for column in range(2))]


def apart(source: str) -> Iterator[list[str]]:
    """A row a network's head: the largest and the mean difference, and how many faces change their top class."""
    faces = data.split_named(data.load(source), data.PRIVATE_TEST)
    for name in NETWORKS:
        answers = []
        for engine in ENGINES:
            facts, network = open_network(name, engine)
            answers.append(run(network, to_batch(faces.images, facts.side, facts.low, facts.high)))
        for head, one, other in zip(network.outputs, *answers, strict=True):
            away = np.abs(one - other)
            changed = int((one.argmax(axis=1) != other.argmax(axis=1)).sum())
            yield [name, head, f"{away.max():.5f}", f"{away.mean():.6f}", f"{changed} of {len(one)}"]


def memory(pictures: int) -> Iterator[list[str]]:
    """A row each tenth of the way: the MB that the process holds, the default model on pictures of many sizes."""
    import femr

    analyzer, image = femr.load(), picture(_MEGAPIXELS, _FACES).image
    sides = np.random.default_rng(0).integers(160, 1600, _SIZES)
    for number in tqdm(range(pictures), "memory"):
        analyzer(thumbnail(image, int(sides[number % _SIZES])))
        if (number + 1) % max(1, pictures // 10) == 0:
            yield [str(number + 1), f"{megabytes():.0f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, and prints tables."""
    parser = argparse.ArgumentParser("benchmarks.engines", description="The two engines, side by side.")
    parser.add_argument("--data", metavar="PATH", help="FER2013, to compare the answers")
    parser.add_argument("--pictures", type=int, metavar="N", help="show the memory over so many pictures")
    options = parser.parse_args(arguments)
    heads = ["model", "engine", "first answer, s", "2 MP, processor ms", "most memory, MB"]
    print(table("From cold", heads, cold()))
    print(table(f"femr photo.jpg, medians of {_STARTS}", ["until its", "seconds", "of processor"], command()))
    if options.data:
        print(table("Apart", ["network", "head", "most", "mean", "top class changed"], apart(options.data)))
    if options.pictures:
        print(table("Memory", ["pictures", "MB"], memory(options.pictures)))


def _started() -> list[tuple[float, float]]:
    """Seconds to the first word and to the answer of a new process on a terminal: by clock, and of its processors."""
    leader, terminal = os.openpty()
    begun, said, times = perf_counter(), "", []
    femr = [sys.executable, "-m", "femr", "examples/eileen-collins.jpg"]
    with subprocess.Popen(femr, stdout=terminal, stderr=terminal) as process:
        for awaited in ("", "looks"):
            while not said or awaited not in said:
                said += os.read(leader, 65536).decode(errors="replace")
            times.append((perf_counter() - begun, processor_seconds(process.pid)))
        process.terminate()  # it may be asleep on a terminal that nobody reads
    os.close(leader)
    os.close(terminal)
    return times


if __name__ == "__main__":
    main()
