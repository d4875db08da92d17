"""What was found in several photos or a video, as HTML, and as one ZIP file to take along."""

from collections.abc import Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import gradio as gr

from femr import __version__
from femr.batch.inputs import Input
from femr.errors import DataError
from femr.images import thumbnail
from femr.mood import vote
from femr.output.annotate import blurred, draw
from femr.output.rows import to_rows
from femr.output.share import to_m3u8
from femr.output.timeline import Timeline
from femr.page import card, html
from femr.page.api import addresses
from femr.page.shared import music_library
from femr.report.page import to_html
from femr.report.summary import summarise
from femr.results import Analysis
from femr.wording import clock, plural

SHOWN_ROWS = 100
MOST_SHOWN = 40  # photos
SHOWN_SIDE, KEPT_SIDE = 640, 1920  # pixels of the long side of a photo with its boxes, on the page and in the ZIP file
HEADERS = ("where", *html.TABLE_HEADERS)


class Findings:
    """Gathers the analyses of several photos or of one video.

    Args:
        parcel: The ZIP file in the making.
        blur: Hide the faces in photos.
    """

    def __init__(self, parcel: ZipFile, blur: bool = False) -> None:
        self._parcel, self._blur = parcel, blur
        self._analyses: list[Analysis] = []
        self._photos: list[str] = []  # as HTML
        self._timeline = Timeline()

    def add(self, analysis: Analysis, source: Input) -> None:
        """One more photo, which goes into the parcel with its boxes; or one more frame."""
        self._analyses.append(analysis)
        self._timeline.add(analysis)
        if analysis.time is not None or analysis.error:
            return
        pixels = thumbnail(source.image(), KEPT_SIDE)
        photo = draw(blurred(pixels, analysis) if self._blur else pixels, analysis)
        name = "".join(letter if letter.isalnum() else "_" for letter in Path(source.name).stem)[:60]
        self._parcel.writestr(f"photos/{len(self._analyses):03} {name}.jpg", html.jpeg(photo))
        if len(self._photos) < MOST_SHOWN:
            self._photos.append(html.photo_card(thumbnail(photo, SHOWN_SIDE), analysis, card.told(analysis.faces)))

    def conclude(self, film: Path | None = None, request: gr.Request | None = None) -> tuple[str, str, str, str]:
        """Summary with songs, photos or timeline, the first rows of HEADERS, links to table and report: all as HTML.

        The same, the film and a playlist with the addresses at which the page serves its songs, go into the parcel.
        """
        analyses, video = self._analyses, bool(self._timeline.frames)
        faces = [face for analysis in analyses for face in analysis.faces]
        mood = self._timeline.mood() if video else vote(faces)
        songs = card.playlist(music_library(), mood.emotion, "match", ()) if mood.emotion else []
        cards = html.song_cards([card.song_card(song) for song in songs])
        listed = f'<div class="library">{cards}</div>' if songs else ""
        summary = html.headline(mood) + _counts(analyses, len(faces)) + html.failures(analyses) + listed
        gallery = f'<div class="photos">{"".join(self._photos)}</div>' if self._photos else ""
        drawn = html.film_chart(*self._timeline.columns()) if video and faces else gallery
        report, why = _report(analyses)
        links = "<br>".join((html.table_link(analyses), html.report_link(report) if report else escape(why)))
        self._pack(report, film)
        if request:
            self._parcel.writestr("playlist.m3u8", to_m3u8(songs, addresses(request.request)))
        return summary, drawn, _table(analyses), links

    def _pack(self, report: str, film: Path | None) -> None:
        self._parcel.writestr("femr.csv", html.table_csv(self._analyses))
        if report:
            self._parcel.writestr("report.html", report)
        if self._timeline.frames:
            picture = BytesIO()
            self._timeline.save(picture)
            self._parcel.writestr("timeline.png", picture.getvalue())
        if film:
            self._parcel.write(film, film.name)


def _counts(analyses: Sequence[Analysis], faces: int) -> str:
    read = [analysis for analysis in analyses if analysis.error is None]
    noun = "frame" if read and read[0].time is not None else "photo"
    rest = f" The first {SHOWN_ROWS} are in the table, all of them in the download." if faces > SHOWN_ROWS else ""
    return f"<p>{plural(faces, 'face')} in {plural(len(read), noun)}.{rest}</p>"


def _table(analyses: Sequence[Analysis]) -> str:
    rows = [[_where(analysis), *html.table_row(face)] for analysis in analyses for face in analysis.faces[:SHOWN_ROWS]]
    return html.table(HEADERS, rows[:SHOWN_ROWS], "Faces") if rows else ""


def _where(analysis: Analysis) -> str:
    return clock(analysis.time) if analysis.time is not None else str(analysis.file)


def _report(analyses: Sequence[Analysis]) -> tuple[str, str]:
    """The group report as a page, and why there is none where it may not be shown."""
    try:
        group = summarise(row for analysis in analyses for row in to_rows(analysis))
        return to_html(group, music_library(), __version__), ""
    except DataError as error:
        return "", f"No group report: {error}"
