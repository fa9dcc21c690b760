"""PostgreSQL and the broker out of their wheels: started, killed, stopped, started again."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from tests.support.waiting import until

from heardback_local.addresses import Ports
from heardback_local.broker import BrokerUnavailableError, EmbeddedBroker
from heardback_local.first_start import make_topics
from heardback_local.lag import look_at_broker
from heardback_local.postgres import ROLE, EmbeddedPostgres
from heardback_shared.contracts import topics
from heardback_shared.settings import KafkaSettings


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="hb-local-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _quiet(_: str) -> None:
    return


@pytest.fixture
async def broker(folder: Path) -> AsyncIterator[EmbeddedBroker]:
    port = Ports.free().kafka
    server = EmbeddedBroker(port, folder / "broker.log", _quiet, lambda: make_topics(f"127.0.0.1:{port}"))
    await server.start()
    yield server
    await server.stop()


async def _as_service(server: EmbeddedPostgres) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(server.url().replace("+asyncpg", ""))


async def test_services_log_in_as_a_role_that_row_security_binds(folder: Path) -> None:
    server = EmbeddedPostgres(folder, folder / "postgres.log", _quiet, durable=False)
    await server.start()
    try:
        connection = await _as_service(server)
        row = await connection.fetchrow(
            "select current_user as name, rolsuper, rolbypassrls from pg_roles where rolname = current_user"
        )
        await connection.close()
    finally:
        await server.stop()
    assert row is not None
    assert (row["name"], row["rolsuper"], row["rolbypassrls"]) == (ROLE, False, False)


async def test_what_was_committed_survives_a_kill_and_a_stop(folder: Path) -> None:
    server = EmbeddedPostgres(folder, folder / "postgres.log", _quiet)
    await server.start()
    connection = await _as_service(server)
    await connection.execute("create table note (text text); insert into note values ('kept')")
    await connection.close()

    server.child.kill()
    await until(lambda: server.child.deaths > 0 and server.child.pid is not None)
    await server.wait_until_ready()
    await server.stop()
    await server.start()
    try:
        connection = await _as_service(server)
        assert await connection.fetchval("select text from note") == "kept"
        await connection.close()
    finally:
        await server.stop()


async def test_a_path_too_long_for_a_socket_is_no_obstacle(folder: Path) -> None:
    deep = folder / ("long-" * 12) / ("longer-" * 12)
    deep.mkdir(parents=True)
    server = EmbeddedPostgres(deep, folder / "postgres.log", _quiet, durable=False)
    await server.start()
    try:
        connection = await _as_service(server)
        assert await connection.fetchval("select 1") == 1
        await connection.close()
    finally:
        await server.stop()


async def test_a_killed_broker_comes_back_with_its_topics(broker: EmbeddedBroker) -> None:
    before = broker.child.pid
    broker.child.kill()
    await until(lambda: broker.child.pid not in (None, before))
    await broker.wait_until_ready()
    view = await look_at_broker(KafkaSettings(bootstrap_servers=broker.address))
    assert view.missing_topics == ()


async def test_lag_is_what_a_group_has_not_committed(broker: EmbeddedBroker) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()
    for number in range(7):
        await producer.send_and_wait(topics.ACCEPTED.name, b"{}", partition=number % 6)
    await producer.stop()
    consumer = AIOKafkaConsumer(
        topics.ACCEPTED.name,
        bootstrap_servers=broker.address,
        group_id="readers",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=10,
    )
    await consumer.start()
    first = await consumer.getone()
    await consumer.commit({part: 1 for part in consumer.assignment() if part.partition == first.partition})
    await consumer.stop()

    view = await look_at_broker(KafkaSettings(bootstrap_servers=broker.address))
    assert view.records(topics.SUBMITTED.name) == 0
    assert [(lag.group, lag.topic) for lag in view.lags] == [("readers", topics.ACCEPTED.name)]
    assert view.records() == (1 if first.partition == 0 else 0)


async def test_restarted_empty_it_gives_its_memory_back(broker: EmbeddedBroker) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.address, max_request_size=2**21)
    await producer.start()
    for _ in range(40):
        await producer.send_and_wait(topics.ACCEPTED.name, bytes(2**20), partition=0)
    await producer.stop()
    full = broker.memory_bytes
    await broker.restart_empty()
    assert 0 < broker.memory_bytes < full - 20 * 2**20
    assert (await look_at_broker(KafkaSettings(bootstrap_servers=broker.address))).missing_topics == ()


async def test_a_taken_port_is_named(broker: EmbeddedBroker, folder: Path) -> None:
    second = EmbeddedBroker(broker.port, folder / "second.log", _quiet, lambda: asyncio.sleep(0))
    with pytest.raises(BrokerUnavailableError, match=str(broker.port)):
        await second.start()
