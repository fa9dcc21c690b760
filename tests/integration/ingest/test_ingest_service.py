"""The whole service on a real database and a real broker: in over HTTP and Kafka, out, and settled."""

import asyncio
import base64
from collections.abc import AsyncIterator

import httpx
import orjson
import pytest
from sqlalchemy import text
from tests.integration.ingest.conftest import Key
from tests.support.broker import Broker
from tests.support.feedback import routed, survey

from heardback_ingest.main import background, build, stages
from heardback_ingest.settings import IngestSettings
from heardback_shared.checks import broker_check, database_check
from heardback_shared.clock import SystemClock
from heardback_shared.contracts.envelope import Envelope, from_record
from heardback_shared.contracts.events import (
    CUSTOMER_UPDATED,
    FEEDBACK_DEAD,
    SURVEY_SUBMITTED,
    FeedbackAccepted,
)
from heardback_shared.contracts.topics import ACCEPTED, DEAD, REJECTED, ROUTED, SUBMITTED, UPDATED
from heardback_shared.db.database import Database
from heardback_shared.health import Readiness
from heardback_shared.lifecycle import Task
from heardback_shared.metrics import Metrics
from heardback_shared.settings import ServiceSettings
from heardback_shared.stream.kafka import KafkaSink, KafkaSource
from heardback_shared.stream.ports import Outgoing


@pytest.fixture
def settings() -> IngestSettings:
    return IngestSettings(redrive_after_seconds=1, sweep_seconds=0.2, gauge_seconds=0.2)


