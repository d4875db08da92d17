"""The group report as one HTML file: no network, no script, no picture but drawn charts.

The words and the looks are in page.html; here is what it shows. The charts are SVG: text stays text, ink is the page's,
a reader hears title and summary. Their bars are told apart by place and name, so no meaning hangs on colour; gaps are
bins with too few faces.
"""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from pathlib import Path
from threading import Lock
from typing import Any
from xml.etree import ElementTree

import jinja2
from markupsafe import Markup

from femr.expression.facts import ModelFacts
from femr.expression.weights import MODEL_NAMES, load_facts
from femr.music import AFFECT, HARD, Mode, MusicLibrary
from femr.report.summary import KINDS, FilledBin, Group, Tally
from femr.results import EMOTIONS, Emotion
from femr.wording import clock, plural, song_facts

WIDE, NARROW = 720, 350
"""Widths in the page's pixels: for a desktop's window and paper, and for a phone's."""

_SONGS = 3  # in a playlist
_EXTREMES = 3  # best and lowest moments
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
_lock = Lock()  # matplotlib's settings belong to the process, and the page draws for several visitors

ElementTree.register_namespace("", _SVG)


def to_html(group: Group, library: MusicLibrary, version: str) -> str:
    """The report as the text of an HTML file.

    Args:
        library: Where the playlist is chosen from.
        version: That of femr, for the last line.
    """
    page = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters |= {"percent": _percent, "limits": _limits, "word": name_of}
    facts = [load_facts(name) for name in group.models if name in MODEL_NAMES]
    return page.get_template("page.html").render(
        group=group,
        kinds=KINDS,
        version=version,
        answer=answer(group),
        facts=_facts(group, facts),
        charts=_charts(group),
        timeline_top=f"{timeline_top(group):.0f}" if group.filled else "",
        shaded=f" Shaded: fewer than {group.least} faces." if len(group.filled) < len(group.bins) else "",
        valences=", ".join(f"{emotion.adjective} {AFFECT[emotion][0]:+g}".replace("-", "−") for emotion in EMOTIONS),
        extremes=_extremes(group.ranked),
        playlists=_playlists(group, library),
        errors=_errors(facts),
    )


def answer(group: Group) -> str:
    """The report in a sentence or two."""
    total = group.total
    share = max(total.shares[:-1], key=lambda share: share.count)
    if share.count == 0:
        return f"The model is unsure of all {total.faces:,} faces."
    looks = name_of(share.kind)
    said = f"Of {total.faces:,} faces {_percent(share.value)} look {looks}, more than any other way"
    unsure = f"; of {_percent(total.shares[-1].value)} the model is unsure." if total.unsure else "."
    if len(group.filled) < 2:
        return said + unsure
    return f"{said}{unsure} The best moment is {group.ranked[0].label}, the lowest {group.ranked[-1].label}."


def _facts(group: Group, facts: Sequence[ModelFacts]) -> list[tuple[str, str]]:
    """What was analysed: name and value."""
    read = []
    if group.photos:
        read.append(plural(group.photos, "photo"))
    if group.videos:
        together = " together" if group.videos > 1 else ""
        length = f"{clock(round(group.duration))}{together}, {plural(group.frames, 'frame')}"
        read.append(f"{plural(group.videos, 'video')} ({length})")
    pool = group.pool.pictures if group.pool else 0
    shown = group.total.pictures - pool
    counted = [f"{shown:,} with {group.least} faces or more"] if shown else []
    counted += [f"{plural(pool, 'photo')} with fewer, together"] if pool else []
    found = [
        ("Read", " and ".join(read)),
        ("Pictures counted", "; ".join(counted)),
        ("Counted nowhere", f"{plural(group.left_out, 'picture')} with fewer faces or none" if group.left_out else ""),
        ("Could not be read", plural(group.failed, "file") if group.failed else ""),
        ("Faces counted", f"{group.total.faces:,}, at most {group.total.most} in a picture"),
        ("Unsure faces", f"{_percent(group.total.shares[-1].value)} ({_limits(group.total.shares[-1].interval)})"),
        ("Moments", _axis(group)),
        ("Model", "; ".join([_model(one) for one in facts] or ["not one of femr's"])),
    ]
    return [(name, value) for name, value in found if value]


def _axis(group: Group) -> str:
    widths = [f"{group.bin_seconds:g} seconds of a video"] if group.bin_seconds else []
    widths += [plural(group.photos_a_bin, "photo")] if group.photos else []
    hidden = len(group.bins) - len(group.filled)
    shown = f"{len(group.filled)} shown, of {' or '.join(widths)} each"
    return f"{shown}; {hidden} not shown, with too few faces" if hidden else shown


def _model(facts: ModelFacts) -> str:
    measured = facts.scores.get("PrivateTest")
    right = measured and measured.accuracy_mirrored
    if not right:
        return facts.title
    limits = _limits((right.low, right.high))
    return f"{facts.title}, right on {_percent(right.value)} ({limits}) of FER2013's test faces"


