"""The transactional outbox: an event is stored with the change that causes it, and sent after the commit."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.contracts.envelope import Envelope
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.errors import TransientError
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing, Sink

_log = structlog.get_logger(__name__)

BATCH = 1_000
POLL_SECONDS = 0.1
LOCK_RETRY_SECONDS = 1.0

_ATTRIBUTES = (
    "event_id",
    "source",
    "type",
    "data",
    "time",
    "subject",
    "tenant_id",
    "key",
    "traceparent",
    "causation_id",
)
"""The columns that make an Envelope, in the order of its fields."""


def outbox_table(metadata: MetaData) -> Table:
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("tenant_id", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("event_id", Text, nullable=False),
        Column("source", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("time", DateTime(timezone=True)),
        Column("subject", Text),
        Column("key", Text),
        Column("traceparent", Text),
        Column("causation_id", Text),
        Column("data", LargeBinary, nullable=False),
    )


OUTBOX_DDL = """
CREATE TABLE {schema}.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id text NOT NULL,
    topic text NOT NULL,
    event_id text NOT NULL,
    source text NOT NULL,
    type text NOT NULL,
    time timestamptz,
    subject text,
    key text,
    traceparent text,
    causation_id text,
    data bytea NOT NULL
)
"""


class Outbox:
    """Writes into one schema's outbox, and wakes that schema's relay in this process."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._waiting = asyncio.Event()

    async def add(self, connection: AsyncConnection, outgoing: Sequence[Outgoing]) -> None:
        """Stores the events in the caller's transaction. Every event must name its tenant."""
        await insert_rows(connection, self.table, [_row(o) for o in outgoing])

    def wake(self) -> None:
        """Call after the commit, so that the relay need not wait for its next look."""
        self._waiting.set()

    async def wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._waiting.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._waiting.clear()


def _row(outgoing: Outgoing) -> dict[str, str | bytes | datetime | None]:
    event = outgoing.event
    if not event.tenant_id:
        raise ValueError("an event in the outbox names its tenant")
    return {
        "tenant_id": event.tenant_id,
        "topic": outgoing.topic,
        "event_id": event.id,
        "source": event.source,
        "type": event.type,
        "time": event.time,
        "subject": event.subject,
        "key": event.key,
        "traceparent": event.traceparent,
        "causation_id": event.causation_id,
        "data": event.data,
    }


class OutboxRelay:
    """Sends what is in one outbox, in the order it was stored. One holder at a time, by advisory lock.

    Send, await every acknowledgement, then delete: a crash in between sends the same ids again, and no
    transaction is open while sending.
    """

    def __init__(self, database: Database, outbox: Outbox, sink: Sink, metrics: Metrics) -> None:
        self._database = database
        self._outbox = outbox
        self._sink = sink
        self._metrics = metrics
        table = outbox.table
        self._lock_name = f"heardback.relay.{table.fullname}"
        columns = [table.c[name] for name in ("id", "topic", *_ATTRIBUTES)]
        self._next = select(*columns).order_by(table.c.id).limit(BATCH)
        self._sent = delete(table).where(
            table.c.id == text("ANY(:ids)").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Relays until told to stop, then sends what is left and returns."""
        while not stop.is_set():
            try:
                await self._hold_and_relay(stop)
            except Exception as error:
                if not isinstance(error, TransientError) and not is_unavailable(error):
                    raise
                _log.warning("relay.unavailable", error=type(error).__name__)
                await _pause(stop, LOCK_RETRY_SECONDS)

    async def _hold_and_relay(self, stop: asyncio.Event) -> None:
        # The lock lives as long as this connection, outside any transaction.
        async with self._database.engine.connect() as raw:
            connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
            got = await connection.scalar(
                text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))"), {"name": self._lock_name}
            )
            if not got:
                await _pause(stop, LOCK_RETRY_SECONDS)
                return
            try:
                while True:
                    sent = await self._relay_batch()
                    if sent == BATCH:
                        continue
                    if stop.is_set():
                        return
                    await self._outbox.wait(POLL_SECONDS)
                    await connection.execute(text("SELECT 1"))  # a lost connection is a lost lock
            finally:
                if not connection.closed:
                    await connection.execute(
                        text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))"),
                        {"name": self._lock_name},
                    )

    async def _relay_batch(self) -> int:
        async with self._database.worker() as connection:
            rows = (await connection.execute(self._next)).all()
        if not rows:
            return 0
        await self._sink.send([Outgoing(topic, Envelope(*event)) for _, topic, *event in rows])
        async with self._database.worker() as connection:
            await connection.execute(self._sent, {"ids": [row[0] for row in rows]})
        self._metrics.outbox_relayed.inc(len(rows))
        return len(rows)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
