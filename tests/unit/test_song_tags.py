"""What songs say of themselves: lengths of every format, and moods, tempo and key as other programs write them."""

from io import BytesIO

import mutagen
import pytest
from mutagen.id3 import COMM, ID3, TBPM, TIT2, TKEY, TMOO, TXXX
from mutagen.mp4 import MP4, MP4FreeForm

from damaged_songs import FORMATS, encode
from femr.__main__ import main
from femr.results import Emotion
from femr.song_tags import moods_of, read_tags, sound_start
from femr.songs import read_folder


def write_song(path, seconds=0.5, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(*FORMATS[path.suffix[1:]], seconds=seconds, **options))
    return path


def write_id3(path, *frames, version=4):
    tags = ID3()
    for frame in frames:
        tags.add(frame)
    tags.save(path, v2_version=version)
    return path


def write_comments(path, **comments):
    file = mutagen.File(path)
    file.update(comments)
    file.save()
    return path


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("seconds", [0.3, 4.7])
def test_lengths(tmp_path, ending, seconds):
    song = write_song(tmp_path / f"a.{ending}", seconds)
    assert read_tags(song).seconds == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("ending", ["mp3", "aac"])
def test_lengths_where_nothing_tells_them(tmp_path, ending):
    """A rate that varies, and no header that says for how long."""
    options = {"write_xing": "0"} if ending == "mp3" else {}
    song = write_song(tmp_path / f"a.{ending}", 9.7, quality=True, **options)
    assert read_tags(song).seconds == pytest.approx(9.7, abs=0.2)
    song.write_bytes(ID3_HEADER + song.read_bytes())
    assert read_tags(song).seconds == pytest.approx(9.7, abs=0.2)


ID3_HEADER = b"ID3\4\0\0\0\0\2\0" + bytes(256)


@pytest.mark.parametrize(("held", "called"), [("ogg", "mp3"), ("mp3", "wav"), ("m4a", "aac"), ("aac", "m4a")])
def test_what_a_file_holds_counts_and_not_its_name(tmp_path, held, called):
    song = write_song(tmp_path / f"a.{held}").rename(tmp_path / f"a.{called}")
    assert read_tags(song).seconds == pytest.approx(0.5, abs=0.1)


def test_sound_behind_something_else(tmp_path):
    song = write_song(tmp_path / "a.mp3", id3v2_version="0")
    song.write_bytes(bytes(3000) + song.read_bytes())
    assert read_tags(song).seconds == pytest.approx(0.5, abs=0.1)


def tagged_songs(folder):
    """A song for each way in which programs write a mood."""
    mp3, wav = (write_song(folder / f"1.{ending}") for ending in ("mp3", "wav"))
    yield write_id3(mp3, TMOO(3, "Anger"), TBPM(3, "128"), TKEY(3, "F#m"))
    own = TXXX(3, "MOOD", "anger"), TXXX(1, "BPM", "128,0"), TXXX(3, "initialkey", "F# minor")
    yield write_id3(write_song(folder / "2.mp3"), *own, version=3)
    mood = COMM(3, "eng", "MusicMatch_Mood", "Angry")
    yield write_id3(write_song(folder / "3.mp3"), mood, TBPM(3, "128"), TKEY(3, "F#min"), version=3)
    for ending in ("flac", "ogg", "opus", "oga"):
        yield write_comments(write_song(folder / f"4.{ending}"), MOOD="angry", BPM="128", INITIALKEY="F#m")
    file = MP4(write_song(folder / "5.m4a"))
    apple = {"MOOD": b"Anger", "initialkey": b"F#m"}
    file.tags.update({f"----:com.apple.iTunes:{name}": [MP4FreeForm(value)] for name, value in apple.items()})
    file.tags["tmpo"] = [128]
    file.save()
    yield folder / "5.m4a"
    file = mutagen.File(wav)
    file.add_tags()
    for frame in (TMOO(3, "Anger"), TBPM(3, "128"), TKEY(3, "F#m")):
        file.tags.add(frame)
    file.save()
    yield wav


