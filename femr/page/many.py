"""The Photos and video tab: several photos, a ZIP file of them or a video in; table, timeline, report and film out."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from html import escape
from itertools import count
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from femr import __version__
from femr.batch.folder import analyze_inputs
from femr.batch.inputs import Input, find
from femr.errors import DataError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import thumbnail
from femr.mood import vote
from femr.output.annotate import draw
from femr.output.rows import to_rows
from femr.output.timeline import Timeline
from femr.page import card, html
from femr.page.inputs import FilesInput
from femr.page.shared import MODELS, MODELS_INFO, analyzer, music_library, plain_errors, text_of
from femr.report.page import to_html
from femr.report.summary import summarise
from femr.results import Analysis, Mood
from femr.wording import clock, plural

MOST_PHOTOS = 200
LONGEST = 180  # seconds of a video
SHOWN_ROWS = 100
MOST_SHOWN = 40  # photos
PHOTO_SIDE = 640  # pixels of their long side
STEP = 4  # analyses between two looks at whether the visitor has cancelled
LIMITS = (
    f"Up to {MOST_PHOTOS} photos, the first {LONGEST // 60} minutes of a video, 100 MB a file; the command line has no "
    "such limits. All of it is deleted from the server within 30 minutes. No one is identified."
)
HEADERS = ("where", *html.TABLE_HEADERS)
QUEUE: Any = {"concurrency_id": "long", "concurrency_limit": 1}
"""Long work has a line of its own, one at a time. A single photo never waits behind it: the operating system shares the
processor between the two.
"""
PROGRESS = gr.Progress()
WAITING = html.plate("🎞️", "What was found will stand here.")
BLANK = (WAITING, "", "", "", gr.update(value=None, visible=False))


def chosen(paths: Sequence[str]) -> list[Input]:
    """What is to be read, under the visitor's own names, none twice. Raises: DataError if it is too much or mixed."""
    found: list[Input] = []
    for path in map(Path, paths):
        members = find([path]) if path.suffix.lower() == ".zip" else [Input(path.name, str(path))]
        found += [replace(each, name=each.member or each.name) for each in members]
    if len(found) > 1 and any(each.video for each in found):
        raise DataError("Expected photos, or one video. Received: both, or several videos.")
    if len(found) > MOST_PHOTOS:
        raise DataError(f"Expected at most {MOST_PHOTOS} photos here. Received: {len(found)}")
    names: set[str] = set()
    for number, each in enumerate(found):
        tries = (each.name if n == 1 else f"{each.name} ({n})" for n in count(1))
        name = next(name for name in tries if name not in names)
        names.add(name)
        found[number] = replace(each, name=name)
    return found


def analyze(paths: list[str], model: str, film: bool, progress: gr.Progress = PROGRESS) -> Iterator[tuple[Any, ...]]:
    """What is found in the files: summary, timeline, links to table and report (HTML), rows, annotated video.

    It stops between two steps when the visitor cancels, and leaves no file then.
    """
    if not paths:
        raise gr.Error("Choose photos or a video first, and wait until they are here.", print_exception=False)
    folder = Path(get_upload_folder()) / secrets.token_hex(20)  # a name that nobody guesses, swept with the uploads
    target = folder / "annotated.mp4"
    delivered = False
    try:
        with plain_errors():
            inputs = chosen(paths)
            video = inputs[0].video
            length = _length(inputs[0]) if video else len(inputs)
            progress(0, desc="Starting")
            source: Iterator[Analysis] = analyze_inputs(analyzer(model), inputs)
            if film and video:
                from femr.video.writer import annotated

                folder.mkdir()
                source = annotated(inputs[0].open, target, source)
            analyses: list[Analysis] = []
            photos: list[str] = []
            for number, analysis in enumerate(_limited(source), start=1):
                analyses.append(analysis)
                if not video and not analysis.error and len(photos) < MOST_SHOWN:
                    photos.append(_photo(inputs[number - 1], analysis))
                done = (analysis.time or 0.0) if video else number
                progress(min(1.0, done / max(length, done, 1)), desc=_said(analysis, number, len(inputs)))
                if number % STEP == 0:
                    yield (gr.skip(),) * 5
            answer = findings(analyses, photos)
            delivered = target.is_file()
            yield *answer, gr.update(value=str(target) if delivered else None, visible=delivered)
    finally:
        if not delivered:
            shutil.rmtree(folder, ignore_errors=True)


def _length(source: Input) -> float:
    """Seconds that will be analysed, as far as the file tells. Raises: ImageError if it is no video."""
    from femr.video.reader import Reader  # without PyAV photos are read all the same

    with Reader(source.path) as reader:
        return min(reader.length or LONGEST, LONGEST)


def _limited(analyses: Any) -> Iterator[Analysis]:
    """The analyses, those of a video up to LONGEST; their generator is closed at the end, whatever that was."""
    with closing(analyses):
        for analysis in analyses:
            if analysis.time is not None and analysis.time >= LONGEST:
                return
            yield analysis


def _said(analysis: Analysis, number: int, total: int) -> str:
    return f"Photo {number} of {total}" if analysis.time is None else f"At {clock(round(analysis.time))}"


