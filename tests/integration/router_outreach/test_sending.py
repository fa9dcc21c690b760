"""From a draft to the customer's channel: who hears, when, by what, and what is on record about it."""

from datetime import UTC, datetime, timedelta

from tests.integration.router_loops.receiver import Receiver, Reply
from tests.support.mailbox import Mailbox
from tests.support.outreach import Station, draft, running, station_on

from heardback_router.outreach.settings import OutreachSettings


async def test_a_draft_is_told_once_however_often_it_is_handed_in(
    station: Station, receiver: Receiver
) -> None:
    assert await station.enqueue(draft(1), draft(1)) == {"me_1_told"}
    assert await station.enqueue(draft(1)) == frozenset()
    assert await station.send() == 1
    assert await station.enqueue(draft(1)) == frozenset()
    assert await station.send() == 0
    (got,) = receiver.received
    assert got.json["type"] == "loop.told"
    assert got.json["data"]["customer_id"] == "c-1"
    assert got.json["data"]["loop_ids"] == ["lp_1"]
    assert (await station.standing("me_1_told")).state == "sent"
    assert [s.state for s in station.ears.heard["lp_1"]] == ["sent"]
    assert [t.id for t in await station.touches()] == ["me_1_told"]
    assert [e["state"] for e in await station.log("me_1_told")] == ["waiting", "handed", "sent"]


async def test_the_body_is_thin(station: Station, receiver: Receiver) -> None:
    await station.enqueue(draft(1))
    await station.send()
    (got,) = receiver.received
    assert b"corrected" not in got.body
    assert "message" not in got.json["data"]
    assert got.json["data"]["links"]["confirm"].startswith("https://f.example/")


async def test_mail_is_written_in_the_customers_language(station: Station, mailbox: Mailbox) -> None:
    await station.customer(language="de-AT", email="ann@example.com", channels=["email"])
    await station.enqueue(draft(1))
    await station.send()
    (mail,) = mailbox.mails
    assert mailbox.recipients == ["ann@example.com"]
    assert "Invoice 1 is corrected." in mail.get_content()
    assert "Guten Tag" in mail.get_content()
    handed = (await station.log("me_1_told"))[1]
    assert handed["basis"]["language"] == {"wanted": "de-AT", "used": "de"}
    assert (await station.standing("me_1_told")).state == "sent"


async def test_a_language_without_texts_falls_back_and_says_so(station: Station, mailbox: Mailbox) -> None:
    await station.customer(language="sw", email="ann@example.com", channels=["email"])
    await station.enqueue(draft(1))
    await station.send()
    handed = (await station.log("me_1_told"))[1]
    assert handed["basis"]["language"] == {"wanted": "sw", "used": "en"}
    assert "in en: there are no texts in sw" in handed["reason"]


async def test_the_next_channel_is_tried_once_when_one_fails(
    station: Station, receiver: Receiver, mailbox: Mailbox
) -> None:
    await station.customer(email="ann@example.com", channels=["email", "webhook"])
    mailbox.replies.append("554 no")
    await station.enqueue(draft(1))
    await station.send()
    assert (await station.standing("me_1_told")).code == "channel_failed"
    assert await station.touches() == []
    await station.send()
    assert (await station.standing("me_1_told")).state == "sent"
    assert len(receiver.received) == 1
    assert [e["channel"] for e in await station.log("me_1_told")] == [
        None,
        "email",
        None,
        "webhook",
        "webhook",
    ]
    assert [t.channel for t in await station.touches()] == ["webhook"]


async def test_it_has_failed_when_no_channel_is_left(station: Station, receiver: Receiver) -> None:
    receiver.usual = Reply(500, headers=(("webhook-delivery", "abort-message"),))
    await station.enqueue(draft(1))
    await station.send()
    await station.send()
    standing = await station.standing("me_1_told")
    assert (standing.state, standing.code) == ("failed", "no_channel_left")
    assert [s.state for s in station.ears.heard["lp_1"]] == ["failed"]
    assert await station.touches() == []


