"""The states of a loop and what may follow what. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from heardback_router.backlog.domain import LinkedCustomer, Resolution
from heardback_shared.contracts.events import LoopState
from heardback_shared.ids import derived_id

Answer = Literal["confirmed", "disputed"]

FIRST: frozenset[LoopState] = frozenset({"pending", "not_told"})
FOLLOWS: Mapping[LoopState, frozenset[LoopState]] = {
    "pending": frozenset({"told", "failed", "confirmed", "disputed"}),
    "told": frozenset({"confirmed", "disputed"}),
    # A replay makes a failed loop pending again; a customer may answer what we could not see arrive.
    "failed": frozenset({"pending", "told", "confirmed", "disputed"}),
    "not_told": frozenset(),
    "confirmed": frozenset(),
    "disputed": frozenset(),
}

NO_CUSTOMER = "the feedback names no customer"
NO_ENDPOINT = "no enabled webhook endpoint takes loop.told"
NO_TEXT = "no text for the customer was given"
NOBODY_REACHED = "no endpoint took the message; see its deliveries"


class IllegalTransitionError(ValueError):
    """The log of a loop says something that cannot follow what came before."""


@dataclass(frozen=True, slots=True)
class LoopEvent:
    sequence: int
    state: LoopState
    at: datetime
    actor: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """Where a loop stands: the fold of its events."""

    state: LoopState
    sequence: int
    since: datetime
    reason: str | None


def may_follow(before: LoopState | None, after: LoopState) -> bool:
    return after in FIRST if before is None else after in FOLLOWS[before]


def fold(events: Iterable[LoopEvent]) -> LoopStatus:
    """Raises IllegalTransitionError for a log with a gap or an impossible step, and for an empty one."""
    status: LoopStatus | None = None
    for event in events:
        expected = status.sequence + 1 if status else 1
        if event.sequence != expected:
            raise IllegalTransitionError(f"event {event.sequence} where {expected} was due")
        if not may_follow(status.state if status else None, event.state):
            raise IllegalTransitionError(
                f"{event.state} cannot follow {status.state if status else 'nothing'}"
            )
        status = LoopStatus(event.state, event.sequence, event.at, event.reason)
    if status is None:
        raise IllegalTransitionError("a loop has at least one event")
    return status


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """What a resolution means for one customer. `state` is `pending` only when there is someone to tell."""

    loop_id: str
    customer_id: str | None
    channel: str | None
    feedback_ids: tuple[str, ...]
    state: LoopState
    reason: str | None


def plan_loops(tenant_id: str, resolution: Resolution, *, has_endpoint: bool) -> list[LoopPlan]:
    """One per linked customer, with an id that a repeat of the same resolution finds again."""
    return [
        _plan(tenant_id, resolution, customer, has_endpoint=has_endpoint) for customer in resolution.linked
    ]


def _plan(
    tenant_id: str, resolution: Resolution, customer: LinkedCustomer, *, has_endpoint: bool
) -> LoopPlan:
    reason = _why_not(resolution, customer, has_endpoint=has_endpoint)
    # Without a customer the feedback itself has to say which loop this is.
    who = customer.customer_id or "\x1e" + min(customer.feedback_ids, default="")
    return LoopPlan(
        loop_id=derived_id("lp", tenant_id, resolution.item_id, resolution.resolution_number, who),
        customer_id=customer.customer_id,
        channel=customer.channel,
        feedback_ids=customer.feedback_ids,
        state="not_told" if reason else "pending",
        reason=reason,
    )


def _why_not(resolution: Resolution, customer: LinkedCustomer, *, has_endpoint: bool) -> str | None:
    if resolution.tell_customer is None:
        return resolution.not_telling_because or NO_TEXT
    if customer.customer_id is None:
        return NO_CUSTOMER
    return None if has_endpoint else NO_ENDPOINT


def message_id(loop_id: str, endpoint_id: str) -> str:
    """The `webhook-id`: the same over retries, restarts and replays."""
    return derived_id("msg", loop_id, endpoint_id)


def state_by_deliveries(states: Sequence[str]) -> LoopState:
    """Told as soon as one endpoint has it; failed once none can get it any more."""
    if "delivered" in states:
        return "told"
    return "pending" if "pending" in states else "failed"


@dataclass(frozen=True, slots=True)
class Take:
    """The answer counts."""


@dataclass(frozen=True, slots=True)
class Already:
    """The same answer was given before: nothing more happens."""


@dataclass(frozen=True, slots=True)
class Refuse:
    because: str


def judge_answer(state: LoopState, answer: Answer) -> Take | Already | Refuse:
    """A customer answers a loop once; the same answer again is no error."""
    if state == answer:
        return Already()
    if state in {"confirmed", "disputed"}:
        return Refuse(
            f"this was already {state}, and the item went on from there; "
            "to say something new, send new feedback"
        )
    if not may_follow(state, answer):
        return Refuse("nobody was told anything here, so there is nothing to answer")
    return Take()
