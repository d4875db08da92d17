"""Who is read when, and with whom; the model is a stand-in that tells what it was called with."""

from threading import Event

import cv2
import numpy as np
import pytest

from femr.errors import ImageError
from femr.images import Picture
from femr.page.queues import MOST_PICTURES, MOST_PIXELS, NO_MEMORY, Lane


def picture(megapixels=0.3):
    """One of its own."""
    return Picture(np.zeros((round(megapixels * 1000), 1000, 3), np.uint8), (1, 1), 1.0)


class Model:
    """Its faces of a picture are the picture's id. It goes on when `open` is set; `bad`: picture's id → its error."""

    def __init__(self, *, closed=False):
        self.calls, self.bad = [], {}
        self.open, self.begun = Event(), Event()
        if not closed:
            self.open.set()

    def read(self, pictures):
        self.begun.set()
        assert self.open.wait(20)
        self.calls.append(pictures)
        for one in pictures:
            if id(one) in self.bad:
                raise self.bad[id(one)]
        return [(id(one),) for one in pictures]


@pytest.fixture
def lane():
    return Lane(workers=1)


@pytest.fixture
def model(lane):
    """Closed, and with one picture in it: whatever joins waits until it is opened."""
    model = Model(closed=True)
    lane.join(model, picture())
    assert model.begun.wait(20)
    return model


def answers(futures):
    return [future.result(20) for future in futures]


def test_a_picture_alone_is_read_at_once(lane):
    model, one = Model(), picture()
    assert lane.read(model, one) == (id(one),)
    assert model.calls == [[one]]


def test_what_waits_together_is_read_in_one_call_and_each_gets_its_own(lane, model):
    waiting = [picture() for _ in range(4)]
    futures = [lane.join(model, one) for one in waiting]
    model.open.set()
    assert answers(futures) == [(id(one),) for one in waiting]
    assert model.calls[1:] == [waiting]


