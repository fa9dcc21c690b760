"""The route of counters, and how the logs they are counted from are read."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.counters import Tally, summary, tally
from heardback_router.backlog.deeds import as_json
from heardback_router.sla.store import PostgresTimers
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
    """Of the items that changed in these days; `more` when there were more than are counted, the latest."""

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
    connection: AsyncConnection,
    timers: PostgresTimers,
    tenant_id: str,
    team: str | None,
    since: datetime,
    at: datetime,
) -> tuple[list[Tally], bool]:
    """The figures of the items that changed since then, at most ITEMS_COUNTED, and whether there are more."""
    asked = {"tenant": tenant_id, "since": since, "team": team, "limit": ITEMS_COUNTED + 1}
    ids = list((await connection.execute(_CHANGED, asked)).scalars())
    counted = []
    await look_up_by_key(connection)
    for start in range(0, min(len(ids), ITEMS_COUNTED), _BATCH):
        batch = ids[start : min(start + _BATCH, ITEMS_COUNTED)]
        logs = await timers.logs(connection, tenant_id, batch)
        counted += [tally(log, at) for log in logs.values()]
    return counted, len(ids) > ITEMS_COUNTED


def counter_routes(database: Database, timers: PostgresTimers, clock: Clock, guard: Guard) -> APIRouter:
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
            since = at - timedelta(days=days)
            found, more = await tallies(connection, timers, who.tenant_id, team, since, at)
        body: dict[str, Any] = {"team": team, "days": days, "more": more, **summary(found)}
        return as_json(body)

    return router
