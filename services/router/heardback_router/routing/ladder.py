"""Who is told when nobody acts, and what follows when an item is passed around. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from heardback_router.backlog.domain import ROUTER, Item
from heardback_router.backlog.log import Entry
from heardback_shared.contracts.score import Band


@dataclass(frozen=True, slots=True)
class Step:
    """One rung. A band that `after` does not name is not escalated to it."""

    to: str
    after: Mapping[Band, timedelta]


@dataclass(frozen=True, slots=True)
class LadderPolicy:
    """`returns` is how long an assignee may leave an item alone. `people`: team → level → who that is."""

    name: str
    returns: Mapping[Band, timedelta]
    from_people: bool
    steps: tuple[Step, ...]
    escalate_at: int
    people: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def who(self, team: str, level: str) -> str | None:
        return self.people.get(team, {}).get(level)


def after_transfer(item: Item, ladder: LadderPolicy) -> list[Entry]:
    """What follows when an item, as it stands after being handed over, has been passed around."""
    over = item.counts.transfers - ladder.escalate_at
    if over < 0 or not ladder.steps:
        return []
    level = ladder.steps[min(over, len(ladder.steps) - 1)].to
    reason = f"It was handed over {item.counts.transfers} times"
    data = {**level_data(ladder, item.team, level), "transfers": item.counts.transfers}
    return [Entry("escalated", ROUTER, reason, data)]


def passed_back(teams: Sequence[str], to: str) -> str | None:
    """A warning where the item comes to a team that had it before. `teams` had it so far, in order."""
    if to not in teams[:-1]:
        return None
    way = " → ".join([*teams, to])
    return f"{to} had it before ({way}). Say what is different now, or settle between the teams whose it is."


def level_data(ladder: LadderPolicy, team: str, level: str) -> dict[str, Any]:
    return {"level": level, "to": ladder.who(team, level), "ladder": ladder.name}
