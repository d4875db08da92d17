"""The song catalogue: library.json tells the truth, every score makes its MIDI again, and the moods sound apart."""

import hashlib
import io
import json
from collections import defaultdict
from itertools import combinations, pairwise

import numpy as np
import pytest
from mutagen.id3 import ID3
from mutagen.mp3 import MP3
from PIL import Image

from builders import write_noise
from femr.results import EMOTIONS
from femr.song_tags import measure_loudness
from music.compose.library import LIBRARY, MUSIC
from music.compose.line import Line, Note
from music.compose.melody import melody
from music.compose.midi import midi_bytes
from music.compose.pieces import compose, names
from music.compose.theory import Key, harmony, roman
from music.compose.voicing import voiced
from music_measure import decoded, loudness, measured

SONGS = json.loads(LIBRARY.read_text("utf-8"))["songs"]
HARD = {"angry", "disgust", "fear", "sad"}
FIELDS = {
    "title", "file", "expression", "genre", "valence", "arousal", "tempo", "key", "mode", "duration", "loudness",
    "instruments", "composer", "licence", "sha256", "midi_sha256",
}  # fmt: skip
every_song = pytest.mark.parametrize("song", SONGS, ids=[song["title"] for song in SONGS])


@pytest.fixture(scope="module")
def heard():
    """Title → what was measured; each file is decoded once and let go."""
    return {song["title"]: measured(MUSIC / song["file"]) for song in SONGS}


@pytest.fixture(scope="module")
def moods(heard):
    """Expression → name of a trait → its mean over the pieces."""
    found = defaultdict(list)
    for song in SONGS:
        found[song["expression"]].append(vars(heard[song["title"]].traits) | {"tempo": song["tempo"]})
    return {mood: {name: np.mean([row[name] for row in rows]) for name in rows[0]} for mood, rows in found.items()}


def test_every_expression_has_three_songs_and_every_file_is_listed():
    listed = [song["file"] for song in SONGS]
    assert listed == sorted(listed)
    assert set(listed) == {path.relative_to(MUSIC).as_posix() for path in MUSIC.rglob("*.mp3")}
    for emotion in EMOTIONS:
        assert sum(song["expression"] == str(emotion) for song in SONGS) >= 3, emotion
    assert sum((MUSIC / name).stat().st_size for name in listed) < 45e6


def test_songs_of_a_mood_differ_in_genre_key_and_tempo():
    for emotion in EMOTIONS:
        group = [song for song in SONGS if song["expression"] == str(emotion)]
        assert len({song["genre"] for song in group}) == len(group)
        assert len({(song["key"], song["mode"]) for song in group}) == len(group)
        assert len({song["tempo"] for song in group}) == len(group)


@every_song
def test_entry_agrees_with_the_file(song):
    path = MUSIC / song["file"]
    info = MP3(path).info
    assert set(song) - {"lifts_from"} == FIELDS
    assert song["file"].startswith(song["expression"] + "/")
    assert song["licence"] == "CC0-1.0"
    assert -1 <= song["valence"] <= 1
    assert -1 <= song["arousal"] <= 1
    assert hashlib.sha256(path.read_bytes()).hexdigest() == song["sha256"]
    assert path.stat().st_size < 2e6
    assert (info.sample_rate, info.channels) == (44100, 2)
    assert 60 <= info.length <= 120
    assert info.length == pytest.approx(song["duration"], abs=0.1)


@every_song
def test_tags_say_the_same(song):
    tags = ID3(MUSIC / song["file"])
    assert str(tags["TIT2"]) == song["title"]
    assert str(tags["TPE1"]) == song["composer"]
    assert str(tags["TCON"]) == song["genre"]
    assert str(tags["TCOP"]) == song["licence"]
    assert str(tags["TXXX:MOOD"]) == song["expression"]
    assert float(str(tags["TBPM"])) == round(song["tempo"])
    assert Image.open(io.BytesIO(tags["APIC:cover"].data)).size == (480, 480)


def test_lift_songs_lead_out_of_every_hard_mood():
    for mood in HARD:
        steps = [song for song in SONGS if mood in song.get("lifts_from", [])]
        assert {song["expression"] for song in steps} == {"neutral", "happy"}
        assert len(steps) >= 3
    assert all(("lifts_from" in song) == (song["expression"] in ("neutral", "happy")) for song in SONGS)


