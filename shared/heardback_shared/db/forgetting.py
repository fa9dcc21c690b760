"""Background task: what is kept for a time is forgotten after it, some rows at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable
from heardback_shared.metrics import Metrics

AT_ONCE = 1_000

Forget = Callable[[AsyncConnection, datetime, int], Awaitable[int]]
"""Drops at most so many rows that are older than the instant, of every tenant, in a worker's transaction; how
many it dropped."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """`what` names the rows towards people, `forget` drops those older than `keep`."""

    what: str
    forget: Forget
    keep: timedelta
    at_once: int = AT_ONCE


class ForgetOld:
    """Each batch is a transaction of its own, so that nobody waits long for its locks, and what is broken off
    goes on where it was."""

    def __init__(
        self,
        database: Database,
        kept: Sequence[Retention],
        clock: Clock,
        metrics: Metrics,
        *,
        every_seconds: float = 600.0,
    ) -> None:
        self._database = database
        self._kept = kept
        self._clock = clock
        self._metrics = metrics
        self._every = every_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Forgets now and then until told to stop. An unavailable database only delays it."""
        while not stop.is_set():
            try:
                await self.forget(stop)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("forgetting.database_unavailable", error=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), self._every)
            except TimeoutError:
                continue

    async def forget(self, stop: asyncio.Event | None = None) -> None:
        """Everything that is due, batch by batch, unless told to stop before."""
        for one in self._kept:
            before, total = self._clock.now() - one.keep, 0
            while not (stop is not None and stop.is_set()):
                async with self._database.worker() as connection:
                    count = await one.forget(connection, before, one.at_once)
                total += count
                self._metrics.forgotten.labels(one.what).inc(count)
                if count < one.at_once:
                    break
            if total:
                _log.info("forgotten", what=one.what, rows=total, before=before.isoformat())


def forgetting(sql: str) -> Forget:
    """By a statement that takes :before and :some, and returns one row for each that it dropped."""
    statement = text(sql)

    async def forget(connection: AsyncConnection, before: datetime, limit: int) -> int:
        return len((await connection.execute(statement, {"before": before, "some": limit})).all())

    return forget
