"""An analysis as the page shows it: HTML and strings. What came from a file or a visitor is escaped."""

import base64
import html

from femr.emotions import EMOTIONS
from femr.music import MusicLibrary
from femr.report import Entry, to_csv
from femr.results import FaceEmotion, Mood, Song

TABLE_HEADERS = ("#", "looks", "sure", *EMOTIONS)
WAITING = (
    '<div class="mood"><span class="emoji">🎧</span><div>The mood will stand here, and its song will play.</div></div>'
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


def table_row(face: FaceEmotion) -> list[str]:
    """A face's row: number as drawn, expression, its score, all seven scores."""
    looks = face.scores.top.value + (" (unclear)" if face.unsure else "")
    return [str(face.number), looks, *(f"{score:.0%}" for score in (face.scores.top_score, *face.scores.probabilities))]


def csv_link(entry: Entry) -> str:
    """The table as a link that carries its own content, so that no file of it is left on the server."""
    if not (entry.analysis and entry.analysis.faces):
        return ""
    data = base64.b64encode(to_csv([entry]).encode()).decode()
    return f'<a download="femr.csv" href="data:text/csv;base64,{data}">Download the table (CSV)</a>'
