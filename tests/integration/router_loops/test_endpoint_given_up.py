"""An endpoint that is given up: people hear of it, it is pinged, and nothing hangs for ever."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.router_loops.house import House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver, Reply
from tests.support.mailbox import Mailbox

from heardback_shared.db.database import Database

DOWN = Reply(503)


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as running:
        yield running


@pytest.fixture
async def mailed(
    house: House, database: Database, receiver: Receiver, mailbox: Mailbox
) -> AsyncIterator[House]:
    """A house with a mail server, and two addresses to alert."""
    built = build_house(database, receiver, house.clock.now(), clock=house.clock, mail=mailbox.settings)
    async with living_in(built):
        ann = await built.caller()
        await ann.put(
            "/v1/endpoints/alert-addresses", {"addresses": ["ops@shop.example", "ann@shop.example"]}
        )
        yield built


async def shown(house: House, endpoint_id: str) -> dict[str, Any]:
    return dict((await (await house.caller()).get(f"/v1/endpoints/{endpoint_id}")).json())


async def fail_for_days(house: House, endpoint_id: str, days: int = 6) -> None:
    """Messages keep coming, and all of them fail, hour after hour."""
    for hour in range(days * 8):
        await house.open_loops(1, item=f"it_{hour}")
        await house.deliver()
        if not (await shown(house, endpoint_id))["enabled"]:
            return
        house.clock.forward(hours=3)
    raise AssertionError("it was never given up")


async def test_five_days_without_success_give_it_up_and_everybody_hears(
    mailed: House, receiver: Receiver, mailbox: Mailbox
) -> None:
    down, _ = await mailed.endpoint("/down")
    await mailed.endpoint("/up")
    receiver.by_path = {"/down": DOWN}
    began = mailed.clock.now()
    await fail_for_days(mailed, down)
    assert 5 * 24 <= (mailed.clock.now() - began).total_seconds() / 3_600 <= 5 * 24 + 12
    endpoint = await shown(mailed, down)
    assert (endpoint["enabled"], endpoint["disabled_by"]) == (False, "failures")
    assert "no attempt succeeded for 5 days" in endpoint["disabled_because"]
    ann = await mailed.caller()
    left = (await ann.get("/v1/deliveries", endpoint=down, state="pending")).json()["deliveries"]
    assert left == []
    await mailed.deliver()
    news = [got.json for got in receiver.received if got.path == "/up" and b"endpoint.disabled" in got.body]
    assert [n["data"]["endpoint_id"] for n in news] == [down]
    assert "url" not in news[0]["data"]
    await mailed.core.closing.deliveries.caretaker.look()
    assert sorted(mailbox.recipients) == ["ann@shop.example", "ops@shop.example"]
    assert {mail["Subject"] for mail in mailbox.mails} == {"Webhook endpoint disabled"}
    assert all(down in mail.get_content() for mail in mailbox.mails)
    await mailed.core.closing.deliveries.caretaker.look()
    assert len(mailbox.mails) == 2


async def test_a_ping_brings_it_back_by_itself_and_what_it_missed_can_be_replayed(
    mailed: House, receiver: Receiver, mailbox: Mailbox
) -> None:
    down, secret = await mailed.endpoint("/down")
    began = mailed.clock.now()
    receiver.by_path = {"/down": DOWN}
    await fail_for_days(mailed, down)
    caretaker = mailed.core.closing.deliveries.caretaker
    before = len(receiver.received)
    mailed.clock.forward(minutes=59)
    await caretaker.look()
    assert len(receiver.received) == before
    mailed.clock.forward(minutes=1)
    await caretaker.look()
    await caretaker.look()
    assert len(receiver.received) == before + 1
    assert receiver.received[-1].json["type"] == "endpoint.ping"
    assert receiver.received[-1].signed_by(secret)
    assert (await shown(mailed, down))["enabled"] is False
    receiver.by_path = {}
    mailed.clock.at = datetime.fromisoformat((await shown(mailed, down))["health"]["probe_at"])
    await caretaker.look()
    endpoint = await shown(mailed, down)
    assert (endpoint["enabled"], endpoint["disabled_because"]) == (True, None)
    await caretaker.look()
    assert "Webhook endpoint enabled again" in {mail["Subject"] for mail in mailbox.mails}
    ann = await mailed.caller()
    history = (await ann.get(f"/v1/endpoints/{down}/history")).json()["events"]
    assert [e["kind"] for e in history[:3]] == ["recovered", "probe_failed", "disabled"]
    replay = await ann.post(f"/v1/endpoints/{down}:replay", {"since": began.isoformat()})
    assert (replay.status_code, replay.json()["queued"] > 0) == (202, True)
    assert await mailed.deliver() == replay.json()["queued"]


async def test_two_caretakers_ping_once_and_mail_once(
    mailed: House, database: Database, receiver: Receiver, mailbox: Mailbox
) -> None:
    down, _ = await mailed.endpoint("/down")
    receiver.by_path = {"/down": DOWN}
    await fail_for_days(mailed, down)
    other = build_house(database, receiver, mailed.clock.now(), clock=mailed.clock, mail=mailbox.settings)
    async with living_in(other):
        mailed.clock.forward(hours=1)
        before = len(receiver.received)
        for house in (mailed, other, mailed, other):
            await house.core.closing.deliveries.caretaker.look()
    assert len(receiver.received) == before + 1
    assert len(mailbox.mails) == 2


async def test_mail_that_does_not_go_is_tried_again_and_shows_when_it_never_does(
    mailed: House, receiver: Receiver, mailbox: Mailbox
) -> None:
    endpoint_id, _ = await mailed.endpoint()
    mailbox.refused = {"ann@shop.example": "550 no such person"}
    mailbox.replies = ["451 later"]
    ann = await mailed.caller()
    await ann.post(f"/v1/endpoints/{endpoint_id}:disable", {"reason": "moving house"})
    caretaker = mailed.core.closing.deliveries.caretaker
    await caretaker.look()
    assert mailbox.mails == []
    mailed.clock.forward(seconds=6)
    await caretaker.look()
    (mail,) = mailbox.mails
    assert "moving house" in mail.get_content()
    history = (await ann.get(f"/v1/endpoints/{endpoint_id}/history")).json()["events"]
    assert [e["kind"] for e in history[:2]] == ["mail_failed", "disabled"]
    assert "550" in history[0]["because"] or "no such person" in history[0]["because"]


async def test_without_a_mail_server_the_history_says_that_nobody_was_mailed(house: House) -> None:
    endpoint_id, _ = await house.endpoint()
    ann = await house.caller()
    await ann.put("/v1/endpoints/alert-addresses", {"addresses": ["ops@shop.example"]})
    await ann.post(f"/v1/endpoints/{endpoint_id}:disable")
    await house.core.closing.deliveries.caretaker.look()
    history = (await ann.get(f"/v1/endpoints/{endpoint_id}/history")).json()["events"]
    assert (history[0]["kind"], "HEARDBACK_SMTP_HOST" in history[0]["because"]) == ("mail_failed", True)


async def message_state(house: House) -> str:
    """Of the only message there is: `handed` to a channel, or `waiting` for another one."""
    async with house.database.worker() as connection:
        return str(await connection.scalar(text("SELECT state FROM router.message")))


@pytest.mark.parametrize("how", ["disabled", "unproven"])
async def test_what_is_held_back_fails_after_a_day_and_not_before(
    house: House, receiver: Receiver, how: str
) -> None:
    endpoint_id, _ = await house.endpoint()
    ann = await house.caller()
    await house.open_loops(1)
    if how == "disabled":
        await ann.post(f"/v1/endpoints/{endpoint_id}:disable")
    else:
        await ann.patch(f"/v1/endpoints/{endpoint_id}", {"url": receiver.url("/new")})
    caretaker = house.core.closing.deliveries.caretaker
    house.clock.forward(hours=23, minutes=59)
    await caretaker.look()
    assert await message_state(house) == "handed"
    house.clock.forward(minutes=1)
    await caretaker.look()
    assert await message_state(house) == "waiting"
    (delivery,) = (await ann.get("/v1/deliveries")).json()["deliveries"]
    assert (delivery["state"], "24 hours" in delivery["because"]) == ("failed", True)
    assert receiver.received == []


async def test_gone_is_not_pinged_but_people_are_told(
    mailed: House, receiver: Receiver, mailbox: Mailbox
) -> None:
    endpoint_id, _ = await mailed.endpoint()
    receiver.usual = Reply(410)
    await mailed.open_loops(1)
    await mailed.deliver()
    assert (await shown(mailed, endpoint_id))["disabled_by"] == "gone"
    mailed.clock.forward(days=3)
    await mailed.core.closing.deliveries.caretaker.look()
    assert len(receiver.received) == 1
    assert len(mailbox.mails) == 2


async def test_a_message_that_is_given_up_is_told_to_the_other_endpoints_once(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint("/down")
    await house.endpoint("/up")
    receiver.by_path = {"/down": DOWN}
    await house.open_loops(1)
    ann = await house.caller()
    for _ in range(12):
        await house.deliver()
        waiting = (await ann.get("/v1/deliveries", state="pending")).json()["deliveries"]
        if not waiting:
            break
        house.clock.at = max(datetime.fromisoformat(d["next_attempt_at"]) for d in waiting)
    news = [got.json["data"] for got in receiver.received if b"delivery.exhausted" in got.body]
    assert len(news) == 1
    assert (news[0]["event_type"], news[0]["because"]) == ("loop.told", "the receiver answered 503")
