"""Pictures of numbers: curves, confusion matrix, reliability, risk-coverage."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure

from femr.files import replacing
from femr.results import EMOTIONS

_DPI = 110
_DARK = 0.6  # of the row: where white text reads better than black
_BLUE, _GRAY = "#2F6FC4", "#6B7785"


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Writes loss and accuracy of training and validation by epoch as PNG."""
    epochs = [row["epoch"] for row in history]
    with drawing(path, (10, 4), 2) as axes:
        for axis, measure, unit in zip(axes, ("loss", "accuracy"), ("nats", "share"), strict=True):
            axis.plot(epochs, [row[measure] for row in history], label="training", color=_GRAY, marker=".")
            axis.plot(epochs, [row[f"val_{measure}"] for row in history], label="validation", color=_BLUE, marker=".")
            axis.set(xlabel="epoch", ylabel=f"{measure} ({unit})")
            axis.locator_params(axis="x", integer=True)
            axis.grid(alpha=0.3)
            axis.legend()


def draw_confusion_matrix(counts: npt.ArrayLike, path: Path, title: str) -> None:
    """Writes a confusion matrix as PNG: colour the share of the label's faces, text that share and the count.

    `counts`: (7, 7), or (7, 8) with a column for faces that were not found.
    """
    matrix, names = np.asarray(counts), [str(emotion) for emotion in EMOTIONS]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    with drawing(path, (7, 6.2)) as (axis,):
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            text, color = f"{share:.0%}\n{matrix[row, column]}", "white" if share > _DARK else "black"
            axis.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
        axis.set_xticks(range(matrix.shape[1]), [*names, "no face"][: matrix.shape[1]], rotation=35)
        axis.set_yticks(range(len(names)), names)
        axis.set(xlabel="read as", ylabel="labelled", title=title)


def draw_reliability(bins: Sequence[tuple[float, float, float]], path: Path, title: str, right: str) -> None:
    """Writes a reliability diagram as PNG, from `metrics.reliability`: what is right against the top probability."""
    tops, rights, shares = (list(column) for column in zip(*bins, strict=True))
    with drawing(path, (5, 5)) as (axis,):
        axis.plot([0, 1], [0, 1], color=_GRAY, linestyle="--", label="perfectly calibrated")
        axis.plot(tops, rights, color=_BLUE)
        axis.scatter(tops, rights, s=[20 + 600 * share for share in shares], color=_BLUE, label="bin, area: its faces")
        axis.set(xlabel="top probability", ylabel=right, title=title, xlim=(0, 1), ylim=(0, 1))
        axis.legend(loc="upper left")


def draw_risk_coverage(curve: npt.NDArray[np.float64], threshold: float, path: Path, title: str) -> None:
    """Writes a risk-coverage curve as PNG, from `metrics.risk_coverage`, with the threshold for "unsure" marked."""
    kept = int((curve[:, 0] >= threshold).sum())
    with drawing(path, (6, 4.5)) as (axis,):
        axis.plot(curve[:, 1], curve[:, 2], color=_BLUE)
        if kept:
            share, wrong = curve[kept - 1, 1:]
            axis.scatter([share], [wrong], color="#C8372D", zorder=3)
            text = f"threshold {threshold:.2f}: {share:.0%} kept, {wrong:.0%} wrong"
            axis.annotate(text, (share, wrong), (-8, 4), textcoords="offset points", ha="right")
        axis.set(xlabel="share of faces kept", ylabel="share of those read wrong", title=title)
        axis.grid(alpha=0.3)


@contextmanager
def drawing(path: Path, size: tuple[float, float], columns: int = 1) -> Iterator[Any]:
    """Axes beside each other in a figure of that size in inches, which is then written as PNG. Raises: DataError."""
    with rc_context({"text.parse_math": False}):  # a model's file may be called a$%$x.keras
        figure = Figure(figsize=size, layout="constrained")
        yield figure.subplots(1, columns, squeeze=False)[0]
        with replacing(path) as temporary:
            figure.savefig(temporary, dpi=_DPI)
