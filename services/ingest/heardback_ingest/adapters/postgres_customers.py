"""Customers in PostgreSQL, and the snapshot of them that rides on events."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import tables
from heardback_ingest.domain.customer import snapshot_fields
from heardback_ingest.ports import CustomerFacts
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import CustomerStanding
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.database import to_json

CONTACT_DAYS = 30
_FACTS = text("""
SELECT asked.id, customer.fields, past.contacts, past.answers, stands.figures
FROM unnest(CAST(:ids AS text[])) AS asked(id)
LEFT JOIN LATERAL (
    SELECT fields FROM ingest.customer WHERE tenant_id = :tenant AND id = asked.id LIMIT 1
) AS customer ON true
LEFT JOIN LATERAL (
    SELECT figures FROM ingest.standing WHERE tenant_id = :tenant AND customer_id = asked.id LIMIT 1
) AS stands ON true
CROSS JOIN LATERAL (
    SELECT count(DISTINCT f.id) FILTER (WHERE f.accepted_at > :since) AS contacts,
        (array_agg(f.id || ' ' || f.metric_value ORDER BY f.accepted_at DESC, f.revision DESC)
            FILTER (WHERE f.metric_value IS NOT NULL))[1:20] AS answers
    FROM (
        SELECT id, revision, accepted_at, metric_value FROM ingest.feedback
        WHERE tenant_id = :tenant AND customer_id = asked.id ORDER BY accepted_at DESC LIMIT 200
    ) f
) AS past
""")
_GET = "SELECT fields, personal FROM ingest.customer WHERE tenant_id = :tenant AND id = :id"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_PUT = text("""
INSERT INTO ingest.customer (tenant_id, id, fields, personal, updated_at)
VALUES (:tenant, :id, CAST(:fields AS jsonb), :personal, :now)
ON CONFLICT (tenant_id, id) DO UPDATE
SET fields = excluded.fields, personal = excluded.personal, updated_at = excluded.updated_at
""")

FIGURES = ("open_items", "transfers", "open_promises", "broken_promises", "breaches")
_LATER = """
ON CONFLICT (tenant_id, customer_id) DO UPDATE
SET counter = excluded.counter, figures = excluded.figures, at = excluded.at
WHERE (ingest.standing.at, ingest.standing.counter) < (excluded.at, excluded.counter)
"""
_NOTHING_KNOWN = CustomerSnapshot()


class PostgresCustomers:
    async def facts(
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], now: datetime
    ) -> dict[str, CustomerFacts]:
        since = now - timedelta(days=CONTACT_DAYS)
        rows = await c.execute(_FACTS, {"tenant": tenant_id, "ids": list(ids), "since": since})
        return {
            row.id: CustomerFacts(
                _snapshot(row.id, row.fields, now),
                row.contacts,
                _answers(row.answers),
                _loaded(row.figures) if row.figures is not None else {},
            )
            for row in rows
        }

    async def get(
        self, c: AsyncConnection, tenant_id: str, customer_id: str, *, for_update: bool = False
    ) -> tuple[dict[str, Any], bytes | None] | None:
        if for_update:
            await c.execute(_LOCK, {"name": f"heardback.customer/{tenant_id}/{customer_id}"})
        row = (await c.execute(text(_GET), {"tenant": tenant_id, "id": customer_id})).first()
        return None if row is None else (_loaded(row.fields), row.personal)

    async def put(
        self,
        c: AsyncConnection,
        tenant_id: str,
        customer_id: str,
        fields: Mapping[str, Any],
        personal: bytes | None,
        now: datetime,
    ) -> None:
        arguments = {
            "tenant": tenant_id,
            "id": customer_id,
            "fields": to_json(fields),
            "personal": personal,
            "now": now,
        }
        await c.execute(_PUT, arguments)

    async def keep_standings(
        self, c: AsyncConnection, tenant_id: str, standings: Sequence[CustomerStanding]
    ) -> None:
        rows = [
            {
                "tenant_id": tenant_id,
                "customer_id": standing.customer_id,
                "counter": standing.counter,
                "figures": standing.model_dump(include=set(FIGURES)),
                "at": standing.at,
            }
            for standing in standings
        ]
        await insert_rows(c, tables.standing, rows, on_conflict=_LATER)


def _snapshot(customer_id: str, fields: Any, now: datetime) -> CustomerSnapshot:
    if fields is None:
        return _NOTHING_KNOWN.model_copy(update={"id": customer_id, "taken_at": now})
    return CustomerSnapshot.model_validate(
        {**snapshot_fields(_loaded(fields)), "id": customer_id, "taken_at": now}
    )


def _answers(answers: Sequence[str] | None) -> tuple[tuple[str, float], ...]:
    return tuple((a, float(v)) for a, v in (answer.split(" ", 1) for answer in answers or ()))


def _loaded(fields: Any) -> dict[str, Any]:
    """Raw SQL gives JSON as text unless the driver was told its type."""
    loaded: dict[str, Any] = orjson.loads(fields) if isinstance(fields, str | bytes) else fields
    return loaded
