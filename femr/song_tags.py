"""What an audio file says of itself: its length, and its tags, whichever program wrote them; and how loud it plays.

tinytag reads both. It takes any bytes for MP3, and does not know the length of AAC without a container or of FLAC that
was written as a stream, so these are looked at here. Where it fails, or finds nothing, FFmpeg is asked whether there is
sound all the same, if PyAV is installed: Chromium and Firefox decode with it, and a damaged tag must not cost a song.

One song follows another at the same loudness, ReplayGain's. Where neither list nor tag tells it, FFmpeg's EBU R128
filter measures it once, in the background; what it finds is kept in memory, and nothing is written beside the songs.
"""

import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice
from math import inf
from os import SEEK_END
from pathlib import Path
from queue import LifoQueue
from threading import Thread
from typing import TYPE_CHECKING, BinaryIO

from tinytag import TinyTag, UnsupportedFormatError

from femr.files import open_media
from femr.results import Emotion, Song, emotion_of

if TYPE_CHECKING:
    from av.container import InputContainer

TARGET = -18.0
"""LUFS at which songs play: the reference of ReplayGain 2.0."""
COMMON = -12.0
"""LUFS of what nothing is known of yet: as most records are, so that it is not the loud one of the evening."""

_PLAYED = ("audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/flac")
_NOT_PLAYED = "speex"
_OGG_FLAC = 'audio/ogg; codecs="flac"'
# names of fields in tinytag's words, the usual one first: ID3's frames, Vorbis comments, iTunes' own, MusicMatch's
_LICENCE = ("copyright",)
_MOOD = ("mood", "tmoo", "musicmatch_mood")
_TEMPO = ("bpm", "tempo")
_KEY = ("initial_key", "initialkey", "key")
_GAIN = ("replaygain_track_gain",)
_R128_GAIN = ("r128_track_gain",)
_FASTEST = 1_000  # beats a minute
_R128_REFERENCE = -23.0  # LUFS, for which such gains are meant: RFC 7845; the others are for TARGET
_SILENCE = -70.0  # LUFS, the gate of EBU R128
LOUDNESS = (_SILENCE, 6.0)  # LUFS: what a recording can have
_DECIBELS = re.compile(r"([+-]?\d+(?:[.,]\d+)?)(?: ?dB)?", re.IGNORECASE)
_BETWEEN_MOODS = re.compile(r"[\0;,/|]")
_TONIC_AND_MODE = re.compile(r"([A-G][#b♯♭]?) ?(|maj|major|m|min|minor)")

# layers II and III of MPEG 1, 2 and 2.5; a frame of layer III has 1,441 bytes at most, so the first bytes hold far more
# than one header in each 4,096, all alike; what is no sound hardly ever does
_MPEG_HEADER = re.compile(rb"\xff[\xe2-\xe5\xf2-\xf5\xfa-\xfd]")
_LOOKED_AT, _SPAN, _FEWEST = 65_536, 4_096, 3
_LONGEST_PAGE = 65_307  # bytes, of Ogg
_ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
_ADTS_SAMPLES = 1_024  # a frame: ISO/IEC 13818-7
# FFmpeg's names. Its readers of play lists are not among them: a song opens no other file
_CONTAINERS = "aac,flac,mov,mp3,ogg,wav"
_CODECS = ("aac", "alac", "flac", "mp3", "opus", "pcm_", "vorbis")

_log = logging.getLogger(__name__)
_measured: dict[Path, float | None] = {}
_wanted: LifoQueue[Path] = LifoQueue()  # the song that was asked for last plays next


@dataclass(frozen=True, slots=True)
class Tags:
    """Length, words by the names of `results.Song`, beats a minute, and LUFS.

    seconds: 0 where nothing is in the file that browsers play, None if it is not known. words: only what is told.
    """

    seconds: float | None
    words: dict[str, str]
    tempo: float | None
    loudness: float | None


