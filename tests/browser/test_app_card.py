from dataclasses import replace
from pathlib import Path

import pytest

from builders import contrast, looking, write_wav
from femr.errors import DataError
from femr.music import MusicLibrary
from femr.page import card, media
from femr.page.photo import Question
from femr.page.shared import music_library, number_of, numbered
from femr.results import EMOTIONS, Emotion, Song
from femr.songs import load_library

SONGS = [Song(f"Song {n}", Path(f"{n}.mp3"), Emotion.SAD if n > 3 else Emotion.HAPPY) for n in range(6)]
LIBRARY = MusicLibrary(SONGS)


@pytest.mark.parametrize(
    ("faces", "words"),
    [
        ([], "A picture in which no face was found."),
        (["happy"], "One face: one looks happy."),
        (["happy", "fear", "happy"], "Three faces: two look happy, one looks afraid."),
        (["?", "happy"], "Two faces: one looks happy, one is unclear."),
        (["?", "?"], "Two faces: two are unclear."),
        (["sad"] * 13, "13 faces: 13 look sad."),
    ],
)
def test_the_faces_in_words(faces, words):
    given = [looking("sad", unsure=True) if looks == "?" else looking(Emotion(looks)) for looks in faces]
    assert card.told(given) == words


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_words_are_legible_on_each_expressions_colour(emotion):
    shown = card.look(emotion)
    assert contrast(shown["color"], shown["ink"]) >= 4.5


def test_a_playlist_holds_each_song_of_the_mood_once_and_what_was_heard_comes_last():
    assert card.playlist(LIBRARY, Emotion.FEAR, "match", []) == []
    songs = card.playlist(LIBRARY, Emotion.HAPPY, "match", [number_of(SONGS[2]), 99])
    assert sorted(song.title for song in songs) == ["Song 0", "Song 1", "Song 2", "Song 3"]
    assert songs[-1] is SONGS[2]
    assert card.song_card(songs[0])["url"] == f"femr/song/{number_of(songs[0])}"


def test_of_ten_thousand_songs_an_answer_holds_a_few():
    many = [Song(f"Song {n}", Path(f"{n}.mp3"), Emotion.HAPPY, loudness=-18.0) for n in range(10_000)]
    played = [number_of(song) for song in many[:9_990]]
    songs = card.playlist(MusicLibrary(many), Emotion.HAPPY, "match", played)
    assert len(set(songs)) == card.MOST_SONGS
    assert set(songs[:10]) == set(many[9_990:])


def test_two_songs_of_one_title_are_two():
    twins = MusicLibrary([SONGS[0], replace(SONGS[0], path=Path("twin.mp3"))])
    assert {number_of(song) for song in card.playlist(twins, Emotion.HAPPY, "match", [])} == set(numbered(twins))


def test_a_songs_number_is_the_same_after_a_restart_and_another_for_another_file(tmp_path):
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / "happy" / name)
    before = {song.title: number_of(song) for song in load_library(tmp_path).songs}
    number_of.cache_clear()
    (tmp_path / "happy" / "a.wav").unlink()
    assert {song.title: number_of(song) for song in load_library(tmp_path).songs} == {"b": before["b"]}
    number_of.cache_clear()
    write_wav(tmp_path / "happy" / "b.wav", seconds=2)  # a browser keeps the file of an address for a day
    (other,) = load_library(tmp_path).songs
    assert number_of(other) != before["b"]


@pytest.mark.parametrize(
    "asked",
    [None, [], "x", {"x": 1}, {"path": 3}, {"mood": "vgg"}, {"mode": "loud"}, {"model": "x"}, {"played": [-1]}],
    ids=str,
)
def test_what_is_no_question_is_refused(asked):
    with pytest.raises(DataError, match="load it again"):
        Question.of(asked)


def test_a_question_is_what_was_asked():
    assert Question.of({}) == Question()
    assert Question.of({"mood": "sad", "mode": "lift", "played": [1, 2]}).played == [1, 2]


def test_what_is_shared_has_the_song_that_plays():
    for song in music_library().songs[::9]:
        question = Question(example="eileen-collins.jpg", model="mobilenet_v2", song=number_of(song))
        assert question.analysis(question.picture()).song == song


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("", range(100)),
        ("bytes=-", range(100)),
        ("bytes=0-1,4-5", range(100)),
        ("bytes=0-", range(100)),
        ("bytes=10-19", range(10, 20)),
        ("bytes=90-999", range(90, 100)),
        ("bytes=-30", range(70, 100)),
        ("bytes=-999", range(100)),
        ("bytes=100-", None),
        ("bytes=20-10", None),
        ("bytes=-0", None),
    ],
)
def test_the_range_of_a_song(asked, span):
    assert media.span_of(asked, 100) == span
