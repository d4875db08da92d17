import math

import pytest

from femr.music import AFFECT, HARD, MusicLibrary
from femr.results import EMOTIONS, Emotion, Song


def songs(tmp_path, *emotions):
    return [Song(f"Song {i}", tmp_path / f"{i}.mp3", Emotion(emotion)) for i, emotion in enumerate(emotions)]


def test_an_empty_library_plays_nothing():
    assert MusicLibrary(()).pick(Emotion.HAPPY) is None
    assert MusicLibrary(()).playlist(Emotion.SAD, "lift") == ()


def test_match_plays_the_mood(library):
    for emotion in EMOTIONS:
        assert library.pick(emotion).emotion is emotion
        songs = library.playlist(emotion)
        assert len(set(songs)) == 3
        assert {song.emotion for song in songs} == {emotion}


@pytest.mark.parametrize("emotion", HARD)
def test_lift_leads_out_of_a_hard_mood_step_by_step(library, emotion):
    songs = library.playlist(emotion, "lift")
    assert len(set(songs)) == 3
    assert {song.emotion for song in songs} <= {"neutral", "happy"}
    assert all(emotion in song.lifts_from for song in songs)
    steps = [math.dist((song.valence, song.arousal), AFFECT[emotion]) for song in songs]
    assert steps == sorted(steps)
    assert songs[-1].valence > songs[0].valence > AFFECT[emotion][0]
    assert library.pick(emotion, "lift") == songs[0]


@pytest.mark.parametrize("emotion", ["happy", "surprise", "neutral"])
def test_other_moods_are_matched_either_way(library, emotion):
    assert library.pick(Emotion(emotion), "lift").emotion == emotion


@pytest.mark.parametrize(("emotion", "mode"), [("sad", "match"), ("sad", "lift"), ("happy", "match")])
def test_all_songs_come_up_once_before_one_is_repeated(library, emotion, mode):
    emotion = Emotion(emotion)
    fitting = len(library.playlist(emotion, mode, n=100))
    played = []
    for _ in range(3 * fitting):
        song = library.pick(emotion, mode, played)
        assert not played or song != played[-1]
        played.append(song)
    for start in range(0, 3 * fitting, fitting):
        assert len(set(played[start : start + fitting])) == fitting


def test_an_only_song_is_repeated(tmp_path):
    (song,) = songs(tmp_path, "sad")
    library = MusicLibrary([song])
    assert library.pick(Emotion.SAD, played=[song]) == song
    assert library.pick(Emotion.HAPPY) is None


def test_songs_without_facts_can_lift_too(tmp_path):
    library = MusicLibrary(songs(tmp_path, "happy", "sad", "neutral"))
    assert [song.emotion for song in library.playlist(Emotion.SAD, "lift")] == ["neutral", "happy"]


def test_a_playlist_is_as_long_as_there_are_songs(tmp_path):
    library = MusicLibrary(songs(tmp_path, *["sad"] * 2))
    assert len(library.playlist(Emotion.SAD, n=5)) == 2
    assert library.playlist(Emotion.SAD, n=0) == ()
