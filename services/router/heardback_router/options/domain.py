"""When a custom request that recurs should become an option. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from heardback_router.steps.thresholds import Promotion

Verdict = Literal["promote", "decline", "later"]
EVIDENCE_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """One item flagged custom, with what it asks for and the minutes logged on it."""

    request: str
    item_id: str
    customers: tuple[str, ...]
    opened_at: datetime
    minutes: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided about a request, and the evidence they saw."""

    request: str
    number: int
    decision: Verdict
    actor: str
    reason: str
    items: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`items` are the newest of those counted; `because` names the threshold and what reaches it."""

    request: str
    count: int
    customers: int
    minutes: int
    items: tuple[str, ...]
    because: str
    last: Decided | None


def suggestions(
    asked: Iterable[Asked], decided: Iterable[Decided], policy: Promotion, at: datetime
) -> tuple[Suggestion, ...]:
    """What was asked for often enough, most often first.

    A request that was promoted is done with. One that was declined or put off comes back when, after the
    decision, as many items again have asked for it as the threshold says.
    """
    latest: dict[str, Decided] = {}
    for one in sorted(decided, key=lambda d: d.number):
        latest[one.request] = one
    since = at - timedelta(days=policy.days)
    by_request: dict[str, list[Asked]] = {}
    for item in asked:
        last = latest.get(item.request)
        if item.opened_at > since and (last is None or item.opened_at > last.at):
            by_request.setdefault(item.request, []).append(item)
    found = [
        _suggestion(request, items, policy, latest.get(request))
        for request, items in by_request.items()
        if not (request in latest and latest[request].decision == "promote")
    ]
    reached = [s for s in found if s.count >= policy.items and s.customers >= policy.customers]
    return tuple(sorted(reached, key=lambda s: (-s.count, s.request)))


def _suggestion(request: str, items: list[Asked], policy: Promotion, last: Decided | None) -> Suggestion:
    newest = sorted(items, key=lambda i: (i.opened_at, i.item_id), reverse=True)
    customers = {customer for item in items for customer in item.customers}
    again = f" since it was {_PAST[last.decision]} on {last.at.date()}" if last else ""
    because = (
        f"{len(items)} items of {len(customers)} customers asked for it in {policy.days} days{again}; "
        f"from {policy.items} items of {policy.customers} customers on it is suggested."
    )
    return Suggestion(
        request,
        len(items),
        len(customers),
        sum(item.minutes for item in items),
        tuple(item.item_id for item in newest[:EVIDENCE_SHOWN]),
        because,
        last,
    )


_PAST = {"promote": "promoted", "decline": "declined", "later": "put off"}
