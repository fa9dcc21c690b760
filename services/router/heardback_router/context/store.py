"""One customer's history from Postgres, each part found by its key. Inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item
from heardback_router.backlog.store import item_of

FEEDBACK_READ = 200
FEEDBACK_SHOWN = 20

_NEWEST = text("""
    SELECT customer_id FROM router.item_feedback
    WHERE tenant_id = :tenant AND item_id = :item AND customer_id IS NOT NULL
    ORDER BY accepted_at DESC, feedback_id LIMIT 1
""")
_BEHIND = text("""
    SELECT 1 FROM router.item_feedback
    WHERE tenant_id = :tenant AND item_id = :item AND customer_id = :customer LIMIT 1
""")
# Documents are large and lie outside the row: only those of the few that are shown are read.
_FEEDBACK = text("""
    WITH newest AS MATERIALIZED (
        SELECT feedback_id, item_id, accepted_at FROM router.item_feedback
        WHERE tenant_id = :tenant AND customer_id = :customer
        ORDER BY accepted_at DESC, feedback_id LIMIT :read
    )
    SELECT newest.feedback_id, newest.item_id, newest.accepted_at, held.channel, held.severity, held.band,
        held.content -> 'metric' AS metric, held.score -> 'sentiment' ->> 'label' AS sentiment,
        held.score ->> 'satisfaction' AS satisfaction, held.customer
    FROM newest
    LEFT JOIN LATERAL (
        SELECT channel, severity, band, content, score, customer FROM router.item_feedback
        WHERE tenant_id = :tenant AND feedback_id = newest.feedback_id LIMIT 1
    ) AS held ON newest.feedback_id IN (
        SELECT feedback_id FROM newest ORDER BY accepted_at DESC, feedback_id LIMIT :shown
    )
    ORDER BY newest.accepted_at DESC, newest.feedback_id
""")
_ITEMS = text("""
    SELECT held.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT * FROM router.item WHERE tenant_id = :tenant AND id = asked.id LIMIT 1
    ) AS held
    ORDER BY held.opened_at DESC, held.id
""")
_LOOPS = text("""
    SELECT held.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT id, item_id, round, state, since, reason, result, message, opened_at FROM router.loop
        WHERE tenant_id = :tenant AND item_id = asked.id AND customer_id = :customer AND merged_into IS NULL
    ) AS held
    ORDER BY held.opened_at DESC, held.id
""")


@dataclass(frozen=True, slots=True)
class History:
    """The newest FEEDBACK_READ feedbacks of a customer count; `feedback` holds the newest of them in full.

    `snapshot` is the customer as known with the newest feedback.
    """

    feedback_count: int
    first_at: datetime | None
    feedback: Sequence[Mapping[str, Any]]
    items: Sequence[Item]
    loops: Sequence[RowMapping]
    snapshot: Mapping[str, Any] | None


class PostgresContext:
    async def newest_customer(self, connection: AsyncConnection, tenant_id: str, item_id: str) -> str | None:
        """Who gave the newest feedback of the item; None where nobody is named."""
        found = await connection.scalar(_NEWEST, {"tenant": tenant_id, "item": item_id})
        return str(found) if found is not None else None

    async def is_behind(
        self, connection: AsyncConnection, tenant_id: str, item_id: str, customer_id: str
    ) -> bool:
        asked = {"tenant": tenant_id, "item": item_id, "customer": customer_id}
        return await connection.scalar(_BEHIND, asked) is not None

    async def history(self, connection: AsyncConnection, tenant_id: str, customer_id: str) -> History:
        asked: dict[str, Any] = {"tenant": tenant_id, "customer": customer_id}
        limits = {"read": FEEDBACK_READ, "shown": FEEDBACK_SHOWN}
        rows = (await connection.execute(_FEEDBACK, {**asked, **limits})).mappings().all()
        ids = list(dict.fromkeys(row["item_id"] for row in rows))
        items = (await connection.execute(_ITEMS, {"tenant": tenant_id, "ids": ids})).mappings().all()
        loops = (await connection.execute(_LOOPS, {**asked, "ids": ids})).mappings().all()
        snapshot = next((row["customer"] for row in rows if row["customer"] is not None), None)
        return History(
            len(rows),
            rows[-1]["accepted_at"] if rows else None,
            [_shown(row) for row in rows[:FEEDBACK_SHOWN]],
            [item_of(row) for row in items],
            loops,
            _loaded(snapshot),
        )


def _shown(row: RowMapping) -> dict[str, Any]:
    satisfaction = row["satisfaction"]
    return {
        "feedback_id": row["feedback_id"],
        "item_id": row["item_id"],
        "accepted_at": row["accepted_at"],
        "channel": row["channel"],
        "severity": {"score": row["severity"], "band": row["band"]},
        "metric": _loaded(row["metric"]),
        "sentiment": row["sentiment"],
        "satisfaction": float(satisfaction) if satisfaction is not None else None,
    }


def _loaded(value: Any) -> Any:
    """Raw SQL gives JSON as text unless the driver was told its type."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value
