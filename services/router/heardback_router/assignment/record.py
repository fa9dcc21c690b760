"""What a giving-out was made of, as JSON, and how to make it again. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from heardback_router.assignment.domain import (
    Allocation,
    CapacityPolicy,
    Person,
    Waiting,
    allocate,
)


def inputs_of(
    team: str,
    queue: Iterable[Waiting],
    people: Iterable[Person],
    owed: Mapping[str, float],
    policy: CapacityPolicy,
    at: datetime,
) -> dict[str, Any]:
    return {
        "team": team,
        "at": at.isoformat(),
        "policy": policy.name,
        "owed": dict(sorted(owed.items())),
        "queue": [_waiting(waiting) for waiting in queue],
        "people": [_person(person) for person in people],
    }


def again(inputs: Mapping[str, Any], policy: CapacityPolicy) -> Allocation:
    """The same giving-out, from what was kept of it and the policy it names."""
    return allocate(
        [_waiting_of(kept) for kept in inputs["queue"]],
        [_person_of(kept) for kept in inputs["people"]],
        policy,
        datetime.fromisoformat(inputs["at"]),
        team=inputs["team"],
        owed=inputs["owed"],
    )


def outcome_of(allocation: Allocation) -> dict[str, Any]:
    return {
        "given": [{"item_id": g.item_id, "person": g.person, "because": g.because} for g in allocation.given],
        "owed": dict(allocation.owed),
    }


def _waiting(waiting: Waiting) -> dict[str, Any]:
    return {
        "item_id": waiting.item_id,
        "band": waiting.band,
        "since": waiting.since.isoformat(),
        "tier": waiting.tier,
        "owner": waiting.owner,
        "topics": sorted(waiting.topics),
        "not_to": sorted(waiting.not_to),
    }


def _waiting_of(kept: Mapping[str, Any]) -> Waiting:
    return Waiting(
        kept["item_id"],
        kept["band"],
        datetime.fromisoformat(kept["since"]),
        kept["tier"],
        kept["owner"],
        frozenset(kept["topics"]),
        frozenset(kept["not_to"]),
    )


def _person(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "cap": person.cap,
        "load": dict(sorted(person.load.items())),
        "tiers": sorted(person.tiers),
        "skills": sorted(person.skills),
        "time_zone": person.time_zone,
        "away_until": person.away_until.isoformat() if person.away_until else None,
        "member": person.member,
    }


def _person_of(kept: Mapping[str, Any]) -> Person:
    away = kept["away_until"]
    return Person(
        kept["name"],
        kept["cap"],
        kept["load"],
        _set(kept["tiers"]),
        _set(kept["skills"]),
        kept["time_zone"],
        datetime.fromisoformat(away) if away else None,
        kept["member"],
    )


def _set(names: Sequence[str]) -> frozenset[str]:
    return frozenset(names)
