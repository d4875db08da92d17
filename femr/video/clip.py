"""A short film of one picture with the best part of a song: MP4 that phones play and send on."""

from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from femr.errors import DataError, LibraryError, printable
from femr.images import Pixels
from femr.results import Song
from femr.video.reader import FFmpegError, av
from femr.video.writer import even

Sound: TypeAlias = npt.NDArray[np.float32]

SECONDS = 10
"""Length of the clip."""

_LOOKED_AT = 300  # seconds of a song, 106 MB
_RATE = 44_100
_FRAMES = 10  # a second: enough for a picture that stands still
_QUALITY = {"preset": "ultrafast", "tune": "stillimage", "crf": "20"}
_BT709 = 1  # FFmpeg's number for its colours
_FADE_IN, _FADE_OUT = 0.2, 1.0  # seconds


def write_clip(picture: Pixels, song: Song, target: str | PathLike[str]) -> None:
    """Writes the picture with the song's loudest SECONDS, where its chorus is: H.264 and AAC, its index first.

    Args:
        picture: RGB uint8 (h, w, 3).

    Raises:
        LibraryError: The song cannot be read any more.
        DataError: `target` cannot be written.
    """
    sound = best_part(_decoded(song.path))
    try:
        with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as film:
            _write(film, even(picture), sound)
    except (FFmpegError, OSError) as error:
        raise DataError(f"The clip cannot be written: {getattr(error, 'strerror', None) or error}.") from error


def best_part(sound: Sound) -> Sound:
    """The loudest SECONDS of a song by power, from a whole second on, faded in and out: float32 (n, 2).

    Args:
        sound: float32 (n, 2), _RATE a second.
    """
    whole = len(sound) // _RATE
    start = 0
    if whole > SECONDS:
        seconds = sound[: whole * _RATE].reshape(whole, -1)
        powers = np.einsum("ij,ij->i", seconds, seconds)
        start = int(np.convolve(powers, np.ones(SECONDS), "valid").argmax()) * _RATE
    part = sound[start : start + SECONDS * _RATE].copy()
    times = np.arange(len(part), dtype=np.float32)[:, np.newaxis] / _RATE
    part *= np.minimum(1, times / _FADE_IN) * np.minimum(1, (times[-1:] - times) / _FADE_OUT)
    return part


def _decoded(path: Path) -> Sound:
    """A song's beginning, up to _LOOKED_AT: float32 (n, 2). Raises: LibraryError."""
    name = printable(path.name)
    try:
        with path.open("rb") as file, av.open(file, "r") as container:
            resampler = av.AudioResampler("flt", "stereo", _RATE)
            parts: list[Sound] = []
            for frame in container.decode(audio=0):
                parts += [np.asarray(one.to_ndarray(), np.float32).reshape(-1, 2) for one in resampler.resample(frame)]
                if frame.time is not None and frame.time > _LOOKED_AT:
                    break
    except (FFmpegError, OSError, IndexError) as error:  # IndexError: no sound in it
        raise LibraryError(f"There is no clip: the song {name} cannot be read any more.") from error
    if not parts:
        raise LibraryError(f"There is no clip: the song {name} is empty.")
    return np.concatenate(parts)


def _write(film: Any, picture: Pixels, sound: Sound) -> None:
    video = film.add_stream("libx264", rate=_FRAMES, options=_QUALITY)
    video.height, video.width = picture.shape[:2]
    video.pix_fmt = "yuv420p"
    audio = film.add_stream("aac", rate=_RATE, layout="stereo", bit_rate=160_000)
    video.codec_context.colorspace = _BT709  # players take an unmarked film of this size for it
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
    for number in range(_FRAMES * SECONDS):
        frame.pts = number
        film.mux(video.encode(frame))
    film.mux(video.encode(None))
    whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.reshape(1, -1)), format="flt", layout="stereo")
    whole.sample_rate = _RATE
    resampler = av.AudioResampler("fltp", "stereo", _RATE, frame_size=1024)
    for part in (*resampler.resample(whole), *resampler.resample(None), None):
        film.mux(audio.encode(part))
