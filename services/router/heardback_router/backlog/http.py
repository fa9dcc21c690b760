"""The backlog's routes: lists, one item with everything about it, and what people do to it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime
from sqlalchemy.ext.asyncio import AsyncConnection

from heardback_router.backlog.app import Backlog
from heardback_router.backlog.children import shown_children
from heardback_router.backlog.commands import (
    Claim,
    Close,
    Comment,
    Reassign,
    Reopen,
    Resolve,
    Start,
)
from heardback_router.backlog.deeds import Actor, Deed, actor_of, as_json, carry_out, deeds, etag, known
from heardback_router.backlog.listing import MAX_LIMIT, CursorError, Filters, Place, Sort, read, spell
from heardback_router.backlog.order import Placed
from heardback_router.backlog.pages import shown_whole
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
    ResolvedOut,
    ResolveIn,
    StartIn,
    counted,
    shown,
)
from heardback_router.backlog.views import PostgresViews, View
from heardback_router.backlog.views_http import shown_view
from heardback_router.configuration.source import PolicySource
from heardback_router.wording import CustomerText, InternalText, translated
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
    policies: PolicySource,
    guard: Guard,
) -> APIRouter:
    router = APIRouter(tags=["backlog"])
    views = PostgresViews()
    _add_reading(router, database, reader, views, loops, clocks, policies, guard)
    _add_commands(router, backlog, guard)
    return router


def _add_reading(
    router: APIRouter,
    database: Database,
    reader: PostgresBacklog,
    views: PostgresViews,
    loops: Loops,
    clocks: ItemClocks,
    policies: PolicySource,
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
        view: Annotated[Asked, Query(description="A saved view; what is asked beside it counts more")] = None,
        actor: Actor = None,
    ) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            seen = await _view(connection, who, views, view, actor)
            asked = filters.over(seen.asked) if seen else filters
            after = _place(cursor, asked)
            found = await reader.page(connection, who.tenant_id, asked, after, limit + 1)
            page = found[:limit]
            told = await clocks.stored(connection, who.tenant_id, [row.item.id for row in page])
        following = spell(_place_of(page[-1]), asked) if len(found) > limit else None
        body = {"items": [shown(row.item, told.get(row.item.id)) for row in page], "next_cursor": following}
        return as_json({**body, "view": shown_view(seen) if seen else None})

    @router.get(
        "/v1/items/{item_id}", response_model=ItemDetailOut, summary="One item with everything about it"
    )
    async def get_item(item_id: str, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            row = await reader.placed(connection, who.tenant_id, known(item_id))
            if row is None:
                raise not_found(f"Item {item_id}")
            item = row.item
            body = {
                **shown(item, await clocks.now(connection, who.tenant_id, item.id)),
                **shown_whole(item, await reader.timeline(connection, who.tenant_id, item.id)),
                "children": shown_children(await reader.children(connection, who.tenant_id, item)),
                "feedback": await reader.feedback(connection, who.tenant_id, item.id),
                "loops": await loops.of_item(connection, who.tenant_id, item.id),
            }
        return as_json(body, {"ETag": etag(item)})

    @router.get("/v1/backlog", response_model=BacklogOut, summary="How much every team has to do")
    async def overview(who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            counts = await reader.counts(connection, who.tenant_id)
            teams = (await policies.of(connection, who.tenant_id)).routing.titles
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
        said = body or StartIn()
        plan = CustomerText(said.plan.text) if said.plan else None
        return await carry_out(backlog, deed, Start(plan, said.due_at))

    @router.post("/v1/items/{item_id}:comment", response_model=ItemOut, summary="Say something to colleagues")
    async def comment(body: CommentIn, deed: deeds_of) -> Response:
        return await carry_out(backlog, deed, Comment(InternalText(body.text)))

    @router.post("/v1/items/{item_id}:resolve", response_model=ResolvedOut, summary="It is solved")
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
    *,
    team: Asked = None,
    assignee: Asked = None,
    state: Annotated[list[ItemState] | None, Query()] = None,
    band: Annotated[list[Band] | None, Query()] = None,
    domain: Asked = None,
    customer: Asked = None,
    q: Asked = None,
    flag: Literal["standard", "custom"] | None = None,
    waiting: Annotated[Asked, Query(description="What it waits for, or any, or none")] = None,
    parent: Asked = None,
    case: Asked = None,
    due_before: Annotated[
        AwareDatetime | None, Query(description="A clock of it runs out before then")
    ] = None,
    unassigned: bool | None = None,
    sort: Sort | None = None,
) -> Filters:
    return Filters(
        team,
        assignee,
        tuple(state or ()),
        tuple(band or ()),
        domain,
        customer,
        q,
        flag,
        waiting,
        parent,
        case,
        due_before,
        unassigned,
        sort,
    )


async def _view(
    connection: AsyncConnection, who: Principal, views: PostgresViews, view_id: str | None, actor: str | None
) -> View | None:
    if view_id is None:
        return None
    found = await views.one(connection, who.tenant_id, view_id, actor_of(actor, who))
    if found is None:
        raise not_found(f"View {view_id}")
    return found


def _place_of(row: Placed) -> Place:
    return Place(row.item.weight.score, row.item.opened_at, row.item.id, row.due_at)


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
    return Resolve(
        InternalText(body.root_cause),
        InternalText(body.action),
        tell,
        dict(body.form),
        result=body.result,
        reference=body.reference,
        translations=translated(body.tell_customer.translations if body.tell_customer else {}),
    )
