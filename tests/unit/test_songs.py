import csv
import json
import os
import shutil

import pytest

from builders import write_wav
from femr.__main__ import main
from femr.cli import check_environment
from femr.errors import LibraryError
from femr.results import EMOTIONS, Emotion
from femr.songs import MUSIC_DIR, load_library, read_folder

FEMR = ("FEMR_MUSIC_DIR", "FEMR_MUSIC_MODE", "FEMR_MODELS_DIR", "FEMR_ENGINE")
GRADIO = ("SERVER_PORT", "NUM_PORTS", "NODE_NUM_PORTS", "ANALYTICS_MAX_EVENTS", "DEBUG")
VARIABLES = (*FEMR, *(f"GRADIO_{name}" for name in GRADIO))


def test_the_catalogue_has_three_songs_or_more_for_every_expression(library):
    for emotion in EMOTIONS:
        songs = library.of(emotion)
        assert len(songs) >= 3
        assert all(song.path.is_file() and song.licence == "CC0-1.0" and song.valence is not None for song in songs)
    assert library.problems == ()


def test_a_folder_of_ones_own_replaces_the_catalogue(tmp_path, monkeypatch):
    write_wav(tmp_path / "Happy" / "My_party.wav", seconds=2)
    write_wav(tmp_path / "sad" / "deep" / "rain.wav")
    write_wav(tmp_path / "elsewhere" / "ignored.wav")
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path))
    library = load_library()
    assert {(song.title, song.emotion, song.duration) for song in library.songs} == {
        ("My party", Emotion.HAPPY, 2.0),
        ("rain", Emotion.SAD, 1.0),
    }


@pytest.mark.parametrize("by_environment", [True, False])
def test_or_extends_it(tmp_path, monkeypatch, library, by_environment):
    write_wav(tmp_path / "happy" / "own.wav")
    if by_environment:
        monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path))
        monkeypatch.setenv("FEMR_MUSIC_MODE", "extend")
        both = load_library()
    else:
        both = load_library(tmp_path, extend=True)
    assert len(both.songs) == len(library.songs) + 1


@pytest.mark.parametrize("command", ["analyze a.jpg", "report a.csv", "music playlist sad", "app", "mcp", "push"])
@pytest.mark.parametrize("name", VARIABLES)
def test_what_a_variable_names_must_be_there_before_a_command_starts(tmp_path, monkeypatch, capsys, name, command):
    (tmp_path / "file").touch()
    for value in ("nowhere", str(tmp_path / "file"), "x" * 300):
        monkeypatch.setenv(name, value)
        assert main(command.split()) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("femr: ")
        assert "xpected" in line
        assert value[:200] in line


def test_an_empty_variable_counts_as_none(monkeypatch, library):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    check_environment()
    assert not os.environ.keys() & set(VARIABLES)  # Gradio reads no number from an empty one
    assert len(load_library().songs) == len(library.songs)


