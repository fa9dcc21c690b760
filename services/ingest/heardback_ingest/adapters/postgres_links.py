"""Ids in other systems, what customers share, and who is one person, in PostgreSQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import customer_tables as tables
from heardback_ingest.domain.identity import Change, IdentityEvent
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.planning import look_up_by_key

_OWNERS = text("""
SELECT asked.source, asked.external_id, found.customer_id
FROM unnest(CAST(:sources AS text[]), CAST(:external_ids AS text[])) AS asked(source, external_id)
CROSS JOIN LATERAL (
    SELECT customer_id FROM ingest.external_id
    WHERE tenant_id = :tenant AND source = asked.source AND external_id = asked.external_id LIMIT 1
) AS found
""")
_LOCK_IDS = text("""
SELECT pg_advisory_xact_lock(ordered.key) FROM (
    SELECT DISTINCT hashtextextended(
        'heardback.external_id/' || :tenant || '/' || source || '/' || external_id, 0) AS key
    FROM unnest(CAST(:sources AS text[]), CAST(:external_ids AS text[])) AS asked(source, external_id)
    ORDER BY key
) AS ordered
""")
_UNMAP = text("DELETE FROM ingest.external_id WHERE tenant_id = :tenant AND customer_id = ANY(:ids)")
_UNLIKEN = text("DELETE FROM ingest.likeness WHERE tenant_id = :tenant AND customer_id = ANY(:ids)")
_ALIKE = text("""
SELECT kind, digest, array_agg(customer_id ORDER BY customer_id) AS ids FROM ingest.likeness
WHERE tenant_id = :tenant AND (kind, digest) > (:kind, :digest)
GROUP BY kind, digest HAVING count(*) > 1 ORDER BY kind, digest LIMIT :limit
""")
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('heardback.identity/' || :tenant, 0))")
_EVENT = """SELECT sequence, id, kind, customer_id, into_id, undoes, actor, reason, at
FROM ingest.identity_event"""
_EVENTS = text(f"""
{_EVENT}
WHERE tenant_id = :tenant AND sequence > :after ORDER BY sequence LIMIT :limit
""")
# From one event to those that name the same ids, or that undo each other, and on from there.
_RELATED = text(f"""
WITH RECURSIVE related AS (
    {_EVENT}
    WHERE tenant_id = :tenant AND id = :id
    UNION
    SELECT next.* FROM related AS known
    CROSS JOIN LATERAL (
        {_EVENT}
        WHERE tenant_id = :tenant AND id = known.undoes
        UNION ALL
        {_EVENT}
        WHERE tenant_id = :tenant AND undoes = known.id
        UNION ALL
        {_EVENT}
        WHERE tenant_id = :tenant AND customer_id = known.customer_id
        UNION ALL
        {_EVENT}
        WHERE tenant_id = :tenant AND customer_id = known.into_id
        UNION ALL
        {_EVENT}
        WHERE tenant_id = :tenant AND into_id = known.customer_id
        UNION ALL
        {_EVENT}
        WHERE tenant_id = :tenant AND into_id = known.into_id
    ) AS next
)
SELECT * FROM related ORDER BY sequence
""")  # noqa: S608
_LAST = text("""
SELECT sequence FROM ingest.identity_event WHERE tenant_id = :tenant ORDER BY sequence DESC LIMIT 1
""")
_ADD = text("""
INSERT INTO ingest.identity_event
    (tenant_id, sequence, id, kind, customer_id, into_id, undoes, actor, reason, at)
