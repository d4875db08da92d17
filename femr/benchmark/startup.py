"""Start-up and memory, in a fresh process: from starting Python to the first answer, with the page's modules loaded."""

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from femr.errors import FemrError

ROOT = Path(__file__).parents[2]

# `resource` is missing on Windows.
_CHILD = """
import json, sys
from time import perf_counter
def peak():
    try:
        import resource
    except ImportError:
        return None
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 2**20 if sys.platform == "darwin" else used / 2**10
start = perf_counter()
import femr.page.app
page = perf_counter()
import femr
analyzer = femr.load()
loaded = perf_counter()
analyzer("examples/eileen-collins.jpg")
answered = perf_counter()
print(json.dumps({"page_import_s": page - start, "load_s": loaded - page, "first_answer_s": answered - loaded,
                  "peak_rss_mb": peak()}), flush=True)
import numpy as np
large = np.random.default_rng(1).integers(0, 256, (3000, 4000, 3), np.uint8)
analyzer(large)
print(json.dumps(peak()), flush=True)
"""


def measure(starts: int = 3) -> dict[str, Any]:
    """startup_s (median; from the process' start to the first answer), its parts, and peak_rss_mb.

    peak_rss_mb: after the first answer and a picture of 12 megapixels; None where the system does not tell.
    Raises: FemrError if the app does not start.
    """
    runs = sorted((_start() for _ in range(starts)), key=lambda run: run["startup_s"])
    return runs[len(runs) // 2]


def _start() -> dict[str, Any]:
    start = perf_counter()
    command = [sys.executable, "-c", _CHILD]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline() if process.stdout else ""
        seconds = perf_counter() - start
        rest, errors = process.communicate()
    if process.returncode:
        reason = errors.strip().splitlines()[-1] if errors.strip() else f"exit code {process.returncode}"
        raise FemrError(f"The app could not be started to time it: {reason}")
    parts = json.loads(first)
    after = parts.pop("peak_rss_mb")
    return {"startup_s": seconds, **parts, "first_rss_mb": after, "peak_rss_mb": json.loads(rest)}
