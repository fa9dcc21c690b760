"""What waited, was retried or was being decided when a customer was erased: stopped, each with its reason."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.router_erasure.conftest import Town
from tests.integration.router_loops.receiver import Reply
from tests.support.marks import places_of

from heardback_router.erasure.store import PostgresErased

REASON = "The customer's personal data were erased after they raised this; nothing more is sent about it."


class KilledError(Exception):
    """Whatever ends a process."""


async def states(town: Town, customer: str = "c-1") -> dict[str, str]:
    """The last word on every message of the customer's, by what it is about."""
    found = (await town.desk.get("/v1/messages", customer=customer)).json()["messages"]
    return {f"{one['step']}": f"{one['state']} {one['code']}: {one['reason']}" for one in found}


async def tell(town: Town, number: int, customer: str = "c-1") -> str:
    item = await town.writes(number, f"The invoice {number} is wrong.", customer)
    await town.house.resolve(item, town.desk, f"Matter {number} is corrected.")
    return item


async def test_a_webhook_that_is_retried_stops_even_before_the_router_has_seen_the_erasure(
    town: Town,
) -> None:
    await town.endpoint()
    town.receiver.replies.append(Reply(500))
    await tell(town, 1)
    await town.deliver()
    assert (await states(town))["told"].startswith("handed")
    assert (await town.staff.delete("/v1/customers/c-1/personal-data")).status_code == 204
    town.house.clock.forward(minutes=10)
    await town.deliver()
    await town.deliver()
    assert len(town.receiver.received) == 1
    assert (await states(town))["told"] == f"refused erased: {REASON}"
    assert await town.house.core.erasing.sweep() == 1


async def test_what_waits_a_retried_webhook_and_a_letter_are_cancelled(town: Town) -> None:
    await town.endpoint()
    await town.staff.put("/v1/customers/c-1", {"source": "crm", "email": "ada@example.com"})
    town.receiver.replies.append(Reply(500))
    await tell(town, 1)
    await town.deliver()
    await town.customer().send("/preferences", channel_1="email", digest="none")
    town.mailbox.replies.append("451 busy")
    await tell(town, 2)
    await town.deliver()
    await town.staff.put("/v1/customers/c-1/hold", {"because": "asked"})
    await tell(town, 3)
    await town.deliver()
    assert await town.erase() == 1
    found = (await town.desk.get("/v1/messages", customer="c-1")).json()["messages"]
    assert {(one["state"], one["code"], one["reason"]) for one in found if one["step"] == "told"} == {
        ("cancelled", "erased", REASON)
    }
    town.house.clock.forward(days=1)
    await town.deliver()
    assert len(town.receiver.received) == 1
    assert town.mailbox.mails == []
    loops = await town.rows("SELECT state, code FROM router.loop")
    assert {(row.state, row.code) for row in loops} == {("not_told", "erased")}
    assert [r.count for r in await town.rows("SELECT count(*) FROM platform.contact_touch")] == [0]


async def test_nothing_more_is_told_of_what_was_raised_before_but_of_what_comes_later(town: Town) -> None:
    await town.endpoint()
    before = await town.writes(1, "The invoice is wrong.")
    await town.erase()
    town.house.clock.forward(minutes=1)
    await town.house.resolve(before, town.desk)
    await town.deliver()
    assert (await states(town))["told"] == f"refused erased: {REASON}"
    after = await town.writes(2, "The delivery is late.")
    if after != before:
        await town.house.resolve(after, town.desk)
    await town.deliver()
    assert [got.json["data"]["step"] for got in town.receiver.received] == ["told"]


async def test_others_keep_what_was_told_to_them(town: Town) -> None:
    await town.endpoint()
    await tell(town, 1)
    await tell(town, 2, "c-2")
    await town.deliver()
    await town.erase()
    whole = await places_of(town.house.database, ["Matter 1 is", "Matter 2 is"])
    assert "router.handover.content" not in whole["Matter 1 is"]
    assert {"router.handover.content", "router.delivery.body", "router.message.draft"} <= whole["Matter 2 is"]


STEPS = ("stop_channels", "waiting", "blank_messages", "blank_handovers", "blank_loops", "feedback", "end")


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_the_next_sweep_goes_on_where_it_was(
    town: Town, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.endpoint()
    town.house.core.erasing._at_once = 1
    for number in (1, 2):
        await tell(town, number)
        await town.deliver()
    whole: Callable[..., Awaitable[Any]] = getattr(PostgresErased, step)
    calls = 0

    async def dies(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        found = await whole(*given)
        if calls == 1:
            raise KilledError
        return found

    monkeypatch.setattr(PostgresErased, step, dies)
    assert await town.erase() == 0
    assert await town.house.core.erasing.sweep() == 1
    assert await town.house.core.erasing.sweep() == 0
    left = await places_of(town.house.database, ["is corrected"])
    assert left["is corrected"] <= {
        "router.item.resolution",
        "router.item_event.data",
        "router.change.tell",
        "router.change.what",
        "router.outbox.data",
    }


async def test_an_erasure_waits_for_who_is_deciding_and_then_stops_what_was_decided(town: Town) -> None:
    """Two connections: one holds the lock of the person as a sender does, the other erases."""
    await town.endpoint()
    await tell(town, 1)
    house = town.house
    async with house.database.tenant("default") as c:
        await house.contacts.lock(c, "default", ["c-1"])
        erasing = asyncio.ensure_future(town.staff.delete("/v1/customers/c-1/personal-data"))
        await asyncio.sleep(0.3)
        assert not erasing.done()
    assert (await erasing).status_code == 204
    await town.house.core.erasing.sweep()
    assert (await states(town))["told"] == f"cancelled erased: {REASON}"


async def test_who_is_erased_once_more_is_reached_once_more(town: Town) -> None:
    await town.endpoint()
    for number in (1, 2):
        await tell(town, number)
        await town.deliver()
        await town.erase()
        town.house.clock.at += timedelta(minutes=1)
    left = await town.rows("SELECT id FROM router.handover WHERE erased_at IS NULL")
    assert left == []
    assert len(await town.rows("SELECT id FROM router.handover")) == 2
