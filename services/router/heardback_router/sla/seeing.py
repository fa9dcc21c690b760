"""One look at one item: all watches, until none has more to say, and what to keep of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from heardback_router.backlog.domain import Item, ItemEvent
from heardback_router.backlog.log import Entry, entered
from heardback_router.configuration.policies import Policies
from heardback_router.sla.clocks import clocks_of, latest, next_due
from heardback_router.sla.watch import Look, Watch

SOONEST = timedelta(seconds=1)
ROUNDS = 8
"""What one watch enters may give another something to say; so often at most in one look."""


class NeverQuietError(Exception):
    """Watches go on making entries: one of them does not see in the log what it did."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a look leaves in the item's row: clocks as shown (None: as they are), when the next of them runs
    out, and when to look again (None: when something happens)."""

    item_id: str
    clocks: Sequence[Mapping[str, Any]] | None
    due_at: datetime | None
    timer_at: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """`made` is what the look enters into the log, with the item after each entry."""

    made: Sequence[tuple[ItemEvent, Item]]
    kept: Kept


def see(
    item: Item,
    log: Sequence[ItemEvent],
    policies: Policies,
    at: datetime,
    watches: Sequence[Watch],
    first: Look = Look(),  # noqa: B008  (frozen)
) -> Seen:
    """`first` is what was seen before the watches look. Raises NeverQuietError."""
    made = entered(item, first.entries, at, policies.weighing)
    for _ in range(ROUNDS):
        now = made[-1][1] if made else item
        whole = [*log, *(event for event, _ in made)]
        again = [first.again_at]
        entries: list[Entry] = []
        for watch in watches:
            look = watch.look(now, whole, policies, at)
            entries += look.entries
            again.append(look.again_at)
            if look.entries:
                # The others see the item as it is after these.
                break
        if not entries:
            clocks = latest(clocks_of(whole, at, policies.sla, policies.sla_before))
            later = [max(when, at + SOONEST) for when in again if when is not None]
            timer = min(later, default=None)
            return Seen(made, Kept(item.id, [c.shown for c in clocks], next_due(clocks), timer))
        made += entered(now, entries, at, policies.weighing)
    raise NeverQuietError(f"after {ROUNDS} rounds there is still something to enter for {item.id}")
