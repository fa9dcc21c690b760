"""Routes of promises: what was promised, what texts suggest, and what became of it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import AwareDatetime, BaseModel

from heardback_router.backlog.app import Backlog
from heardback_router.backlog.commands import IllegalCommandError
from heardback_router.backlog.deeds import Deed, act, as_json, deeds, etag, known, problems
from heardback_router.backlog.domain import Item
from heardback_router.backlog.duties import Promise
from heardback_router.backlog.log import Entry
from heardback_router.backlog.reader import PostgresBacklog
from heardback_router.backlog.schemas import Internal, ItemOut, Name, PromiseOut
from heardback_router.configuration.policies import Policies
from heardback_router.promises.texts import Suggested, read_texts, suggested
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found
from heardback_shared.ids import new_id

KEPT_LATE = "It was kept after it was due"
Entries = Callable[[Item, Policies, datetime], Sequence[Entry]]


class PromiseIn(Submission):
    """Without `by` the caller has promised it; without `to`, the only customer of the item was promised."""

    what: Internal
    due_at: AwareDatetime
    to: Name | None = None
    by: Name | None = None


class ConfirmIn(Submission):
    """What is said here counts more than what the text suggests. `due_at` is needed where it names no day."""

    what: Internal | None = None
    due_at: AwareDatetime | None = None
    to: Name | None = None
    by: Name | None = None


class KeepIn(Submission):
    note: Internal | None = None


class WhyIn(Submission):
    reason: Internal


class SuggestedOut(BaseModel):
    """`source` is the feedback and turn, or the resolution, whose text seems to promise it."""

    id: str
    what: str
    due_at: datetime | None
    said_at: datetime
    to: str | None
    by: str | None
    source: dict[str, Any]


class PromisesOut(BaseModel):
    """Suggestions are no promises until a person confirms them."""

    promises: list[PromiseOut]
    suggestions: list[SuggestedOut]


def promise_routes(database: Database, backlog: Backlog, reader: PostgresBacklog, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["promises"])
    _add_reading(router, database, reader, guard)
    _add_making(router, database, backlog, reader, guard)
    _add_settling(router, database, backlog, reader, guard)
    return router


def _add_reading(router: APIRouter, database: Database, reader: PostgresBacklog, guard: Guard) -> None:
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get(
        "/v1/items/{item_id}/promises", response_model=PromisesOut, summary="Promises, and what texts suggest"
    )
    async def promises(item_id: str, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            item = await reader.item(connection, who.tenant_id, known(item_id))
            if item is None:
                raise not_found(f"Item {item_id}")
            texts = await read_texts(connection, who.tenant_id, item.id)
        body = {
            "promises": [asdict(promise) for promise in item.promises if promise.state != "dismissed"],
            "suggestions": [_shown(one) for one in suggested(texts, item)],
        }
        return as_json(body, {"ETag": etag(item)})


def _add_making(
    router: APIRouter, database: Database, backlog: Backlog, reader: PostgresBacklog, guard: Guard
) -> None:
    deeds_of = Annotated[Deed, deeds(guard)]

    @router.post(
        "/v1/items/{item_id}/promises", response_model=ItemOut, summary="Something was promised to a customer"
    )
    async def promise(body: PromiseIn, deed: deeds_of) -> Response:
        def entries(item: Item, _: Policies, at: datetime) -> Sequence[Entry]:
            if body.due_at <= at:
                raise invalid((("/due_at", "lies in the past; a promise is about what is to come"),))
            to = _to(item, body.to)
            return [_promised(deed, new_id("pr"), body.what, to, body.by or deed.actor, body.due_at)]

        return await act(backlog, deed, entries)

    @router.post(
        "/v1/items/{item_id}/promises/{promise_id}:confirm",
        response_model=ItemOut,
        summary="What a text suggests was promised indeed",
    )
    async def confirm(promise_id: str, deed: deeds_of, body: ConfirmIn | None = None) -> Response:
        said = body or ConfirmIn()
        found = await _suggestion(database, reader, deed, promise_id)

        def entries(item: Item, _: Policies, __: datetime) -> Sequence[Entry]:
            _refuse_known(item, promise_id)
            due_at = said.due_at or found.due_at
            if due_at is None:
                raise invalid((("/due_at", "is required: the text does not say when it is due"),))
            to = _to(item, said.to or found.said.to)
            by = said.by or found.said.by or deed.actor
            return [_promised(deed, promise_id, said.what or found.what, to, by, due_at)]

        return await act(backlog, deed, entries)


def _add_settling(
    router: APIRouter, database: Database, backlog: Backlog, reader: PostgresBacklog, guard: Guard
) -> None:
    deeds_of = Annotated[Deed, deeds(guard)]

    @router.post(
        "/v1/items/{item_id}/promises/{promise_id}:keep", response_model=ItemOut, summary="It was kept"
    )
    async def keep(promise_id: str, deed: deeds_of, body: KeepIn | None = None) -> Response:
        note = body.note if body else None
        return await act(backlog, deed, _kept(deed, promise_id, note))

    @router.post(
        "/v1/items/{item_id}/promises/{promise_id}:break", response_model=ItemOut, summary="It was not kept"
    )
    async def break_(promise_id: str, body: WhyIn, deed: deeds_of) -> Response:
        return await act(backlog, deed, _settled(deed, promise_id, "broken", body.reason))

    @router.post(
        "/v1/items/{item_id}/promises/{promise_id}:withdraw",
        response_model=ItemOut,
        summary="It is not owed any more; or a suggestion is no promise",
    )
    async def withdraw(promise_id: str, body: WhyIn, deed: deeds_of) -> Response:
        async with database.tenant(deed.tenant_id) as connection:
            item = await reader.item(connection, deed.tenant_id, deed.item_id)
        if item is not None and any(promise.id == promise_id for promise in item.promises):
            return await act(backlog, deed, _settled(deed, promise_id, "withdrawn", body.reason))
        found = await _suggestion(database, reader, deed, promise_id)

        def entries(item: Item, _: Policies, __: datetime) -> Sequence[Entry]:
            _refuse_known(item, promise_id)
            data = {"promise_id": promise_id, "outcome": "dismissed", "what": found.what, "by": deed.actor}
            return [Entry("promise_settled", deed.actor, body.reason, data)]

        return await act(backlog, deed, entries)


async def _suggestion(database: Database, reader: PostgresBacklog, deed: Deed, promise_id: str) -> Suggested:
    async with database.tenant(deed.tenant_id) as connection:
        item = await reader.item(connection, deed.tenant_id, deed.item_id)
        if item is None:
            raise not_found(f"Item {deed.item_id}")
        with problems(deed):
            _refuse_known(item, promise_id)
        texts = await read_texts(connection, deed.tenant_id, item.id)
    found = next((one for one in suggested(texts, item) if one.id == promise_id), None)
    if found is None:
        raise not_found(f"Promise {promise_id}")
    return found


def _refuse_known(item: Item, promise_id: str) -> None:
    there = next((promise for promise in item.promises if promise.id == promise_id), None)
    if there is not None:
        raise IllegalCommandError(f"It is {there.state} already.")


def _promised(deed: Deed, promise_id: str, what: str, to: str | None, by: str, due_at: datetime) -> Entry:
    data = {"promise_id": promise_id, "what": what, "to": to, "by": by, "due_at": due_at.isoformat()}
    return Entry("promised", deed.actor, None, data)


def _to(item: Item, given: str | None) -> str | None:
    if given is None:
        return item.customers[0] if len(item.customers) == 1 else None
    if given not in item.customers:
        raise invalid((("/to", "is none of the customers behind the item"),))
    return given


def _kept(deed: Deed, promise_id: str, note: str | None) -> Entries:
    def entries(item: Item, policies: Policies, at: datetime) -> Sequence[Entry]:
        promise = _open(item, promise_id)
        if promise.due_at is not None and at > promise.due_at:
            # What is due is broken, whether or not the timekeeper was there first.
            return _settled(deed, promise_id, "broken", KEPT_LATE)(item, policies, at)
        return _settled(deed, promise_id, "kept", note)(item, policies, at)

    return entries


def _settled(deed: Deed, promise_id: str, outcome: str, reason: str | None) -> Entries:
    def entries(item: Item, _: Policies, __: datetime) -> Sequence[Entry]:
        _open(item, promise_id)
        data = {"promise_id": promise_id, "outcome": outcome}
        return [Entry("promise_settled", deed.actor, reason, data)]

    return entries


def _open(item: Item, promise_id: str) -> Promise:
    promise = next((one for one in item.promises if one.id == promise_id), None)
    if promise is None:
        raise not_found(f"Promise {promise_id}")
    if promise.state != "open":
        raise IllegalCommandError(f"The promise is {promise.state} already; that stays.")
    return promise


def _shown(one: Suggested) -> dict[str, Any]:
    return {
        "id": one.id,
        "what": one.what,
        "due_at": one.due_at,
        "said_at": one.said.at,
        "to": one.said.to,
        "by": one.said.by,
        "source": dict(one.said.source),
    }
