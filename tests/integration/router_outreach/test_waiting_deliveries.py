"""What waits at a channel for hours is asked about again before every attempt."""

from datetime import UTC, datetime

from tests.integration.router_loops.receiver import Receiver, Reply
from tests.support.mailbox import Mailbox
from tests.support.outreach import Station, draft

DOWN = Reply(500)


async def test_who_opts_out_while_a_delivery_waits_is_not_told(station: Station, receiver: Receiver) -> None:
    receiver.replies.append(DOWN)
    await station.enqueue(draft(1))
    await station.send()
    assert (await station.standing("me_1_told")).state == "handed"
    await station.opt_out()
    station.clock.forward(minutes=10)
    await station.send()
    await station.send()
    assert len(receiver.received) == 1  # the one that was answered with 500
    standing = await station.standing("me_1_told")
    assert (standing.state, standing.code) == ("refused", "opted_out")
    assert await station.touches() == []


async def test_a_retry_keeps_quiet_hours_and_spends_no_attempt(station: Station, receiver: Receiver) -> None:
    await station.customer(time_zone="UTC")
    station.clock.at = datetime(2026, 11, 22, 20, 57, tzinfo=UTC)
    receiver.replies.extend([DOWN, DOWN])
    await station.enqueue(draft(1))
    await station.send()
    station.clock.forward(seconds=10)
    await station.send()
    assert len(receiver.received) == 2
    station.clock.forward(minutes=30)
    await station.send()
    assert len(receiver.received) == 2
    async with station.database.tenant("default") as c:
        (delivery,) = await station.lent.deliveries.search(c, "default", {}, None, 10)
    assert delivery["next_attempt_at"] == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert delivery["attempts"] == 2
    station.clock.at = datetime(2026, 11, 23, 8, tzinfo=UTC)
    await station.send()
    assert len({got.id for got in receiver.received}) == 1
    assert (await station.standing("me_1_told")).state == "sent"


async def test_stopping_all_holds_retries_too(station: Station, receiver: Receiver) -> None:
    receiver.replies.append(DOWN)
    await station.enqueue(draft(1))
    await station.send()
    await station.stop_all()
    station.clock.forward(minutes=10)
    await station.send()
    assert len(receiver.received) == 1
    await station.stop_all(stopped=False)
    station.clock.forward(minutes=15)
    await station.send()
    assert (await station.standing("me_1_told")).state == "sent"


async def test_a_letter_waits_and_asks_likewise(station: Station, mailbox: Mailbox) -> None:
    await station.customer(email="ann@example.com", channels=["email"])
    mailbox.replies.extend(["451 busy", "451 busy"])
    await station.enqueue(draft(1))
    await station.send()
    assert mailbox.tried == 1
    await station.send()
    assert mailbox.tried == 1
    station.clock.forward(minutes=1)
    await station.send()
    assert mailbox.tried == 2
    await station.opt_out()
    station.clock.forward(minutes=10)
    await station.send()
    await station.send()
    assert mailbox.tried == 2
    assert (await station.standing("me_1_told")).code == "opted_out"


async def test_a_letter_is_given_up_after_three_days(station: Station, mailbox: Mailbox) -> None:
    await station.customer(email="ann@example.com", channels=["email"])
    mailbox.replies.extend(["451 busy"] * 20)
    await station.enqueue(draft(1))
    for _ in range(20):
        await station.send()
        station.clock.forward(hours=24)
    assert mailbox.tried == 10
    assert (await station.standing("me_1_told")).code == "no_channel_left"


async def test_what_was_taken_back_is_not_sent_by_replaying_an_old_delivery(
    station: Station, receiver: Receiver
) -> None:
    receiver.replies.append(Reply(500, headers=(("webhook-delivery", "abort-message"),)))
    await station.enqueue(draft(1))
    await station.send()
    at = station.clock.now()
    async with station.database.tenant("default") as c:
        assert await station.queue.cancel(c, "default", ["me_1_told"], "The matter is open again.", at)
        (delivery,) = await station.lent.deliveries.search(c, "default", {}, None, 10)
        await station.lent.deliveries.replay(c, "default", delivery["id"], at)
    await station.send()
    assert len(receiver.received) == 1
    assert (await station.standing("me_1_told")).state == "cancelled"
