"""Send again what is not settled in time, and ask again for scores that the fallback gave."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.app.accept import outgoing
from heardback_ingest.domain.ledger import DEFAULT_POLICY, Due, RedrivePolicy, Step, event_id, next_step
from heardback_ingest.ports import DeadLetters, Ledger, StoredLetter, Sweep
from heardback_shared import __version__
from heardback_shared.clock import Clock
from heardback_shared.contracts.topics import ACCEPTED
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.ids import derived_id
from heardback_shared.metrics import Metrics
from heardback_shared.stream.ports import Outgoing

_log = structlog.get_logger(__name__)

BATCH = 500


class Redrive:
    """One sweep at a time, over all tenants. Nothing is sent while the outbox is long; and while a tenant's
    feedback is being settled in order, only what was overtaken is sent again, not what still queues."""

    def __init__(
        self,
        database: Database,
        sweep: Sweep,
        letters: DeadLetters,
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
        policy: RedrivePolicy = DEFAULT_POLICY,
        *,
        outbox_limit: int = 2_000,
    ) -> None:
        self._database = database
        self._sweep = sweep
        self._letters = letters
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._policy = policy
        self._outbox_limit = outbox_limit

    async def __call__(self) -> int:
        """One sweep of at most BATCH rows; how many it looked at."""
        now = self._clock.now()
        async with self._database.worker() as c:
            if not await self._sweep.hold(c):
                return 0
            if await self._sweep.outbox_length(c, self._outbox_limit + 1) > self._outbox_limit:
                _log.info("redrive.outbox_long")
                return 0
            due = await self._sweep.due(c, now, self._policy.first_seconds, BATCH)
            if not due:
                return 0
            steps: dict[Step, list[Due]] = defaultdict(list)
            for row in due:
                steps[next_step(row, self._policy)].append(row)
            redriven = [(r, self._policy.next_due(now, r.redrives + 1)) for r in steps["redrive"]]
            rescored = [(r, next_pass(r), self._policy.first_due(now)) for r in steps["rescore"]]
            sent = [_again(r, now) for r, _ in redriven] + [_next(r, e, now) for r, e, _ in rescored]
            await self._outbox.add(c, sent)
            await self._sweep.sent_again(c, redriven, now)
            await self._sweep.rescored(c, rescored, now)
            await self._sweep.superseded(c, steps["supersede"], now)
            await self._sweep.rest(c, steps["rest"])
            await self._die(c, steps["die"], now)
        self._outbox.wake()
        self._metrics.redriven.labels("not settled").inc(len(redriven))
        self._metrics.redriven.labels("degraded score").inc(len(rescored))
        _log.info("redrive.swept", **{step: len(rows) for step, rows in steps.items()})
        return len(due)

    async def _die(self, c: AsyncConnection, rows: Sequence[Due], now: datetime) -> None:
        if not rows:
            return
        reason = f"not settled after it was sent {self._policy.limit} more times"
        await self._sweep.died(c, rows, reason, now)
        await self._letters.add(c, [_letter(row, reason, now) for row in rows])
        _log.error("redrive.dead", count=len(rows), first=rows[0].feedback_id)

    async def run(self, stop: asyncio.Event, every_seconds: float) -> None:
        """Sweeps until told to stop."""
        await repeat(stop, every_seconds, self._until_done, "redrive")

    async def _until_done(self) -> None:
        while await self() == BATCH:
            pass


class GaugeLedger:
    """Keeps the ledger metrics: accepted = settled + in flight + dead, over all tenants."""

    def __init__(self, database: Database, ledger: Ledger, metrics: Metrics) -> None:
        self._database = database
        self._ledger = ledger
        self._metrics = metrics

    async def __call__(self) -> None:
        async with self._database.worker() as c:
            counts = await self._ledger.totals(c)
        for state in ("accepted", "settled", "in_flight", "dead", "rejected"):
            self._metrics.ledger.labels(state).set(getattr(counts, state))


async def repeat(
    stop: asyncio.Event, seconds: float, action: Callable[[], Awaitable[object]], name: str
) -> None:
    """Runs the action at intervals until told to stop; an unavailable database is waited out.

    An action that takes long is run less often: it never takes more than a tenth of the time.
    """
    clock = asyncio.get_running_loop().time
    while not stop.is_set():
        started = clock()
        try:
            await action()
        except Exception as error:
            if not is_unavailable(error):
                raise
            _log.warning("task.database_unavailable", task=name, error=type(error).__name__)
        try:
            await asyncio.wait_for(stop.wait(), max(seconds, 9 * (clock() - started)))
        except TimeoutError:
            continue


def next_pass(row: Due) -> bytes:
    """The accepted event with its pass number one higher."""
    return with_pass(row.event, row.pass_number + 1)


def with_pass(event: bytes, pass_number: int) -> bytes:
    return orjson.dumps({**orjson.loads(event), "pass_number": pass_number})


def _again(row: Due, now: datetime) -> Outgoing:
    return send(row, row.pass_number, row.event, now)


def _next(row: Due, event: bytes, now: datetime) -> Outgoing:
    return send(row, row.pass_number + 1, event, now)


def send(row: Due, pass_number: int, event: bytes, now: datetime) -> Outgoing:
    return outgoing(
        row.tenant_id,
        row.feedback_id,
        row.revision,
        pass_number,
        row.customer_id,
        event,
        now,
        row.traceparent,
    )


def _letter(row: Due, reason: str, now: datetime) -> StoredLetter:
    event = event_id(row.tenant_id, row.feedback_id, row.revision, row.pass_number)
    return StoredLetter(
        tenant_id=row.tenant_id,
        id=derived_id("dl", "ingest", "not-settled", event),
        service="ingest",
        version=__version__,
        topic=ACCEPTED.name,
        partition=-1,
        offset=-1,
        key=None,
        headers=(),
        value=row.event,
        error="NotSettled",
        reason=reason,
        attempts=row.redrives + 1,
        failed_at=now,
        feedback_id=row.feedback_id,
        revision=row.revision,
        pass_number=row.pass_number,
    )
