"""When an item waits to be given out, and when a change makes room. Pure."""

from heardback_router.assignment.domain import UNKNOWN, CapacityPolicy, Waiting
from heardback_router.backlog.domain import Item


def waiting_of(item: Item) -> Waiting:
    topics = {item.domain, f"{item.domain}/{item.category}"} if item.domain else set()
    return Waiting(
        item.id,
        item.weight.band,
        item.opened_at,
        item.tier or UNKNOWN,
        item.owner,
        frozenset(topic for topic in topics if topic),
    )


def teams_to_drain(before: Item | None, after: Item, capacity: CapacityPolicy) -> set[str]:
    """The teams in which a change of an item made room, or brought something to give out."""
    teams = set()
    if before is not None and (held := _place(before)) is not None and held != _place(after):
        teams.add(before.team)
    waits = after.assignee is None and after.state in {"open", "in_progress"}
    if waits and (capacity.gives(after.team) or after.owner is not None):
        teams.add(after.team)
    return teams


def _place(item: Item) -> tuple[str, str] | None:
    """Whose place in which team the item takes up."""
    if item.assignee is None or item.state not in {"open", "in_progress"}:
        return None
    return item.assignee, item.team
