"""The Live tab: the camera's picture twice a second; faces, mood and a song that follows it.

A frame is read in the lane that all visitors share: each has one waiting at most, and one that waited too long is
dropped. Frames and answers travel as data: URLs, so that no picture is ever a file.
"""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import Any

import cv2
import gradio as gr

from femr.errors import FemrError
from femr.expression.weights import DEFAULT_MODEL
from femr.images import Pixels, load_image, thumbnail, to_picture
from femr.music import Mode
from femr.output.annotate import draw
from femr.page import card, html, shared
from femr.page.inputs import FrameInput
from femr.results import Analysis, Song
from femr.video.session import Session

EVERY = 0.5  # seconds from frame to frame
LATE = 1.0  # seconds that a frame may wait for its turn
AWAY = 30.0  # seconds without a frame after which a visit is a new one
MINUTES = 5  # that one stream may last
MOST_VISITORS = 16  # streams at once; more wait until one ends
SHOWN_SIDE = 640  # pixels of the annotated picture's long side
CAMERA = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "facingMode": "user"}}
TURNS = ThreadPoolExecutor(MOST_VISITORS, thread_name_prefix="live")
PRIVACY = (
    f"Frames are looked at and forgotten at once; none is stored. No one is identified. A stream ends after {MINUTES} "
    "minutes, and you can start another."
)
WAITING = "Switch your camera on and press Start: the mood will stand here, and its song will play."
OVER = f"{MINUTES} minutes are over. Press Start to go on."
_PLAYER = "import(new URL('femr/player.js', document.baseURI))"
FOLLOW = f"{_PLAYER}.then((player) => watch('value', () => player.play([JSON.parse(props.value)], true)))"
SILENCE = f"() => {{ {_PLAYER}.then((player) => player.stop()) }}"
MUSIC = "Lift answers hard moods with brighter songs. It counts from the next song on."


async def watch(frame: bytes | None, mode: Mode, session: Session | None) -> tuple[Any, ...]:
    """What the page shows after a frame: mood with a note, picture, song, its title, chart; and the session."""
    return await asyncio.wrap_future(TURNS.submit(_turn, frame, mode, session))


def _turn(frame: bytes | None, mode: Mode, session: Session | None) -> tuple[Any, ...]:
    if frame is None:
        return (gr.skip(),) * 6
    try:
        image = load_image(frame)
        analyzer = shared.analyzer(DEFAULT_MODEL)
        now = monotonic()
        if session is None or session.done or now - session.time > AWAY:
            session = Session(analyzer.library, analyzer.threshold, played=session.played if session else ())
        # Gradio's own limit counts the seconds of work, not those on the clock
        if _over(session):
            return _stop(OVER)
        picture = to_picture(image)
        faces = shared.LANE.read(analyzer, picture, "frame", patience=LATE)
    except FemrError as error:
        return _stop(str(error))
    if faces is None or session.done:  # too late, or stopped meanwhile
        return (gr.skip(),) * 6
    session.mode, before = mode, session.song
    step = session.step(faces, monotonic())
    found = Analysis(*picture.size, step.faces, step.mood, step.song, analyzer.model)
    return (
        html.headline(found.mood) + html.note(session.note),
        _picture(draw(thumbnail(image, SHOWN_SIDE), found)),
        *_music(found, before),
        html.mood_chart(session.moments),
        session,
    )


def _over(session: Session) -> bool:
    return session.begun is not None and monotonic() - session.begun > 60 * MINUTES


def _stop(words: str) -> tuple[Any, ...]:
    """The words, and a mark for live.js: an error raised here would be followed by the next frame's."""
    return _plate(words) + '<i class="over"></i>', *[gr.skip()] * 5


def _plate(words: str) -> str:
    return html.plate("🎥", words) + html.note("")


def _music(found: Analysis, before: Song | None) -> tuple[Any, Any]:
    """The song, for the page's player, and its title where it changes; the player goes on where nothing comes."""
    if found.song is None or found.song is before:
        return gr.skip(), gr.skip()
    library = shared.music_library()
    song = card.song_card(library.songs.index(found.song), found.song)
    return json.dumps(song), html.song_line(found.song, found.mood, library)


def _picture(image: Pixels) -> str:
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    alt = "Your camera's picture with a numbered, labelled box around each face"
    return html.image(jpeg.tobytes(), alt)


def finish(session: Session | None) -> Any:
    """What stands there after a stream. The next one begins a new session, which knows the songs that were heard."""
    if session is None:
        return gr.skip()
    session.done = True
    return _plate(OVER if _over(session) else "Stopped. Press Start to go on.")


def build() -> None:
    """The tab's components and handlers, inside the Blocks that is being built."""
    session = gr.State(None)  # of this visit only
    with gr.Row():
        with gr.Column(scale=4, min_width=300, elem_id="live-question"):
            options = gr.WebcamOptions(mirror=True, constraints=CAMERA)
            source: Any = {"sources": ["webcam"], "streaming": True, "webcam_options": options}
            camera = FrameInput(label="Camera", height=320, elem_id="camera", **source)
            said = '<p class="camera-note" role="alert"></p>'
            gr.HTML(said, elem_id="camera-note", js_on_load=shared.text_of("live.js"))
            chart = gr.HTML(html.mood_chart([]), label="The last minute", elem_id="live-chart")
            with gr.Column(elem_id="live-options"):
                gr.Markdown(PRIVACY, elem_id="live-privacy")
                mode = gr.Radio(shared.MODES, value="match", label="Music", info=MUSIC, elem_id="live-mode")
        with gr.Column(scale=6, min_width=300, elem_id="live-answer"):
            mood = gr.HTML(_plate(WAITING), label="Mood", elem_id="live-mood")
            picture = gr.HTML(label="Faces", elem_id="live-picture")
            player = gr.HTML(html_template="", js_on_load=FOLLOW, elem_id="live-player")
            title = gr.HTML(label="Song title", elem_id="live-song")
    shown = [mood, picture, player, title, chart, session]
    # a stream holds its place while it lasts, so not the place of the Photo tab's answers
    places: Any = {"concurrency_limit": MOST_VISITORS, "concurrency_id": "live"}
    pace: Any = {"stream_every": EVERY, "time_limit": 60 * MINUTES}
    quiet: Any = {"show_progress": "hidden", "api_visibility": "private"}
    stream = camera.stream(watch, [camera, mode, session], shown, **pace, **places, **quiet)
    stream.then(finish, session, mood, js=SILENCE, queue=False, **quiet)
