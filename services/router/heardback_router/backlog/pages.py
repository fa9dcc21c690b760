"""What only the page of one item says: its log, its resolutions, its children."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from heardback_router.backlog.domain import Item, ItemEvent


def shown_whole(item: Item, log: Sequence[ItemEvent]) -> dict[str, Any]:
    """What only the item's own page says."""
    return {
        "resolution": asdict(item.resolution) if item.resolution else None,
        "earlier_resolutions": undone_resolutions(log),
        "promises": [asdict(promise) for promise in item.promises if promise.state != "dismissed"],
        "steps": [{**asdict(step), "holds_up": step.holds_up} for step in item.steps],
        "timeline": shown_entries(log),
    }


def undone_resolutions(log: Iterable[ItemEvent]) -> list[dict[str, Any]]:
    """The resolutions of this log after which the item was reopened, oldest first."""
    undone, last = [], None
    for event in log:
        if event.kind == "resolved":
            last = event
        elif event.kind == "reopened" and last is not None:
            undone.append(
                {
                    "number": last.data["number"],
                    "root_cause": last.data["root_cause"],
                    "action": last.data["action"],
                    "resolved_at": last.at,
                    "resolved_by": last.actor,
                    "reopened_at": event.at,
                    "reopened_by": event.actor,
                    "reopened_because": event.reason,
                    "entry": event.sequence,
                }
            )
            last = None
    return undone


def shown_entries(events: Iterable[ItemEvent]) -> list[dict[str, Any]]:
    return [
        {
            "sequence": event.sequence,
            "kind": event.kind,
            "actor": event.actor,
            "at": event.at,
            "reason": event.reason,
            "data": event.data,
        }
        for event in events
    ]
