"""The group's mood over the last minute as HTML: a lane an expression, named, so that no meaning hangs on colour."""

from collections import Counter
from collections.abc import Iterable
from itertools import zip_longest

from femr.results import EMOTIONS, Emotion
from femr.video.session import HISTORY, Moment

_GAP = 1.5  # seconds; a longer step between two moments stays empty
_LAST = 0.5  # seconds that the newest moment is wide
_HIGH = 10  # of a lane, in the drawing's own units; its width is in seconds


def mood_chart(history: Iterable[Moment]) -> str:
    """A lane for each expression: as high as the share of the faces that voted for it, from a minute ago to now.

    Beside it stands its share of all votes of the minute. A screen reader hears those shares.
    """
    moments = tuple(history)
    votes = Counter[Emotion]()
    for moment in moments:
        votes.update(moment.counts)
    total = votes.total()
    shares = {emotion: f"{votes[emotion] / total:.0%}" if votes[emotion] else "" for emotion in EMOTIONS}
    spoken = ", ".join(f"{emotion} {shares[emotion]}" for emotion, _ in votes.most_common()) or "nobody yet"
    lanes = "".join(_lane(emotion, moments, shares[emotion]) for emotion in EMOTIONS)
    axis = '<div class="axis"><span></span><span><span>a minute ago</span><span>now</span></span><span></span></div>'
    return f'<div class="lanes" role="img" aria-label="The last minute: {spoken}">{lanes}{axis}</div>'


def _lane(emotion: Emotion, moments: tuple[Moment, ...], share: str) -> str:
    strip = f'<svg viewBox="0 0 {HISTORY:g} {_HIGH}" preserveAspectRatio="none" fill="{emotion.color}">'
    return f'<div class="lane"><span>{emotion}</span>{strip}{_bars(emotion, moments)}</svg><span>{share}</span></div>'


def _bars(emotion: Emotion, moments: tuple[Moment, ...]) -> str:
    """Rectangles; neighbours of the same height are one."""
    bars: list[tuple[float, float, float]] = []  # from, to, height
    for moment, following in zip_longest(moments, moments[1:]):
        votes = moment.counts.get(emotion, 0)
        if not votes:
            continue
        start = moment.time
        stop = start + (min(following.time - start, _GAP) if following else _LAST)
        height = _HIGH * votes / sum(moment.counts.values())
        if bars and bars[-1][1] == start and bars[-1][2] == height:
            start = bars.pop()[0]
        bars.append((start, stop, height))
    origin = moments[-1].time + _LAST - HISTORY if moments else 0.0
    return "".join(
        f'<rect x="{start - origin:.2f}" width="{stop - start:.2f}" y="{_HIGH - height:.1f}" height="{height:.1f}"/>'
        for start, stop, height in bars
    )
