"""Reading the clock policy: every name resolved, every target tried, all faults named at once."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from holidays import list_supported_countries
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from heardback_router.sla.domain import (
    WARN_AT,
    Calendar,
    ClockKind,
    PauseState,
    SlaPolicy,
    Target,
    TargetRule,
)
from heardback_router.sla.showing import WEEKDAYS
from heardback_router.sla.working import time_zone
from heardback_shared.contracts.customer import Tier
from heardback_shared.contracts.score import Band
from heardback_shared.policies.reading import PolicyError, Shape, Slug, Version, Words, parsed

_SPAN = re.compile(r"(?:(\d{1,5})h)?(?:(\d{1,6})m)?")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]|24):([0-5]\d)")
_PROBE = datetime(2026, 1, 1, tzinfo=UTC)
_FURTHEST = timedelta(days=5 * 366)


def span_of(value: Any) -> timedelta:
    """`4h`, `30m`, `1h30m`. Raises ValueError."""
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0)
    if not hours and not minutes:
        raise ValueError("must be hours and minutes of working time, such as 4h, 30m or 1h30m")
    return timedelta(hours=hours, minutes=minutes)


def _opening(value: Any) -> tuple[time, time]:
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if not found or (found[3] == "24" and found[4] != "00") or value == "00:00-00:00":
        raise ValueError('must be hours such as "09:00-17:00", "22:00-06:00" or "00:00-24:00"')
    return time(int(found[1]), int(found[2])), time(int(found[3]) % 24, int(found[4]))


def _zone(name: str) -> str:
    if time_zone(name) is None:
        raise ValueError(f"there is no time zone {name!r}; it must be an IANA name such as Europe/Berlin")
    return name


Zone = Annotated[str, AfterValidator(_zone)]
Span = Annotated[timedelta, BeforeValidator(span_of)]
Opening = Annotated[tuple[time, time], BeforeValidator(_opening)]
Label = Annotated[str, Field(min_length=1, max_length=200)]


def _either(word: str, tag: str) -> Discriminator:
    """The word itself, or what is tagged so: faults are then told of one of the two, not of both."""
    return Discriminator(lambda given: word if given == word else tag)


class _OwnZone(Shape):
    """The customer's own zone, or the team's; `otherwise` where it is not known."""

    of: Literal["customer", "team"]
    otherwise: Zone
    teams: dict[Slug, Zone] = Field(default_factory=dict)


class _Holidays(Shape):
    country: Annotated[str | None, Field(pattern=r"^[A-Z]{2}$")] = None
    subdivision: Label | None = None
    also: frozenset[date] = frozenset()
    but_not: frozenset[date] = frozenset()

    @model_validator(mode="after")
    def _known(self) -> "_Holidays":
        countries = list_supported_countries()
        if self.country is not None and self.country not in countries:
            raise ValueError(f"there are no holidays of a country {self.country}")
        if self.subdivision is not None:
            known = countries.get(self.country or "", [])
            if self.subdivision not in known:
                raise ValueError(
                    f"{self.country or 'no country'} has no subdivision {self.subdivision}; "
                    f"it has {', '.join(sorted(known)) or 'none'}"
                )
        return self


class _Calendar(Shape):
    hours: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], tuple[Opening, ...]]
    time_zone: Annotated[
        Annotated[Zone, Tag("name")] | Annotated[_OwnZone, Tag("own")],
        Discriminator(lambda given: "own" if isinstance(given, dict) else "name"),
    ]
    holidays: _Holidays = _Holidays()

    @model_validator(mode="after")
    def _is_open_sometimes(self) -> "_Calendar":
        if not any(self.hours.values()):
            raise ValueError("hours: at least one weekday must have some; use always for round the clock")
        return self


class _Target(Shape):
    within: Span
    calendar: Slug | None = None


AnyCalendar = Annotated[
    Annotated[Literal["always"], Tag("always")] | Annotated[_Calendar, Tag("week")],
    _either("always", "week"),
]
AnyTarget = Annotated[
    Annotated[Literal["none"], Tag("none")] | Annotated[_Target, Tag("time")], _either("none", "time")
]


class _When(Shape):
    tier: frozenset[Tier] = frozenset()
    band: frozenset[Band] = frozenset()
    touchpoint: frozenset[Label] = frozenset()
    channel: frozenset[Label] = frozenset()
    contract: frozenset[Label] = frozenset()


class _Rule(Shape):
    name: Slug
    because: Words
    when: _When = _When()
    tell_in: Slug | None = None
    first_response: AnyTarget | None = None
    next_response: AnyTarget | None = None
    resolution: AnyTarget | None = None
    loop_closed: AnyTarget | None = None


class _Pause(Shape):
    title: Words
    stops: Annotated[
        tuple[Literal["first_response", "next_response", "resolution"], ...], Field(min_length=1)
    ]
    until_customer_writes: bool = False


class _Sla(Shape):
    policy: Version
    calendars: dict[Slug, AnyCalendar]
    calendar: Slug
    tell_in: Slug
    warn_at: tuple[Annotated[int, Field(ge=1, le=99)], ...] = WARN_AT
    contract: tuple[Label, ...] = ()
    loop_closed_when: Literal["told", "confirmed"] = "told"
    pauses: dict[Slug, _Pause] = Field(default_factory=dict)
    targets: Annotated[tuple[_Rule, ...], Field(min_length=1)]


def read_sla(text: str) -> SlaPolicy:
    """Raises PolicyError unless every calendar exists and every target can be reached in it."""
    shape = parsed(text, _Sla)
    calendars = {name: _calendar(name, given) for name, given in shape.calendars.items()}
    faults = [
        f"{field}: there is no calendar {name}; there are {', '.join(calendars) or 'none'}"
        for field, name in (("calendar", shape.calendar), ("tell_in", shape.tell_in))
        if name not in calendars
    ]
    if list(shape.warn_at) != sorted(set(shape.warn_at)):
        faults.append("warn_at: must rise from one to the next")
    names = [rule.name for rule in shape.targets]
    faults += [f"targets/{name}: two have this name" for name in sorted(set(names)) if names.count(name) > 1]
    rules = tuple(_rule(rule, shape.calendar) for rule in shape.targets)
    for rule in rules:
        faults += _target_faults(rule, calendars)
    if faults:
        raise PolicyError(f"clock policy {shape.policy}: " + "; ".join(faults))
    return SlaPolicy(
        shape.policy,
        calendars,
        rules,
        {n: PauseState(n, p.title, p.stops, p.until_customer_writes) for n, p in shape.pauses.items()},
        shape.tell_in,
        shape.contract,
        shape.warn_at,
        shape.loop_closed_when,
    )


def _calendar(name: str, given: _Calendar | Literal["always"]) -> Calendar:
    if given == "always":
        return Calendar(name, None)
    own = given.time_zone if isinstance(given.time_zone, _OwnZone) else None
    return Calendar(
        name,
        tuple(given.hours.get(day, ()) for day in WEEKDAYS),  # type: ignore[call-overload]
        own.otherwise if own else str(given.time_zone),
        own.of if own else "fixed",
        tuple(sorted(own.teams.items())) if own else (),
        given.holidays.country,
        given.holidays.subdivision,
        given.holidays.also,
        given.holidays.but_not,
    )


def _rule(rule: _Rule, calendar: str) -> TargetRule:
    kinds: tuple[ClockKind, ...] = ("first_response", "next_response", "resolution", "loop_closed")
    targets: list[tuple[ClockKind, Target | None]] = []
    for kind in kinds:
        given: _Target | Literal["none"] | None = getattr(rule, kind)
        if isinstance(given, _Target):
            targets.append((kind, Target(given.within, given.calendar or calendar)))
        elif given == "none":
            targets.append((kind, None))
    when = rule.when
    return TargetRule(
        rule.name,
        rule.because,
        tuple(targets),
        when.tier,
        when.band,
        when.touchpoint,
        when.channel,
        when.contract,
        rule.tell_in,
    )


def _target_faults(rule: TargetRule, calendars: dict[str, Calendar]) -> list[str]:
    faults = [] if rule.targets else [f"targets/{rule.name}: names no clock"]
    if rule.tell_in is not None and rule.tell_in not in calendars:
        faults.append(f"targets/{rule.name}/tell_in: there is no calendar {rule.tell_in}")
    for kind, target in rule.targets:
        if target is None:
            continue
        calendar = calendars.get(target.calendar)
        if calendar is None:
            faults.append(f"targets/{rule.name}/{kind}: there is no calendar {target.calendar}")
        elif calendar.working_time().after(_PROBE, target.within) > _PROBE + _FURTHEST:
            faults.append(
                f"targets/{rule.name}/{kind}: calendar {calendar.name} takes over five years for it"
            )
    return faults
