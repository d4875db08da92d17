import importlib
import sys

import av
import numpy as np
import pytest

from builders import write_wav
from femr.errors import DataError, ImageError, LibraryError
from femr.results import Emotion, Song
from femr.video.writer import SECONDS, best_part, write_clip

RATE = 44_100


def song(path):
    return Song("Song", path, Emotion.HAPPY)


@pytest.fixture(scope="module")
def made(tmp_path_factory, library):
    """A clip of a song of the catalogue."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    picture = np.random.default_rng(0).integers(0, 256, (27, 21, 3), np.uint8).repeat(50, axis=0).repeat(51, axis=1)
    write_clip(picture, library.of(Emotion.HAPPY)[0], path)
    return path, picture


def test_a_clip_is_h264_and_aac_of_ten_seconds(made):
    path, picture = made
    with av.open(str(path)) as film:
        (video,), (audio,) = film.streams.video, film.streams.audio
        assert (video.codec_context.name, video.codec_context.format.name) == ("h264", "yuv420p")
        assert (video.width, video.height) == (1072, 1350)  # even sides
        assert audio.codec_context.name == "aac"
        assert film.duration / 1_000_000 == pytest.approx(SECONDS, abs=0.1)
        frame = next(film.decode(video)).to_ndarray(format="rgb24")
    assert np.abs(frame[:1350, :1071].astype(int) - picture).mean() < 20
    assert path.stat().st_size < 2_000_000


def test_a_phone_plays_a_clip_before_it_has_all_of_it(made):
    content = made[0].read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_a_clip_is_heard_and_fades(made):
    with av.open(str(made[0])) as film:
        sound = np.concatenate([frame.to_ndarray() for frame in film.decode(audio=0)], axis=1)
    power = np.square(sound).mean(axis=0)
    assert power[RATE : 8 * RATE].mean() > 1e-4
    assert power[-RATE // 10 :].mean() < 0.05 * power[8 * RATE : 9 * RATE].mean()


def test_the_best_part_is_the_loudest():
    noise = np.random.default_rng(0).uniform(-1, 1, (60 * RATE, 2)).astype(np.float32)
    noise[: 23 * RATE] *= 0.3
    noise[33 * RATE :] *= 0.5
    part = best_part(noise)
    assert len(part) == SECONDS * RATE
    assert (part[5 * RATE] == noise[28 * RATE]).all()
    assert not part[0].any()
    assert not part[-1].any()


@pytest.mark.parametrize("seconds", [0.1, 1, 9.5, 10])
def test_a_short_song_is_played_whole(seconds):
    sound = np.ones((round(seconds * RATE), 2), np.float32)
    part = best_part(sound)
    assert len(part) == len(sound)
    assert np.isfinite(part).all()
    assert (sound == 1).all()


def test_a_song_shorter_than_the_clip_gives_one(tmp_path):
    write_wav(tmp_path / "short.wav", 2)
    write_clip(np.zeros((64, 64, 3), np.uint8), song(tmp_path / "short.wav"), tmp_path / "clip.mp4")
    with av.open(str(tmp_path / "clip.mp4")) as film:
        assert film.streams.video[0].frames * 1.0 / film.streams.video[0].average_rate == SECONDS


def test_a_clip_that_cannot_be_made_says_why(tmp_path):
    picture = np.zeros((64, 64, 3), np.uint8)
    (tmp_path / "text.mp3").write_text("no song")
    write_wav(tmp_path / "song.wav", 1)
    write_wav(tmp_path / "empty.wav", 0)
    for name in ("gone.mp3", "text.mp3"):
        with pytest.raises(LibraryError, match=f"There is no clip: the song {name} cannot be read any more"):
            write_clip(picture, song(tmp_path / name), tmp_path / "clip.mp4")
    with pytest.raises(LibraryError, match=r"There is no clip: the song empty.wav"):
        write_clip(picture, song(tmp_path / "empty.wav"), tmp_path / "clip.mp4")
    for target in (tmp_path / "no" / "clip.mp4", "/dev/full"):
        with pytest.raises(DataError, match="The clip cannot be written: "):
            write_clip(picture, song(tmp_path / "song.wav"), target)


def test_without_pyav_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    for name in ("writer", "reader"):
        monkeypatch.delitem(sys.modules, f"femr.video.{name}")
    with pytest.raises(ImageError, match=r"Videos and clips need PyAV: pip install av"):
        importlib.import_module("femr.video.writer")
