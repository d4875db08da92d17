"""Frames by the second, of films that have few, uneven or empty ones."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from femr.errors import DataError
from femr.images import load_image
from femr.output.timeline import Timeline
from femr.results import Analysis, Emotion, EmotionScores, Face, FaceEmotion, Landmarks, Mood, Reading
from femr.video.analysis import frames
from femr.video.reader import Reader
from videos import KINDS, write_video


def grey(number):
    """A picture that tells which one it is."""
    return np.full((48, 64, 3), 20 + 30 * number, np.uint8)


def film(path, times, **options):
    return write_video(path, [grey(number % 7) for number in range(len(times))], times, **options)


def shown(path, rate=4):
    return [(frame.time, frame.index) for frame in frames(path, rate)]


def encoded(film, codec, times, pictures):
    """The packets of a new stream of these pictures."""
    stream = film.add_stream(codec, rate=25)
    stream.width, stream.height = 64, 48
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    stream.codec_context.max_b_frames = 0
    packets = []
    for time, picture in zip(times, pictures, strict=True):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = round(time * 25), Fraction(1, 25)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def stills(path, seconds, codec="mjpeg"):
    """A film of a picture for each of these lengths, the last one included."""
    with av.open(str(path), "w") as film:
        starts = np.cumsum([0, *seconds[:-1]]).tolist()
        packets = encoded(film, codec, starts, [grey(number) for number in range(len(seconds))])
        for packet, length in zip(packets, seconds, strict=True):
            packet.duration = round(length / packet.time_base)
            film.mux(packet)
    return path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("times", "indices"),
    [
        ([0, *(20 + i / 4 for i in range(8))], [*[0] * 80, *range(1, 9)]),
        ([*(i / 4 for i in range(4)), *(10 + i / 4 for i in range(4))], [0, 1, 2, *[3] * 37, 4, 5, 6, 7]),
        ([0, 0.04, 5, 5.04], [0, *[1] * 19, 2]),
    ],
    ids=["first", "between", "the last frame before"],
)
def test_a_picture_that_stays_comes_as_often_as_it_lasts(tmp_path, kind, times, indices):
    path = film(tmp_path / f"a{kind}", times, **KINDS[kind])
    found = shown(path)
    assert [index for _, index in found] == indices
    assert [time for time, _ in found] == pytest.approx([i / 4 for i in range(len(indices))], abs=0.01)


@pytest.mark.parametrize("rate", [1, 4, 10])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *[("a.mp4", "libx264"), ("a.mov", "mjpeg"), ("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.avi", "mjpeg")],
        *[("a.flv", "flv"), ("a.wmv", "wmv2")],
    ],
)
def test_the_last_picture_stays_until_the_end(tmp_path, rate, name, codec):
    path = stills(tmp_path / name, [1, 20], codec)
    assert [index for _, index in shown(path, rate)] == [*[0] * rate, *[1] * 20 * rate]
    assert [index for _, index in shown(stills(path, [20], codec), rate)] == [0] * 20 * rate


def test_a_picture_that_stays_is_one_array(tmp_path):
    first, *rest = frames(stills(tmp_path / "a.mp4", [3]))
    assert len(rest) == 11
    assert all(frame.image is first.image for frame in rest)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_sound_that_is_a_little_longer_adds_no_frame(tmp_path, name):
    codec = {"codec": "libvpx", "sound": "libopus"} if name.endswith("m") else {"sound": "aac"}
    path = film(tmp_path / name, [i / 8 for i in range(17)], rate=8, **codec)
    assert [index for _, index in shown(path)] == [*range(0, 17, 2)]


def test_a_time_stamp_that_is_wrong_fills_no_more_than_an_hour(tmp_path):
    path = film(tmp_path / "a.mkv", [0, 0.5, 400_000])
    found = shown(path, 0.1)
    assert len(found) == 361
    assert found[-1] == (pytest.approx(400_000, abs=1), 2)


@pytest.mark.parametrize("empty", [(3, 4, 5), (1,), (5, 6, 7)])
def test_packets_of_no_bytes_leave_the_picture_as_it_is(tmp_path, empty):
    """As Theora writes them; here with the sizes in a QuickTime index set to nothing."""
    path = film(tmp_path / "a.mov", [i / 4 for i in range(8)], rate=4, codec="mjpeg", pixels="yuvj420p")
    data = bytearray(path.read_bytes())
    sizes = data.index(b"stsz") + 16
    for number in empty:
        struct.pack_into(">I", data, sizes + 4 * number, 0)
    path.write_bytes(data)
    with Reader(path) as reader:
        assert sum(not packet.size for packet in reader.container.demux(reader.stream)) == len(empty) + 1  # and the end
    found = list(frames(path))
    assert [frame.time for frame in found] == [i / 4 for i in range(8)]
    # the data of those that follow begin where the empty ones' did
    kept = np.cumsum([number not in empty for number in range(8)]) - 1
    assert [round((int(frame.image[0, 0, 0]) - 20) / 30) for frame in found] == kept.tolist()
    assert [frame.index for frame in found] == kept.tolist()


def two_streams(path, first, second, codecs):
    """A film of two streams of pictures at these times, none marked as a cover: dark ones, and light ones."""
    with av.open(str(path), "w") as film:
        packets = []
        for codec, times, level in zip(codecs, (first, second), (60, 180), strict=True):
            packets += encoded(film, codec, times, [np.full((48, 64, 3), level, np.uint8)] * len(times))
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            film.mux(packet)
    return path


STEADY = [i / 25 for i in range(50)]


@pytest.mark.parametrize("name", ["a.mkv", "a.mov"])
@pytest.mark.parametrize(
    ("first", "second", "codecs", "level"),
    [
        ([0], STEADY, ("mjpeg", "libx264"), 180),
        ([0], STEADY, ("libx264", "libx264"), 180),
        ([0], [0, 1], ("mjpeg", "libx264"), 180),
        (STEADY, [0], ("libx264", "mjpeg"), 60),
        (STEADY, STEADY, ("libx264", "libx264"), 60),
        ([0, 1.9], STEADY, ("libx264", "libx264"), 180),
        ([0], [0], ("mjpeg", "libx264"), 60),
    ],
    ids=["JPEG", "H.264", "a slow film", "second", "two films", "two pictures", "two covers"],
)
def test_a_cover_of_one_frame_is_passed_over(tmp_path, name, first, second, codecs, level):
    found = list(frames(two_streams(tmp_path / name, first, second, codecs)))
    assert {int(frame.image[0, 0, 0]) for frame in found} <= set(range(level - 4, level + 5))
    with Reader(tmp_path / name) as reader:
        assert len(list(reader.shots())) == len(first if level == 60 else second)


def analysis(expression, time):
    scores = EmotionScores(tuple(0.94 if emotion == expression else 0.01 for emotion in Emotion))
    face = Face((0.0, 0.0, 40.0, 40.0), 1.0, Landmarks(*[(1.0, 1.0)] * 5))
    faces = (FaceEmotion(1, face, Reading.of(scores), False, None),)
    return Analysis(64, 48, faces, Mood(Emotion(expression), ""), None, "m", time=time)


def test_mood_and_timeline_weigh_a_still_by_its_time(tmp_path):
    """Happy for 20 of 22 seconds, in one frame; angry for the rest, in eight."""
    looks = ["happy", *["angry"] * 8]
    timeline = Timeline()
    for time, index in shown(film(tmp_path / "a.mp4", [0, *(20 + i / 4 for i in range(8))])):
        timeline.add(analysis(looks[index], time))
    mood = timeline.mood()
    assert (mood.emotion, mood.reason) == ("happy", "Looks happy in 80 of 88 frames with faces")


def test_a_films_name_is_no_formula(tmp_path):
    Timeline().save(tmp_path / "t.png", "a$%$x.mp4")
    assert load_image(tmp_path / "t.png").shape[2] == 3


def test_the_end_of_subtitles_is_not_that_of_the_last_picture(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as film:
        packets = encoded(film, "libx264", [0, 0.5], [grey(0), grey(1)])
        words = film.add_stream("subrip")
        words.codec_context.subtitle_header = b"[Script Info]\n[V4+ Styles]\n[Events]\n"
        said = av.Packet(b"Hello")
        said.stream, said.time_base, said.pts, said.dts, said.duration = words, Fraction(1, 1000), 0, 0, 20_000
        for packet in [*packets, said]:
            film.mux(packet)
    with Reader(path) as reader:
        assert reader.length == 20
    assert shown(path) == [(0, 0), (0.48, 1)]


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.mp4", "a.wmv"])
def test_a_film_that_begins_late_is_whole(tmp_path, name):
    codec = {"a.webm": "libvpx", "a.wmv": "wmv2"}.get(name, "libx264")
    assert len(shown(film(tmp_path / name, [i / 4 for i in range(8)], rate=4, start=5, codec=codec))) == 8


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "mjpeg"), ("a.flv", "flv"), ("a.wmv", "wmv2")])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_of_a_film_that_is_cut_no_still_is_made(tmp_path, name, codec, share):
    pictures = np.random.default_rng(6).integers(0, 256, (75, 48, 64, 3), np.uint8)
    with av.open(str(tmp_path / name), "w") as film:
        film.mux(encoded(film, codec, [i / 25 for i in range(75)], pictures))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: round(len(data) * share)])
    found = []
    with pytest.raises(DataError, match=r"cut short: it ends after \d\.\d"):
        found.extend(frame.index for frame in frames(tmp_path / name, 25))
    assert found == [*range(len(found))]
    assert 5 < len(found) < 70


def test_a_film_that_is_cut_ends_where_it_ends(tmp_path):
    whole = stills(tmp_path / "a.mkv", [1] * 7).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    found = []
    with pytest.raises(DataError, match="cut short"):
        found.extend(shown(tmp_path / "cut.mkv"))
    assert found == []
