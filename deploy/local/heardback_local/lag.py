"""How far consumer groups are behind, as the broker sees it."""

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from heardback_shared.contracts import topics
from heardback_shared.settings import KafkaSettings
from heardback_shared.stream.kafka import client_options


@dataclass(frozen=True, slots=True)
class Lag:
    """Records of one topic that a group has not committed yet."""

    group: str
    topic: str
    records: int


@dataclass(frozen=True, slots=True)
class BrokerView:
    missing_topics: tuple[str, ...]
    lags: tuple[Lag, ...]

    def records(self, topic: str | None = None) -> int:
        """Uncommitted records over all groups, of one topic or of all."""
        return sum(lag.records for lag in self.lags if topic in (None, lag.topic))


async def look_at_broker(settings: KafkaSettings) -> BrokerView:
    """Topics that should be there and are not, and the lag of every group on those that are.

    A group counts only where it has committed at least once. Raises KafkaError when the broker is away.
    """
    options = client_options(settings)
    admin = AIOKafkaAdminClient(**options, request_timeout_ms=5_000)
    reader = AIOKafkaConsumer(**options, group_id=None, enable_auto_commit=False, request_timeout_ms=5_000)
    await admin.start()
    try:
        await reader.start()
        try:
            present = set(await admin.list_topics())
            known = [topic for topic in topics.ALL if topic.name in present]
            ends = await _ends(reader, known)
            groups = sorted({group for group, *_ in await admin.list_consumer_groups()})
            lags = [lag for group in groups for lag in await _lags(admin, group, ends)]
        finally:
            await reader.stop()
    finally:
        await admin.close()
    return BrokerView(tuple(t.name for t in topics.ALL if t.name not in present), tuple(lags))


async def _ends(reader: AIOKafkaConsumer, known: list[topics.Topic]) -> dict[TopicPartition, int]:
    parts = [TopicPartition(topic.name, number) for topic in known for number in range(topic.partitions)]
    found: dict[TopicPartition, int] = await reader.end_offsets(parts) if parts else {}
    return found


async def _lags(admin: AIOKafkaAdminClient, group: str, ends: dict[TopicPartition, int]) -> list[Lag]:
    # The partitions are named one by one: the embedded broker cannot answer for "all of them".
    committed = await admin.list_consumer_group_offsets(group, partitions=list(ends)) if ends else {}
    behind: dict[str, int] = {}
    for partition, position in committed.items():
        if position.offset >= 0:
            missing = max(0, ends[partition] - position.offset)
            behind[partition.topic] = behind.get(partition.topic, 0) + missing
    return [Lag(group, topic, records) for topic, records in sorted(behind.items())]
