"""Why one item stands above another: the order of lists in plain words. Pure.

Lists run by severity falling, then by age, then by id; sorted by due time, what runs out first comes first,
what has no running clock last, and the rest as before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from heardback_router.backlog.domain import Item
from heardback_router.backlog.listing import Sort

_FACTOR_NAMES = {
    "worst": "worst feedback",
    "breadth": "customers behind it",
    "trend": "more of it lately",
    "transfers": "handed over",
    "reopens": "reopened",
    "broken_promises": "broken promises",
    "breaches": "clocks run out",
    "cap": "ends at 100",
}


@dataclass(frozen=True, slots=True)
class Placed:
    """An item and when the first of its clocks runs out."""

    item: Item
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`decided_by` is the first key of the order in which the two differ."""

    above: Item
    below: Item
    decided_by: str
    because: str
    side_by_side: tuple[Mapping[str, Any], ...]


def contributions_of(item: Item) -> tuple[Mapping[str, Any], ...]:
    """What adds up to the item's severity; an item that was never weighed again is its only feedback."""
    if item.contributions:
        return item.contributions
    words = f"Its worst feedback has severity {item.worst.score:g}."
    return ({"factor": "worst", "points": item.worst.score, "because": words},)


def because(item: Item) -> str:
    """Where the item stands and why, short enough for a row."""
    parts = []
    for part in contributions_of(item):
        name = _FACTOR_NAMES.get(part["factor"], part["factor"].replace("_", " "))
        sign = "" if part["factor"] == "worst" else "+" if part["points"] >= 0 else "−"
        parts.append(f"{name} {sign}{abs(part['points']):g}")
    return (
        f"{item.weight.band}, {item.weight.score:g} points ({', '.join(parts)}), since {_at(item.opened_at)}"
    )


def compare(one: Placed, other: Placed, sort: Sort = "severity") -> Comparison:
    """Of two items, which stands above the other in a list of this order, and why."""
    upper, lower = sorted((one, other), key=lambda placed: place_of(placed, sort))
    by, words = _first_difference(upper, lower, sort)
    return Comparison(
        upper.item,
        lower.item,
        by,
        words,
        _side_by_side(contributions_of(one.item), contributions_of(other.item)),
    )


def place_of(placed: Placed, sort: Sort) -> tuple[Any, ...]:
    """Smaller is higher."""
    item = placed.item
    rest = (-item.weight.score, item.opened_at, item.id)
    if sort == "due":
        return (placed.due_at is None, placed.due_at or datetime.max.replace(tzinfo=UTC), *rest)
    return rest


def _first_difference(upper: Placed, lower: Placed, sort: Sort) -> tuple[str, str]:
    above, below = upper.item, lower.item
    if sort == "due" and upper.due_at != lower.due_at:
        if lower.due_at is None:
            return "due_at", f"{above.id} is due {_at(upper.due_at)}; {below.id} has no running clock."
        return (
            "due_at",
            f"{above.id} is due {_at(upper.due_at)}, before {below.id}, which is due {_at(lower.due_at)}.",
        )
    if above.weight.score != below.weight.score:
        return (
            "severity",
            f"{above.id} has severity {above.weight.score:g}, {below.id} has {below.weight.score:g}; "
            "the more severe one comes first.",
        )
    if above.opened_at != below.opened_at:
        return (
            "opened_at",
            f"Both have severity {above.weight.score:g}; {above.id} has waited longer, since "
            f"{_at(above.opened_at)}, {below.id} since {_at(below.opened_at)}.",
        )
    return (
        "id",
        "Both are equally severe and equally old; they keep the order of their ids, so that it is steady.",
    )


def _side_by_side(
    one: tuple[Mapping[str, Any], ...], other: tuple[Mapping[str, Any], ...]
) -> tuple[Mapping[str, Any], ...]:
    """Every factor of either item, with both items' points; 0 where it adds nothing."""
    mine, theirs = ({part["factor"]: part for part in parts} for parts in (one, other))
    factors = [*mine, *(factor for factor in theirs if factor not in mine)]
    return tuple(
        {
            "factor": factor,
            "points": [side[factor]["points"] if factor in side else 0 for side in (mine, theirs)],
            "because": [side[factor]["because"] if factor in side else None for side in (mine, theirs)],
        }
        for factor in factors
    )


def _at(instant: datetime | None) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if instant else "never"
