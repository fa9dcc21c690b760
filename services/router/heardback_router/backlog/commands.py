"""What people may do to an item, and which event each deed becomes. Pure; the law is one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from heardback_router.backlog.domain import EventKind, Item, ItemEvent
from heardback_router.backlog.fold import apply
from heardback_router.backlog.gate import GateError, Lack, lacks_of, lacks_to_close
from heardback_router.backlog.weighing import WeighingPolicy, weigh
from heardback_router.messages.domain import Result
from heardback_router.wording import CustomerText, InternalText, Translations
from heardback_shared.contracts.events import ItemState

LEGAL: Mapping[EventKind, tuple[ItemState, ...]] = {
    "feedback_joined": ("open", "in_progress"),
    "feedback_rescored": ("open", "in_progress", "resolved", "closed"),
    "claimed": ("open", "in_progress"),
    "started": ("open",),
    "commented": ("open", "in_progress", "resolved", "closed"),
    "resolved": ("open", "in_progress"),
    "reassigned": ("open", "in_progress"),
    "reopened": ("resolved", "closed"),
    "closed": ("resolved",),
    "feedback_came": ("open", "in_progress"),
    "feedback_left": ("open", "in_progress"),
    "merged": ("open", "in_progress"),
    "case_linked": ("open", "in_progress"),
    "size_alarmed": ("open", "in_progress"),
    "child_opened": ("open", "in_progress"),
    "assigned": ("open", "in_progress"),
    "released": ("open", "in_progress"),
    "escalated": ("open", "in_progress"),
    "responded": ("open", "in_progress"),
    "paused": ("open", "in_progress"),
    "resumed": ("open", "in_progress"),
    "clock_warned": ("open", "in_progress", "resolved"),
    "clock_breached": ("open", "in_progress", "resolved"),
    "sla_pinned": ("open", "in_progress", "resolved"),
    "loops_settled": ("resolved", "closed"),
    "reweighed": ("open", "in_progress", "resolved"),
    "corrected": ("open", "in_progress", "resolved", "closed"),
    "criterion_set": ("open", "in_progress"),
    "criterion_settled": ("open", "in_progress"),
    "flagged": ("open", "in_progress", "resolved", "closed"),
    "promised": ("open", "in_progress"),
    "promise_settled": ("open", "in_progress", "resolved", "closed", "merged"),
    "delay_foreseen": ("open", "in_progress"),
    "steps_chosen": ("open", "in_progress"),
    "step_settled": ("open", "in_progress"),
    "deviated": ("open", "in_progress"),
    "time_logged": ("open", "in_progress", "resolved", "closed"),
}
"""From which states each event may follow. `opened` follows nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    assignee: str


@dataclass(frozen=True, slots=True)
class Start:
    """`plan` is what customers may read of it; `due` is when it shall be done: a promise from then on."""

    plan: CustomerText | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    text: InternalText


@dataclass(frozen=True, slots=True)
class Resolve:
    """`tell` is what the customer reads, or why the customer is told nothing. `form` is filled and checked,
    `warnings` are what a look at the text for the customer found. Who declines tells the customer why.
    `translations` are `tell` in other languages."""

    root_cause: InternalText
    action: InternalText
    tell: CustomerText | InternalText
    form: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Mapping[str, str], ...] = ()
    result: Result = "done"
    reference: str | None = None
    translations: Translations = ()


@dataclass(frozen=True, slots=True)
class Reopen:
    """By a colleague, or by a customer through a loop: then with what the customer said, if anything."""

    reason: InternalText
    loop_id: str | None = None
    comment: InternalText | None = None


@dataclass(frozen=True, slots=True)
class Reassign:
    team: str
    reason: InternalText


@dataclass(frozen=True, slots=True)
class Close:
    reason: InternalText
    loop_id: str | None = None


Command = Claim | Start | Comment | Resolve | Reopen | Reassign | Close


class IllegalCommandError(Exception):
    """The item's state does not allow it. The message says what would."""


def decide(item: Item, command: Command, actor: str, at: datetime, weighing: WeighingPolicy) -> ItemEvent:
    """The event the command becomes. Raises IllegalCommandError; GateError while something is owed."""
    kind, reason, data = _effect(item, command)
    refuse_illegal(item, kind)
    if lacks := _lacks(item, command):
        raise GateError(lacks)
    if isinstance(command, Reassign) and command.team == item.team:
        raise IllegalCommandError(f"The item belongs to {item.team} already.")
    return event_after(item, kind, actor, at, reason, data, weighing)


def _lacks(item: Item, command: Command) -> tuple[Lack, ...]:
    match command:
        case Resolve():
            return lacks_of(item)
        case Close():
            return lacks_to_close(item)
        case _:
            return ()


def refuse_illegal(item: Item, kind: EventKind) -> None:
    """Raises IllegalCommandError where an event of this kind may not follow."""
    allowed = LEGAL[kind]
    if item.state not in allowed:
        raise IllegalCommandError(
            f"The item is {_plain(item.state)}; it can be {_plain(kind)} only while it is "
            f"{' or '.join(_plain(state) for state in allowed)}."
        )


def event_after(
    item: Item,
    kind: EventKind,
    actor: str,
    at: datetime,
    reason: str | None,
    data: Mapping[str, Any],
    weighing: WeighingPolicy,
) -> ItemEvent:
    """The next entry of the item's log. It says what the item weighs where the event changes that."""
    event = ItemEvent(item.id, item.version + 1, kind, actor, at, reason, data)
    after = apply(item, event)
    if (after.counts, after.worst, after.customers) == (item.counts, item.worst, item.customers):
        return event
    weighed = weigh(after.worst, len(after.customers), after.arrivals, after.counts, at, weighing)
    return replace(event, data={**data, **weighed.data})


def _effect(item: Item, command: Command) -> tuple[EventKind, str | None, dict[str, Any]]:
    effect: tuple[EventKind, str | None, dict[str, Any]]
    match command:
        case Claim(assignee):
            effect = "claimed", None, {"assignee": assignee}
        case Start(plan, due):
            said = {"plan": plan.text} if plan else {}
            effect = "started", None, {**said, **({"due": due.isoformat()} if due else {})}
        case Comment(text):
            effect = "commented", None, {"text": text.text}
        case Resolve():
            effect = "resolved", None, _outcome(item, command)
        case Reopen(reason, loop_id, comment):
            words = comment.text if comment else None
            undone = {"loop_id": loop_id, "comment": words, "resolution": item.resolutions}
            effect = "reopened", reason.text, undone
        case Reassign(team, reason):
            effect = "reassigned", reason.text, {"team": team, "from": item.team}
        case Close(reason, loop_id):
            effect = "closed", reason.text, {"loop_id": loop_id}
    return effect


def _outcome(item: Item, command: Resolve) -> dict[str, Any]:
    telling = isinstance(command.tell, CustomerText)
    return {
        "number": item.resolutions + 1,
        "root_cause": command.root_cause.text,
        "action": command.action.text,
        "tell_customer": command.tell.text if telling else None,
        "not_telling_because": None if telling else command.tell.text,
        "reworks": item.resolutions or None,
        "form": dict(command.form),
        "warnings": list(command.warnings),
        "result": command.result,
        "reference": command.reference,
        "translations": {language: said.text for language, said in command.translations},
    }


def _plain(state: str) -> str:
    return state.replace("_", " ")
