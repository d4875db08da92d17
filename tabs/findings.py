"""What was found in several photos or in a video, as the page shows it. What came from a visitor is escaped."""

import base64
import html
import tempfile
from collections.abc import Sequence
from pathlib import Path

from femr import __version__, display
from femr.errors import DataError
from femr.mood import vote
from femr.output.rows import to_csv, to_rows
from femr.output.timeline import Timeline
from femr.report.page import to_html
from femr.report.summary import clock, summarise
from femr.results import Analysis
from tabs.loaded import music_library
from tabs.uploads import download

HEADERS = ("where", *display.TABLE_HEADERS)
WIDTHS = ("120px", *display.TABLE_WIDTHS)
SHOWN_ROWS = 20


def findings(analyses: Sequence[Analysis]) -> tuple[str, str, list[list[str]], str]:
    """Summary and timeline (HTML), the first rows of HEADERS, and the links to table and report (HTML)."""
    video = any(analysis.time is not None for analysis in analyses)
    timeline = Timeline()
    for analysis in analyses:
        timeline.add(analysis)
    faces = [face for analysis in analyses for face in analysis.faces]
    mood = timeline.mood() if video else vote(faces)
    shown = [
        [_where(analysis), *display.table_row(face)] for analysis in analyses for face in analysis.faces[:SHOWN_ROWS]
    ]
    summary = display.headline(mood) + _counts(analyses, len(faces), len(shown)) + _failures(analyses)
    picture = _drawn(timeline) if video and faces else ""
    return summary, picture, shown[:SHOWN_ROWS], _links(analyses)


def _counts(analyses: Sequence[Analysis], faces: int, rows: int) -> str:
    read = [analysis for analysis in analyses if analysis.error is None]
    noun = "frame" if read and read[0].time is not None else "photo"
    rest = f" The first {SHOWN_ROWS} are in the table, all of them in the download." if faces > SHOWN_ROWS else ""
    return f"<p>{_plural(faces, 'face')} in {_plural(len(read), noun)}.{rest}</p>"


def _failures(analyses: Sequence[Analysis]) -> str:
    """A line a file that could not be read."""
    failed = [analysis for analysis in analyses if analysis.error]
    lines = [f"<li>{html.escape(f'{analysis.file}: {analysis.error}')}</li>" for analysis in failed]
    return f"<p>Not read:</p><ul>{''.join(lines)}</ul>" if lines else ""


def _drawn(timeline: Timeline) -> str:
    """The timeline's picture as HTML that holds it; no file of it stays on the server."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "timeline.png")
        timeline.save(path)
        data = base64.b64encode(path.read_bytes()).decode()
    alt = "The share of each expression over the time of the video"
    return f'<img alt="{alt}" src="data:image/png;base64,{data}">'


def _links(analyses: Sequence[Analysis]) -> str:
    """The whole table and the group report as downloads; why there is no report, where there is none."""
    links = [download("femr.csv", to_csv(analyses), "text/csv", "Download the table (CSV)")]
    try:
        group = summarise(row for analysis in analyses for row in to_rows(analysis))
        page = to_html(group, music_library(), __version__)
        links.append(download("report.html", page, "text/html", "Download the group report (HTML)"))
    except DataError as error:
        links.append(f"No group report: {html.escape(str(error))}")
    return "<br>".join(links)


def _where(analysis: Analysis) -> str:
    return clock(analysis.time) if analysis.time is not None else str(analysis.file)


def _plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
