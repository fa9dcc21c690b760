"""Routes about the work itself: the customer's criterion, standard or custom, time spent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints, model_validator

from heardback_router.backlog.app import Backlog
from heardback_router.backlog.commands import IllegalCommandError
from heardback_router.backlog.deeds import Deed, act, deeds
from heardback_router.backlog.domain import Item
from heardback_router.backlog.log import Entry
from heardback_router.backlog.schemas import Internal, ItemOut, Name
from heardback_router.configuration.policies import Policies
from heardback_shared.contracts.base import Submission
from heardback_shared.http.auth import Guard

MINUTES_AT_ONCE = 24 * 60
UNNAMED = "unnamed"
Request = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9/_-]{0,79}$")]


class CriterionIn(Submission):
    """What the customer calls solved, in their words, and where they said so."""

    text: Internal
    source: Name


class SettleCriterionIn(Submission):
    """Waiving says why."""

    outcome: Literal["met", "waived"]
    because: Internal | None = None

    @model_validator(mode="after")
    def _waived_with_a_reason(self) -> Self:
        if self.outcome == "waived" and self.because is None:
            raise ValueError('a criterion is waived with a reason: {"outcome":"waived","because":"…"}')
        return self


class FlagIn(Submission):
    """`request` names what a custom one asks for, so that what recurs can be counted."""

    flag: Literal["standard", "custom"]
    request: Request | None = None
    reason: Internal | None = None

    @model_validator(mode="after")
    def _only_custom_asks(self) -> Self:
        if self.flag == "standard" and self.request is not None:
            raise ValueError("only a custom one has a request; leave it out, or flag it custom")
        return self


class TimeIn(Submission):
    minutes: Annotated[int, Field(ge=1, le=MINUTES_AT_ONCE)]
    note: Internal | None = None


def duty_routes(backlog: Backlog, guard: Guard) -> APIRouter:
    router = APIRouter(tags=["backlog"])
    deeds_of = Annotated[Deed, deeds(guard)]

    @router.post(
        "/v1/items/{item_id}:set-criterion", response_model=ItemOut, summary="What the customer calls solved"
    )
    async def set_criterion(body: CriterionIn, deed: deeds_of) -> Response:
        data = {"text": body.text, "source": body.source}
        return await act(backlog, deed, lambda *_: [Entry("criterion_set", deed.actor, None, data)])

    @router.post(
        "/v1/items/{item_id}:settle-criterion", response_model=ItemOut, summary="It is met, or waived"
    )
    async def settle_criterion(body: SettleCriterionIn, deed: deeds_of) -> Response:
        def entries(item: Item, _: Policies, __: datetime) -> Sequence[Entry]:
            if item.criterion is None:
                raise IllegalCommandError("The item has no criterion; set one with :set-criterion first.")
            data = {"outcome": body.outcome, "because": body.because}
            return [Entry("criterion_settled", deed.actor, body.because, data)]

        return await act(backlog, deed, entries)

    @router.post("/v1/items/{item_id}:flag", response_model=ItemOut, summary="Standard work, or custom")
    async def flag(body: FlagIn, deed: deeds_of) -> Response:
        def entries(item: Item, _: Policies, __: datetime) -> Sequence[Entry]:
            request = (body.request or _request_of(item)) if body.flag == "custom" else None
            data: dict[str, Any] = {"flag": body.flag, "request": request}
            return [Entry("flagged", deed.actor, body.reason, data)]

        return await act(backlog, deed, entries)

    @router.post("/v1/items/{item_id}:log-time", response_model=ItemOut, summary="Time spent on it")
    async def log_time(body: TimeIn, deed: deeds_of) -> Response:
        data = {"minutes": body.minutes, "note": body.note}
        return await act(backlog, deed, lambda *_: [Entry("time_logged", deed.actor, None, data)])

    return router


def _request_of(item: Item) -> str:
    """What a custom one asks for where nobody named it: its root cause."""
    return f"{item.domain}/{item.category}" if item.domain and item.category else UNNAMED