def _errors(facts: Sequence[ModelFacts]) -> str:
    """How much each model finds of the expressions it finds least of."""
    told = []
    for one in facts:
        classes = one.scores["PrivateTest"].per_class if "PrivateTest" in one.scores else {}
        worst = sorted(classes.items(), key=lambda known: known[1].recall)[:3]
        listed = ", ".join(f"{_percent(scores.recall)} of {name}" for name, scores in worst)
        few = f"; only {classes['disgust'].images} test faces show disgust" if "disgust" in classes else ""
        told += [f"Of FER2013's test faces {one.title} finds {listed}{few}."] if worst else []
    return " ".join(told)


def _charts(group: Group) -> dict[str, dict[str, Markup]]:
    """Each chart in two widths. Trusted: drawn here, and all text in it escaped by the XML writer."""
    sizes = {"wide": WIDE, "narrow": NARROW}
    drawings = {"shares": {name: Markup(shares_chart(group.total, width)) for name, width in sizes.items()}}
    if len(group.filled) > 1:
        over_time = {"timeline": timeline_chart, "faces": faces_chart, "valence": valence_chart}
        for title, draw in over_time.items():
            drawings[title] = {name: Markup(draw(group, width)) for name, width in sizes.items()}
    return drawings


def _extremes(ranked: Sequence[FilledBin]) -> list[tuple[str, Sequence[FilledBin]]]:
    """The best and the lowest moments, none of them both."""
    count = min(_EXTREMES, len(ranked) // 2)
    return [("Best", ranked[:count]), ("Lowest", ranked[::-1][:count])]


def _playlists(group: Group, library: MusicLibrary) -> list[tuple[str, list[str]]]:
    """Songs for the mood of all faces, and where it is a hard one, songs that lead out of it."""
    mood = group.total.mood
    if mood is None:
        return []
    modes: list[tuple[Mode, str]] = [("match", f"For faces that look {mood.adjective}:")]
    modes += [("lift", "To lead out of it:")] if mood in HARD else []
    lists = [
        (intro, [" · ".join([song.title, *song_facts(song)]) for song in library.playlist(mood, mode, _SONGS)])
        for mode, intro in modes
    ]
    return [(intro, songs) for intro, songs in lists if songs]


def _percent(value: float) -> str:
    """A share in percent, with a digit after the point where it is small."""
    digits = 1 if 0 < value < 0.0995 else 0
    return f"{100 * value:.{digits}f} %"


def _limits(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}"


def color_of(kind: str) -> str:
    """The colour of one of summary.KINDS, as #RRGGBB."""
    return Emotion(kind).color if kind in EMOTIONS else _GRAY


def name_of(kind: str) -> str:
    """The word for one of summary.KINDS beside a bar: "happy", "disgusted", "unsure"."""
    return Emotion(kind).adjective if kind in EMOTIONS else kind


def shares_chart(total: Tally, width: int = WIDE) -> str:
    """The share of each expression among all faces, with its interval, as SVG."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        rows = range(len(KINDS))
        values = [100 * share.value for share in total.shares]
        limits = [[100 * abs(share.value - limit) for limit in share.interval] for share in total.shares]
        axes.barh(rows, values, color=[color_of(kind) for kind in KINDS], edgecolor=_INK, linewidth=0.6, height=0.66)
        axes.errorbar(values, rows, xerr=list(zip(*limits, strict=True)), fmt="none", ecolor=_INK, capsize=3, lw=1.2)
        axes.set_yticks(rows, [name_of(kind) for kind in KINDS])
        axes.invert_yaxis()
        axes.set_xlim(0, _tens(share.interval[1] for share in total.shares))
        axes.xaxis.set_major_formatter("{x:.0f} %")
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=_INK, alpha=0.15)
        axes.set_axisbelow(True)

    told = ", ".join(f"{name_of(share.kind)} {share.value:.0%}" for share in total.shares)
    return _svg(draw, (width, 290), "shares", "Share of each expression, with 95 % intervals", f"{told}.")


def timeline_top(group: Group) -> float:
    """The percentage that each row of the timeline goes up to."""
    return _tens(share.value for one in group.filled for share in one.tally.shares)


def timeline_chart(group: Group, width: int = WIDE) -> str:
    """The share of each expression at each bin, one row of bars an expression, as SVG."""

    def draw(figure: Any) -> None:
        rows = figure.subplots(len(KINDS), sharex=True)
        top = timeline_top(group)
        for number, (axes, kind) in enumerate(zip(rows, KINDS, strict=True)):
            shares = [one.tally.shares[number] for one in group.filled]
            _bars(axes, group, [100 * share.value for share in shares], color_of(kind))
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


def faces_chart(group: Group, width: int = WIDE) -> str:
    """The mean number of faces in a picture in each bin, as SVG."""

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


def valence_chart(group: Group, width: int = WIDE) -> str:
    """How pleasant the faces look in each bin, -1 to 1, as SVG."""

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

    with _lock, matplotlib.rc_context(_STYLE):
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
