"""How fresh sources are, and which events were seen, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import customer_tables as tables
from heardback_ingest.customer_ports import Source
from heardback_shared.db.bulk import insert_rows

_ADDED = """
ON CONFLICT (tenant_id, source) DO UPDATE SET
    last_lag_seconds = CASE WHEN excluded.last_seen >= ingest.customer_source.last_seen
        THEN excluded.last_lag_seconds ELSE ingest.customer_source.last_lag_seconds END,
    last_seen = greatest(ingest.customer_source.last_seen, excluded.last_seen),
    newest_at = greatest(ingest.customer_source.newest_at, excluded.newest_at),
    tellings = ingest.customer_source.tellings + excluded.tellings,
    late = ingest.customer_source.late + excluded.late
"""
_ALL = text("""
SELECT source, last_seen, newest_at, last_lag_seconds, tellings, late FROM ingest.customer_source
WHERE tenant_id = :tenant ORDER BY source
""")
_UNSEE = text("""
DELETE FROM ingest.customer_event WHERE tenant_id = :tenant AND source = :source AND event_id = :id
""")
_FORGET = text("DELETE FROM ingest.customer_event WHERE at < :before")


class PostgresSources:
    async def heard(self, c: AsyncConnection, tenant_id: str, sources: Sequence[Source]) -> None:
        rows = [
            {
                "tenant_id": tenant_id,
                "source": s.name,
                "last_seen": s.last_seen,
                "newest_at": s.newest_at,
                "last_lag_seconds": s.last_lag_seconds,
                "tellings": s.tellings,
                "late": s.late,
            }
            for s in sources
        ]
        await insert_rows(c, tables.customer_source, rows, on_conflict=_ADDED)

    async def all(self, c: AsyncConnection, tenant_id: str) -> list[Source]:
        return [Source(*row) for row in await c.execute(_ALL, {"tenant": tenant_id})]

    async def first_time(
        self, c: AsyncConnection, tenant_id: str, events: Sequence[tuple[str, str]], now: datetime
    ) -> set[tuple[str, str]]:
        rows = [{"tenant_id": tenant_id, "source": s, "event_id": e, "at": now} for s, e in events]
        added = await insert_rows(
            c,
            tables.customer_event,
            rows,
            on_conflict="ON CONFLICT DO NOTHING",
            returning=("source", "event_id"),
        )
        return {(row.source, row.event_id) for row in added}

    async def unsee(self, c: AsyncConnection, tenant_id: str, source: str, event_id: str) -> None:
        await c.execute(_UNSEE, {"tenant": tenant_id, "source": source, "id": event_id})

    async def forget_events(self, c: AsyncConnection, before: datetime) -> None:
        await c.execute(_FORGET, {"before": before})
