"""The dispatcher: claim, commit, POST, record.

No transaction is open during a POST. A crash between POST and record lets the lease run out; the delivery
is then sent again with the same id and the same bytes, which is what the id is for.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
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
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.keyring import SealBrokenError
from heardback_shared.metrics import Metrics

_log = structlog.get_logger(__name__)

_OUTCOMES = {Delivered: "delivered", Retry: "retry", GiveUp: "gave_up", Disable: "disabled"}


@dataclass(frozen=True, slots=True)
class Limits:
    concurrency: int
    per_endpoint: int
    lease_seconds: float
    poll_seconds: float


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
        self._flying: dict[asyncio.Task[None], str] = {}

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
            if self._flying:
                await asyncio.wait(self._flying)
            self._land()
        finally:
            for task in self._flying:
                task.cancel()
            await asyncio.gather(*self._flying, return_exceptions=True)
            self._flying.clear()

    async def deliver_due(self) -> int:
        """Attempts everything that is due now, once each, and returns how many attempts that were."""
        made = 0
        while await self._claim_and_start():
            made += len(self._flying)
            await asyncio.wait(self._flying)
            self._land()
        return made

    async def _claim_and_start(self) -> int:
        free = self._limits.concurrency - len(self._flying)
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
                    per_endpoint=self._limits.per_endpoint,
                    busy=Counter(self._flying.values()),
                )
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.warning("deliveries.database_unavailable", error=type(error).__name__)
            return 0
        for one in claimed:
            task = asyncio.create_task(self._deliver(one), name=f"delivery-{one.id}")
            self._flying[task] = one.endpoint_id
        return len(claimed)

    async def _rest(self, stop: asyncio.Event) -> None:
        """Until something ends, is due, or the next look is."""
        waiters = {asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._waiting.wait())}
        try:
            await asyncio.wait(
                waiters | set(self._flying),
                timeout=self._limits.poll_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._waiting.clear()
            for waiter in waiters:
                waiter.cancel()

    def _land(self) -> None:
        for task in [t for t in self._flying if t.done()]:
            del self._flying[task]
            task.result()

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            permit = await self._permitted(claimed)
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.warning("delivery.not_asked", delivery=claimed.id, error=type(error).__name__)
            return
        if isinstance(permit, Held):
            return
        if isinstance(permit, Stopped):
            at = self._clock.now()
            response = Response(None, permit.because, ours=True)
            await self._record(Attempt(claimed, at, response, 0, GiveUp(permit.because)))
            return
        started = perf_counter()
        response = await self._post(claimed)
        seconds = perf_counter() - started
        now = self._clock.now()
        decision = next_attempt(self._policy, claimed.attempts + 1, response, now, self._draw())
        attempt = Attempt(claimed, now, response, round(seconds * 1_000), decision)
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
        recording = asyncio.create_task(self._record(attempt), name=f"record-{claimed.id}")
        try:
            await asyncio.shield(recording)
        except asyncio.CancelledError:
            await recording
            raise

    async def _permitted(self, claimed: Claimed) -> Held | Stopped | None:
        """Asked at the last moment, since hours may have passed; what is held is due again later."""
        if claimed.message_id is None:
            return None
        at = self._clock.now()
        async with self._database.tenant(claimed.tenant_id) as connection:
            permit = await self._settler.permit(connection, claimed.tenant_id, claimed.message_id, at)
            if isinstance(permit, Held):
                await self._queue.postpone(connection, claimed, permit.at)
        return permit

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
        tenant_id = attempt.claimed.tenant_id
        try:
            async with self._database.tenant(tenant_id) as connection:
                about = await self._recorder.record(connection, attempt)
                changes = await self._settler.settle(connection, tenant_id, sorted(set(about)), attempt.at)
                await self._outbox.add(connection, changes)
        except Exception as error:
            if not is_unavailable(error):
                raise
            # The lease runs out and the same bytes go out again under the same id.
            _log.warning("delivery.not_recorded", delivery=attempt.claimed.id, error=type(error).__name__)
            return
        self._outbox.wake()
