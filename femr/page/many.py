"""The tabs of many faces: Photos and video, and Report.

Several photos, a ZIP file of them or a video in; gallery or film, songs and table out. Or such a table in, its group
report out.
"""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from html import escape
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import gradio as gr
from gradio.utils import get_upload_folder

from femr import __version__
from femr.batch.folder import analyze_inputs
from femr.batch.inputs import Input, find
from femr.errors import DataError, clock, plural
from femr.expression.weights import DEFAULT_MODEL
from femr.images import thumbnail
from femr.mood import vote
from femr.output.annotate import blurred, draw
from femr.output.rows import to_rows
from femr.output.share import to_m3u8
from femr.output.table import FORMATS, read_rows
from femr.output.timeline import Timeline
from femr.page import card, html
from femr.page.api import addresses
from femr.page.shared import MODELS, MODELS_INFO, FilesInput, FilmOutput, analyzer, music_library, plain_errors, text_of
from femr.report.page import to_html
from femr.report.summary import LEAST, summarise
from femr.results import Analysis

MOST_PHOTOS = 200
LONGEST = 180  # seconds of a video
STEP = 4  # analyses between two looks at whether the visitor has cancelled
SHOWN_ROWS = 100
MOST_SHOWN = 40  # photos
SHOWN_SIDE, KEPT_SIDE = 640, 1920  # pixels of the long side of a photo with its boxes, on the page and in the ZIP file
HEADERS = ("where", *html.TABLE_HEADERS)
LIMITS = (
    f"Up to {MOST_PHOTOS} photos, the first {LONGEST // 60} minutes of a video, 100 MB a file; the command line has no "
    "such limits. All of it is deleted from the server within 30 minutes. No one is identified."
)
QUEUE: Any = {"concurrency_id": "long", "concurrency_limit": 1}
"""Long work has a line of its own, one at a time. A single photo never waits behind it: the operating system shares the
processor between the two.
"""
PROGRESS = gr.Progress()
WAITING = html.plate("🎞️", "What was found will stand here.")
HIDDEN: Any = gr.update(value=None, visible=False)
INTRO = (
    "A report about a group: an audience, a party, your own photos. It shows shares and times, no pictures, and "
    f"nothing about fewer than {LEAST} faces. Choose a table (CSV, JSON lines or Parquet) that you made with *Photos "
    "and video* or `femr analyze`."
)
BLANK = (WAITING, "", "", "", HIDDEN, HIDDEN)
FILM = "() => document.querySelector('#film-shown video')"
FOLLOW = f"import(new URL('femr/film.js', document.baseURI)).then((film) => film.start(element, {FILM}))"


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


