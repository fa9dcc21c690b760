"""Many people, stops at every step, two processes at once: everybody is written to once."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from tests.integration.router_campaigns.stage import Stage

from heardback_router.campaigns.feeder import BATCH, Feeder
from heardback_router.outreach.queue import MessageQueue
from heardback_router.outreach.store import PostgresMessages
from heardback_shared.metrics import Metrics

STEPS = ("found", "locked", "read", "before_enqueue", "enqueued", "before_saving", "saved")


class Killed(BaseException):
    """The process ends here."""


def feeder_of(stage: Stage, *, batch: int = BATCH, killed_at: str | None = None) -> Feeder:
    """A process of its own. With `killed_at` it ends at that step of its second batch."""
    outreach = MessageQueue(PostgresMessages(), Metrics())
    feeder = Feeder(stage.database, outreach, stage.clock, batch=batch)
    seen: Counter[str] = Counter()

    def stop_at(step: str) -> None:
        seen[step] += 1
        if step == killed_at and seen[step] == 2:
            raise Killed

    def hook(owner: Any, name: str, before: str | None, after: str | None) -> None:
        real = getattr(owner, name)

        async def hooked(*given: Any, **named: Any) -> Any:
            if before:
                stop_at(before)
            answer = await real(*given, **named)
            if after:
                stop_at(after)
            return answer

        setattr(owner, name, hooked)

    hook(feeder._store, "next_in_hand", None, "found")
    hook(feeder._store, "get", None, "locked")
    hook(feeder._store, "batch", None, "read")
    hook(outreach, "enqueue", "before_enqueue", "enqueued")
    hook(feeder._store, "save", "before_saving", "saved")
    return feeder


async def crowd(stage: Stage, count: int) -> tuple[str, str]:
    """(item, approved campaign) with so many customers."""
    item = await stage.item("c-0")
    await stage.more_customers(item, count - 1)
    return item, await stage.approved([item], [await stage.change(item)])


async def fed_to_the_end(feeder: Feeder) -> int:
    total = 0
    while more := await feeder.round():
        total += more
    return total


async def once_each(stage: Stage, campaign: str, count: int) -> None:
    found = await stage.messages(campaign)
    assert len(found) == count
    assert len({customer for _, customer, _ in found}) == count


async def test_two_thousand_people_are_written_to_once_each_in_batches(stage: Stage) -> None:
    _, campaign = await crowd(stage, 2_000)
    feeder = feeder_of(stage)
    for number in range(1, 11):
        assert await feeder.round() == BATCH
        progress = (await stage.show(campaign))["progress"]
        assert (progress["recipients"], progress["waiting"]) == (2_000, 2_000)
        assert await stage.scalar("SELECT count(*) FROM router.message") == number * BATCH
    assert await feeder.round() == 0
    await once_each(stage, campaign, 2_000)
    assert await stage.end() == 2_000
    await feeder.round()
    assert (await stage.show(campaign))["state"] == "done"
    people = await stage.people(campaign)
    assert len(people) == 2_000
    assert {one["standing"]["state"] for one in people.values()} == {"sent"}


@pytest.mark.parametrize("step", STEPS)
async def test_wherever_it_is_killed_it_goes_on_exactly_there(stage: Stage, step: str) -> None:
    _, campaign = await crowd(stage, 50)
    with pytest.raises(Killed):
        await fed_to_the_end(feeder_of(stage, batch=20, killed_at=step))
    assert len(await stage.messages(campaign)) == 20
    assert await fed_to_the_end(feeder_of(stage, batch=20)) == 30
    await once_each(stage, campaign, 50)


async def test_two_processes_feed_one_campaign_and_nobody_is_written_to_twice(stage: Stage) -> None:
    _, campaign = await crowd(stage, 300)
    done = await asyncio.gather(*(fed_to_the_end(feeder_of(stage, batch=20)) for _ in range(3)))
    assert sum(done) == 300
    await once_each(stage, campaign, 300)


async def test_a_pause_stops_the_feeding_and_what_waits_and_it_goes_on_where_it_was(stage: Stage) -> None:
    _, campaign = await crowd(stage, 100)
    feeder = feeder_of(stage, batch=30)
    await feeder.round()
    await stage.end(most=10)
    answer = await stage.ana.post(f"/v1/campaigns/{campaign}:pause")
    assert (answer.status_code, answer.json()["state"]) == (200, "paused")
    assert Counter(state for _, _, state in await stage.messages(campaign)) == {"sent": 10, "paused": 20}
    assert await feeder.round() == 0
    assert (await stage.show(campaign))["progress"]["waiting"] == 90
    assert (await stage.ana.post(f"/v1/campaigns/{campaign}:pause")).status_code == 409
    stage.clock.forward(hours=5)
    assert (await stage.ana.post(f"/v1/campaigns/{campaign}:resume")).status_code == 200
    assert await fed_to_the_end(feeder) == 70
    await once_each(stage, campaign, 100)
    await stage.end()
    await feeder.round()
    shown = await stage.show(campaign)
    assert (shown["state"], shown["progress"]["sent"]) == ("done", 100)
    assert shown["progress"]["told"] + shown["progress"]["confirmed"] == 0  # no loop was told by a channel


async def test_a_pause_in_the_middle_of_feeding_leaves_nothing_waiting(stage: Stage) -> None:
    _, campaign = await crowd(stage, 200)

    async def pause() -> None:
        await asyncio.sleep(0.05)
        await stage.ana.post(f"/v1/campaigns/{campaign}:pause")

    await asyncio.gather(fed_to_the_end(feeder_of(stage, batch=10)), pause())
    left = Counter(state for _, _, state in await stage.messages(campaign))
    assert set(left) <= {"paused"}
    await stage.ana.post(f"/v1/campaigns/{campaign}:resume")
    await fed_to_the_end(feeder_of(stage, batch=50))
    await once_each(stage, campaign, 200)


async def test_when_an_item_is_taken_up_again_nobody_else_is_told_until_it_is_done(stage: Stage) -> None:
    item, campaign = await crowd(stage, 60)
    feeder = feeder_of(stage, batch=20)
    await feeder.round()
    await stage.end(most=5)
    await stage.ana.act(item, "reopen", {"reason": "It came back."})
    assert await feeder.round() == 0
    shown = await stage.show(campaign)
    assert shown["state"] == "paused"
    last = shown["history"][-1]
    assert (last["kind"], last["actor"]) == ("paused", "router")
    assert last["reason"] == f"{item} is open; resolve it first, or say that it is changed in part"
    assert Counter(state for _, _, state in await stage.messages(campaign)) == {"sent": 5, "paused": 15}
    early = await stage.ana.post(f"/v1/campaigns/{campaign}:resume")
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (409, "/items/0")
    await stage.resolve(item)
    assert (await stage.ana.post(f"/v1/campaigns/{campaign}:resume")).status_code == 200
    assert await fed_to_the_end(feeder) == 40
    await once_each(stage, campaign, 60)


async def test_a_deed_that_is_killed_half_way_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await stage.item("c-1", "c-2")
    campaign = await stage.campaign([item], [await stage.change(item)])
    await stage.do(campaign, "submit")

    async def killed(*_: Any, **__: Any) -> None:
        raise Killed

    for name, path in (("keep_people", "approve"), ("save", "approve"), ("note", "approve")):
        with monkeypatch.context() as patch:
            patch.setattr(f"heardback_router.campaigns.store.PostgresCampaigns.{name}", killed)
            with pytest.raises(Killed):
                await stage.do(campaign, path, stage.bo)
        assert (await stage.show(campaign))["state"] == "submitted"
        assert await stage.scalar("SELECT count(*) FROM router.campaign_recipient") == 0
        assert await stage.scalar("SELECT count(*) FROM router.change_told") == 0
    assert (await stage.do(campaign, "approve", stage.bo)).status_code == 200
    await fed_to_the_end(feeder_of(stage))
    with monkeypatch.context() as patch:
        patch.setattr("heardback_router.campaigns.store.PostgresCampaigns.save", killed)
        with pytest.raises(Killed):
            await stage.ana.post(f"/v1/campaigns/{campaign}:pause")
    assert {state for _, _, state in await stage.messages(campaign)} == {"waiting"}
    assert (await stage.show(campaign))["state"] == "sending"


async def test_two_campaigns_of_one_change_approved_at_once_tell_nobody_twice(stage: Stage) -> None:
    item = await stage.item("c-1", "c-2", "c-3")
    change = await stage.change(item)
    both = [await stage.campaign([item], [change]) for _ in range(2)]
    for campaign in both:
        await stage.do(campaign, "submit")
    await asyncio.gather(*(stage.do(campaign, "approve", stage.bo) for campaign in both))
    await fed_to_the_end(feeder_of(stage))
    told = [customer for campaign in both for _, customer, _ in await stage.messages(campaign)]
    assert sorted(told) == ["c-1", "c-2", "c-3"]
    assert sorted([(await stage.show(campaign))["state"] for campaign in both]) == ["done", "sending"]


async def test_cancelling_takes_back_what_waits_and_another_campaign_may_tell_the_rest(stage: Stage) -> None:
    item, campaign = await crowd(stage, 40)
    feeder = feeder_of(stage, batch=20)
    await feeder.round()
    await stage.end(most=5)
    answer = await stage.ana.post(f"/v1/campaigns/{campaign}:cancel", {"reason": "The wrong text."})
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert Counter(state for _, _, state in await stage.messages(campaign)) == {"sent": 5, "cancelled": 15}
    assert await feeder.round() == 0
    change = (await stage.show(campaign))["changes"][0]
    second = await stage.approved([item], [change])
    assert await fed_to_the_end(feeder) == 35
    assert not {c for _, c, state in await stage.messages(campaign) if state == "sent"} & {
        c for _, c, _ in await stage.messages(second)
    }
