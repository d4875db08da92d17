"""An evening of the wall with nobody at it, and what goes wrong in one: PYTHONPATH=.:tests python tests/evening.py

app.py is started with a folder of songs, and Chromium with a camera that shows a film of up to thirty faces. Failures
come one after another. What the page plays is measured on its way out; memory, answers and songs are noted. The figures
are printed as JSON, those so far after each failure, on standard error; `faults` holds a sentence for each thing that
should not have happened.
"""

import argparse
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, pairwise
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile

from builders import ROOT, damage
from chromium import watching
from devtools import Tab, browsing
from femr.video.session import LEAST, STABLE
from wall_film import EVENING, SIZE, Scene, write_film

SCRIPT = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
SMALL = (640, 360)  # pixels of a window that takes little to draw
MOODS = ("happy", "surprise", "neutral")
SONGS = 4  # of each mood
AUDIBLE = 0.003  # peak, about -50 dBFS
DEAD_AIR = 3.0  # seconds
RECOVERY = 10.0  # seconds
SMOOTH = 30.0  # paintings a second
GROWTH = 50.0  # MB
SETTLED = 600.0  # seconds after which memory should stay level, and all songs have come
EVERY = 1.0  # seconds from look to look
FEW = 4  # songs that are heard in the shortest evening
PATIENCE = 300.0  # seconds for them
HELD = 60.0  # seconds for which a song that failed is not chosen
NO_ANSWER = 2.0  # seconds from answer to answer after which one is missed; as many before and after, none has a say
PACE = ("answers_a_second", "milliseconds_from_picture_to_overlay", "paintings_a_second")  # of the figures
_HEAD = 1_000  # bytes of a FLAC file that tell what it is


