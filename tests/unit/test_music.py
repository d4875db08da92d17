import math
from dataclasses import replace
from pathlib import Path

import pytest

from femr.errors import LibraryError
from femr.music import AFFECT, BETTER, HARD, MusicLibrary
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


def test_a_mood_may_be_told_as_a_word(library):
    assert library.of("happy") == library.of(Emotion.HAPPY) != ()
    assert library.pick("happy").emotion is Emotion.HAPPY
    assert library.playlist("sad", "lift") == library.playlist(Emotion.SAD, "lift")
    for ask in (library.of, library.pick, library.playlist):
        with pytest.raises(ValueError, match="joy"):
            ask("joy")


def test_there_is_no_such_mode(library):
    for ask in (library.pick, library.playlist):
        with pytest.raises(LibraryError, match=r"^Expected a mode named match, lift\. Received: lfit$"):
            ask(Emotion.HAPPY, "lfit")


def test_songs_without_facts_can_lift_too(tmp_path):
    library = MusicLibrary(songs(tmp_path, "happy", "sad", "neutral"))
    assert [song.emotion for song in library.playlist(Emotion.SAD, "lift")] == ["neutral", "happy"]


def test_a_playlist_is_as_long_as_there_are_songs(tmp_path):
    library = MusicLibrary(songs(tmp_path, *["sad"] * 2))
    assert len(library.playlist(Emotion.SAD, n=5)) == 2
    assert library.playlist(Emotion.SAD, n=0) == ()


def test_the_valence_and_arousal_of_each_expression():
    """What reports of valence and the steps of Lift rest on."""
    assert dict(AFFECT) == {
        "angry": (-0.65, 0.9),
        "disgust": (-0.5, 0.3),
        "fear": (-0.7, 0.5),
        "happy": (0.8, 0.5),
        "sad": (-0.65, -0.6),
        "surprise": (0.4, 0.8),
        "neutral": (0.15, -0.05),
    }
    assert (HARD, BETTER) == (("angry", "disgust", "fear", "sad"), ("neutral", "happy"))


def test_a_library_is_complete_unless_said_otherwise():
    assert (MusicLibrary(()).complete, MusicLibrary((), (), False).complete) == (True, False)
    assert MusicLibrary((), ["A song is missing."]).problems == ("A song is missing.",)


def test_match_is_at_random(tmp_path):
    library = MusicLibrary(songs(tmp_path, "happy", "happy", "happy"))
    assert {library.pick(Emotion.HAPPY) for _ in range(200)} == set(library.songs)
    assert len({library.playlist(Emotion.HAPPY) for _ in range(200)}) == 6
    for song in library.songs:
        assert song not in {library.pick(Emotion.HAPPY, played=[*library.songs, song]) for _ in range(50)}


@pytest.mark.parametrize("mode", ["match", "lift"])
def test_a_song_that_was_away_for_long_is_not_played_twice_in_a_row(tmp_path, mode):
    near, _, far = songs(tmp_path, "neutral", "sad", "neutral")
    library = MusicLibrary([near, far])
    assert {library.pick(Emotion.NEUTRAL, mode, [near, near, near, far]) for _ in range(20)} == {near}


def test_lift_does_not_play_the_nearest_twice_in_a_row(tmp_path):
    near, _, far = songs(tmp_path, "neutral", "sad", "happy")
    library = MusicLibrary([far, near])
    assert library.pick(Emotion.SAD, "lift") == near
    assert library.pick(Emotion.SAD, "lift", [near]) == far
    assert library.pick(Emotion.SAD, "lift", [far, near]) == far
    assert library.pick(Emotion.SAD, "lift", [near, far]) == near


@pytest.mark.parametrize("stated", ["valence", "arousal"])
def test_what_a_song_states_of_itself_counts_for_its_distance(tmp_path, stated):
    one, other = songs(tmp_path, "happy", "happy")
    for near, far in ((one, other), (other, one)):
        near, far = replace(near, **{stated: -0.6}), replace(far, **{stated: 0.7})
        assert MusicLibrary([far, near]).playlist(Emotion.SAD, "lift") == (near, far)
        assert MusicLibrary([near, far]).pick(Emotion.SAD, "lift") == near


def test_songs_lead_from_the_moods_that_they_name(tmp_path):
    one, other = songs(tmp_path, "happy", "neutral")
    library = MusicLibrary([replace(one, lifts_from=(Emotion.SAD,)), replace(other, lifts_from=())])
    assert [song.title for song in library.playlist(Emotion.SAD, "lift")] == ["Song 0"]
    assert library.playlist(Emotion.FEAR, "lift") == ()


def test_a_short_playlist_spans_the_whole_way(tmp_path):
    steps = [replace(song, valence=-0.6 + 0.2 * n) for n, song in enumerate(songs(tmp_path, *["happy"] * 7))]
    library = MusicLibrary(steps)
    for n, chosen in ((1, [0]), (2, [0, 6]), (3, [0, 3, 6]), (4, [0, 2, 4, 6]), (7, range(7)), (9, range(7))):
        assert library.playlist(Emotion.SAD, "lift", n) == tuple(steps[i] for i in chosen)
    assert len(library.playlist(Emotion.SAD, "lift")) == len(library.playlist(Emotion.HAPPY)) == 3


@pytest.mark.parametrize(("emotion", "mode"), [("sad", "match"), ("sad", "lift"), ("happy", "match")])
def test_the_order_of_songs_is_that_of_one_pick_after_another(library, emotion, mode):
    emotion = Emotion(emotion)
    fitting = library.playlist(emotion, mode, n=100)
    heard = [fitting[1], *fitting[:2], fitting[0]]
    order = library.order(emotion, mode, heard)
    assert set(order) == set(fitting)
    assert len(order) == len(fitting)
    assert set(order[-2:]) == set(fitting[:2])
    assert order[0] != heard[-1]
    if mode == "lift":
        assert order[:-2] == library.order(emotion, mode)[2:]
    assert library.order(emotion, mode, [*order, *order[:-1]])[0] == order[-1]
    assert MusicLibrary(()).order(emotion, mode, heard) == []


def test_a_file_of_two_moods_does_not_follow_itself(tmp_path):
    (first,) = songs(tmp_path, "happy")
    twice = [replace(first, emotion=emotion, valence=-0.6, arousal=-0.5) for emotion in ("happy", "neutral")]
    (other,) = songs(tmp_path / "other", "neutral")
    order = MusicLibrary([*twice, other]).order(Emotion.SAD, "lift")
    assert [song.path for song in order] == [first.path, other.path, first.path]


def test_ten_thousand_songs_are_compared_a_few_times_each():
    """Not each with each: who asks for songs holds up all others meanwhile."""

    class Counted(Path):
        asked = 0

        def __hash__(self):
            Counted.asked += 1
            return super().__hash__()

    many = [Song(f"Song {n}", Counted(f"{n}.mp3"), Emotion.HAPPY) for n in range(10_000)]
    Counted.asked = 0
    assert len(MusicLibrary(many).order(Emotion.SAD, "lift", many[:1000])) == 10_000
    assert Counted.asked < 100_000
