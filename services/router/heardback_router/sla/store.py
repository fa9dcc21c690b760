"""Timers, logs and stored clocks in Postgres. Every method works inside the caller's transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.store import event_of, item_of
from heardback_router.sla.seeing import Kept
from heardback_shared.db.database import to_json

_DUE = text("""
    SELECT tenant_id, id, timer_at FROM router.item
    WHERE timer_at <= :now ORDER BY timer_at LIMIT :limit
""")
# Each row is looked up by itself: a join would let the planner read every item of the tenant instead.
_LOCK_DUE = text("""
    SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT * FROM router.item WHERE tenant_id = :tenant AND id = asked.id AND timer_at <= :now
        LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS found
""")
_LOGS = text("""
    SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT item_id, sequence, kind, actor, at, reason, data FROM router.item_event
        WHERE tenant_id = :tenant AND item_id = asked.id ORDER BY sequence LIMIT 100000
    ) AS found
""")
# By an array of ids, each is found through its key; a join might read all of the tenant's.
_KEEP = text("""
    UPDATE router.item
    SET timer_at = (CAST(:timers AS timestamptz[]))[array_position(CAST(:ids AS text[]), id)],
        clocks = COALESCE(
            CAST((CAST(:clocks AS text[]))[array_position(CAST(:ids AS text[]), id)] AS jsonb), clocks),
        due_at = (CAST(:due AS timestamptz[]))[array_position(CAST(:ids AS text[]), id)]
    WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS text[]))
""")
_OTHERWISE_PINNED = text("""
    SELECT * FROM router.item
    WHERE tenant_id = :tenant AND state IN ('open', 'in_progress', 'resolved') AND sla IS DISTINCT FROM :name
    ORDER BY id LIMIT :limit FOR UPDATE
""")
_NEXT_DUE = text("""
    SELECT id, title, team, assignee, state, severity, band, due_at, clocks FROM router.item
    WHERE tenant_id = :tenant AND due_at IS NOT NULL AND due_at <= :until
        AND (CAST(:team AS text) IS NULL OR team = :team)
    ORDER BY due_at, id LIMIT :limit
""")
_CLOCKS = text("""
    SELECT found.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT id, clocks FROM router.item WHERE tenant_id = :tenant AND id = asked.id LIMIT 1
    ) AS found
""")


@dataclass(frozen=True, slots=True)
class DueItem:
    tenant_id: str
    item_id: str
    timer_at: datetime


class PostgresTimers:
    async def due(self, connection: AsyncConnection, now: datetime, limit: int) -> list[DueItem]:
        """Items of all tenants to look at, longest due first. In a worker's transaction."""
        rows = await connection.execute(_DUE, {"now": now, "limit": limit})
        return [DueItem(*row) for row in rows]

    async def lock_due(
        self, connection: AsyncConnection, tenant_id: str, ids: Sequence[str], now: datetime
    ) -> list[Item]:
        """Those of the items that are still due and that nobody else holds."""
        rows = await connection.execute(_LOCK_DUE, {"tenant": tenant_id, "ids": sorted(ids), "now": now})
        return [item_of(row) for row in rows.mappings()]

    async def logs(
        self, connection: AsyncConnection, tenant_id: str, ids: Sequence[str]
    ) -> dict[str, list[ItemEvent]]:
        """The whole log of each item, in order."""
        logs: dict[str, list[ItemEvent]] = defaultdict(list)
        for row in (await connection.execute(_LOGS, {"tenant": tenant_id, "ids": list(ids)})).mappings():
            logs[row["item_id"]].append(event_of(row))
        return logs

    async def keep(self, connection: AsyncConnection, tenant_id: str, kept: Sequence[Kept]) -> None:
        if kept:
            values = {
                "tenant": tenant_id,
                "ids": [one.item_id for one in kept],
                "clocks": [None if one.clocks is None else to_json(one.clocks) for one in kept],
                "due": [one.due_at for one in kept],
                "timers": [one.timer_at for one in kept],
            }
            await connection.execute(_KEEP, values)

    async def clocks(
        self, connection: AsyncConnection, tenant_id: str, ids: Sequence[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """The clocks of each item as of the last look at it."""
        rows = await connection.execute(_CLOCKS, {"tenant": tenant_id, "ids": list(ids)})
        return {row[0]: row[1] for row in rows}

    async def next_due(
        self, connection: AsyncConnection, tenant_id: str, until: datetime, team: str | None, limit: int
    ) -> Sequence[RowMapping]:
        """Items of which a running clock runs out by then, soonest first, with their stored clocks."""
        rows = await connection.execute(
            _NEXT_DUE, {"tenant": tenant_id, "until": until, "team": team, "limit": limit}
        )
        return rows.mappings().all()

    async def otherwise_pinned(
        self, connection: AsyncConnection, tenant_id: str, name: str, limit: int
    ) -> list[Item]:
        """Items not closed that another clock policy is pinned to, locked."""
        rows = await connection.execute(
            _OTHERWISE_PINNED, {"tenant": tenant_id, "name": name, "limit": limit}
        )
        return [item_of(row) for row in rows.mappings()]
