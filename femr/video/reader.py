"""The frames of a video file by their time stamps, upright; any container and codec that FFmpeg knows, through PyAV."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from femr.errors import ImageError
from femr.files import open_file, open_media
from femr.images import MAX_PIXELS, Pixels

try:
    import av as av  # for the writer, too
    from av.error import FFmpegError as FFmpegError
    from av.sidedata.sidedata import SideDataContainer, Type
    from av.stream import Disposition
except ImportError as error:
    raise ImageError("Videos and clips need PyAV: pip install av.") from error

_BACK = 1  # seconds that time stamps must go back to be taken for a new beginning, as in files put one after another
_MISSING = 1  # seconds that may be missing at the end before it is said
_PADDING = Fraction(1, 10)  # seconds that sound may go on after the last picture
_ROUNDED = Fraction(1, 1000)  # seconds that a container may round up
_MOST_PIXELS = str(MAX_PIXELS * 11 // 10)  # of a frame with its padding, else a header of a few bytes takes gigabytes
_MOVING = 25  # pictures of one stream after which another that had but one is taken for a cover
_PROBED = 1000  # packets that are looked through for that
_TOO_LARGE = f"The video has more than {MAX_PIXELS // 1_000_000} megapixels."
_UNKNOWN = 2  # FFmpeg's number for colours of which a file tells nothing
# containers that tell how long they are; of others FFmpeg guesses it
_TELLING = ("mov", "matroska", "avi", "flv", "asf")
_FROM_ZERO = ("matroska", "flv", "asf")  # they count it from the time 0, not from the first picture
_STILLS = ("avi", "flv", "asf")  # they do not tell how long a picture is shown, so the last one may be a still
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # 24 bytes before the file's size
_HEAD = 1 << 16  # bytes, where that stands
_INDEXLESS = 0.99  # of an ASF file, which ends with an index, is all of its pictures


@dataclass(frozen=True, slots=True)
class Shot:
    """A decoded frame: seconds since the video's start, exact; its number, from 0."""

    time: Fraction
    index: int
    frame: av.VideoFrame


class Reader:
    """An opened video; a context manager.

    sound: its sound stream or None. length: seconds as the container tells, None where it does not.

    Args: `source`, a path or an open binary file. No other file is read, whatever a play list in it says.
    Raises: ImageError if it is no video, has no pictures, or larger ones than femr reads.
    """

    def __init__(self, source: str | os.PathLike[str] | IO[bytes]) -> None:
        self._file = source if not isinstance(source, str | os.PathLike) else open_file(Path(source))
        try:
            # FFmpeg would follow the addresses and paths in a play list; it may open nothing by itself
            self.container = open_media(_Input(self._file), protocol_whitelist="none", max_pixels=_MOST_PIXELS)
        except (FFmpegError, OSError, ValueError) as error:
            self._file.close()
            raise ImageError("This is not a video that can be read; it is damaged or something else.") from error
        covers = Disposition.attached_pic | Disposition.still_image
        known = [stream for stream in self.container.streams.video if stream.codec_context]
        pictures = [stream for stream in known if not stream.disposition & covers]
        if not pictures:
            self.close()
            raise ImageError("There are no moving pictures in this file.")
        self.sound = next(iter(self.container.streams.audio), None)
        self.start = Fraction(self.container.start_time or 0, av.time_base)
        length = Fraction(self.container.duration or 0, av.time_base)
        self._length = length - self.start if self._is_one_of(_FROM_ZERO) else length
        self.length = float(self._length) if self._length > 0 else None
        self._end = Fraction(0)
        self._damaged = 0
        self._torn = False
        self._read = self._packets()
        self._early: list[Any] = []
        self.stream = pictures[0] if len(pictures) == 1 else self._moving(pictures)
        if self.stream.width * self.stream.height > MAX_PIXELS:
            self.close()
            raise ImageError(_TOO_LARGE)
        self.stream.thread_type = "AUTO"
        self.stream.codec_context.options = {"max_pixels": _MOST_PIXELS}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self.container.close()
        self._file.close()

    def shots(self, other: Callable[[Any], None] | None = None) -> Iterator[Shot]:
        """All frames that can be decoded, in the order of their times.

        Args: `other`, is called with each packet of the sound, in between.
        """
        clock = _Clock(self.start, Fraction(1) / (self.stream.average_rate or 25))
        index = 0
        for packet in chain(self._early, self._read):
            if packet.stream is not self.stream:
                if other and packet.stream is self.sound:
                    other(packet)
                continue
            if not packet.size and packet.pts is not None:
                continue  # the picture stays as it is; a decoder would take it for the end
            for frame in self._decoded(packet, index):
                yield Shot(clock.read(frame), index, frame)
                index += 1

    def complaint(self) -> str | None:
        """After all shots: what was missing or damaged, as a sentence."""
        missing = self._is_one_of(_TELLING) and self._end + _MISSING < (self.length or 0)
        if self._is_torn() if self._is_one_of(_STILLS) else missing:
            whole = f" of {self.length:.1f}" if missing else ""
            return f"The video is cut short: it ends after {float(self._end):.1f}{whole} seconds."
        if self._damaged:
            return f"The video is damaged: {self._damaged} of its frames could not be read."
        return None

    @property
    def end(self) -> Fraction:
        """After all shots: seconds until which the last one is shown, 0 where the container does not tell."""
        if not self.length or not self._is_one_of((*_TELLING, "ogg")) or self.complaint():
            return Fraction(0)
        if self._is_one_of(("matroska",)) and self.container.streams.subtitles:
            return Fraction(0)  # their length may be what the container tells
        if not self.stream.duration or not self.stream.time_base:
            return self._length - (_PADDING if self.sound else _ROUNDED)
        own = ((self.stream.start_time or 0) + self.stream.duration) * self.stream.time_base - self.start
        return min(self._length, own) - _ROUNDED

    def _is_one_of(self, formats: tuple[str, ...]) -> bool:
        return self.container.format.name.startswith(formats)

    def _is_torn(self) -> bool:
        """Whether the last packet or, of an ASF file, a part of the file is not there."""
        if self._torn or not self._is_one_of(("asf",)) or not self._file.seekable():
            return self._torn
        self._file.seek(0)
        properties = self._file.read(_HEAD).partition(_ASF_PROPERTIES)[2]
        return self._file.seek(0, os.SEEK_END) < _INDEXLESS * int.from_bytes(properties[24:32], "little")

    def _moving(self, streams: Sequence[Any]) -> Any:
        """The first one with more than one picture: a cover need not be marked as one."""
        pictures: Counter[int] = Counter()
        for packet in islice(self._read, _PROBED):
            self._early.append(packet)
            pictures[packet.stream.index] += packet.stream in streams and packet.size > 0
            if pictures[streams[0].index] > 1 or max(pictures.values()) > _MOVING:
                break
        return max(streams, key=lambda stream: min(pictures[stream.index], 2))

    def _packets(self) -> Iterator[Any]:
        packets = self.container.demux()
        while True:
            try:
                packet = next(packets, None)
            except (FFmpegError, OSError):
                self._damaged += 1
                return
            if packet is None:
                return
            if packet.pts is not None and packet.time_base:
                self._end = max(self._end, (packet.pts + (packet.duration or 0)) * packet.time_base - self.start)
            self._torn |= packet.is_corrupt
            yield packet

    def _decoded(self, packet: Any, before: int) -> list[av.VideoFrame]:
        try:
            return list(packet.decode())
        except (FFmpegError, OSError, ValueError):  # the last of codecs that FFmpeg was built without
            # recordings of a broadcast begin in the middle of something
            self._damaged += bool(before)
            return []


