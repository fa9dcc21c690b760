"""Routes of steps and deviations: settling a step, asking for a deviation, when limits should move."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

import yaml
from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field, model_validator

from heardback_router.backlog.app import Backlog
from heardback_router.backlog.commands import IllegalCommandError
from heardback_router.backlog.counters import resolutions_by_team
from heardback_router.backlog.counters_http import tallies
from heardback_router.backlog.deeds import Deed, act, as_json, deeds
from heardback_router.backlog.domain import Item
from heardback_router.backlog.log import Entry
from heardback_router.backlog.schemas import Internal, ItemOut, Name
from heardback_router.configuration.policies import Policies
from heardback_router.configuration.source import PolicySource
from heardback_router.sla.store import PostgresTimers
from heardback_router.steps.settling import (
    NotAnApproverError,
    StepRefusedError,
    UnknownStepError,
    settled,
)
from heardback_router.steps.thresholds import (
    MEASURES,
    Measure,
    Move,
    Record,
    ThresholdPolicy,
    deviation_step,
    judge,
    moves,
)
from heardback_shared.access.keys import Principal
from heardback_shared.clock import Clock
from heardback_shared.contracts.base import Submission
from heardback_shared.db.database import Database
from heardback_shared.errors import ProblemError
from heardback_shared.http.auth import Guard
from heardback_shared.http.problems import invalid

Amount = Annotated[float, Field(ge=0, le=1e12)]


class SettleStepIn(Submission):
    """Skipping and refusing say why in `note`."""

    step: Name
    outcome: Literal["done", "skipped", "approved", "refused"]
    note: Internal | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.outcome in {"skipped", "refused"} and self.note is None:
            raise ValueError(f"a step is {self.outcome} with a reason: say it in note")
        return self


class DeviateIn(Submission):
    """How far from what is usual, by at least one measure."""

    process: Name
    minutes: Amount | None = None
    cost: Amount | None = None
    count: Amount | None = None
    reason: Internal

    @model_validator(mode="after")
    def _measures_something(self) -> Self:
        if not self.measured:
            raise ValueError(f"say how far: give at least one of {', '.join(MEASURES)}")
        return self

    @property
    def measured(self) -> dict[Measure, float]:
        given = {"minutes": self.minutes, "cost": self.cost, "count": self.count}
        return {name: float(given[name]) for name in MEASURES if given[name] is not None}  # type: ignore[arg-type]


class MoveOut(BaseModel):
    """`share` is reopened of resolved, with its 95 % interval."""

    team: str
    before: float
    after: float
    share: float
    interval: tuple[float, float]
    because: str


class MovesOut(BaseModel):
    """`factors` is the part of the thresholds policy with every suggestion taken, for its next version."""

    policy: str
    days: int
    suggestions: list[MoveOut]
    factors: str | None


def step_routes(
    database: Database,
    backlog: Backlog,
    timers: PostgresTimers,
    policies: PolicySource,
    clock: Clock,
    guard: Guard,
) -> APIRouter:
    router = APIRouter(tags=["steps"])
    _add_deeds(router, backlog, guard)
    readers = Annotated[Principal, Depends(guard.needs("items:read"))]

    @router.get(
        "/v1/thresholds/suggestions",
        response_model=MovesOut,
        summary="Whose limits should be wider, or narrower",
    )
    async def suggestions(who: readers) -> Response:
        at = clock.now()
        async with database.tenant(who.tenant_id) as connection:
            policy = (await policies.of(connection, who.tenant_id)).thresholds
            since = at - timedelta(days=policy.tuning.days)
            counted, _ = await tallies(connection, timers, who.tenant_id, None, since, at)
        records = [Record(team, *figures) for team, figures in resolutions_by_team(counted).items()]
        found = moves(policy, records)
        return as_json(
            {
                "policy": policy.name,
                "days": policy.tuning.days,
                "suggestions": list(found),
                "factors": _factors(policy, found) if found else None,
            }
        )

    return router


def _add_deeds(router: APIRouter, backlog: Backlog, guard: Guard) -> None:
    deeds_of = Annotated[Deed, deeds(guard)]

    @router.post(
        "/v1/items/{item_id}:settle-step",
        response_model=ItemOut,
        summary="A step is done, approved or refused",
    )
    async def settle_step(body: SettleStepIn, deed: deeds_of) -> Response:
        def entries(item: Item, policies: Policies, _: datetime) -> Sequence[Entry]:
            try:
                settled(item, body.step, body.outcome, deed.actor, policies.thresholds)
            except UnknownStepError as error:
                raise invalid((("/step", str(error)),)) from error
            except StepRefusedError as error:
                raise IllegalCommandError(str(error)) from error
            except NotAnApproverError as error:
                raise ProblemError(
                    403, "not-an-approver", "Somebody else approves this", str(error)
                ) from error
            data = {"step": body.step, "outcome": body.outcome, "note": body.note}
            return [Entry("step_settled", deed.actor, body.note, data)]

        return await act(backlog, deed, entries)

    @router.post(
        "/v1/items/{item_id}:deviate",
        response_model=ItemOut,
        summary="More time, money or effort than usual; beyond your limit it waits for approval",
    )
    async def deviate(body: DeviateIn, deed: deeds_of) -> Response:
        def entries(item: Item, policies: Policies, _: datetime) -> Sequence[Entry]:
            return [_deviation(body, item, deed.actor, policies.thresholds)]

        return await act(backlog, deed, entries)


def _deviation(body: DeviateIn, item: Item, actor: str, policy: ThresholdPolicy) -> Entry:
    process = policy.process(body.process)
    if process is None:
        known = ", ".join(p.name for p in policy.processes) or "none"
        raise invalid((("/process", f"is no process of {policy.name}; it knows: {known}"),))
    verdict = judge(policy, process, body.measured, item.team)
    own = verdict.level is None or actor in policy.approvers_of(verdict.level)
    step = None if own else deviation_step(item.version + 1, process, verdict, actor)
    data = {
        "process": process.name,
        "measured": dict(body.measured),
        "policy": policy.name,
        "level": verdict.level,
        "because": verdict.because,
        "step": step,
    }
    return Entry("deviated", actor, body.reason, data)


def _factors(policy: ThresholdPolicy, found: Sequence[Move]) -> str:
    factors = {**policy.factors, **{move.team: move.after for move in found}}
    return str(yaml.safe_dump({"factors": factors}, sort_keys=True))
