"""What is owed on an item: what the customer asks for, promises that were given, steps to be taken. Pure.

Each is changed by entries of the item's log only, and kept with the item as JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

Settled = Literal["met", "waived"]
PromiseState = Literal["open", "kept", "broken", "withdrawn", "dismissed"]
StepOutcome = Literal["done", "skipped", "approved", "refused"]
DONE: frozenset[StepOutcome] = frozenset({"done", "approved"})


@dataclass(frozen=True, slots=True)
class Criterion:
    """What the customer calls solved, in their words; `source` says where they said it."""

    text: str
    source: str
    set_by: str
    outcome: Settled | None = None
    because: str | None = None
    settled_by: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What somebody told a customer they would do. A dismissed one was suggested and is none."""

    id: str
    what: str
    to: str | None
    by: str
    due_at: datetime | None
    state: PromiseState = "open"


@dataclass(frozen=True, slots=True)
class Step:
    """`approval` is the level of whoever may approve it; then it is settled by approving or refusing."""

    id: str
    title: str
    mandatory: bool
    approval: str | None
    because: str
    asked_by: str | None = None
    outcome: StepOutcome | None = None
    settled_by: str | None = None

    @property
    def holds_up(self) -> bool:
        """True while the item may not be resolved for want of it. A deviation may be taken back."""
        taken_back = self.asked_by is not None and self.outcome == "skipped"
        return self.mandatory and self.outcome not in DONE and not taken_back


def criterion_set(data: Mapping[str, Any], actor: str) -> Criterion:
    return Criterion(data["text"], data["source"], actor)


def criterion_settled(criterion: Criterion | None, data: Mapping[str, Any], actor: str) -> Criterion | None:
    if criterion is None:
        return None
    return replace(criterion, outcome=data["outcome"], because=data.get("because"), settled_by=actor)


def criterion_asked_again(criterion: Criterion | None) -> Criterion | None:
    """After the customer, or a colleague, said that it is not solved."""
    return replace(criterion, outcome=None, because=None, settled_by=None) if criterion else None


def promised(promises: Sequence[Promise], data: Mapping[str, Any]) -> tuple[Promise, ...]:
    due = data.get("due_at")
    made = Promise(
        data["promise_id"],
        data["what"],
        data.get("to"),
        data["by"],
        datetime.fromisoformat(due) if due else None,
    )
    return (*promises, made)


def promise_settled(promises: Sequence[Promise], data: Mapping[str, Any]) -> tuple[Promise, ...]:
    wanted, outcome = data["promise_id"], data["outcome"]
    if outcome == "dismissed":
        return (*promises, Promise(wanted, data["what"], None, data["by"], None, "dismissed"))
    return tuple(replace(p, state=outcome) if p.id == wanted else p for p in promises)


def steps_chosen(steps: Sequence[Step], data: Mapping[str, Any]) -> tuple[Step, ...]:
    """The chosen ones in their order, what was settled kept, then those that deviations added."""
    before = {step.id: step for step in steps}
    chosen = [before.get(given["id"], step_of(given)) for given in data["steps"]]
    ids = {step.id for step in chosen}
    return (*chosen, *(step for step in steps if step.id not in ids and step.asked_by is not None))


def step_settled(steps: Sequence[Step], data: Mapping[str, Any], actor: str) -> tuple[Step, ...]:
    return tuple(
        replace(step, outcome=data["outcome"], settled_by=actor) if step.id == data["step"] else step
        for step in steps
    )


def deviated(steps: Sequence[Step], data: Mapping[str, Any]) -> tuple[Step, ...]:
    """A deviation within somebody's own limits asks for nothing more."""
    return (*steps, step_of(data["step"])) if data.get("step") else tuple(steps)


def step_of(data: Mapping[str, Any]) -> Step:
    return Step(**data)


def promise_of(data: Mapping[str, Any]) -> Promise:
    due = data["due_at"]
    return Promise(**{**data, "due_at": datetime.fromisoformat(due) if due else None})


def promise_json(promise: Promise) -> dict[str, Any]:
    return {**asdict(promise), "due_at": promise.due_at.isoformat() if promise.due_at else None}
