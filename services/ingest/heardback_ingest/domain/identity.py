"""Which customer ids are one person: a fold over a log of merges, splits and undone ones. Pure.

An undone event is as if it had never been; so is an undo that was itself undone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["merge", "split", "undo"]


@dataclass(frozen=True, slots=True)
class IdentityEvent:
    """merge: `customer_id` is the same person as `into_id`, with all that are one with either.
    split: `customer_id` is a person of its own again. undo: takes back the event `undoes`."""

    sequence: int
    id: str
    kind: Kind
    customer_id: str | None
    into_id: str | None
    undoes: str | None
    actor: str
    reason: str
    at: datetime


def live(events: Sequence[IdentityEvent]) -> list[IdentityEvent]:
    """The merges and splits that count, in order. Events come in order; an undo names an earlier one."""
    undone: set[str] = set()
    counting: list[IdentityEvent] = []
    for event in reversed(events):
        if event.id in undone:
            continue
        if event.kind == "undo":
            assert event.undoes is not None
            undone.add(event.undoes)
        else:
            counting.append(event)
    return counting[::-1]


def persons(events: Sequence[IdentityEvent]) -> dict[str, str]:
    """Person by customer id, for those that share a person with another. A person's id is that of one of
    its customers: the one that others were merged into."""
    person: dict[str, str] = {}
    members: defaultdict[str, list[str]] = defaultdict(list)
    for event in live(events):
        _apply(event, person, members)
    return {customer: p for customer, p in person.items() if len(members[p]) > 1}


def followed(known: Iterable["Change"], event: IdentityEvent) -> tuple["Change", ...]:
    """What a merge or split changes, from how the ids it names stand. `known`: those that share a person.

    The same as folding the log with it and without; an undo needs that.
    """
    before = {member: one.person_id for one in known for member in one.members}
    person, members = dict(before), defaultdict(list)
    for customer, of in before.items():
        members[of].append(customer)
    _apply(event, person, members)
    return changes(before, {customer: p for customer, p in person.items() if len(members[p]) > 1})


def _apply(event: IdentityEvent, person: dict[str, str], members: dict[str, list[str]]) -> None:
    assert event.customer_id is not None
    if event.kind == "merge":
        assert event.into_id is not None
        _merge(event.customer_id, event.into_id, person, members)
    else:
        _split(event.customer_id, person, members)


def _of(customer_id: str, person: dict[str, str], members: dict[str, list[str]]) -> str:
    if customer_id not in person:
        person[customer_id] = customer_id
        members[customer_id] = [customer_id]
    return person[customer_id]


def _merge(a: str, b: str, person: dict[str, str], members: dict[str, list[str]]) -> None:
    gone, stays = _of(a, person, members), _of(b, person, members)
    if gone == stays:
        return
    for customer in members.pop(gone):
        person[customer] = stays
        members[stays].append(customer)


def _split(customer_id: str, person: dict[str, str], members: dict[str, list[str]]) -> None:
    of = _of(customer_id, person, members)
    others = [m for m in members[of] if m != customer_id]
    if not others:
        return
    del members[of]
    heir = of if of != customer_id else min(others)
    for other in others:
        person[other] = heir
    members[heir] = others
    person[customer_id] = customer_id
    members[customer_id] = [customer_id]


def groups(person: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The customer ids of each person, sorted."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for customer, p in person.items():
        found[p].append(customer)
    return {p: tuple(sorted(ids)) for p, ids in found.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """What an event did to one customer id: whose person it is now, and who else is."""

    customer_id: str
    person_id: str
    members: tuple[str, ...]


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Every id whose person or company changed, sorted by id."""
    was, now = groups(before), groups(after)
    found = []
    for customer in sorted(set(before) | set(after)):
        old = was.get(before.get(customer, ""), (customer,))
        new = now.get(after.get(customer, ""), (customer,))
        if old != new or before.get(customer, customer) != after.get(customer, customer):
            found.append(Change(customer, after.get(customer, customer), new))
    return tuple(found)


def can_undo(events: Iterable[IdentityEvent], event_id: str) -> bool:
    """Whether the event exists and is not undone already."""
    known = list(events)
    undone: set[str] = set()
    for event in reversed(known):
        if event.id not in undone and event.kind == "undo" and event.undoes:
            undone.add(event.undoes)
    return any(e.id == event_id for e in known) and event_id not in undone
