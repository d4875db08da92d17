"""The Live tab: the camera's picture twice a second; faces, mood and a song that follows it.

A frame is analysed in one thread that all visitors share, first come, first served: each has one frame waiting at most,
and one that waited too long is dropped. Frames and answers travel as data: URLs, so that no picture is ever a file.
"""

import asyncio
import base64
import binascii
import html
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import cv2
import gradio as gr
from gradio.data_classes import ImageData

from femr import display
from femr.errors import FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Pixels, load_image, thumbnail
from femr.music import Mode
from femr.output.annotate import draw
from femr.results import Analysis, Song
from femr.video.mood_chart import mood_chart
from femr.video.session import Frame as VideoFrame
from femr.video.session import Session
from tabs import loaded, photo

EVERY = 0.5  # seconds from frame to frame
LATE = 1.0  # seconds that a frame may wait for its turn
AWAY = 30.0  # seconds without a frame after which a visit is a new one
MINUTES = 5  # that one stream may last
MOST_VISITORS = 16  # streams at once; more wait until one ends
MAX_BYTES = 3_000_000  # of a frame
SHOWN_SIDE = 640  # pixels of the annotated picture's long side
JPEG = "data:image/jpeg;base64,"
CAMERA = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "facingMode": "user"}}
LANE = ThreadPoolExecutor(1, thread_name_prefix="live")
PRIVACY = (
    f"Frames are looked at and forgotten at once; none is stored. No one is identified. A stream ends after {MINUTES} "
    "minutes, and you can start another."
)
PLATE = '<div class="mood"><span class="emoji">🎥</span><div>{}</div></div><p class="note"></p>'
WAITING = PLATE.format("Switch your camera on and press Start: the mood will stand here, and its song will play.")
OVER = f"{MINUTES} minutes are over. Press Start to go on."
MUSIC = "Lift answers hard moods with brighter songs. It counts from the next song on."
# Gradio (6.31) says nothing when the camera is refused, and calls the button that starts the stream "capture photo"
CAMERA_JS = """
const say = (words) => document.querySelectorAll('.camera-note').forEach((note) => { note.innerText = words });
const reasons = {
  NotAllowedError: 'The browser may not use your camera. Allow it beside the address, then press the camera again.',
  NotFoundError: 'No camera was found. Connect one, or use the Photo tab.',
  NotReadableError: 'Another program uses your camera. Close it, then press the camera again.',
  SecurityError: 'The browser may not use your camera on this page.',
  none: 'This browser gives no camera to this page. It needs https, or localhost.',
};
const devices = navigator.mediaDevices;
if (!devices || !devices.getUserMedia) say(reasons.none);
else if (!devices.asked) {
  devices.asked = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wanted) => devices.asked(wanted).then(
    (stream) => { say(''); return stream },
    (error) => { say(reasons[error.name] || 'Your camera does not start: ' + error.message);
                 return new Promise(() => {}) });
}
const look = () => {
  const over = document.querySelector('#live-mood .over');
  document.querySelectorAll('#camera .capture-button').forEach((button) => {
    const stop = button.querySelector('[title="stop recording"]');
    const words = stop ? 'Stop' : button.querySelector('[title="start recording"]') ? 'Start' : 'Wait';
    if (button.ariaLabel !== words) button.ariaLabel = words;
    if (stop && over) { over.remove(); button.click(); }
  });
};
['camera', 'live-mood'].forEach((id) => {
  new MutationObserver(look).observe(document.getElementById(id), {subtree: true, childList: true});
});
"""


class Frame(ImageData):
    """A frame as it is sent. Gradio keeps the dump of a session's last input for an hour: the picture is not in it."""

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """The fields without the picture."""
        return {**super().model_dump(**options), "url": None}


class FrameInput(gr.Image):
    """gr.Image that hands over a frame's JPEG as it came, and takes nothing but that: no path, no other URL."""

    data_model = Frame
    is_template = True  # looks and behaves like gr.Image in the browser

    def preprocess(self, payload: ImageData | None) -> bytes | None:  # type: ignore[override]
        """The JPEG file's bytes; None where there is no frame. Raises: gr.Error."""
        if payload is None:
            return None
        url = payload.url or ""
        if payload.path or not url.startswith(JPEG) or len(url) > 4 / 3 * MAX_BYTES:
            raise gr.Error("Expected a frame of the camera: a small JPEG.", print_exception=False)
        try:
            return base64.b64decode(url[len(JPEG) :], validate=True)
        except binascii.Error:
            raise gr.Error("The camera's frame is damaged.", print_exception=False) from None


