"""Background task: the inbox forgets what no log can deliver again."""

import asyncio
from datetime import timedelta

import structlog

from heardback_router.routing.store import PostgresInbox
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database, is_unavailable

KEEP = timedelta(days=30)
"""Longer than any topic keeps its records."""

_log = structlog.get_logger(__name__)


class ForgetOldEvents:
    def __init__(
        self, database: Database, inbox: PostgresInbox, clock: Clock, every_seconds: float = 600.0
    ) -> None:
        self._database = database
        self._inbox = inbox
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
                _log.warning("inbox.database_unavailable", error=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), self._every)
            except TimeoutError:
                continue

    async def forget(self) -> None:
        async with self._database.worker() as connection:
            await self._inbox.forget(connection, self._clock.now() - KEEP)
