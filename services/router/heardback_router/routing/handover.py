"""What the next team needs to know of an item that was handed over. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from heardback_router.backlog.domain import Item, ItemEvent

TRIED = frozenset(
    {"commented", "responded", "started", "paused", "resumed", "resolved", "reopened", "step_settled"}
)
"""What shows what has been done about it so far."""


def handover(item: Item, log: Sequence[ItemEvent], last_words: Mapping[str, Any] | None) -> dict[str, Any]:
    """Why it came here, what was tried, what was promised, and what the customer said last."""
    moves = [event for event in log if event.kind == "reassigned"]
    opened = log[0]
    return {
        "item_id": item.id,
        "team": item.team,
        "reason": moves[-1].reason if moves else opened.reason,
        "from": moves[-1].data["from"] if moves else None,
        "by": moves[-1].actor if moves else opened.actor,
        "at": moves[-1].at if moves else opened.at,
        "warning": moves[-1].data.get("warning") if moves else None,
        "way": [*(event.data["from"] for event in moves), item.team],
        "transfers": [
            {"from": e.data["from"], "to": e.data["team"], "by": e.actor, "at": e.at, "reason": e.reason}
            for e in moves
        ],
        "tried": [_tried(event) for event in log if event.kind in TRIED],
        "open_promises": _open_promises(log),
        "waiting_for": item.waiting_for,
        "customers": list(item.customers),
        "last_words": last_words,
    }


def last_words_of(
    feedback_id: str, customer_id: str | None, accepted_at: datetime, content: Mapping[str, Any]
) -> dict[str, Any]:
    """The comment, or the customer's last turn, of the newest feedback; redacted as it is stored."""
    turns = content.get("turns") or ()
    said = [turn["text"] for turn in turns if turn.get("role") == "customer"]
    return {
        "feedback_id": feedback_id,
        "customer_id": customer_id,
        "accepted_at": accepted_at,
        "text": content.get("comment") or (said[-1] if said else None),
    }


def _tried(event: ItemEvent) -> dict[str, Any]:
    said = event.data.get("text") or event.data.get("note") or event.data.get("action") or event.reason
    return {"what": event.kind, "by": event.actor, "at": event.at, "said": said}


def _open_promises(log: Sequence[ItemEvent]) -> list[dict[str, Any]]:
    """Promises neither kept nor broken, as they were given."""
    promises = {e.data.get("promise_id", e.sequence): e for e in log if e.kind == "promised"}
    for event in log:
        if event.kind == "promise_settled":
            promises.pop(event.data.get("promise_id"), None)
    return [{"at": e.at, "by": e.actor, **e.data} for e in promises.values()]