async def watch(frame: bytes | None, mode: Mode, visit: Session | None) -> tuple[Any, ...]:
    """What the page shows after a frame: mood with a note, picture, song, its title, chart; and the visit."""
    return await asyncio.wrap_future(LANE.submit(_turn, frame, mode, visit, monotonic()))


def _turn(frame: bytes | None, mode: Mode, visit: Session | None, asked: float) -> tuple[Any, ...]:
    now = monotonic()
    if frame is None or now - asked > LATE:
        return (gr.skip(),) * 6
    try:
        image = load_image(frame)
        analyzer = loaded.analyzer(DEFAULT_MODEL)
        if visit is None or visit.done or now - visit.time > AWAY:
            visit = Session(analyzer.library, analyzer.threshold, played=visit.played if visit else ())
        # Gradio's own limit counts the seconds of work, not those on the clock
        if _over(visit):
            return _stop(OVER)
        visit.mode, before = mode, visit.song
        (found,) = visit.analyze(analyzer, [VideoFrame(now, None, image)])
    except FemrError as error:
        return _stop(str(error))
    if visit.done:  # stopped meanwhile
        return (gr.skip(),) * 6
    return (
        display.headline(found.mood) + _note(visit.note),
        _picture(draw(thumbnail(image, SHOWN_SIDE), found)),
        *_music(found, before),
        mood_chart(visit.moments),
        visit,
    )


def _over(visit: Session) -> bool:
    return visit.begun is not None and monotonic() - visit.begun > 60 * MINUTES


def _stop(words: str) -> tuple[Any, ...]:
    """The words, and a mark for CAMERA_JS: an error raised here would be followed by the next frame's."""
    return PLATE.format(html.escape(words)) + '<i class="over"></i>', *[gr.skip()] * 5


def _note(words: str) -> str:
    return f'<p class="note">{html.escape(words)}</p>'


def _music(found: Analysis, before: Song | None) -> tuple[Any, Any]:
    """The song's file and title where it changes; the player goes on where nothing comes."""
    if found.song is None or found.song is before:
        return gr.skip(), gr.skip()
    return found.song.path, display.song_line(found.song, found.mood, loaded.music_library())


def _picture(image: Pixels) -> str:
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    alt = "Your camera's picture with a numbered, labelled box around each face"
    return f'<img alt="{alt}" decoding="sync" src="{JPEG}{base64.b64encode(jpeg.tobytes()).decode()}">'


def finish(visit: Session | None) -> Any:
    """What stands there after a stream. The next one begins a new visit, which knows the songs that were heard."""
    if visit is None:
        return gr.skip()
    visit.done = True
    return PLATE.format(OVER if _over(visit) else "Stopped. Press Start to go on.")


def build() -> None:
    """The tab's components and handlers, inside the Blocks that is being built."""
    visit = gr.State(None)  # of this visit only
    with gr.Row():
        with gr.Column(scale=4, min_width=300, elem_id="live-question"):
            options = gr.WebcamOptions(mirror=True, constraints=CAMERA)
            source: Any = {"sources": ["webcam"], "streaming": True, "webcam_options": options}
            camera = FrameInput(label="Camera", height=320, elem_id="camera", **source)
            gr.HTML('<p class="camera-note" role="alert"></p>', elem_id="camera-note", js_on_load=CAMERA_JS)
            chart = gr.HTML(mood_chart([]), label="The last minute", elem_id="live-chart")
            with gr.Column(elem_id="live-options"):
                gr.Markdown(PRIVACY, elem_id="live-privacy")
                mode = gr.Radio(photo.MODES, value="match", label="Music", info=MUSIC, elem_id="live-mode")
        with gr.Column(scale=6, min_width=300, elem_id="live-answer"):
            mood = gr.HTML(WAITING, label="Mood", elem_id="live-mood")
            picture = gr.HTML(label="Faces", elem_id="live-picture")
            player = gr.Audio(label="Song", autoplay=True, interactive=False, buttons=[], elem_id="live-player")
            title = gr.HTML(label="Song title", elem_id="live-song")
    shown = [mood, picture, player, title, chart, visit]
    # a stream holds its place while it lasts, so not the place of the Photo tab's answers
    places: Any = {"concurrency_limit": MOST_VISITORS, "concurrency_id": "live"}
    pace: Any = {"stream_every": EVERY, "time_limit": 60 * MINUTES}
    quiet: Any = {"show_progress": "hidden", "api_visibility": "private"}
    stream = camera.stream(watch, [camera, mode, visit], shown, **pace, **places, **quiet)
    stream.then(finish, visit, mood, js=display.SILENCE, queue=False, **quiet)
