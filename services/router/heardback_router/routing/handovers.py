"""What follows when an item is handed over, and over again. Pure."""

from collections.abc import Sequence

from heardback_router.backlog.domain import ROUTER, Item
from heardback_router.backlog.log import Entry
from heardback_router.routing.ladder import LadderPolicy


def after_transfer(item: Item, ladder: LadderPolicy) -> list[Entry]:
    """What follows when an item, as it stands after being handed over, has been passed around."""
    over = item.counts.transfers - ladder.escalate_at
    if over < 0 or not ladder.steps:
        return []
    level = ladder.steps[min(over, len(ladder.steps) - 1)].to
    reason = f"It was handed over {item.counts.transfers} times"
    data = {**ladder.level(item.team, level), "transfers": item.counts.transfers}
    return [Entry("escalated", ROUTER, reason, data)]


def passed_back(teams: Sequence[str], to: str) -> str | None:
    """A warning where the item comes to a team that had it before. `teams` had it so far, in order."""
    if to not in teams[:-1]:
        return None
    way = " → ".join([*teams, to])
    return f"{to} had it before ({way}). Say what is different now, or settle between the teams whose it is."
