"""Pictures of numbers: curves, confusion matrix, reliability, risk-coverage, balances. The only user of matplotlib."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from femr.errors import DataError
from femr.files import replacing
from femr.results import EMOTIONS

_DPI = 110
_DARK = 0.6  # of the row: where white text reads better than black


def available() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Writes loss and accuracy of training and validation by epoch as PNG."""
    figure, axes = new_figure(1, 2, (10, 4))
    epochs = [row["epoch"] for row in history]
    for axis, measure, unit in zip(axes, ("loss", "accuracy"), ("nats", "share"), strict=True):
        axis.plot(epochs, [row[measure] for row in history], label="training", color="#6B7785", marker=".")
        axis.plot(epochs, [row[f"val_{measure}"] for row in history], label="validation", color="#2F6FC4", marker=".")
        axis.set(xlabel="epoch", ylabel=f"{measure} ({unit})")
        axis.locator_params(axis="x", integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    save(figure, path)


def draw_confusion_matrix(counts: npt.ArrayLike, path: Path, title: str) -> None:
    """Writes a confusion matrix as PNG: colour the share of the label's faces, text that share and the count.

    Args:
        counts: (7, 7), or (7, 8) with a column for faces that were not found.
    """
    figure, axis = new_figure(1, 1, (7, 6.2))
    matrix = np.asarray(counts)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > _DARK else "black"
        axis.text(
            column, row, f"{share:.0%}\n{matrix[row, column]}", ha="center", va="center", color=colour, fontsize=8
        )
    names = [str(emotion) for emotion in EMOTIONS]
    axis.set_xticks(range(matrix.shape[1]), [*names, "no face"][: matrix.shape[1]], rotation=35)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="read as", ylabel="labelled", title=title)
    save(figure, path)


def draw_reliability(
    bins: Sequence[tuple[float, float, float]], path: Path, title: str, right: str = "share read right"
) -> None:
    """Writes a reliability diagram as PNG, from `metrics.reliability`: what is right against the top probability."""
    figure, axis = new_figure(1, 1, (5, 5))
    axis.plot([0, 1], [0, 1], color="#6B7785", linestyle="--", label="perfectly calibrated")
    tops, rights, shares = (list(column) for column in zip(*bins, strict=True))
    axis.plot(tops, rights, color="#2F6FC4")
    axis.scatter(tops, rights, s=[20 + 600 * share for share in shares], color="#2F6FC4", label="bin, area: its faces")
    axis.set(xlabel="top probability", ylabel=right, title=title, xlim=(0, 1), ylim=(0, 1))
    axis.legend(loc="upper left")
    save(figure, path)


def draw_risk_coverage(curve: npt.NDArray[np.float64], threshold: float, path: Path, title: str) -> None:
    """Writes a risk-coverage curve as PNG, from `calibration.risk_coverage`, with the threshold for "unsure" marked."""
    figure, axis = new_figure(1, 1, (6, 4.5))
    axis.plot(curve[:, 1], curve[:, 2], color="#2F6FC4")
    kept = int((curve[:, 0] >= threshold).sum())
    if kept:
        share, wrong = curve[kept - 1, 1:]
        axis.scatter([share], [wrong], color="#C8372D", zorder=3)
        text = f"threshold {threshold:.2f}: {share:.0%} kept, {wrong:.0%} wrong"
        axis.annotate(text, (share, wrong), (-8, 4), textcoords="offset points", ha="right")
    axis.set(xlabel="share of faces kept", ylabel="share of those read wrong", title=title)
    axis.grid(alpha=0.3)
    save(figure, path)


def new_figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    """A figure of that size in inches, and its axes. Raises DataError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DataError("Drawing curves and matrices needs matplotlib: pip install matplotlib.") from error
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)


def save(figure: Any, path: Path) -> None:
    """Writes a figure as PNG."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=_DPI)
