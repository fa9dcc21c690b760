"""Giving a team's waiting items to its people: fair, within everybody's cap, nobody idle. Pure.

Turns: each time an item is given out, every tier that waits and can be served is owed its floor more. A tier
that is owed a whole turn is served first, the one that is owed most; otherwise the heaviest band, then the
oldest. The floors add up to at most 1 and each turn takes 1 from the most that is owed, so this is the cup
game: with k tiers, none is ever owed more than 2 + 1/2 + … + 1/k turns (Adler et al., A proportionate fair
scheduling rule with good worst-case performance, SPAA 2003: always empty the fullest cup). So a tier that
waits and can be served is served at least once in `longest_wait(floor, k)` turns, whatever arrives.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from heardback_router.backlog.domain import BAND_ORDER
from heardback_shared.contracts.score import Band

UNKNOWN = "unknown"
"""The tier of a customer who has none."""


@dataclass(frozen=True, slots=True)
class TeamCapacity:
    """None: as the policy says for all."""

    automatic: bool | None = None
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class CapacityPolicy:
    """`floors`: tier → least share of turns while it waits; they add up to at most 1."""

    name: str
    automatic: bool
    cap: int
    reserved_share: float
    reserved_tiers: frozenset[str]
    floors: Mapping[str, float]
    teams: Mapping[str, TeamCapacity] = field(default_factory=dict)

    def gives(self, team: str) -> bool:
        """Whether the team's queue is given out by the machine."""
        own = self.teams.get(team, TeamCapacity()).automatic
        return self.automatic if own is None else own

    def cap_of(self, team: str, person: int | None) -> int:
        """The person's own cap, else the team's, else the policy's."""
        return person or self.teams.get(team, TeamCapacity()).cap or self.cap


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item nobody has. `owner`: it is meant for that person. `not_to`: who let it lie before."""

    item_id: str
    band: Band
    since: datetime
    tier: str
    owner: str | None = None
    topics: frozenset[str] = frozenset()
    not_to: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Person:
    """`load` is what the person has now, by tier. Empty `tiers` or `skills` mean any; `member` False: here
    only for items meant for them."""

    name: str
    cap: int
    load: Mapping[str, int] = field(default_factory=dict)
    tiers: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    time_zone: str | None = None
    away_until: datetime | None = None
    member: bool = True

    @property
    def total(self) -> int:
        return sum(self.load.values())

    def here(self, at: datetime) -> bool:
        return self.away_until is None or self.away_until <= at

    def takes(self, waiting: Waiting) -> bool:
        """Whether the item is one for this person, were there room."""
        if self.name in waiting.not_to:
            return False
        return waiting.owner == self.name or (
            self.member
            and (not self.tiers or waiting.tier in self.tiers)
            and (not self.skills or bool(self.skills & waiting.topics))
        )


@dataclass(frozen=True, slots=True)
class Given:
    item_id: str
    person: str
    because: str
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class Allocation:
    """`owed` are the turns each tier has coming, to be handed to the next call."""

    given: tuple[Given, ...]
    owed: Mapping[str, float]


def longest_wait(floor: float, tiers: int) -> int:
    """In so many turns a tier that waits throughout is served at least once."""
    return math.ceil((1 + sum(1 / n for n in range(1, tiers + 1))) / floor)


def allocate(
    queue: Iterable[Waiting],
    people: Iterable[Person],
    policy: CapacityPolicy,
    at: datetime,
    *,
    team: str,
    owed: Mapping[str, float] | None = None,
) -> Allocation:
    """Gives out what can be given out now.

    Nobody gets more than their cap. Afterwards no item waits that somebody could have who is here, takes such
    items and has room; but the last places kept for reserved tiers stay free for them. The owner of the
    account comes first, then the person with the least of their cap used.
    """
    state = _State(sorted(queue, key=_urgency), {p.name: p for p in people}, policy, at, team, owed or {})
    while (turn := state.next_turn()) is not None:
        state.give(*turn)
    return Allocation(tuple(state.given), {t: c for t, c in sorted(state.owed.items()) if c > 0})


class _State:
    """One run of `allocate`."""

    def __init__(
        self,
        queue: list[Waiting],
        people: dict[str, Person],
        policy: CapacityPolicy,
        at: datetime,
        team: str,
        owed: Mapping[str, float],
    ) -> None:
        self.queue = queue
        self.policy = policy
        self.automatic = policy.gives(team)
        self.here = {name: person for name, person in people.items() if person.here(at)}
        self.load = {name: dict(person.load) for name, person in people.items()}
        self.members = [person for person in self.here.values() if person.member]
        places = sum(person.cap for person in self.members)
        self.kept = math.floor(policy.reserved_share * places)
        self.owed = dict(owed)
        self.given: list[Given] = []

    def next_turn(self) -> tuple[Waiting, Person, str] | None:
        """Which item goes to whom next, and why it is its turn; None when nothing can be given out."""
        first: dict[str, tuple[Waiting, Person]] = {}
        for waiting in self.queue:
            if waiting.tier not in first and (person := self._best(waiting)) is not None:
                first[waiting.tier] = (waiting, person)
        if not first:
            return None
        waiting_tiers = {waiting.tier for waiting in self.queue}
        self.owed = {tier: credit for tier, credit in self.owed.items() if tier in waiting_tiers}
        for tier in first:
            self.owed[tier] = self.owed.get(tier, 0.0) + self.policy.floors.get(tier, 0.0)
        most = max(first, key=lambda tier: (self.owed[tier], tier))
        if self.owed[most] >= 1:
            return *first[most], f"customers of tier {most} have waited for their share of turns"
        waiting, person = min(first.values(), key=lambda turn: _urgency(turn[0]))
        return waiting, person, f"it is {waiting.band} and has waited longest"

    def give(self, waiting: Waiting, person: Person, why: str) -> None:
        load = self.load[person.name]
        used = sum(load.values())
        load[waiting.tier] = load.get(waiting.tier, 0) + 1
        self.owed[waiting.tier] = max(0.0, self.owed[waiting.tier] - 1)
        self.queue.remove(waiting)
        who = (
            f"{person.name} looks after the customer's account"
            if waiting.owner == person.name
            else f"{person.name} has the most room, {used} of {person.cap}"
        )
        self.given.append(Given(waiting.item_id, person.name, f"{who}; {why}", person.time_zone))

    def _best(self, waiting: Waiting) -> Person | None:
        owner = self.here.get(waiting.owner or "")
        if owner is not None and self._room(owner) > 0 and owner.takes(waiting):
            return owner
        if not self.automatic or not self._open_to(waiting.tier):
            return None
        able = [p for p in self.members if self._room(p) > 0 and p.takes(waiting)]
        return min(able, key=lambda p: (Fraction(p.cap - self._room(p), p.cap), -p.cap, p.name), default=None)

    def _room(self, person: Person) -> int:
        return person.cap - sum(self.load[person.name].values())

    def _open_to(self, tier: str) -> bool:
        """False while only the places kept for reserved tiers are left."""
        reserved = self.policy.reserved_tiers
        if tier in reserved or self.kept == 0:
            return True
        free = sum(max(0, self._room(person)) for person in self.members)
        used = sum(number for p in self.members for t, number in self.load[p.name].items() if t in reserved)
        return free > max(0, self.kept - used)


def _urgency(waiting: Waiting) -> tuple[int, datetime, str]:
    return BAND_ORDER.index(waiting.band), waiting.since, waiting.item_id
