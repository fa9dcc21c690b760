"""Turns on the steps an item calls for, soon after it was opened or became what calls for them."""

from collections.abc import Sequence
from datetime import datetime

from heardback_router.backlog.commands import LEGAL
from heardback_router.backlog.domain import ROUTER, Item, ItemEvent
from heardback_router.backlog.log import Entry
from heardback_router.configuration.policies import Policies
from heardback_router.sla.watch import Look
from heardback_router.steps.domain import facts_in, newly_called_for


class StepsWatch:
    def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
        """One entry for what is newly called for; the item's own changes make it look again."""
        if item.state not in LEGAL["steps_chosen"]:
            return Look()
        called = newly_called_for(item, facts_in(log), policies.steps)
        return Look((Entry("steps_chosen", ROUTER, None, called),)) if called else Look()