def read_tags(path: Path) -> Tags:
    """What a file tells. Raises: whatever tinytag raises for a damaged one, of any kind, if FFmpeg finds no sound."""
    if _is_hollow(path):
        return Tags(0.0, {}, None, None)
    try:
        tags = _read(path)
    except UnsupportedFormatError:
        tags = Tags(0.0, {}, None, None)
    except Exception:  # a damaged file makes the library raise nearly anything
        if (seconds := _decoded_seconds(path)) == 0:
            raise
        return Tags(seconds, {}, None, None)
    return tags if tags.seconds else replace(tags, seconds=_decoded_seconds(path))


def _is_hollow(path: Path) -> bool:
    """Whether it is a download that has not begun: for minutes tinytag and FFmpeg would look at its zeros."""
    with path.open("rb") as file:
        file.seek(sound_start(file))
        sound = file.read(_LOOKED_AT)
    return bool(sound) and not any(sound)


def _read(path: Path) -> Tags:
    with path.open("rb") as file:
        tag = _parse(path, file)
        seconds = float(_seconds(tag, file))
    licence, key, tempo = (next(_values(tag, *names), "") for names in (_LICENCE, _KEY, _TEMPO))
    words = {"title": tag.title, "artist": tag.artist, "licence": licence, **_tonality(key)}
    return Tags(seconds, {name: word for name, word in words.items() if word}, _tempo(tempo), _loudness(tag))


def moods_of(path: Path) -> tuple[Emotion, ...]:
    """The expressions that a file's mood tag names; none where it has no such tag, or cannot be read."""
    try:
        with path.open("rb") as file:
            tag = _parse(path, file, duration=False)
    except Exception:  # a damaged file makes the library raise nearly anything
        return ()
    words = (word for value in _values(tag, *_MOOD) for word in _BETWEEN_MOODS.split(value))
    return tuple(dict.fromkeys(emotion for emotion in map(emotion_of, words) if emotion))


def _parse(path: Path, file: BinaryIO, duration: bool = True) -> TinyTag:
    try:
        # by what it holds, as browsers do, whatever it is called
        return TinyTag.get(file_obj=file, duration=duration)
    except UnsupportedFormatError:
        return TinyTag.get(path.name, file, duration=duration)  # MP3 behind something else


def _values(tag: TinyTag, *names: str) -> Iterator[str]:
    return (value for name in names for value in tag.other.get(name, ()))


def _tempo(text: str) -> float | None:
    try:
        beats = float(text.replace(",", "."))
    except ValueError:
        return None
    return beats if 0 < beats < _FASTEST else None


def _loudness(tag: TinyTag) -> float | None:
    """What the gains ask for, turned round: a song that is 2 dB too loud has a gain of -2 dB."""
    for names, reference, unit in ((_GAIN, TARGET, 1.0), (_R128_GAIN, _R128_REFERENCE, 1 / 256)):  # Q7.8
        found = _DECIBELS.fullmatch(next(_values(tag, *names), "").strip("\0 "))
        loudness = reference - unit * float(found[1].replace(",", ".")) if found else inf
        if LOUDNESS[0] < loudness < LOUDNESS[1]:
            return round(loudness, 2)
    return None


def _tonality(text: str) -> dict[str, str]:
    """Key and mode of "F#m", "Bb" or "C minor"; a key of another kind, such as Camelot's 8A, as it stands."""
    known = _TONIC_AND_MODE.fullmatch(text.strip("\0 "))
    if known is None:
        return {"key": text}
    return {"key": known[1], "mode": "minor" if known[2] in ("m", "min", "minor") else "major"}


def _seconds(tag: TinyTag, file: BinaryIO) -> float:
    kind = tag.mime_type or ""
    if kind != "audio/mpeg":
        length = tag.duration or (_last_granule(file) / tag.samplerate if kind == _OGG_FLAC and tag.samplerate else 0.0)
        return length if kind.startswith(_PLAYED) and _NOT_PLAYED not in kind else 0.0
    file.seek(sound_start(file))
    sound = file.read(_LOOKED_AT)
    if _is_adts(sound, 0):
        return _adts_seconds(sound + file.read())
    return tag.duration or 0.0 if _has_frames(sound) else 0.0


def _last_granule(file: BinaryIO) -> int:
    """The number of samples before the end, as Ogg's last page has it."""
    file.seek(max(0, file.seek(0, SEEK_END) - _LONGEST_PAGE))
    end = file.read()
    page = end.rfind(b"OggS")
    return int.from_bytes(end[page + 6 : page + 14], "little", signed=True) if page >= 0 else 0


