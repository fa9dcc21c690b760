"""What a channel has and cannot deliver is not told after it was taken back, nor during a pause."""

from typing import Any

import pytest
from tests.integration.router_loops.receiver import Receiver, Reply
from tests.support.mailbox import Mailbox
from tests.support.outreach import TENANT, Station, draft

GONE = Reply(500, headers=(("webhook-delivery", "abort-message"),))
"""The receiver wants no further attempt, so that the next channel would be tried."""
DOWN = Reply(500)


async def at_a_channel(station: Station, receiver: Receiver, reply: Reply) -> None:
    """A message that the first of two channels has not delivered; mail is the second."""
    await station.customer(email="ann@example.com", channels=["webhook", "email"])
    receiver.usual = reply
    await station.enqueue(draft(1, campaign_id="ca_1"))
    await station.messages.sending.send_due()


async def deed(station: Station, name: str, *given: Any) -> None:
    async with station.database.tenant(TENANT) as c:
        await getattr(station.queue, name)(c, TENANT, *given, station.clock.now())


async def test_what_is_taken_back_while_a_channel_fails_goes_by_no_other_channel(
    station: Station, receiver: Receiver, mailbox: Mailbox
) -> None:
    await at_a_channel(station, receiver, GONE)
    await deed(station, "cancel", ["me_1_told"], "It was taken up again.")
    for _ in range(3):
        await station.send()
        station.clock.forward(hours=2)
    assert (mailbox.tried, len(receiver.received)) == (0, 0)
    standing = await station.standing("me_1_told")
    assert (standing.state, standing.code) == ("cancelled", "taken_back")
    assert station.ears.heard["lp_1"][-1].state == "cancelled"
    assert await station.touches() == []


async def test_what_was_on_its_way_when_it_was_taken_back_is_told_all_the_same_and_says_so(
    station: Station, receiver: Receiver
) -> None:
    """The request had left; the receiver has it, and the record says that it was told."""
    await at_a_channel(station, receiver, Reply(200))
    await station.dispatcher.deliver_due()
    await deed(station, "cancel", ["me_1_told"], "It was taken up again.")
    assert len(receiver.received) == 1
    assert (await station.standing("me_1_told")).state == "sent"


async def test_a_campaign_that_is_paused_does_not_go_on_by_another_channel(
    station: Station, receiver: Receiver, mailbox: Mailbox
) -> None:
    await at_a_channel(station, receiver, GONE)
    await deed(station, "pause", "ca_1")
    for _ in range(3):
        await station.send()
        station.clock.forward(hours=2)
    assert mailbox.tried == 0
    assert (await station.standing("me_1_told")).state == "paused"
    await deed(station, "resume", "ca_1")
    for _ in range(3):
        await station.send()
        station.clock.forward(hours=2)
    assert (await station.standing("me_1_told")).state == "sent"
    assert len(mailbox.mails) == 1


async def test_a_pause_that_is_over_before_the_channel_gives_up_leaves_nothing_behind(
    station: Station, receiver: Receiver, mailbox: Mailbox
) -> None:
    await at_a_channel(station, receiver, DOWN)
    await deed(station, "pause", "ca_1")
    await deed(station, "resume", "ca_1")
    receiver.usual = GONE
    for _ in range(3):
        await station.send()
        station.clock.forward(hours=2)
    assert (await station.standing("me_1_told")).state == "sent"
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("zone", ["Mars/Phobos", "", "../../etc/passwd", "Europe/Berlin\n"])
async def test_a_zone_that_nobody_knows_keeps_nobody_from_hearing(
    station: Station, receiver: Receiver, zone: str
) -> None:
    """A customer master may name it, or a machine with newer tables: the policy's zone holds then."""
    await station.customer(time_zone=zone)
    await station.enqueue(draft(1))
    await station.send()
    assert (await station.standing("me_1_told")).state == "sent"
    assert len(receiver.received) == 1
