"""A loop: one customer's stake in one item, from hearing them to their own word that it is solved. Pure.

Its log is the truth. A step is taken in a round; when the matter is taken up again after it was told, failed,
withheld or answered, the next round begins on the same loop.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from heardback_router.messages.domain import Step
from heardback_shared.contracts.events import LoopState
from heardback_shared.ids import derived_id

Answer = Literal["confirmed", "disputed"]

WORKING: frozenset[LoopState] = frozenset({"acknowledged", "planned"})
"""Somebody has the matter; there is nothing yet to tell of it."""
WAITING: frozenset[LoopState] = frozenset({"changed"})
"""Something has changed, and whether the customer heard is not known yet."""
SETTLED: frozenset[LoopState] = frozenset({"confirmed", "not_told"})
"""Nothing more is expected of the customer, or of us."""

FOLLOWS: Mapping[LoopState, frozenset[LoopState]] = {
    "acknowledged": frozenset({"planned", "changed"}),
    "planned": frozenset({"changed"}),
    # A customer may answer what we could not see arrive. What was withdrawn before it left starts over.
    "changed": frozenset({"told", "failed", "not_told", "confirmed", "disputed", "acknowledged", "changed"}),
    "told": frozenset({"confirmed", "disputed", "acknowledged", "changed"}),
    "failed": frozenset({"told", "confirmed", "disputed", "acknowledged", "planned", "changed"}),
    "not_told": frozenset({"acknowledged", "planned", "changed"}),
    "confirmed": frozenset({"acknowledged", "changed"}),
    "disputed": frozenset({"acknowledged", "planned", "changed"}),
}
FIRST: LoopState = "acknowledged"
_AGAIN: frozenset[LoopState] = frozenset({"acknowledged", "planned", "changed"})


class IllegalTransitionError(ValueError):
    """The log of a loop says something that cannot follow what came before."""


@dataclass(frozen=True, slots=True)
class LoopEvent:
    """`code` and `reason` say why, for machines and in plain words; neither is a colleague's own text."""

    sequence: int
    round: int
    state: LoopState
    at: datetime
    actor: str
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LoopStatus:
    """Where a loop stands: the fold of its events."""

    state: LoopState
    round: int
    sequence: int
    since: datetime
    code: str | None = None
    reason: str | None = None


def may_follow(before: LoopState | None, after: LoopState) -> bool:
    return after == FIRST if before is None else after in FOLLOWS[before]


def round_after(before: LoopState, number: int, after: LoopState) -> int:
    """The round in which a step is taken."""
    return number + 1 if after in _AGAIN and before not in WORKING else number


def event_after(
    status: LoopStatus,
    state: LoopState,
    at: datetime,
    actor: str,
    code: str | None = None,
    reason: str | None = None,
) -> LoopEvent:
    """The next entry of a loop's log. Raises IllegalTransitionError."""
    if not may_follow(status.state, state):
        raise IllegalTransitionError(f"{state} cannot follow {status.state}")
    number = round_after(status.state, status.round, state)
    # The clocks of two processes differ a little; a log never goes back in time.
    return LoopEvent(status.sequence + 1, number, state, max(at, status.since), actor, code, reason)


def after(status: LoopStatus | None, event: LoopEvent) -> LoopStatus:
    """Raises IllegalTransitionError for a gap, an impossible step, a wrong round, and a step back in time."""
    expected = status.sequence + 1 if status else 1
    if event.sequence != expected:
        raise IllegalTransitionError(f"event {event.sequence} where {expected} was due")
    if not may_follow(status.state if status else None, event.state):
        raise IllegalTransitionError(f"{event.state} cannot follow {status.state if status else 'nothing'}")
    number = round_after(status.state, status.round, event.state) if status else 1
    if event.round != number:
        raise IllegalTransitionError(f"{event.state} is of round {number}, not {event.round}")
    if status is not None and event.at < status.since:
        raise IllegalTransitionError(f"event {event.sequence} is older than the one before it")
    return LoopStatus(event.state, number, event.sequence, event.at, event.code, event.reason)


def fold(events: Iterable[LoopEvent]) -> LoopStatus:
    """Raises IllegalTransitionError for a log that cannot be, and for an empty one."""
    status: LoopStatus | None = None
    for event in events:
        status = after(status, event)
    if status is None:
        raise IllegalTransitionError("a loop has at least one event")
    return status


def told_in(events: Sequence[LoopEvent], number: int) -> LoopEvent | None:
    """The step by which the customer was told in this round."""
    return next((e for e in events if e.round == number and e.state == "told"), None)


def loop_id(tenant_id: str, item_id: str, feedback_id: str) -> str:
    """Of the loop that a feedback opens; a repeat finds it again."""
    return derived_id("lp", tenant_id, item_id, feedback_id)


def message_id(lead: str, number: int, step: Step, occasion: str = "") -> str:
    """Of the message that goes out in a round of a loop: one per step, and per occasion where there are more,
    such as promises that will not be kept."""
    return derived_id("msg", lead, number, step, occasion)


def change_id(tenant_id: str, item_id: str, resolution_number: int) -> str:
    return derived_id("ch", tenant_id, item_id, resolution_number)


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
    """A customer answers each round once; the same answer again is no error."""
    if state == answer:
        return Already()
    if state in {"confirmed", "disputed"}:
        return Refuse(
            f"this was already {state}, and the item went on from there; "
            "to say something new, send new feedback"
        )
    if state in WORKING:
        return Refuse("it is being worked on, and you will hear when something has changed; answer then")
    if not may_follow(state, answer):
        return Refuse("nobody was told anything here, so there is nothing to answer")
    return Take()