def sound_start(file: BinaryIO) -> int:
    """Where an ID3v2 tag ends, 0 without one; its size is four times seven bits."""
    file.seek(0)
    header = file.read(10)
    if not header.startswith(b"ID3") or len(header) < 10:
        return 0
    return 10 + sum((byte & 127) << shift for byte, shift in zip(header[6:], (21, 14, 7, 0), strict=True))


def _has_frames(sound: bytes) -> bool:
    """Whether MPEG's frames follow each other in it."""
    headers = Counter(_MPEG_HEADER.findall(sound))
    return max(headers.values(), default=0) >= max(_FEWEST, len(sound) // _SPAN)


def _is_adts(sound: bytes, place: int) -> bool:
    return len(sound) >= place + 7 and sound[place] == 0xFF and sound[place + 1] & 0xF6 == 0xF0


def _adts_seconds(sound: bytes) -> float:
    """Length of AAC without a container; what cannot be walked through, behind a fault, as if it were like the rest."""
    place = frames = 0
    while _is_adts(sound, place):
        size = (sound[place + 3] & 3) << 11 | sound[place + 4] << 3 | sound[place + 5] >> 5
        frames, place = frames + 1, place + max(7, size)
    seconds = frames * _ADTS_SAMPLES / _ADTS_RATES[sound[2] >> 2 & 15]
    return seconds * max(1.0, len(sound) / place) if frames >= _FEWEST else 0.0


def open_song(path: Path) -> "InputContainer":
    """A song, opened by PyAV, which opens no other file. Raises: as `open_media`."""
    return open_media(path, format_whitelist=_CONTAINERS, protocol_whitelist="file")


def _decoded_seconds(path: Path) -> float | None:
    """Length of what FFmpeg decodes of a file; None if it cannot tell, 0 if that is nothing, or PyAV is not there."""
    try:
        import av
    except ImportError:
        return 0.0
    with suppress(av.FFmpegError, OSError, ValueError), open_song(path) as container:
        for sound in container.streams.audio[:1]:
            known = sound.codec_context and sound.codec_context.codec.canonical_name.startswith(_CODECS)
            if known and len(list(islice(container.decode(sound), _FEWEST))) == _FEWEST:
                return container.duration / av.time_base if container.duration else None
    return 0.0


def gain_of(song: Song) -> float:
    """What the player multiplies a song's volume by, over 0 to 1: it can only make songs softer, not louder."""
    loudness = song.loudness if song.loudness is not None else _measured.get(song.path)
    if loudness is None:
        if song.path not in _measured:
            _worker()
            _wanted.put(song.path)
        loudness = COMMON
    return round(min(1.0, 10 ** ((TARGET - loudness) / 20)), 4)


def measure_loudness(path: Path) -> float | None:
    """The integrated loudness of a song in LUFS (EBU R128); None where it cannot be told: no PyAV, damaged, silent."""
    try:
        from av.filter import Graph
    except ImportError:
        return None
    loudness = _SILENCE
    try:
        with open_song(path) as file:
            graph, stream = Graph(), file.streams.audio[0]
            sink = graph.add("abuffersink")
            graph.link_nodes(graph.add_abuffer(template=stream), graph.add("ebur128", "metadata=1"), sink).configure()
            for frame in chain(file.decode(stream), [None]):
                graph.push(frame)
                with suppress(BlockingIOError, EOFError):  # it gives out what it can
                    while True:
                        loudness = float(sink.pull().metadata.get("lavfi.r128.I", loudness))
    except Exception as error:  # a damaged file makes the library raise nearly anything; what it played counts
        _log.debug("%s: %s", path.name, error)
    return loudness if loudness > _SILENCE else None


@cache
def _worker() -> Thread:
    """The one thread that measures; it does not hold the program up when that ends."""
    thread = Thread(target=_work, name="loudness", daemon=True)
    thread.start()
    return thread


def _work() -> None:
    while True:
        path = _wanted.get()
        if path not in _measured:
            _measured[path] = measure_loudness(path)
