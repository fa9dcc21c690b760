"""What a clock policy says: calendars, targets, pauses. Pure; `clocks` reads an item's log by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from functools import lru_cache
from typing import Any, Literal, get_args

from heardback_router.sla.working import ALWAYS, WeekHours, WorkingTime, time_zone
from heardback_shared.contracts.score import Band

ClockKind = Literal["first_response", "next_response", "resolution", "loop_closed"]
CLOCK_KINDS: tuple[ClockKind, ...] = get_args(ClockKind)
PAUSABLE: tuple[ClockKind, ...] = ("first_response", "next_response", "resolution")
WARN_AT = (50, 75, 90)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a feedback says for choosing targets, as known when it came. Unknown is None.

    `context` holds the fields the sender gave, the contract among them. `contract` is that of the customer,
    as number@version.
    """

    tier: str | None = None
    touchpoint: str | None = None
    channel: str | None = None
    region: str | None = None
    time_zone: str | None = None
    contract: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When somebody works. `zone` is used where `whose` names nobody whose zone is known.

    `hours` holds per weekday, Monday first, (opens, closes) of the wall clock; one that closes at or before
    it opens ends on the next day. None: around the clock. Holidays are those of `country` and `subdivision`
    with `also`, without `but_not`.
    """

    name: str
    hours: tuple[tuple[tuple[time, time], ...], ...] | None
    zone: str = "UTC"
    whose: Literal["fixed", "customer", "team"] = "fixed"
    teams: tuple[tuple[str, str], ...] = ()
    country: str | None = None
    subdivision: str | None = None
    also: frozenset[date] = frozenset()
    but_not: frozenset[date] = frozenset()

    def working_time(self, *, customer_zone: str | None = None, team: str | None = None) -> WorkingTime:
        """The calendar as it holds for this customer and this team."""
        if self.hours is None:
            return ALWAYS
        zone = self.zone
        if self.whose == "customer" and customer_zone and time_zone(customer_zone):
            zone = customer_zone
        elif self.whose == "team":
            zone = dict(self.teams).get(team or "", self.zone)
        return _working_time(self, zone)


@lru_cache(maxsize=1_000)
def _working_time(calendar: Calendar, zone: str) -> WorkingTime:
    assert calendar.hours is not None
    return WeekHours(
        calendar.hours, zone, calendar.country, calendar.subdivision, calendar.also, calendar.but_not
    )


@dataclass(frozen=True, slots=True)
class Target:
    """So much working time of the calendar."""

    within: timedelta
    calendar: str


@dataclass(frozen=True, slots=True)
class TargetRule:
    """Holds where every condition does; an empty one always does. A clock it does not name goes on looking;
    one named with None has no target."""

    name: str
    because: str
    targets: tuple[tuple[ClockKind, Target | None], ...]
    tiers: frozenset[str] = frozenset()
    bands: frozenset[Band] = frozenset()
    touchpoints: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset()
    tell_in: str | None = None
    """The calendar its warnings and breaches are told in, where it is not that of the policy."""

    def holds(self, facts: Facts, band: Band, contract: str | None) -> bool:
        return all(
            not wanted or given in wanted
            for wanted, given in (
                (self.tiers, facts.tier),
                (self.bands, band),
                (self.touchpoints, facts.touchpoint),
                (self.channels, facts.channel),
                (self.contracts, contract),
            )
        )


@dataclass(frozen=True, slots=True)
class PauseState:
    """What an item may wait for, which clocks that stops, and whether the customer's next word ends it."""

    name: str
    title: str
    stops: tuple[ClockKind, ...]
    until_customer: bool


@dataclass(frozen=True, slots=True)
class SlaPolicy:
    """`rules` in order: for each clock the first that holds and names it counts. `telling` is the calendar
    in whose hours warnings and breaches are told. `contract_fields` are context fields, the first one filled
    names the contract. `loop_closed_when`: every customer was told, or every one has confirmed."""

    name: str
    calendars: Mapping[str, Calendar]
    rules: tuple[TargetRule, ...]
    pauses: Mapping[str, PauseState]
    telling: str
    contract_fields: tuple[str, ...] = ()
    warn_at: tuple[int, ...] = WARN_AT
    loop_closed_when: Literal["told", "confirmed"] = "told"

    def target_of(self, kind: ClockKind, facts: Facts, band: Band) -> tuple[TargetRule, Target] | None:
        """The target of a clock and the rule it comes from; None where there is none."""
        contract = self.contract_of(facts)
        for rule in self.rules:
            if not rule.holds(facts, band, contract):
                continue
            for named, target in rule.targets:
                if named == kind:
                    return (rule, target) if target else None
        return None

    def contract_of(self, facts: Facts) -> str | None:
        """What the sender names, else the number of the customer's own contract."""
        for name in self.contract_fields:
            value = facts.context.get(name)
            if value is not None and str(value).strip():
                return str(value).strip()
        return facts.contract.rpartition("@")[0] if facts.contract else None

    def working_time(
        self, calendar: str, *, customer_zone: str | None = None, team: str | None = None
    ) -> WorkingTime:
        """Raises KeyError for a calendar that is not in the policy."""
        return self.calendars[calendar].working_time(customer_zone=customer_zone, team=team)

    def telling_time(self, team: str) -> WorkingTime:
        """When a team may be told of clocks, where a rule does not say otherwise."""
        return self.working_time(self.telling, team=team)

    def pause_of(self, waiting_for: str) -> PauseState:
        """What waiting for this means. What the policy does not know stops every clock, until resumed."""
        known = self.pauses.get(waiting_for)
        return known or PauseState(waiting_for, waiting_for, PAUSABLE, until_customer=False)
