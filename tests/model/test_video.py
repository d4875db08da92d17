from collections import deque
from fractions import Fraction
from functools import partial

import av
import cv2
import numpy as np
import pytest

from builders import overlap
from femr.errors import DataError, ImageError
from femr.images import load_image
from femr.output.timeline import Timeline
from femr.results import Analysis, Emotion, Mood
from femr.video.analysis import analyze_video, frames
from femr.video.writer import annotated
from videos import NTSC, SIZE, scene, steady, write_video

FIRST, SECOND = (0, 50), (170, 60)
"""Where the two heads of the script are."""
FIRST_FACE, SECOND_FACE = (47, 75, 96, 139), (217, 85, 267, 149)
UNEVEN = [0, 0.04, 0.3, 0.31, 0.55, 0.6, 1.02, 1.06, 1.11, 1.9, 2.0, 2.7]
"""Times of a variable frame rate: some frames close together, some far apart."""


def at(portrait, time):
    """The script: one person comes after half a second; a second one is there from 1.0 to 2.0."""
    return scene(portrait, *([FIRST] if time >= 0.5 else []), *([SECOND] if 1.0 <= time < 2.0 else []))


@pytest.fixture(scope="module")
def script(portrait, tmp_path_factory):
    """Writes the script: by name, with options of write_video."""
    folder = tmp_path_factory.mktemp("script")

    def write(name, times=None, turn=0, **options):
        times = times or steady(2.7)
        if not (folder / name).exists():
            pictures = [np.rot90(at(portrait, time), turn) for time in times]
            write_video(folder / name, pictures, times, **options)
        return folder / name

    return write


VARIANTS = {
    "plain": {"name": "plain.mp4"},
    "with sound": {"name": "sound.mp4", "sound": "aac"},
    "turned": {"name": "turned.mp4", "turn": -1, "rotation": 90},
    "turned the other way": {"name": "turned2.mp4", "turn": 1, "rotation": -90},
    "upside down": {"name": "turned3.mov", "turn": 2, "rotation": 180},
    "matroska": {"name": "clip.mkv", "sound": "libopus"},
    "webm": {"name": "clip.webm", "codec": "libvpx-vp9", "sound": "libopus"},
    "a broadcast that starts late": {"name": "clip.ts", "sound": "mp2", "start": 1.4},
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_frames_come_at_their_times_and_upright(script, portrait, options):
    times = steady(2.7)
    expected = [next(i for i, time in enumerate(times) if time >= k / 4) for k in range(11)]
    found = list(frames(script(**options)))
    assert [frame.index for frame in found] == expected
    # containers round to milliseconds, and a broadcast's sound may start a little earlier
    assert [frame.time for frame in found] == pytest.approx([times[i] for i in expected], abs=0.03)
    for frame in found[::3]:
        assert frame.image.shape == (SIZE[1], SIZE[0], 3)
        assert frame.image.dtype == np.uint8
        assert np.abs(frame.image.astype(int) - at(portrait, times[frame.index])).mean() < 4


def test_a_variable_frame_rate_gives_the_first_frame_of_each_moment_or_the_one_that_is_still_shown(script):
    found = list(frames(script("uneven.mp4", UNEVEN)))
    assert [frame.index for frame in found] == [0, 2, 4, 5, 6, 8, 8, 9, 10, 10, 11]
    times = [0, 0.3, 0.55, 0.75, 1.02, 1.25, 1.5, 1.9, 2.0, 2.25, 2.7]
    assert [frame.time for frame in found] == pytest.approx(times, abs=1e-4)


def test_at_a_high_rate_each_frame_comes_as_long_as_it_is_shown(script):
    found = list(frames(script("uneven.mp4", UNEVEN), rate=100))
    assert {frame.index for frame in found} == set(range(len(UNEVEN)))
    assert len(found) == pytest.approx(271, abs=4)
    assert [frame.index for frame in frames(script("plain.mp4"), rate=0.5)] == [0, 60]


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e-5, 1e9])
def test_a_rate_must_be_one(script, rate):
    with pytest.raises(DataError, match=r"Expected a rate of 0\.001 to 1000 frames a second\. Received: "):
        next(frames(script("plain.mp4"), rate))


