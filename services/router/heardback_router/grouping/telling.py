"""Telling a customer once about a case: what one item's resolution means beside the others. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from heardback_router.backlog.domain import LinkedCustomer, Resolution
from heardback_router.wording import CustomerText


@dataclass(frozen=True, slots=True)
class Mate:
    """Another item of the case. `stakes` are the feedback per customer; `tell` and `resolved_at` of its
    resolution, if it is resolved."""

    item_id: str
    unresolved: bool
    stakes: Mapping[str, tuple[str, ...]]
    tell: str | None = None
    resolved_at: datetime | None = None


def told_once(
    resolution: Resolution, case_id: str, mates: Sequence[Mate], told_at: Mapping[str, datetime]
) -> list[Resolution]:
    """The resolution, in one part for each thing that its customers are told.

    Whose case has other unresolved items is not told yet. Who waited for this, the last one, is told once
    about all of them: in this item's words, or, if it has none, in the latest that were kept back.
    `told_at` is when a customer was last told anything about an item of the case.
    """
    parts: dict[tuple[str | None, str | None], list[LinkedCustomer]] = {}
    for one in resolution.linked:
        stake = one
        here = resolution.tell_customer.text if resolution.tell_customer else None
        tell, because = here, resolution.not_telling_because
        customer = stake.customer_id
        others = [m.item_id for m in mates if m.unresolved and customer in m.stakes]
        if others:
            listed = ", ".join(others)
            tell, because = None, f"case {case_id} of this customer is not resolved as a whole yet: {listed}"
        elif customer is not None:
            waiting = [m for m in mates if _kept_back(m, customer, told_at.get(customer))]
            stake = _widened(stake, waiting)
            if here is None and waiting:
                last = max(waiting, key=lambda m: (str(m.resolved_at), m.item_id))
                tell, because = last.tell, None
        parts.setdefault((tell, because if tell is None else None), []).append(stake)
    return [
        replace(
            resolution,
            linked=tuple(linked),
            tell_customer=CustomerText(tell) if tell else None,
            not_telling_because=because,
        )
        for (tell, because), linked in parts.items()
    ]


def _kept_back(mate: Mate, customer: str, told_at: datetime | None) -> bool:
    if mate.unresolved or mate.tell is None or mate.resolved_at is None or customer not in mate.stakes:
        return False
    return told_at is None or told_at < mate.resolved_at


def _widened(stake: LinkedCustomer, waiting: Sequence[Mate]) -> LinkedCustomer:
    """With the feedback of the items that waited, so that all of it is answered."""
    more = [f for mate in waiting for f in mate.stakes[stake.customer_id or ""]]
    return replace(stake, feedback_ids=tuple(dict.fromkeys((*stake.feedback_ids, *more))))
