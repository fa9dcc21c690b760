"""What may become of a message. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from heardback_router.messages.domain import Step
from heardback_router.outreach.domain import Draft, MessageState

FOLLOWS: Mapping[MessageState, frozenset[MessageState]] = {
    # `sent` out of waiting or failed: a delivery that had been given up was replayed by hand, and arrived.
    "waiting": frozenset({"waiting", "paused", "handed", "sent", "failed", "refused", "cancelled"}),
    "paused": frozenset({"waiting", "cancelled"}),
    "handed": frozenset({"waiting", "paused", "cancelled", "sent"}),
    "failed": frozenset({"sent"}),
    "sent": frozenset(),
    "refused": frozenset(),
    "cancelled": frozenset(),
}
"""A channel that fails gives the message back: it waits for the next one, and fails where none is left. What
was taken back meanwhile is cancelled then, and what was paused is paused."""

ORDER: Mapping[Step, int] = {"acknowledged": 0, "planned": 1, "delayed": 1, "told": 2}
"""The steps of a loop in the order in which they make sense; what is not here stands by itself."""


def may_follow(before: MessageState | None, after: MessageState) -> bool:
    return after == "waiting" if before is None else after in FOLLOWS[before]


def says_the_same(one: Draft, other: Draft) -> bool:
    """Whether somebody who gets the second, under another of their ids, learns nothing new from the first."""
    if one.customer_id == other.customer_id or one.step != other.step or one.step not in ORDER:
        return False
    claims = {change.change_id for change in one.facts.changes}
    if claims:
        return claims <= {change.change_id for change in other.facts.changes}
    same = replace(one.facts, raised_on=None) == replace(other.facts, raised_on=None)
    return same and set(one.item_ids) <= set(other.item_ids)


def comes_before(earlier: Draft, later: Draft) -> bool:
    """Whether both are about the same loops and the first is a step before the second."""
    if not earlier.loop_ids or not set(earlier.loop_ids) <= set(later.loop_ids):
        return False
    first, second = ORDER.get(earlier.step), ORDER.get(later.step)
    return first is not None and second is not None and first < second
