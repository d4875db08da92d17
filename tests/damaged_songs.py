"""Good songs of every format that femr plays, and damaged songs and lists made at random."""

import io
import json
import random
from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from damage import damage
from femr.errors import printable
from femr.song_facts import PLAYABLE
from femr.songs import MUSIC_DIR, read_folder

FORMATS = {
    "mp3": ("mp3", "libmp3lame", "fltp"),
    "m4a": ("ipod", "aac", "fltp"),
    "aac": ("adts", "aac", "fltp"),
    "ogg": ("ogg", "vorbis", "fltp"),
    "opus": ("ogg", "libopus", "flt"),
    "oga": ("ogg", "flac", "s16"),
    "wav": ("wav", "pcm_s16le", "s16"),
    "flac": ("flac", "flac", "s16"),
}
"""Ending: FFmpeg's names of the container, the codec and the samples."""
TAGS = {"title": "Rain", "artist": "The Band", "copyright": "CC0"}
PARTS = (
    *(b"ID3\x03", b"ID3\x04\0\x80", b"ID3\x02", b"TAG", b"APETAGEX", b"\xff\xfb\x90d", b"\xff\xf1", b"Xing", b"VBRI"),
    *(
        b"OggS",
        b"\x01vorbis",
        b"OpusHead",
        b"\x7fFLAC",
        b"Speex   ",
        b"\x80theora",
        b"fLaC",
        b"RIFF\0\0\0\0WAVE",
        b"data",
    ),
    *(b"\0\0\0\x20ftypM4A ", b"moov", b"mdhd", b"covr", b"wvpk", b"MAC ", b"MP+", b"MPCK", b"TTA1", b"OFR ", b"tBaK"),
    *(b'"', b",", b";", b"\n", b"\r", b"[", b"{", b"}", b"null", b"1e999", b"\\ud800", b"../", b"\xe9", b"\xff\xfe"),
    *(
        b"FORM\0\0\0\0AIFF",
        b"MThd",
        b"DSD ",
        b"FRM8",
        b"\x0bw",
        b"data",
        b"ADIF",
        b"0&\xb2u\x8ef\xcf\x11",
        b"fmt ",
    ),
)
"""What formats and their parts begin with, of those too that the tag library knows and browsers do not; list syntax."""
LISTED = [
    {"file": "a.mp3", "expression": "happy", "title": "Fête", "tempo": 92.5, "lifts_from": "sad"},
    {"file": "b.mp3", "expression": "Sadness", "title": "Rain", "tempo": 60, "lifts_from": ""},
    {"file": "c.mp3", "expression": "anger", "title": 'Blue "sky"', "tempo": 120, "lifts_from": ""},
]


def good_songs():
    """Ending and content of small good files: one of each format with tags, and more of MP3's kinds of tags."""
    songs = [(ending, encode(*parts)) for ending, parts in FORMATS.items()]
    plain = encode(*FORMATS["mp3"], tags=(), write_xing="0", id3v2_version="0")
    ends = [_ape(title="Rain", artist="The Band"), b"TAG" + b"Rain".ljust(125, b"\0")]
    catalogue = [_beginning(path.read_bytes()) for path in sorted(MUSIC_DIR.glob("happy/*.mp3"))[:1]]
    more = [_id3(3) + plain, _id3(4) + plain, plain, plain + ends[0], plain + ends[0] + ends[1], *catalogue]
    return [*songs, *(("mp3", data) for data in more)]


