"""What is known of a customer: each fact with who said it, when, and how they know.

Per field the newest telling of each kind of knowledge is kept: said (stated), seen (observed), guessed
(inferred). What was said beats what was seen, and that beats a guess, as long as it is not outdated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

from heardback_shared.contact.domain import Provenance

SNAPSHOT = (
    "tier",
    "segment",
    "lifetime_value",
    "currency",
    "renewal_date",
    "since",
    "region",
    "language",
    "time_zone",
    "owner",
)
"""Facts that ride on events. Nothing here names or reaches the person."""

PROFILE = ("tier", "lifetime_value", "renewal_date")
"""Facts that say what is at stake; an old telling of them counts less."""

PERSONAL = ("name", "email", "phone")
"""Facts that are kept encrypted under the customer's data key."""

CLASSES = ("tier", "segment")
"""Facts that rules give where nobody tells them; telling null gives them back to the rules."""

PROVENANCES: tuple[Provenance, ...] = get_args(Provenance)
"""The best first."""

Facts = dict[str, dict[str, Any]]
"""{field: {"value", "source", "at", "provenance", "beside"?}}, with `at` in ISO 8601. `beside` holds the
newest tellings of other provenance, in the same shape."""


@dataclass(frozen=True, slots=True)
class Ages:
    """For how long a fact may be used after it was told. A field without a limit never gets outdated.

    `until` names fields whose value is a date after which they are outdated, whenever they were told.
    """

    days: Mapping[str, int] = field(default_factory=dict)
    until: frozenset[str] = frozenset()


def merged(
    known: Mapping[str, Mapping[str, Any]],
    told: Mapping[str, Any],
    source: str,
    at: datetime,
    provenance: Provenance = "stated",
) -> Facts:
    """The facts after `source` told some as of `at`. An older telling never replaces a newer one of the same
    provenance; of two at the same moment the later told wins."""
    result = {name: dict(fact) for name, fact in known.items()}
    for name, value in told.items():
        tellings = {t["provenance"]: t for t in tellings_of(result.get(name))}
        earlier = tellings.get(provenance)
        if earlier is None or datetime.fromisoformat(earlier["at"]) <= at:
            fact = {"value": value, "source": source, "at": at.isoformat(), "provenance": provenance}
            result[name] = _joined(tellings | {provenance: fact})
    return result


def tellings_of(fact: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], ...]:
    """Every telling that is kept of a field, the best provenance first."""
    if fact is None:
        return ()
    if "beside" not in fact:
        return (fact,)
    return ({k: v for k, v in fact.items() if k != "beside"}, *fact.get("beside", ()))


def is_stale(name: str, telling: Mapping[str, Any], ages: Ages, now: datetime) -> bool:
    """Whether this telling is too old to be used."""
    days = ages.days.get(name)
    if days is not None and datetime.fromisoformat(telling["at"]) < now - timedelta(days=days):
        return True
    if name not in ages.until or telling["value"] is None:
        return False
    return date.fromisoformat(telling["value"]) < now.astimezone(UTC).date()


def current(name: str, fact: Mapping[str, Any] | None, ages: Ages, now: datetime) -> Mapping[str, Any] | None:
    """The telling to go by: the best that is not outdated. None: nothing known may be used.

    One with value None says that the field is known to be empty.
    """
    for telling in tellings_of(fact):
        if is_stale(name, telling, ages, now):
            continue
        if telling["value"] is None and name in CLASSES:
            continue
        return telling
    return None


@dataclass(frozen=True, slots=True)
class Usable:
    """The facts that may be used at one moment. `stale` fields are known, but too old; `inferred` are
    guesses; `at` says of when each value is."""

    values: Mapping[str, Any]
    at: Mapping[str, datetime]
    inferred: frozenset[str]
    stale: frozenset[str]


def usable(facts: Mapping[str, Mapping[str, Any]], ages: Ages, now: datetime) -> Usable:
    values: dict[str, Any] = {}
    at: dict[str, datetime] = {}
    inferred, stale = set(), set()
    for name, fact in facts.items():
        telling = current(name, fact, ages, now)
        if telling is None:
            if any(t["value"] is not None for t in tellings_of(fact)):
                stale.add(name)
        elif telling["value"] is not None:
            values[name] = telling["value"]
            at[name] = datetime.fromisoformat(telling["at"])
            if telling["provenance"] == "inferred":
                inferred.add(name)
    return Usable(values, at, frozenset(inferred), frozenset(stale))


def snapshot_fields(
    facts: Mapping[str, Mapping[str, Any]],
    ages: Ages,
    now: datetime,
    settled: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The facts that ride on events: none that is outdated, guesses by name in `inferred`, what is outdated
    in `stale`, and `profile_at`: when a source last told one of those that severity weighs. None of them
    known: no `profile_at`.

    `settled` is the class as `classes` settled it last: what its rules give stands in for what nobody told,
    and a tier that it keeps counts although a lower one is known.
    """
    known = usable(facts, ages, now)
    fields: dict[str, Any] = {n: known.values[n] for n in SNAPSHOT if n in known.values}
    inferred, stale = set(known.inferred), set(known.stale)
    for name, value, guessed in _settled(settled):
        kept = name == "tier" and settled is not None and "keeps" in settled
        if name in fields and name not in inferred and not kept:
            continue
        fields[name] = value
        stale.discard(name)
        (inferred.add if guessed else inferred.discard)(name)
    told = [known.at[name] for name in PROFILE if name in known.values]
    if told:
        fields["profile_at"] = max(told)
    fields["inferred"] = tuple(n for n in SNAPSHOT if n in inferred)
    fields["stale"] = tuple(n for n in SNAPSHOT if n in stale)
    return {name: value for name, value in fields.items() if value != ()}


def _settled(settled: Mapping[str, Any] | None) -> Iterator[tuple[str, Any, bool]]:
    """(field, value, whether it is a guess) that the settled class stands in with."""
    if settled is None:
        return
    if settled["given"]["segment"] is not None:
        yield "segment", settled["given"]["segment"], True
    if keeps := settled.get("keeps"):
        yield "tier", keeps["tier"], keeps["provenance"] == "inferred"
    elif settled["given"]["tier"] is not None:
        yield "tier", settled["given"]["tier"], True


def _joined(tellings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = (dict(tellings[p]) for p in PROVENANCES if p in tellings)
    return first | {"beside": others} if others else first