def analyze(
    paths: list[str],
    model: str,
    film: bool,
    blur: bool,
    request: gr.Request | None = None,
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """What is found in the files: summary, photos or timeline, rows, links (HTML), a film to be seen, a ZIP file.

    It stops between two steps when the visitor cancels, and leaves no file then.

    Args: `film`, whether to write one with boxes; `blur`, whether to hide the faces in it, or in the photos.
    """
    if not paths:
        raise gr.Error("Choose photos or a video first, and wait until they are here.", print_exception=False)
    folder = Path(get_upload_folder()) / secrets.token_hex(20)  # a name that nobody guesses, swept with the uploads
    folder.mkdir(parents=True)
    delivered = False
    try:
        with plain_errors(), ZipFile(folder / "femr.zip", "w", ZIP_DEFLATED) as parcel:
            inputs = chosen(paths)
            video = inputs[0].video
            target = folder / "annotated.mp4" if film and video else None
            length = _length(inputs[0]) if video else len(inputs)
            progress(0, desc="Starting")
            found = Findings(parcel, blur)
            for number, analysis in enumerate(_read(inputs, model, target, blur), start=1):
                found.add(analysis, inputs[min(number, len(inputs)) - 1])
                done = (analysis.time or 0.0) if video else number
                progress(min(1.0, done / max(length, done, 1)), desc=_said(analysis, number, len(inputs)))
                if number % STEP == 0:
                    yield (gr.skip(),) * len(BLANK)
            made = target if target and target.is_file() else None
            answer = found.conclude(made, request)
        delivered = True
        yield *answer, _file(str(made or paths[0]) if video else None), _file(str(folder / "femr.zip"))
    finally:
        if not delivered:
            shutil.rmtree(folder, ignore_errors=True)


def _file(path: str | None) -> Any:
    return gr.update(value=path, visible=path is not None)


def _read(inputs: Sequence[Input], model: str, film: Path | None, blur: bool) -> Iterator[Analysis]:
    """The analyses, those of a video up to LONGEST, and its film; closed at the end, whatever that was."""
    analyses: Any = analyze_inputs(analyzer(model), inputs)
    if film:
        from femr.video.writer import annotated

        analyses = annotated(inputs[0].open, film, analyses, blur)
    with closing(analyses):
        for analysis in analyses:
            if analysis.time is not None and analysis.time >= LONGEST:
                return
            yield analysis


def _length(source: Input) -> float:
    """Seconds that will be analysed, as far as the file tells. Raises: ImageError if it is no video."""
    from femr.video.reader import Reader  # without PyAV photos are read all the same

    with Reader(source.path) as reader:
        return min(reader.length or LONGEST, LONGEST)


def _said(analysis: Analysis, number: int, total: int) -> str:
    return f"Photo {number} of {total}" if analysis.time is None else f"At {clock(round(analysis.time))}"


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
    rows = [
        [str(analysis.file) if analysis.time is None else clock(analysis.time), *html.table_row(face)]
        for analysis in analyses
        for face in analysis.faces[:SHOWN_ROWS]
    ]
    return html.table(HEADERS, rows[:SHOWN_ROWS], "Faces") if rows else ""


def _report(analyses: Sequence[Analysis]) -> tuple[str, str]:
    """The group report as a page, and why there is none where it may not be shown."""
    try:
        group = summarise(row for analysis in analyses for row in to_rows(analysis))
        return to_html(group, music_library(), __version__), ""
    except DataError as error:
        return "", f"No group report: {error}"


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
            blur = gr.Checkbox(label="Blur the faces in photos and annotated video", elem_id="blur")
        with gr.Column(scale=6, min_width=300):
            result = gr.HTML(WAITING, label="Summary", padding=False, elem_id="summary")
            watch = FilmOutput(label="Film", interactive=False, visible=False, elem_id="film-shown")
            picture = gr.HTML(label="Timeline", padding=False, js_on_load=FOLLOW, elem_id="timeline")
            links = gr.HTML(label="Downloads", padding=False, elem_id="downloads")
            parcel = gr.DownloadButton("Download everything (ZIP)", visible=False, elem_id="parcel")
    table = gr.HTML(label="Faces", padding=False, elem_id="many-table")
    shown = [result, picture, table, links, watch, parcel]
    private: Any = {"api_visibility": "private"}
    start.click(None, js=text_of("scroll.js"))
    # what stood there is of other files
    begun = start.click(lambda: (*_buttons(busy=True), *BLANK), None, [start, cancel, *shown], queue=False, **private)
    call: Any = {"api_name": "analyze_many", "show_progress_on": [result], **private, **QUEUE}
    work = begun.then(analyze, [files, model, film, blur], shown, **call)
    idle: Any = {"fn": lambda: _buttons(busy=False), "outputs": [start, cancel], "queue": False, **private}
    work.success(**idle)
    work.failure(**idle)
    # Start waits for the end of the work, which comes as its success: until then Gradio's page would swallow a new one
    cancel.click(None, cancels=[work])


def _buttons(busy: bool) -> tuple[Any, Any]:
    """Start and Cancel: only one of them can be pressed."""
    return gr.update(interactive=not busy), gr.update(interactive=busy)


def show_report(paths: list[str], seconds: float | None, least: float) -> tuple[str, str]:
    """The report of a table: a link to it and a frame with it, as HTML."""
    if not paths:
        raise gr.Error("Choose a table first.", print_exception=False)
    with plain_errors():
        group = summarise(read_rows(Path(paths[0])), int(least), seconds or None)
        page = to_html(group, music_library(), __version__)
    return html.report_link(page), html.report_frame(page)


def build_report() -> None:
    """The Report tab's components and handlers, inside the Blocks that is being built."""
    gr.Markdown(INTRO)
    with gr.Row():
        table = FilesInput(label="Table", file_types=list(FORMATS), elem_id="report-table")
        with gr.Column(min_width=240):
            info = "0: as wide as gives about 40 in all."
            seconds = gr.Number(0, label="Seconds a moment of a video", info=info, elem_id="report-bin")
            info = "Pictures with fewer are not shown on their own."
            least = gr.Slider(LEAST, 50, LEAST, step=1, label="Fewest faces", info=info, elem_id="report-least")
            make = gr.Button("Make the report", variant="primary", elem_id="make")
    link = gr.HTML(label="Download", padding=False, elem_id="report-link")
    frame = gr.HTML(label="Report", padding=False, elem_id="report")
    lane: Any = {"concurrency_id": "report", "concurrency_limit": 1}
    make.click(
        show_report, [table, seconds, least], [link, frame], api_name="group_report", api_visibility="private", **lane
    )