@cache
def encode(container, codec, samples, tags=TAGS, seconds=0.5, quality=False, **options):
    """A tone, as a file; `quality`: at a rate that varies with what there is to hear."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options=options) as output:
        output.metadata.update(tags)
        # FFmpeg calls its own Vorbis an experiment
        choice = {"flags": "+qscale", "global_quality": "400"} if quality else {}
        stream = output.add_stream(codec, rate=48_000, layout="stereo", options={"strict": "experimental", **choice})
        time = np.arange(2 * round(48_000 * seconds)) / 2
        tone = np.sin(time / 34)[None] * np.where(time % 96_000 < 48_000, 0.3, 0.0)
        tone = (tone * 32_767).astype(np.int16) if samples == "s16" else tone.astype(np.float32)
        tone = tone.reshape(2, -1) if samples.endswith("p") else tone
        frame = av.AudioFrame.from_ndarray(tone, format=samples, layout="stereo")
        frame.sample_rate, frame.pts = 48_000, 0
        output.mux([*stream.encode(frame), *stream.encode(None)])
    return file.getvalue()


def _id3(version):
    """An ID3v2 tag; all of its sizes are under 128, which both versions write the same way."""
    frames = {b"TIT2": b"\3Rain", b"TPE1": b"\1\xff\xfeB\0", b"TCOP": b"\0CC0", b"COMM": b"\0eng\0so"}
    frames |= {b"APIC": b"\0image/png\0\3cover\0" + bytes(50)}
    body = b"".join(key + len(value).to_bytes(4) + bytes(2) + value for key, value in frames.items())
    return b"ID3" + bytes([version, 0, 0, 0, 0, len(body) >> 7, len(body) & 127]) + body


def _beginning(song):
    """The tag of one of femr's MP3s, cover and all, and a second of sound."""
    size = song[6] << 21 | song[7] << 14 | song[8] << 7 | song[9]
    return song[: 10 + size + 20_000]


def _ape(**items):
    fields = [(key.encode() + b"\0", value.encode()) for key, value in items.items()]
    body = b"".join(len(value).to_bytes(4, "little") + bytes(4) + key + value for key, value in fields)
    numbers = (2000, len(body) + 32, len(items), 0)
    return body + b"APETAGEX" + b"".join(number.to_bytes(4, "little") for number in numbers) + bytes(8)


def try_songs(count, seed, batch=50):
    """Reads `count` damaged songs, in folders of `batch`. Returns: how many play, and how many are left out.

    AssertionError if one takes another down, is not told of in one line, or cannot be shown.
    """
    chance, songs, plays = random.Random(seed), good_songs(), 0
    for start in range(0, count, batch):
        with TemporaryDirectory() as name:
            folder = Path(name, "happy")
            folder.mkdir()
            number = min(batch, count - start)
            for index in range(number):
                ending, data = chance.choice(songs)
                # browsers go by what a file holds, so endings may be wrong too
                ending = ending if chance.random() < 0.9 else chance.choice(PLAYABLE)[1:]
                (folder / f"{index}.{ending}").write_bytes(damage(data, chance, PARTS))
            library = read_folder(Path(name))
        plays += len(library.songs)
        check(library, number)
    return plays, count - plays


def try_lists(count, seed):
    """Reads `count` damaged lists of a folder of three songs. Returns: how often one, two or all three of them play.

    AssertionError if what is wrong is not told of in lines, or if what plays cannot be shown.
    """
    chance, played = random.Random(seed), Counter()
    with TemporaryDirectory() as name:
        for song in LISTED:
            Path(name, song["file"]).write_bytes(encode(*FORMATS["mp3"]))
        rows = [list(LISTED[0]), *(song.values() for song in LISTED)]
        table = ["\r\n".join(mark.join(map(str, row)) for row in rows) for mark in ",;\t"]
        texts = [*(("csv", text) for text in table), ("json", json.dumps({"songs": LISTED}))]
        encodings = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
        for _ in range(count):
            ending, text = chance.choice(texts)
            path = Path(name, f"library.{ending}")
            path.write_bytes(damage(text.encode(chance.choice(encodings)), chance, PARTS, (1, 4)))
            library = read_folder(Path(name))
            played[len({song.path for song in library.songs})] += 1
            check(library)
            path.unlink()
    return played


def check(library, number=None):
    """That each of so many files plays or is left out in a line, and that all can be written."""
    shown = [[song.title, song.artist, song.licence, str(song.path), song.duration] for song in library.songs]
    assert number in (None, len(library.songs) + len(library.problems))
    told = (" is left out: ", " is passed over: ", "Expected audio files")
    assert all(any(words in problem for words in told) for problem in library.problems)
    strange = [problem for problem in library.problems if problem != printable(problem, 500)]
    assert strange == [], strange
    text = json.dumps(shown, ensure_ascii=False, allow_nan=False)
    text.encode()
    assert all(song.title and song.title.splitlines() == [song.title] for song in library.songs)
