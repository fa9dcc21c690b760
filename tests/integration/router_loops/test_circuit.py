"""An endpoint that fails is spared, probed by one delivery, and goes on by itself."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.router_loops.house import House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver, Reply

from heardback_router.deliveries.breaker import Circuit, Health, may_send, probing
from heardback_router.deliveries.endpoint_store import PostgresEndpoints
from heardback_router.deliveries.store import PostgresDeliveryQueue
from heardback_shared.db.database import Database

DOWN = Reply(500)


@pytest.fixture
async def second(house: House, database: Database) -> AsyncIterator[House]:
    built = build_house(database, house.receiver, house.clock.now(), clock=house.clock)
    async with living_in(built):
        yield built


async def opened(house: House, waiting: int = 8) -> str:
    """The id of an endpoint whose circuit has just opened, with deliveries that wait."""
    endpoint_id, _ = await house.endpoint()
    house.receiver.usual = DOWN
    await house.open_loops(5, item="it_first")
    assert await house.deliver() == 5
    await house.open_loops(waiting, item="it_waiting")
    return endpoint_id


async def health(house: House, endpoint_id: str) -> dict[str, Any]:
    shown = (await (await house.caller()).get(f"/v1/endpoints/{endpoint_id}")).json()
    return dict(shown["health"])


async def test_an_open_circuit_costs_no_attempts(house: House, receiver: Receiver) -> None:
    endpoint_id = await opened(house)
    assert (await health(house, endpoint_id))["circuit"] == "open"
    house.clock.forward(seconds=59)
    assert await house.deliver() == 0
    found = await (await house.caller()).get("/v1/deliveries", state="pending", limit="100")
    counts = Counter(d["attempt_count"] for d in found.json()["deliveries"])
    assert counts == {1: 5, 0: 8}
    assert len(receiver.received) == 5


async def test_one_probe_flies_however_many_processes_look(house: House, second: House) -> None:
    endpoint_id = await opened(house)
    receiver = house.receiver
    go_on = asyncio.Event()
    receiver.usual = Reply(200, hold=go_on)
    house.clock.forward(seconds=60)
    receiver.arrived.clear()
    flying = [asyncio.create_task(h.deliver()) for h in (house, second, house, second)]
    async with asyncio.timeout(90):
        await receiver.arrived.wait()
        while sum(task.done() for task in flying) < 3:
            await asyncio.sleep(0.01)
    assert len(receiver.received) == 6
    assert (await health(house, endpoint_id))["circuit"] == "half_open"
    go_on.set()
    await asyncio.gather(*flying)
    assert (await health(house, endpoint_id))["circuit"] == "closed"
    house.clock.forward(seconds=10)
    await house.deliver()
    assert len(receiver.received) == 5 + 13


async def test_a_failed_probe_burns_one_attempt_of_one_delivery_and_waits_longer(house: House) -> None:
    endpoint_id = await opened(house)
    house.clock.forward(seconds=60)
    assert await house.deliver() == 1
    house.clock.forward(seconds=119)
    assert await house.deliver() == 0
    house.clock.forward(seconds=1)
    assert await house.deliver() == 1
    kinds = await (await house.caller()).get(f"/v1/endpoints/{endpoint_id}/history")
    first = next(e for e in kinds.json()["events"] if e["kind"] == "circuit_opened")
    assert first["because"] == "5 attempts in a row failed"
    assert first["actor"] == "router by standard@1"


async def test_a_probe_that_is_lost_with_its_process_is_followed_by_another(
    house: House, second: House
) -> None:
    await opened(house)
    receiver = house.receiver
    lost = asyncio.Event()
    receiver.usual = Reply(200, hold=lost)
    house.clock.forward(seconds=60)
    receiver.arrived.clear()
    dies = asyncio.create_task(house.deliver())
    await receiver.arrived.wait()
    dies.cancel()
    await asyncio.gather(dies, return_exceptions=True)
    receiver.usual = Reply()
    house.clock.forward(seconds=58)
    assert await second.deliver() == 0
    house.clock.forward(seconds=3)
    assert await second.deliver() == 13
    lost.set()


async def test_one_endpoint_that_is_spared_holds_up_no_other(house: House, receiver: Receiver) -> None:
    await house.endpoint("/down")
    await house.endpoint("/up")
    receiver.by_path = {"/down": DOWN}
    await house.open_loops(6)
    await house.deliver()
    await house.open_loops(6, item="it_y")
    house.clock.forward(seconds=1)
    await house.deliver()
    sent = Counter(got.path for got in receiver.received)
    assert sent["/up"] == 12
    assert sent["/down"] < 12


async def test_what_a_person_asks_for_is_tried_at_once(house: House, receiver: Receiver) -> None:
    endpoint_id = await opened(house, waiting=2)
    receiver.usual = Reply()
    ann = await house.caller()
    assert await house.deliver() == 0
    assert (await ann.post(f"/v1/endpoints/{endpoint_id}:test")).status_code == 202
    assert await house.deliver() >= 1
    assert (await health(house, endpoint_id))["circuit"] == "closed"


@pytest.mark.parametrize("circuit", ["closed", "open", "half_open"])
@pytest.mark.parametrize("seconds", [-1, 0, 1])
async def test_what_is_claimed_is_what_the_state_machine_lets_through(
    house: House, circuit: Circuit, seconds: int
) -> None:
    endpoint_id, _ = await house.endpoint()
    ann = await house.caller()
    for _ in range(3):
        await ann.post(f"/v1/endpoints/{endpoint_id}:test")
    now = house.clock.now()
    until = None if circuit == "closed" else now + timedelta(seconds=seconds)
    health = Health(circuit, until, opened=1, failures=1, failing_since=now, window_started=now)
    store, queue = PostgresEndpoints(), PostgresDeliveryQueue()
    async with house.database.tenant("default") as connection:
        endpoint = await store.find(connection, "default", endpoint_id, lock=True)
        assert endpoint is not None
        await store.save(connection, "default", replace(endpoint, health=health))
    async with house.database.worker() as connection:
        lease_until = now + timedelta(seconds=60)
        taken = await queue.claim(
            connection, now=now, lease_until=lease_until, free=9, per_endpoint=9, busy={}
        )
    allowed = may_send(health, now)
    assert len(taken) == {"all": 3, "probe": 1, "nothing": 0}[allowed]
    async with house.database.tenant("default") as connection:
        after = await store.find(connection, "default", endpoint_id)
    assert after is not None
    assert after.health == (probing(health, lease_until) if allowed == "probe" else health)


async def test_an_endpoint_that_is_well_is_not_written_to(house: House, receiver: Receiver) -> None:
    await house.endpoint()

    async def version() -> str:
        async with house.database.worker() as connection:
            return str(await connection.scalar(text("SELECT xmin::text FROM router.endpoint")))

    before = await version()
    await house.open_loops(10)
    assert await house.deliver() == 10
    assert await version() == before
