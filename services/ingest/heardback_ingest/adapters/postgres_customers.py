"""Customers in PostgreSQL, and the snapshot of them that rides on events."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_ingest.adapters import tables
from heardback_ingest.domain.customer import Ages, snapshot_fields
from heardback_ingest.ports import CustomerFacts
from heardback_shared.contracts.customer import CustomerSnapshot
from heardback_shared.contracts.events import CustomerStanding
from heardback_shared.db.bulk import insert_rows

CONTACT_DAYS = 30
_FACTS = text("""
SELECT asked.id, person.person_id, customer.fields, customer.class AS settled, agreed.contract,
    past.contacts, past.answers, stands.figures
FROM unnest(CAST(:ids AS text[])) AS asked(id)
LEFT JOIN LATERAL (
    SELECT person_id, members FROM ingest.identity
    WHERE tenant_id = :tenant AND customer_id = asked.id LIMIT 1
) AS person ON true
LEFT JOIN LATERAL (
    SELECT fields, class FROM ingest.customer WHERE tenant_id = :tenant AND id = asked.id LIMIT 1
) AS customer ON true
LEFT JOIN LATERAL (
    SELECT number || '@' || version AS contract FROM ingest.contract
    WHERE tenant_id = :tenant AND customer_id = asked.id AND effective_from <= :now
        AND (effective_to IS NULL OR effective_to > :now)
    ORDER BY effective_from DESC, version DESC LIMIT 1
) AS agreed ON true
CROSS JOIN LATERAL (
    SELECT json_agg(s.figures) AS figures FROM unnest(coalesce(person.members, ARRAY[asked.id])) AS m(id)
    CROSS JOIN LATERAL (
        SELECT figures FROM ingest.standing WHERE tenant_id = :tenant AND customer_id = m.id LIMIT 1
    ) s
) AS stands
CROSS JOIN LATERAL (
    SELECT count(DISTINCT f.id) FILTER (WHERE f.accepted_at > :since) AS contacts,
        (array_agg(f.id || ' ' || f.metric_value ORDER BY f.accepted_at DESC, f.revision DESC, f.id)
            FILTER (WHERE f.metric_value IS NOT NULL))[1:20] AS answers
    FROM unnest(coalesce(person.members, ARRAY[asked.id])) AS m(id)
    CROSS JOIN LATERAL (
        SELECT id, revision, accepted_at, metric_value FROM ingest.feedback
        WHERE tenant_id = :tenant AND customer_id = m.id ORDER BY accepted_at DESC LIMIT 200
    ) f
) AS past
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
        self, c: AsyncConnection, tenant_id: str, ids: Sequence[str], ages: Ages, now: datetime
    ) -> dict[str, CustomerFacts]:
        since = now - timedelta(days=CONTACT_DAYS)
        rows = await c.execute(_FACTS, {"tenant": tenant_id, "ids": list(ids), "since": since, "now": now})
        return {
            row.id: CustomerFacts(
                _snapshot(row, ages, now),
                row.contacts,
                _answers(row.answers),
                summed(row.figures),
            )
            for row in rows
        }

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


def _snapshot(row: Row[Any], ages: Ages, now: datetime) -> CustomerSnapshot:
    known = {"id": row.id, "taken_at": now, "person_id": row.person_id, "contract": row.contract}
    if row.fields is None:
        return _NOTHING_KNOWN.model_copy(update=known)
    settled = loaded(row.settled) if row.settled is not None else None
    return CustomerSnapshot.model_validate(
        {**snapshot_fields(loaded(row.fields), ages, now, settled), **known}
    )


def _answers(answers: Sequence[str] | None) -> tuple[tuple[str, float], ...]:
    return tuple((a, float(v)) for a, v in (answer.split(" ", 1) for answer in answers or ()))


def summed(figures: Any) -> dict[str, int]:
    """The figures of all standings of one person, added up; none known gives none."""
    every: list[dict[str, int]] = [] if figures is None else loaded(figures)
    if len(every) == 1:
        return every[0]
    return {name: sum(f.get(name, 0) for f in every) for name in FIGURES} if every else {}


def loaded(fields: Any) -> Any:
    """Raw SQL gives JSON as text unless the driver was told its type."""
    return orjson.loads(fields) if isinstance(fields, str | bytes) else fields
