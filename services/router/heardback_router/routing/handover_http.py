"""What the next team needs to know, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from heardback_router.backlog.deeds import as_json, known
from heardback_router.backlog.reader import PostgresBacklog
from heardback_router.routing.handover import handover, last_words_of
from heardback_router.routing.store import PostgresFeedback
from heardback_shared.access.keys import Principal
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import not_found


def handover_routes(
    database: Database, reader: PostgresBacklog, feedback: PostgresFeedback, guard: Guard
) -> APIRouter:
    router = APIRouter(tags=["backlog"])
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get("/v1/items/{item_id}/handover", summary="What a team needs to know of an item it was given")
    async def packet(item_id: str, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            item = await reader.item(connection, who.tenant_id, known(item_id))
            if item is None:
                raise not_found(f"Item {item_id}")
            log = await reader.timeline(connection, who.tenant_id, item.id)
            said = await feedback.last_said(connection, who.tenant_id, item.parent_id or item.id)
        return as_json(handover(item, log, last_words_of(*said) if said else None))

    return router
