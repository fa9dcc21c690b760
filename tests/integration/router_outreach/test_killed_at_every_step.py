"""A process is killed at every step of sending; another goes on. Nobody hears twice, nobody is forgotten."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest
from tests.integration.router_loops.receiver import Receiver
from tests.support.clock import FakeClock
from tests.support.faults import Killed, When, kill_at
from tests.support.mailbox import Mailbox
from tests.support.outreach import Ears, Station, draft, running, station_on

from heardback_router.deliveries.httpcore_sender import HttpcoreSender
from heardback_router.deliveries.store import PostgresDeliveryQueue
from heardback_router.mail.smtp import SmtpMailer
from heardback_router.outreach.channels import Channels
from heardback_router.outreach.ending import Ending
from heardback_router.outreach.letters import PostgresLetters
from heardback_router.outreach.queue import MessageQueue
from heardback_router.outreach.settings import OutreachSettings
from heardback_router.outreach.store import PostgresMessages
from heardback_shared.contact.store import PostgresContacts
from heardback_shared.db.database import Database
from heardback_shared.db.outbox import Outbox

Fault = tuple[type, str, When]

DECIDING: Sequence[Fault] = (
    (PostgresMessages, "claim", "after"),
    (Channels, "open", "before"),
    (PostgresContacts, "recipients", "before"),
    (PostgresContacts, "lock", "after"),
    (PostgresMessages, "lock_due", "after"),
    (PostgresContacts, "touches", "after"),
    (Channels, "hand_over", "before"),
    (Channels, "hand_over", "after"),
    (PostgresMessages, "keep", "after"),
    (PostgresContacts, "note", "after"),
    (Ending, "tell", "after"),
    (Outbox, "add", "before"),
)
BY_WEBHOOK: Sequence[Fault] = (
    *DECIDING,
    (PostgresDeliveryQueue, "claim", "after"),
    (Ending, "permits", "before"),
    (HttpcoreSender, "send", "before"),
    (HttpcoreSender, "send", "after"),
    (PostgresDeliveryQueue, "record", "before"),
    (PostgresDeliveryQueue, "record", "after"),
    (Ending, "settle", "before"),
    (Ending, "settle", "after"),
    (Ears, "settle", "before"),
    (Ears, "settle", "after"),
)
BY_MAIL: Sequence[Fault] = (
    *DECIDING,
    (PostgresLetters, "claim", "after"),
    (Ending, "permits", "before"),
    (PostgresLetters, "content", "after"),
    (SmtpMailer, "send", "before"),
    (SmtpMailer, "send", "after"),
    (PostgresLetters, "done", "before"),
    (PostgresLetters, "done", "after"),
    (Ending, "end", "before"),
    (Ending, "end", "after"),
    (Ears, "settle", "after"),
)


async def _until_killed(station: Station) -> None:
    """Works on until the fault strikes; background tasks that it takes down end with it."""
    try:
        for _ in range(2):
            await station.send()
    except BaseException as error:
        if not _was_killed(error):
            raise


def _was_killed(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_was_killed(one) for one in error.exceptions)
    return isinstance(error, Killed)


async def _killed_then_told(
    database: Database, mailbox: Mailbox, clock: FakeClock, fault: Fault, number: int
) -> Station:
    """A process dies of the fault; its successor, and what it leaves behind."""
    owner, method, when = fault
    with pytest.MonkeyPatch.context() as patch:
        async with running(station_on(database, clock, mailbox.settings)) as first:
            await first.enqueue(draft(number, customer_id=f"c-{number}"))
            died = kill_at(patch, owner, method, when)
            await _until_killed(first)
            assert died(), fault
    async with running(station_on(database, clock, mailbox.settings)) as second:
        for _ in range(2):
            clock.forward(seconds=130)
            await second.send()
        return second


@pytest.mark.timeout(180)
async def test_by_webhook(database: Database, mailbox: Mailbox, receiver: Receiver, station: Station) -> None:
    for number, fault in enumerate(BY_WEBHOOK):
        before = len(receiver.received)
        second = await _killed_then_told(database, mailbox, station.clock, fault, number)
        message = f"me_{number}_told"
        assert (await second.standing(message)).state == "sent", fault
        heard = receiver.received[before:]
        assert len({got.id for got in heard}) == 1, fault
        assert len({got.body for got in heard}) == 1, fault
        assert len(heard) <= 2, fault
        states = Counter(event["state"] for event in await second.log(message))
        assert states == {"waiting": 1, "handed": 1, "sent": 1}, fault
        assert [t.id for t in await second.touches(f"c-{number}")] == [message], fault


@pytest.mark.timeout(180)
async def test_by_mail(database: Database, mailbox: Mailbox, station: Station) -> None:
    for number, fault in enumerate(BY_MAIL):
        before = len(mailbox.mails)
        await station.customer(f"c-{number}", email=f"c{number}@example.com", channels=["email"])
        second = await _killed_then_told(database, mailbox, station.clock, fault, number)
        message = f"me_{number}_told"
        assert (await second.standing(message)).state == "sent", fault
        heard = mailbox.mails[before:]
        assert 1 <= len(heard) <= 2, fault
        assert len({str(mail["Message-ID"]) for mail in heard}) == 1, fault
        assert len({mail.get_content() for mail in heard}) == 1, fault
        states = Counter(event["state"] for event in await second.log(message))
        assert states == {"waiting": 1, "handed": 1, "sent": 1}, fault
        assert [t.id for t in await second.touches(f"c-{number}")] == [message], fault


async def test_between_the_mail_servers_yes_and_the_record_the_same_mail_goes_again(
    database: Database, mailbox: Mailbox, station: Station
) -> None:
    await station.customer(email="ann@example.com", channels=["email"])
    await _killed_then_told(database, mailbox, station.clock, (PostgresLetters, "done", "before"), 1)
    first, second = mailbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_content() == second.get_content()


async def test_a_draft_whose_transaction_fails_was_never_there(station: Station, receiver: Receiver) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill_at(patch, MessageQueue, "enqueue", "after")
        with pytest.raises(Killed):
            await station.enqueue(draft(1))
    await station.send()
    assert receiver.received == []
    await station.enqueue(draft(1))
    await station.send()
    assert len(receiver.received) == 1


async def test_two_workers_at_once_tell_everybody_once(
    database: Database, mailbox: Mailbox, receiver: Receiver, station: Station
) -> None:
    await station.enqueue(*(draft(n, customer_id=f"c-{n}") for n in range(60)))
    async with running(station_on(database, station.clock, mailbox.settings)) as other:
        await asyncio.gather(station.send(), other.send(), station.send(), other.send())
        await asyncio.gather(station.send(), other.send())
    assert Counter(got.json["data"]["customer_id"] for got in receiver.received) == {
        f"c-{n}": 1 for n in range(60)
    }
    assert set((await station.states()).values()) == {"sent"}


async def test_two_workers_at_once_never_go_over_a_cap_together(
    database: Database, mailbox: Mailbox, receiver: Receiver, station: Station
) -> None:
    one_by_one = OutreachSettings(batch=1)
    stations = [station_on(database, station.clock, mailbox.settings, settings=one_by_one) for _ in range(2)]
    await station.enqueue(*(draft(number) for number in range(10)))
    async with running(stations[0]) as one, running(stations[1]) as other:
        await asyncio.gather(one.send(), other.send())
    assert len(receiver.received) == 2
    assert len(await station.touches()) == 2
