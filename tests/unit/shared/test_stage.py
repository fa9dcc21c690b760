"""The loop every stage runs: order of effects, poison, outages, and what is committed when."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import FakeClock

from heardback_shared.contracts.envelope import Envelope, to_kafka
from heardback_shared.contracts.topics import DEAD
from heardback_shared.errors import PermanentError, TransientError
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Incoming, Outgoing, Record
from heardback_shared.stream.runner import DeadLetterLimitError, Handler, Stage, StagePolicy

PATIENT = StagePolicy(max_records=10, poll_seconds=0, backoff_seconds=0, dead_in_a_row=50)


class ListSource:
    """Hands out records once and remembers what was committed; stops the stage when it is empty."""

    def __init__(self, records: Sequence[Record], stop: asyncio.Event) -> None:
        self.left = list(records)
        self.stop_event = stop
        self.committed: dict[tuple[str, int], int] = {}
        self.journal: list[str] = []

    async def start(self) -> None:
        self.journal.append("start")

    async def poll(self, max_records: int, timeout_seconds: float) -> list[Record]:
        batch, self.left = self.left[:max_records], self.left[max_records:]
        if not batch:
            self.stop_event.set()
        return batch

    async def commit(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self.committed |= offsets
        self.journal.append("commit")

    def lag(self) -> int:
        return len(self.left)

    async def stop(self) -> None:
        self.journal.append("stop")


class ListSink:
    def __init__(self, journal: list[str], outages: int = 0) -> None:
        self.sent: list[Outgoing] = []
        self.journal = journal
        self.outages = outages

    async def send(self, outgoing: Sequence[Outgoing]) -> None:
        if self.outages:
            self.outages -= 1
            raise TransientError("broker away")
        self.sent += outgoing
        if outgoing:
            self.journal.append("sent")

    @property
    def dead(self) -> list[Outgoing]:
        return [o for o in self.sent if o.topic == DEAD.name]


def record(number: int, value: bytes | None = None) -> Record:
    event = Envelope(
        id=f"e{number}", source="/t", type="t.v1", data=b"%d" % number, tenant_id="default", key="k"
    )
    key, headers, body = to_kafka(event)
    return Record(
        "in", number % 3, number, key, body if value is None else value, () if value else tuple(headers)
    )


def echo(incoming: Incoming) -> Outgoing:
    return Outgoing("out", incoming.event)


class Run:
    def __init__(
        self,
        records: Sequence[Record],
        policy: StagePolicy = PATIENT,
        outages: int = 0,
        only: Sequence[str] | None = None,
    ) -> None:
        self.stop = asyncio.Event()
        self.source = ListSource(records, self.stop)
        self.sink = ListSink(self.source.journal, outages)
        self.metrics = Metrics()
        self.policy = policy
        self.only = only

    async def __call__(self, handler: Handler) -> "Run":
        stage = Stage(
            "test",
            self.source,
            self.sink,
            handler,
            service="tests",
            clock=FakeClock(),
            metrics=self.metrics,
            policy=self.policy,
            only=self.only,
            jitter=lambda: 0.0,
        )
        await stage.run(self.stop)
        return self


async def test_offsets_are_committed_only_after_the_results_are_acknowledged() -> None:
    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        return [echo(i) for i in batch]

    run = await Run([record(n) for n in range(10)])(handler)
    assert run.source.journal == ["start", "sent", "commit", "stop"]
    assert run.source.committed == {("in", 0): 10, ("in", 1): 8, ("in", 2): 9}


async def test_a_poison_record_is_buried_whole_and_its_neighbours_are_handled() -> None:
    handled: list[str] = []

    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        if any(i.event.id == "e4" for i in batch):
            raise ZeroDivisionError("four")
        handled.extend(i.event.id for i in batch)
        return [echo(i) for i in batch]

    run = await Run([record(n) for n in range(10)])(handler)
    assert sorted(handled) == sorted(f"e{n}" for n in range(10) if n != 4)
    [letter] = run.sink.dead
    assert b'"error":"ZeroDivisionError"' in letter.event.data
    assert b'"value":"NA=="' in letter.event.data
    assert run.source.committed[("in", 1)] == 8


async def test_a_permanent_error_is_not_tried_again() -> None:
    tries = 0

    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        nonlocal tries
        tries += 1
        raise PermanentError("never")

    run = await Run([record(1)])(handler)
    assert tries == 1
    assert len(run.sink.dead) == 1


async def test_an_outage_is_waited_out_and_nothing_is_buried() -> None:
    tries = 0

    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        nonlocal tries
        tries += 1
        if tries < 5:
            raise OSError("database away")
        return [echo(i) for i in batch]

    run = await Run([record(n) for n in range(3)], outages=3)(handler)
    assert [o.event.id for o in run.sink.sent] == ["e0", "e1", "e2"]


async def test_an_outage_that_does_not_end_stops_the_stage_without_a_commit() -> None:
    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        raise TransientError("away for good")

    run = Run([record(1)], StagePolicy(poll_seconds=0, backoff_seconds=0, transient_attempts=3))
    with pytest.raises(TransientError):
        await run(handler)
    assert run.source.committed == {}
    assert run.source.journal[-1] == "stop"


async def test_bytes_that_are_no_event_are_buried_untouched() -> None:
    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        return [echo(i) for i in batch]

    run = await Run([record(1, b"\x00junk"), record(2)])(handler)
    [letter] = run.sink.dead
    assert b'"value":"AGp1bms="' in letter.event.data
    assert run.source.committed == {("in", 1): 2, ("in", 2): 3}


async def test_when_everything_fails_the_stage_stops_instead_of_burying_the_log() -> None:
    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        raise ValueError("a bug of ours")

    policy = StagePolicy(max_records=100, poll_seconds=0, backoff_seconds=0, dead_in_a_row=20)
    run = Run([record(n) for n in range(100)], policy)
    with pytest.raises(DeadLetterLimitError):
        await run(handler)
    assert len(run.sink.dead) == 20
    assert run.source.committed == {}


@given(poison=st.sets(st.integers(0, 29)), size=st.integers(1, 30))
def test_whatever_is_poison_everything_else_is_handled_exactly_once(poison: set[int], size: int) -> None:
    handled: list[int] = []

    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        numbers = [int(i.event.data) for i in batch]
        if poison & set(numbers):
            raise KeyError("poison")
        handled.extend(numbers)
        return ()

    async def scenario() -> Run:
        policy = StagePolicy(max_records=size, poll_seconds=0, backoff_seconds=0, dead_in_a_row=100)
        return await Run([record(n) for n in range(30)], policy)(handler)

    run = asyncio.run(scenario())
    assert sorted(handled) == [n for n in range(30) if n not in poison]
    assert len(run.sink.dead) == len(poison)


async def test_what_does_not_concern_the_stage_is_passed_over_and_committed() -> None:
    seen: list[str] = []

    async def handler(batch: Sequence[Incoming]) -> Sequence[Outgoing]:
        seen.extend(i.event.id for i in batch)
        return ()

    run = await Run([record(1), record(2)], only=["other.v1"])(handler)
    assert seen == []
    assert run.source.committed == {("in", 1): 2, ("in", 2): 3}
    assert run.sink.sent == []
    await Run([record(1)], only=["t.v1"])(handler)
    assert seen == ["e1"]
