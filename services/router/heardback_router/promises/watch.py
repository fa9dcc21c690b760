"""A promise that is not kept when it is due is broken, and the log says so."""

from collections.abc import Sequence
from datetime import datetime

from heardback_router.backlog.domain import ROUTER, Item, ItemEvent
from heardback_router.backlog.log import Entry
from heardback_router.configuration.policies import Policies
from heardback_router.sla.watch import Look

WHY = "It was not kept when it was due"


class PromiseWatch:
    def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
        """Breaks what is due, at the moment it is due or later; looks again when the next one is."""
        running = [p for p in item.promises if p.state == "open" and p.due_at is not None]
        due = sorted((p for p in running if p.due_at and p.due_at <= at), key=lambda p: p.id)
        later = [p.due_at for p in running if p.due_at and p.due_at > at]
        entries = tuple(
            Entry("promise_settled", ROUTER, WHY, {"promise_id": p.id, "outcome": "broken"}) for p in due
        )
        return Look(entries, min(later, default=None))