class _Input:
    """A file for PyAV, which prints what seeking to an impossible place raises, or raises it in another film."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """The new place, or -1, which FFmpeg takes for an error."""
        try:
            return self._file.seek(place, whence)
        except (OSError, ValueError, OverflowError):
            return -1


def to_pixels(frame: av.VideoFrame, stream: Any) -> Pixels:
    """A frame as RGB uint8 (h, w, 3), turned and mirrored as its container says, with square pixels.

    Raises: ImageError if it is larger than femr reads, or of a kind that FFmpeg does not turn into RGB.
    """
    ratio = stream.sample_aspect_ratio or Fraction(1)
    width = max(1, round(frame.width * ratio))
    if width * frame.height > MAX_PIXELS:
        raise ImageError(_TOO_LARGE)
    image: Any = _rgb(frame, width).to_ndarray()
    # as frame.side_data, which would hold the frame until the next garbage collection
    extra: Any = SideDataContainer(frame)  # type: ignore[call-arg]
    sides = [extra[place] for place in range(len(extra))]
    for data in (side for side in sides if side.type == Type.DISPLAYMATRIX):
        # x' = a x + c y, y' = b x + d y, of which two are zero
        a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5]
        if abs(b) > abs(a):
            image, a, d = image.transpose(1, 0, 2), c, b
        image = image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return np.ascontiguousarray(image)


def _rgb(frame: av.VideoFrame, width: int) -> av.VideoFrame:
    try:
        return frame.reformat(width=width, format="rgb24")
    except (FFmpegError, OSError):
        # what the file tells of its colours may be damaged, or of no known kind
        frame.colorspace = frame.color_trc = frame.color_primaries = _UNKNOWN
    try:
        return frame.reformat(width=width, format="rgb24")
    except (FFmpegError, OSError) as error:
        raise ImageError("The video has frames that cannot be read.") from error


class _Clock:
    """Time stamps → seconds since the start, never going back."""

    def __init__(self, start: Fraction, step: Fraction) -> None:
        self._shift = -start
        self._step = step
        self._last: Fraction | None = None

    def read(self, frame: av.VideoFrame) -> Fraction:
        """The frame's time; a step after the one before where it has none."""
        expected = Fraction(0) if self._last is None else self._last + self._step
        time = expected
        if frame.pts is not None and frame.time_base:
            time = frame.pts * frame.time_base + self._shift
            if time < expected - self._step - _BACK:
                self._shift += expected - time
                time = expected
        self._last = max(time, self._last or Fraction(0))
        return self._last
