"""The dispatcher: claim, commit, ask, POST, record.

It claims a handful for one endpoint, asks of all of them at once whether they may still go, and lets a few
fly at a time. What has come back is recorded together with what came back meanwhile. As soon as one fails, or
a quarter of a second after they were asked about, the rest is given back: claimed and asked about anew.

No transaction is open during a POST. A crash between POST and record lets the lease run out; the delivery
is then sent again with the same id and the same bytes, which is what the id is for.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

import structlog

from heardback_router.deliveries.domain import (
    Delivered,
    Disable,
    GiveUp,
    Response,
    Retry,
    RetryPolicy,
    next_attempt,
)
from heardback_router.deliveries.permits import Held, Stopped
from heardback_router.deliveries.ports import Attempt, Claimed, DeliveryQueue, Sender, Settler
from heardback_router.deliveries.recording import Recorder
from heardback_router.deliveries.seal import SecretSeal
from heardback_router.deliveries.signing import signed_headers
from heardback_router.deliveries.together import Together
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.keyring import SealBrokenError
from heardback_shared.metrics import Metrics

_log = structlog.get_logger(__name__)

LINGER_SECONDS = 0.004
"""So long what has come back waits for others, so that they are recorded together."""
AHEAD = 4
"""For each delivery that may fly at once so many are claimed."""
FRESH = timedelta(milliseconds=250)
"""So long a permit is good for."""
_OUTCOMES = {Delivered: "delivered", Retry: "retry", GiveUp: "gave_up", Disable: "disabled"}


@dataclass(frozen=True, slots=True)
class Limits:
    concurrency: int
    per_endpoint: int
    lease_seconds: float
    poll_seconds: float


@dataclass(slots=True)
class _Hand:
    """What was claimed for one endpoint and has not left yet."""

    asked_at: datetime
    waiting: deque[Claimed] = field(default_factory=deque)
    records: list[asyncio.Task[None]] = field(default_factory=list)
    well: bool = True
    """Everything so far was delivered."""


class Dispatcher:
    """`draw` gives a number in −1…1, for jitter."""

    def __init__(
        self,
        database: Database,
        queue: DeliveryQueue,
        recorder: Recorder,
        sender: Sender,
        settler: Settler,
        outbox: Outbox,
        seal: SecretSeal,
        *,
        clock: Clock,
        metrics: Metrics,
        policy: RetryPolicy,
        limits: Limits,
        draw: Callable[[], float],
    ) -> None:
        self._database = database
        self._queue = queue
        self._recorder = recorder
        self._sender = sender
        self._settler = settler
        self._outbox = outbox
        self._seal = seal
        self._clock = clock
        self._metrics = metrics
        self._policy = policy
        self._limits = limits
        self._draw = draw
        self._waiting = asyncio.Event()
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._stopping = False
        self._records = Together(self._record_all, LINGER_SECONDS)
        self._hands: dict[asyncio.Task[int], Sequence[Claimed]] = {}

    def wake(self) -> None:
        """Call after a commit that made something due, so that it need not wait for the next look."""
        self._waiting.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until told to stop, then lets what is in flight finish and be recorded."""
        try:
            while not stop.is_set():
                await self._claim_and_start()
                await self._rest(stop)
                self._land()
            self._stopping = True
            if self._hands:
                await asyncio.wait(self._hands)
            self._land()
        finally:
            for task in self._hands:
                task.cancel()
            await asyncio.gather(*self._hands, return_exceptions=True)
            self._hands.clear()
            await self._records.finish()

    async def deliver_due(self) -> int:
        """Attempts everything that is due now, once each, and returns how many attempts that were."""
        made = 0
        while await self._claim_and_start():
            await asyncio.wait(self._hands)
            made += self._land()
        return made

    async def _claim_and_start(self) -> int:
        most = self._limits.per_endpoint * AHEAD
        free = self._limits.concurrency * AHEAD - sum(map(len, self._hands.values()))
        if free <= 0:
            return 0
        now = self._clock.now()
        try:
            async with self._database.worker() as connection:
                claimed = await self._queue.claim(
                    connection,
                    now=now,
                    lease_until=now + timedelta(seconds=self._limits.lease_seconds),
                    free=free,
                    per_endpoint=most,
                    busy={hand[0].endpoint_id: most for hand in self._hands.values()},
                )
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.warning("deliveries.database_unavailable", error=type(error).__name__)
            return 0
        hands: dict[str, list[Claimed]] = defaultdict(list)
        for one in claimed:
            hands[one.endpoint_id].append(one)
        for endpoint_id, hand in hands.items():
            task = asyncio.create_task(self._work_off(hand), name=f"deliveries-{endpoint_id}")
            self._hands[task] = hand
        return len(claimed)

    async def _rest(self, stop: asyncio.Event) -> None:
        """Until something ends, is due, or the next look is."""
        waiters = {asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._waiting.wait())}
        try:
            await asyncio.wait(
                waiters | set(self._hands),
                timeout=self._limits.poll_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._waiting.clear()
            for waiter in waiters:
                waiter.cancel()

    def _land(self) -> int:
        """How many deliveries the hands that are done with have dealt with."""
        done = [task for task in self._hands if task.done()]
        for task in done:
            del self._hands[task]
        return sum(task.result() for task in done)

    async def _work_off(self, claimed: Sequence[Claimed]) -> int:
        """Deals with what was claimed for one endpoint; how many that were, less those given back."""
        try:
            hand = await self._permitted(claimed)
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.warning("deliveries.not_asked", deliveries=len(claimed), error=type(error).__name__)
            return 0
        try:
            flown = await asyncio.gather(
                *(self._fly(hand) for _ in range(self._limits.per_endpoint)), return_exceptions=True
            )
        finally:
            recorded = await asyncio.gather(*hand.records, return_exceptions=True)
        for ended in (*flown, *recorded):
            if isinstance(ended, BaseException):
                raise ended
        await self._give_back(hand.waiting)
        return len(claimed) - len(hand.waiting)

    async def _permitted(self, claimed: Sequence[Claimed]) -> _Hand:
        """Asked at the last moment, since hours may have passed; what is held is due again later."""
        at, tenant_id = self._clock.now(), claimed[0].tenant_id
        hand = _Hand(at)
        subjects = sorted({one.message_id for one in claimed if one.message_id})
        if not subjects:
            hand.waiting.extend(claimed)
            return hand
        async with self._database.tenant(tenant_id) as connection:
            await look_up_by_key(connection)
            permits = await self._settler.permits(connection, tenant_id, subjects, at)
            for one in claimed:
                permit = permits.get(one.message_id or "")
                if permit is None:
                    hand.waiting.append(one)
                elif isinstance(permit, Held):
                    await self._queue.postpone(connection, one, permit.at)
        for one in claimed:
            permit = permits.get(one.message_id or "")
            if isinstance(permit, Stopped):
                response = Response(None, permit.because, ours=True)
                self._keep(hand, Attempt(one, at, response, 0, GiveUp(permit.because)))
        return hand

    async def _fly(self, hand: _Hand) -> None:
        """One after the other, as long as all is well with the endpoint."""
        while hand.well and hand.waiting and not self._stopping:
            async with self._slots:
                if not hand.waiting or not hand.well or self._clock.now() - hand.asked_at > FRESH:
                    return
                attempt = await self._attempt(hand.waiting.popleft())
            hand.well &= isinstance(attempt.decision, Delivered)
            self._keep(hand, attempt)

    def _keep(self, hand: _Hand, attempt: Attempt) -> None:
        """Recorded in a task of its own, so that nothing that happens to its hand cuts it off."""
        hand.records.append(asyncio.create_task(self._record(attempt), name=f"record-{attempt.claimed.id}"))

    async def _attempt(self, claimed: Claimed) -> Attempt:
        started = perf_counter()
        response = await self._post(claimed)
        seconds = perf_counter() - started
        now = self._clock.now()
        decision = next_attempt(self._policy, claimed.attempts + 1, response, now, self._draw())
        self._metrics.delivery_seconds.observe(seconds)
        self._metrics.deliveries.labels(_OUTCOMES[type(decision)]).inc()
        _log.info(
            "delivery.attempted",
            delivery=claimed.id,
            endpoint=claimed.endpoint_id,
            tenant_id=claimed.tenant_id,
            status=response.status,
            outcome=_OUTCOMES[type(decision)],
        )
        return Attempt(claimed, now, response, round(seconds * 1_000), decision)

    async def _give_back(self, left: Sequence[Claimed]) -> None:
        """Nothing happened to them, and anybody may claim them."""
        if not left:
            return
        try:
            async with self._database.tenant(left[0].tenant_id) as connection:
                await self._queue.give_back(connection, left)
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.warning("deliveries.not_given_back", deliveries=len(left), error=type(error).__name__)

    async def _post(self, claimed: Claimed) -> Response:
        try:
            secrets = [
                self._seal.open(claimed.tenant_id, claimed.endpoint_id, secret_id, sealed)
                for secret_id, sealed in claimed.sealed_secrets
            ]
            headers = signed_headers(claimed.id, self._clock.now(), claimed.body, secrets)
        except (SealBrokenError, ValueError) as error:
            _log.error("delivery.cannot_sign", endpoint=claimed.endpoint_id, error=type(error).__name__)
            return Response(None, "the signing key cannot be read; rotate it", ours=True)
        return await self._sender.send(claimed.url, headers, claimed.body)

    async def _record(self, attempt: Attempt) -> None:
        try:
            await self._records.ask(attempt.claimed.tenant_id, attempt)
        except Exception as error:
            if not is_unavailable(error):
                raise
            # The lease runs out and the same bytes go out again under the same id.
            _log.warning("delivery.not_recorded", delivery=attempt.claimed.id, error=type(error).__name__)

    async def _record_all(self, tenant_id: str, attempts: Sequence[Attempt]) -> Sequence[None]:
        async with self._database.tenant(tenant_id) as connection:
            await look_up_by_key(connection)
            about = await self._recorder.record(connection, tenant_id, attempts)
            at = max(attempt.at for attempt in attempts)
            changes = await self._settler.settle(connection, tenant_id, sorted(set(about)), at)
            await self._outbox.add(connection, changes)
        self._outbox.wake()
        return [None] * len(attempts)
