"""The table of visits: who may come in, what the host sends, what listeners hear."""

import asyncio
from dataclasses import replace

import pytest

from femr.page import visits
from femr.page.visits import Command, Refused, Visits, WallEvent, event, shares_of
from femr.results import Emotion

ONE, OTHER = "a" * 32, "b" * 32
SHOWN = WallEvent(0.0, Emotion.HAPPY, {Emotion.HAPPY: 1.0}, 5, "Sunday Kites")


@pytest.fixture
def clock(monkeypatch):
    """The table's clock, to be set: clock[0]."""
    now = [100.0]
    monkeypatch.setattr(visits, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("token", ["", "a" * 21, "a" * 65, "a" * 31 + "/", "a" * 31 + "\n", "ä" * 32])
def test_only_a_long_token_opens_a_visit(token):
    with pytest.raises(Refused, match="token") as refused:
        Visits().enter(token)
    assert refused.value.status == 400


def test_a_token_leads_to_its_own_visit_only(clock):
    table = Visits()
    mine = table.enter(ONE)
    assert table.enter(ONE) is mine
    assert table.enter(OTHER) is not mine


def test_a_visit_without_a_word_is_forgotten(clock):
    table = Visits()
    mine = table.enter(ONE)
    clock[0] += visits.AWAY - 1
    assert table.enter(ONE) is mine
    clock[0] += visits.AWAY
    assert table.enter(ONE) is not mine
    assert len(table) == 1


def test_no_more_visits_than_there_is_room_for_and_those_inside_go_on(clock):
    table = Visits()
    tokens = [f"{number:032}" for number in range(visits.MOST)]
    for token in tokens:
        table.enter(token)
    with pytest.raises(Refused, match="others") as refused:
        table.enter(ONE)
    assert refused.value.status == 503
    assert len(table) == visits.MOST
    clock[0] += visits.AWAY / 2
    for token in tokens[1:]:
        table.enter(token)
    clock[0] += visits.AWAY / 2
    assert table.enter(ONE)


def test_a_visit_ends_after_its_minutes_where_there_is_a_limit(clock):
    limited, home = Visits(minutes=10), Visits()
    for _ in range(30):
        limited.enter(ONE)
        home.enter(ONE)
        clock[0] += 20
    clock[0] += 1
    with pytest.raises(Refused, match="10 minutes are over") as refused:
        limited.enter(ONE)
    assert refused.value.status == 410
    assert limited.enter(OTHER)
    assert home.enter(ONE)


def test_a_request_of_a_visit_waits_for_the_one_before_and_a_third_is_refused(clock):
    visit, done = Visits().enter(ONE), []

    async def ask(name, fails=False):
        async with visit.turn():
            await asyncio.sleep(0)
            done.append(name)
            _ = 1 / (not fails)

    async def three():
        return await asyncio.gather(ask("first", fails=True), ask("second"), ask("third"), return_exceptions=True)

    first, second, third = asyncio.run(three())
    assert isinstance(first, ZeroDivisionError)
    assert second is None
    assert isinstance(third, Refused)
    assert third.status == 429
    assert done == ["first", "second"]


def test_a_request_does_not_wait_for_ever_for_the_one_before(clock, monkeypatch):
    monkeypatch.setattr(visits, "PATIENCE", 0.01)
    visit = Visits().enter(ONE)

    async def both():
        async with visit.turn():
            with pytest.raises(Refused, match="last picture"):
                await visit.turn().__aenter__()
        async with visit.turn():
            return True

    assert asyncio.run(both())


def test_commands_are_for_walls_and_do_not_pile_up(clock):
    table = Visits()
    wall, live = table.enter(ONE, wall=True), table.enter(OTHER)
    for _ in range(100):
        table.send(Command("volume", 0.5))
    table.send(Command("skip"))
    assert len(wall.commands) < 100
    assert wall.commands[-1] == Command("skip")
    assert not live.commands


def test_a_command_is_told_until_the_wall_says_that_it_did_it(clock):
    table = Visits()
    wall = table.enter(ONE, wall=True)
    table.send(Command("pause"))
    assert wall.left(None) == wall.left(None) == wall.left("of another server") == [Command("pause")]
    (pause,) = wall.left(None)
    table.send(Command("play"))
    assert wall.left(pause.id) == wall.left(pause.id) == [Command("play")]
    assert wall.left(wall.left(None)[0].id) == []


def heard(table, count):
    """The next events of a listener that is there before `tell` is called."""

    async def listen():
        return [one async for _, one in _numbered(table.listen(), count)]

    return listen()


async def _numbered(events, count):
    number = 0
    async for one in events:
        number += 1
        yield number, one
        if number == count:
            return


def test_listeners_hear_changes_of_walls_only(clock):
    async def evening():
        table = Visits()
        wall, live = table.enter(ONE, wall=True), table.enter(OTHER)
        listening = asyncio.create_task(heard(table, 3))
        await asyncio.sleep(0)
        table.tell(wall, SHOWN)
        table.tell(wall, replace(SHOWN, time=1.0, shares={Emotion.HAPPY: 0.8, Emotion.SAD: 0.2}))  # no change
        table.tell(live, replace(SHOWN, faces=9))
        table.tell(wall, replace(SHOWN, faces=6))
        table.tell(wall, replace(SHOWN, faces=6, song=None))
        return await asyncio.wait_for(listening, 5)

    assert asyncio.run(evening()) == [SHOWN, replace(SHOWN, faces=6), replace(SHOWN, faces=6, song=None)]


def test_who_comes_later_hears_what_is_shown_now_and_who_is_slow_misses_the_oldest(clock):
    async def evening():
        table = Visits()
        wall = table.enter(ONE, wall=True)
        table.tell(wall, SHOWN)
        events = table.listen()
        first = await anext(events)
        waiting = asyncio.create_task(anext(events))
        await asyncio.sleep(0)
        for faces in range(6, 1006):
            table.tell(wall, replace(SHOWN, faces=faces))
        second = await waiting
        last = [await anext(events) for _ in range(10)]
        await events.aclose()
        return first, second, last

    first, second, last = asyncio.run(evening())
    assert first == SHOWN
    assert second.faces > 900
    assert [one.faces for one in last] == list(range(second.faces + 1, second.faces + 11))


def test_of_a_wall_that_has_gone_nothing_is_told_any_more(clock):
    other = replace(SHOWN, time=1.0, mood=Emotion.SAD)

    async def evening():
        table = Visits()
        table.tell(table.enter(ONE, wall=True), SHOWN)
        clock[0] += 0.4 * visits.AWAY
        table.tell(table.enter(OTHER, wall=True), other)
        listening = asyncio.create_task(heard(table, 3))
        await asyncio.sleep(0)
        clock[0] += 0.4 * visits.AWAY
        table.enter(ONE, wall=True)
        clock[0] += 0.7 * visits.AWAY
        table.forget()
        left = table.last
        clock[0] += visits.AWAY
        table.forget()
        table.forget()
        return await asyncio.wait_for(listening, 5), left, table.last

    told, left, last = asyncio.run(evening())
    assert told[:2] == [other, SHOWN]
    assert replace(told[2], time=0.0) == WallEvent(0.0, None, None, 0, None)
    assert (left, last) == (SHOWN, None)


@pytest.mark.parametrize(
    ("counts", "faces", "shares"),
    [
        ({}, 0, None),
        ({Emotion.HAPPY: 4}, 4, None),
        ({}, 7, None),
        ({Emotion.HAPPY: 4}, 5, None),  # the fifth is hard to read
        ({Emotion.HAPPY: 4, Emotion.SAD: 1}, 6, {Emotion.HAPPY: 0.8, Emotion.SAD: 0.2}),
    ],
)
def test_a_small_group_has_no_shares(counts, faces, shares):
    assert shares_of(counts, faces) == shares
    assert event(None, counts, faces, None).shares == shares
