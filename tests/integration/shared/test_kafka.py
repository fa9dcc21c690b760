"""The Kafka adapter on a real broker: resuming, rebalancing, and a broker that forgot everything."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.support.broker import Broker
from tests.support.clock import FakeClock
from tests.support.waiting import until

from heardback_shared.contracts.envelope import Envelope, from_record
from heardback_shared.contracts.topics import ACCEPTED, ALL
from heardback_shared.errors import TransientError
from heardback_shared.metrics import Metrics
from heardback_shared.stream.kafka import KafkaSink, KafkaSource
from heardback_shared.stream.ports import Incoming, Outgoing, Record
from heardback_shared.stream.runner import Stage
from heardback_shared.stream.topics import create_topics


def events(numbers: Sequence[int], data: bytes = b"{}") -> list[Outgoing]:
    return [
        Outgoing(
            ACCEPTED.name,
            Envelope(id=f"e{n}", source="/t", type="t.v1", data=data, tenant_id="default", key=f"c{n}"),
        )
        for n in numbers
    ]


async def send(broker: Broker, outgoing: Sequence[Outgoing]) -> None:
    sink = KafkaSink(broker.settings)
    await sink.start()
    await sink.send(outgoing)
    await sink.stop()


def of_one(numbers: Sequence[int]) -> list[Outgoing]:
    """Events of one customer, so of one partition."""
    return [Outgoing(o.topic, replace(o.event, key="c")) for o in events(numbers)]


async def polled(source: KafkaSource, count: int) -> list[Record]:
    found: list[Record] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            found += await source.poll(500, 0.2)
    return found


def after(records: Sequence[Record]) -> dict[tuple[str, int], int]:
    return {(r.topic, r.partition): r.offset + 1 for r in records}


class Member:
    """One member of the group, with what it handled."""

    def __init__(self, broker: Broker, seconds_per_batch: float = 0.0) -> None:
        self.seen: list[str] = []
        self.stop = asyncio.Event()
        self.slow = seconds_per_batch
        self.stage = Stage(
            "test",
            KafkaSource(broker.settings, [ACCEPTED.name], "group"),
            KafkaSink(broker.settings),
            self.handle,
            service="tests",
            clock=FakeClock(),
            metrics=Metrics(),
        )
        self.task = asyncio.create_task(self.stage.run(self.stop))

    async def handle(self, batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        await asyncio.sleep(self.slow)
        self.seen += [i.event.id for i in batch]
        return ()

    async def end(self) -> None:
        self.stop.set()
        await self.task


async def test_topics_are_made_once(broker: Broker) -> None:
    assert await create_topics(broker.settings) == []
    assert len({t.name for t in ALL}) == len(ALL)


async def test_a_second_reader_of_the_group_goes_on_after_what_was_committed(broker: Broker) -> None:
    await send(broker, events(range(40)))
    first = KafkaSource(broker.settings, [ACCEPTED.name], "group")
    await first.start()
    read: list[str] = []
    async with asyncio.timeout(90):
        while len(read) < 20:
            records = await first.poll(7, 0.2)
            read += [from_record(r.key, r.headers, r.value).id for r in records]
            await first.commit({(r.topic, r.partition): r.offset + 1 for r in records})
    await first.stop()
    rest = Member(broker)
    await until(lambda: len(rest.seen) + len(read) >= 40)
    await rest.end()
    assert sorted(read + rest.seen) == sorted(f"e{n}" for n in range(40))


async def test_what_was_not_committed_is_read_again(broker: Broker) -> None:
    await send(broker, events([1]))
    source = KafkaSource(broker.settings, [ACCEPTED.name], "group")
    await source.start()
    while not await source.poll(10, 0.2):
        continue
    await source.stop()
    again = Member(broker)
    await until(lambda: again.seen == ["e1"])
    await again.end()


async def test_members_share_the_work_and_lose_nothing_while_they_come_and_go(broker: Broker) -> None:
    one = Member(broker, seconds_per_batch=0.05)
    sink = KafkaSink(broker.settings)
    await sink.start()
    await sink.send(events(range(100)))
    await until(lambda: len(one.seen) > 0)
    two = Member(broker, seconds_per_batch=0.05)
    for start in range(100, 600, 50):
        await sink.send(events(range(start, start + 50)))
        await asyncio.sleep(0.3)
    await until(lambda: len(set(one.seen + two.seen)) == 600)
    await one.end()
    await sink.send(events(range(600, 650)))
    await until(lambda: len(set(one.seen + two.seen)) == 650)
    await two.end()
    await sink.stop()
    assert two.seen, "the second member got no partition"


async def test_a_broker_that_forgot_everything_is_read_on(broker: Broker) -> None:
    sink = KafkaSink(broker.settings)
    await sink.start()
    member = Member(broker)
    await sink.send(events(range(10)))
    await until(lambda: len(member.seen) == 10)
    broker.kill()
    await broker.start()
    await asyncio.sleep(0.5)
    async with asyncio.timeout(90):
        while True:
            try:
                await sink.send(events(range(10, 20)))
                break
            except Exception:
                await asyncio.sleep(0.5)
    await until(lambda: set(member.seen) >= {f"e{n}" for n in range(10, 20)})
    await member.end()
    await sink.stop()


@pytest.mark.parametrize("tried_while_away", [False, True])
async def test_what_was_read_before_the_broker_forgot_is_not_committed_after_it(
    broker: Broker, tried_while_away: bool
) -> None:
    source = KafkaSource(broker.settings, [ACCEPTED.name], "group", drain_seconds=20)
    await source.start()
    await send(broker, of_one(range(50)))
    before = await polled(source, 50)
    broker.kill()
    if tried_while_away:
        with pytest.raises(TransientError):
            await source.commit(after(before))
    await broker.start()
    await send(broker, of_one(range(50, 53)))
    await asyncio.sleep(3)  # the group does not know the member any more, which waits for its batch in hand
    await source.commit(after(before))
    assert [r.offset for r in await polled(source, 3)] == [0, 1, 2]
    await source.stop()


async def test_a_large_event_passes(broker: Broker) -> None:
    await send(broker, events([1], b'"' + b"x" * 3_000_000 + b'"'))
    member = Member(broker)
    await until(lambda: member.seen == ["e1"])
    await member.end()


@pytest.mark.parametrize("count", [5_000])
async def test_order_holds_within_a_customer(broker: Broker, count: int) -> None:
    same_customer = [
        Outgoing(
            ACCEPTED.name, Envelope(id=f"e{n}", source="/t", type="t.v1", data=b"{}", tenant_id="d", key="c")
        )
        for n in range(count)
    ]
    await send(broker, same_customer)
    member = Member(broker)
    await until(lambda: len(member.seen) >= count)
    await member.end()
    assert member.seen == [f"e{n}" for n in range(count)]
