"""A process dies at each step of a delivery. Nothing is lost; what comes twice has the same id and bytes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.integration.router_loops.house import House
from tests.integration.router_loops.receiver import Receiver, Reply

from heardback_router.deliveries.dispatch import Dispatcher, Limits
from heardback_router.deliveries.domain import Response, RetryPolicy
from heardback_router.deliveries.permits import Held, Stopped
from heardback_router.deliveries.ports import Attempt, Claimed, Sender, Settler
from heardback_router.deliveries.recording import Recorder
from heardback_router.deliveries.seal import SecretSeal
from heardback_router.deliveries.store import PostgresDeliveryQueue
from heardback_shared.db.outbox import Outbox
from heardback_shared.keyring import Keyring
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing

STEPS = (
    "claiming",
    "before the post",
    "after the post",
    "before the record",
    "after the record",
    "settled",
    "outbox",
)


class DiesError(RuntimeError):
    """The process is gone at this step."""


class Fate:
    """Dies once, at one step."""

    def __init__(self, step: str) -> None:
        self._step: str | None = step

    def reach(self, step: str) -> None:
        if self._step == step:
            self._step = None
            raise DiesError(step)


class Queue(PostgresDeliveryQueue):
    def __init__(self, fate: Fate) -> None:
        self._fate = fate

    async def claim(
        self,
        connection: AsyncConnection,
        *,
        now: datetime,
        lease_until: datetime,
        free: int,
        per_endpoint: int,
        busy: Mapping[str, int],
    ) -> Sequence[Claimed]:
        found = await super().claim(
            connection, now=now, lease_until=lease_until, free=free, per_endpoint=per_endpoint, busy=busy
        )
        self._fate.reach("claiming")
        return found


class Post(Sender):
    def __init__(self, real: Sender, fate: Fate) -> None:
        self._real, self._fate = real, fate

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        self._fate.reach("before the post")
        response = await self._real.send(url, headers, body)
        self._fate.reach("after the post")
        return response

    async def ask(self, url: str, headers: Mapping[str, str]) -> Response:
        return await self._real.ask(url, headers)


class Record(Recorder):
    def __init__(self, real: Recorder, fate: Fate) -> None:
        self._real, self._fate = real, fate

    async def record(
        self, connection: AsyncConnection, tenant_id: str, attempts: Sequence[Attempt]
    ) -> tuple[str, ...]:
        self._fate.reach("before the record")
        loops = await self._real.record(connection, tenant_id, attempts)
        self._fate.reach("after the record")
        return loops


class Settle(Settler):
    def __init__(self, real: Settler, fate: Fate) -> None:
        self._real, self._fate = real, fate

    async def settle(
        self, connection: AsyncConnection, tenant_id: str, message_ids: Sequence[str], at: datetime
    ) -> Sequence[Outgoing]:
        news = await self._real.settle(connection, tenant_id, message_ids, at)
        self._fate.reach("settled")
        return news

    async def permits(
        self, connection: AsyncConnection, tenant_id: str, subjects: Sequence[str], at: datetime
    ) -> Mapping[str, Held | Stopped]:
        return await self._real.permits(connection, tenant_id, subjects, at)


class Leaving(Outbox):
    def __init__(self, real: Outbox, fate: Fate) -> None:
        self._real, self._fate = real, fate

    async def add(self, connection: AsyncConnection, outgoing: Sequence[Outgoing]) -> None:
        await self._real.add(connection, outgoing)
        self._fate.reach("outbox")

    def wake(self) -> None:
        self._real.wake()


def doomed(house: House, step: str) -> Dispatcher:
    fate, sending = Fate(step), house.core.closing.deliveries
    outbox: Any = Leaving(house.core.outbox, fate)
    return Dispatcher(
        house.database,
        Queue(fate),
        Record(sending.recorder, fate),
        Post(sending.sender, fate),
        Settle(house.core.closing.messages.ending, fate),
        outbox,
        SecretSeal(Keyring(b"k" * 32)),
        clock=house.clock,
        metrics=Metrics(),
        policy=RetryPolicy(),
        limits=Limits(32, 4, 60, 0.02),
        draw=lambda: 0.0,
    )


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_that_dies_at_any_step_loses_nothing(
    house: House, receiver: Receiver, step: str
) -> None:
    _, secret = await house.endpoint()
    (loop_id,) = await house.open_loops(1)
    with pytest.raises(DiesError, match=step):
        await doomed(house, step).deliver_due()
    assert (await house.status(loop_id)).state != "told"
    house.clock.forward(seconds=61)
    assert await house.deliver() == 1
    house.clock.forward(days=6)
    assert await house.deliver() == 0
    assert (await house.status(loop_id)).state == "told"
    assert [c.state for c in await house.announced()].count("told") == 1
    reached = step not in {"claiming", "before the post"}
    assert len(receiver.received) == 1 + reached
    assert [len(bodies) for bodies in receiver.bodies_by_id.values()] == [1]
    assert all(got.signed_by(secret) for got in receiver.received)


@pytest.mark.parametrize("step", STEPS)
async def test_a_deadline_outlives_the_process(house: House, receiver: Receiver, step: str) -> None:
    """The next attempt of a delivery that failed is due when its schedule says, whoever dies meanwhile."""
    await house.endpoint()
    receiver.replies.append(Reply(500))
    await house.open_loops(1)
    await house.deliver()
    ann = await house.caller()
    (before,) = (await ann.get("/v1/deliveries")).json()["deliveries"]
    house.clock.at = datetime.fromisoformat(before["next_attempt_at"])
    receiver.replies.append(Reply(500))
    with pytest.raises(DiesError, match=step):
        await doomed(house, step).deliver_due()
    house.clock.forward(seconds=61)
    receiver.replies.clear()
    receiver.replies.append(Reply(500))
    assert await house.deliver() == 1
    (after,) = (await ann.get("/v1/deliveries")).json()["deliveries"]
    assert after["attempt_count"] == 2
    wait = datetime.fromisoformat(after["next_attempt_at"]) - house.clock.now()
    assert 240 <= wait.total_seconds() <= 360
    house.clock.at = datetime.fromisoformat(after["next_attempt_at"])
    assert await house.deliver() == 1
    assert (await ann.get("/v1/deliveries")).json()["deliveries"][0]["state"] == "delivered"


class _Late(PostgresDeliveryQueue):
    """Fails a success to show that the tests above can fail: it forgets to move the delivery."""

    async def record(
        self, connection: AsyncConnection, tenant_id: str, made: Sequence[Attempt]
    ) -> frozenset[str]:
        return frozenset()


async def test_a_queue_that_forgets_would_be_noticed(house: House, receiver: Receiver) -> None:
    await house.endpoint()
    await house.open_loops(1)
    sending = house.core.closing.deliveries
    forgetful = doomed(house, "never")
    forgetful._recorder = Recorder(
        sending.recorder._endpoints, _Late(), sending.recorder._alarms, sending.recorder._policy
    )
    assert await forgetful.deliver_due() == 1
    house.clock.forward(seconds=61)
    assert await house.deliver() == 1
    assert len(receiver.received) == 2
