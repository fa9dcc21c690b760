"""What the timekeeper asks of whoever needs a timer: look at one item at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.log import Entry
from heardback_router.configuration.policies import Policies


@dataclass(frozen=True, slots=True)
class Look:
    """What a watch sees: `entries` are due now and go into the log, which shows next time that they are
    done; at `again_at` it wants to look again at the latest. Every change of an item makes all look anew."""

    entries: tuple[Entry, ...] = ()
    again_at: datetime | None = None


class Watch(Protocol):
    def look(self, item: Item, log: Sequence[ItemEvent], policies: Policies, at: datetime) -> Look:
        """Pure. `log` is the item's whole log, in order; `policies.sla_before` has the older versions of the
        clock policy that the log names."""
        ...