async def test_what_was_given_up_and_arrives_after_a_replay_is_sent(
    station: Station, receiver: Receiver
) -> None:
    receiver.replies.append(Reply(500, headers=(("webhook-delivery", "abort-message"),)))
    await station.enqueue(draft(1))
    await station.send()
    await station.send()
    assert (await station.standing("me_1_told")).state == "failed"
    async with station.database.tenant("default") as c:
        (found,) = await station.lent.deliveries.search(c, "default", {}, None, 10)
        await station.lent.deliveries.replay(c, "default", found["id"], station.clock.now())
    await station.dispatcher.deliver_due()
    assert (await station.standing("me_1_told")).state == "sent"
    assert [s.state for s in station.ears.heard["lp_1"]] == ["failed", "sent"]


async def test_a_withdrawal_a_moment_ago_counts(station: Station, receiver: Receiver) -> None:
    await station.enqueue(draft(1))
    await station.opt_out()
    await station.send()
    standing = await station.standing("me_1_told")
    assert (standing.state, standing.code) == ("refused", "opted_out")
    assert receiver.received == []
    assert station.ears.heard["lp_1"][0].code == "opted_out"


async def test_one_matter_can_be_refused_and_the_other_not(station: Station, receiver: Receiver) -> None:
    await station.opt_out(item_id="it_1")
    await station.enqueue(draft(1), draft(2), draft(3, item_ids=("it_1", "it_3")))
    await station.send()
    assert await station.states() == {"me_1_told": "refused", "me_2_told": "sent", "me_3_told": "sent"}


async def test_quiet_hours_defer_and_do_not_drop(station: Station, receiver: Receiver) -> None:
    await station.customer(time_zone="America/New_York")
    station.clock.at = datetime(2026, 11, 23, 3, tzinfo=UTC)  # ten in the evening there
    await station.enqueue(draft(1))
    await station.send()
    standing = await station.standing("me_1_told")
    assert (standing.state, standing.code) == ("waiting", "quiet_hours")
    assert standing.due_at == datetime(2026, 11, 23, 13, tzinfo=UTC)
    station.clock.at = datetime(2026, 11, 23, 12, 59, tzinfo=UTC)
    await station.send()
    assert receiver.received == []
    station.clock.at = datetime(2026, 11, 23, 13, tzinfo=UTC)
    await station.send()
    assert len(receiver.received) == 1


async def test_a_critical_message_does_not_wait(station: Station, receiver: Receiver) -> None:
    await station.customer(time_zone="America/New_York")
    await station.opt_out()
    await station.stop_all()
    station.clock.at = datetime(2026, 11, 23, 3, tzinfo=UTC)
    await station.enqueue(draft(1, critical=True))
    await station.send()
    assert len(receiver.received) == 1


async def test_caps_hold_over_everything_that_is_due_at_once(station: Station, receiver: Receiver) -> None:
    await station.enqueue(*(draft(n) for n in range(1, 6)))
    await station.send()
    assert len(receiver.received) == 2
    waiting = [await station.standing(f"me_{n}_told") for n in (3, 4, 5)]
    # The next local day begins in quiet hours: the last thing in the way is the one that is told.
    assert {(s.state, s.due_at) for s in waiting} == {("waiting", datetime(2026, 11, 23, 8, tzinfo=UTC))}
    for _ in range(20):
        station.clock.forward(hours=8)
        await station.send()
    assert len(receiver.received) == 5
    assert set((await station.states()).values()) == {"sent"}


async def test_a_digest_is_one_message_and_one_touch(station: Station, mailbox: Mailbox) -> None:
    await station.customer(email="ann@example.com", channels=["email"], digest="daily")
    await station.enqueue(*(draft(n) for n in range(1, 5)))
    await station.send()
    assert {(await station.standing(f"me_{n}_told")).code for n in range(1, 5)} == {"digest"}
    station.clock.at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    await station.send()
    (mail,) = mailbox.mails
    assert mail["Subject"].endswith("(+3)")
    assert all(f"Invoice {n} is corrected." in mail.get_content() for n in range(1, 5))
    assert set((await station.states()).values()) == {"sent"}
    assert len(await station.touches()) == 1
    handed = (await station.log("me_1_told"))[2]
    assert handed["basis"]["together"] == [f"me_{n}_told" for n in range(1, 5)]


async def test_a_digest_by_webhook_is_one_event(station: Station, receiver: Receiver) -> None:
    await station.customer(digest="daily")
    station.clock.at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    await station.enqueue(draft(1), draft(2))
    await station.send()
    (got,) = receiver.received
    assert got.json["type"] == "loop.digest"
    assert [step["loop_ids"] for step in got.json["data"]["steps"]] == [["lp_1"], ["lp_2"]]


