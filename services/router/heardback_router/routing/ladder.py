"""What the ladder policy says: who is told when nobody acts, and when an item is passed around. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

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

    def level(self, team: str, level: str) -> dict[str, Any]:
        """As an entry says whom it reached."""
        return {"level": level, "to": self.who(team, level), "ladder": self.name}
