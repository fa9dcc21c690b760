"""Profiles of customers in PostgreSQL: what is known, the settled class, and the record of its changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import customer_tables as tables
from heardback_ingest.adapters.postgres_customers import CONTACT_DAYS, loaded, summed
from heardback_ingest.customer_ports import Profile
from heardback_shared.db.bulk import insert_rows

_LOCK = text("""
SELECT pg_advisory_xact_lock(ordered.key) FROM (
    SELECT DISTINCT hashtextextended('heardback.customer/' || :tenant || '/' || id, 0) AS key
    FROM unnest(CAST(:ids AS text[])) AS asked(id) ORDER BY key
) AS ordered
""")
_READ = text("""
SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT id, fields, personal, class AS settled FROM ingest.customer
    WHERE tenant_id = :tenant AND id = asked.id LIMIT 1
) AS found
""")
_PAGE = """
SELECT id, fields, personal, class AS settled FROM ingest.customer
WHERE tenant_id = :tenant AND id > :after {waiting} ORDER BY id LIMIT :limit
"""
_HISTORY = text("""
SELECT asked.id, past.contacts, stands.figures
FROM unnest(CAST(:ids AS text[])) AS asked(id)
LEFT JOIN LATERAL (
    SELECT members FROM ingest.identity WHERE tenant_id = :tenant AND customer_id = asked.id LIMIT 1
) AS person ON true
CROSS JOIN LATERAL (
    SELECT json_agg(s.figures) AS figures FROM unnest(coalesce(person.members, ARRAY[asked.id])) AS m(id)
    CROSS JOIN LATERAL (
        SELECT figures FROM ingest.standing WHERE tenant_id = :tenant AND customer_id = m.id LIMIT 1
    ) s
) AS stands
CROSS JOIN LATERAL (
    SELECT count(DISTINCT f.id) AS contacts FROM unnest(coalesce(person.members, ARRAY[asked.id])) AS m(id)
    CROSS JOIN LATERAL (
        SELECT id FROM ingest.feedback
        WHERE tenant_id = :tenant AND customer_id = m.id AND accepted_at > :since
        ORDER BY accepted_at DESC LIMIT 200
    ) f
) AS past
""")
_CHANGES = text("""
SELECT record FROM ingest.class_change
WHERE tenant_id = :tenant AND customer_id = :id ORDER BY at DESC, id DESC LIMIT :limit
""")
_NEWER = """
ON CONFLICT (tenant_id, id) DO UPDATE SET fields = excluded.fields, personal = excluded.personal,
    class = excluded.class, updated_at = excluded.updated_at
"""


_WROTE = text("""
SELECT EXISTS (
    SELECT FROM ingest.feedback WHERE tenant_id = :tenant AND customer_id = :id
        AND accepted_at > coalesce(CAST(:since AS timestamptz), '-infinity')
)
""")


class PostgresProfiles:
    async def lock(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]) -> None:
        await c.execute(_LOCK, {"tenant": tenant_id, "ids": list(ids)})

    async def read(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]) -> dict[str, Profile]:
        rows = await c.execute(_READ, {"tenant": tenant_id, "ids": list(ids)})
        return {row.id: _profile(row) for row in rows}

    async def page(
        self, c: AsyncConnection, tenant_id: str, after: str, limit: int, *, waiting: bool = False
    ) -> list[Profile]:
        statement = text(_PAGE.format(waiting="AND class ? 'keeps'" if waiting else ""))
        rows = await c.execute(statement, {"tenant": tenant_id, "after": after, "limit": limit})
        return [_profile(row) for row in rows]

    async def put(
        self, c: AsyncConnection, tenant_id: str, profiles: Sequence[Profile], now: datetime
    ) -> None:
        rows = [
            {
                "tenant_id": tenant_id,
                "id": p.customer_id,
                "fields": p.fields,
                "personal": p.personal,
                "class": p.settled,
                "updated_at": now,
            }
            for p in profiles
        ]
        await insert_rows(c, tables.customer, rows, on_conflict=_NEWER)

    async def history(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], now: datetime
    ) -> dict[str, dict[str, int]]:
        since = now - timedelta(days=CONTACT_DAYS)
        rows = await c.execute(_HISTORY, {"tenant": tenant_id, "ids": list(ids), "since": since})
        return {row.id: {**summed(row.figures), "contacts_30d": row.contacts} for row in rows}

    async def wrote_since(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, since: datetime | None
    ) -> bool:
        asked = {"tenant": tenant_id, "id": customer_id, "since": since}
        return bool(await c.scalar(_WROTE, asked))

    async def note_class(
        self, c: AsyncConnection, tenant_id: str, rows: Sequence[tuple[str, Mapping[str, Any]]], now: datetime
    ) -> None:
        changes = [
            {"tenant_id": tenant_id, "customer_id": i, "at": now, "record": record} for i, record in rows
        ]
        await insert_rows(c, tables.class_change, changes)

    async def class_history(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, limit: int
    ) -> list[Mapping[str, Any]]:
        asked = {"tenant": tenant_id, "id": customer_id, "limit": limit}
        return [loaded(record) for record in (await c.execute(_CHANGES, asked)).scalars()]


def _profile(row: Any) -> Profile:
    settled = loaded(row.settled) if row.settled is not None else None
    return Profile(row.id, loaded(row.fields), row.personal, settled)
