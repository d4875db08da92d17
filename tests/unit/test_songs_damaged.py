"""Damaged songs: whatever a file holds costs that file alone, and one line."""

import os
import random
import re
import shutil
import struct
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from builders import PORTRAIT, write_wav
from damaged_songs import FORMATS, encode, good_songs, try_lists, try_songs
from femr.__main__ import main
from femr.errors import LibraryError
from femr.songs import load_library, read_folder

CUT = b"RIFF\xff\0\0\0WAVEfmt \2\0\0\0\1\0"
"""A WAV file that ends within its first facts: the tag library raises a struct.error."""
ADIF = b"ADIF" + bytes.fromhex("01f4000fffff0980802100 00")
"""The head that AAC had before ADTS: 128,000 bits a second, one program of 48,000 Hz in stereo."""
WAVPACK = bytes.fromhex("7776706b18000000100400 00e803000000000000e80300000100800700") + bytes(69)


def test_good_songs_of_every_format_play(tmp_path):
    (tmp_path / "sad").mkdir()
    songs = good_songs()
    for number, (ending, data) in enumerate(songs):
        (tmp_path / "sad" / f"{number}.{ending}").write_bytes(data)
    library = read_folder(tmp_path)
    assert library.problems == ()
    assert len(library.songs) == len(songs)
    assert sum(song.title == "Rain" for song in library.songs) >= 9
    assert all(song.duration > 0 for song in library.songs)


def test_500_damaged_songs_take_nothing_down():
    played, left_out = try_songs(500, seed=18)
    assert played > 100
    assert left_out > 100


def test_500_damaged_lists_take_nothing_down():
    played = try_lists(500, seed=18)
    assert played[3] > 30
    assert played[2] > 30


def test_a_row_of_anything_costs_itself_alone(tmp_path):
    chance = random.Random(18)
    for name in "abc":
        write_wav(tmp_path / f"{name}.wav")
    for _ in range(300):
        mark = chance.choice([b",", b";", b"\t"])
        row = bytes(chance.choice(b'a.wv\0\xe9\xc3"\x85\x0c' + mark) for _ in range(chance.randrange(1, 60)))
        rows = [b"file,expression", b"a.wav,happy", row, b"b.wav,sad", b"c.wav,fear"]
        (tmp_path / "library.csv").write_bytes(b"\n".join(rows).replace(b",", mark))
        library = read_folder(tmp_path)
        assert [song.title for song in library.songs] == ["a", "b", "c"]
        assert len(library.problems) <= 1


def test_one_that_the_tag_library_cannot_read(tmp_path, capsys):
    write_wav(tmp_path / "happy" / "good.wav")
    (tmp_path / "happy" / "cut.wav").write_bytes(CUT)
    assert main(["music", "check", str(tmp_path)]) == 2
    shown = capsys.readouterr()
    assert "good (good.wav)" in shown.out
    assert shown.err == "femr: cut.wav is left out: it is damaged.\n"
    assert [song.title for song in load_library(tmp_path).songs] == ["good"]


def spoiled(kind):
    """A song of 10 seconds that Chromium plays, and in which tinytag finds nothing."""
    if kind == "flac":  # more comments are told of than are there, in Windows-1252
        song = encode(*FORMATS[kind], seconds=10).replace(b"The Band", b"Th\xe9 Band")
        return song.replace(b"\4\0\0\0\x0a\0\0\0title", b"\7\0\0\0\x0a\0\0\0title")
    if kind == "aac":  # recorded from a station, so it begins within a frame
        return encode(*FORMATS[kind], tags=(), seconds=10)[100:]
    # the size of its tag is written in eights of bits, not in sevens
    return b"ID3\4\0\0\x53\x36\xe7\x51" + encode(*FORMATS[kind], seconds=10, id3v2_version="0")


@pytest.mark.parametrize("kind", ["flac", "aac", "mp3"])
def test_what_browsers_play_is_read_whatever_its_tags(tmp_path, monkeypatch, kind):
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / f"The Band - Rain.{kind}").write_bytes(spoiled(kind))
    library = read_folder(tmp_path)
    assert library.problems == ()
    (song,) = library.songs
    assert (song.title, song.artist) == ("Rain", "The Band")
    assert song.duration is None or song.duration == pytest.approx(10, abs=2)
    monkeypatch.setitem(sys.modules, "av", None)
    (problem,) = read_folder(tmp_path).problems
    assert " is left out: " in problem


def test_a_download_that_has_not_begun(tmp_path):
    """Room for 3 GB, with a tag or without: only its beginning is looked at."""
    (tmp_path / "sad").mkdir()
    for number, begin in enumerate((b"", b"ID3\4\0\0\0\0\2\0" + bytes(256))):
        path = tmp_path / "sad" / f"{number}.mp3"
        path.write_bytes(begin)
        os.truncate(path, 3_000_000_000)
    first, second = read_folder(tmp_path).problems
    assert first.endswith("there is no sound in it that browsers play.")
    assert second.endswith("there is no sound in it that browsers play.")