def test_a_call_holds_no_more_than_the_bounds(lane, model):
    small = [picture(0.001) for _ in range(2 * MOST_PICTURES + 1)]
    middle = [picture(0.4 * MOST_PIXELS["photo"] / 1e6) for _ in range(5)]
    futures = [lane.join(model, one) for one in small + middle]
    model.open.set()
    answers(futures)
    assert [one for call in model.calls[1:] for one in call] == small + middle
    for call in model.calls:
        assert len(call) <= MOST_PICTURES
        assert sum(one.pixels.size // 3 for one in call) <= MOST_PIXELS["photo"]


def test_a_picture_over_the_bound_is_read_alone(lane, model):
    large = picture(1.5 * MOST_PIXELS["photo"] / 1e6)
    futures = [lane.join(model, one) for one in (large, picture(), picture())]
    model.open.set()
    answers(futures)
    assert [len(call) for call in model.calls[1:]] == [1, 2]
    assert model.calls[1] == [large]


def test_small_pictures_do_not_wait_for_a_slow_one():
    lane, slow, quick = Lane(workers=2), Model(closed=True), Model()
    held = lane.join(slow, picture(3.0))
    assert slow.begun.wait(20)
    answers([lane.join(quick, picture()) for _ in range(5)])
    assert not held.done()
    slow.open.set()
    answers([held])


def test_two_models_never_share_a_call_and_neither_waits_for_the_others_line_to_end(lane, model):
    other = Model()
    futures = [lane.join(each, picture(0.6)) for each in (model, other) * 6]
    model.open.set()
    answers(futures)
    assert sum(map(len, model.calls[1:])) == sum(map(len, other.calls)) == 6
    assert len(other.calls) > 1


def test_a_frame_does_not_wait_for_photos_in_its_call(lane, model):
    photos, frames = [picture(0.1) for _ in range(3)], [picture(0.1) for _ in range(3)]
    futures = []
    for photo, frame in zip(photos, frames, strict=True):
        futures += [lane.join(model, photo, "photo"), lane.join(model, frame, "frame")]
    model.open.set()
    answers(futures)
    assert model.calls[1:] == [photos, frames]


def test_a_picture_that_fails_harms_no_other(lane, model):
    waiting = [picture() for _ in range(4)]
    model.bad[id(waiting[1])] = RuntimeError("broken")
    futures = [lane.join(model, one) for one in waiting]
    model.open.set()
    with pytest.raises(RuntimeError, match="broken"):
        futures[1].result(20)
    others = [0, 2, 3]
    assert answers(futures[n] for n in others) == [(id(waiting[n]),) for n in others]
    assert lane.read(model, waiting[0]) == (id(waiting[0]),)


def test_where_memory_runs_out_for_all_at_once_each_is_read_alone(lane, model):
    class Small(Model):
        def read(self, pictures):
            if len(pictures) > 1:
                raise MemoryError
            return super().read(pictures)

    small = Small()
    futures = [lane.join(small, picture()) for _ in range(3)]
    model.open.set()
    answers(futures)
    assert [len(call) for call in small.calls] == [1, 1, 1]


def too_large():
    """What OpenCV says of 120 GB."""
    with pytest.raises(cv2.error) as caught:
        cv2.resize(np.zeros((1, 1, 3), np.uint8), (200_000, 200_000))
    return caught.value


@pytest.mark.parametrize("error", [MemoryError, too_large])
def test_where_memory_runs_out_for_one_alone_it_gets_a_sentence(lane, error):
    model, one = Model(), picture()
    model.bad[id(one)] = error()
    with pytest.raises(ImageError) as caught:
        lane.read(model, one)
    assert str(caught.value) == NO_MEMORY


def test_nobody_waits_for_ever_where_an_answer_is_missing(lane, model):
    class Forgetful(Model):
        def read(self, pictures):
            return super().read(pictures)[1:]

    futures = [lane.join(Forgetful(), picture()) for _ in range(2)]
    model.open.set()
    for future in futures:
        with pytest.raises(ValueError, match="shorter"):
            future.result(20)


def test_photos_and_frames_get_the_same_share_while_both_wait(lane, model):
    photos, frames = [picture(0.9) for _ in range(10)], [picture(0.3) for _ in range(40)]
    futures = [lane.join(model, one) for one in photos] + [lane.join(model, one, "frame") for one in frames]
    model.open.set()
    answers(futures)
    read = [one for call in model.calls[1:] for one in call]
    for end in range(4, 36):
        shares = [sum(one.pixels.size for one in read[:end] if one in line) for line in (photos, frames)]
        assert abs(shares[0] - shares[1]) < 3 * 2 * MOST_PIXELS["photo"]
    assert [one for one in read if one in photos] == photos
    assert [one for one in read if one in frames] == frames


def test_a_line_saves_nothing_up_while_nobody_waits_in_it(lane):
    busy = Model()
    answers([lane.join(busy, picture(0.9)) for _ in range(30)])
    model = Model(closed=True)
    lane.join(model, picture())
    assert model.begun.wait(20)
    futures = [lane.join(model, picture(0.9), line) for line in ("photo", "frame") * 10]
    model.open.set()
    answers(futures)
    line = {future.result(20)[0]: n % 2 for n, future in enumerate(futures)}
    order = [line[id(one)] for call in model.calls[1:] for one in call]
    assert all(abs(2 * sum(order[:end]) - end) <= 4 for end in range(len(order)))


def test_a_frame_that_is_too_late_is_not_read(lane, model):
    late, on_time = lane.join(model, picture(), "frame", patience=-1.0), lane.join(model, picture(), "frame", 60.0)
    model.open.set()
    assert answers([late])[0] is None
    assert answers([on_time])[0] is not None
    assert sum(map(len, model.calls)) == 2


def test_the_pace_is_told_once_there_is_one(lane):
    assert lane.seconds(200) is None
    for _ in range(3):
        lane.read(Model(), picture(0.001))
    assert 0 < lane.seconds(10) < lane.seconds(200)
