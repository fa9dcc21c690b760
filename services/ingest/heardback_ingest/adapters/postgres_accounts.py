"""Accounts, their tree, and who belongs to them, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.customer_ports import Account
from heardback_ingest.domain.accounts import DEEPEST, Membership

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('heardback.accounts/' || :tenant, 0))")
_GET = text("""
SELECT id, name, parent_id, source, at FROM ingest.account WHERE tenant_id = :tenant AND id = :id
""")
_PUT = text("""
INSERT INTO ingest.account (tenant_id, id, name, parent_id, source, at)
VALUES (:tenant, :id, :name, :parent_id, :source, :at)
ON CONFLICT (tenant_id, id) DO UPDATE
SET name = excluded.name, parent_id = excluded.parent_id, source = excluded.source, at = excluded.at
""")
_ABOVE = text("""
WITH RECURSIVE up AS (
    SELECT id, parent_id, 1 AS level FROM ingest.account WHERE tenant_id = :tenant AND id = :id
    UNION ALL
    SELECT a.id, a.parent_id, up.level + 1 FROM up
    JOIN ingest.account a ON a.tenant_id = :tenant AND a.id = up.parent_id WHERE up.level < :levels
) SELECT id, parent_id FROM up
""")
_BELOW = text("""
WITH RECURSIVE down AS (
    SELECT id, name, parent_id, source, at, 1 AS level FROM ingest.account
    WHERE tenant_id = :tenant AND parent_id = :id
    UNION ALL
    SELECT a.id, a.name, a.parent_id, a.source, a.at, down.level + 1 FROM down
    JOIN ingest.account a ON a.tenant_id = :tenant AND a.parent_id = down.id WHERE down.level < :levels
) SELECT id, name, parent_id, source, at FROM down ORDER BY level, id
""")
_JOIN = text("""
INSERT INTO ingest.membership (tenant_id, customer_id, from_at, account_id, source, told_at)
VALUES (:tenant, :customer_id, :from_at, :account_id, :source, :now)
ON CONFLICT (tenant_id, customer_id, from_at) DO UPDATE
SET account_id = excluded.account_id, source = excluded.source, told_at = excluded.told_at
""")
_MEMBERSHIPS = text("""
SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
CROSS JOIN LATERAL (
    SELECT customer_id, from_at, account_id FROM ingest.membership
    WHERE tenant_id = :tenant AND customer_id = asked.id
) AS found ORDER BY found.customer_id, found.from_at
""")
_MEMBERS = text("""
SELECT once.customer_id, last.from_at, last.account_id FROM (
    SELECT DISTINCT m.customer_id FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT customer_id FROM ingest.membership WHERE tenant_id = :tenant AND account_id = asked.id
    ) AS m
) AS once
CROSS JOIN LATERAL (
    SELECT from_at, account_id FROM ingest.membership
    WHERE tenant_id = :tenant AND customer_id = once.customer_id AND from_at <= :at
    ORDER BY from_at DESC LIMIT 1
) AS last
WHERE last.account_id = ANY(:ids) ORDER BY once.customer_id LIMIT :limit
""")


class PostgresAccounts:
    async def lock_tree(self, c: AsyncConnection, tenant_id: str) -> None:
        await c.execute(_LOCK, {"tenant": tenant_id})

    async def account(self, c: AsyncConnection, tenant_id: str, account_id: str) -> Account | None:
        row = (await c.execute(_GET, {"tenant": tenant_id, "id": account_id})).first()
        return None if row is None else Account(*row)

    async def put_account(self, c: AsyncConnection, tenant_id: str, account: Account) -> None:
        values = {name: getattr(account, name) for name in Account.__dataclass_fields__}
        await c.execute(_PUT, {"tenant": tenant_id, **values})

    async def above(self, c: AsyncConnection, tenant_id: str, account_id: str) -> dict[str, str | None]:
        rows = await c.execute(_ABOVE, {"tenant": tenant_id, "id": account_id, "levels": 2 * DEEPEST})
        return {row.id: row.parent_id for row in rows}

    async def below(self, c: AsyncConnection, tenant_id: str, account_id: str, levels: int) -> list[Account]:
        rows = await c.execute(_BELOW, {"tenant": tenant_id, "id": account_id, "levels": levels})
        return [Account(*row) for row in rows]

    async def join(
        self, c: AsyncConnection, tenant_id: str, membership: Membership, source: str, now: datetime
    ) -> None:
        values = {name: getattr(membership, name) for name in Membership.__dataclass_fields__}
        await c.execute(_JOIN, {"tenant": tenant_id, **values, "source": source, "now": now})

    async def memberships(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str]
    ) -> dict[str, list[Membership]]:
        found: dict[str, list[Membership]] = {}
        for row in await c.execute(_MEMBERSHIPS, {"tenant": tenant_id, "ids": list(ids)}):
            found.setdefault(row.customer_id, []).append(Membership(*row))
        return found

    async def members(
        self, c: AsyncConnection, tenant_id: str, account_ids: Sequence[str], at: datetime, limit: int
    ) -> list[Membership]:
        asked = {"tenant": tenant_id, "ids": list(account_ids), "at": at, "limit": limit}
        return [Membership(*row) for row in await c.execute(_MEMBERS, asked)]
