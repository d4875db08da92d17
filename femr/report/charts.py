"""The group report's charts as SVG: text stays text, ink is the page's, a reader hears title and summary.

Their bars are told apart by place and name, so no meaning hangs on colour; gaps are bins with too few faces.
"""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import Any
from xml.etree import ElementTree

from femr.output.timeline import DRAWING
from femr.report.count import KINDS
from femr.report.summary import Group
from femr.results import EMOTIONS, Emotion

_WIDTHS = {"wide": 720, "narrow": 350}  # the page's pixels: for a desktop's window and paper, and for a phone's
_INK = "#010203"  # stands for the page's own text colour until the drawing is done
_GRAY = "#B4BCC6"
_SVG = "http://www.w3.org/2000/svg"
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "femr",
    "font.size": 12,
    **{f"axes.spines.{side}": False for side in ("top", "right", "left")},
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
}

ElementTree.register_namespace("", _SVG)


def charts_of(group: Group) -> dict[str, dict[str, str]]:
    """Each chart's name → "wide" and "narrow" → its SVG. Without two moments that are shown there is none over time."""
    charts = {"shares": _shares}
    if len(group.filled) > 1:
        charts |= {"timeline": _timeline, "faces": _faces, "valence": _valence}
    return {name: {size: chart(group, width) for size, width in _WIDTHS.items()} for name, chart in charts.items()}


def name_of(kind: str) -> str:
    """The word for one of KINDS beside a bar: "happy", "disgusted", "unsure"."""
    return Emotion(kind).adjective if kind in EMOTIONS else kind


def _color_of(kind: str) -> str:
    return Emotion(kind).color if kind in EMOTIONS else _GRAY


def _shares(group: Group, width: int) -> str:
    """The share of each expression among all faces, with its interval."""
    shares = group.total.shares

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        rows = range(len(KINDS))
        values = [100 * share.value for share in shares]
        limits = [[100 * abs(share.value - limit) for limit in share.interval] for share in shares]
        axes.barh(rows, values, color=[_color_of(kind) for kind in KINDS], edgecolor=_INK, linewidth=0.6, height=0.66)
        axes.errorbar(values, rows, xerr=list(zip(*limits, strict=True)), fmt="none", ecolor=_INK, capsize=3, lw=1.2)
        axes.set_yticks(rows, [name_of(kind) for kind in KINDS])
        axes.invert_yaxis()
        axes.set_xlim(0, _tens(share.interval[1] for share in shares))
        axes.xaxis.set_major_formatter("{x:.0f} %")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=_INK, alpha=0.15)
        axes.set_axisbelow(True)

    told = ", ".join(f"{name_of(share.kind)} {share.value:.0%}" for share in shares)
    return _svg(draw, (width, 290), "shares", "Share of each expression, with 95 % intervals", f"{told}.")


def timeline_top(group: Group) -> float:
    """The percentage that each row of the timeline goes up to."""
    return _tens(share.value for one in group.filled for share in one.tally.shares)


def _timeline(group: Group, width: int) -> str:
    """The share of each expression at each bin, one row of bars an expression."""

    def draw(figure: Any) -> None:
        rows = figure.subplots(len(KINDS), sharex=True)
        top = timeline_top(group)
        for number, (axes, kind) in enumerate(zip(rows, KINDS, strict=True)):
            shares = [one.tally.shares[number] for one in group.filled]
            _bars(axes, group, [100 * share.value for share in shares], _color_of(kind))
            axes.set_ylim(0, top)
            axes.set_yticks([top / 2], [name_of(kind)])
            axes.tick_params(axis="x", length=0 if number < len(KINDS) - 1 else 4)
        _name_bins(rows[-1], group, width)

    told = "; ".join(_peak(group, number) for number in range(len(KINDS)))
    return _svg(draw, (width, 470), "timeline", "Share of each expression over time", f"Highest: {told}.")


def _peak(group: Group, number: int) -> str:
    """The highest share of one of KINDS, and when it was."""
    shares = [one.tally.shares[number].value for one in group.filled]
    return f"{name_of(KINDS[number])} {max(shares):.0%} at {group.filled[shares.index(max(shares))].label}"


