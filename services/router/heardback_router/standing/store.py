"""Customers' standing in Postgres. Inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.standing.tables import standings
from heardback_shared.db.bulk import insert_rows

_WAITING = text(
    "SELECT tenant_id, id, item_id, customer_id FROM router.standing_change ORDER BY id LIMIT :limit"
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_DONE = text("DELETE FROM router.standing_change WHERE tenant_id = :tenant AND id = ANY(:ids)")
_BEHIND = text("""
    SELECT DISTINCT found.customer_id FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT customer_id FROM router.item_feedback
        WHERE tenant_id = :tenant AND item_id = asked.id AND customer_id IS NOT NULL
    ) AS found
""")
# What went wrong counts while it is recent; what is open or promised counts however old it is.
_FIGURES = text("""
    SELECT asked.id,
        count(*) FILTER (WHERE held.state IN ('open', 'in_progress')),
        coalesce(sum((held.counts ->> 'transfers')::int) FILTER (WHERE held.updated_at > :since), 0),
        coalesce(sum((held.counts ->> 'open_promises')::int), 0),
        coalesce(sum((held.counts ->> 'broken_promises')::int) FILTER (WHERE held.updated_at > :since), 0),
        coalesce(sum((held.counts ->> 'breaches')::int) FILTER (WHERE held.updated_at > :since), 0)
    FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT DISTINCT item_id FROM router.item_feedback
        WHERE tenant_id = :tenant AND customer_id = asked.id
    ) AS link
    CROSS JOIN LATERAL (
        SELECT state, counts, updated_at FROM router.item
        WHERE tenant_id = :tenant AND id = link.item_id LIMIT 1
    ) AS held
    GROUP BY asked.id
""")
FIGURES = ("open_items", "transfers", "open_promises", "broken_promises", "breaches")
_CHANGED = """
    ON CONFLICT (tenant_id, customer_id) DO UPDATE
    SET counter = router.standing.counter + 1, figures = excluded.figures, at = excluded.at
    WHERE router.standing.figures <> excluded.figures
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    tenant_id: str
    id: int
    item_id: str
    customer_id: str | None


class PostgresStandings:
    async def waiting(self, connection: AsyncConnection, limit: int) -> list[Waiting]:
        """Marks of all tenants, oldest first. In a worker's transaction."""
        return [Waiting(*row) for row in await connection.execute(_WAITING, {"limit": limit})]

    async def lock(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Nobody else counts this tenant's customers until the transaction ends."""
        await connection.execute(_LOCK, {"name": f"heardback.standing/{tenant_id}"})

    async def behind(self, connection: AsyncConnection, tenant_id: str, item_ids: Sequence[str]) -> list[str]:
        """The customers behind these items."""
        found = await connection.execute(_BEHIND, {"tenant": tenant_id, "ids": list(item_ids)})
        return list(found.scalars())

    async def figures(
        self, connection: AsyncConnection, tenant_id: str, customer_ids: Sequence[str], since: datetime
    ) -> dict[str, Mapping[str, int]]:
        """Per customer; one whose feedback is all gone has zeros."""
        asked = {"tenant": tenant_id, "ids": list(customer_ids), "since": since}
        none: Mapping[str, int] = dict.fromkeys(FIGURES, 0)
        found = dict.fromkeys(customer_ids, none)
        for customer_id, *numbers in await connection.execute(_FIGURES, asked):
            found[customer_id] = dict(zip(FIGURES, map(int, numbers), strict=True))
        return found

    async def keep(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        figures: Mapping[str, Mapping[str, int]],
        at: datetime,
    ) -> list[tuple[str, int, Mapping[str, int]]]:
        """Stores what changed; (customer_id, counter, figures) of that alone."""
        rows = [
            {"tenant_id": tenant_id, "customer_id": name, "counter": 1, "figures": dict(held), "at": at}
            for name, held in sorted(figures.items())
        ]
        wanted = ("customer_id", "counter")
        stored = await insert_rows(connection, standings, rows, on_conflict=_CHANGED, returning=wanted)
        return [(row.customer_id, row.counter, figures[row.customer_id]) for row in stored]

    async def done(self, connection: AsyncConnection, tenant_id: str, ids: Sequence[int]) -> None:
        await connection.execute(_DONE, {"tenant": tenant_id, "ids": list(ids)})
