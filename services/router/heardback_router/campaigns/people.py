"""Whom a campaign concerns: every stake in its items, gathered into one message per person. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from heardback_router.campaigns.domain import ChangeRecord
from heardback_shared.contact.domain import Recipient
from heardback_shared.contracts.events import LoopState

LeftOutCode = Literal[
    "unknown_customer",
    "disputed_open",
    "confirmed",
    "already_told",
    "in_review",
    "on_its_way",
    "opted_out_of_item",
    "opted_out",
]
WHY: Mapping[LeftOutCode, str] = {
    "unknown_customer": "the feedback names no customer",
    "disputed_open": "the customer said it is not solved, and that is still open",
    "confirmed": "the customer has confirmed that it is solved",
    "already_told": "the customer has been told of this change",
    "in_review": "what became of it waits for a second person; approve or reject that review first",
    "on_its_way": "another message about this is on its way to the customer",
    "opted_out_of_item": "the customer does not want to hear about this matter",
    "opted_out": "the customer does not want messages about what became of feedback",
}


_ANSWERED: Mapping[LoopState | None, LeftOutCode] = {"disputed": "disputed_open", "confirmed": "confirmed"}


@dataclass(frozen=True, slots=True)
class Stake:
    """One customer's part in one item. `raised_at` is when the newest feedback came; `told` are the changes
    that messages about it have told, `coming` those of messages on their way. `waiting`: what became of it
    waits for a second person to release it."""

    item_id: str
    customer_id: str | None
    feedback_ids: tuple[str, ...]
    raised_at: datetime
    loop_id: str | None = None
    state: LoopState | None = None
    told: frozenset[str] = frozenset()
    coming: frozenset[str] = frozenset()
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    item_id: str
    code: LeftOutCode


@dataclass(frozen=True, slots=True)
class Person:
    """One person and what they are told: `stakes` and `change_ids` of the message, `left_out` what it leaves
    out. With `code` nothing is left to tell, and it says why."""

    person_id: str
    customer_id: str | None
    stakes: tuple[Stake, ...]
    change_ids: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    code: LeftOutCode | None = None

    @property
    def because(self) -> str | None:
        return WHY[self.code] if self.code else None


def gathered(
    stakes: Iterable[Stake],
    recipients: Mapping[str, Recipient],
    changes: Sequence[ChangeRecord],
    told: Mapping[str, frozenset[str]],
) -> tuple[Person, ...]:
    """Everybody, each once, in an order that a repeat gives again. `told` are, by person, the changes that
    campaigns have told them or are about to."""
    by_person: dict[str, list[Stake]] = defaultdict(list)
    for stake in stakes:
        by_person[_person_of(stake, recipients)].append(stake)
    return tuple(
        _person(person_id, by_person[person_id], recipients, changes, told.get(person_id, frozenset()))
        for person_id in sorted(by_person)
    )


def _person_of(stake: Stake, recipients: Mapping[str, Recipient]) -> str:
    if stake.customer_id is None:
        return f"feedback:{min(stake.feedback_ids)}"
    known = recipients.get(stake.customer_id)
    return known.person_id if known else stake.customer_id


def _person(
    person_id: str,
    stakes: Sequence[Stake],
    recipients: Mapping[str, Recipient],
    changes: Sequence[ChangeRecord],
    told: frozenset[str],
) -> Person:
    ordered = sorted(stakes, key=lambda one: (one.item_id, one.customer_id or ""))
    ids = {one.customer_id for one in ordered if one.customer_id is not None}
    known = [recipients[customer_id] for customer_id in sorted(ids) if customer_id in recipients]
    kept: list[Stake] = []
    news: set[str] = set()
    left_out: list[LeftOut] = []
    for stake in ordered:
        found = _news(stake, known, changes, told)
        if isinstance(found, frozenset):
            kept.append(stake)
            news |= found
        else:
            left_out.append(LeftOut(stake.item_id, found))
    spokesman = max(
        (one for one in (kept or ordered) if one.customer_id is not None),
        key=lambda one: (one.raised_at, one.customer_id or ""),
        default=None,
    )
    return Person(
        person_id,
        spokesman.customer_id if spokesman else None,
        tuple(kept),
        tuple(change.id for change in changes if change.id in news),
        tuple(left_out),
        None if kept else left_out[0].code,
    )


def _news(
    stake: Stake, known: Sequence[Recipient], changes: Sequence[ChangeRecord], told: frozenset[str]
) -> frozenset[str] | LeftOutCode:
    """The changes that this stake is still to be told of, or why none."""
    if stake.customer_id is None:
        return "unknown_customer"
    if refused := _refused(stake, known):
        return refused
    if answered := _ANSWERED.get(stake.state):
        return answered
    if stake.waiting:
        return "in_review"
    about = frozenset(change.id for change in changes if stake.item_id in change.item_ids)
    untold = about - told - stake.told
    if not untold:
        return "already_told"
    return untold - stake.coming or "on_its_way"


def _refused(stake: Stake, known: Sequence[Recipient]) -> LeftOutCode | None:
    """What the person refused under one id is refused under all."""
    if any("case_updates" in one.refused for one in known):
        return "opted_out"
    return "opted_out_of_item" if any(stake.item_id in one.refused_items for one in known) else None
