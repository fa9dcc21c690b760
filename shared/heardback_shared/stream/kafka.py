"""The ports on a Kafka-protocol broker, by aiokafka."""

import asyncio
import random
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from zlib import crc32

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
)

from heardback_shared.contracts.envelope import to_kafka
from heardback_shared.contracts.topics import Topic
from heardback_shared.errors import TransientError
from heardback_shared.settings import KafkaSettings
from heardback_shared.stream.ports import Outgoing, Record

_log = structlog.get_logger(__name__)

_Encoded = tuple[bytes | None, list[tuple[str, bytes]], bytes]

MAX_REQUEST_BYTES = 8 * 1024 * 1024
START_SECONDS = 60.0
START_PAUSE_SECONDS = 0.5
COMMIT_SECONDS = 5.0
"""How long one commit may take; the client would try for as long as no broker answers."""


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """What every client needs to connect, TLS and SASL included."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
        options["ssl_context"] = context
    if settings.security_protocol.startswith("SASL"):
        password = settings.sasl_password
        options["sasl_mechanism"] = settings.sasl_mechanism
        options["sasl_plain_username"] = settings.sasl_username
        options["sasl_plain_password"] = password.get_secret_value() if password else None
    return options


class KafkaSource:
    """One member of a consumer group. Never commits on its own, never skips what it has not read.

    On a rebalance, revoking waits until the batch in hand is committed, within `drain_seconds`; a commit that
    comes too late is dropped, and the new holder reads those records again. What nobody waits for need not be
    `urgent`: it asks the broker less often.

    A broker that has forgotten everything is read from its new beginning: what was read of the old log is not
    committed to the new one, and a place beyond the end of the log is left.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Sequence[str],
        group: str,
        *,
        drain_seconds: float = 30.0,
        urgent: bool = True,
    ) -> None:
        self._settings = settings
        self._topics = topics
        self._group = group
        self._drain_seconds = drain_seconds
        self._fetch_max_wait_ms = (
            settings.fetch_max_wait_ms if urgent else settings.unhurried_fetch_max_wait_ms
        )
        self._idle = asyncio.Event()
        self._idle.set()
        self._positions: dict[tuple[str, int], int] = {}
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        self._consumer = consumer = AIOKafkaConsumer(
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=max(self._settings.session_timeout_ms // 4, 250),
            rebalance_timeout_ms=self._settings.rebalance_timeout_ms,
            max_poll_interval_ms=self._settings.max_poll_interval_ms,
            fetch_max_wait_ms=self._fetch_max_wait_ms,
            max_partition_fetch_bytes=MAX_REQUEST_BYTES,
            metadata_max_age_ms=30_000,
            **client_options(self._settings),
        )
        consumer.subscribe(list(self._topics), listener=_DrainOnRevoke(self._drained))
        await _start_patiently(consumer)

    async def _drained(self) -> None:
        try:
            await asyncio.wait_for(self._idle.wait(), self._drain_seconds)
        except TimeoutError:
            _log.warning("kafka.drain_overrun", group=self._group)
        self._positions.clear()

    async def poll(self, max_records: int, timeout_seconds: float) -> list[Record]:
        self._idle.set()
        consumer = self._running()
        batches = await consumer.getmany(timeout_ms=int(timeout_seconds * 1000), max_records=max_records)
        if not batches:
            await _leave_what_was_forgotten(consumer)
        records = [
            Record(m.topic, m.partition, m.offset, m.key, m.value, tuple(m.headers))
            for messages in batches.values()
            for m in messages
        ]
        for record in records:
            self._positions[record.topic, record.partition] = record.offset + 1
        if records:
            self._idle.clear()
        return records

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        consumer = self._running()
        read_since = {TopicPartition(*at): to for at, to in offsets.items() if at in self._positions}
        try:
            if read_since and _is_member(consumer):
                await asyncio.wait_for(consumer.commit(read_since), COMMIT_SECONDS)
            elif offsets:
                _log.info("kafka.commit_too_late", group=self._group, error="no longer ours")
        except (CommitFailedError, IllegalStateError) as error:
            _log.info("kafka.commit_too_late", group=self._group, error=type(error).__name__)
        except (KafkaError, TimeoutError) as error:
            raise TransientError(f"commit failed: {type(error).__name__}") from error
        finally:
            self._idle.set()

    def lag(self) -> int:
        consumer = self._running()
        waiting = 0
        for (topic, partition), position in self._positions.items():
            end = consumer.highwater(TopicPartition(topic, partition))
            waiting += max((end or 0) - position, 0)
        return waiting

    async def stop(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    def _running(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("the source is not started")
        return self._consumer


class KafkaWhole:
    """One topic, read whole by this process alone: no group, and no offset is kept anywhere.

    A broker that has forgotten everything takes nothing back of what was read; it is read on from its new
    beginning. That is looked for, since not every broker says so.
    """

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._ends: dict[TopicPartition, int] = {}
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            self._topic,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=self._settings.unhurried_fetch_max_wait_ms,
            max_partition_fetch_bytes=MAX_REQUEST_BYTES,
            metadata_max_age_ms=30_000,
            **client_options(self._settings),
        )
        await _start_patiently(self._consumer)
        try:
            self._ends = await self._consumer.end_offsets(self._consumer.assignment())
        except KafkaError as error:
            raise TransientError(f"the end of {self._topic} is not known: {type(error).__name__}") from error

    async def poll(self, max_records: int, timeout_seconds: float) -> list[Record]:
        batches = await self._running().getmany(
            timeout_ms=int(timeout_seconds * 1000), max_records=max_records
        )
        if not batches:
            await _leave_what_was_forgotten(self._running())
        return [
            Record(m.topic, m.partition, m.offset, m.key, m.value, tuple(m.headers))
            for messages in batches.values()
            for m in messages
        ]

    async def caught_up(self) -> bool:
        # The embedded broker tells the end too low, by what its last batch holds; the mark that comes with
        # what was fetched is right.
        consumer = self._running()
        return all(
            [
                await consumer.position(at) >= max(end, consumer.highwater(at) or 0)
                for at, end in self._ends.items()
            ]
        )

    async def stop(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    def _running(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("the reader is not started")
        return self._consumer


async def _leave_what_was_forgotten(consumer: AIOKafkaConsumer) -> None:
    """To the beginning of what is shorter than it was read; not every broker says that of itself."""
    try:
        for at in consumer.assignment():
            mark = consumer.highwater(at)
            if mark is not None and await consumer.position(at) > mark:
                _log.warning("kafka.topic_forgotten", topic=at.topic, partition=at.partition)
                await consumer.seek_to_beginning(at)
    except IllegalStateError:
        return  # given to another member meanwhile


def _is_member(consumer: AIOKafkaConsumer) -> bool:
    """Whether the group still knows this member. The client does not say so in public; it would commit all
    the same, and a broker takes that from anybody while the group is empty."""
    return bool(consumer._coordinator.generation >= 0)


async def topic_end(settings: KafkaSettings, topic: Topic) -> int:
    """Up to where a topic is filled, or less; falls only when its broker forgets. Raises TransientError."""
    consumer = AIOKafkaConsumer(group_id=None, **client_options(settings))
    try:
        await consumer.start()
        ends = await consumer.end_offsets([TopicPartition(topic.name, p) for p in range(topic.partitions)])
    except KafkaError as error:
        raise TransientError(f"the end of {topic.name} is not known: {type(error).__name__}") from error
    finally:
        await consumer.stop()
    return sum(ends.values())


class _DrainOnRevoke(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, drain: Any) -> None:
        self._drain = drain

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        if revoked:
            await self._drain()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        return None


class KafkaSink:
    """Acknowledged by all in-sync replicas, or an error."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        self._producer = AIOKafkaProducer(
            acks="all",
            enable_idempotence=self._settings.enable_idempotence,
            max_request_size=MAX_REQUEST_BYTES,
            max_batch_size=256 * 1024,
            request_timeout_ms=10_000,
            metadata_max_age_ms=30_000,
            **client_options(self._settings),
        )
        await _start_patiently(self._producer)

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        if not outgoing:
            return
        acknowledgements: list[asyncio.Future[Any]] = []
        try:
            for (topic, partition), records in (await self._by_partition(outgoing)).items():
                for batch in self._batches(records):
                    sent = await self._running().send_batch(batch, topic, partition=partition)
                    acknowledgements.append(sent)
        except (KafkaError, TimeoutError) as error:
            await asyncio.gather(*acknowledgements, return_exceptions=True)
            raise TransientError(f"send failed: {type(error).__name__}") from error
        for outcome in await asyncio.gather(*acknowledgements, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise TransientError(f"send failed: {type(outcome).__name__}") from outcome

    async def _by_partition(self, outgoing: Sequence[Outgoing]) -> dict[tuple[str, int], list[_Encoded]]:
        partitions: dict[str, list[int]] = {}
        records: dict[tuple[str, int], list[_Encoded]] = {}
        for message in outgoing:
            topic = message.topic
            if topic not in partitions:
                partitions[topic] = sorted(await self._running().partitions_for(topic))
            encoded = to_kafka(message.event)
            at = (topic, _partition_of(encoded[0], partitions[topic]))
            records.setdefault(at, []).append(encoded)
        return records

    def _batches(self, records: Sequence[_Encoded]) -> Iterator[Any]:
        """The records in order, in as few batches as their size allows: one future a batch, not a record."""
        batch = self._running().create_batch()
        for key, headers, value in records:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                yield batch
                batch = self._running().create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        yield batch

    def _running(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise RuntimeError("the sink is not started")
        return self._producer

    async def stop(self) -> None:
        if self._producer is not None:
            await self._producer.stop()


def _partition_of(key: bytes | None, partitions: Sequence[int]) -> int:
    """CRC-32 of the key, as librdkafka does by default; the client's own choice is pure Python and slow."""
    return random.choice(partitions) if key is None else partitions[crc32(key) % len(partitions)]  # noqa: S311


async def _start_patiently(client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
    """A broker may come up after us; give it a minute."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        try:
            await client.start()
        except KafkaConnectionError as error:
            await client.stop()
            if asyncio.get_running_loop().time() >= deadline:
                raise TransientError("no broker answers at the bootstrap servers") from error
            await asyncio.sleep(START_PAUSE_SECONDS)
        else:
            return
