"""Background task: what is kept for a time is forgotten after it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable

KEEP_EVENTS = timedelta(days=30)
"""Longer than any topic keeps its records: the inbox forgets what no log can deliver again."""

Forget = Callable[[AsyncConnection, datetime], Awaitable[None]]
"""Drops what is older than the instant, of every tenant, in a worker's transaction."""

_log = structlog.get_logger(__name__)


class ForgetOld:
    def __init__(
        self,
        database: Database,
        kept: Sequence[tuple[Forget, timedelta]],
        clock: Clock,
        every_seconds: float = 600.0,
    ) -> None:
        self._database = database
        self._kept = kept
        self._clock = clock
        self._every = every_seconds

    async def run(self, stop: asyncio.Event) -> None:
        """Forgets now and then until told to stop. An unavailable database only delays it."""
        while not stop.is_set():
            try:
                await self.forget()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("forgetting.database_unavailable", error=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), self._every)
            except TimeoutError:
                continue

    async def forget(self) -> None:
        for forget, keep in self._kept:
            async with self._database.worker() as connection:
                await forget(connection, self._clock.now() - keep)
