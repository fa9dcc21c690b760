"""Killed between the steps of one transaction: nothing is lost, nothing happens twice."""

from typing import Any

import pytest
from tests.integration.router_loops.house import Caller, House
from tests.integration.router_loops.killing import KilledError, killed_at, rows
from tests.integration.router_loops.receiver import Receiver


def places(house: House) -> dict[str, tuple[Any, str]]:
    """Where a transaction about loops writes, by name."""
    loops = house.core.closing.loops
    return {
        "log of the item": (house.core.backlog._items, "log"),
        "item": (house.core.backlog._items, "update"),
        "change record": (loops._changes, "record"),
        "steps of loops": (loops._store, "append"),
        "decisions": (loops._saying._tellings, "add"),
        "messages": (loops._saying._outreach, "enqueue"),
        "outbox": (house.core.outbox, "add"),
    }


@pytest.fixture
async def ann(house: House) -> Caller:
    await house.endpoint()
    return await house.caller()


@pytest.mark.parametrize("after", [False, True])
async def test_resolving_killed_anywhere_is_as_if_it_never_was_and_then_happens_once(
    house: House, receiver: Receiver, ann: Caller, after: bool
) -> None:
    item_id = await house.item()
    before = await rows(house)
    for owner, name in places(house).values():
        with killed_at(owner, name, after=after), pytest.raises(KilledError):
            await house.resolve(item_id, ann)
        assert await rows(house) == before
        assert (await house.loop_of(item_id))["state"] == "acknowledged"
    await house.resolve(item_id, ann)
    assert await house.deliver() == 1
    assert len(receiver.received) == 1


@pytest.mark.parametrize("answer", ["confirm", "dispute"])
async def test_an_answer_killed_anywhere_is_as_if_it_never_was_and_then_counts_once(
    house: House, receiver: Receiver, ann: Caller, answer: str
) -> None:
    item_id = await house.item()
    await house.resolve(item_id, ann)
    await house.deliver()
    path = receiver.received[-1].json["data"]["links"][answer].partition(".com")[2]
    before = await rows(house)
    hit = 0
    for place in ("log of the item", "item", "steps of loops", "outbox"):
        owner, name = places(house)[place]
        for after in (False, True):
            with killed_at(owner, name, after=after), pytest.raises(KilledError):
                await house.client.post(path)
            hit += 1
            assert await rows(house) == before
            assert (await house.loop_of(item_id))["state"] == "told"
    assert hit == 8
    first = await house.client.post(path)
    again = await house.client.post(path)
    assert first.status_code == again.status_code == 200
    state = (await ann.get(f"/v1/items/{item_id}")).json()["state"]
    assert state == ("closed" if answer == "confirm" else "open")
    assert len((await house.loop_of(item_id))["history"]) == 4


async def test_a_message_that_ends_while_the_loop_dies_is_settled_when_it_ends_again(
    house: House, receiver: Receiver, ann: Caller
) -> None:
    item_id = await house.item()
    await house.resolve(item_id, ann)
    store = house.core.closing.loops._store
    for after in (False, True):
        with killed_at(store, "append", after=after), pytest.raises(KilledError):
            await house.deliver()
        assert (await house.loop_of(item_id))["state"] == "changed"
        house.clock.forward(minutes=5)
    await house.deliver()
    loop = await house.loop_of(item_id)
    assert (loop["state"], len(loop["history"])) == ("told", 3)
    assert len({got.id for got in receiver.received}) == 1
    assert [c.state for c in await house.announced()] == ["changed", "told"]
