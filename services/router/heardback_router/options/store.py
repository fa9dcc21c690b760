"""Custom requests and decisions about them in Postgres. Inside the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Integer, Table, Text, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.tables import items, metadata
from heardback_router.options.domain import Asked, Decided

ITEMS_READ = 20_000

decisions = Table(
    "option_decision",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("request", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("decision", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("evidence", JSONB, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


class PostgresOptions:
    async def asked(self, connection: AsyncConnection, tenant_id: str, since: datetime) -> list[Asked]:
        """Items flagged custom that were opened since then, the newest first."""
        query = (
            select(items.c.request, items.c.id, items.c.customers, items.c.opened_at, items.c.counts)
            .where(
                items.c.tenant_id == tenant_id,
                items.c.request.is_not(None),
                items.c.opened_at > since,
                items.c.state != "merged",
            )
            .order_by(items.c.opened_at.desc(), items.c.id)
            .limit(ITEMS_READ)
        )
        return [
            Asked(request, item_id, tuple(customers), opened_at, counts.get("minutes", 0))
            for request, item_id, customers, opened_at, counts in await connection.execute(query)
        ]

    async def decided(self, connection: AsyncConnection, tenant_id: str) -> list[Decided]:
        query = (
            select(decisions)
            .where(decisions.c.tenant_id == tenant_id)
            .order_by(decisions.c.at, decisions.c.request)
        )
        return [
            Decided(
                row["request"],
                row["number"],
                row["decision"],
                row["actor"],
                row["reason"],
                row["evidence"]["count"],
                row["at"],
            )
            for row in (await connection.execute(query)).mappings()
        ]

    async def lock(self, connection: AsyncConnection, tenant_id: str, request: str) -> None:
        """Of two who decide at once, the second sees what the first decided."""
        await connection.execute(_LOCK, {"name": f"heardback.option/{tenant_id}/{request}"})

    async def record(
        self, connection: AsyncConnection, tenant_id: str, made: Decided, evidence: Mapping[str, Any]
    ) -> None:
        """`evidence` is what the decision was made on."""
        values = {
            "tenant_id": tenant_id,
            "request": made.request,
            "number": made.number,
            "decision": made.decision,
            "actor": made.actor,
            "reason": made.reason,
            "evidence": dict(evidence),
            "at": made.at,
        }
        await connection.execute(insert(decisions).values(**values))
