"""What grouping looks at: policy, what a feedback is about, the fingerprints that rules make of it. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

NONE = "none"
"""How a policy spells a value that is not there; an unknown channel is a channel of its own."""

UNCLEAR = "unclear"
CONTEXT = "context."
PLAIN_FIELDS = ("customer", "domain", "category", "entity", "touchpoint", "channel")
VALUE_LIMIT = 200
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class FingerprintRule:
    """Feedback that agrees in every field, and was heard within the window, is about one problem.

    A feedback without one of the fields, or outside the scope, is none of the rule's business. `apart_by`
    are context fields: two that name different values of one never join by this rule.
    """

    name: str
    fields: tuple[str, ...]
    window: timedelta
    scope: Mapping[str, tuple[str, ...]]
    apart_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Similarity:
    """When words alone make two feedbacks one problem: cosine similarities of their embeddings.

    An item's score is the mean over its `agreeing` nearest members (all, if it has fewer), each among the
    `neighbours` nearest open feedbacks of the same root cause. It must reach `threshold`, and lie `margin`
    above the next item's. A root cause below `min_confidence` is too unsure to join by.
    """

    threshold: float
    agreeing: int
    margin: float
    neighbours: int
    window: timedelta
    min_confidence: float
    apart_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SizeAlarm:
    """Rings once per item, when it holds `at_least` feedbacks accepted `within` a time, or ever."""

    name: str
    at_least: int
    within: timedelta | None


@dataclass(frozen=True)
class GroupingPolicy:
    """`entities` are context fields that name the thing a feedback is about, the most telling first."""

    name: str
    entities: tuple[str, ...]
    rules: tuple[FingerprintRule, ...]
    similarity: Similarity | None
    alarms: tuple[SizeAlarm, ...]
    most: int
    """From this size on no machine adds to an item."""
    case_window: timedelta

    @cached_property
    def context_fields(self) -> frozenset[str]:
        """Every context field that decides something."""
        named = set(self.entities)
        for rule in self.rules:
            named |= {f.removeprefix(CONTEXT) for f in (*rule.fields, *rule.scope) if f.startswith(CONTEXT)}
            named |= set(rule.apart_by)
        if self.similarity:
            named |= set(self.similarity.apart_by)
        return frozenset(named)


@dataclass(frozen=True, slots=True)
class Matter:
    """What a feedback is about. `cause` is the root cause path, None when unclear; `context` those fields of
    its context that the policy names, as text."""

    customer_id: str | None
    cause: str | None
    entity: str | None
    confidence: float = 0.0
    channel: str | None = None
    touchpoint: str | None = None
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str | None:
        """One customer's one cause; None where nobody is named."""
        if self.customer_id is None:
            return None
        return f"{self.customer_id}{_SEPARATOR}{self.cause or UNCLEAR}"

    def value(self, name: str) -> str | None:
        """The value of a field of a rule; None where the feedback has none."""
        if name.startswith(CONTEXT):
            return self.context.get(name.removeprefix(CONTEXT))
        domain, _, category = (self.cause or "").partition("/")
        values = {
            "customer": self.customer_id,
            "domain": domain or None,
            "category": category or None,
            "entity": self.entity,
            "touchpoint": self.touchpoint,
            "channel": self.channel or NONE,
        }
        return values[name]


def context_of(context: Mapping[str, Any], policy: GroupingPolicy) -> dict[str, str]:
    """Those fields of the context that the policy names and that say something, as text."""
    found = {}
    for name in sorted(policy.context_fields & context.keys()):
        value = context[name]
        if value is not None and value != "":
            found[name] = str(value)[:VALUE_LIMIT]
    return found


def entity_of(context: Mapping[str, Any], policy: GroupingPolicy) -> str | None:
    """`field=value` of the first entity field the context fills."""
    for name in policy.entities:
        value = context.get(name)
        if value not in (None, ""):
            return f"{name}={value}"
    return None


def fingerprints_of(matter: Matter, policy: GroupingPolicy) -> dict[str, str]:
    """Rule name → fingerprint, for every rule that has a say, in the policy's order.

    It depends on the fields, their values and the scope, not on the rule's name or the policy's version: a
    rule that is renamed goes on with the feedback that is open.
    """
    found = {}
    for rule in policy.rules:
        if not _in_scope(matter, rule):
            continue
        values = [matter.value(name) for name in rule.fields]
        if None not in values:
            scope = sorted((name, sorted(allowed)) for name, allowed in rule.scope.items())
            found[rule.name] = _fingerprint("rule", rule.fields, values, scope)
    return found


def case_fingerprint(matter: Matter) -> str | None:
    """The same for one customer's one matter, whatever the channel; None where nothing says what it is."""
    about = matter.cause or matter.entity
    if matter.customer_id is None or about is None:
        return None
    return _fingerprint("case", matter.customer_id, about)


def contradiction(
    context: Mapping[str, str], named: Mapping[str, Any], fields: tuple[str, ...]
) -> str | None:
    """The first field of which the two name different values, in words. `named` holds values or lists."""
    for name in fields:
        mine, theirs = context.get(name), named.get(name)
        if mine is None or not theirs:
            continue
        others = [theirs] if isinstance(theirs, str) else theirs
        if mine not in others:
            return f"it is about {name} {others[0]}, and this one about {name} {mine}"
    return None


def _in_scope(matter: Matter, rule: FingerprintRule) -> bool:
    return all((matter.value(name) or NONE) in allowed for name, allowed in rule.scope.items())


def _fingerprint(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
