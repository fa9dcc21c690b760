"""The route of loop figures, and how the logs they are counted from are read."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.deeds import as_json
from heardback_router.loops.domain import LoopEvent
from heardback_router.loops.figures import Life, figures
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.db.database import Database
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.http.auth import Guard

LOOPS_COUNTED = 20_000

_LIVES = text("""
SELECT found.id, found.customer_id, found.result, found.raised_at, held.team, held.domain
FROM (
    SELECT id, item_id, customer_id, result, raised_at FROM router.loop
    WHERE tenant_id = :tenant AND since >= :since AND merged_into IS NULL
    ORDER BY since DESC, id LIMIT :limit) AS found
CROSS JOIN LATERAL (
    SELECT team, domain FROM router.item WHERE tenant_id = :tenant AND id = found.item_id LIMIT 1) AS held
""")
_EVENTS = text("""
SELECT held.* FROM unnest(CAST(:ids AS text[])) AS asked (id)
CROSS JOIN LATERAL (
    SELECT loop_id, sequence, round, state, at FROM router.loop_event
    WHERE tenant_id = :tenant AND loop_id = asked.id) AS held
ORDER BY held.loop_id, held.sequence
""")

Name = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]


class FiguresOut(BaseModel):
    """Of the loops that took a step in these days. A group of fewer than ten customers is `suppressed`; hours
    are medians with their n. `more`: only the latest 20 000 loops, of whatever team, were counted."""

    days: int
    more: bool
    all: dict[str, Any]
    teams: dict[str, dict[str, Any]] = Field(description="By team, shaped as `all`")
    domains: dict[str, dict[str, Any]] = Field(description="By domain of the root cause, shaped as `all`")


def figure_routes(database: Database, clock: Clock, guard: Guard) -> APIRouter:
    """Has to stand before the routes behind links: a link's address takes whatever follows /v1/loops/."""
    router = APIRouter(tags=["loops"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get(
        "/v1/loops/figures",
        response_model=FiguresOut,
        summary="How often loops close and are confirmed, and how long that takes",
    )
    async def tell(
        who: readers,
        team: Name = None,
        domain: Name = None,
        days: Annotated[int, Query(ge=1, le=366)] = 30,
    ) -> Response:
        since = clock.now() - timedelta(days=days)
        async with database.tenant(who.tenant_id) as connection:
            found, more = await lives(connection, who.tenant_id, since, team, domain)
        return as_json({"days": days, "more": more, **figures(found)})

    return router


async def lives(
    connection: AsyncConnection, tenant_id: str, since: datetime, team: str | None, domain: str | None
) -> tuple[list[Life], bool]:
    """Of the latest LOOPS_COUNTED loops that took a step since then, those of the team and domain; and
    whether there were more than those to look at."""
    await look_up_by_key(connection)
    asked = {
        "tenant": tenant_id,
        "since": since,
        "limit": LOOPS_COUNTED + 1,
    }
    found = (await connection.execute(_LIVES, asked)).mappings().all()
    rows = [
        row
        for row in found[:LOOPS_COUNTED]
        if team in {None, row["team"]} and domain in {None, row["domain"]}
    ]
    ids = [row["id"] for row in rows]
    logs: dict[str, list[LoopEvent]] = defaultdict(list)
    for one in await connection.execute(_EVENTS, {"tenant": tenant_id, "ids": ids}):
        logs[one.loop_id].append(LoopEvent(one.sequence, one.round, one.state, one.at, ""))
    counted = [
        Life(
            row["customer_id"],
            row["team"],
            row["domain"],
            row["result"],
            row["raised_at"],
            logs[row["id"]],
        )
        for row in rows
    ]
    return counted, len(found) > LOOPS_COUNTED
