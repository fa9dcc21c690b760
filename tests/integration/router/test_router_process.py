"""The router as a process: from a scored event in the log to the item, and the announcements in the log."""

import asyncio
import base64
import os
import signal
import sys
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from tests.support.broker import Broker, free_port
from tests.support.router import router_on
from tests.support.scored import incoming, scored
from tests.support.waiting import until_async

from heardback_shared.contracts.envelope import Envelope, from_record
from heardback_shared.contracts.topics import BACKLOG, DEAD, ROUTED, SCORED
from heardback_shared.db.database import Database
from heardback_shared.settings import DatabaseSettings
from heardback_shared.stream.kafka import KafkaSink, KafkaSource
from heardback_shared.stream.ports import Outgoing


@pytest.fixture
async def url(broker: Broker, database_settings: DatabaseSettings) -> AsyncIterator[str]:
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "HEARDBACK_SECRET_KEY": base64.b64encode(b"s" * 32).decode(),
        "HEARDBACK_DATABASE_URL": database_settings.url,
        "HEARDBACK_KAFKA_BOOTSTRAP_SERVERS": broker.settings.bootstrap_servers,
        "HEARDBACK_KAFKA_FETCH_MAX_WAIT_MS": "10",
        "HEARDBACK_ROUTER_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "heardback_router.main", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient() as client:

        async def is_ready() -> bool:
            return (await client.get(f"{base}/readyz")).status_code == 200

        await until_async(is_ready)
    yield base
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(90):
            code = await process.wait()
    except TimeoutError:
        process.kill()
        raise
    assert code == 0


async def read(broker: Broker, topics: list[str], count: int) -> list[Envelope]:
    source = KafkaSource(broker.settings, topics, "test")
    await source.start()
    events: list[Envelope] = []
    async with asyncio.timeout(90):
        while len(events) < count:
            events += [from_record(r.key, r.headers, r.value) for r in await source.poll(100, 0.2)]
    await source.stop()
    return events


async def test_a_scored_event_becomes_an_item_and_two_announcements(
    url: str, broker: Broker, database: Database
) -> None:
    sink = KafkaSink(broker.settings)
    await sink.start()
    good = incoming(scored(1)).event
    bad = Envelope(
        id="bad", source="/test", type=good.type, data=b"{}", time=good.time, tenant_id="default", key="k"
    )
    await sink.send([Outgoing(SCORED.name, bad), Outgoing(SCORED.name, good)])
    await sink.stop()
    events = await read(broker, [ROUTED.name, BACKLOG.name, DEAD.name], 3)
    told = {event.type: orjson.loads(event.data) for event in events}
    (item,) = await router_on(database).items()
    assert told["heardback.feedback.routed.v1"]["item"] == {"id": item.id, "team": "operations"}
    assert told["heardback.item.opened.v1"]["item_id"] == item.id
    assert told["heardback.feedback.dead.v1"]["event_id"] == "bad"
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"{url}/metrics")).text
    assert 'heardback_feedback_routed_total{team="operations"} 1.0' in page
