"""Routes of recurring custom requests: what should become an option, with evidence, and what was decided."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from heardback_router.backlog.deeds import Actor, actor_of, as_json, known
from heardback_router.backlog.schemas import Internal
from heardback_router.configuration.source import PolicySource
from heardback_router.options.domain import Decided, Suggestion, Verdict, suggestions
from heardback_router.options.store import PostgresOptions
from heardback_router.steps.thresholds import Promotion
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard


class DecideIn(Submission):
    decision: Verdict
    reason: Internal


class DecidedOut(BaseModel):
    request: str
    number: int
    decision: Verdict
    actor: str
    reason: str
    items: int
    at: datetime


class SuggestionOut(BaseModel):
    """`items` are the newest that asked for it; `last` is what was decided before, if anything."""

    request: str
    count: int
    customers: int
    minutes: int
    items: list[str]
    because: str
    last: DecidedOut | None


class ThresholdOut(BaseModel):
    items: int
    customers: int
    days: int


class SuggestionsOut(BaseModel):
    policy: str
    threshold: ThresholdOut
    suggestions: list[SuggestionOut]
    decisions: list[DecidedOut]


def option_routes(database: Database, policies: PolicySource, clock: Clock, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["options"])
    store = PostgresOptions()
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]
    writers = Annotated[Principal, Depends(guard.needs("items:write"))]

    async def look(connection: Any, tenant_id: str, policy: Promotion) -> tuple[Suggestion, ...]:
        at = clock.now()
        asked = await store.asked(connection, tenant_id, at - timedelta(days=policy.days))
        return suggestions(asked, await store.decided(connection, tenant_id), policy, at)

    @router.get(
        "/v1/options/suggestions",
        response_model=SuggestionsOut,
        summary="Custom requests that recur often enough to become an option",
    )
    async def show(who: readers) -> Response:
        async with database.tenant(who.tenant_id) as connection:
            policy = (await policies.of(connection, who.tenant_id)).thresholds
            found = await look(connection, who.tenant_id, policy.promotion)
            decided = await store.decided(connection, who.tenant_id)
        body = {
            "policy": policy.name,
            "threshold": asdict(policy.promotion),
            "suggestions": [asdict(one) for one in found],
            "decisions": [asdict(one) for one in decided],
        }
        return as_json(body)

    @router.post(
        "/v1/options/suggestions/{request:path}:decide",
        response_model=DecidedOut,
        summary="Promote it to an option, decline it, or put it off",
    )
    async def decide(request: str, body: DecideIn, who: writers, actor: Actor = None) -> Response:
        name, request = actor_of(actor, who), known(request)
        async with database.tenant(who.tenant_id) as connection:
            await store.lock(connection, who.tenant_id, request)
            policy = (await policies.of(connection, who.tenant_id)).thresholds
            found = await look(connection, who.tenant_id, policy.promotion)
            one = next((s for s in found if s.request == request), None)
            if one is None:
                raise ProblemError(
                    409,
                    "not-suggested",
                    "Nothing is suggested about this request",
                    f"{request} does not recur often enough, or was decided already; "
                    "GET /v1/options/suggestions shows what is.",
                )
            number = one.last.number + 1 if one.last else 1
            made = Decided(request, number, body.decision, name, body.reason, one.count, clock.now())
            await store.record(connection, who.tenant_id, made, {**asdict(one), "policy": policy.name})
        return as_json(asdict(made))

    return router
