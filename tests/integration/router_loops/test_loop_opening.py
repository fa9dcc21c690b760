"""Which loops a resolution opens, and what can be seen of them."""

import pytest
from sqlalchemy import text
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Receiver

from heardback_router.loops.domain import NO_CUSTOMER, NO_ENDPOINT


async def test_without_an_endpoint_nobody_is_told_and_it_shows(house: House) -> None:
    item_id = await house.item()
    await house.resolve(item_id, await house.caller())
    loop = await house.loop_of(item_id)
    assert (loop["state"], loop["reason"], loop["message"]) == ("not_told", NO_ENDPOINT, None)
    assert [(c.state, c.reason) for c in await house.announced()] == [("not_told", NO_ENDPOINT)]


async def test_feedback_that_names_nobody_is_not_told_and_it_shows(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    item_id = await house.item(customer=None)
    await house.resolve(item_id, await house.caller())
    loop = await house.loop_of(item_id)
    assert (loop["state"], loop["reason"]) == ("not_told", NO_CUSTOMER)
    assert await house.deliver() == 0


async def test_told_nothing_on_purpose_says_why(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    item_id = await house.item()
    await house.resolve(item_id, await house.caller(), tell=None)
    loop = await house.loop_of(item_id)
    assert (loop["state"], loop["reason"]) == ("not_told", "our own test")
    assert await house.deliver() == 0


async def test_the_same_resolution_again_changes_nothing(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    opened = await house.open_loops(3)
    assert len(opened) == 3
    house.clock.forward(hours=1)
    assert await house.open_loops(3) == []
    assert await house.deliver() == 3
    await house.open_loops(3)
    assert await house.deliver() == 0
    assert len(receiver.received) == 3


async def test_of_feedback_gives_the_latest_loop(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    await house.open_loops(2)
    house.clock.forward(hours=1)
    later = await house.open_loops(1, number=2)
    await house.deliver()
    async with house.database.tenant("default") as connection:
        found = await house.core.closing.loops.of_feedback(
            connection, "default", ["fb_it_x_0", "fb_it_x_1", "fb_unknown"]
        )
    assert found.keys() == {"fb_it_x_0", "fb_it_x_1"}
    assert (found["fb_it_x_0"].id, found["fb_it_x_0"].state) == (later[0], "told")
    assert found["fb_it_x_1"].id != later[0]


async def test_every_endpoint_gets_its_own_message_of_the_same_loop(house: House, receiver: Receiver) -> None:
    secrets = {path: (await house.endpoint(path))[1] for path in ("/a", "/b")}
    (loop_id,) = await house.open_loops(1)
    await house.deliver()
    assert len({got.id for got in receiver.received}) == 2
    assert {got.json["data"]["loop_id"] for got in receiver.received} == {loop_id}
    assert all(got.signed_by(secrets[got.path]) for got in receiver.received)
    assert not any(got.signed_by(secrets["/a" if got.path == "/b" else "/b"]) for got in receiver.received)
    assert [c.state for c in await house.announced()] == ["told"]


async def test_a_rolled_back_resolution_leaves_no_loop_and_no_delivery(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint()
    async with house.database.tenant("default") as connection:
        await connection.execute(text("SAVEPOINT here"))
    with pytest.raises(RuntimeError, match="no"):
        await _open_and_fail(house)
    assert await house.deliver() == 0


async def _open_and_fail(house: House) -> None:
    from heardback_router.backlog.domain import LinkedCustomer, Resolution
    from heardback_router.wording import CustomerText

    linked = (LinkedCustomer("c-1", ("fb_1",), None),)
    resolution = Resolution("it_1", "t", 1, "c", "a", CustomerText("Fixed."), None, linked, "key:ann")
    async with house.database.tenant("default") as connection:
        await house.core.closing.loops.open_on_resolve(connection, "default", resolution, house.clock.now())
        raise RuntimeError("no")
