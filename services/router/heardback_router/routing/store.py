"""The inbox, and feedback as it was routed, in Postgres."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.routing.misrouting import Outcome
from heardback_router.routing.tables import inbox
from heardback_shared.clock import Clock
from heardback_shared.contracts.events import FeedbackScored
from heardback_shared.db.bulk import insert_rows
from heardback_shared.db.database import Database

KEEP_EVENTS = timedelta(days=30)
"""Longer than any topic keeps its records: the inbox forgets what no log can deliver again."""
_FORGET = text("""
    DELETE FROM router.inbox WHERE (tenant_id, event_id) IN (
        SELECT tenant_id, event_id FROM router.inbox WHERE received_at < :before LIMIT :some)
""")

_SCORED = text("""
    SELECT revision, pass_number, accepted_at, scored_at, content::text AS content,
        customer::text AS customer, score::text AS score
    FROM router.item_feedback WHERE tenant_id = :tenant AND feedback_id = :id
""")
# One feedback of each of the heaviest items: through their indexes, whatever the size of the tenant.
_RECORDED = text("""
    SELECT found.inputs FROM (
        SELECT id FROM router.item WHERE tenant_id = :tenant
        ORDER BY severity DESC, opened_at, id LIMIT :some
    ) AS asked
    CROSS JOIN LATERAL (
        SELECT decision->'inputs' AS inputs FROM router.item_feedback
        WHERE tenant_id = :tenant AND item_id = asked.id LIMIT 1
    ) AS found
""")
# The first feedback of each item says by what it was routed; the item, what became of it.
_OUTCOMES = text("""
    SELECT found.domain, CAST(found.confidence AS double precision), found.rule, found.won,
        found.first_team, asked.team, asked.transfers
    FROM (
        SELECT id, team, coalesce(CAST(counts->>'transfers' AS integer), 0) AS transfers FROM router.item
        WHERE tenant_id = :tenant AND opened_at >= :since AND parent_id IS NULL LIMIT :some
    ) AS asked
    CROSS JOIN LATERAL (
        SELECT decision->'inputs'->'score'->>'domain' AS domain,
            decision->'inputs'->'score'->>'confidence' AS confidence,
            decision->'winner'->>'rule' AS rule, decision->'winner'->>'team' AS won,
            decision->>'team' AS first_team
        FROM router.item_feedback WHERE tenant_id = :tenant AND item_id = asked.id
        ORDER BY accepted_at, feedback_id LIMIT 1
    ) AS found
""")
_LOOK_AGAIN = text("""
    UPDATE router.item SET timer_at = :at
    WHERE tenant_id = :tenant AND state IN ('open', 'in_progress') AND (timer_at IS NULL OR timer_at > :at)
""")
_LAST_SAID = text("""
    SELECT feedback_id, customer_id, accepted_at, content::text FROM router.item_feedback
    WHERE tenant_id = :tenant AND item_id = :id ORDER BY accepted_at DESC, feedback_id LIMIT 1
""")


class PostgresFeedback:
    async def scored(
        self, connection: AsyncConnection, tenant_id: str, feedback_id: str
    ) -> FeedbackScored | None:
        """The scored event of a feedback, as it was last routed."""
        found = await connection.execute(_SCORED, {"tenant": tenant_id, "id": feedback_id})
        row = found.mappings().first()
        if row is None:
            return None
        accepted = {
            "feedback_id": feedback_id,
            "revision": row["revision"],
            "pass_number": row["pass_number"],
            "accepted_at": row["accepted_at"],
            "content": orjson.loads(row["content"]),
            "customer": orjson.loads(row["customer"]) if row["customer"] else None,
        }
        event = {"accepted": accepted, "score": orjson.loads(row["score"]), "scored_at": row["scored_at"]}
        return FeedbackScored.model_validate_json(orjson.dumps(event))

    async def recorded_inputs(
        self, connection: AsyncConnection, tenant_id: str, some: int
    ) -> list[dict[str, Any]]:
        """What decisions looked at, of one feedback of each of the heaviest items."""
        found = await connection.execute(_RECORDED, {"tenant": tenant_id, "some": some})
        return [inputs for inputs in found.scalars() if inputs]

    async def outcomes(
        self, connection: AsyncConnection, tenant_id: str, since: datetime, some: int
    ) -> list[Outcome]:
        """What became of items opened since then."""
        asked = {"tenant": tenant_id, "since": since, "some": some}
        return [
            Outcome(row[0] or None, row[1], row[2], row[3], row[4] or row[3], row[5], row[6])
            for row in await connection.execute(_OUTCOMES, asked)
        ]

    async def last_said(
        self, connection: AsyncConnection, tenant_id: str, item_id: str
    ) -> tuple[str, str | None, datetime, dict[str, Any]] | None:
        """(feedback, customer, accepted at, content) of the item's newest feedback."""
        found = await connection.execute(_LAST_SAID, {"tenant": tenant_id, "id": item_id})
        row = found.first()
        return (row[0], row[1], row[2], orjson.loads(row[3])) if row else None


class LookAgain:
    """Lets a ladder that came into force count for items that are open already."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def all(self, tenant_id: str) -> int:
        """Makes the timekeeper look at every unresolved item at once; how many there are."""
        async with self._database.tenant(tenant_id) as connection:
            asked = {"tenant": tenant_id, "at": self._clock.now()}
            return (await connection.execute(_LOOK_AGAIN, asked)).rowcount


class PostgresInbox:
    async def remember(
        self, connection: AsyncConnection, tenant_id: str, event_ids: Iterable[str], at: datetime
    ) -> set[str]:
        """Stores the ids and returns those that were new.

        In one order, so that two routers given the same events wait for each other; the second then sees them
        as known.
        """
        rows = [{"tenant_id": tenant_id, "event_id": i, "received_at": at} for i in sorted(set(event_ids))]
        stored = await insert_rows(
            connection, inbox, rows, on_conflict="ON CONFLICT DO NOTHING", returning=("event_id",)
        )
        return {row[0] for row in stored}

    async def forget(self, connection: AsyncConnection, before: datetime, limit: int) -> int:
        """Drops what was received before this instant, of every tenant; needs a worker's transaction.

        Safe at any age: the standing of a link already tells that an event has had its effect. The inbox only
        tells it without reading the event.
        """
        return (await connection.execute(_FORGET, {"before": before, "some": limit})).rowcount