@pytest.fixture
async def sink(broker: Broker) -> AsyncIterator[KafkaSink]:
    opened = KafkaSink(broker.settings)
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
async def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def service(
    database: Database,
    broker: Broker,
    sink: KafkaSink,
    settings: IngestSettings,
    service_settings: ServiceSettings,
    metrics: Metrics,
) -> AsyncIterator[httpx.AsyncClient]:
    """Everything `main` runs, but the HTTP server."""
    ingest = build(settings, service_settings, database, SystemClock(), metrics, Readiness(running=True))
    stop = asyncio.Event()
    tasks = {**stages(ingest, broker.settings, settings, sink), **background(ingest, settings, sink)}

    async def run(task: Task) -> None:
        await task(stop)

    running = [asyncio.create_task(run(task), name=name) for name, task in tasks.items()]
    transport = httpx.ASGITransport(ingest.http, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as client:
        yield client
    stop.set()
    await asyncio.gather(*running)


async def read(broker: Broker, topic: str, count: int) -> list[Envelope]:
    source = KafkaSource(broker.settings, [topic], "reader")
    await source.start()
    found: list[Envelope] = []
    try:
        async with asyncio.timeout(90):
            while len(found) < count:
                found += [from_record(r.key, r.headers, r.value) for r in await source.poll(100, 0.2)]
    finally:
        await source.stop()
    return found


async def until(client: httpx.AsyncClient, headers: dict[str, str], **wanted: int) -> None:
    async with asyncio.timeout(90):
        while True:
            found = (await client.get("/v1/ledger", headers=headers)).json()
            if all(found[name] == value for name, value in wanted.items()):
                return
            await asyncio.sleep(0.05)


async def test_accepted_relayed_lost_sent_again_settled(
    service: httpx.AsyncClient, key: Key, broker: Broker, sink: KafkaSink, metrics: Metrics
) -> None:
    headers = await key()
    posted = (await service.post("/v1/surveys", json=survey(), headers=headers)).json()["id"]
    first, again = (await read(broker, ACCEPTED.name, 2))[:2]  # a slow reader may find it sent a third time
    assert first.id == again.id
    assert first.source == "/heardback/ingest"
    assert first.data == again.data
    assert FeedbackAccepted.model_validate_json(first.data).feedback_id == posted
    await sink.send([Outgoing(ROUTED.name, routed(posted).event)])
    await until(service, headers, settled=1, in_flight=0)
    async with asyncio.timeout(90):
        while metrics.registry.get_sample_value("heardback_ledger_feedback", {"state": "settled"}) != 1:
            await asyncio.sleep(0.05)


async def test_feedback_is_accepted_while_the_broker_is_away_and_sent_when_it_is_back(
    service: httpx.AsyncClient, key: Key, broker: Broker
) -> None:
    headers = await key()
    await service.post("/v1/surveys", json=survey(1), headers=headers)
    await read(broker, ACCEPTED.name, 1)
    broker.kill()
    posted = await service.post("/v1/surveys", json=survey(2), headers=headers)
    assert posted.status_code == 202
    await asyncio.sleep(1.5)  # long enough for the relay to try in vain
    await broker.start()
    found = await read(broker, ACCEPTED.name, 2)
    assert posted.json()["id"] in {event.subject for event in found}


async def test_the_kafka_door_and_the_dead_letters_of_others(
    service: httpx.AsyncClient, key: Key, broker: Broker, sink: KafkaSink, database: Database
) -> None:
    headers = await key()
    good = Envelope("e1", "/shop", SURVEY_SUBMITTED, orjson.dumps(survey()))
    bad = Envelope("e2", "/shop", SURVEY_SUBMITTED, b'{"source": "x"}')
    await sink.send([Outgoing(SUBMITTED.name, good), Outgoing(SUBMITTED.name, bad)])
    await until(service, headers, accepted=1, rejected=1)
    (rejected,) = await read(broker, REJECTED.name, 1)
    assert b"/data/external_id" in rejected.data
    async with database.worker() as c:
        posted = await c.scalar(text("SELECT id FROM ingest.feedback"))
    about = {"feedback_id": posted, "revision": 1, "pass_number": 1}
    letter = {
        "id": "dl_1",
        "service": "scoring",
        "version": "1",
        "topic": "feedback.accepted",
        "partition": 0,
        "offset": 0,
        "value": base64.b64encode(orjson.dumps(about)).decode(),
        "error": "ValueError",
        "reason": "cannot be scored",
        "attempts": 3,
        "failed_at": "2026-11-22T12:00:00Z",
        "tenant_id": "default",
        "subject": posted,
    }
    dead = Envelope("dl_1", "/heardback/scoring", FEEDBACK_DEAD, orjson.dumps(letter), tenant_id="default")
    await sink.send([Outgoing(DEAD.name, dead)])
    await until(service, headers, dead=1, in_flight=0)


async def test_facts_come_by_topic_and_poison_beside_them_stops_nothing(
    service: httpx.AsyncClient, key: Key, sink: KafkaSink
) -> None:
    headers = await key()
    told = orjson.dumps({"customer_id": "c-1", "source": "crm", "tier": "key"})
    poison = Envelope("u1", "/crm", CUSTOMER_UPDATED, b'{"customer_id": "c-1", "tier": 7}', key="c-1")
    good = Envelope("u2", "/crm", CUSTOMER_UPDATED, told, key="c-1")
    await sink.send([Outgoing(UPDATED.name, poison), Outgoing(UPDATED.name, good)])
    async with asyncio.timeout(90):
        while (await service.get("/v1/customers/c-1", headers=headers)).status_code != 200:
            await asyncio.sleep(0.05)
    shown = (await service.get("/v1/customers/c-1", headers=headers)).json()
    assert shown["fields"]["tier"]["value"] == "key"
    (letter,) = (await service.get("/v1/dead-letters", headers=headers)).json()["dead_letters"]
    assert letter["topic"] == UPDATED.name
    assert (await service.get("/v1/ledger", headers=headers)).json()["rejected"] == 0


async def test_readiness_checks_say_what_is_missing(database: Database, broker: Broker) -> None:
    ledger = "SELECT 1 FROM ingest.feedback LIMIT 1"
    assert await database_check(database, ledger) is None
    assert await broker_check(f"127.0.0.1:1,127.0.0.1:{broker.port}") is None
    broker.kill()
    assert await broker_check(f"127.0.0.1:{broker.port}") == "no broker takes a connection"
    async with database.engine.begin() as c:
        await c.execute(text("DROP TABLE ingest.feedback"))
    assert "does not answer" in (await database_check(database, ledger) or "")
