"""Which loops there are, from routing on, and what can be seen of them."""

import pytest
from sqlalchemy import text
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Receiver
from tests.support.scored import incoming, scored

from heardback_router.backlog.domain import LinkedCustomer, Resolution
from heardback_router.backlog.tables import outbox
from heardback_router.configuration.source import load_policies
from heardback_router.wording import CustomerText

ABOUT = {"incident": "I-1"}


async def test_a_loop_is_open_from_routing_on_and_the_answer_carries_it(house: House) -> None:
    item_id = await house.item()
    loop = await house.loop_of(item_id)
    assert (loop["state"], loop["round"], loop["customer_id"]) == ("acknowledged", 1, "c-1")
    assert [step["state"] for step in loop["history"]] == ["acknowledged"]
    async with house.database.tenant("default") as connection:
        query = outbox.select().where(outbox.c.topic == "feedback.routed")
        (row,) = (await connection.execute(query)).mappings().all()
    assert f'"loop":{{"id":"{loop["id"]}","state":"acknowledged"' in row["data"].decode()
    # What routing answers says it; nothing else is announced.
    assert await house.announced() == []


async def test_a_customer_has_one_loop_in_an_item_however_often_they_write(house: House) -> None:
    feedback = [scored(n, customer=c, context=ABOUT) for n, c in enumerate(("c-1", "c-1", "c-2", None, None))]
    await house.core.route([incoming(one) for one in feedback[:3]])
    await house.core.route([incoming(one) for one in feedback])
    async with house.database.tenant("default") as connection:
        found = await house.core.closing.loops.of_feedback(
            connection, "default", [one.accepted.feedback_id for one in feedback]
        )
        rows = await connection.execute(text("SELECT customer_id, count(*) FROM router.loop GROUP BY 1"))
        counted = {row[0]: row[1] for row in rows}
    assert len(found) == 5
    ids = [found[one.accepted.feedback_id].id for one in feedback]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
    assert counted == {"c-1": 1, "c-2": 1, None: 2}


async def test_feedback_that_names_nobody_is_not_told_and_it_shows(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    item_id = await house.item(customer=None)
    await house.resolve(item_id, await house.caller())
    loop = await house.loop_of(item_id)
    assert (loop["state"], loop["code"]) == ("not_told", "no_customer")
    assert await house.deliver() == 0


async def test_told_nothing_on_purpose_says_so_and_keeps_the_teams_words_in_the_item(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint()
    item_id = await house.item()
    await house.resolve(item_id, await house.caller(), tell=None)
    loop = await house.loop_of(item_id)
    assert (loop["state"], loop["code"]) == ("not_told", "told_nothing")
    assert "our own test" not in str(loop)
    assert await house.deliver() == 0


async def test_a_stake_without_a_loop_gets_one_when_the_item_is_resolved(house: House) -> None:
    opened = await house.open_loops(3)
    assert len(opened) == 3
    assert {(await house.status(loop_id)).round for loop_id in opened} == {1}


async def test_every_endpoint_gets_its_own_message_of_the_same_loop(house: House, receiver: Receiver) -> None:
    secrets = {path: (await house.endpoint(path))[1] for path in ("/a", "/b")}
    (loop_id,) = await house.open_loops(1)
    await house.deliver()
    assert len({got.id for got in receiver.received}) == 2
    assert all(got.json["data"]["loop_ids"] == [loop_id] for got in receiver.received)
    assert all(got.signed_by(secrets[got.path]) for got in receiver.received)
    assert [c.state for c in await house.announced()] == ["told"]


async def test_a_rolled_back_resolution_leaves_no_step_and_no_message(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint()
    with pytest.raises(RuntimeError, match="no"):
        await _resolve_and_fail(house)
    assert await house.deliver() == 0
    assert await house.announced() == []


async def _resolve_and_fail(house: House) -> None:
    linked = (LinkedCustomer("c-1", ("fb_1",), None),)
    resolution = Resolution("it_1", "t", 1, "c", "a", CustomerText("Fixed."), None, linked, "key:ann")
    policy = load_policies().telling
    async with house.database.tenant("default") as connection:
        await house.core.closing.loops.resolved(connection, "default", resolution, policy, house.clock.now())
        raise RuntimeError("no")