@pytest.mark.parametrize("name", names())
def test_a_score_gives_the_same_midi_that_was_recorded(name):
    score = compose(name)
    found = midi_bytes(score)
    song = next(song for song in SONGS if song["title"] == score.title)
    assert found == midi_bytes(compose(name))
    assert hashlib.sha256(found).hexdigest() == song["midi_sha256"]
    assert len({section.name for section in score.sections}) >= 4


@every_song
def test_sound_is_clean(song, heard):
    found = heard[song["title"]]
    assert found.loudness == pytest.approx(-16, abs=0.5)
    assert found.loudness == pytest.approx(song["loudness"], abs=0.2)
    assert found.peak <= -1
    assert all(length < 0.3 for start, length in found.silences if start == 0)
    assert all(length <= 1.5 for _, length in found.silences)


@pytest.mark.parametrize(
    ("trait", "falling"),
    [
        ("tempo", "angry happy neutral sad"),
        ("onsets", "happy neutral sad fear"),
        ("centroid", "happy neutral sad fear"),
        ("level", "angry sad fear"),
        ("major", "happy surprise sad"),
        ("clarity", "neutral happy disgust"),
        ("jumps", "surprise fear happy"),
        ("irregularity", "fear neutral happy"),
        ("lows", "fear neutral sad"),
        ("roughness", "angry disgust happy sad"),
    ],
)
def test_moods_lie_where_valence_and_arousal_put_them(moods, trait, falling):
    values = {mood: moods[mood][trait] for mood in falling.split()}
    assert list(values) == sorted(values, key=values.__getitem__, reverse=True), values


@pytest.mark.parametrize(
    ("trait", "mood"), [("roughness", "angry"), ("lows", "fear"), ("jumps", "surprise"), ("clarity", "neutral")]
)
def test_what_marks_a_mood_is_strongest_in_it(moods, trait, mood):
    assert max(moods, key=lambda name: moods[name][trait]) == mood


def test_no_two_songs_of_a_mood_are_alike(heard):
    for emotion in EMOTIONS:
        titles = [song["title"] for song in SONGS if song["expression"] == str(emotion)]
        for one, other in combinations(titles, 2):
            first, second = heard[one].prints, heard[other].prints
            for name in first:
                cosine = first[name] @ second[name] / np.linalg.norm(first[name]) / np.linalg.norm(second[name])
                assert cosine < 0.95, (name, one, other)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("level", [-10, -40])
def test_what_the_page_measures_is_what_another_meter_says(tmp_path, ending, level):
    song = write_noise(tmp_path / f"a.{ending}", level)
    assert measure_loudness(song) == pytest.approx(loudness(decoded(song)), abs=0.1)


def test_melody_is_empty_without_notes_and_refuses_what_it_cannot_read():
    assert melody(Key("C"), "") == Line((), 0)
    with pytest.raises(ValueError, match="Expected a note"):
        melody(Key("C"), "1:1 x")
    with pytest.raises(ValueError, match="Expected a bar of 4 beats"):
        melody(Key("C"), "1:3 | 1:4")


def test_melody_reads_degrees_lengths_rests_and_ties():
    line = melody(Key("D"), "1:1 r #4:.5 8,:1.5 | -:4")
    assert [(note.start, note.pitch) for note in line.notes] == [(0, 62), (2, 68), (2.5, 62)]
    assert line.length == 8
    assert line.notes[-1].length > 3


def test_chords_and_their_voice_leading():
    assert roman(Key("C"), "V7/vi").classes == (4, 8, 11, 2)
    assert roman(Key("A", "minor"), "bII").classes == (10, 2, 5)
    with pytest.raises(ValueError, match="Roman numeral"):
        roman(Key("C"), "H7")
    settings = voiced(harmony(Key("C"), "I | IV | V7 | I"), 48, 72)
    for before, after in pairwise(settings):
        assert max(abs(old - new) for old, new in zip(before, after, strict=True)) <= 5


def test_lines_add_stack_and_move():
    line = Line((Note(0, 60, 1),), 2)
    assert (line + line).notes[1].start == 2
    assert (line | line.transposed(4)).length == 2
    assert line.stepped(Key("C"), -2).notes[0].pitch == 57
    assert (line * 3).length == 6
