"""Sending again what never arrived, or a whole time range, with progress and a limit."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.integration.router_loops.house import House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver, Reply

from heardback_router.deliveries.settings import WebhookSettings
from heardback_shared.db.database import Database

STOP = Reply(400, headers=(("webhook-delivery", "abort-message"),))


async def story(house: House) -> tuple[str, datetime]:
    """Three failed and two delivered in the first hour, one failed in the second."""
    endpoint_id, _ = await house.endpoint()
    began = house.clock.now()
    for number, (count, reply) in enumerate(((3, STOP), (2, Reply()), (1, STOP)), 1):
        house.receiver.usual = reply
        await house.open_loops(count, number=number, item=f"it_{number}")
        await house.deliver()
        house.clock.forward(minutes=30)
    house.receiver.usual = Reply()
    house.receiver.received.clear()
    return endpoint_id, began


async def test_missing_sends_only_what_never_arrived_and_shows_progress(
    house: House, receiver: Receiver
) -> None:
    endpoint_id, began = await story(house)
    ann = await house.caller()
    path = f"/v1/endpoints/{endpoint_id}"
    failed = (await ann.get("/v1/deliveries", state="failed")).json()["deliveries"]
    made = (await ann.post(f"{path}:replay", {"since": began.isoformat()})).json()
    counts = {name: made[name] for name in ("matched", "queued", "left", "pending", "delivered", "failed")}
    assert counts == {"matched": 4, "queued": 4, "left": 0, "pending": 4, "delivered": 0, "failed": 0}
    assert await house.deliver() == 4
    assert {got.id for got in receiver.received} == {d["id"] for d in failed}
    after = (await ann.get(f"{path}/replays/{made['id']}")).json()
    assert (after["delivered"], after["pending"]) == (4, 0)
    again = (await ann.post(f"{path}:replay", {"since": began.isoformat()})).json()
    assert (again["matched"], again["queued"]) == (0, 0)
    loops = {loop_id for got in receiver.received for loop_id in got.json["data"]["loop_ids"]}
    assert {(await house.status(loop_id)).state for loop_id in loops} == {"told"}


async def test_a_range_sends_what_was_made_in_it_and_nothing_else(house: House, receiver: Receiver) -> None:
    endpoint_id, began = await story(house)
    ann = await house.caller()
    until = began + timedelta(minutes=45)
    body = {"which": "all", "since": began.isoformat(), "until": until.isoformat()}
    made = (await ann.post(f"/v1/endpoints/{endpoint_id}:replay", body)).json()
    assert (made["matched"], made["queued"]) == (5, 5)
    assert await house.deliver() == 5
    assert all(len(bodies) == 1 for bodies in receiver.bodies_by_id.values())


async def test_more_than_the_limit_is_left_and_said(
    house: House, database: Database, receiver: Receiver
) -> None:
    endpoint_id, began = await story(house)
    few = WebhookSettings(allow_loopback=True, replay_limit=2)
    small = build_house(database, receiver, house.clock.now(), few, clock=house.clock)
    async with living_in(small):
        ann = await small.caller()
        path = f"/v1/endpoints/{endpoint_id}:replay"
        taken = []
        for _ in range(3):
            made = (await ann.post(path, {"since": began.isoformat()})).json()
            taken.append((made["queued"], made["left"]))
            await small.deliver()
        assert taken == [(2, 2), (2, 0), (0, 0)]
    assert len(receiver.received) == 4


BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "/since"),
    ({"since": "yesterday"}, "/since"),
    ({"since": "2026-11-22T10:00:00"}, "/since"),
    ({"since": "2026-11-22T10:00:00Z", "until": "2026-11-22T10:00:00Z"}, "/since"),
    ({"since": "2026-11-22T10:00:00Z", "which": "some"}, "/which"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD)
async def test_a_range_that_is_none_is_refused(house: House, body: dict[str, Any], pointer: str) -> None:
    endpoint_id, _ = await house.endpoint()
    answer = await (await house.caller()).post(f"/v1/endpoints/{endpoint_id}:replay", body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_nothing_is_replayed_to_what_is_disabled_unproven_or_not_ours(
    house: House, receiver: Receiver
) -> None:
    endpoint_id, began = await story(house)
    ann, body = await house.caller(), {"since": began.isoformat()}
    path = f"/v1/endpoints/{endpoint_id}"
    made = (await ann.post(f"{path}:replay", body)).json()
    stranger = await house.caller("other")
    assert (await stranger.post(f"{path}:replay", body)).status_code == 404
    assert (await stranger.get(f"{path}/replays/{made['id']}")).status_code == 404
    elsewhere, _ = await house.endpoint("/b")
    assert (await ann.get(f"/v1/endpoints/{elsewhere}/replays/{made['id']}")).status_code == 404
    await ann.post(f"{path}:disable")
    assert (await ann.post(f"{path}:replay", body)).json()["type"].endswith("endpoint-disabled")
    await ann.post(f"{path}:enable")
    await ann.patch(path, {"url": receiver.url("/new")})
    assert (await ann.post(f"{path}:replay", body)).json()["type"].endswith("endpoint-unproven")
