"""How fresh each source is: when it was heard last, and how long what it tells took to reach us."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.customer_ports import Policies, Source, Sources, classes_of
from heardback_ingest.domain.classes import ClassesPolicy
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.metrics import Metrics

NAMED = 20
"""Sources beyond the first of a process are "other", so that the metric stays small."""
REMEMBERED = timedelta(days=14)
"""How long the id of an event is known; longer than the topic keeps it."""


class Heard(Protocol):
    @property
    def source(self) -> str: ...

    @property
    def at(self) -> datetime | None: ...


class HearSources:
    def __init__(
        self, database: Database, sources: Sources, policies: Policies, metrics: Metrics, clock: Clock
    ) -> None:
        self._database = database
        self._sources = sources
        self._policies = policies
        self._metrics = metrics
        self._clock = clock
        self._named: set[str] = set()

    async def note(
        self,
        c: AsyncConnection,
        tenant_id: str,
        heard: Sequence[Heard],
        policy: ClassesPolicy,
        now: datetime,
    ) -> None:
        """A telling that does not say as of when it is counts as heard, and as neither early nor late."""
        found: dict[str, Source] = {}
        for telling in heard:
            at = min(telling.at or now, now)
            lag = (now - at).total_seconds()
            limit = policy.sources.get(telling.source, policy.usual).lag_minutes * 60
            before = found.get(telling.source)
            found[telling.source] = Source(
                telling.source,
                now,
                max(at, before.newest_at) if before else at,
                lag,
                (before.tellings if before else 0) + 1,
                (before.late if before else 0) + (lag > limit),
            )
        if found:
            await self._sources.heard(c, tenant_id, [found[name] for name in sorted(found)])

    def measure(self, heard: Sequence[Heard], now: datetime) -> None:
        """After the commit."""
        for telling in heard:
            if telling.at is not None:
                lag = max((now - telling.at).total_seconds(), 0.0)
                self._metrics.customer_lag.labels(self._label(telling.source)).observe(lag)

    def _label(self, source: str) -> str:
        if source not in self._named and len(self._named) < NAMED:
            self._named.add(source)
        return source if source in self._named else "other"

    async def show(self, tenant_id: str) -> list[dict[str, Any]]:
        """Every source that was ever heard: silent where it has not been heard for longer than expected."""
        now = self._clock.now()
        async with self._database.tenant(tenant_id) as c:
            policy = await classes_of(self._policies, c, tenant_id)
            found = await self._sources.all(c, tenant_id)
        return [_view(source, policy, now) for source in found]

    async def forget_events(self) -> None:
        async with self._database.worker() as c:
            await self._sources.forget_events(c, self._clock.now() - REMEMBERED)


def _view(source: Source, policy: ClassesPolicy, now: datetime) -> dict[str, Any]:
    expected = policy.sources.get(source.name, policy.usual)
    silent = now - source.last_seen > timedelta(hours=expected.hear_every_hours)
    return {
        "source": source.name,
        "last_seen": source.last_seen.isoformat(),
        "newest_fact_at": source.newest_at.isoformat(),
        "last_lag_seconds": round(source.last_lag_seconds, 3),
        "lag_limit_seconds": expected.lag_minutes * 60,
        "tellings": source.tellings,
        "late": source.late,
        "within_limit": source.last_lag_seconds <= expected.lag_minutes * 60,
        "expected_every_seconds": expected.hear_every_hours * 3600,
        "silent": silent,
    }