def _faces(group: Group, width: int) -> str:
    """The mean number of faces in a picture in each bin."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        _bars(axes, group, [one.tally.faces_a_picture for one in group.filled], _GRAY)
        axes.set_ylim(0)
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=5)
        axes.set_ylabel("faces")
        axes.grid(axis="y", color=_INK, alpha=0.15)
        _name_bins(axes, group, width)

    counts = [one.tally.faces_a_picture for one in group.filled]
    told = f"From {min(counts):.1f} to {max(counts):.1f} faces in a picture."
    return _svg(draw, (width, 190), "faces", "Faces in a picture over time", told)


def _valence(group: Group, width: int) -> str:
    """How pleasant the faces look in each bin, -1 to 1."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        _bars(axes, group, [one.tally.valence for one in group.filled], Emotion.HAPPY.color)
        top = _tens(abs(one.tally.valence) for one in group.filled) / 100
        axes.set_ylim(-top, top)
        axes.set_yticks([-top, 0, top], [f"unpleasant −{top:.1f}", "0", f"pleasant +{top:.1f}"])
        axes.axhline(0, color=_INK, linewidth=0.8)
        axes.spines["bottom"].set_visible(False)
        _name_bins(axes, group, width)

    highest, lowest = (f"{one.tally.valence:+.2f} at {one.label}" for one in (group.ranked[0], group.ranked[-1]))
    told = f"Highest: {highest}; lowest: {lowest}."
    return _svg(draw, (width, 210), "valence", "How pleasant the faces look over time", told)


def _tens(shares: Iterable[float]) -> float:
    """The end of an axis in percent: the largest share, up to the next ten."""
    return 10.0 * max(1, min(10, ceil(10 * max(shares))))


def _bars(axes: Any, group: Group, values: Sequence[float], color: str) -> None:
    """A bar a bin; a shade where there are too few faces."""
    many = len(group.bins) > 100
    indices = [one.index for one in group.filled]
    edge = {"edgecolor": _INK, "linewidth": 0 if many else 0.6}
    axes.bar(indices, values, color=color, width=1 if many else 0.86, **edge)
    for index in set(range(len(group.bins))) - set(indices):
        axes.axvspan(index - 0.5, index + 0.5, color=_INK, alpha=0.1, linewidth=0)
    axes.tick_params(axis="y", length=0)
    axes.set_axisbelow(True)


def _name_bins(axes: Any, group: Group, width: int) -> None:
    """Names some of the bins under the axis, as many as there is room for."""
    longest = max(len(one.tick) for one in group.bins)
    room = max(2, int(width * 0.8 / (9 * longest + 14)))
    step = -(-len(group.bins) // room)
    chosen = range(0, len(group.bins), step)
    axes.set_xticks(chosen, [group.bins[index].tick for index in chosen])
    axes.set_xlim(-0.7, len(group.bins) - 0.3)


def _svg(draw: Callable[[Any], None], size: tuple[int, int], name: str, title: str, told: str) -> str:
    """A drawing as an SVG element with names of its own, so that several can stand on a page."""
    file = io.BytesIO()
    # half a second that the page's start need not wait for
    import matplotlib
    from matplotlib.figure import Figure

    with DRAWING, matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
        draw(figure)
        none = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=none)
    return _for_page(ElementTree.fromstring(file.getvalue()), f"{name}-{size[0]}", title, told)


def _for_page(root: ElementTree.Element, prefix: str, title: str, told: str) -> str:
    """matplotlib's SVG without what a page has itself (fonts, sizes, styles), and with title and description."""
    text = ElementTree.tostring(root, encoding="unicode")
    linked = set(re.findall(r"#(\w+)\b(?=[\")])", text))
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag.endswith("}style")]:
            parent.remove(child)
        attributes = {key.rpartition("}")[2]: value for key, value in parent.attrib.items()}
        if attributes.get("id") not in linked:
            attributes.pop("id", None)
        parent.attrib.clear()
        parent.attrib |= {key: _own(key, value, prefix) for key, value in attributes.items()}
    for key in ("width", "height", "version"):
        root.attrib.pop(key)
    root.attrib |= {"role": "img", "aria-labelledby": f"{prefix}-title {prefix}-desc"}
    for tag, words in (("desc", told), ("title", title)):
        element = ElementTree.Element(f"{{{_SVG}}}{tag}", {"id": f"{prefix}-{tag}"})
        element.text = words
        root.insert(0, element)
    return ElementTree.tostring(root, encoding="unicode")


def _own(key: str, value: str, prefix: str) -> str:
    """An attribute's value with names that no other drawing has, the page's ink and the page's font."""
    if key == "id":
        return f"{prefix}-{value}"
    if key in ("href", "clip-path"):
        return value.replace("#", f"#{prefix}-")
    return re.sub(r"font-family: [^;]*;? ?", "", value.replace(_INK, "currentColor"))
