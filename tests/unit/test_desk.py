import asyncio
from threading import Event

import pytest

from femr.errors import DataError
from femr.page import queues
from femr.page.queues import Desk


def served(work):
    return asyncio.run(work)


def test_a_ticket_that_nobody_has_does_not_wait():
    assert Desk().place(7) == (0, 0)


def test_each_gets_its_own_answer_and_knows_how_many_are_before_it():
    async def visit():
        counter, open_up = Desk(at_once=2), Event()
        tasks = [asyncio.create_task(counter.serve(n, lambda n=n: open_up.wait(10) and n)) for n in range(5)]
        await asyncio.sleep(0.05)
        places = [counter.place(n)[0] for n in range(5)]
        open_up.set()
        answers = await asyncio.gather(*tasks)
        return places, answers, counter.place(4)

    assert served(visit()) == ([0, 0, 1, 2, 3], [0, 1, 2, 3, 4], (0, 0))


def test_a_quiet_hour_does_not_count_as_work(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(queues, "monotonic", lambda: now[0])

    def pass_by(seconds):
        now[0] += seconds

    async def visit():
        counter, open_up = Desk(at_once=1), Event()
        for n in range(5):
            await counter.serve(n, lambda: pass_by(2.0))
        pass_by(3600)
        tasks = [asyncio.create_task(counter.serve(n, lambda: open_up.wait(10))) for n in range(3)]
        await asyncio.sleep(0.05)
        told = counter.place(2)
        open_up.set()
        await asyncio.gather(*tasks)
        return told

    assert served(visit()) == (2, 4)


def test_several_at_once_take_less_time_together():
    pace = queues.Pace(at_once=4)
    assert pace.seconds(10) is None
    pace.add(1.0)
    pace.add(3.0)
    assert pace.seconds(10) == 5.0


def test_where_too_many_wait_a_sentence_tells_when_to_come_again(monkeypatch):
    monkeypatch.setattr(queues, "MOST_WAITING", 0)

    async def visit():
        counter, open_up = Desk(at_once=1), Event()
        first = asyncio.create_task(counter.serve(1, lambda: open_up.wait(10)))
        await asyncio.sleep(0.05)
        with pytest.raises(DataError, match=r"others are waiting already.* in about 10 seconds"):
            await counter.serve(2, lambda: None)
        open_up.set()
        assert await first
        return await counter.serve(2, lambda: "now")

    assert served(visit()) == "now"


def test_a_ticket_that_many_show_does_not_shorten_the_line(monkeypatch):
    monkeypatch.setattr(queues, "MOST_WAITING", 2)

    async def visit():
        counter, open_up = Desk(at_once=1), Event()
        tasks = [asyncio.create_task(counter.serve(0, lambda: open_up.wait(10))) for _ in range(5)]
        await asyncio.sleep(0.05)
        open_up.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = served(visit())
    assert answers[:3] == [True] * 3
    assert all(isinstance(one, DataError) for one in answers[3:])


def test_what_goes_wrong_leaves_nobody_in_line():
    async def visit():
        counter = Desk(at_once=1)
        with pytest.raises(ZeroDivisionError):
            await counter.serve(1, lambda: 1 / 0)
        return counter.place(1), await counter.serve(1, lambda: "next")

    assert served(visit()) == ((0, 0), "next")
