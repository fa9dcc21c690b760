"""The routes of clocks: what runs out next, answering, waiting and going on, and the clock policy."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel
from sqlalchemy import RowMapping

from heardback_router.backlog.app import Backlog
from heardback_router.backlog.commands import IllegalCommandError
from heardback_router.backlog.deeds import Deed, act, as_json, deeds
from heardback_router.backlog.domain import Item
from heardback_router.backlog.log import Entry
from heardback_router.backlog.schemas import Internal, ItemOut, Name, ReasonIn, SeverityOut
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.sla.domain import SlaPolicy
from heardback_router.sla.policy import span_of
from heardback_router.sla.showing import shown_policy
from heardback_router.sla.store import PostgresTimers
from heardback_router.sla.telling import pin_entry
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission
from heardback_shared.contracts.events import ItemState
from heardback_shared.db.database import Database
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

_FURTHEST = timedelta(days=366)

Entries = Callable[[Item, Policies, datetime], Sequence[Entry]]


class RespondIn(Submission):
    """The customer was answered. `waiting_for` says what the item waits for from now on, if for anything."""

    note: Internal | None = None
    channel: Name | None = None
    waiting_for: Name | None = None


class PauseIn(Submission):
    waiting_for: Name
    reason: Internal


class ResumeIn(Submission):
    reason: Internal | None = None


class DueOut(BaseModel):
    """`clocks` are those that run out by then."""

    id: str
    title: str
    team: str
    assignee: str | None
    state: ItemState
    severity: SeverityOut
    due_at: datetime
    clocks: list[dict[str, Any]]


class DuePageOut(BaseModel):
    until: datetime
    items: list[DueOut]


def sla_routes(
    database: Database,
    backlog: Backlog,
    timers: PostgresTimers,
    policies: PolicySource,
    clock: Clock,
    guard: Guard,
) -> APIRouter:
    router = APIRouter(tags=["clocks"])
    _add_deeds(router, backlog, guard)
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get("/v1/sla/due", response_model=DuePageOut, summary="What runs out next, soonest first")
    async def due(
        who: readers,
        within: Annotated[str, Query(description="hours and minutes from now, such as 4h or 1h30m")] = "24h",
        team: Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        until = clock.now() + _within(within)
        async with database.tenant(who.tenant_id) as connection:
            rows = await timers.next_due(connection, who.tenant_id, until, team, limit)
        return as_json({"until": until, "items": [_shown_due(row, until) for row in rows]})

    @router.get("/v1/policies/sla", summary="The clock policy in force: calendars, pauses, targets in order")
    async def sla_policy(who: readers) -> dict[str, Any]:
        async with database.tenant(who.tenant_id) as connection:
            return shown_policy((await policies.of(connection, who.tenant_id)).sla)

    return router


def _add_deeds(router: APIRouter, backlog: Backlog, guard: Guard) -> None:
    deeds_of = Annotated[Deed, deeds(guard)]

    @router.post(
        "/v1/items/{item_id}:respond", response_model=ItemOut, summary="The customer has been answered"
    )
    async def respond(deed: deeds_of, body: RespondIn | None = None) -> Response:
        return await act(backlog, deed, _answered(body or RespondIn(), deed.actor))

    @router.post(
        "/v1/items/{item_id}:pause", response_model=ItemOut, summary="It waits for somebody; clocks stop"
    )
    async def pause(body: PauseIn, deed: deeds_of) -> Response:
        return await act(backlog, deed, _paused(body, deed.actor))

    @router.post(
        "/v1/items/{item_id}:resume", response_model=ItemOut, summary="It waits no more; clocks go on"
    )
    async def resume(deed: deeds_of, body: ResumeIn | None = None) -> Response:
        return await act(backlog, deed, _resumed(body or ResumeIn(), deed.actor))

    @router.post(
        "/v1/items/{item_id}:repin",
        response_model=ItemOut,
        summary="The clock policy in force holds for it from now on; what is used stays used",
    )
    async def repin(body: ReasonIn, deed: deeds_of) -> Response:
        return await act(backlog, deed, _repinned(body.reason, deed.actor))


def _answered(said: RespondIn, actor: str) -> Entries:
    def entries(item: Item, policies: Policies, at: datetime) -> Sequence[Entry]:
        data = {"note": said.note, "channel": said.channel, **_waiting(said.waiting_for, policies.sla)}
        return [Entry("responded", actor, None, data)]

    return entries


def _paused(said: PauseIn, actor: str) -> Entries:
    def entries(item: Item, policies: Policies, at: datetime) -> Sequence[Entry]:
        return [Entry("paused", actor, said.reason, _waiting(said.waiting_for, policies.sla))]

    return entries


def _resumed(said: ResumeIn, actor: str) -> Entries:
    def entries(item: Item, policies: Policies, at: datetime) -> Sequence[Entry]:
        if item.waiting_for is None:
            raise IllegalCommandError("The item waits for nothing; there is nothing to resume.")
        return [Entry("resumed", actor, said.reason)]

    return entries


def _repinned(reason: str, actor: str) -> Entries:
    def entries(item: Item, policies: Policies, at: datetime) -> Sequence[Entry]:
        if item.sla == policies.sla.name:
            raise IllegalCommandError(f"The clock policy {item.sla} is pinned to it already.")
        return [pin_entry(item, policies.sla.name, reason, actor)]

    return entries


def _waiting(waiting_for: str | None, policy: SlaPolicy) -> dict[str, Any]:
    """What a pause is goes into the log, so that no later policy changes it."""
    if waiting_for is None:
        return {"waiting_for": None}
    if waiting_for not in policy.pauses:
        known = ", ".join(policy.pauses) or "none"
        raise invalid((("/waiting_for", f"is nothing the policy {policy.name} knows; it knows: {known}"),))
    state = policy.pauses[waiting_for]
    return {"waiting_for": state.name, "stops": list(state.stops), "until_customer": state.until_customer}


def _within(text: str) -> timedelta:
    try:
        within = span_of(text)
    except ValueError as error:
        raise invalid((("query:within", "must be hours and minutes, such as 4h, 30m or 1h30m"),)) from error
    if within > _FURTHEST:
        raise invalid((("query:within", f"must be at most {_FURTHEST.days * 24}h"),))
    return within


def _shown_due(row: RowMapping, until: datetime) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("id", "title", "team", "assignee", "state", "due_at")},
        "severity": {"score": row["severity"], "band": row["band"]},
        "clocks": [clock for clock in row["clocks"] if _runs_out(clock, until)],
    }


def _runs_out(clock: Mapping[str, Any], until: datetime) -> bool:
    due_at = clock["due_at"]
    return clock["state"] == "running" and due_at is not None and datetime.fromisoformat(due_at) <= until
