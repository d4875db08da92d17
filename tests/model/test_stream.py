"""A stream of real pictures, read as a camera's."""

import numpy as np

from femr.video.analysis import analyze_stream


def test_a_stream_of_no_frames_is_empty(analyzer):
    assert list(analyze_stream([], analyzer=analyzer)) == []


def test_a_stream_numbers_smooths_and_times_its_frames(analyzer, portrait):
    nobody = np.full_like(portrait, 90)
    frames = [(0.5 * n, nobody if n in (2, 3) else portrait) for n in range(12)]
    found = list(analyze_stream(iter(frames), analyzer=analyzer))
    assert [analysis.time for analysis in found] == [time for time, _ in frames]
    assert [analysis.frame for analysis in found] == list(range(12))
    assert [[face.number for face in analysis.faces] for analysis in found] == [[1]] * 2 + [[]] * 2 + [[1]] * 8
    assert [analysis.mood.emotion for analysis in found[4:]] == ["happy"] * 8
    assert [analysis.song and analysis.song.emotion for analysis in found] == [None] * 8 + ["happy"] * 4


def test_a_stream_takes_one_frame_at_a_time(analyzer, portrait):
    taken = []

    def frames():
        for number in range(5):
            taken.append(number)
            yield number / 2, portrait[:200, 100:300]

    stream = analyze_stream(frames(), analyzer=analyzer)
    next(stream)
    next(stream)
    assert taken == [0, 1]
