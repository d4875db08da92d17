"""The group report as one HTML file: no network, no script, no picture but drawn charts.

The words and the looks are in page.html; here is what it shows.
"""

from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from femr.errors import clock, plural
from femr.expression.facts import ModelFacts
from femr.expression.weights import MODEL_NAMES, load_facts
from femr.music import AFFECT, HARD, Mode, MusicLibrary
from femr.report.charts import charts_of, name_of, timeline_top
from femr.report.count import KINDS
from femr.report.summary import FilledBin, Group
from femr.results import EMOTIONS

_SONGS = 3  # in a playlist
_EXTREMES = 3  # best and lowest moments


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
        # trusted: drawn here, and all text in it escaped by the XML writer
        charts={name: {size: Markup(svg) for size, svg in drawn.items()} for name, drawn in charts_of(group).items()},
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
    looks = dict(zip(EMOTIONS, total.shares, strict=False))
    if total.mood is None or not any(total.sure):
        return f"The model is unsure of all {total.faces:,} faces."
    top = looks.pop(total.mood)
    tied = [f"as many {name_of(share.kind)}" for share in looks.values() if share.count == top.count]
    rest = f" and {' and '.join(tied)}" if tied else ", more than any other way"
    said = f"Of {total.faces:,} faces {_percent(top.value)} look {name_of(top.kind)}{rest}"
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
    widths += [plural(group.videos_a_bin, "video")] if group.videos_a_bin > 1 else []
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
        (intro, [" · ".join([song.title, *song.facts]) for song in library.playlist(mood, mode, _SONGS)])
        for mode, intro in modes
    ]
    return [(intro, songs) for intro, songs in lists if songs]


def _percent(value: float) -> str:
    """A share in percent, with a digit after the point where it is small."""
    digits = 1 if 0 < value < 0.0995 else 0
    return f"{100 * value:.{digits}f} %"


def _limits(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f}–{100 * interval[1]:.1f}"
