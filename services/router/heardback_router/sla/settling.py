"""Noticing that the last customer behind a resolved item was told, so that the log can say so. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from heardback_router.backlog.domain import ROUTER, Item, ItemEvent
from heardback_router.backlog.log import Entry
from heardback_router.sla.watch import Look

_TOLD = frozenset({"told", "not_told", "confirmed", "disputed"})
_SOONEST = timedelta(seconds=30)


def awaits_telling(item: Item, log: Sequence[ItemEvent]) -> bool:
    """True while the log of a resolved item does not say that its customers were told."""
    if item.state != "resolved":
        return False
    said = [e for e in log if e.kind == "loops_settled" and e.data["number"] == item.resolutions]
    return not said


def look_at_loops(item: Item, loops: Sequence[Mapping[str, Any]], at: datetime) -> Look:
    """`loops` are the item's with their history. Messages take their time, so a tenth of what has passed
    since the item was resolved may pass before the next look; what is noticed late is dated exactly."""
    if item.resolution is None:
        return Look()
    told = [_told_at(loop) for loop in loops]
    if None in told:
        return Look(again_at=at + max((at - item.resolution.at) / 10, _SOONEST))
    settled_at = max((when for when in told if when is not None), default=item.resolution.at)
    reason = "Every customer behind it was told, or was not to be told."
    data = {"number": item.resolutions, "at": max(settled_at, item.resolution.at).isoformat()}
    return Look((Entry("loops_settled", ROUTER, reason, data),))


def _told_at(loop: Mapping[str, Any]) -> datetime | None:
    """When this was so in the round that the loop is in."""
    steps = [step for step in loop["history"] if step["round"] == loop["round"]]
    return min((step["at"] for step in steps if step["state"] in _TOLD), default=None)
