"""The delivery log and replays over HTTP."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from heardback_router.deliveries.domain import DeliveryState
from heardback_router.deliveries.log import DeliveryLog
from heardback_router.deliveries.schemas import (
    READ,
    WRITE,
    DeliveryList,
    DeliveryOut,
    Id,
    IdFilter,
    ReplayIn,
    ReplayOut,
    show_delivery,
    show_replay,
)
from heardback_shared.access.keys import Principal
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

Cursor = Annotated[str | None, Query(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=100)]


def log_routes(log: DeliveryLog, guard: Guard) -> APIRouter:
    router = APIRouter(prefix="/v1")
    _add_delivery_routes(router, log, guard)
    _add_replay_routes(router, log, guard)
    return router


def _add_delivery_routes(router: APIRouter, log: DeliveryLog, guard: Guard) -> None:
    may_write, may_read = Depends(guard.needs(WRITE)), Depends(guard.needs(READ))

    @router.get("/deliveries", tags=["deliveries"], summary="Deliveries with their attempts, newest first")
    async def search(
        message: IdFilter = None,
        endpoint: IdFilter = None,
        state: DeliveryState | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
        who: Principal = may_read,
    ) -> DeliveryList:
        given = {"message_id": message, "endpoint_id": endpoint, "state": state}
        filters = {column: value for column, value in given.items() if value is not None}
        found = await log.deliveries(who.tenant_id, filters, read_cursor(cursor), limit + 1)
        return page(found, limit)

    @router.get("/deliveries/{delivery_id}", tags=["deliveries"], summary="One delivery with its attempts")
    async def one(delivery_id: Id, who: Principal = may_read) -> DeliveryOut:
        return show_delivery(await log.delivery(who.tenant_id, delivery_id))

    @router.post(
        "/deliveries/{delivery_id}:replay",
        status_code=202,
        tags=["deliveries"],
        summary="Send it again: same id, same bytes",
    )
    async def replay(delivery_id: Id, who: Principal = may_write) -> DeliveryOut:
        return show_delivery(await log.replay(who.tenant_id, delivery_id))


def _add_replay_routes(router: APIRouter, log: DeliveryLog, guard: Guard) -> None:
    may_write, may_read = Depends(guard.needs(WRITE)), Depends(guard.needs(READ))

    @router.post(
        "/endpoints/{endpoint_id}:replay",
        status_code=202,
        tags=["deliveries"],
        summary="Send a time range again, or what of it never arrived",
    )
    async def replay(endpoint_id: Id, body: ReplayIn, who: Principal = may_write) -> ReplayOut:
        made = await log.replay_range(
            who.tenant_id, endpoint_id, body.which, body.since, body.until, f"key:{who.name}"
        )
        return show_replay(*made)

    @router.get(
        "/endpoints/{endpoint_id}/replays/{replay_id}", tags=["deliveries"], summary="How far a replay is"
    )
    async def progress(endpoint_id: Id, replay_id: Id, who: Principal = may_read) -> ReplayOut:
        return show_replay(*await log.replay_progress(who.tenant_id, endpoint_id, replay_id))


def page(rows: Sequence[Mapping[str, Any]], limit: int) -> DeliveryList:
    """At most `limit` of the rows, of which there is one more when another page follows."""
    shown = rows[:limit]
    more = len(rows) > limit
    return DeliveryList(
        deliveries=[show_delivery(row) for row in shown], next_cursor=_cursor(shown[-1]) if more else None
    )


def _cursor(row: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{row['created_at'].isoformat()} {row['id']}".encode()).decode()


def read_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    try:
        at, delivery_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        created_at = datetime.fromisoformat(at)
        if created_at.tzinfo is None or "\x00" in delivery_id:
            raise ValueError
    except (ValueError, binascii.Error) as error:
        problem = (("query:cursor", "is not a cursor of ours; take next_cursor from the page before"),)
        raise invalid(problem) from error
    return created_at, delivery_id
