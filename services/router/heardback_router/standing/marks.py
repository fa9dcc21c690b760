"""Which entries of an item's log change how a customer stands. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from heardback_router.backlog.domain import EventKind, ItemEvent

OF_ONE: frozenset[EventKind] = frozenset({"opened", "feedback_joined"})
"""They concern the customer they name."""

OF_ALL: frozenset[EventKind] = frozenset(
    {
        "feedback_came",
        "feedback_left",
        "merged",
        "resolved",
        "reopened",
        "reassigned",
        "clock_breached",
        "promised",
        "promise_settled",
    }
)
"""They concern every customer behind the item."""


@dataclass(frozen=True, slots=True)
class Mark:
    """`customer_id` None: every customer behind the item."""

    item_id: str
    customer_id: str | None


def marks_of(events: Iterable[ItemEvent]) -> list[Mark]:
    """Each once, in order."""
    marks: dict[Mark, None] = {}
    for event in events:
        if event.kind in OF_ALL:
            marks[Mark(event.item_id, None)] = None
        elif event.kind in OF_ONE and event.data.get("customer_id"):
            marks[Mark(event.item_id, event.data["customer_id"])] = None
    return list(marks)
