"""The route of counters, and how the logs they are counted from are read."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import JSON, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.counters import Tally, summary, tally
from heardback_router.backlog.deeds import as_json
from heardback_router.backlog.domain import ItemEvent
from heardback_router.backlog.store import event_of
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.http.auth import Guard

ITEMS_COUNTED = 5_000
_BATCH = 500

_CHANGED = text("""
    SELECT id FROM router.item
    WHERE tenant_id = :tenant AND updated_at >= :since AND (CAST(:team AS text) IS NULL OR team = :team)
    ORDER BY updated_at DESC, id LIMIT :limit
""")
_LOGS = text("""
    SELECT entry.* FROM unnest(CAST(:ids AS text[])) AS asked(id)
    CROSS JOIN LATERAL (
        SELECT * FROM router.item_event WHERE tenant_id = :tenant AND item_id = asked.id ORDER BY sequence
    ) AS entry
""").columns(data=JSON)


class SpreadOut(BaseModel):
    """`variance` is the unbiased one; None of fewer than two."""

    n: int
    mean: float | None
    median: float | None
    variance: float | None


class ResolutionsOut(BaseModel):
    made: int
    undone: int


class CountersOut(BaseModel):
    """Of the items that changed in these days, the latest first; `more` when there were more than are counted."""

    team: str | None
    days: int
    items: int
    more: bool
    cycle_hours: dict[str, SpreadOut] = Field(description="all, standard, custom, unflagged")
    hours_in_state: dict[str, SpreadOut]
    transfers: SpreadOut
    reopens: SpreadOut
    rework: SpreadOut
    minutes: SpreadOut
    rework_minutes: SpreadOut
    switches: SpreadOut
    responses: dict[str, int]
    resolutions: ResolutionsOut


async def tallies(
    connection: AsyncConnection, tenant_id: str, team: str | None, since: datetime, at: datetime
) -> tuple[list[Tally], bool]:
    """The figures of the items that changed since then, at most ITEMS_COUNTED, and whether there are more."""
    asked = {"tenant": tenant_id, "since": since, "team": team, "limit": ITEMS_COUNTED + 1}
    ids = list((await connection.execute(_CHANGED, asked)).scalars())
    counted = []
    await look_up_by_key(connection)
    for start in range(0, min(len(ids), ITEMS_COUNTED), _BATCH):
        batch = ids[start : min(start + _BATCH, ITEMS_COUNTED)]
        logs: dict[str, list[ItemEvent]] = defaultdict(list)
        rows = await connection.execute(_LOGS, {"tenant": tenant_id, "ids": batch})
        for row in rows.mappings():
            event = event_of(row)
            logs[event.item_id].append(event)
        counted += [tally(log, at) for log in logs.values()]
    return counted, len(ids) > ITEMS_COUNTED


def counter_routes(database: Database, clock: Clock, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["backlog"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get(
        "/v1/backlog/counters",
        response_model=CountersOut,
        summary="Rework, transfers, time spent, stream switches, cycle time",
    )
    async def counters(
        who: readers,
        team: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")] = None,
        days: Annotated[int, Query(ge=1, le=366)] = 30,
    ) -> Response:
        at = clock.now()
        async with database.tenant(who.tenant_id) as connection:
            found, more = await tallies(connection, who.tenant_id, team, at - timedelta(days=days), at)
        body: dict[str, Any] = {"team": team, "days": days, "more": more, **summary(found)}
        return as_json(body)

    return router