def findings(analyses: Sequence[Analysis], photos: Sequence[str] = ()) -> tuple[str, str, str, str]:
    """Summary with songs, timeline or photos, the first rows of HEADERS, links to table and report: all as HTML."""
    video = any(analysis.time is not None for analysis in analyses)
    timeline = Timeline()
    for analysis in analyses:
        timeline.add(analysis)
    faces = [face for analysis in analyses for face in analysis.faces]
    mood = timeline.mood() if video else vote(faces)
    shown = [[_where(analysis), *html.table_row(face)] for analysis in analyses for face in analysis.faces[:SHOWN_ROWS]]
    summary = html.headline(mood) + _counts(analyses, len(faces)) + html.failures(analyses) + _songs(mood)
    picture = _drawn(timeline) if video and faces else f'<div class="photos">{"".join(photos)}</div>' if photos else ""
    rows = html.table(HEADERS, shown[:SHOWN_ROWS], "Faces") if shown else ""
    return summary, picture, rows, _links(analyses)


def _photo(source: Input, found: Analysis) -> str:
    """The photo with its boxes, small."""
    small = thumbnail(source.image(), PHOTO_SIDE)
    return html.photo_card(draw(small, found), found, card.told(found.faces))


def _songs(mood: Mood) -> str:
    songs = card.playlist(music_library(), mood.emotion, "match", ()) if mood.emotion else []
    return f'<div class="library">{html.song_cards(songs)}</div>' if songs else ""


def _counts(analyses: Sequence[Analysis], faces: int) -> str:
    read = [analysis for analysis in analyses if analysis.error is None]
    noun = "frame" if read and read[0].time is not None else "photo"
    rest = f" The first {SHOWN_ROWS} are in the table, all of them in the download." if faces > SHOWN_ROWS else ""
    return f"<p>{plural(faces, 'face')} in {plural(len(read), noun)}.{rest}</p>"


def _drawn(timeline: Timeline) -> str:
    """The timeline's picture as HTML that holds it; no file of it stays on the server."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "timeline.png")
        timeline.save(path)
        return html.image(path.read_bytes(), "The share of each expression over the time of the video", "png")


def _links(analyses: Sequence[Analysis]) -> str:
    """The whole table and the group report as downloads; why there is no report, where there is none."""
    links = [html.table_link(analyses)]
    try:
        group = summarise(row for analysis in analyses for row in to_rows(analysis))
        page = to_html(group, music_library(), __version__)
        links.append(html.download("report.html", page, "text/html", "Download the group report (HTML)"))
    except DataError as error:
        links.append(f"No group report: {escape(str(error))}")
    return "<br>".join(links)


def _where(analysis: Analysis) -> str:
    return clock(analysis.time) if analysis.time is not None else str(analysis.file)


def build() -> None:
    """The tab's components and handlers, inside the Blocks that is being built."""
    with gr.Row():
        with gr.Column(scale=4, min_width=300):
            kinds = ["image", "video", ".zip", ".heic", ".heif", ".avif"]
            files = FilesInput(label="Photos or a video", file_count="multiple", file_types=kinds, elem_id="files")
            gr.Markdown(LIMITS, elem_id="limits")
            with gr.Row():
                start = gr.Button("Find the moods", variant="primary", scale=2, min_width=120, elem_id="start")
                cancel = gr.Button("Cancel", variant="stop", scale=1, min_width=80, interactive=False, elem_id="cancel")
            model = gr.Radio(MODELS, value=DEFAULT_MODEL, label="Reading", info=MODELS_INFO, elem_id="many-model")
            film = gr.Checkbox(label="Also make an annotated video (slower)", elem_id="film")
        with gr.Column(scale=6, min_width=300):
            result = gr.HTML(WAITING, label="Summary", padding=False, elem_id="summary")
            picture = gr.HTML(label="Timeline", padding=False, elem_id="timeline")
            links = gr.HTML(label="Downloads", padding=False, elem_id="downloads")
            watch = gr.Video(label="Annotated video", interactive=False, visible=False, elem_id="annotated")
    table = gr.HTML(label="Faces", padding=False, elem_id="many-table")
    shown = [result, picture, table, links, watch]
    private: Any = {"api_visibility": "private"}
    start.click(None, js=text_of("scroll.js"))
    # what stood there is of other files
    begun = start.click(lambda: (*_buttons(busy=True), *BLANK), None, [start, cancel, *shown], queue=False, **private)
    call: Any = {"api_name": "analyze_many", "show_progress_on": [result], **private, **QUEUE}
    work = begun.then(analyze, [files, model, film], shown, **call)
    idle: Any = {"fn": lambda: _buttons(busy=False), "outputs": [start, cancel], "queue": False, **private}
    work.success(**idle)
    work.failure(**idle)
    # Start waits for the end of the work, which comes as its success: until then Gradio's page would swallow a new one
    cancel.click(None, cancels=[work])


def _buttons(busy: bool) -> tuple[Any, Any]:
    """Start and Cancel: only one of them can be pressed."""
    return gr.update(interactive=not busy), gr.update(interactive=busy)