VALUES (:tenant, :sequence, :id, :kind, :customer_id, :into_id, :undoes, :actor, :reason, :at)
""")
_ALONE = text("DELETE FROM ingest.identity WHERE tenant_id = :tenant AND customer_id = ANY(:ids)")
_JOINED = text("""
INSERT INTO ingest.identity (tenant_id, customer_id, person_id, members)
VALUES (:tenant, :customer_id, :person_id, :members)
""")
_PEOPLE = text("""
SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT customer_id, person_id, members FROM ingest.identity
    WHERE tenant_id = :tenant AND customer_id = asked.id LIMIT 1
) AS found
""")


class PostgresLinks:
    async def owners(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        asked = {"tenant": tenant_id, "sources": [s for s, _ in ids], "external_ids": [e for _, e in ids]}
        rows = await c.execute(_OWNERS, asked)
        return {(row.source, row.external_id): row.customer_id for row in rows}

    async def lock_ids(self, c: AsyncConnection, tenant_id: str, ids: Sequence[tuple[str, str]]) -> None:
        asked = {"tenant": tenant_id, "sources": [s for s, _ in ids], "external_ids": [e for _, e in ids]}
        await c.execute(_LOCK_IDS, asked)

    async def map_ids(self, c: AsyncConnection, tenant_id: str, ids: Mapping[str, Mapping[str, str]]) -> None:
        await c.execute(_UNMAP, {"tenant": tenant_id, "ids": sorted(ids)})
        rows = [
            {"tenant_id": tenant_id, "source": source, "external_id": external_id, "customer_id": customer}
            for customer, mapped in sorted(ids.items())
            for source, external_id in sorted(mapped.items())
        ]
        await insert_rows(c, tables.external_id, rows)

    async def liken(
        self, c: AsyncConnection, tenant_id: str, marks: Mapping[str, Mapping[str, bytes]]
    ) -> None:
        await c.execute(_UNLIKEN, {"tenant": tenant_id, "ids": sorted(marks)})
        rows = [
            {"tenant_id": tenant_id, "kind": kind, "digest": digest, "customer_id": customer}
            for customer, found in sorted(marks.items())
            for kind, digest in sorted(found.items())
        ]
        await insert_rows(c, tables.likeness, rows)

    async def alike(
        self, c: AsyncConnection, tenant_id: str, after: tuple[str, bytes] | None, limit: int
    ) -> list[tuple[str, bytes, tuple[str, ...]]]:
        kind, digest = after or ("", b"")
        rows = await c.execute(_ALIKE, {"tenant": tenant_id, "kind": kind, "digest": digest, "limit": limit})
        return [(row.kind, row.digest, tuple(row.ids)) for row in rows]

    async def lock_identity(self, c: AsyncConnection, tenant_id: str) -> None:
        await c.execute(_LOCK, {"tenant": tenant_id})

    async def related_events(self, c: AsyncConnection, tenant_id: str, event_id: str) -> list[IdentityEvent]:
        await look_up_by_key(c)
        rows = await c.execute(_RELATED, {"tenant": tenant_id, "id": event_id})
        return [IdentityEvent(*row) for row in rows]

    async def identity_events(
        self, c: AsyncConnection, tenant_id: str, after: int, limit: int
    ) -> list[IdentityEvent]:
        rows = await c.execute(_EVENTS, {"tenant": tenant_id, "after": after, "limit": limit})
        return [IdentityEvent(*row) for row in rows]

    async def last_identity_event(self, c: AsyncConnection, tenant_id: str) -> int:
        return int(await c.scalar(_LAST, {"tenant": tenant_id}) or 0)

    async def add_identity_event(self, c: AsyncConnection, tenant_id: str, event: IdentityEvent) -> None:
        values = {name: getattr(event, name) for name in IdentityEvent.__dataclass_fields__}
        await c.execute(_ADD, {"tenant": tenant_id, **values})

    async def keep_identity(self, c: AsyncConnection, tenant_id: str, changed: Sequence[Change]) -> None:
        if not changed:
            return
        await c.execute(_ALONE, {"tenant": tenant_id, "ids": [x.customer_id for x in changed]})
        rows = [
            {
                "tenant": tenant_id,
                "customer_id": x.customer_id,
                "person_id": x.person_id,
                "members": list(x.members),
            }
            for x in changed
            if len(x.members) > 1
        ]
        if rows:
            await c.execute(_JOINED, rows)

    async def people(self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]) -> dict[str, Change]:
        rows = await c.execute(_PEOPLE, {"tenant": tenant_id, "ids": list(ids)})
        return {r.customer_id: Change(r.customer_id, r.person_id, tuple(r.members)) for r in rows}
