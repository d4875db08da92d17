"""A picture of how cost grows: milliseconds against megapixels and against faces, both on logarithmic scales."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILE = "growth.png"

_COLOURS = {"femr_detect": "#2F6FC4", "femr_analysis": "#7048B6", "package_detect": "#D9661F"}
_NAMES = {
    "femr_detect": "femr, faces",
    "femr_analysis": "femr, whole analysis",
    "package_detect": "mtcnn package, faces",
}


def draw(growth: Mapping[str, Any], folder: Path) -> Path:
    """The picture that was written, growth.png. Args: `growth`, as femr.benchmark.growth measures it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    by_size, by_faces = figure.subplots(1, 2, sharey=True)
    _panel(by_size, growth["megapixels"], "megapixels", "{faces} faces")
    _panel(by_faces, growth["faces"], "faces", "{megapixels:g} megapixels")
    path = folder / FILE
    FigureCanvasAgg(figure).print_png(path)
    return path


def _panel(axes: Any, part: Mapping[str, Any], size: str, title: str) -> None:
    for name, power in part["exponents"].items():
        label = _NAMES[name] if power is None else f"{_NAMES[name]} (power {power:.2f})"
        points = [(row[size], row[f"{name}_ms"]) for row in part["rows"] if f"{name}_ms" in row]
        if points:
            axes.loglog(*zip(*points, strict=True), "o-", color=_COLOURS[name], label=label)
    ticks = [row[size] for row in part["rows"]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set(
        xlabel=size,
        ylabel="milliseconds a picture" if size == "megapixels" else "",
        title=title.format(**part["rows"][0]),
    )
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small")
