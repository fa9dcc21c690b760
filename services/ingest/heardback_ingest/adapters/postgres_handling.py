"""How customers are to be treated, and their contracts, in PostgreSQL. Only ever added to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters.postgres_customers import loaded
from heardback_ingest.domain.handling import ContractVersion
from heardback_shared.db.database import to_json

_LOCK = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('heardback.handling/' || :tenant || '/' || :id, 0))"
)
_ADD = text("""
INSERT INTO ingest.handling (tenant_id, customer_id, version, sealed, parts, actor, at)
SELECT :tenant, :id, coalesce(max(version), 0) + 1, :sealed, CAST(:parts AS text[]), :actor, :now
FROM ingest.handling WHERE tenant_id = :tenant AND customer_id = :id
RETURNING version
""")
_AT = text("""
SELECT version, sealed, actor, at FROM ingest.handling
WHERE tenant_id = :tenant AND customer_id = :id AND at <= :at ORDER BY version DESC LIMIT 1
""")
_ADD_CONTRACT = text("""
INSERT INTO ingest.contract
    (tenant_id, customer_id, number, version, effective_from, effective_to, terms, actor, at)
VALUES (:tenant, :id, :number, :version, :effective_from, :effective_to, CAST(:terms AS jsonb), :actor, :at)
""")
_CONTRACTS = text("""
SELECT number, version, effective_from, effective_to, terms, actor, at FROM ingest.contract
WHERE tenant_id = :tenant AND customer_id = :id ORDER BY number, version
""")
_KNOWN = text("""
SELECT asked.id, handled.parts, agreed.number, belongs.account_id
FROM unnest(CAST(:ids AS text[])) AS asked(id)
LEFT JOIN LATERAL (
    SELECT parts FROM ingest.handling WHERE tenant_id = :tenant AND customer_id = asked.id
    ORDER BY version DESC LIMIT 1
) AS handled ON true
LEFT JOIN LATERAL (
    SELECT number FROM ingest.contract WHERE tenant_id = :tenant AND customer_id = asked.id
        AND effective_from <= :now AND (effective_to IS NULL OR effective_to > :now) LIMIT 1
) AS agreed ON true
LEFT JOIN LATERAL (
    SELECT account_id FROM ingest.membership WHERE tenant_id = :tenant AND customer_id = asked.id
        AND from_at <= :now ORDER BY from_at DESC LIMIT 1
) AS belongs ON true
""")


class PostgresHandling:
    async def lock(self, c: AsyncConnection, tenant_id: str, customer_id: str) -> None:
        await c.execute(_LOCK, {"tenant": tenant_id, "id": customer_id})

    async def add_handling(
        self,
        c: AsyncConnection,
        tenant_id: str,
        customer_id: str,
        sealed: bytes,
        parts: Sequence[str],
        actor: str,
        now: datetime,
    ) -> int:
        values = {"sealed": sealed, "parts": list(parts), "actor": actor, "now": now}
        return int((await c.execute(_ADD, {"tenant": tenant_id, "id": customer_id, **values})).scalar_one())

    async def handling(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, at: datetime
    ) -> tuple[int, bytes, str, datetime] | None:
        row = (await c.execute(_AT, {"tenant": tenant_id, "id": customer_id, "at": at})).first()
        return None if row is None else (row.version, row.sealed, row.actor, row.at)

    async def add_contract(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, version: ContractVersion
    ) -> None:
        values: dict[str, Any] = {
            name: getattr(version, name) for name in ContractVersion.__dataclass_fields__
        }
        values["terms"] = to_json(version.terms)
        await c.execute(_ADD_CONTRACT, {"tenant": tenant_id, "id": customer_id, **values})

    async def contracts(self, c: AsyncConnection, tenant_id: str, customer_id: str) -> list[ContractVersion]:
        rows = await c.execute(_CONTRACTS, {"tenant": tenant_id, "id": customer_id})
        return [
            ContractVersion(
                r.number, r.version, r.effective_from, r.effective_to, loaded(r.terms), r.actor, r.at
            )
            for r in rows
        ]

    async def known_parts(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], now: datetime
    ) -> dict[str, set[str]]:
        rows = await c.execute(_KNOWN, {"tenant": tenant_id, "ids": list(ids), "now": now})
        return {
            r.id: {
                *(r.parts or ()),
                *(("contract",) if r.number else ()),
                *(("account",) if r.account_id else ()),
            }
            for r in rows
        }
