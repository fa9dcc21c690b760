"""The clocks of recorded logs, under a policy they were not made with. Pure."""

from collections.abc import Sequence
from datetime import datetime

from heardback_router.backlog.domain import ItemEvent
from heardback_router.sla.clocks import outcome
from heardback_router.sla.domain import SlaPolicy


class LogClocks:
    def breached(self, log: Sequence[ItemEvent], policy: SlaPolicy, at: datetime) -> tuple[str, ...]:
        """The clocks that ran out up to `at`, had this policy counted from the opening: kind, and from the
        second run of a kind on its number. What people did stays as it was."""
        clocks = outcome(log, policy, at)
        return tuple(
            clock.kind if clock.run == 1 else f"{clock.kind} {clock.run}"
            for clock in clocks
            if clock.breached_at is not None
        )
