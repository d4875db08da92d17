"""How loud songs are, as tags say it or as it is measured, and how much softer they play: with real files."""

import math
import time

import mutagen
import numpy as np
import pytest
import soundfile
from mutagen.id3 import ID3, TXXX
from mutagen.mp4 import MP4, MP4FreeForm

from builders import write_noise
from damaged_songs import FORMATS, encode
from femr.results import Song
from femr.song_tags import COMMON, TARGET, gain_of, measure_loudness, read_tags
from femr.songs import load_library, read_folder


def write_tagged(path, **gains):
    path.write_bytes(encode(*FORMATS[path.suffix[1:]], seconds=0.5))
    if path.suffix in (".mp3", ".aac"):
        tags = ID3()
        for name, gain in gains.items():
            tags.add(TXXX(3, name, gain))
        tags.save(path)
    elif path.suffix == ".m4a":
        file = MP4(path)
        named = {f"----:com.apple.iTunes:{name}": [MP4FreeForm(gain.encode())] for name, gain in gains.items()}
        file.tags.update(named)
        file.save()
    else:
        file = mutagen.File(path)
        file.update(gains)
        file.save()
    return path


@pytest.mark.parametrize("ending", ["mp3", "aac", "m4a", "ogg", "oga", "flac"])
def test_replaygain_tells_how_loud_a_song_is(tmp_path, ending):
    song = write_tagged(tmp_path / f"a.{ending}", replaygain_track_gain="-7.30 dB")
    assert read_tags(song).loudness == pytest.approx(-10.7)


def test_opus_has_a_gain_of_its_own(tmp_path):
    song = write_tagged(tmp_path / "a.opus", R128_TRACK_GAIN="-1868")  # in 256ths of a dB, to -23 LUFS
    assert read_tags(song).loudness == pytest.approx(-15.7, abs=0.01)


@pytest.mark.parametrize(
    ("gain", "loudness"),
    [("+3 dB", -21), ("-2,5dB", -15.5), ("4.00", -22), ("", None), ("loud", None), ("nan dB", None), ("999 dB", None)],
)
def test_gains_as_programs_write_them(tmp_path, gain, loudness):
    assert read_tags(write_tagged(tmp_path / "a.flac", REPLAYGAIN_TRACK_GAIN=gain)).loudness == loudness


def test_a_list_says_it_too_and_femrs_songs_need_no_measuring():
    assert {round(song.loudness) for song in load_library().songs} == {-16}
    assert {gain_of(song) for song in load_library().songs} <= {0.8035, 0.7943, 0.7852}


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_that_browsers_play_can_be_measured(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(encode(*FORMATS[ending], seconds=2))
    assert -16 < measure_loudness(path) < -11


def test_tags_of_another_encoding_do_not_matter(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(encode(*FORMATS["wav"], seconds=2).replace(b"Rain", "Füße".encode("cp1252")))
    assert -16 < measure_loudness(path) < -11


@pytest.mark.parametrize("content", [b"", b"no sound", b"RIFF\0\0\0\0WAVE"])
def test_what_cannot_be_measured(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    assert measure_loudness(path) is None
    assert measure_loudness(tmp_path / "gone.wav") is None


def test_silence_has_no_loudness(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((44_100, 2)), 44_100)
    assert measure_loudness(tmp_path / "a.wav") is None


def test_a_song_that_is_cut_short_is_measured_as_far_as_it_goes(tmp_path):
    whole = write_noise(tmp_path / "a.ogg", -20)
    (tmp_path / "b.ogg").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert measure_loudness(tmp_path / "b.ogg") == pytest.approx(measure_loudness(whole), abs=0.5)


UNKNOWN = pytest.approx(10 ** ((TARGET - COMMON) / 20), abs=1e-3)


def known(song):
    """The song's gain, once it is measured."""
    for _ in range(400):
        if gain_of(song) != UNKNOWN:
            return gain_of(song)
        time.sleep(0.05)
    raise AssertionError("It was never measured.")


def test_a_users_songs_become_equally_loud(tmp_path):
    for name, level in (("loud", -9), ("soft", -17)):
        write_noise(tmp_path / "happy" / f"{name}.wav", level)
    before = sorted(tmp_path.rglob("*"))
    songs = read_folder(tmp_path).songs
    assert gain_of(songs[0]) == UNKNOWN
    heard = [measure_loudness(song.path) + 20 * math.log10(known(song)) for song in songs]
    assert heard == pytest.approx([TARGET, TARGET], abs=0.1)
    assert sorted(tmp_path.rglob("*")) == before


def test_nothing_plays_louder_than_it_is(tmp_path):
    assert gain_of(Song("Whisper", tmp_path / "a.wav", "sad", loudness=-40.0)) == 1