def test_a_tagged_library_needs_no_folders(tmp_path):
    songs = set(tagged_songs(tmp_path))
    library = read_folder(tmp_path)
    assert library.problems == ()
    assert library.complete
    assert {song.path for song in library.songs} == songs
    facts = {(song.emotion, song.tempo, song.key, song.mode) for song in library.songs}
    assert facts == {(Emotion.ANGRY, 128, "F#", "minor")}


def test_moods_anywhere_in_a_folder(tmp_path, capsys):
    write_id3(write_song(tmp_path / "Band" / "Album" / "1.mp3"), TMOO(3, "Happiness"), TIT2(3, "Kites"))
    write_id3(write_song(tmp_path / "Band" / "Album" / "2.mp3"), TMOO(3, "Groovy"))
    write_id3(write_song(tmp_path / "3.mp3"), TMOO(3, ["sad", "Fear"]))
    write_song(tmp_path / "Others" / "4.mp3")
    assert main(["music", "check", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "Kites (1.mp3)" in shown.out
    assert shown.out.count("3.mp3") == 2
    album, others = shown.err.splitlines()
    assert album.startswith("femr: 2.mp3 is passed over: expected songs in sub-folders named angry, ")
    assert others.startswith("femr: The folder Others is passed over: ")


def test_folders_and_lists_go_before_tags(tmp_path):
    write_id3(write_song(tmp_path / "sad" / "1.mp3"), TMOO(3, "happy"), TKEY(3, "Am"), TBPM(3, "90"))
    (song,) = read_folder(tmp_path).songs
    assert (song.emotion, song.key, song.mode, song.tempo) == (Emotion.SAD, "A", "minor", 90)
    write_id3(write_song(tmp_path / "2.mp3"), TMOO(3, "happy"))
    (tmp_path / "library.csv").write_text("file,expression,key,tempo\nsad/1.mp3,fear,C,\n")
    (song,) = read_folder(tmp_path).songs
    assert (song.emotion, song.key, song.mode, song.tempo) == (Emotion.FEAR, "C", None, 90)


@pytest.mark.parametrize(
    ("text", "moods"),
    [
        ("", []),
        ("joy", []),
        ("not happy", []),
        ("Happy; Party", ["happy"]),
        ("Sadness / afraid, SAD", ["sad", "fear"]),
        ("x" * 100_000, []),
    ],
)
def test_words_of_a_mood(tmp_path, text, moods):
    assert list(moods_of(write_comments(write_song(tmp_path / "a.flac"), MOOD=text))) == moods


def test_a_file_that_cannot_be_read_has_no_mood(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    assert moods_of(tmp_path / "a.wav") == ()
    assert moods_of(tmp_path / "gone.wav") == ()


@pytest.mark.parametrize("beats", ["0", "-3", "nan", "inf", "fast", "1e99"])
def test_a_tempo_that_is_none(tmp_path, beats):
    assert read_tags(write_comments(write_song(tmp_path / "a.ogg"), BPM=beats)).tempo is None


@pytest.mark.parametrize(
    ("text", "key", "mode"),
    [("C", "C", "major"), ("Bb", "Bb", "major"), ("Bbm", "Bb", "minor"), ("D maj", "D", "major"), ("8A", "8A", None)],
)
def test_keys(tmp_path, text, key, mode):
    words = read_tags(write_comments(write_song(tmp_path / "a.opus"), KEY=text)).words
    assert (words["key"], words.get("mode")) == (key, mode)


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (b"", 0),
        (b"ID3", 0),
        (b"RIFF0000WAVE", 0),
        (b"ID3\4\0\0\0\0\2\1", 10 + 257),
        (b"ID3\4\0\0\x7f\x7f\x7f\x7f", 2**28 + 9),
    ],
    ids=["empty", "short", "no tag", "tag", "largest"],
)
def test_the_tag_before_a_song_is_passed_over(head, size):
    assert sound_start(BytesIO(head)) == size
