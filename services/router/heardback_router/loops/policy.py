"""Reading the policy of telling."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from heardback_router.loops.telling import ESCALATION, TellingPolicy, TellingRule, Way
from heardback_router.messages.domain import Step
from heardback_shared.contracts.customer import Tier
from heardback_shared.contracts.score import Band
from heardback_shared.policies.reading import PolicyError, Shape, Slug, Version, Words, parsed

Span = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}[mhd]$", description="30m, 5h or 2d")]
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class _When(Shape):
    band: frozenset[Band] = frozenset()
    tier: frozenset[Tier] = frozenset()
    domain: frozenset[Slug] = frozenset()
    cues: frozenset[Slug] = frozenset()
    customers_at_least: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class _Rule(Shape):
    name: Slug
    because: Words
    steps: frozenset[Step] = frozenset()
    when: _When = _When()
    then: Way
    critical: bool = False

    @model_validator(mode="after")
    def _released_by_a_person(self) -> Self:
        if self.critical and self.then != "review":
            raise ValueError("what is told against a customer's wishes is released by a person: then: review")
        return self


class _Notice(Shape):
    share: Annotated[int, Field(ge=1, le=90)]
    at_least: Span
    window: Span


class _Contest(Shape):
    within: Span


class _Telling(Shape):
    policy: Version
    rules: Annotated[tuple[_Rule, ...], Field(min_length=1, max_length=100)]
    escalation: frozenset[Slug] = frozenset()
    notice: _Notice
    contest: _Contest
    calendar: Slug | None = None
    close_after: Span | Literal["never"] = "never"


def read_telling(text: str) -> TellingPolicy:
    """Raises PolicyError. Cues that call for a person are added to the built-in ones, never taken away."""
    shape = parsed(text, _Telling)
    names = [rule.name for rule in shape.rules]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        faults = tuple((f"/rules/{names.index(name)}/name", "another rule has this name") for name in twice)
        raise PolicyError(f"telling policy {shape.policy}: two rules are named {', '.join(twice)}", faults)
    return TellingPolicy(
        shape.policy,
        tuple(_rule(rule) for rule in shape.rules),
        ESCALATION | shape.escalation,
        shape.notice.share / 100,
        _span(shape.notice.at_least),
        _span(shape.notice.window),
        _span(shape.contest.within),
        shape.calendar,
        None if shape.close_after == "never" else _span(shape.close_after),
    )


def _rule(rule: _Rule) -> TellingRule:
    when = rule.when
    return TellingRule(
        rule.name,
        rule.because,
        rule.then,
        rule.steps,
        when.band,
        when.tier,
        when.domain,
        when.cues,
        when.customers_at_least,
        rule.critical,
    )


def _span(given: str) -> timedelta:
    return timedelta(**{_UNITS[given[-1]]: int(given[:-1])})