def test_a_folder_without_a_song_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "notes.mid").touch()
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / "a.mid").touch()
    monkeypatch.setenv("FEMR_MUSIC_DIR", str(tmp_path))
    assert main(["music", "playlist", "sad", "--out", str(tmp_path / "sad.m3u8")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("femr: The music library holds no song that can be played. a.mid is left out: ")


def test_music_that_is_asked_for_must_be_there(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["app", "--music", "nowhere"])
    assert caught.value.code == 2
    assert "--music: expected a folder, received nowhere" in capsys.readouterr().err


def test_tags_are_read(tmp_path, library):
    song = library.of(Emotion.HAPPY)[0]
    (tmp_path / "happy").mkdir()
    shutil.copy(song.path, tmp_path / "happy" / "anything.mp3")
    (own,) = load_library(tmp_path).songs
    assert (own.title, own.artist) == (song.title, song.artist)
    assert own.duration == pytest.approx(song.duration, abs=0.5)


def test_broken_files_are_named_and_left_out(tmp_path):
    write_wav(tmp_path / "happy" / "good.wav")
    (tmp_path / "happy" / "corrupt.mp3").write_bytes(b"not music" * 100)
    (tmp_path / "happy" / "cut.flac").write_bytes(b"fLaC" + bytes(10))
    (tmp_path / "happy" / "silent.ogg").write_bytes(b"")
    (tmp_path / "happy" / "score.mid").write_bytes(b"MThd")
    (tmp_path / "happy" / ".hidden").write_text("")
    write_wav(tmp_path / "happy" / "nothing.wav", seconds=0)
    library = load_library(tmp_path)
    assert [song.title for song in library.songs] == ["good"]
    named = {problem.split(" ")[0] for problem in library.problems}
    assert named == {"corrupt.mp3", "cut.flac", "silent.ogg", "score.mid", "nothing.wav"}
    assert not any(str(tmp_path) in problem for problem in library.problems)


@pytest.mark.parametrize("content", ["nothing", "folders", "unplayable"])
def test_a_folder_without_a_song_is_an_error_in_words(tmp_path, content):
    if content != "nothing":
        (tmp_path / "happy").mkdir()
    if content == "unplayable":
        (tmp_path / "happy" / "a.mid").write_bytes(b"MThd")
    with pytest.raises(LibraryError, match="no song that can be played"):
        load_library(tmp_path)


def test_a_missing_folder_is_an_error_in_words(tmp_path):
    with pytest.raises(LibraryError, match="no music folder named songs") as caught:
        load_library(tmp_path / "songs")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"songs": 3}', "[" * 100_000, "file;mood\r\na.wav;sad"])
@pytest.mark.parametrize("name", ["library.json", "library.csv"])
def test_a_damaged_list_is_named_and_costs_nothing_else(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    write_wav(tmp_path / "sad" / "rain.wav")
    library = read_folder(tmp_path)
    assert [song.title for song in library.songs] == ["rain"]
    (problem,) = library.problems
    assert problem.startswith(f"{name} is left out: ")
    assert "list" in problem
    assert not library.complete


def test_a_song_that_is_gone_is_left_out(tmp_path, monkeypatch):
    shutil.copy(MUSIC_DIR / "library.json", tmp_path)
    song = load_library().songs[0]
    (tmp_path / song.path.relative_to(MUSIC_DIR)).parent.mkdir()
    shutil.copy(song.path, tmp_path / song.path.relative_to(MUSIC_DIR))
    monkeypatch.setattr("femr.songs.MUSIC_DIR", tmp_path)
    library = load_library()
    assert [one.title for one in library.songs] == [song.title]
    assert library.problems


FACTS = {"title": "Rain", "composer": "Us", "tempo": "92.5", "valence": "-0.5", "lifts_from": "sad fear"}


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_list_tells_what_the_files_do_not(tmp_path, kind):
    write_wav(tmp_path / "a.wav")
    write_wav(tmp_path / "sub" / "The Band - Blue_sky.wav")
    write_wav(tmp_path / "happy" / "unlisted.wav")
    other = {"file": "sub/The Band - Blue_sky.wav", "expression": "neutral"}
    entries = [{"file": "a.wav", "expression": "Sad", **FACTS}, other]
    if kind == "json":
        (tmp_path / "library.json").write_text(json.dumps({"songs": entries}))
    else:
        with (tmp_path / "library.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["file", "expression", *FACTS])
            writer.writeheader()
            writer.writerows(entries)
    library = read_folder(tmp_path)
    assert library.problems == ()
    (sad,), (neutral,), (happy,) = (library.of(Emotion(name)) for name in ("sad", "neutral", "happy"))
    assert (sad.title, sad.artist, sad.tempo, sad.valence) == ("Rain", "Us", 92.5, -0.5)
    assert sad.lifts_from == ("sad", "fear")
    assert (neutral.title, neutral.artist, neutral.valence, neutral.duration) == ("Blue sky", "The Band", None, 1.0)
    assert happy.title == "unlisted"


def test_what_a_list_says_of_a_song_cannot_cut_or_silence_it(tmp_path):
    rows = [
        ("length", "duration", 0.05),
        ("zero", "duration", 0),
        ("loud", "loudness", 14),
        ("unit", "loudness", -14_000),
    ]
    for name, *_ in rows:
        write_wav(tmp_path / f"{name}.wav", seconds=2)
    entries = [{"file": f"{name}.wav", "expression": "happy", key: value} for name, key, value in rows]
    (tmp_path / "library.json").write_text(json.dumps(entries))
    library = read_folder(tmp_path)
    assert [(song.title, song.duration) for song in library.songs] == [("length", 2.0), ("zero", 2.0)]
    told = " ".join(library.problems)
    for words in ("a loudness over -70 and under 6, received 14.", "received -14000."):
        assert words in told


def test_wrong_lines_of_a_list_are_named_and_left_out(tmp_path):
    for name in ("music/good.wav", "music/fast.wav", "music/odd.wav", "secret.wav"):
        write_wav(tmp_path / name)
    lines = ["file,expression,tempo", "good.wav,happy,100", "gone.wav,sad,", "odd.wav,joy,", "../secret.wav,sad,"]
    (tmp_path / "music" / "library.csv").write_text("\n".join([*lines, "fast.wav,happy,very"]))
    library = read_folder(tmp_path / "music")
    assert [song.title for song in library.songs] == ["good"]
    told = " ".join(library.problems)
    for words in ("gone.wav", "not in the folder", "joy", "outside the music folder", "number as its tempo"):
        assert words in told
