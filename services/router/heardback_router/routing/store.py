"""The inbox in Postgres."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.routing.tables import inbox
from heardback_shared.db.bulk import insert_rows


class PostgresInbox:
    async def remember(
        self, connection: AsyncConnection, tenant_id: str, event_ids: Iterable[str], at: datetime
    ) -> set[str]:
        """Stores the ids and returns those that were new.

        In one order, so that two routers given the same events wait for each other; the second then sees them
        as known.
        """
        rows = [{"tenant_id": tenant_id, "event_id": i, "received_at": at} for i in sorted(set(event_ids))]
        stored = await insert_rows(
            connection, inbox, rows, on_conflict="ON CONFLICT DO NOTHING", returning=("event_id",)
        )
        return {row[0] for row in stored}
