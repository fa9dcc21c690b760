"""Reading the grouping policy."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from heardback_router.backlog.fold import ARRIVALS_KEPT
from heardback_router.grouping.domain import (
    CONTEXT,
    PLAIN_FIELDS,
    FingerprintRule,
    GroupingPolicy,
    Similarity,
    SizeAlarm,
)
from heardback_shared.policies.reading import PolicyError, Shape, Slug, Version, Words, parsed

Days = Annotated[int, Field(ge=1, le=366)]
Share = Annotated[float, Field(ge=0, le=1)]


def _known_field(name: str) -> str:
    if name in PLAIN_FIELDS or (name.startswith(CONTEXT) and len(name) > len(CONTEXT)):
        return name
    raise ValueError(f"{name} is no field; use {', '.join(PLAIN_FIELDS)} or {CONTEXT}<name>")


RuleField = Annotated[str, AfterValidator(_known_field)]


class _Rule(Shape):
    name: Slug
    fields: Annotated[tuple[RuleField, ...], Field(min_length=1)]
    window_days: Days
    scope: dict[RuleField, Annotated[tuple[Words, ...], Field(min_length=1)]] = Field(default_factory=dict)
    apart_by: tuple[Words, ...] | None = None


class _Similarity(Shape):
    threshold: Annotated[float, Field(gt=0, le=1)]
    agreeing: Annotated[int, Field(ge=1, le=50)]
    margin: Share
    neighbours: Annotated[int, Field(ge=1, le=50)]
    window_days: Days
    min_confidence: Share
    apart_by: tuple[Words, ...] | None = None


class _Alarm(Shape):
    name: Slug
    at_least: Annotated[int, Field(ge=2)]
    within_hours: Annotated[int, Field(ge=1, le=24 * 366)] | None = None


class _Grouping(Shape):
    policy: Version
    entities: tuple[Words, ...] = ()
    apart_by: tuple[Words, ...] | None = None
    rules: tuple[_Rule, ...] = ()
    similarity: _Similarity | None = None
    alarms: tuple[_Alarm, ...] = ()
    most: Annotated[int, Field(ge=2, le=10_000)]
    case_window_days: Days


def read_grouping(text: str) -> GroupingPolicy:
    """Raises PolicyError, also for a rule that could never decide anything."""
    shape = parsed(text, _Grouping)
    by_default = shape.entities if shape.apart_by is None else shape.apart_by
    rules = tuple(_rule(rule, by_default) for rule in shape.rules)
    faults = [*_twice(shape), *_never_decides(rules), *_sizes(shape)]
    if faults:
        raise PolicyError(f"grouping policy {shape.policy}: " + "; ".join(faults))
    return GroupingPolicy(
        name=shape.policy,
        entities=shape.entities,
        rules=rules,
        similarity=_similarity(shape.similarity, by_default) if shape.similarity else None,
        alarms=tuple(
            SizeAlarm(a.name, a.at_least, timedelta(hours=a.within_hours) if a.within_hours else None)
            for a in shape.alarms
        ),
        most=shape.most,
        case_window=timedelta(days=shape.case_window_days),
    )


def _rule(rule: _Rule, by_default: tuple[str, ...]) -> FingerprintRule:
    apart_by = by_default if rule.apart_by is None else rule.apart_by
    return FingerprintRule(rule.name, rule.fields, timedelta(days=rule.window_days), rule.scope, apart_by)


def _similarity(given: _Similarity, by_default: tuple[str, ...]) -> Similarity:
    return Similarity(
        threshold=given.threshold,
        agreeing=given.agreeing,
        margin=given.margin,
        neighbours=given.neighbours,
        window=timedelta(days=given.window_days),
        min_confidence=given.min_confidence,
        apart_by=by_default if given.apart_by is None else given.apart_by,
    )


def _twice(shape: _Grouping) -> list[str]:
    faults = []
    for what, names in (
        ("rules", [rule.name for rule in shape.rules]),
        ("alarms", [alarm.name for alarm in shape.alarms]),
    ):
        faults += [
            f"{what}: two are named {name}" for name in sorted({n for n in names if names.count(n) > 1})
        ]
    return faults


def _never_decides(rules: tuple[FingerprintRule, ...]) -> list[str]:
    """A rule is idle when one before it already joins all that it would."""
    faults = []
    for number, rule in enumerate(rules):
        for earlier in rules[:number]:
            if (
                set(earlier.fields) <= set(rule.fields)
                and earlier.window >= rule.window
                and earlier.scope in ({}, rule.scope)
                and set(earlier.apart_by) <= set(rule.apart_by)
            ):
                faults.append(
                    f"rule {rule.name}: never decides, because {earlier.name} before it joins all that it "
                    "would; put it first, or take it out"
                )
                break
    return faults


def _sizes(shape: _Grouping) -> list[str]:
    faults = []
    for alarm in shape.alarms:
        if alarm.within_hours is not None and alarm.at_least > ARRIVALS_KEPT:
            faults.append(
                f"alarm {alarm.name}: at_least may be at most {ARRIVALS_KEPT} where within_hours is given"
            )
        if alarm.at_least > shape.most:
            faults.append(
                f"alarm {alarm.name}: never rings, because no item grows beyond most ({shape.most})"
            )
    if shape.similarity and shape.similarity.agreeing > shape.similarity.neighbours:
        faults.append("similarity: agreeing may not be greater than neighbours")
    return faults


def shown(policy: GroupingPolicy) -> dict[str, Any]:
    """What the policy says, with everything it leaves unsaid filled in: the rules as they are applied."""
    by = policy.similarity
    return {
        "entities": list(policy.entities),
        "rules": [
            {
                "name": rule.name,
                "fields": list(rule.fields),
                "window_days": rule.window.days,
                "scope": {name: list(allowed) for name, allowed in rule.scope.items()},
                "apart_by": list(rule.apart_by),
            }
            for rule in policy.rules
        ],
        "similarity": {
            "threshold": by.threshold,
            "agreeing": by.agreeing,
            "margin": by.margin,
            "neighbours": by.neighbours,
            "window_days": by.window.days,
            "min_confidence": by.min_confidence,
            "apart_by": list(by.apart_by),
        }
        if by
        else None,
        "alarms": [
            {
                "name": alarm.name,
                "at_least": alarm.at_least,
                "within_hours": alarm.within / timedelta(hours=1) if alarm.within else None,
            }
            for alarm in policy.alarms
        ],
        "most": policy.most,
        "case_window_days": policy.case_window.days,
    }
