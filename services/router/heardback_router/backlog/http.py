"""The backlog's routes: lists, one item with everything about it, and what people do to it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from heardback_router.backlog.app import (
    Backlog,
)
from heardback_router.backlog.commands import (
    Claim,
    Close,
    Comment,
    Reassign,
    Reopen,
    Resolve,
    Start,
)
from heardback_router.backlog.deeds import Deed, as_json, carry_out, deeds, etag, known
from heardback_router.backlog.listing import MAX_LIMIT, CursorError, Filters, Place, read, spell
from heardback_router.backlog.ports import ItemClocks, Loops
from heardback_router.backlog.reader import PostgresBacklog
from heardback_router.backlog.schemas import (
    BacklogOut,
    ClaimIn,
    CommentIn,
    ItemDetailOut,
    ItemOut,
    PageOut,
    ReasonIn,
    ReassignIn,
    ResolveIn,
    StartIn,
    counted,
    shown,
    shown_children,
    shown_entries,
)
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

Asked = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]


def backlog_routes(
    database: Database,
    backlog: Backlog,
    reader: PostgresBacklog,
    loops: Loops,
    clocks: ItemClocks,
    teams: Mapping[str, str],
    guard: Guard,
) -> APIRouter:
    router = APIRouter(tags=["backlog"])
    _add_reading(router, database, reader, loops, clocks, teams, guard)
    _add_commands(router, backlog, guard)
    return router


def _add_reading(
    router: APIRouter,
    database: Database,
    reader: PostgresBacklog,
    loops: Loops,
    clocks: ItemClocks,
    teams: Mapping[str, str],
    guard: Guard,
) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get(
        "/v1/items", response_model=PageOut, summary="A page of the backlog, heaviest and oldest first"
    )
    async def list_items(
        who: readers,
        filters: Annotated[Filters, Depends(_filters)],
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    ) -> Response:
        after = _place(cursor, filters)
        async with database.tenant(who.tenant_id) as connection:
            found = await reader.page(connection, who.tenant_id, filters, after, limit + 1)
            page = found[:limit]
            told = await clocks.stored(connection, who.tenant_id, [item.id for item in page])
        last = page[-1] if len(found) > limit else None
        following = spell(Place(last.weight.score, last.opened_at, last.id), filters) if last else None
        return as_json({"items": [shown(i, told.get(i.id)) for i in page], "next_cursor": following})

    @router.get(
        "/v1/items/{item_id}", response_model=ItemDetailOut, summary="One item with everything about it"
    )
    async def get_item(item_id: str, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            item = await reader.item(connection, who.tenant_id, known(item_id))
            if item is None:
                raise not_found(f"Item {item_id}")
            body = {
                **shown(item, await clocks.now(connection, who.tenant_id, item.id)),
                "children": shown_children(await reader.children(connection, who.tenant_id, item)),
                "resolution": asdict(item.resolution) if item.resolution else None,
                "timeline": shown_entries(await reader.timeline(connection, who.tenant_id, item.id)),
                "feedback": await reader.feedback(connection, who.tenant_id, item.id),
                "loops": await loops.of_item(connection, who.tenant_id, item.id),
            }
        return as_json(body, {"ETag": etag(item)})

    @router.get("/v1/backlog", response_model=BacklogOut, summary="How much every team has to do")
    async def overview(who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            counts = await reader.counts(connection, who.tenant_id)
        return as_json({"teams": counted(teams, counts)})


def _add_commands(router: APIRouter, backlog: Backlog, guard: Guard) -> None:
    deeds_of = Annotated[Deed, deeds(guard)]

    @router.post(
        "/v1/items/{item_id}:claim", response_model=ItemOut, summary="Take it, or give it to somebody"
    )
    async def claim(body: ClaimIn, deed: deeds_of) -> Response:
        return await carry_out(backlog, deed, Claim(body.assignee or deed.actor))

    @router.post("/v1/items/{item_id}:start", response_model=ItemOut, summary="Work on it has begun")
    async def start(deed: deeds_of, body: StartIn | None = None) -> Response:
        return await carry_out(backlog, deed, Start())

    @router.post("/v1/items/{item_id}:comment", response_model=ItemOut, summary="Say something to colleagues")
    async def comment(body: CommentIn, deed: deeds_of) -> Response:
        return await carry_out(backlog, deed, Comment(InternalText(body.text)))

    @router.post("/v1/items/{item_id}:resolve", response_model=ItemOut, summary="It is solved")
    async def resolve(body: ResolveIn, deed: deeds_of) -> Response:
        return await carry_out(backlog, deed, _resolve(body))

    @router.post("/v1/items/{item_id}:reopen", response_model=ItemOut, summary="It is not solved after all")
    async def reopen(body: ReasonIn, deed: deeds_of) -> Response:
        return await carry_out(backlog, deed, Reopen(InternalText(body.reason)))

    @router.post("/v1/items/{item_id}:reassign", response_model=ItemOut, summary="Give it to another team")
    async def reassign(body: ReassignIn, deed: deeds_of) -> Response:
        return await carry_out(backlog, deed, Reassign(body.team, InternalText(body.reason)))

    @router.post(
        "/v1/items/{item_id}:close", response_model=ItemOut, summary="Close it without waiting for answers"
    )
    async def close(body: ReasonIn, deed: deeds_of) -> Response:
        return await carry_out(backlog, deed, Close(InternalText(body.reason)))


def _filters(
    team: Asked = None,
    assignee: Asked = None,
    state: Annotated[list[ItemState] | None, Query()] = None,
    band: Annotated[list[Band] | None, Query()] = None,
    domain: Asked = None,
    customer: Asked = None,
    q: Asked = None,
) -> Filters:
    return Filters(team, assignee, tuple(state or ()), tuple(band or ()), domain, customer, q)


def _place(cursor: str | None, filters: Filters) -> Place | None:
    try:
        return read(cursor, filters) if cursor is not None else None
    except CursorError as error:
        raise invalid((("query:cursor", str(error)),)) from error


def _resolve(body: ResolveIn) -> Resolve:
    tell = (
        CustomerText(body.tell_customer.text)
        if body.tell_customer
        else InternalText(body.not_telling_because or "")
    )
    return Resolve(InternalText(body.root_cause), InternalText(body.action), tell)
