"""An analysis as the page shows it, and the page's own words. What came from a file or a visitor is escaped."""

import base64
import html
from pathlib import Path
from typing import Any

from femr.music import MusicLibrary
from femr.output.rows import of_ten, to_csv, to_dict
from femr.results import EMOTIONS, Analysis, FaceEmotion, Mood, Song

TABLE_HEADERS = ("#", "looks", "of ten people", *EMOTIONS)
TABLE_WIDTHS = ("40px", "110px", "160px", *["90px"] * len(EMOTIONS))
"""Of the columns: what people would say is in sight on a phone too."""
SONG_HEADERS = ("song", "mood", "length", "key", "bpm", "by", "licence")
# Gradio's player keeps its audio element in a shadow root, where document.querySelectorAll does not look
SILENCE = """() => {
  const pause = (root) => root.querySelectorAll('*').forEach((element) => {
    if (element.tagName === 'AUDIO') element.pause();
    if (element.shadowRoot) pause(element.shadowRoot);
  });
  pause(document);
}"""
WAITING = (
    '<div class="mood"><span class="emoji">🎧</span><div>The mood will stand here, and its song will play.</div></div>'
)
PRIVACY = (
    "Your picture is used for this answer only and deleted from the server within 30 minutes. No one is identified."
)
EXAMPLE_NOTE = "Astronaut Eileen Collins, photo by NASA, public domain."
LIFT = (
    "Lift answers anger, disgust, fear and sadness with songs that lead out of the mood step by step: "
    "the nearest neutral and happy ones first."
)
ABOUT = (
    "femr shows the *expression* that people would name, as far as a network can tell, not what a person feels, and it "
    "errs: *About* says how often. Ask the people in the picture first. Not for decisions about people; in the EU not "
    "for pupils or staff (AI Act, Art. 5)."
)


def headline(mood: Mood) -> str:
    """The mood and the reason for it, as HTML."""
    if mood.emotion is None:
        return f'<div class="mood"><span class="emoji">🔍</span><div>{html.escape(mood.reason)}</div></div>'
    emoji, color, name = mood.emotion.emoji, mood.emotion.color, mood.emotion.adjective.capitalize()
    words = f'<div class="name">{name}</div><div class="reason">{html.escape(mood.reason)}</div>'
    face = f'<span class="emoji" aria-hidden="true">{emoji}</span>'
    return f'<div class="mood" style="--mood: {color}">{face}<div>{words}</div></div>'


def song_line(song: Song | None, mood: Mood, library: MusicLibrary) -> str:
    """Title and facts of a song, as HTML; why there is none, where a mood has none."""
    if song is None:
        nothing = library.problems[0] if not library.songs and library.problems else "There is no song for this mood."
        return html.escape(nothing) if mood.emotion else ""
    key = " ".join(part for part in (song.key, song.mode) if part)
    tempo = f"{song.tempo:.0f} bpm" if song.tempo else None
    facts = [html.escape(str(fact)) for fact in (song.artist, key, tempo, song.licence) if fact]
    return " · ".join([f"♫ <b>{html.escape(song.title)}</b>", *facts])


def song_row(song: Song) -> list[str]:
    """A song's row of SONG_HEADERS; what is not known stays empty."""
    length = f"{song.duration // 60:.0f}:{song.duration % 60:02.0f}" if song.duration else ""
    key = " ".join(part for part in (song.key, song.mode) if part)
    tempo = f"{song.tempo:.0f}" if song.tempo else ""
    return [f"▶ {song.title}", song.emotion.value, length, key, tempo, song.artist or "", song.licence or ""]


def table_row(face: FaceEmotion) -> list[str]:
    """A face's row of TABLE_HEADERS: number as drawn, expression, what people would say, all seven scores."""
    unclear = f"unclear: {face.unsure_reason}" if face.unsure_reason else "unclear"
    looks = face.scores.top.value + (f" ({unclear})" if face.unsure else "")
    return [str(face.number), looks, of_ten(face), *(f"{score:.0%}" for score in face.scores.probabilities)]


def thumbnail(path: Path) -> str:
    """A small JPEG as HTML with its content in it: a served copy would be swept away with the visitors' pictures."""
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="" src="data:image/jpeg;base64,{data}">'


def csv_link(analysis: Analysis) -> str:
    """The table as a link that carries its own content, so that no file of it is left on the server."""
    if not analysis.faces:
        return ""
    data = base64.b64encode(to_csv([analysis]).encode()).decode()
    return f'<a download="femr.csv" href="data:text/csv;base64,{data}">Download the table (CSV)</a>'


def public_details(analysis: Analysis) -> dict[str, Any]:
    """All numbers, without the server's paths: no visitor's business, and Gradio's client would try to follow them."""
    details = {key: value for key, value in to_dict(analysis).items() if key != "path"}
    song = details["song"] and {key: value for key, value in details["song"].items() if key != "path"}
    return {**details, "song": song}
