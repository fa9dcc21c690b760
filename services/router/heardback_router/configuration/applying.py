"""Background task: lets a policy that was put in force for open items too count for them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from heardback_router.configuration.store import PostgresVersions
from heardback_shared.db.database import Database, is_unavailable

Apply = Callable[[str], Awaitable[int]]
"""Applies what is in force of one kind to the tenant's open items; how many changed. May be called again."""
POLL_SECONDS = 5.0
_log = structlog.get_logger(__name__)


class ApplyToOpen:
    """What is left to do stands in the database, so that any process goes on where one ended."""

    def __init__(self, database: Database, store: PostgresVersions, kinds: Mapping[str, Apply]) -> None:
        self.kinds = kinds
        self._database = database
        self._store = store
        self._waiting = asyncio.Event()

    def wake(self) -> None:
        self._waiting.set()

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self.once()
            except Exception as error:
                if not is_unavailable(error):
                    raise
                _log.warning("applying.database_unavailable", error=type(error).__name__)
            await self._pause(stop)

    async def once(self) -> None:
        async with self._database.worker() as connection:
            found = await self._store.to_apply(connection)
        for tenant_id, kind, sequence in found:
            changed = await self.kinds[kind](tenant_id)
            async with self._database.tenant(tenant_id) as connection:
                await self._store.applied(connection, tenant_id, kind, sequence)
            _log.info("policy.applied_to_open", kind=kind, items=changed)

    async def _pause(self, stop: asyncio.Event) -> None:
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(self._waiting.wait())]
        try:
            await asyncio.wait(waits, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        self._waiting.clear()
