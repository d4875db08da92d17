import shutil

import pytest

from conftest import write_wav
from femr.emotions import EMOTIONS, Emotion
from femr.errors import LibraryError
from femr.music import LIFT, MUSIC_DIR, MusicLibrary, load_library
from femr.results import Song


def songs(tmp_path, *emotions):
    return [Song(f"Song {i}", tmp_path / f"{i}.mp3", Emotion(emotion)) for i, emotion in enumerate(emotions)]


def test_an_empty_library_plays_nothing():
    assert MusicLibrary(()).pick(Emotion.HAPPY) is None


def test_the_catalogue_has_songs_for_every_expression(library):
    for emotion in EMOTIONS:
        assert library.of(emotion)
        assert all(song.path.is_file() and song.licence for song in library.of(emotion))
    assert library.problems == ()


def test_match_plays_the_mood_and_lift_answers_it(library):
    for emotion in EMOTIONS:
        assert library.pick(emotion).emotion is emotion
        assert library.pick(emotion, "lift").emotion is LIFT.get(emotion, emotion)
    assert set(LIFT) == {"angry", "disgust", "fear", "sad"}


def test_the_last_song_is_not_repeated_while_there_are_others(tmp_path):
    library = MusicLibrary(songs(tmp_path, "sad", "sad", "sad"))
    last = None
    for _ in range(50):
        song = library.pick(Emotion.SAD, last=last)
        assert song != last
        last = song


def test_an_only_song_is_repeated(tmp_path):
    (song,) = songs(tmp_path, "sad")
    library = MusicLibrary([song])
    assert library.pick(Emotion.SAD, last=song) == song
    assert library.pick(Emotion.HAPPY) is None


def test_all_songs_of_a_mood_come_up(tmp_path):
    library = MusicLibrary(songs(tmp_path, *["happy"] * 4, "sad"))
    assert len({library.pick(Emotion.HAPPY).path for _ in range(200)}) == 4


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
    (tmp_path / "happy" / "notes.txt").write_text("chords")
    (tmp_path / "happy" / ".hidden").write_text("")
    write_wav(tmp_path / "happy" / "nothing.wav", seconds=0)
    library = load_library(tmp_path)
    assert [song.title for song in library.songs] == ["good"]
    named = {problem.split(" ")[0] for problem in library.problems}
    assert named == {"corrupt.mp3", "cut.flac", "silent.ogg", "notes.txt", "nothing.wav"}
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


@pytest.mark.parametrize(
    "text", ["", "{", "{}", '{"songs": [{}]}', '{"songs": [{"title": "x", "file": "x", "expression": "joy"}]}']
)
def test_a_damaged_list_is_an_error_in_words(tmp_path, monkeypatch, text):
    (tmp_path / "library.json").write_text(text)
    monkeypatch.setattr("femr.music.MUSIC_DIR", tmp_path)
    with pytest.raises(LibraryError, match=r"library\.json"):
        load_library()


def test_a_song_that_is_gone_is_left_out(tmp_path, monkeypatch):
    shutil.copy(MUSIC_DIR / "library.json", tmp_path)
    song = load_library().songs[0]
    (tmp_path / song.path.relative_to(MUSIC_DIR)).parent.mkdir()
    shutil.copy(song.path, tmp_path / song.path.relative_to(MUSIC_DIR))
    monkeypatch.setattr("femr.music.MUSIC_DIR", tmp_path)
    library = load_library()
    assert [one.title for one in library.songs] == [song.title]
    assert library.problems
