"""Damaged files in numbers, by hand, from the tests' folder: PYTHONPATH=.. python fuzz.py videos 10000 [SEED]

The tests run some hundred of each kind; docs/decisions/fuzz.md has figures. What hangs is ended, with a trace.
"""

import faulthandler
import resource
import sys
import time
import warnings

import numpy as np

from damaged_pictures import try_pictures
from damaged_songs import try_lists, try_songs
from tables import try_tables
from videos import try_videos


def some_play(count, seed):
    """Of so many damaged lists: how many play a song, and how many none."""
    none = try_lists(count, seed)[0]
    return count - none, none


KINDS = {"pictures": try_pictures, "songs": try_songs, "lists": some_play, "tables": try_tables, "videos": try_videos}
STEP = 500
"""Cases after which it is told how far it is."""
LONGEST = 300
"""Seconds that these may take."""


def run(kind, count, seed=0):
    """Ends with the trace of the first case that raises what is no error of femr's."""
    warnings.simplefilter("ignore")  # Pillow's, of what it reads all the same
    start, total = time.monotonic(), np.zeros(2, int)
    for done in range(0, count, STEP):
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        number = min(STEP, count - done)
        total += KINDS[kind](number, f"{seed} {done}")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        seconds = round(time.monotonic() - start)
        print(f"{kind}: {done + number:,}, {total[0]:,} read, {total[1]:,} not, {seconds} s, {memory} MiB", flush=True)


if __name__ == "__main__":
    run(sys.argv[1], *map(int, sys.argv[2:]))
