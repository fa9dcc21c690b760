"""The route of the context panel."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from heardback_router.backlog.deeds import as_json, known
from heardback_router.backlog.domain import Item
from heardback_router.backlog.reader import PostgresBacklog
from heardback_router.backlog.schemas import PromiseOut
from heardback_router.context.domain import SCOPE, profile_of
from heardback_router.context.store import History, PostgresContext
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band
from heardback_shared.db.database import Database
from heardback_shared.db.planning import look_up_by_key
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

ITEMS_SHOWN = 50
LOOPS_SHOWN = 50


class FactOut(BaseModel):
    """`as_of` says how fresh it is. A masked one needs the scope customers:read."""

    value: Any
    as_of: datetime | None
    masked: bool


class KnownItemOut(BaseModel):
    id: str
    title: str
    team: str
    state: ItemState
    band: Band
    severity: float
    opened_at: datetime
    reopens: int


class OpenPromiseOut(PromiseOut):
    item_id: str


class KnownLoopOut(BaseModel):
    id: str
    item_id: str
    round: int
    state: str
    since: datetime
    reason: str | None
    result: str | None
    message: str | None
    opened_at: datetime


class ContextOut(BaseModel):
    """One customer behind the item: profile with its freshness, and what went before.

    `feedback_count` counts the newest 200 at most; the newest 20 are shown. `customer_id` is None where no
    feedback of the item names anybody; then there is nothing else.
    """

    item_id: str
    customer_id: str | None
    other_customers: int
    profile: dict[str, FactOut]
    feedback_count: int
    first_at: datetime | None
    feedback: list[dict[str, Any]]
    open_items: int
    items: list[KnownItemOut]
    open_promises: list[OpenPromiseOut]
    broken_promises: int
    loops: list[KnownLoopOut]


def context_routes(database: Database, reader: PostgresBacklog, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["context"])
    store = PostgresContext()
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get(
        "/v1/items/{item_id}/context", response_model=ContextOut, summary="What is known about the customer"
    )
    async def context(
        item_id: str,
        who: readers,
        customer: Annotated[
            str | None,
            Query(max_length=200, pattern=r"^[^\x00]+$", description="Which of several; else the latest"),
        ] = None,
    ) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            item = await reader.item(connection, who.tenant_id, known(item_id))
            if item is None:
                raise not_found(f"Item {item_id}")
            await look_up_by_key(connection)
            about = customer or await store.newest_customer(connection, who.tenant_id, item.id)
            if customer is not None and not await store.is_behind(
                connection, who.tenant_id, item.id, customer
            ):
                raise invalid((("query:customer", "is none of the customers behind the item"),))
            history = await store.history(connection, who.tenant_id, about) if about else _NOTHING
        return as_json(_shown(item, about, history, who.may(SCOPE)))

    return router


_NOTHING = History(0, None, (), (), (), None)


def _shown(item: Item, customer: str | None, history: History, may_read_customers: bool) -> dict[str, Any]:
    profile = profile_of(history.snapshot, may_read_customers)
    return {
        "item_id": item.id,
        "customer_id": customer,
        "other_customers": max(0, len(item.customers) - 1),
        "profile": {name: asdict(fact) for name, fact in profile.items()},
        "feedback_count": history.feedback_count,
        "first_at": history.first_at,
        "feedback": list(history.feedback),
        "open_items": sum(one.state in {"open", "in_progress"} for one in history.items),
        "items": [_shown_item(one) for one in history.items[:ITEMS_SHOWN]],
        "open_promises": [
            {**asdict(promise), "item_id": one.id}
            for one in history.items
            for promise in one.promises
            if promise.state == "open" and promise.to in {customer, None}
        ],
        "broken_promises": sum(
            promise.state == "broken" and promise.to in {customer, None}
            for one in history.items
            for promise in one.promises
        ),
        "loops": [dict(loop) for loop in history.loops[:LOOPS_SHOWN]],
    }


def _shown_item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "team": item.team,
        "state": item.state,
        "band": item.weight.band,
        "severity": item.weight.score,
        "opened_at": item.opened_at,
        "reopens": item.counts.reopens,
    }