def test_pixels_that_are_not_square_are_made_so(portrait, tmp_path):
    with av.open(str(tmp_path / "wide.mp4"), "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 240, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        narrow = cv2.resize(scene(portrait, FIRST), (160, 240))
        film.mux(stream.encode(av.VideoFrame.from_ndarray(narrow, format="rgb24")))
        film.mux(stream.encode(None))
    (frame,) = frames(tmp_path / "wide.mp4")
    assert frame.image.shape == (240, 320, 3)


@pytest.mark.parametrize("options", [*list(VARIANTS.values())[:3], VARIANTS["a broadcast that starts late"]])
def test_who_is_there_when_is_found(script, analyzer, options):
    analyses = list(analyze_video(script(**options), analyzer=analyzer))
    assert len(analyses) == 11
    for analysis in analyses:
        assert analysis.song is None
        assert analysis.file == str(script(**options))
        time = analysis.frame / float(NTSC)
        assert analysis.time == pytest.approx(time, abs=0.03)
        expected = [1] * (time >= 0.5) + [2] * (1.0 <= time < 2.0)
        assert [face.number for face in analysis.faces] == expected
        for face, place in zip(analysis.faces, (FIRST_FACE, SECOND_FACE), strict=False):
            assert overlap(face.box, place) > 0.7
            assert face.scores.top == "happy"


def test_a_variable_frame_rate_finds_the_same_people(script, analyzer):
    found = {
        a.time: [face.number for face in a.faces]
        for a in analyze_video(script("uneven.mp4", UNEVEN), analyzer=analyzer)
    }
    assert list(found.values()) == [[], [], [1], [1], *[[1, 2]] * 4, [1], [1], [1]]


def test_frames_are_analysed_as_photos_are(script, analyzer):
    path = script("plain.mp4")
    *_, frame = frames(path, rate=0.5)
    *_, analysis = analyze_video(path, rate=0.5, analyzer=analyzer)
    alone = analyzer(frame.image)
    assert [face.box for face in analysis.faces] == [face.box for face in alone.faces]
    assert analysis.mood == alone.mood


def test_ten_seconds_of_black_have_no_faces(tmp_path, analyzer):
    times = [i / 2 for i in range(20)]
    write_video(tmp_path / "black.mp4", [np.zeros((48, 64, 3), np.uint8)] * 20, times, rate=2)
    analyses = list(analyze_video(tmp_path / "black.mp4", analyzer=analyzer))
    assert [analysis.time for analysis in analyses] == [i / 4 for i in range(40)]
    assert [analysis.frame for analysis in analyses] == [i // 2 for i in range(40)]
    assert not any(analysis.faces for analysis in analyses)


def test_frames_of_one_pixel_have_no_faces(tmp_path, analyzer):
    pixel = [np.full((1, 1, 3), 200, np.uint8)] * 3
    write_video(tmp_path / "pixel.mkv", pixel, [0, 0.5, 1], codec="ffv1", pixels="bgr0")
    analyses = list(analyze_video(tmp_path / "pixel.mkv", analyzer=analyzer))
    assert [(a.width, a.height, a.faces, a.frame) for a in analyses[::2]] == [(1, 1, (), i) for i in range(3)]


@pytest.fixture(scope="module")
def bad(script, tmp_path_factory):
    """A folder of what is no video."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "text.mp4").write_text("To whom it may concern: this is not a video. " * 50)
    (folder / "empty.mp4").write_bytes(b"")
    whole = script("plain.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with av.open(str(folder / "tone.m4a"), "w", format="mp4") as film:
        stream = film.add_stream("aac", rate=48000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 48000
        film.mux([*stream.encode(sound), *stream.encode(None)])
    with av.open(str(folder / "none.avi"), "w") as film:
        stream = film.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        film.start_encoding()
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{script(**VARIANTS['a broadcast that starts late'])}\n"
    (folder / "list.m3u8").write_text(playlist + "#EXT-X-ENDLIST\n")
    (folder / "list.mp4").write_text(f"ffconcat version 1.0\nfile '{script('plain.mp4')}'\n")
    return folder


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone.mp4", r"There is no file named gone.mp4"),
        ("text.mp4", "not a video that can be read"),
        ("empty.mp4", "not a video that can be read"),
        ("half.mp4", "not a video that can be read"),
        ("tone.m4a", "no moving pictures"),
        ("none.avi", "has no frames"),
        # FFmpeg would open the videos that stand in them
        ("list.m3u8", "not a video that can be read"),
        ("list.mp4", "not a video that can be read"),
    ],
)
def test_what_is_no_video_is_said_in_a_sentence(bad, name, words):
    with pytest.raises((ImageError, DataError), match=words) as caught:
        list(frames(bad / name))
    assert len(str(caught.value).splitlines()) == 1
    assert str(bad) not in str(caught.value)


@pytest.mark.parametrize(("name", "share"), [("cut.mkv", 0.7), ("cut.mp4", 0.9)])
def test_a_video_that_is_cut_short_is_read_as_far_as_it_goes_and_then_said(script, tmp_path, name, share, analyzer):
    whole = script(f"whole-{name}", steady(6), moov_first=name.endswith("mp4")).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * share)])
    found = deque()
    with pytest.raises(DataError, match=r"cut short: it ends after .* of 6\.0 seconds"):
        found.extend(analyze_video(tmp_path / name, analyzer=analyzer, rate=1))
    assert len(found) >= 2
    assert [face.number for face in found[1].faces] == [1, 2]


def film_of(script, tmp_path, analyzer, stop=None, **options):
    """The annotated video of a script, and its analyses."""
    source, target = script(**options), tmp_path / "annotated.mp4"
    passed = annotated(partial(source.open, "rb"), target, analyze_video(source, analyzer=analyzer))
    analyses = [analysis for analysis, _ in zip(passed, range(stop or 1000), strict=False)]
    passed.close()
    return target, analyses


def test_the_annotated_video_plays_in_a_browser_with_its_sound(script, tmp_path, analyzer):
    for name in ("with sound", "matroska", "a broadcast that starts late"):
        target, analyses = film_of(script, tmp_path, analyzer, **VARIANTS[name])
        assert len(analyses) == 11
        with av.open(str(target)) as film:
            video, sound = film.streams
            assert (video.codec_context.name, video.codec_context.pix_fmt, sound.codec_context.name) == (
                "h264",
                "yuv420p",
                "aac",
            )
            assert video.frames == len(steady(2.7))
            for stream in (video, sound):
                assert float(stream.duration * stream.time_base) == pytest.approx(2.7, abs=0.1)
            heard = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])
            tone = np.fft.rfftfreq(len(heard), 1 / 48000)[np.abs(np.fft.rfft(heard)).argmax()]
            assert tone == pytest.approx(440, abs=5)
        data = target.read_bytes()
        assert data.find(b"moov") < data.find(b"mdat")
        target.unlink()


def test_boxes_stay_between_the_analysed_frames(script, tmp_path, analyzer):
    target, _ = film_of(script, tmp_path, analyzer, **VARIANTS["turned"])
    with av.open(str(target)) as film:
        drawn = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert drawn[0].shape == (480, 640, 3)  # enlarged so that labels can be read
    happy = np.array([int(Emotion.HAPPY.color[i : i + 2], 16) for i in (1, 3, 5)])
    shown = [(np.abs(picture[:, :320].astype(int) - happy).max(axis=2) < 40).sum() > 200 for picture in drawn]
    assert shown == [i >= 15 for i in range(len(drawn))]


def test_an_annotated_video_that_is_stopped_early_can_be_played(script, tmp_path, analyzer):
    target, _ = film_of(script, tmp_path, analyzer, stop=7, **VARIANTS["with sound"])
    with av.open(str(target)) as film:
        assert 30 <= len(list(film.decode(video=0))) < 81


def test_a_disk_that_is_full_is_said(script, analyzer):
    source = script("plain.mp4")
    with pytest.raises(DataError, match=r"^full cannot be written: No space left on device"):  # and no folder
        list(annotated(partial(source.open, "rb"), "/dev/full", analyze_video(source, analyzer=analyzer, rate=1)))


def test_a_films_name_is_in_any_script(tmp_path, recwarn):
    Timeline().save(tmp_path / "t.png", "パーティー 파티 聚会 😀.mp4")
    assert not recwarn.list


def test_without_frames_the_timeline_is_empty(tmp_path):
    timeline = Timeline()
    timeline.add(Analysis.failed("x.mp4", "m", "Bad."))
    assert (timeline.frames, timeline.mood()) == (0, Mood(None, "No face found."))
    timeline.save(tmp_path / "t.png")
    assert load_image(tmp_path / "t.png").shape[2] == 3


def test_the_timeline_shows_the_shares_over_time_and_tells_the_mood(script, analyzer, tmp_path):
    timeline = Timeline()
    for analysis in analyze_video(script("plain.mp4"), analyzer=analyzer):
        timeline.add(analysis)
    assert (timeline.frames, timeline.most_faces) == (11, 2)
    assert timeline.mood().emotion == "happy"
    assert timeline.mood().reason == "Looks happy in 9 of 9 frames with faces"
    timeline.save(tmp_path / "t.png", "A clip")
    picture = load_image(tmp_path / "t.png")
    colours = {bytes(pixel) for pixel in picture.reshape(-1, 3)}
    assert {bytes.fromhex(emotion.color[1:]) for emotion in Emotion} <= colours
    happy = (picture == list(bytes.fromhex(Emotion.HAPPY.color[1:]))).all(axis=2)
    columns = np.flatnonzero(happy.sum(axis=0) > 100)
    # no face in the first half second of 2.75: the colour begins at 18 % of the axis
    assert np.diff(columns).max() == 1
    assert 0.75 < len(columns) / 0.77 / picture.shape[1] < 1.0


def test_a_person_who_comes_is_seen_with_the_next_look_for_new_faces(script, analyzer):
    """The first one is there from 0.5 s; looks at 0 and 0.75 s, where one is gone (2.0 s), and every 0.75 s."""
    counts = [len(analysis.faces) for analysis in analyze_video(script("plain.mp4"), analyzer=analyzer, every=3)]
    assert counts == [0, 0, 0, 1, 1, 1, 2, 2, 1, 1, 1]
    assert [len(analysis.faces) for analysis in analyze_video(script("plain.mp4"), analyzer=analyzer)][2:5] == [1, 1, 2]


class Counting:
    """An analyzer that tells how many pictures it read."""

    def __init__(self, analyzer):
        self.model, self.threshold, self.read_pictures = analyzer.model, analyzer.threshold, 0
        self._analyzer = analyzer

    def read(self, pictures, follower):
        self.read_pictures += len(pictures)
        return self._analyzer.read(pictures, follower)


def test_a_slide_is_read_once_and_its_faces_keep_their_numbers(portrait, tmp_path, analyzer):
    slides = [scene(portrait), scene(portrait, FIRST), scene(portrait, FIRST, SECOND)]
    path = write_video(tmp_path / "slides.mp4", slides, [0, 5, 10])
    counting = Counting(analyzer)
    found = list(analyze_video(path, analyzer=counting))
    assert [(a.time, a.frame) for a in found] == [(i / 4, i // 20) for i in range(41)]
    assert [[face.number for face in a.faces] for a in found] == [[]] * 20 + [[1]] * 20 + [[1, 2]]
    assert found[21].faces == found[39].faces
    assert counting.read_pictures == 3


def test_the_faces_of_a_slide_are_looked_for_however_seldom_that_is(portrait, tmp_path, analyzer):
    slides = [scene(portrait), scene(portrait, FIRST), scene(portrait, FIRST, SECOND)]
    path = write_video(tmp_path / "slides.mp4", slides, [0, 5, 10])
    counting = Counting(analyzer)
    counts = [len(a.faces) for a in analyze_video(path, analyzer=counting, every=3)]
    assert (counts[:20], counts[22:40]) == ([0] * 20, [1] * 18)
    assert counting.read_pictures == 7
