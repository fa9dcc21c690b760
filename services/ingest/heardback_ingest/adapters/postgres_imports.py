"""Imports of customers and passes over their classes, in PostgreSQL."""

from dataclasses import fields
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters.postgres_customers import loaded
from heardback_ingest.customer_ports import ClassRun, Import
from heardback_shared.db.database import to_json

_IMPORT = "id, source, as_of, counts, last_line, refused, started_by, started_at, updated_at"
_GET_IMPORT = f"SELECT {_IMPORT} FROM ingest.customer_import WHERE tenant_id = :tenant AND id = :id"  # noqa: S608
_PUT_IMPORT = text("""
INSERT INTO ingest.customer_import
    (tenant_id, id, source, as_of, counts, last_line, refused, started_by, started_at, updated_at)
VALUES (:tenant, :id, :source, :as_of, CAST(:counts AS jsonb), :last_line, CAST(:refused AS jsonb),
    :started_by, :started_at, :updated_at)
ON CONFLICT (tenant_id, id) DO UPDATE SET counts = excluded.counts, last_line = excluded.last_line,
    refused = excluded.refused, updated_at = excluded.updated_at
""")
_RUN = "id, policy, state, cursor, looked_at, moved, waiting, started_by, started_at, updated_at"
_NEWEST = (
    f"SELECT {_RUN} FROM ingest.class_run "  # noqa: S608
    "WHERE tenant_id = :tenant ORDER BY number DESC LIMIT 1"
)
_LOCK_RUNS = text("SELECT pg_advisory_xact_lock(hashtextextended('heardback.class_run/' || :tenant, 0))")
_PUT_RUN = text("""
INSERT INTO ingest.class_run
    (tenant_id, id, policy, state, cursor, looked_at, moved, waiting, started_by, started_at, updated_at)
VALUES (:tenant, :id, :policy, :state, :cursor, :looked_at, :moved, :waiting, :started_by, :started_at,
    :updated_at)
ON CONFLICT (tenant_id, id) DO UPDATE SET policy = excluded.policy, state = excluded.state,
    cursor = excluded.cursor, looked_at = excluded.looked_at, moved = excluded.moved,
    waiting = excluded.waiting, updated_at = excluded.updated_at
""")
_TENANTS = text("""
SELECT t.id FROM platform.tenant t
WHERE EXISTS (SELECT 1 FROM ingest.customer c WHERE c.tenant_id = t.id) ORDER BY t.id
""")


class PostgresImports:
    async def get(
        self, c: AsyncConnection, tenant_id: str, import_id: str, *, for_update: bool = False
    ) -> Import | None:
        statement = text(_GET_IMPORT + (" FOR UPDATE" if for_update else ""))
        row = (await c.execute(statement, {"tenant": tenant_id, "id": import_id})).first()
        if row is None:
            return None
        known: dict[str, Any] = dict(row._mapping)
        return Import(**known | {"counts": loaded(row.counts), "refused": tuple(loaded(row.refused))})

    async def put(self, c: AsyncConnection, tenant_id: str, kept: Import) -> None:
        values = {f.name: getattr(kept, f.name) for f in fields(kept)}
        values |= {"counts": to_json(kept.counts), "refused": to_json(list(kept.refused))}
        await c.execute(_PUT_IMPORT, {"tenant": tenant_id, **values})


class PostgresClassRuns:
    async def newest(
        self, c: AsyncConnection, tenant_id: str, *, for_update: bool = False
    ) -> ClassRun | None:
        if for_update:  # by lock rather than row, as there may be none yet
            await c.execute(_LOCK_RUNS, {"tenant": tenant_id})
        row = (await c.execute(text(_NEWEST), {"tenant": tenant_id})).first()
        return None if row is None else ClassRun(*row)

    async def put(self, c: AsyncConnection, tenant_id: str, run: ClassRun) -> None:
        values = {f.name: getattr(run, f.name) for f in fields(run)}
        await c.execute(_PUT_RUN, {"tenant": tenant_id, **values})

    async def tenants(self, c: AsyncConnection) -> list[str]:
        return list((await c.execute(_TENANTS)).scalars())