def test_a_list_of_gigabytes_is_told(tmp_path):
    for name in ("library.csv", "library.json"):
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, 3_000_000_000)
        (problem,) = read_folder(tmp_path).problems
        assert problem == f"{name} is left out: it is no list: it is larger than 50 MB."
        (tmp_path / name).unlink()


def test_aac_of_a_kind_that_no_browser_plays(tmp_path):
    (tmp_path / "sad").mkdir()
    frames = re.split(rb"\xff\xf1......?", encode(*FORMATS["aac"], tags=()), flags=re.DOTALL)
    (tmp_path / "sad" / "old.aac").write_bytes(ADIF + b"".join(frames))
    told = "old.aac is left out: there is no sound in it that browsers play."
    assert read_folder(tmp_path).problems == (told,)


# a Musepack file whose first packet says that it has no bytes; WavPack; a picture; a program; noise
NO_SOUND = {
    "musepack": b"MPCK" + b"AA\0" + bytes(100),
    "wavpack": WAVPACK,
    "picture": PORTRAIT.read_bytes(),
    "text": Path(__file__).read_bytes(),
    "library": Path(np.random.mtrand.__file__).read_bytes()[:500_000],
    "noise": b"\xff\xfb" + random.Random(18).randbytes(2_000_000),
    "ones": b"\xff" * 100_000,
    "windows": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + bytes(14) + b"\2" + bytes(1000),
    "aac": b"\xff\xf1\x50\x80\1\x1f\xfc" + random.Random(18).randbytes(100_000),
}


@pytest.mark.parametrize("what", NO_SOUND)
def test_what_is_no_song_but_called_one(tmp_path, what):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / f"{what}.mp3").write_bytes(NO_SOUND[what])
    (problem,) = read_folder(tmp_path).problems
    assert problem.startswith(f"{what}.mp3 is left out: ")


RAISED = [IndexError, KeyError, OverflowError, MemoryError, RecursionError, AssertionError, struct.error, OSError]


@pytest.mark.parametrize("error", RAISED)
def test_whatever_the_tag_library_raises(tmp_path, monkeypatch, error):
    write_wav(tmp_path / "happy" / "good.wav")
    (tmp_path / "happy" / "bad.wav").write_bytes(CUT)
    monkeypatch.setattr("femr.song_tags.TinyTag.get", library_that_fails("bad", error))
    library = read_folder(tmp_path)
    assert [song.title for song in library.songs] == ["good"]
    assert library.problems == ("bad.wav is left out: it is damaged.",)


def test_but_ctrl_c_is_heard(tmp_path, monkeypatch):
    write_wav(tmp_path / "happy" / "bad.wav")
    monkeypatch.setattr("femr.song_tags.TinyTag.get", library_that_fails("bad", KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        read_folder(tmp_path)


def library_that_fails(stem, error):
    def read(file_obj, duration):
        if Path(file_obj.name).stem == stem:
            raise error
        return tagged(1)

    return read


def tagged(length, **fields):
    """What the library returns."""
    fields = {"title": None, "artist": None, "other": {}} | fields
    return SimpleNamespace(mime_type="audio/wav", duration=length, samplerate=8000, **fields)


@pytest.mark.parametrize("length", [float("nan"), float("inf"), -1, 0, None, "long"])
def test_a_length_that_is_none(tmp_path, monkeypatch, length):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "odd.wav").write_bytes(CUT)
    monkeypatch.setattr("femr.song_tags.TinyTag.get", lambda file_obj, duration: tagged(length))
    with pytest.raises(LibraryError, match=r"odd\.wav is left out"):
        load_library(tmp_path)


def test_tags_are_shown_as_one_line(tmp_path, monkeypatch):
    write_wav(tmp_path / "happy" / "song.wav")
    found = tagged(1, title="Rain\0\r\n \u2028again \ud800", artist="\n", other={"copyright": ["x" * 100_000]})
    monkeypatch.setattr("femr.song_tags.TinyTag.get", lambda file_obj, duration: found)
    (song,) = read_folder(tmp_path).songs
    assert (song.title, song.artist, len(song.licence)) == ("Rain again ?", None, 200)


def test_a_catalogue_with_a_damaged_song_added(tmp_path, library):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "cut.wav").write_bytes(CUT)
    both = load_library(tmp_path, extend=True)
    assert len(both.songs) == len(library.songs)
    assert len(both.problems) == 1


def test_a_damaged_song_that_a_list_and_a_folder_hold_is_told_of_once(tmp_path):
    (tmp_path / "happy").mkdir()
    (tmp_path / "happy" / "a.mp3").write_bytes(CUT)
    (tmp_path / "library.csv").write_text("file,expression\nhappy/a.mp3,sad\nhappy/../happy/a.mp3,fear\n")
    assert read_folder(tmp_path).problems == ("a.mp3 (row 2 of library.csv) is left out: it is damaged.",)


def test_many_problems_are_told_in_short(tmp_path):
    (tmp_path / "happy").mkdir()
    for number in range(30):
        shutil.copy(__file__, tmp_path / "happy" / f"{number}.mp3")
    with pytest.raises(LibraryError, match=r"And 25 more\.$"):
        load_library(tmp_path)
    assert len(read_folder(tmp_path).problems) == 30
