"""The inbox in Postgres."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.routing.tables import inbox
from heardback_shared.db.bulk import insert_rows

FORGET_AT_ONCE = 20_000
_FORGET = text("""
    DELETE FROM router.inbox WHERE (tenant_id, event_id) IN (
        SELECT tenant_id, event_id FROM router.inbox WHERE received_at < :before LIMIT :some)
""")


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

    async def forget(self, connection: AsyncConnection, before: datetime) -> None:
        """Drops what was received before this instant, of every tenant; needs a worker's transaction.

        Safe at any age: the standing of a link already tells that an event has had its effect. The inbox only
        tells it without reading the event.
        """
        await connection.execute(_FORGET, {"before": before, "some": FORGET_AT_ONCE})
