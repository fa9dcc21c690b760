"""Background task: looks at every item whose timer is due, says what is due, and sets the next timer.

Several may run at once: an item is looked at by whoever gets its lock, and its log shows what was said. The
log is appended to in the transaction that sets the next timer, so a crash leaves the item due.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any, Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.log import write
from heardback_router.backlog.ports import Items
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.loops.telling import TellingPolicy
from heardback_router.sla.app import policies_naming
from heardback_router.sla.seeing import Kept, Seen, see
from heardback_router.sla.settling import awaits_telling, look_at_loops
from heardback_router.sla.store import PostgresTimers
from heardback_router.sla.watch import Look, Watch
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.db.outbox import Outbox
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.metrics import Metrics

LONGEST_REST = 10.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """`share` of the time is worked at most while much is due, so that routing keeps the rest."""

    batch: int = 100
    poll_seconds: float = 1.0
    share: float = 0.3
    after_failure: timedelta = timedelta(minutes=10)


class ItemLoops(Protocol):
    async def of_item(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> list[dict[str, Any]]:
        """The item's loops; each has `round` and `history`, steps with `round`, `state` and `at`."""
        ...

    async def foreseen(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        item: Item,
        event: ItemEvent,
        policy: TellingPolicy,
        at: datetime,
    ) -> None:
        """Customers are told ahead that a promise will be missed; `event` says which."""
        ...


class Timekeeper:
    def __init__(
        self,
        database: Database,
        items: Items,
        timers: PostgresTimers,
        loops: ItemLoops,
        outbox: Outbox,
        policies: PolicySource,
        watches: Sequence[Watch],
        *,
        clock: Clock,
        metrics: Metrics,
        pace: Pace = Pace(),
    ) -> None:
        self._database = database
        self._items = items
        self._timers = timers
        self._loops = loops
        self._outbox = outbox
        self._policies = policies
        self._watches = watches
        self._clock = clock
        self._metrics = metrics
        self._pace = pace

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until told to stop. An unavailable database only delays it."""
        while not stop.is_set():
            started = perf_counter()
            looked = 0
            try:
                looked = await self.look()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("timekeeper.database_unavailable", error=type(error).__name__)
            worked = perf_counter() - started
            rest = worked * (1 / self._pace.share - 1) if looked else self._pace.poll_seconds
            try:
                await asyncio.wait_for(stop.wait(), min(rest, LONGEST_REST))
            except TimeoutError:
                continue

    async def look(self) -> int:
        """Looks at one batch of what is due; how many items that were."""
        now = self._clock.now()
        async with self._database.worker() as connection:
            due = await self._timers.due(connection, now, self._pace.batch)
        self._metrics.timer_lag.set((now - due[0].timer_at).total_seconds() if due else 0.0)
        by_tenant: dict[str, list[str]] = defaultdict(list)
        for one in due:
            by_tenant[one.tenant_id].append(one.item_id)
        return sum([await self._look_at(tenant_id, ids) for tenant_id, ids in by_tenant.items()])

    async def _look_at(self, tenant_id: str, ids: Sequence[str]) -> int:
        async with self._database.tenant(tenant_id) as connection:
            await look_up_by_key(connection)
            at = self._clock.now()
            found = await self._timers.lock_due(connection, tenant_id, ids, at)
            if not found:
                return 0
            logs = await self._timers.logs(connection, tenant_id, [item.id for item in found])
            policies = await policies_naming(self._policies, connection, tenant_id, logs.values())
            seen = []
            for item in found:
                told = await self._told(connection, tenant_id, item, logs[item.id], at)
                seen.append(self._see(item, logs[item.id], policies, at, told))
            outgoing = await write(self._items, connection, tenant_id, [one.made for one in seen])
            for event, item in [pair for one in seen for pair in one.made]:
                if event.kind == "delay_foreseen":
                    policy = policies.telling
                    await self._loops.foreseen(connection, tenant_id, item, event, policy, at)
            await self._timers.keep(connection, tenant_id, [one.kept for one in seen])
            await self._outbox.add(connection, outgoing)
        if outgoing:
            self._outbox.wake()
        return len(found)

    async def _told(
        self, connection: AsyncConnection, tenant_id: str, item: Item, log: Sequence[ItemEvent], at: datetime
    ) -> Look:
        if not awaits_telling(item, log):
            return Look()
        return look_at_loops(item, await self._loops.of_item(connection, tenant_id, item.id), at)

    def _see(
        self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime, told: Look
    ) -> Seen:
        try:
            seen = see(item, log, policies, at, self._watches, told)
        except Exception as error:
            # One item that cannot be read must not keep all others waiting.
            _log.error("timekeeper.item_failed", item=item.id, error=type(error).__name__)
            self._metrics.timers.labels("failed").inc()
            return Seen((), Kept(item.id, None, None, at + self._pace.after_failure))
        self._metrics.timers.labels("looked").inc()
        for event, _ in seen.made:
            self._metrics.timer_entries.labels(event.kind).inc()
        return seen
