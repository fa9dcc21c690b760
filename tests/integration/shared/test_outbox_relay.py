"""What is stored with a change reaches the log once the change is committed, and only then."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import MetaData, func, select, text
from tests.support.broker import Broker
from tests.support.clock import NOON

from heardback_shared.contracts.envelope import Envelope, from_record
from heardback_shared.contracts.topics import ACCEPTED
from heardback_shared.db.database import TENANT_ROLE, WORKER_ROLE, Database
from heardback_shared.db.outbox import OUTBOX_DDL, Outbox, OutboxRelay, outbox_table
from heardback_shared.metrics import Metrics
from heardback_shared.stream.kafka import KafkaSink, KafkaSource
from heardback_shared.stream.ports import Outgoing

METADATA = MetaData(schema="platform")
TABLE = outbox_table(METADATA)


def event(number: int) -> Outgoing:
    envelope = Envelope(
        id=f"e{number}",
        source="/test",
        type="test.v1",
        data=b'{"n":%d}' % number,
        time=NOON,
        subject="fb_1",
        tenant_id="default",
        key="customer-1",
        traceparent=None,
        causation_id="c",
    )
    return Outgoing(ACCEPTED.name, envelope)


@pytest.fixture
async def outbox(database: Database) -> Outbox:
    async with database.engine.begin() as connection:
        await connection.execute(text(OUTBOX_DDL.format(schema="platform")))
        await connection.execute(text(f"GRANT ALL ON platform.outbox TO {TENANT_ROLE}, {WORKER_ROLE}"))
        await connection.execute(text(f"GRANT USAGE ON SCHEMA platform TO {TENANT_ROLE}, {WORKER_ROLE}"))
    return Outbox(TABLE)


@pytest.fixture
async def sink(broker: Broker) -> AsyncIterator[KafkaSink]:
    opened = KafkaSink(broker.settings)
    await opened.start()
    yield opened
    await opened.stop()


async def read(broker: Broker, count: int) -> list[str]:
    source = KafkaSource(broker.settings, [ACCEPTED.name], "test")
    await source.start()
    ids: list[str] = []
    async with asyncio.timeout(90):
        while len(ids) < count:
            records = await source.poll(100, 0.2)
            ids += [from_record(r.key, r.headers, r.value).id for r in records]
    await source.stop()
    return ids


async def test_events_arrive_in_the_order_they_were_stored_and_leave_the_outbox(
    database: Database, outbox: Outbox, sink: KafkaSink, broker: Broker
) -> None:
    async with database.tenant("default") as connection:
        await outbox.add(connection, [event(n) for n in range(1_200)])
    stop = asyncio.Event()
    relay = asyncio.create_task(OutboxRelay(database, outbox, sink, Metrics()).run(stop))
    ids = await read(broker, 1_200)
    stop.set()
    await relay
    assert ids == [f"e{n}" for n in range(1_200)]
    async with database.worker() as connection:
        assert await connection.scalar(select(func.count()).select_from(TABLE)) == 0


async def test_a_rolled_back_change_sends_nothing(database: Database, outbox: Outbox) -> None:
    async def fail_after_storing() -> None:
        async with database.tenant("default") as connection:
            await outbox.add(connection, [event(1)])
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fail_after_storing()
    async with database.worker() as connection:
        assert await connection.scalar(select(func.count()).select_from(TABLE)) == 0


async def test_two_relays_never_hold_the_same_outbox(
    database: Database, outbox: Outbox, sink: KafkaSink, broker: Broker
) -> None:
    stop = asyncio.Event()
    relays = [asyncio.create_task(OutboxRelay(database, outbox, sink, Metrics()).run(stop)) for _ in range(2)]
    for n in range(50):
        async with database.tenant("default") as connection:
            await outbox.add(connection, [event(n)])
        outbox.wake()
    ids = await read(broker, 50)
    stop.set()
    await asyncio.gather(*relays)
    assert ids == [f"e{n}" for n in range(50)]
