"""Routes of saved views, and of the order of lists in plain words."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from heardback_router.backlog.app import StaleVersionError
from heardback_router.backlog.deeds import Actor, IfMatch, actor_of, as_json, known, stale, versions_of
from heardback_router.backlog.listing import Filters, Sort
from heardback_router.backlog.order import Comparison, Placed, because, compare, contributions_of
from heardback_router.backlog.reader import PostgresBacklog
from heardback_router.backlog.schemas import ContributionOut, ItemOut, Name, ViewOut
from heardback_router.backlog.views import VIEWS_PER_OWNER, PostgresViews, View, filters_json
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission
from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.ids import new_id

Wanted = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
COLUMNS = tuple(ItemOut.model_fields)


class FiltersIn(Submission):
    """As the query of `GET /v1/items`; what is left out lets everything through."""

    team: Wanted | None = None
    assignee: Wanted | None = None
    state: tuple[ItemState, ...] = ()
    band: tuple[Band, ...] = ()
    domain: Wanted | None = None
    customer: Wanted | None = None
    q: Wanted | None = None
    flag: Literal["standard", "custom"] | None = None
    waiting: Wanted | None = None
    parent: Wanted | None = None
    case: Wanted | None = None
    due_before: AwareDatetime | None = None
    unassigned: bool | None = None


class ViewIn(Submission):
    """`columns` are fields of an item, in order; `sort` due puts first what runs out first."""

    name: Name
    shared: bool = False
    filters: FiltersIn = FiltersIn()
    columns: Annotated[tuple[Name, ...], Field(max_length=40)] = ()
    sort: Sort = "severity"


class ViewsOut(BaseModel):
    views: list[ViewOut]


class SideBySideOut(BaseModel):
    """One factor: what it adds to the item asked for, and to the other one."""

    factor: str
    points: list[float]
    because: list[str | None]


class StandingOut(BaseModel):
    id: str
    title: str
    severity: float
    band: Band
    opened_at: datetime
    due_at: datetime | None
    because: str
    contributions: list[ContributionOut]


class OrderOut(BaseModel):
    """Of the two items, which stands above, and the first key in which they differ."""

    above: str
    below: str
    decided_by: Literal["severity", "due_at", "opened_at", "id"]
    because: str
    factors: list[SideBySideOut]
    items: list[StandingOut]


def view_routes(database: Database, reader: PostgresBacklog, clock: Clock, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["backlog"])
    views = PostgresViews()
    _add_order(router, database, reader, guard)
    _add_reading(router, database, views, guard)
    _add_writing(router, database, views, clock, guard)
    return router


def _add_order(router: APIRouter, database: Database, reader: PostgresBacklog, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get(
        "/v1/items/{item_id}:order", response_model=OrderOut, summary="Why is this above, or below, that?"
    )
    async def order(
        item_id: str,
        other: Annotated[Wanted, Query(description="The item to compare with")],
        who: readers,
        sort: Sort = "severity",
    ) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            one = await reader.placed(connection, who.tenant_id, known(item_id))
            two = await reader.placed(connection, who.tenant_id, other)
        if one is None:
            raise not_found(f"Item {item_id}")
        if two is None:
            raise invalid((("query:other", f"there is no item {other}, or it belongs to another tenant"),))
        return as_json(_shown_order(compare(one, two, sort), one, two))


def _add_reading(router: APIRouter, database: Database, views: PostgresViews, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get("/v1/views", response_model=ViewsOut, summary="Your saved views, and the shared ones")
    async def list_views(who: readers, actor: Actor = None) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            seen = await views.seen_by(connection, who.tenant_id, actor_of(actor, who))
        return as_json({"views": [shown_view(view) for view in seen]})

    @router.get("/v1/views/{view_id}", response_model=ViewOut, summary="One saved view")
    async def get_view(view_id: str, who: readers, actor: Actor = None) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            view = await views.one(connection, who.tenant_id, known(view_id), actor_of(actor, who))
        if view is None:
            raise not_found(f"View {view_id}")
        return as_json(shown_view(view), _tag(view))


def _add_writing(
    router: APIRouter, database: Database, views: PostgresViews, clock: Clock, guard: Guard
) -> None:
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    @router.post("/v1/views", response_model=ViewOut, status_code=201, summary="Save a view")
    async def add_view(body: ViewIn, who: writers, actor: Actor = None) -> Response:
        view = _made(body, new_id("view"), actor_of(actor, who), 1, clock.now())
        async with database.tenant(who.tenant_id) as connection:
            if await views.count(connection, who.tenant_id, view.owner) >= VIEWS_PER_OWNER:
                raise ProblemError(
                    409,
                    "too-many-views",
                    "You have too many views",
                    f"One person may keep {VIEWS_PER_OWNER}; delete one that is no longer used.",
                )
            await views.add(connection, who.tenant_id, view)
        return as_json(shown_view(view), _tag(view), status=201)

    @router.put("/v1/views/{view_id}", response_model=ViewOut, summary="Change a view of yours")
    async def change_view(
        view_id: str, body: ViewIn, who: writers, if_match: IfMatch = None, actor: Actor = None
    ) -> Response:
        owner = actor_of(actor, who)
        async with database.tenant(who.tenant_id) as connection:
            before = await _own(views, connection, who.tenant_id, view_id, owner, if_match)
            after = _made(body, before.id, owner, before.version, clock.now())
            if not await views.change(connection, who.tenant_id, after):
                raise stale(StaleVersionError(before.version + 1))
        after = replace(after, version=before.version + 1)
        return as_json(shown_view(after), _tag(after))

    @router.delete("/v1/views/{view_id}", status_code=204, summary="Delete a view of yours")
    async def drop_view(
        view_id: str, who: writers, if_match: IfMatch = None, actor: Actor = None
    ) -> Response:
        owner = actor_of(actor, who)
        async with database.tenant(who.tenant_id) as connection:
            view = await _own(views, connection, who.tenant_id, view_id, owner, if_match)
            if not await views.drop(connection, who.tenant_id, view):
                raise stale(StaleVersionError(view.version + 1))
        return Response(status_code=204)


async def _own(
    views: PostgresViews, connection: Any, tenant_id: str, view_id: str, owner: str, if_match: str | None
) -> View:
    versions = versions_of(if_match)
    view = await views.one(connection, tenant_id, known(view_id), owner)
    if view is None:
        raise not_found(f"View {view_id}")
    if view.owner != owner:
        raise ProblemError(
            403, "not-yours", "The view belongs to somebody else", "Save it under a name of your own instead."
        )
    if versions is not None and view.version not in versions:
        raise stale(StaleVersionError(view.version))
    return view


def shown_view(view: View) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "owner": view.owner,
        "shared": view.shared,
        "filters": filters_json(view.filters),
        "columns": list(view.columns),
        "sort": view.sort,
        "version": view.version,
        "updated_at": view.updated_at,
    }


def _made(body: ViewIn, view_id: str, owner: str, version: int, at: datetime) -> View:
    unknown = [
        (f"/columns/{index}", f"is no field of an item; choose from {', '.join(COLUMNS)}")
        for index, column in enumerate(body.columns)
        if column not in COLUMNS
    ]
    if unknown:
        raise invalid(tuple(unknown))
    filters = Filters(**{name: getattr(body.filters, name) for name in FiltersIn.model_fields})
    return View(view_id, owner, body.name, body.shared, filters, body.columns, body.sort, version, at)


def _tag(view: View) -> dict[str, str]:
    return {"ETag": f'"{view.version}"'}


def _shown_order(comparison: Comparison, one: Placed, two: Placed) -> dict[str, Any]:
    return {
        "above": comparison.above.id,
        "below": comparison.below.id,
        "decided_by": comparison.decided_by,
        "because": comparison.because,
        "factors": list(comparison.side_by_side),
        "items": [_shown_standing(row) for row in (one, two)],
    }


def _shown_standing(row: Placed) -> dict[str, Any]:
    item = row.item
    return {
        "id": item.id,
        "title": item.title,
        "severity": item.weight.score,
        "band": item.weight.band,
        "opened_at": item.opened_at,
        "due_at": row.due_at,
        "because": because(item),
        "contributions": list(contributions_of(item)),
    }
