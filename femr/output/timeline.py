"""A video as a whole: the mood of most of its frames, and a picture of the seven expressions over time."""

from array import array
from collections import Counter
from math import ceil
from os import PathLike
from threading import Lock
from typing import IO, Any, TypeAlias
from warnings import catch_warnings, filterwarnings

import numpy as np
import numpy.typing as npt

from femr.results import EMOTIONS, Analysis, Emotion, Mood

_COLUMNS = 240  # at most, in the picture
_SIZE = (10.0, 4.2)  # inches
_DPI = 110
# of a file's name: Matplotlib's own, then those of the systems that have the letters of East Asia
_FONTS = (
    *("DejaVu Sans", "Noto Sans CJK JP", "Hiragino Sans", "PingFang SC", "Apple SD Gothic Neo"),
    *("Yu Gothic", "Microsoft YaHei", "Malgun Gothic"),
)

DRAWING = Lock()
"""To be held while Matplotlib draws: its settings belong to the process, and the page draws for several visitors."""

Floats: TypeAlias = npt.NDArray[np.float64]


class Timeline:
    """Gathers the analyses of one video, a few numbers each."""

    def __init__(self) -> None:
        self._times = array("d")
        self._shares = array("f")
        self._moods: Counter[Emotion] = Counter()
        self.frames = 0
        self.most_faces = 0

    def add(self, analysis: Analysis) -> None:
        """One frame, in the order of time; an analysis without time is no frame and passed over."""
        if analysis.time is None:
            return
        self.frames += 1
        self.most_faces = max(self.most_faces, len(analysis.faces))
        self._times.append(analysis.time)
        if analysis.faces and analysis.mood.emotion:
            self._moods[analysis.mood.emotion] += 1
            self._shares.extend(np.mean([face.scores.probabilities for face in analysis.faces], axis=0))
        else:
            self._shares.extend([np.nan] * len(EMOTIONS))

    def mood(self) -> Mood:
        """The mood that most frames have; of equals, the one that came first. `counts`: frames."""
        if not self._moods:
            return Mood(None, "No face found.")
        ((winner, most),) = self._moods.most_common(1)
        frames = self._moods.total()
        reason = f"Looks {winner.adjective} in {most} of {frames} frames with faces"
        return Mood(winner, reason, dict(self._moods.most_common()))

    def save(self, target: str | PathLike[str] | IO[bytes], title: str = "") -> None:
        """Writes the picture: PNG, the mean probabilities of all faces over time, gaps where there is none.

        Raises:
            OSError: The file cannot be written.
        """
        with DRAWING, catch_warnings():
            filterwarnings("ignore", r"Glyph \d+")  # of which no font is here: it is a box
            self._figure(title).savefig(target, dpi=_DPI, format="png")

    def _figure(self, title: str) -> Any:
        # without pyplot: it keeps figures, and is not meant for threads
        from matplotlib.figure import Figure
        from matplotlib.font_manager import fontManager

        here = {font.name for font in fontManager.ttflist}
        figure = Figure(figsize=_SIZE, layout="constrained")
        axis = figure.subplots()
        edges, shares = self.columns()
        # steps: each column of time is as wide as it lasts, and what has no face stays empty
        axis.stackplot(
            np.repeat(edges, 2)[1:-1],
            np.repeat(np.nan_to_num(shares), 2, axis=0).T,
            labels=[emotion.adjective for emotion in EMOTIONS],
            colors=[emotion.color for emotion in EMOTIONS],
            linewidth=0,
        )
        axis.set(xlim=(0, edges[-1]), ylim=(0, 1), xlabel="minutes:seconds", ylabel="share")
        fonts = [font for font in _FONTS if font in here]
        axis.set_title(title, parse_math=False, family=fonts)  # a file may be called a$%$x.mp4
        axis.xaxis.set_major_formatter(lambda seconds, _: f"{int(seconds // 60)}:{seconds % 60:04.1f}")
        axis.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        handles, labels = axis.get_legend_handles_labels()
        figure.legend(handles[::-1], labels[::-1], loc="outside right center", frameon=False, title="looks")
        return figure

    def columns(self) -> tuple[Floats, Floats]:
        """Edges in seconds (n + 1,) and mean shares (n, 7) of at most _COLUMNS groups of frames; nan without faces."""
        times = np.array(self._times or [0.0])
        shares = np.array(self._shares or [np.nan] * len(EMOTIONS), np.float64).reshape(-1, len(EMOTIONS))
        starts = np.arange(0, len(times), ceil(len(times) / _COLUMNS))
        seen = ~np.isnan(shares[:, :1])
        counts = np.add.reduceat(seen.astype(np.int64), starts)
        sums = np.add.reduceat(np.where(seen, shares, 0), starts)
        # a frame lasts until the next one, the last one as long as the others on average
        end = times[-1] + ((times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 1)
        return np.append(times[starts], end), np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
