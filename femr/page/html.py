"""What the page shows, as HTML and rows, and its own words. What came from a file or a visitor is escaped.

Pictures and downloads carry their content in their address: no copy of them is left on the server.
"""

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from femr.images import Pixels
from femr.output.rows import doubt, of_ten, to_csv
from femr.output.show import data_url
from femr.results import EMOTIONS, Analysis, Emotion, FaceEmotion, Mood

TABLE_HEADERS = ("#", "looks", "of ten people", *EMOTIONS)
PRIVACY = "Used for this answer only, deleted from the server within 30 minutes. No one is identified."
LIFT = (
    "Lift answers anger, disgust, fear and sadness with songs that lead out of the mood step by step: "
    "the nearest neutral and happy ones first."
)
TITLE = "<header><h1>femr</h1><p>Hear the mood of your photo.</p></header>"
ABOUT = (
    "<p>femr shows the <em>expression</em> that people would name, as far as a network can tell, not what a person "
    "feels, and it errs: <em>About</em> says how often. Ask the people in the picture first. Not for decisions about "
    "people; in the EU not for pupils or staff (AI Act, Art. 5).</p>"
)


def plate(emoji: str, words: str) -> str:
    """Words with an emoji, where the mood stands otherwise."""
    return f'<div class="mood"><span class="emoji">{emoji}</span><div>{escape(words)}</div></div>'


def headline(mood: Mood) -> str:
    """The mood and the reason for it."""
    if mood.emotion is None:
        return plate("🔍", mood.reason)
    emoji, color, name = mood.emotion.emoji, mood.emotion.color, mood.emotion.adjective.capitalize()
    words = f'<div class="name">{name}</div><div class="reason">{escape(mood.reason)}</div>'
    face = f'<span class="emoji" aria-hidden="true">{emoji}</span>'
    return f'<div class="mood" style="--mood: {color}">{face}<div>{words}</div></div>'


def table_row(face: FaceEmotion) -> list[str]:
    """A face's row of TABLE_HEADERS: number as drawn, expression, what people would say, all seven scores."""
    scores = (f"{score:.0%}" for score in face.scores.probabilities)
    return [str(face.number), face.scores.top + doubt(face), of_ten(face), *scores]


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], name: str) -> str:
    """Rows of cells; what does not fit beside it is scrolled to, by keys too."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in headers)
    lines = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    inside = f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    return f'<div class="rows" role="region" aria-label="{escape(name)}" tabindex="0">{inside}</div>'


def song_cards(songs: Iterable[dict[str, Any]]) -> str:
    """A card a song, which plays it and then those beside it: see static/player.js."""
    return f'<div class="cards">{"".join(f"<div>{_card(song)}{_link(song)}</div>" for song in songs)}</div>'


def _card(song: dict[str, Any]) -> str:
    line = ", ".join(filter(None, [song["length"], *song["facts"][:1]]))
    return (
        f'<button type="button" data-play="{escape(json.dumps(song))}" style="--mood: {song["color"]}">'
        f'<img src="{song["cover"]}" alt="" width="72" height="72" loading="lazy">'
        f'<span class="title">{escape(song["title"])}</span><span class="line">{escape(line)}</span></button>'
    )


def _link(song: dict[str, Any]) -> str:
    if not song["link"]:
        return ""
    host = escape(song["site"])
    where = f'href="{escape(song["link"])}" target="_blank" rel="noopener noreferrer"'
    return f'<a class="link" {where} aria-label="{escape(song["title"])} at {host}">{host} ↗</a>'


def photo_card(photo: Pixels, found: Analysis, alt: str) -> str:
    """A photo with its boxes, and its mood under it."""
    emotion = found.mood.emotion
    mood = (
        f'<span class="emoji" aria-hidden="true">{emotion.emoji}</span> {emotion.adjective}' if emotion else "no mood"
    )
    picture = f'<img alt="{escape(alt)}" src="{jpeg_url(photo)}">'
    return f"<figure>{picture}<figcaption>{mood} · {escape(str(found.file))}</figcaption></figure>"


def jpeg(image: Pixels) -> bytes:
    """A picture, RGB uint8 (h, w, 3), as a file."""
    _, content = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return content.tobytes()


def jpeg_url(image: Pixels) -> str:
    """A picture, RGB uint8 (h, w, 3), as an address that holds it."""
    return data_url(jpeg(image), "image/jpeg")


def download(name: str, text: str, kind: str, label: str) -> str:
    """A link that carries its own content."""
    return f'<a class="download" download="{name}" href="{data_url(text.encode(), kind)}">{escape(label)}</a>'


def table_csv(analyses: Sequence[Analysis]) -> str:
    """The table of all faces, marked as UTF-8: it is opened in Excel."""
    return "\ufeff" + to_csv(analyses)


def table_link(analyses: Sequence[Analysis]) -> str:
    """The table of all faces as a download."""
    return download("femr.csv", table_csv(analyses), "text/csv", "Download the table (CSV)")


def report_link(page: str) -> str:
    """The group report as a download."""
    return download("report.html", page, "text/html", "Download the group report (HTML)")


def failures(analyses: Iterable[Analysis]) -> str:
    """A line a file that could not be read."""
    lines = [f"<li>{escape(f'{one.file}: {one.error}')}</li>" for one in analyses if one.error]
    return f"<p>Not read:</p><ul>{''.join(lines)}</ul>" if lines else ""


def report_frame(page: str) -> str:
    """A whole page in a frame: sandboxed, so that neither script nor form nor link of it could do anything."""
    return f'<iframe class="report" title="Group report" sandbox="" srcdoc="{escape(page)}"></iframe>'


def film_chart(edges: npt.NDArray[np.float64], shares: npt.NDArray[np.float64]) -> str:
    """The shares of the expressions over a film, a named lane each, under a slider: see static/film.js.

    Args: see `Timeline.columns`. A screen reader hears the means, and what each moment looks most.
    """
    seen = ~np.isnan(shares[:, 0])
    means = shares[seen].mean(axis=0) if seen.any() else np.zeros(len(EMOTIONS))
    spoken = ", ".join(f"{emotion} {mean:.0%}" for emotion, mean in zip(EMOTIONS, means, strict=True))
    lanes = "".join(
        f'<div class="lane"><span>{emotion}</span>{_steps(emotion, edges, column)}<span>{mean:.0%}</span></div>'
        for emotion, column, mean in zip(EMOTIONS, np.nan_to_num(shares).T, means, strict=True)
    )
    looks = [EMOTIONS[np.argmax(row)].adjective if there else "" for row, there in zip(shares, seen, strict=True)]
    moments = escape(json.dumps([[round(float(start), 2), word] for start, word in zip(edges, looks, strict=False)]))
    chart = f'<div class="lanes" role="img" aria-label="Over the film: {spoken}">{lanes}</div>'
    slider = f'<input type="range" min="0" max="{edges[-1]:.2f}" step="any" value="0" aria-label="Place in the film">'
    hint = "<output>Tap the chart to see that moment.</output>"
    return f'<div class="film" data-moments="{moments}">{chart}{slider}{hint}</div>'


def _steps(emotion: Emotion, edges: npt.NDArray[np.float64], shares: npt.NDArray[np.float64]) -> str:
    steps = "".join(f"V{1 - share:.2f}H{end:.2f}" for share, end in zip(shares, edges[1:], strict=True))
    box = f'<svg viewBox="0 0 {edges[-1]:.2f} 1" preserveAspectRatio="none" fill="{emotion.color}">'
    return f'{box}<path d="M0 1{steps}V1z"/></svg>'
