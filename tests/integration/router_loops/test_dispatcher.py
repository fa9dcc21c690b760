"""Claims, leases and stops: what several dispatchers, crashes and shutdowns may never do."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.integration.router_loops.house import House, build_house, living_in
from tests.integration.router_loops.receiver import Receiver, Reply

from heardback_router.deliveries.dispatch import Dispatcher, Limits
from heardback_router.deliveries.domain import Delivered, GiveUp, Response, RetryPolicy
from heardback_router.deliveries.permits import Held, Stopped
from heardback_router.deliveries.ports import Attempt, Sender, Settler
from heardback_router.deliveries.seal import SecretSeal
from heardback_router.deliveries.settings import WebhookSettings
from heardback_router.deliveries.store import PostgresDeliveryQueue
from heardback_shared.db.database import Database
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing


async def running(dispatcher: Dispatcher, stop: asyncio.Event) -> asyncio.Task[None]:
    return asyncio.create_task(dispatcher.run(stop))


async def until(receiver: Receiver, count: int) -> None:
    async with asyncio.timeout(90):
        while len(receiver.received) < count:
            receiver.arrived.clear()
            await receiver.arrived.wait()


@pytest.fixture
async def second(house: House, database: Database) -> AsyncIterator[House]:
    """Another process of the same service: its own dispatcher, the same database and time."""
    built = build_house(database, house.receiver, house.clock.now(), clock=house.clock)
    async with living_in(built):
        yield built


async def test_two_dispatchers_send_every_message_once(
    house: House, second: House, receiver: Receiver
) -> None:
    for path in ("/a", "/b", "/c", "/d"):
        await house.endpoint(path)
    stop = asyncio.Event()
    tasks = [await running(h.dispatcher, stop) for h in (house, second)]
    loops = [i for n in range(10) for i in await house.open_loops(5, item=f"it_{n}")]
    await until(receiver, 200)
    stop.set()
    await asyncio.gather(*tasks)
    assert Counter(got.id for got in receiver.received).most_common(1)[0][1] == 1
    assert len(receiver.received) == 200
    assert {(await house.status(loop_id)).state for loop_id in loops} == {"told"}
    await second.client.aclose()


async def test_what_is_leased_is_not_taken_by_another_until_the_lease_ends(
    house: House, second: House, receiver: Receiver
) -> None:
    await house.endpoint()
    answer = asyncio.Event()
    receiver.replies.append(Reply(hold=answer))
    await house.open_loops(1)
    first = asyncio.create_task(house.deliver())
    await until(receiver, 1)
    assert await second.deliver() == 0
    house.clock.forward(seconds=59)
    assert await second.deliver() == 0
    answer.set()
    assert await first == 1
    assert await second.deliver() == 0
    await second.client.aclose()


_ATTEMPTS = text("""
SELECT d.state, d.attempts, a.number, d.leased_until IS NULL FROM router.delivery d
JOIN router.delivery_attempt a ON a.tenant_id = d.tenant_id AND a.delivery_id = d.id
""")


class _Crash(Settler):
    async def settle(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str], at: datetime
    ) -> Sequence[Outgoing]:
        raise RuntimeError("the process dies here")

    async def permits(
        self, connection: AsyncConnection, tenant_id: str, subjects: Sequence[str], at: datetime
    ) -> Mapping[str, Held | Stopped]:
        return {}


def dispatcher_of(
    house: House,
    settler: Settler | None = None,
    sender: Sender | None = None,
    limits: Limits | None = None,
) -> Dispatcher:
    return Dispatcher(
        house.database,
        PostgresDeliveryQueue(),
        house.core.closing.deliveries.recorder,
        sender or house.core.closing.deliveries.sender,
        settler or house.core.closing.messages.ending,
        house.core.outbox,
        SecretSeal(Keyring(b"k" * 32)),
        clock=house.clock,
        metrics=Metrics(),
        policy=RetryPolicy(),
        limits=limits or Limits(32, 4, 60, 0.02),
        draw=lambda: 0.0,
    )


async def test_a_crash_between_post_and_record_sends_the_same_bytes_under_the_same_id(
    house: House, receiver: Receiver
) -> None:
    _, secret = await house.endpoint()
    (loop_id,) = await house.open_loops(1)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="dies here"):
            await dispatcher_of(house, _Crash()).deliver_due()
        assert await house.deliver() == 0
        house.clock.forward(seconds=61)
    assert await house.deliver() == 1
    assert len(receiver.received) == 3
    assert [len(bodies) for bodies in receiver.bodies_by_id.values()] == [1]
    assert all(got.signed_by(secret) for got in receiver.received)
    assert (await house.status(loop_id)).state == "told"
    assert [c.state for c in await house.announced()].count("told") == 1


async def test_a_process_killed_during_the_post_is_replaced_after_the_lease(
    house: House, second: House, receiver: Receiver
) -> None:
    await house.endpoint()
    lost = asyncio.Event()
    receiver.replies.append(Reply(hold=lost))
    (loop_id,) = await house.open_loops(1)
    task = await running(house.dispatcher, asyncio.Event())
    await until(receiver, 1)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await second.deliver() == 0
    house.clock.forward(seconds=61)
    assert await second.deliver() == 1
    assert [len(bodies) for bodies in receiver.bodies_by_id.values()] == [1]
    assert (await house.status(loop_id)).state == "told"
    lost.set()
    await second.client.aclose()


async def test_a_stop_lets_what_is_in_flight_finish_and_be_recorded(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    answer = asyncio.Event()
    receiver.replies.append(Reply(hold=answer))
    (loop_id,) = await house.open_loops(1)
    stop = asyncio.Event()
    task = await running(house.dispatcher, stop)
    await until(receiver, 1)
    stop.set()
    await house.open_loops(1, item="it_late")
    _, waiting = await asyncio.wait([task], timeout=0.1)
    assert waiting
    answer.set()
    await task
    assert (await house.status(loop_id)).state == "told"
    assert len(receiver.received) == 1


class _SlowSettler(Settler):
    """Holds the record open, as a slow database would."""

    def __init__(self, real: Settler) -> None:
        self._real = real
        self.recording, self.go_on = asyncio.Event(), asyncio.Event()

    async def settle(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str], at: datetime
    ) -> Sequence[Outgoing]:
        self.recording.set()
        await self.go_on.wait()
        return await self._real.settle(connection, tenant_id, message_ids, at)

    async def permits(
        self, connection: AsyncConnection, tenant_id: str, subjects: Sequence[str], at: datetime
    ) -> Mapping[str, Held | Stopped]:
        return await self._real.permits(connection, tenant_id, subjects, at)


async def test_a_record_under_way_is_not_cut_off_by_cancellation(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    (loop_id,) = await house.open_loops(1)
    slow = _SlowSettler(house.core.closing.messages.ending)
    task = await running(dispatcher_of(house, slow), asyncio.Event())
    await slow.recording.wait()
    task.cancel()
    await asyncio.sleep(0)
    slow.go_on.set()
    with suppress(asyncio.CancelledError):
        await task
    assert (await house.status(loop_id)).state == "told"
    house.clock.forward(minutes=5)
    assert await house.deliver() == 0


async def test_one_slow_endpoint_neither_takes_more_than_its_share_nor_stops_the_others(
    house: House, receiver: Receiver
) -> None:
    await house.endpoint("/slow")
    await house.endpoint("/fast")
    hold = asyncio.Event()
    receiver.by_path = {"/slow": Reply(hold=hold)}
    await house.open_loops(20)
    stop = asyncio.Event()
    limits = Limits(concurrency=6, per_endpoint=4, lease_seconds=60, poll_seconds=0.02)
    task = await running(dispatcher_of(house, limits=limits), stop)
    await until(receiver, 24)
    assert Counter(got.path for got in receiver.received) == {"/fast": 20, "/slow": 4}
    hold.set()
    await until(receiver, 40)
    stop.set()
    await task
    assert receiver.most_at_once["/slow"] == 4
    assert receiver.most_at_once["/fast"] <= 4


class _Answers(Sender):
    """Answers by script, without a wire; remembers what it was given."""

    async def ask(self, url: str, headers: Mapping[str, str]) -> Response:
        raise AssertionError("nobody asks")

    def __init__(self, *answers: Response) -> None:
        self._answers = list(answers)
        self.sent: list[tuple[str, Mapping[str, str], bytes]] = []

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.sent.append((url, headers, body))
        return self._answers.pop(0)


class _Slow(_Answers):
    """Takes two seconds for each answer."""

    def __init__(self, house: House, *answers: Response) -> None:
        super().__init__(*answers)
        self._house = house

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        self._house.clock.forward(seconds=2)
        return await super().send(url, headers, body)


class _Counting(Settler):
    """Remembers what permits were asked for."""

    def __init__(self, real: Settler) -> None:
        self._real = real
        self.permitted: list[Sequence[str]] = []

    async def settle(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str], at: datetime
    ) -> Sequence[Outgoing]:
        return await self._real.settle(connection, tenant_id, message_ids, at)

    async def permits(
        self, connection: AsyncConnection, tenant_id: str, subjects: Sequence[str], at: datetime
    ) -> Mapping[str, Held | Stopped]:
        self.permitted.append(subjects)
        return await self._real.permits(connection, tenant_id, subjects, at)


async def test_a_failure_recorded_late_does_not_undo_a_later_success(house: House) -> None:
    await house.endpoint()
    await house.open_loops(1)
    queue, now = PostgresDeliveryQueue(), house.clock.now()
    async with house.database.worker() as connection:
        (late,) = await queue.claim(
            connection,
            now=now,
            lease_until=house.clock.now(),
            free=1,
            per_endpoint=1,
            busy={},
        )
    house.clock.forward(seconds=1)
    assert await dispatcher_of(house, sender=_Answers(Response(200))).deliver_due() == 1
    attempt = Attempt(late, house.clock.now(), Response(500), 1, GiveUp("too late"))
    async with house.database.tenant("default") as connection:
        await queue.record(connection, "default", [attempt])
        assert late.message_id is not None
        states = await queue.states_of(connection, "default", [late.message_id])
        assert states == {late.message_id: ["delivered"]}


async def test_a_success_recorded_late_counts_whoever_holds_the_lease(house: House) -> None:
    await house.endpoint()
    await house.open_loops(1)
    queue, now = PostgresDeliveryQueue(), house.clock.now()
    async with house.database.worker() as connection:
        (late,) = await queue.claim(connection, now=now, lease_until=now, free=1, per_endpoint=1, busy={})
    house.clock.forward(seconds=1)
    assert await dispatcher_of(house, sender=_Answers(Response(500))).deliver_due() == 1
    attempt = Attempt(late, house.clock.now(), Response(200), 1, Delivered())
    async with house.database.tenant("default") as connection:
        await queue.record(connection, "default", [attempt])
    house.clock.forward(hours=1)
    assert await house.deliver() == 0


async def test_when_one_fails_what_was_claimed_with_it_is_given_back(house: House) -> None:
    await house.endpoint()
    await house.open_loops(3)
    answers = _Answers(Response(500), Response(200), Response(200))
    dispatcher = dispatcher_of(house, sender=answers, limits=Limits(1, 1, 60, 0.02))
    asked = _Counting(house.core.closing.messages.ending)
    dispatcher._settler = asked
    assert await dispatcher.deliver_due() == 3
    assert [len(subjects) for subjects in asked.permitted] == [3, 2]
    async with house.database.tenant("default") as connection:
        rows = (await connection.execute(_ATTEMPTS)).all()
    # What was given back was not tried: each has made its first attempt, and nothing is leased.
    assert sorted(rows) == [("delivered", 1, 1, True), ("delivered", 1, 1, True), ("pending", 1, 1, True)]


async def test_a_permit_is_good_for_a_second(house: House) -> None:
    await house.endpoint()
    await house.open_loops(3)
    answers = _Slow(house, Response(200), Response(200), Response(200))
    dispatcher = dispatcher_of(house, sender=answers, limits=Limits(1, 1, 60, 0.02))
    asked = _Counting(house.core.closing.messages.ending)
    dispatcher._settler = asked
    assert await dispatcher.deliver_due() == 3
    assert [len(subjects) for subjects in asked.permitted] == [3, 2, 1]


async def test_no_transaction_is_open_during_a_post(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    hold = asyncio.Event()
    receiver.replies.append(Reply(hold=hold))
    await house.open_loops(1)
    flying = asyncio.create_task(house.deliver())
    await until(receiver, 1)
    async with house.database.engine.connect() as connection:
        open_ones = await connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
        )
        assert open_ones.scalar_one() == 0
    hold.set()
    await flying


async def test_metrics_count_attempts_and_loops(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    receiver.replies.append(Reply(500))
    await house.open_loops(2)
    await house.deliver()
    value = house.metrics.registry.get_sample_value
    assert value("heardback_deliveries_total", {"outcome": "retry"}) == 1
    assert value("heardback_deliveries_total", {"outcome": "delivered"}) == 1
    assert value("heardback_delivery_seconds_count") == 2
    assert value("heardback_loops_total", {"state": "told"}) == 1


def test_a_lease_must_outlive_an_attempt() -> None:
    with pytest.raises(ValueError, match="twice timeout_seconds"):
        WebhookSettings(timeout_seconds=15, lease_seconds=20)
