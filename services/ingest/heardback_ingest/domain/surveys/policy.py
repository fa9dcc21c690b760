"""What a company asks of its customers at most, as rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from heardback_ingest.domain.surveys.windows import Window

Scope = Literal["contact", "account", "both"]
Counts = Literal["sent", "seen", "answered"]
Trait = Literal["survey", "type", "channel", "touchpoint"]
SurveyType = Literal["nps", "csat", "ces", "other"]
Keeper = Literal["heardback", "sender"]
AttributeValue = str | float | bool


@dataclass(frozen=True, slots=True)
class Filter:
    """Which invitations are meant; an empty field means any."""

    surveys: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    touchpoints: frozenset[str] = frozenset()

    def takes(self, survey: str, kind: str, channel: str, touchpoint: str | None) -> bool:
        return (
            (not self.surveys or survey in self.surveys)
            and (not self.types or kind in self.types)
            and (not self.channels or channel in self.channels)
            and (not self.touchpoints or touchpoint in self.touchpoints)
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """What one attribute must be. An attribute that was not told meets no condition."""

    attribute: str
    among: frozenset[AttributeValue] | None = None
    smallest: float | None = None
    largest: float | None = None

    def holds(self, attributes: Mapping[str, AttributeValue]) -> bool:
        value = attributes.get(self.attribute)
        if value is None or (self.among is not None and value not in self.among):
            return False
        if self.smallest is None and self.largest is None:
            return True
        if isinstance(value, str | bool):
            return False
        return (self.smallest is None or value >= self.smallest) and (
            self.largest is None or value <= self.largest
        )


@dataclass(frozen=True, slots=True)
class Reserved:
    """Places of a cap that only these surveys may take."""

    surveys: frozenset[str]
    slots: int


@dataclass(frozen=True, slots=True)
class Shorter:
    """These surveys need only keep this distance."""

    surveys: frozenset[str]
    window: Window


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `most` in the window. A minimum gap is at most one, with `gap` set so that it reads as one.

    `applies` and `when` say which requests it holds back; of the past, what `applies` takes and agrees with
    the request in every trait of `same` counts.
    """

    name: str
    window: Window
    most: int = 1
    gap: bool = False
    scope: Scope = "contact"
    counts: Counts = "sent"
    reminders: bool = True
    applies: Filter = field(default_factory=Filter)
    same: frozenset[Trait] = frozenset()
    when: tuple[Condition, ...] = ()
    reserved: tuple[Reserved, ...] = ()
    shorter: tuple[Shorter, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppression:
    """When nobody is asked whatever the rules allow. A length of None: that is no reason. `quiet_hours`: who
    sees to it that nothing is sent in the recipient's quiet hours."""

    just_answered: timedelta | None
    open_complaint: bool
    severe_within: timedelta | None
    severe_bands: frozenset[str]
    vulnerable_within: timedelta | None
    vulnerable_cues: frozenset[str]
    auto_resolved_after: timedelta | None
    agent_started: bool
    messages: int | None
    messages_within: timedelta
    unknown_customer: bool
    consent_needed: bool
    quiet_hours: Keeper


@dataclass(frozen=True, slots=True)
class SurveysPolicy:
    """`surveys`: by name with their type; empty: any may be asked. `zone`: where people are whose own is not
    known."""

    version: str
    rules: tuple[Rule, ...]
    suppress: Suppression
    reservation: timedelta
    zone: ZoneInfo
    surveys: Mapping[str, SurveyType] = field(default_factory=dict)
