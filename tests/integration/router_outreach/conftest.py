"""A mail server, a webhook receiver and a station per test."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.router_loops.receiver import Receiver
from tests.support.clock import FakeClock
from tests.support.mailbox import Mailbox
from tests.support.outreach import Station, running, station_on

from heardback_shared.db.database import Database


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with Mailbox() as box:
        yield box


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    started = Receiver()
    await started.start()
    yield started
    await started.stop()


@pytest.fixture
async def station(database: Database, mailbox: Mailbox, receiver: Receiver) -> AsyncIterator[Station]:
    """At noon UTC; the receiver is there for every customer, and mail can be sent."""
    async with running(station_on(database, FakeClock(), mailbox.settings)) as built:
        await built.endpoint(receiver.url())
        yield built
