"""The backlog's routes: lists, one item with everything about it, and what people do to it."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from heardback_router.backlog.app import (
    Backlog,
    CustomersWaitError,
    StaleVersionError,
    UnknownItemError,
    UnknownTeamError,
)
from heardback_router.backlog.commands import (
    Claim,
    Close,
    Command,
    Comment,
    IllegalCommandError,
    Reassign,
    Reopen,
    Resolve,
    Start,
)
from heardback_router.backlog.domain import CUSTOMER, ROUTER, Item
from heardback_router.backlog.listing import MAX_LIMIT, CursorError, Filters, Place, read, spell
from heardback_router.backlog.ports import Loops
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
    shown_entries,
)
from heardback_router.wording import CustomerText, InternalText
from heardback_shared.access.keys import Principal
from heardback_shared.contracts.events import ItemState
from heardback_shared.contracts.score import Band
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid, not_found

ACTOR_LIMIT = 200
RESERVED = (ROUTER, CUSTOMER)
"""Actors of the log that no caller may pose as."""
_ETAG = re.compile(r'\s*(?:(W/)?"([^"]*)"|(\*))\s*(?:,|$)')

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description='The ETag of the item as you saw it, such as "3"')
]
Actor = Annotated[
    str | None,
    Header(alias="X-Heardback-Actor", description="Who acts, when one key serves several people"),
]
Asked = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]


def backlog_routes(
    database: Database,
    backlog: Backlog,
    reader: PostgresBacklog,
    loops: Loops,
    teams: Mapping[str, str],
    guard: Guard,
) -> APIRouter:
    router = APIRouter(tags=["backlog"])
    _add_reading(router, database, reader, loops, teams, guard)
    _add_commands(router, backlog, guard)
    return router


def _add_reading(
    router: APIRouter,
    database: Database,
    reader: PostgresBacklog,
    loops: Loops,
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
        last = page[-1] if len(found) > limit else None
        following = spell(Place(last.weight.score, last.opened_at, last.id), filters) if last else None
        return _json({"items": [shown(item) for item in page], "next_cursor": following})

    @router.get(
        "/v1/items/{item_id}", response_model=ItemDetailOut, summary="One item with everything about it"
    )
    async def get_item(item_id: str, who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            item = await reader.item(connection, who.tenant_id, _known(item_id))
            if item is None:
                raise not_found(f"Item {item_id}")
            body = {
                **shown(item),
                "resolution": asdict(item.resolution) if item.resolution else None,
                "timeline": shown_entries(await reader.timeline(connection, who.tenant_id, item.id)),
                "feedback": await reader.feedback(connection, who.tenant_id, item.id),
                "loops": await loops.of_item(connection, who.tenant_id, item.id),
            }
        return _json(body, {"ETag": etag(item)})

    @router.get("/v1/backlog", response_model=BacklogOut, summary="How much every team has to do")
    async def overview(who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            counts = await reader.counts(connection, who.tenant_id)
        return _json({"teams": counted(teams, counts)})


def _add_commands(router: APIRouter, backlog: Backlog, guard: Guard) -> None:
    writers = Depends(guard.needs("items:write"))

    def deed(
        request: Request,
        item_id: str,
        who: Annotated[Principal, writers],
        if_match: IfMatch = None,
        actor: Actor = None,
    ) -> Deed:
        traceparent = getattr(request.state, "traceparent", None)
        return Deed(who.tenant_id, _known(item_id), actor_of(actor, who), if_match, traceparent)

    deeds = Annotated[Deed, Depends(deed)]

    @router.post(
        "/v1/items/{item_id}:claim", response_model=ItemOut, summary="Take it, or give it to somebody"
    )
    async def claim(body: ClaimIn, deed: deeds) -> Response:
        return await carry_out(backlog, deed, Claim(body.assignee or deed.actor))

    @router.post("/v1/items/{item_id}:start", response_model=ItemOut, summary="Work on it has begun")
    async def start(deed: deeds, body: StartIn | None = None) -> Response:
        return await carry_out(backlog, deed, Start())

    @router.post("/v1/items/{item_id}:comment", response_model=ItemOut, summary="Say something to colleagues")
    async def comment(body: CommentIn, deed: deeds) -> Response:
        return await carry_out(backlog, deed, Comment(InternalText(body.text)))

    @router.post("/v1/items/{item_id}:resolve", response_model=ItemOut, summary="It is solved")
    async def resolve(body: ResolveIn, deed: deeds) -> Response:
        return await carry_out(backlog, deed, _resolve(body))

    @router.post("/v1/items/{item_id}:reopen", response_model=ItemOut, summary="It is not solved after all")
    async def reopen(body: ReasonIn, deed: deeds) -> Response:
        return await carry_out(backlog, deed, Reopen(InternalText(body.reason)))

    @router.post("/v1/items/{item_id}:reassign", response_model=ItemOut, summary="Give it to another team")
    async def reassign(body: ReassignIn, deed: deeds) -> Response:
        return await carry_out(backlog, deed, Reassign(body.team, InternalText(body.reason)))

    @router.post(
        "/v1/items/{item_id}:close", response_model=ItemOut, summary="Close it without waiting for answers"
    )
    async def close(body: ReasonIn, deed: deeds) -> Response:
        return await carry_out(backlog, deed, Close(InternalText(body.reason)))


@dataclass(frozen=True, slots=True)
class Deed:
    """Who acts on which item, and on which version of it."""

    tenant_id: str
    item_id: str
    actor: str
    if_match: str | None
    traceparent: str | None


async def carry_out(backlog: Backlog, deed: Deed, command: Command) -> Response:
    """The item afterwards with its new ETag, or a problem."""
    # A comment overwrites nothing, so it need not name the version it was written on.
    free = isinstance(command, Comment) and deed.if_match is None
    try:
        item = await backlog.carry_out(
            deed.tenant_id,
            deed.item_id,
            command,
            actor=deed.actor,
            versions=None if free else versions_of(deed.if_match),
            traceparent=deed.traceparent,
        )
    except UnknownItemError as error:
        raise not_found(f"Item {deed.item_id}") from error
    except StaleVersionError as error:
        raise _stale(error) from error
    except UnknownTeamError as error:
        raise invalid((("/team", str(error)),)) from error
    except (IllegalCommandError, CustomersWaitError) as error:
        raise ProblemError(409, "not-now", "The item does not allow this now", str(error)) from error
    return _json(shown(item), {"ETag": etag(item)})


def etag(item: Item) -> str:
    return f'"{item.version}"'


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


def versions_of(if_match: str | None) -> frozenset[int] | None:
    """The versions an If-Match header names; None for `*`. Weak and unknown tags match nothing (RFC 9110)."""
    if if_match is None:
        raise ProblemError(
            428,
            "if-match-required",
            "Say which version you act on",
            "Send If-Match with the ETag of the item as you saw it; GET the item to learn it.",
            (("header:If-Match", "is required"),),
        )
    versions = set()
    for weak, tag, anything in _ETAG.findall(if_match):
        if anything:
            return None
        if not weak and tag.isascii() and tag.isdigit() and len(tag) <= 10:
            versions.add(int(tag))
    return frozenset(versions)


def _stale(error: StaleVersionError) -> ProblemError:
    return ProblemError(
        412,
        "stale-version",
        "The item has changed since you saw it",
        f"It is at version {error.version} now; GET it, look again, and send the new ETag.",
        headers={"ETag": f'"{error.version}"'},
    )


def actor_of(given: str | None, who: Principal) -> str:
    name = (given or "").strip()
    if not name:
        return f"key {who.name}" if who.name in RESERVED else who.name
    if len(name) > ACTOR_LIMIT or not name.isprintable() or name in RESERVED:
        detail = f"must be at most {ACTOR_LIMIT} printable characters, and none of {', '.join(RESERVED)}"
        raise invalid((("header:X-Heardback-Actor", detail),))
    return name


def _known(item_id: str) -> str:
    if "\x00" in item_id:
        raise not_found("This item")
    return item_id


def _json(body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), media_type="application/json", headers=headers)
