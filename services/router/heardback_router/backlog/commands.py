"""What people may do to an item, and which event each deed becomes. Pure; the law is one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from heardback_router.backlog.domain import EventKind, Item, ItemEvent
from heardback_router.wording import CustomerText, InternalText
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
}
"""From which states each event may follow. `opened` follows nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    assignee: str


@dataclass(frozen=True, slots=True)
class Start:
    pass


@dataclass(frozen=True, slots=True)
class Comment:
    text: InternalText


@dataclass(frozen=True, slots=True)
class Resolve:
    """`tell` is what the customer reads, or why the customer is told nothing."""

    root_cause: InternalText
    action: InternalText
    tell: CustomerText | InternalText


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


def decide(item: Item, command: Command, actor: str, at: datetime) -> ItemEvent:
    """The event the command becomes. Raises IllegalCommandError."""
    kind, reason, data = _effect(item, command)
    allowed = LEGAL[kind]
    if item.state not in allowed:
        raise IllegalCommandError(
            f"The item is {_plain(item.state)}; it can be {kind} only while it is "
            f"{' or '.join(_plain(state) for state in allowed)}."
        )
    if isinstance(command, Reassign) and command.team == item.team:
        raise IllegalCommandError(f"The item belongs to {item.team} already.")
    return ItemEvent(item.id, item.version + 1, kind, actor, at, reason, data)


def _effect(item: Item, command: Command) -> tuple[EventKind, str | None, dict[str, Any]]:
    effect: tuple[EventKind, str | None, dict[str, Any]]
    match command:
        case Claim(assignee):
            effect = "claimed", None, {"assignee": assignee}
        case Start():
            effect = "started", None, {}
        case Comment(text):
            effect = "commented", None, {"text": text.text}
        case Resolve():
            effect = "resolved", None, _resolved(item, command)
        case Reopen(reason, loop_id, comment):
            said = comment.text if comment else None
            effect = "reopened", reason.text, {"loop_id": loop_id, "comment": said}
        case Reassign(team, reason):
            effect = "reassigned", reason.text, {"team": team, "from": item.team}
        case Close(reason, loop_id):
            effect = "closed", reason.text, {"loop_id": loop_id}
    return effect


def _resolved(item: Item, command: Resolve) -> dict[str, Any]:
    telling = isinstance(command.tell, CustomerText)
    return {
        "number": item.resolutions + 1,
        "root_cause": command.root_cause.text,
        "action": command.action.text,
        "tell_customer": command.tell.text if telling else None,
        "not_telling_because": None if telling else command.tell.text,
    }


def _plain(state: str) -> str:
    return state.replace("_", " ")
