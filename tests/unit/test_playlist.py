from dataclasses import replace
from pathlib import Path

import mutagen
import pytest

from femr.__main__ import main
from femr.output.share import to_m3u8
from femr.results import EMOTIONS, Emotion, Song

SONG = Song("Él <b>日</b>", Path("/music/a b.mp3"), Emotion.HAPPY, artist="X", duration=89.6)


def test_a_playlist_of_nothing_is_one():
    assert to_m3u8([]) == "#EXTM3U\n"


def test_each_song_has_its_length_its_name_and_its_place():
    assert to_m3u8([SONG]).splitlines() == ["#EXTM3U", "#EXTINF:90,X - Él <b>日</b>", "/music/a b.mp3"]
    unknown = replace(SONG, duration=None, artist=None)
    assert to_m3u8([unknown]).splitlines()[1] == "#EXTINF:-1,Él <b>日</b>"
    assert to_m3u8([SONG, SONG], lambda song: song.path.name).splitlines()[2::2] == ["a b.mp3", "a b.mp3"]


def test_no_name_makes_lines_or_remarks_of_its_own():
    strange = replace(SONG, title="a\n#EXTINF:1,b\r\nc\u2028d")
    lines = to_m3u8([strange], lambda song: "#1.mp3").splitlines()
    assert len(lines) == 3
    assert lines[2] == "./#1.mp3"


@pytest.mark.parametrize("mood", [*EMOTIONS, "Sadness"])
def test_a_moods_playlist_is_kept_by_a_command(tmp_path, monkeypatch, capsys, mood):
    monkeypatch.chdir(tmp_path)
    assert main(["music", "playlist", mood]) == 0
    (kept,) = tmp_path.iterdir()
    assert capsys.readouterr().out == f"{kept.name}: 3 songs\n"
    assert kept.suffix == ".m3u8"
    lines = kept.read_text(encoding="utf-8").splitlines()
    for facts, place in zip(lines[1::2], lines[2::2], strict=True):
        assert int(facts.split(":")[1].split(",")[0]) == round(mutagen.File(place).info.length)


def test_a_playlist_that_lifts(tmp_path):
    assert main(["music", "playlist", "sad", "--lift", "--out", str(tmp_path / "a.m3u8")]) == 0
    places = (tmp_path / "a.m3u8").read_text(encoding="utf-8").splitlines()[2::2]
    assert {Path(place).parent.name for place in places} == {"neutral", "happy"}


def test_a_playlist_of_no_mood_is_refused(capsys):
    assert main(["music", "playlist", "blue"]) == 2
    assert capsys.readouterr().err.startswith("femr: Expected a mood: angry, disgust, ")
