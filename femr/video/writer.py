"""Films, H.264 and AAC in MP4 that browsers and phones play: the annotated video, and a clip of a picture with a song.

The annotated video has every frame with the boxes found last, and its own sound; the clip the best part of the song.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import IO, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from femr.errors import DataError, LibraryError, printable
from femr.images import Pixels
from femr.output.annotate import blurred, draw
from femr.results import Analysis, Song
from femr.video.reader import FFmpegError, Reader, Shot, av, to_pixels

Sound: TypeAlias = npt.NDArray[np.float32]

SECONDS = 10
"""Length of a clip."""

_INDEX_FIRST = {"movflags": "faststart"}
_TICKS = Fraction(1, 90_000)
_QUALITY = {"preset": "veryfast", "crf": "23"}
_COPIED = ("aac", "mp3")  # sound that MP4 players take as it is

_LOOKED_AT = 300  # seconds of a clip's song, 106 MB
_RATE = 44_100
_FRAMES = 10  # a second: enough for a picture that stands still
_STILL = {"preset": "ultrafast", "tune": "stillimage", "crf": "20"}
_BT709 = 1  # FFmpeg's number for its colours
_FADE_IN, _FADE_OUT = 0.2, 1.0  # seconds


def annotated(
    opened: Callable[[], IO[bytes]], target: str | PathLike[str], analyses: Iterable[Analysis], blur: bool = False
) -> Iterator[Analysis]:
    """The same analyses, passed on, while the annotated video is written along: MP4, H.264, sound copied or AAC.

    Boxes stay until the next analysis. When the caller stops early, the video ends there and can be played. When the
    video fails, all analyses that were taken have been passed on.

    Args:
        opened: opens the video that the analyses are of, a second time.
        target: the file to write; there is none where nothing could be analysed.
        analyses: in the order of time; what has no time is only passed on.
        blur: hide the faces, where they were found last and where they are found next.
    Raises: DataError if `target` cannot be written.
    """
    with ExitStack() as stack:
        film: _Film | None = None
        shots: Iterator[Shot] = iter(())
        shot: Shot | None = None
        shown: Analysis | None = None
        for analysis in analyses:
            yield analysis
            if analysis.time is None:
                continue
            if film is None:
                reader = stack.enter_context(Reader(opened()))
                film = stack.enter_context(_Film(Path(target), reader))
                shots = reader.shots(film.sound)
                shot = next(shots, None)
            while shot and shown and shot.time < Fraction(analysis.time) - _TICKS:
                film.add(shot, shown, (shown, analysis) if blur else ())
                shot = next(shots, None)
            shown = analysis
        while film and shot and shown:
            film.add(shot, shown, (shown,) if blur else ())
            shot = next(shots, None)


class _Film:
    """An MP4 file that is opened with its first frame, when the size is known; a context manager."""

    def __init__(self, target: Path, reader: Reader) -> None:
        self._target = target
        self._reader = reader
        self._container: Any = None
        self._video: Any = None
        self._track: _AudioTrack | None = None
        self._early: list[Any] = []
        self._last = -1
        self._broken = False

    def __enter__(self) -> "_Film":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Closes the file so that it can be played, however it ended."""
        if not self._container:
            return
        try:
            # FFmpeg crashes on packets for a file whose beginning could not be written
            if not self._broken:
                self._container.mux(self._video.encode(None))
                if self._track:
                    self._container.mux(self._track.rest())
            self._container.close()
        except (FFmpegError, OSError) as error:
            if kind is None:
                raise self._failed(error) from error

    def add(self, shot: Shot, shown: Analysis, hidden: Iterable[Analysis]) -> None:
        """A frame, drawn on; `hidden`: whose faces are blurred. Raises: DataError if it cannot be written."""
        image = blurred(to_pixels(shot.frame, self._reader.stream), *hidden)
        image = even(draw(image, shown))
        try:
            if not self._container:
                self._open(image)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            # players want each frame later than the one before
            self._last = max(self._last + 1, round(shot.time / _TICKS))
            frame.pts, frame.time_base = self._last, _TICKS
            self._container.mux(self._video.encode(frame))
        except (FFmpegError, OSError) as error:
            raise self._failed(error) from error

    def sound(self, packet: Any) -> None:
        """A packet of the source's sound. Raises: DataError if it cannot be written."""
        if not self._container:
            self._early.append(packet)
        elif self._track:
            try:
                self._container.mux(self._track.add(packet))
            except (FFmpegError, OSError) as error:
                raise self._failed(error) from error

    def _open(self, image: Pixels) -> None:
        self._container = av.open(str(self._target), "w", format="mp4", options=_INDEX_FIRST)
        rate = self._reader.stream.average_rate or 25
        self._video = self._container.add_stream("libx264", rate=rate, options=_QUALITY)
        self._video.height, self._video.width = image.shape[:2]
        self._video.pix_fmt = "yuv420p"
        self._video.codec_context.time_base = _TICKS
        if self._reader.sound:
            self._track = _AudioTrack(self._container, self._reader.sound, self._reader.start)
        early, self._early = self._early, []
        for packet in early:
            self.sound(packet)

    def _failed(self, error: Exception) -> DataError:
        self._broken = True
        reason = getattr(error, "strerror", None) or error
        return DataError(f"{self._target.name} cannot be written: {reason}.")


class _AudioTrack:
    """The sound of a film: packets as they are where MP4 takes them, else decoded and encoded as AAC."""

    def __init__(self, container: Any, source: Any, start: Fraction) -> None:
        self._start = start
        self._copied = source.codec_context is not None and source.codec_context.name in _COPIED
        if self._copied:
            self._stream = container.add_stream_from_template(source)
        else:
            rate = min(source.rate or 48_000, 48_000)
            layout = "mono" if source.channels == 1 else "stereo"
            self._stream = container.add_stream("aac", rate=rate, layout=layout)
            self._resampler = av.AudioResampler("fltp", layout, rate, frame_size=1024)

    def add(self, packet: Any) -> list[Any]:
        """What is to be written for a packet of the source."""
        if not self._copied:
            return [coded for frame in self._decoded(packet) for coded in self._encoded(frame)]
        if packet.dts is None:
            return []
        shift = round(self._start / packet.time_base)
        packet.dts -= shift
        packet.pts = packet.dts if packet.pts is None else packet.pts - shift
        packet.stream = self._stream
        return [packet]

    def rest(self) -> list[Any]:
        """What is left to be written at the end."""
        if self._copied:
            return []
        return [*self._encoded(None), *self._stream.encode(None)]

    def _decoded(self, packet: Any) -> list[Any]:
        try:
            frames = list(packet.decode())
        except FFmpegError:  # a moment of silence is better than no video
            return []
        for frame in frames:
            if frame.pts is not None:
                frame.pts -= round(self._start / frame.time_base)
        return frames

    def _encoded(self, frame: Any) -> list[Any]:
        return [packet for part in self._resampler.resample(frame) for packet in self._stream.encode(part)]


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
        with av.open(str(target), "w", format="mp4", options=_INDEX_FIRST) as film:
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
    video = film.add_stream("libx264", rate=_FRAMES, options=_STILL)
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


def even(image: Pixels) -> Pixels:
    """The picture with even sides, as yuv420p wants them: the last row and column once more."""
    height, width = image.shape[:2]
    padded: Pixels = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return padded
