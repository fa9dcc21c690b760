"""A topic that every process reads whole, on a real broker."""

from collections.abc import Sequence

import pytest
from tests.support.broker import Broker
from tests.support.waiting import until_async

from heardback_shared.contracts.envelope import Envelope, from_record
from heardback_shared.contracts.topics import JUDGEMENT, SCORED
from heardback_shared.errors import TransientError
from heardback_shared.stream.kafka import KafkaSink, KafkaWhole, topic_end
from heardback_shared.stream.ports import Outgoing, Record
from heardback_shared.stream.topics import config_of


async def send(broker: Broker, numbers: Sequence[int]) -> None:
    sink = KafkaSink(broker.settings)
    await sink.start()
    await sink.send(
        [
            Outgoing(
                JUDGEMENT.name, Envelope(f"e{n}", "/t", "t.v1", b"{}", tenant_id="default", key=f"k{n % 2}")
            )
            for n in numbers
        ]
    )
    await sink.stop()


async def taken(reader: KafkaWhole, count: int) -> list[str]:
    found: list[Record] = []

    async def enough() -> bool:
        found.extend(await reader.poll(100, 0.2))
        return len(found) >= count

    await until_async(enough)
    return [from_record(r.key, r.headers, r.value).id for r in found]


async def test_everybody_reads_it_from_its_beginning(broker: Broker) -> None:
    """And goes on after the broker was restarted empty."""
    await send(broker, range(3))
    first, second = (KafkaWhole(broker.settings, JUDGEMENT.name) for _ in range(2))
    for reader in (first, second):
        await reader.start()
        assert not await reader.caught_up()
        assert await taken(reader, 3) == ["e0", "e1", "e2"]
        assert await reader.caught_up()
        for _ in range(5):
            assert await reader.poll(10, 0.1) == []
    broker.kill()
    await broker.start()
    await send(broker, [9])
    late = KafkaWhole(broker.settings, JUDGEMENT.name)
    await late.start()
    assert await taken(late, 1) == ["e9"]
    assert "e9" in await taken(first, 1)
    for reader in (first, second, late):
        await reader.stop()


async def test_one_without_records_is_caught_up_at_once(broker: Broker) -> None:
    reader = KafkaWhole(broker.settings, JUDGEMENT.name)
    await reader.start()
    assert await reader.caught_up()
    assert await reader.poll(10, 0.05) == []
    await reader.stop()


def test_a_compacted_topic_keeps_the_latest_of_every_key() -> None:
    assert config_of(JUDGEMENT) == {"cleanup.policy": "compact"}
    assert config_of(SCORED) == {"retention.ms": str(SCORED.retention_hours * 3_600_000)}


async def test_the_end_of_a_topic_falls_when_its_broker_forgets(broker: Broker) -> None:
    assert await topic_end(broker.settings, JUDGEMENT) == 0
    for number in range(3):
        await send(broker, [number])
    assert await topic_end(broker.settings, JUDGEMENT) == 3
    broker.kill()
    with pytest.raises(TransientError, match="judgement"):
        await topic_end(broker.settings, JUDGEMENT)
    await broker.start()
    assert await topic_end(broker.settings, JUDGEMENT) == 0