async def test_stopping_all_holds_what_machines_send_until_it_is_lifted(
    station: Station, receiver: Receiver
) -> None:
    await station.stop_all()
    await station.enqueue(draft(1), draft(2, automatic=False))
    await station.send()
    assert (await station.standing("me_1_told")).code == "sending_stopped"
    assert (await station.standing("me_2_told")).state == "sent"
    for _ in range(4):
        station.clock.forward(minutes=15)
        await station.send()
    assert [e["code"] for e in await station.log("me_1_told")] == [None, "sending_stopped"]
    await station.stop_all(stopped=False)
    station.clock.forward(minutes=15)
    await station.send()
    assert (await station.standing("me_1_told")).state == "sent"


async def test_who_is_held_hears_when_a_person_lifts_it(station: Station, receiver: Receiver) -> None:
    await station.hold()
    await station.enqueue(draft(1))
    await station.send()
    assert (await station.standing("me_1_told")).code == "on_hold"
    await station.hold(held=False)
    station.clock.forward(minutes=15)
    await station.send()
    assert len(receiver.received) == 1


async def test_what_is_of_no_use_any_more_is_cancelled(station: Station, receiver: Receiver) -> None:
    await station.hold()
    until = station.clock.now() + timedelta(minutes=5)
    await station.enqueue(draft(1, expires_at=until))
    await station.send()
    assert (await station.standing("me_1_told")).due_at == until
    station.clock.at = until
    await station.send()
    standing = await station.standing("me_1_told")
    assert (standing.state, standing.code) == ("cancelled", "expired")
    assert station.ears.heard["lp_1"][0].state == "cancelled"


async def test_a_later_step_takes_the_place_of_one_that_has_not_gone_out(
    station: Station, receiver: Receiver
) -> None:
    await station.hold()
    await station.enqueue(draft(1, step="acknowledged"))
    await station.enqueue(draft(1, step="planned"))
    await station.send()
    await station.hold(held=False)
    station.clock.forward(minutes=15)
    await station.enqueue(draft(1, step="told"))
    await station.send()
    assert await station.states() == {
        "me_1_acknowledged": "cancelled",
        "me_1_planned": "cancelled",
        "me_1_told": "sent",
    }
    assert (await station.standing("me_1_planned")).code == "superseded"


async def test_in_order_a_step_waits_for_the_one_before(station: Station, receiver: Receiver) -> None:
    ordered = station_on(station.database, station.clock, settings=OutreachSettings(in_order=True))
    receiver.replies.append(Reply(500))
    async with running(ordered) as strict:
        await strict.enqueue(draft(1, step="acknowledged"))
        await strict.send()
        await strict.enqueue(draft(1, step="told"))
        await strict.send()
        assert (await strict.standing("me_1_told")).code == "in_order"
        station.clock.forward(minutes=6)
        await strict.dispatcher.deliver_due()
        await strict.send()
    assert [got.json["type"] for got in receiver.received] == [
        "loop.acknowledged",
        "loop.acknowledged",
        "loop.told",
    ]


async def test_a_campaign_is_paused_resumed_and_counted(station: Station, receiver: Receiver) -> None:
    await station.enqueue(*(draft(n, customer_id=f"c-{n}", campaign_id="ca_1") for n in range(5)))
    async with station.database.tenant("default") as c:
        assert await station.queue.pause(c, "default", "ca_1", station.clock.now()) == 5
        assert await station.queue.progress(c, "default", "ca_1") == {"paused": 5}
    await station.send()
    assert receiver.received == []
    async with station.database.tenant("default") as c:
        await station.queue.cancel(c, "default", ["me_0_told"], "not this one", station.clock.now())
        assert await station.queue.resume(c, "default", "ca_1", station.clock.now()) == 4
    await station.send()
    async with station.database.tenant("default") as c:
        assert await station.queue.progress(c, "default", "ca_1") == {"cancelled": 1, "sent": 4}
        of_loops = await station.queue.of_loops(c, "default", ["lp_0", "lp_1"])
    assert {loop: [s.state for s in found] for loop, found in of_loops.items()} == {
        "lp_0": ["cancelled"],
        "lp_1": ["sent"],
    }