class Server:
    """The wall with songs, at a port of its own, that can be killed and started again; `program`, by default app.py."""

    def __init__(self, music: Path, *program: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.music = music
        self._program = program or (str(ROOT / "app.py"),)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when the wall is served."""
        where = ["--host", "127.0.0.1", "--port", str(self.port)]
        command = [sys.executable, *self._program, "--wall", "--music", str(self.music), *where]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        while self.process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}wall") as response:
                response.read()
                return
            time.sleep(0.1)
        raise SystemExit("The wall did not start.")

    def kill(self) -> None:
        """As when the power fails."""
        if self.process:
            self.process.kill()
            self.process.wait()


@dataclass(frozen=True, slots=True)
class Failure:
    """What is done to the wall, for how many seconds, and how it is undone."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]
    seconds: float


@dataclass
class Diary:
    """What was seen so far; times are seconds on the page's clock.

    levels: seconds of sound, peak. looks: time, how many levels came since the last. answers: time, milliseconds,
    status, answer. songs: time, number. memory: time, MB of browser and of server. painted: boxes, a second. ages:
    milliseconds from picture to overlay. failures: name, time, seconds to recover. cards: of songs, by number. failed:
    time and number of each song that could not be played. errors: of the page's scripts.
    """

    levels: list[tuple[float, float]] = field(default_factory=list)
    looks: list[tuple[float, int]] = field(default_factory=list)
    answers: list[tuple[float, float, int, Any]] = field(default_factory=list)
    songs: list[tuple[float, int]] = field(default_factory=list)
    memory: list[tuple[float, float, float]] = field(default_factory=list)
    painted: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    failures: list[tuple[str, float, float | None]] = field(default_factory=list)
    cards: dict[int, dict[str, Any]] = field(default_factory=dict)
    failed: list[tuple[float, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Evening:
    """A tab that shows the wall of a server."""

    def __init__(self, tab: Tab, server: Server) -> None:
        self.tab, self.server, self.diary = tab, server, Diary()
        self._last: dict[str, Any] | None = None

    def look(self) -> dict[str, Any]:
        """Notes what happened since the last look."""
        seen = self.tab.run("evening.drain()")
        diary, last = self.diary, self._last
        diary.levels += seen["levels"]
        diary.looks.append((seen["now"], len(seen["levels"])))
        diary.answers += seen["answers"]
        diary.ages += seen["ages"]
        diary.songs, diary.errors = seen["songs"], self.tab.errors
        diary.failed += seen["failed"]
        for *_, answer in seen["answers"]:
            for card in ((answer or {}).get("song"), ((answer or {}).get("next") or {}).get("song")):
                if card:
                    diary.cards[card["number"]] = card
        if last and seen["now"] - last["now"] > EVERY / 2:
            diary.painted.append((seen["painted"] - last["painted"]) / (seen["now"] - last["now"]))
        server = self.server.process.pid if self.server.process else 0
        diary.memory.append((seen["now"], sum(map(memory, browsers())), memory(server)))
        self._last = seen
        return seen

    def watch(self, seconds: float) -> float:
        """Looks for so long; the page's time at the end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(min(EVERY, max(0.05, until - time.monotonic())))
            self.look()
        return self.look()["now"]

    def suffer(self, failure: Failure, patience: float = 30.0) -> None:
        """Brings a failure about, undoes it, and notes how long it took until a picture was answered again."""
        begun = self.look()["now"]
        failure.begin()
        self.watch(failure.seconds)
        failure.end()
        ended = self.look()["now"]
        recovered = None
        while recovered is None and self._last and self._last["now"] < ended + patience:
            self.watch(0.5)
            asked = ((at, at - took / 1000, status) for at, took, status, _ in self.diary.answers)
            recovered = next((at for at, begun, status in asked if begun > ended and status == 200), None)
        took = None if recovered is None else round(recovered - ended, 2)
        self.diary.failures.append((failure.name, begun, took))

    def failures(self, short: bool) -> list[Failure]:
        """All that may go wrong. Args: `short`, for some seconds only."""
        run, briefly = self.tab.run, 3.0 if short else 8.0
        return [
            Failure("server killed and restarted", self.server.kill, self.server.start, 2.0 if short else 10.0),
            Failure("network gone", lambda: self._cut(True), lambda: self._cut(False), 6.0 if short else 60.0),
            Failure("camera pulled out", lambda: run("evening.pull()"), lambda: run("evening.plug()"), briefly),
            Failure("frames stopped", lambda: run("evening.freeze()"), lambda: None, 0.0),
            Failure(
                "clock an hour on", lambda: run("evening.shift = 3.6e6"), lambda: run("evening.shift = 0"), briefly
            ),
            Failure("tab hidden", lambda: run("evening.hide(true)"), lambda: run("evening.hide(false)"), briefly),
            Failure("asleep", lambda: self._sleep(5.0 if short else 60.0), lambda: None, 0.0),
        ]

    def _cut(self, gone: bool) -> None:
        if not gone:
            self.tab.send("Network.disable")  # which also forgets all requests: 20 MB an hour of the page's memory
            return
        self.tab.send("Network.enable", maxTotalBufferSize=1, maxResourceBufferSize=1)
        unlimited = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.tab.send("Network.emulateNetworkConditions", offline=True, **unlimited)

    def _sleep(self, seconds: float) -> None:
        """Machine and browser stand still."""
        asleep = [*browsers(), *([self.server.process.pid] if self.server.process else [])]
        for process in asleep:
            os.kill(process, signal.SIGSTOP)
        time.sleep(seconds)
        for process in asleep:
            os.kill(process, signal.SIGCONT)


@contextmanager
def evening(
    folder: Path, scenes: tuple[Scene, ...], least: int = 22, window: tuple[int, int] = SIZE
) -> Iterator[Evening]:
    """A wall that was started by its host, with a film for a camera and songs of `least` seconds or a few more."""
    server = Server(write_songs(folder / "music", least))
    film = write_film(folder / "evening.mjpeg", scenes)
    try:
        server.start()
        with browsing(folder, window, *watching(film)) as tab:
            tab.send("Page.setBypassCSP", enabled=True)  # for the meter
            tab.send("Page.addScriptToEvaluateOnNewDocument", source=SCRIPT)
            tab.send("Page.navigate", url=f"{server.url}wall")
            tab.wait("document.querySelector('[data-ready] .go') !== null")
            tab.run("document.querySelector('.go').click()")  # the one press by the host
            yield Evening(tab, server)
    finally:
        server.kill()


def write_songs(folder: Path, least: int) -> Path:
    """Chords of different loudness without a silence in them, of `least` seconds or a few more."""
    rate = 22_050
    for number, mood in enumerate(MOODS):
        (folder / mood).mkdir(parents=True)
        for song in range(SONGS):
            seconds = np.arange(rate * (least + 3 * song)) / rate
            chord = sum(np.sin(2 * np.pi * 220 * 2 ** ((note + number) / 12) * seconds) for note in (0, 4, 7 + song))
            soundfile.write(folder / mood / f"{mood} {song}.flac", 0.05 * (1 + song) * chord, rate)
    return folder


def break_songs(folder: Path) -> list[str]:
    """Damages the first song of two moods, and another from its middle on, as a bad disk does; their titles."""
    names = f"{MOODS[0]} 0", f"{MOODS[1]} 0", f"{MOODS[1]} 1"
    *broken, half = (folder / name.split()[0] / f"{name}.flac" for name in names)
    for path in broken:
        damage(path, _HEAD)
    damage(half, half.stat().st_size // 2)
    return [path.stem for path in (*broken, half)]


def browsers() -> list[int]:
    """The numbers of the browser's processes that this one has started."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, fields = status.read_text().partition("(")[2].rsplit(")", 1)
            parents[int(status.parent.name)] = int(fields.split()[1]), name
    mine, found = {os.getpid()}, []
    while new := {number for number, (parent, _) in parents.items() if parent in mine} - mine:
        mine |= new
        found += [number for number in new if "chrom" in parents[number][1]]
    return found


def memory(process: int) -> float:
    """MB that a process has to itself; the film, a file, is not counted."""
    with suppress(OSError):
        if found := re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text()):
            return int(found[1]) / 1000
    return 0.0


def figures(
    diary: Diary, broken: list[str], soon: float = RECOVERY, songs: Collection[str] = frozenset()
) -> dict[str, Any]:
    """What came of an evening, and `faults`, a sentence for each thing that should not have happened.

    Args:
        broken: titles of songs that cannot be played. soon: seconds within which the wall is to be back; inf, where
            nothing is to depend on how fast the machine is.
        songs: titles of all that are to be heard, or named as broken, in a long evening.
    """
    seconds = diary.memory[-1][0] - diary.memory[0][0]
    parts = np.array_split(np.array(diary.memory), min(10, len(diary.memory)))
    browser, server = np.round([np.median(part[:, 1:], axis=0) for part in parts]).T.tolist()
    failed = {diary.cards[number]["title"] for _, number in diary.failed if number in diary.cards}
    heard = {diary.cards[number]["title"] for _, number in diary.songs}
    long = seconds > SETTLED
    unnamed = [f"{title} is broken, and was not named." for title in sorted({*broken} - failed) if long]
    unheard = [f"{title} never came." for title in sorted({*songs} - {*broken} - heard) if long]
    faults = [*diary.errors, *sound_faults(diary), *failure_faults(diary, soon), *mood_faults(diary)]
    if soon < inf and (painted := median(diary.painted)) < SMOOTH:
        faults.append(f"The boxes were painted {painted:.0f} times a second.")
    return {
        "minutes": round(seconds / 60, 1),
        "songs": len(diary.songs),
        "songs_that_failed": sorted(failed),
        "longest_silence": max(silences(diary), default=0.0),
        "seconds_to_recover": {f"{name}, at {begun:.0f} s": took for name, begun, took in diary.failures},
        "memory_mb": {"browser": browser, "server": server},
        "answers_a_second": round(len(diary.ages) / seconds, 2),
        "milliseconds_from_picture_to_overlay": spread(diary.ages),
        "paintings_a_second": spread(diary.painted),
        "faults": [*faults, *memory_faults(diary), *song_faults(diary, broken), *unnamed, *unheard],
    }


def spread(values: list[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(values or [np.nan], share)), 1) for share in (5, 50, 95)}


def silences(diary: Diary) -> Iterator[float]:
    """Seconds of each silence after the first sound."""
    begun, heard = 0.0, False
    for at, peak in diary.levels:
        if peak > AUDIBLE:
            begun, heard = at, True
        elif heard:
            yield round(at - begun, 1)


def sound_faults(diary: Diary) -> Iterator[str]:
    """Silences that are too long."""
    if not any(peak > AUDIBLE for _, peak in diary.levels):
        yield "Nothing was heard."
    if (longest := max(silences(diary), default=0.0)) > DEAD_AIR:
        yield f"Nothing was heard for {longest:.1f} s."
    missed, heard = 0.0, False
    for (before, _), (at, levels) in pairwise(diary.looks):
        heard = heard or levels > 0
        missed = 0.0 if levels else missed + min(at - before, 2 * EVERY)  # but not for as long as the machine slept
        if heard and missed > DEAD_AIR:
            yield f"Nothing was measured before {at:.0f} s."
            missed = 0.0


def failure_faults(diary: Diary, soon: float) -> Iterator[str]:
    """Failures that the wall did not get over, or not soon."""
    for name, begun, took in diary.failures:
        if took is None or took > soon:
            came = "no answer came any more" if took is None else f"it took {took:.1f} s to recover"
            yield f"{name}, at {begun:.0f} s: {came}."


def memory_faults(diary: Diary) -> Iterator[str]:
    """What has grown by too much since it should have settled."""
    restarted = max((begun for name, begun, _ in diary.failures if "server" in name), default=diary.memory[0][0])
    settled = [one for one in diary.memory if one[0] - restarted > SETTLED]
    parts = [settled[start : start + 60] for start in range(0, len(settled), 60)]
    for place, name in enumerate(("browser", "server"), 1) if settled else ():
        levels = [median(one[place] for one in part) for part in parts]
        if max(levels) - min(levels) > GROWTH or not min(levels):
            yield f"The {name} had {min(levels):.0f} to {max(levels):.0f} MB."


def mood_faults(diary: Diary) -> Iterator[str]:
    """Moods of other looks than the film has shown for as long as a mood must hold."""
    since, shown, wrong = -inf, None, Counter[tuple[str | None, Scene]]()
    for at, _, _, answer in diary.answers:
        if not answer or "faces" not in answer:
            continue
        scene = min(EVENING, key=lambda one: abs(one.faces - len(answer["faces"])))
        since, shown = since if scene is shown else at, scene
        mood = answer["mood"] and answer["mood"]["emotion"]
        wrong[mood, scene] += at - since >= STABLE and mood != scene.mood
    for (mood, scene), answers in (+wrong).items():
        yield f"{answers} answers said {mood} of {scene.faces} faces that look {scene.mood}."


def song_faults(diary: Diary, broken: list[str]) -> Iterator[str]:
    """Songs that broke the rules: given up too soon, of another mood, or again before the others of their mood.

    In place of a song that fails, and while no answer comes, any that is there may be heard: anything but silence.
    """
    began, cards = diary.songs, diary.cards

    answered = [when for when, _, status, _ in diary.answers if status == 200]
    gaps = [(last, first) for last, first in pairwise(answered) if first - last > NO_ANSWER]

    def unanswered(at: float) -> bool:
        return any(last - NO_ANSWER < at < first + NO_ANSWER for last, first in gaps)

    def chosen(at: float) -> bool:
        return not unanswered(at) and not any(at - 5 < when < at + 5 for when, _ in diary.failed)

    for (before, number), (at, _) in pairwise(began):
        # where nothing else is there, one that was named and is held as broken may begin, and breaks off again; and one
        # that stands in for a song that failed gives way to another of which the answer was on its way
        named = any(number == failed and -5 < at - when < HELD for when, failed in diary.failed)
        stood_in = at - before < NO_ANSWER and any(before - 5 < when <= before for when, _ in diary.failed)
        if at - before < LEAST - 1 and not (unanswered(at) or named or stood_in):
            yield f"{cards[number]['title']} played for {at - before:.1f} s only."
    for at, number in began:
        seen = [answer["mood"] for when, _, status, answer in diary.answers if status == 200 and at - LEAST < when < at]
        looks = {one["emotion"] for one in seen if one}
        if looks and cards[number]["emotion"] not in looks and chosen(at):
            yield f"{cards[number]['title']} came in a mood of {', '.join(sorted(looks))}."
    for mood in MOODS:
        mine = [(at, number) for at, number in began if cards[number]["emotion"] == mood]
        good = [number for number, card in cards.items() if card["emotion"] == mood and card["title"] not in broken]
        times = Counter[int]()
        before = dict(zip((at for at, _ in began[1:]), (number for _, number in began), strict=False))
        for at, number in mine:
            others = [times[one] for one in good if one != before.get(at)]  # none is played twice in a row
            if chosen(at) and number in good and times[number] > min(others, default=inf):
                yield f"{cards[number]['title']}, at {at:.0f} s, came again before others of its mood."
            times[number] += 1


def main(minutes: float) -> dict[str, Any]:
    """The figures of an evening of so many minutes and failures all along; in a few minutes each once, and briefly."""
    short = 60 * minutes < SETTLED
    songs = {f"{scene.mood} {number}" for scene in EVENING if scene.mood for number in range(SONGS)}
    scenes = tuple(replace(scene, seconds=scene.seconds / 2) for scene in EVENING) if short else EVENING
    kind = (22, SMALL) if short else (28, SIZE)
    with tempfile.TemporaryDirectory() as folder, evening(Path(folder), scenes, *kind) as wall:
        broken = break_songs(Path(folder) / "music")
        wall.look()
        until, pause = time.monotonic() + 60 * minutes, 12.0 if short else 90.0
        wall.watch(20.0)
        once, *others = wall.failures(short)  # killed again and again, the server would show no growth
        for failure in [once, *others] if short else chain([once], cycle(others)):
            if not short and time.monotonic() + failure.seconds + pause > until:
                break
            wall.suffer(failure)
            wall.watch(pause)
            if not short:
                print(json.dumps(figures(wall.diary, broken)), file=sys.stderr, flush=True)
        wall.watch(max(0.0, until - time.monotonic()))
        while len(wall.diary.songs) < FEW and time.monotonic() < until + PATIENCE:
            wall.watch(EVERY)
        return figures(wall.diary, broken, inf if short else RECOVERY, songs)  # a test tells no time


def calm(minutes: float, faces: int) -> dict[str, Any]:
    """The pace of so many minutes with so many faces in view in which nothing fails; quiet cores are needed for it."""
    with tempfile.TemporaryDirectory() as folder, evening(Path(folder), (Scene(faces, 30),)) as wall:
        wall.watch(20.0)
        wall.diary = Diary()
        wall.watch(60 * minutes)
        found = figures(wall.diary, [])
        seen = Counter(len(answer["faces"]) for *_, answer in wall.diary.answers if answer and "faces" in answer)
        return {"faces": dict(seen.most_common(3)), **{name: found[name] for name in PACE}}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="An evening of the wall.")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--faces", type=int, help="so many in view all the time, nothing fails, and the pace is told")
    wanted = parser.parse_args()
    print(json.dumps(calm(wanted.minutes, wanted.faces) if wanted.faces else main(wanted.minutes), indent=2))
