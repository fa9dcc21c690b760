"""Reading the surveys policy: strictly, every fault with its place."""

import re
from datetime import timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from heardback_ingest.domain.surveys.lint import lint
from heardback_ingest.domain.surveys.policy import (
    AttributeValue,
    Condition,
    Counts,
    Filter,
    Keeper,
    Reserved,
    Rule,
    Scope,
    Shorter,
    Suppression,
    SurveysPolicy,
    SurveyType,
    Trait,
)
from heardback_ingest.domain.surveys.windows import Ever, LocalDays, Rolling, Window
from heardback_shared.policies.reading import PolicyError, Shape, Slug, Version, parsed

_LENGTH = re.compile(r"^([1-9][0-9]{0,4})(m|h|d)$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=3_660)
NAMED = ("customer.tier", "customer.segment", "customer.language", "customer.region", "customer.arm")
"""Attributes we know ourselves; every other name is the caller's."""


def _length(told: object) -> object:
    if isinstance(told, timedelta):
        return told
    found = _LENGTH.match(told) if isinstance(told, str) else None
    if found is None:
        raise ValueError("must be a number of minutes, hours or days such as 90m, 12h or 30d")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length > LONGEST:
        raise ValueError("must be at most ten years")
    return length


def _zone(told: object) -> object:
    try:
        return told if isinstance(told, ZoneInfo) else ZoneInfo(str(told))
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be an IANA time zone such as Europe/Berlin") from error


Length = Annotated[timedelta, BeforeValidator(_length)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone), Field(json_schema_extra={"type": "string"})]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, strip_whitespace=True)]
Names = Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)]
Attribute = Annotated[str, StringConstraints(pattern=r"^(customer\.)?[a-z0-9][a-z0-9_-]{0,63}$")]


class _Window(Shape):
    rolling: Length | None = None
    local_days: Annotated[int, Field(ge=1, le=3_660)] | None = None
    ever: Literal[True] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("say exactly one of rolling, local_days and ever")
        return self

    def window(self) -> Window:
        if self.rolling is not None:
            return Rolling(self.rolling)
        return LocalDays(self.local_days) if self.local_days is not None else Ever()


class _Condition(Shape):
    """`equals` is `in` with one value. `min` and `max` take numbers only."""

    equals: AttributeValue | None = None
    in_: tuple[AttributeValue, ...] | None = Field(default=None, alias="in", min_length=1, max_length=100)
    min: float | None = None
    max: float | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("say what it must be: equals, in, min or max")
        if self.equals is not None and self.in_ is not None:
            raise ValueError("say equals or in, not both")
        return self

    def condition(self, attribute: str) -> Condition:
        among = self.in_ if self.equals is None else (self.equals,)
        return Condition(attribute, None if among is None else frozenset(among), self.min, self.max)


class _Reserved(Shape):
    surveys: Names
    slots: Annotated[int, Field(ge=1, le=1_000)] | None = None
    share: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.slots is None) == (self.share is None):
            raise ValueError("say either slots or share")
        return self


class _Shorter(Shape):
    surveys: Names
    gap: _Window


class _Rule(Shape):
    name: Slug
    most: Annotated[int, Field(ge=1, le=10_000)] | None = None
    window: _Window | None = None
    gap: _Window | None = None
    scope: Scope = "contact"
    counts: Counts = "sent"
    reminders: bool = True
    surveys: Names | None = None
    types: Annotated[tuple[SurveyType, ...], Field(min_length=1)] | None = None
    channels: Names | None = None
    touchpoints: Names | None = None
    same: tuple[Trait, ...] = ()
    when: dict[Attribute, _Condition] = Field(default_factory=dict)
    reserved: tuple[_Reserved, ...] = ()
    shorter_for: tuple[_Shorter, ...] = ()

    @model_validator(mode="after")
    def _cap_or_gap(self) -> Self:
        if (self.gap is None) == (self.most is None) or (self.most is None) != (self.window is None):
            raise ValueError("say either most and window (a cap) or gap")
        if self.gap is not None and self.reserved:
            raise ValueError("reserved keeps places of a cap; for a gap say shorter_for")
        if self.most is not None and self.shorter_for:
            raise ValueError("shorter_for shortens a gap; for a cap say reserved")
        for name in self.when:
            if name.startswith("customer.") and name not in NAMED:
                raise ValueError(f"{name} is not known; there are {', '.join(NAMED)}")
        return self

    def rule(self) -> Rule:
        given = self.window or self.gap
        assert given is not None
        most = self.most or 1
        return Rule(
            self.name,
            given.window(),
            most,
            self.gap is not None,
            self.scope,
            self.counts,
            self.reminders,
            Filter(_set(self.surveys), _set(self.types), _set(self.channels), _set(self.touchpoints)),
            frozenset(self.same),
            tuple(condition.condition(name) for name, condition in self.when.items()),
            tuple(Reserved(_set(r.surveys), _slots(r, most)) for r in self.reserved),
            tuple(Shorter(_set(s.surveys), s.gap.window()) for s in self.shorter_for),
        )


class _Severe(Shape):
    within: Length
    bands: Annotated[tuple[Literal["P1", "P2", "P3", "P4"], ...], Field(min_length=1)]


class _Vulnerable(Shape):
    within: Length
    cues: Names


class _Messages(Shape):
    most: Annotated[int, Field(ge=1, le=1_000)]
    within: Length


class _Suppress(Shape):
    just_answered: Length | None = None
    open_complaint: bool = True
    severe: _Severe | None = None
    vulnerability: _Vulnerable | None = None
    auto_resolved_after: Length | None = None
    agent_started: bool = True
    messages: _Messages | None = None
    unknown_customer: bool = True
    consent_needed: bool = False
    quiet_hours: Keeper = "heardback"

    def suppression(self) -> Suppression:
        severe, vulnerable, messages = self.severe, self.vulnerability, self.messages
        return Suppression(
            self.just_answered,
            self.open_complaint,
            severe.within if severe else None,
            frozenset(severe.bands) if severe else frozenset(),
            vulnerable.within if vulnerable else None,
            frozenset(vulnerable.cues) if vulnerable else frozenset(),
            self.auto_resolved_after,
            self.agent_started,
            messages.most if messages else None,
            messages.within if messages else timedelta(),
            self.unknown_customer,
            self.consent_needed,
            self.quiet_hours,
        )


class _Surveys(Shape):
    policy: Version
    zone: Zone
    reservation: Length
    surveys: dict[Name, SurveyType] = Field(default_factory=dict)
    rules: Annotated[tuple[_Rule, ...], Field(max_length=200)] = ()
    suppress: _Suppress


def read_surveys(text: str) -> SurveysPolicy:
    """Raises PolicyError where a part cannot be read, or a rule can never hold or contradicts itself."""
    shape = parsed(text, _Surveys)
    policy = SurveysPolicy(
        shape.policy,
        tuple(rule.rule() for rule in shape.rules),
        shape.suppress.suppression(),
        shape.reservation,
        shape.zone,
        dict(shape.surveys),
    )
    faults = tuple((f.pointer, f.detail) for f in lint(policy) if f.level == "error")
    if faults:
        told = "; ".join(f"{pointer.lstrip('/')}: {detail}" for pointer, detail in faults)
        raise PolicyError(f"surveys policy {shape.policy}: {told}", faults)
    return policy


def _set(names: tuple[str, ...] | None) -> frozenset[str]:
    return frozenset(names or ())


def _slots(reserved: _Reserved, most: int) -> int:
    """A share keeps at least one place."""
    return reserved.slots if reserved.slots is not None else max(1, int((reserved.share or 0) * most))
