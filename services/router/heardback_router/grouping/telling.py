"""Telling a customer once about a case: what one item's resolution means beside the others. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from heardback_router.backlog.domain import LinkedCustomer, Resolution
from heardback_router.messages.domain import Result
from heardback_router.wording import CustomerText, Translations

CASE_OPEN = "case_open"


@dataclass(frozen=True, slots=True)
class Mate:
    """Another item of the case. `stakes` are the feedback per customer; what follows is of its resolution, if
    it is resolved."""

    item_id: str
    unresolved: bool
    stakes: Mapping[str, tuple[str, ...]]
    tell: str | None = None
    resolved_at: datetime | None = None
    result: Result = "done"
    reference: str | None = None
    change_id: str = ""
    translations: Translations = ()


def told_once(
    resolution: Resolution, case_id: str, mates: Sequence[Mate], told_at: Mapping[str, datetime]
) -> list[Resolution]:
    """The resolution, in one part for each thing that its customers are told.

    Whose case has other unresolved items is not told yet. Who waited for this, the last one, is told once
    about all of them: in this item's words, or, if it has none, in the latest that were kept back.
    `told_at` is when a customer was last told anything about an item of the case.
    """
    parts: dict[tuple[str, str | None], tuple[Resolution, list[LinkedCustomer]]] = {}
    for one in resolution.linked:
        stake, said = _said_to(resolution, one, case_id, mates, told_at)
        key = (said.change_id, said.not_telling_because if said.tell_customer is None else None)
        parts.setdefault(key, (said, []))[1].append(stake)
    return [replace(said, linked=tuple(linked)) for said, linked in parts.values()]


def _said_to(
    resolution: Resolution,
    stake: LinkedCustomer,
    case_id: str,
    mates: Sequence[Mate],
    told_at: Mapping[str, datetime],
) -> tuple[LinkedCustomer, Resolution]:
    """One customer's stake as wide as it is by now, and what is said about it."""
    customer = stake.customer_id
    others = [m.item_id for m in mates if m.unresolved and customer in m.stakes]
    if others:
        listed = ", ".join(others)
        because = f"case {case_id} of this customer is not resolved as a whole yet: {listed}"
        withheld = replace(
            resolution, tell_customer=None, not_telling_because=because, not_telling_code=CASE_OPEN
        )
        return stake, withheld
    if customer is None:
        return stake, resolution
    waiting = [m for m in mates if _kept_back(m, customer, told_at.get(customer))]
    stake = _widened(stake, waiting)
    if resolution.tell_customer is not None or not waiting:
        return stake, resolution
    last = max(waiting, key=lambda m: (str(m.resolved_at), m.item_id))
    said = replace(
        resolution,
        tell_customer=CustomerText(last.tell or ""),
        not_telling_because=None,
        result=last.result,
        reference=last.reference,
        change_id=last.change_id,
        translations=last.translations,
        on=last.resolved_at.date() if last.resolved_at else None,
    )
    return stake, said


def _kept_back(mate: Mate, customer: str, told_at: datetime | None) -> bool:
    if mate.unresolved or mate.tell is None or mate.resolved_at is None or customer not in mate.stakes:
        return False
    return told_at is None or told_at < mate.resolved_at


def _widened(stake: LinkedCustomer, waiting: Sequence[Mate]) -> LinkedCustomer:
    """With the feedback of the items that waited, so that all of it is answered."""
    more = [f for mate in waiting for f in mate.stakes[stake.customer_id or ""]]
    return replace(stake, feedback_ids=tuple(dict.fromkeys((*stake.feedback_ids, *more))))
