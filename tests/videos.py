"""Videos for the tests, written with PyAV: of a real face at known places and times; and small ones, to be damaged."""

from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import cv2
import numpy as np

from damage import damage, try_many
from femr.video.analysis import frames

NTSC = Fraction(30000, 1001)
SIZE = (320, 240)
"""Width and height."""
HEAD = (slice(20, 260), slice(100, 340))
"""The portrait's head: rows and columns."""
SIDE = 140
"""Of a head in the video, pixels; the face in it is about 60 long."""
TICKS = 90_000
KINDS = {
    ".mp4": {},
    ".mov": {"codec": "mjpeg", "pixels": "yuvj420p"},
    ".mkv": {},
    ".webm": {"codec": "libvpx", "sound": "libopus"},
    ".avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    ".ts": {},
}
"""Ending: what `write_video` is told for it."""
_PARTS = (
    *(b"ftyp", b"moov", b"mdat", b"stts", b"stsz", b"stco", b"elst", b"mdhd", b"RIFF", b"LIST", b"movi", b"idx1"),
    *(b"\x1a\x45\xdf\xa3", b"\x1f\x43\xb6\x75", b"G\x40", b"OggS", b"FLV\1", b"\0\0\1\xb3", b"\xff\xd8", b"#EXTM3U\n"),
)
TIMES = [0, 0.1, 0.2, 0.3, 0.4, 1, 1.1, 1.5]


def scene(portrait, *places):
    """A grey picture with a head at each place: x and y of its upper left corner."""
    picture = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    head = cv2.resize(portrait[HEAD], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    for x, y in places:
        picture[y : y + SIDE, x : x + SIDE] = head
    return picture


def write_video(
    path,
    pictures,
    times,
    rotation=None,
    sound=None,
    codec="libx264",
    pixels="yuv420p",
    rate=NTSC,
    moov_first=False,
    start=0.0,
):
    """Writes pictures, RGB, each at its time in seconds. `sound`: the codec of a tone as long as the video."""
    options = {"movflags": "faststart"} if moov_first else {}
    with av.open(str(path), "w", options=options) as film:
        stream = film.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.time_base = Fraction(1, TICKS)
        if rotation is not None:
            stream.set_display_rotation(rotation)
        tone = film.add_stream(sound, rate=48000, layout="mono") if sound else None
        for picture, time in zip(pictures, times, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = round((time + start) * TICKS), Fraction(1, TICKS)
            film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
        if tone:
            film.mux(_tone(tone, times[-1], start))
    return path


def _tone(stream, seconds, start):
    """Packets of 440 Hz."""
    samples = np.sin(2 * np.pi * 440 / 48000 * np.arange(int(48000 * seconds))).astype(np.float32) * 0.2
    resampler = av.AudioResampler(stream.codec_context.format.name, "mono", 48000, frame_size=stream.frame_size or 1024)
    whole = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
    whole.sample_rate, whole.pts, whole.time_base = 48000, round(start * 48000), Fraction(1, 48000)
    parts = [*resampler.resample(whole), *resampler.resample(None)]
    return [packet for part in [*parts, None] for packet in stream.encode(part)]


def steady(seconds, rate=NTSC):
    """The times of frames at an even rate."""
    return [float(i / rate) for i in range(int(seconds * rate))]


def good_videos():
    """Ending and content of small films: eight pictures, one of which stays; some are turned or have sound."""
    more = {".mp4": {"rotation": 90, "sound": "aac"}, ".webm": {"codec": "libvpx-vp9"}, ".flv": {"codec": "flv"}}
    more |= {".gif": {"codec": "gif", "pixels": "rgb8"}, ".wmv": {"codec": "wmv2"}, ".avi": {"codec": "ffv1"}}
    more |= {".mov": {"codec": "prores", "pixels": "yuv422p10le"}, ".apng": {"codec": "apng", "pixels": "rgb24"}}
    pictures = [np.full((32, 32, 3), 20 + 30 * number, np.uint8) for number in range(len(TIMES))]
    with TemporaryDirectory() as name:
        return [
            (ending, write_video(Path(name, f"a{ending}"), pictures, TIMES, **options).read_bytes())
            for ending, options in [*KINDS.items(), *more.items()]
        ]


def try_videos(count, seed):
    """How many damaged films are read to their end, and how many are refused in a sentence; see `damage.try_many`."""
    with TemporaryDirectory() as name:

        def read(ending, data):
            path = Path(name, f"a{ending}")
            path.write_bytes(data)
            for frame in frames(path):
                assert frame.image.dtype == np.uint8

        return try_many(read, good_videos(), _spoil, count, seed)


def _spoil(data, chance):
    """The film with some faults."""
    return damage(data, chance, _PARTS, (1, 4, 30))
