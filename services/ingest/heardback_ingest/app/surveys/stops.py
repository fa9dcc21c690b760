"""Surveys stop for everybody in a crisis, and for one conversation where an agent says so."""

from datetime import datetime, timedelta

from heardback_ingest.app.surveys.ports import Crisis, Stops
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.ids import new_id

LONGEST = timedelta(days=366)
SHOWN = 100


class BadEndError(Exception):
    """A crisis must end after now and within a year."""


class Halt:
    def __init__(self, database: Database, stops: Stops, clock: Clock) -> None:
        self._database = database
        self._stops = stops
        self._clock = clock

    async def call(self, tenant_id: str, because: str, ends_at: datetime, by: str) -> Crisis:
        """From the next decision on nobody is asked, until `ends_at`. Raises BadEndError."""
        now = self._clock.now()
        if not now < ends_at <= now + LONGEST:
            raise BadEndError
        crisis = Crisis(new_id("sc"), because, now, by, ends_at)
        async with self._database.tenant(tenant_id) as c:
            await self._stops.call(c, tenant_id, crisis)
        return crisis

    async def crises(self, tenant_id: str) -> list[Crisis]:
        """Newest first, those that are over too."""
        async with self._database.tenant(tenant_id) as c:
            return await self._stops.crises(c, tenant_id, SHOWN)

    async def lift(self, tenant_id: str, by: str) -> bool:
        """Before its time. False when there is none."""
        async with self._database.tenant(tenant_id) as c:
            return await self._stops.lift(c, tenant_id, self._clock.now(), by)

    async def skip(self, tenant_id: str, conversation_id: str, because: str, by: str) -> None:
        async with self._database.tenant(tenant_id) as c:
            await self._stops.skip(c, tenant_id, conversation_id, because, by, self._clock.now())

    async def unskip(self, tenant_id: str, conversation_id: str) -> bool:
        """False when it was not left out."""
        async with self._database.tenant(tenant_id) as c:
            return await self._stops.unskip(c, tenant_id, conversation_id)
