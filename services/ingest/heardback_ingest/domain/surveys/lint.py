"""What is wrong with a list of rules before anybody is asked by them.

Errors are proved: the rule can never hold, or contradicts itself. Warnings are proved too, but may be meant:
the rule never decides because another is always as strict, or a rare survey can be crowded out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Literal

from heardback_ingest.domain.surveys.policy import Filter, Rule, SurveysPolicy
from heardback_ingest.domain.surveys.windows import Ever, Rolling

Kind = Literal["twice", "never-true", "contradictory", "unreachable", "may-starve"]


@dataclass(frozen=True, slots=True)
class Finding:
    level: Literal["error", "warning"]
    kind: Kind
    pointer: str
    detail: str


def lint(policy: SurveysPolicy) -> tuple[Finding, ...]:
    """Errors first; each in the order of the rules."""
    found = [*_names(policy)]
    for place, rule in enumerate(policy.rules):
        pointer = f"/rules/{place}"
        found += _conditions(rule, pointer)
        found += _reserved(rule, pointer)
        found += _listed(rule, policy, pointer)
        found += _starved(rule, policy, pointer)
        found += _idle(rule, place, policy, pointer)
    return tuple(sorted(found, key=lambda finding: finding.level))


def _names(policy: SurveysPolicy) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, rule in enumerate(policy.rules):
        if rule.name in seen:
            yield Finding("error", "twice", f"/rules/{place}/name", f"there is another rule {rule.name}")
        seen.add(rule.name)


def _conditions(rule: Rule, pointer: str) -> Iterator[Finding]:
    for condition in rule.when:
        smallest, largest, among = condition.smallest, condition.largest, condition.among
        where = f"{pointer}/when/{condition.attribute}"
        if smallest is not None and largest is not None and smallest > largest:
            yield Finding("error", "never-true", where, "min lies above max, so the rule never applies")
        elif among is not None and not any(condition.holds({condition.attribute: v}) for v in among):
            said = "none of its values lies between min and max, so the rule never applies"
            yield Finding("error", "never-true", where, said)


def _reserved(rule: Rule, pointer: str) -> Iterator[Finding]:
    where = f"{pointer}/reserved"
    kept = sum(reserved.slots for reserved in rule.reserved)
    if kept > rule.most:
        said = f"{kept} places are kept of a cap of {rule.most}"
        yield Finding("error", "contradictory", where, said)
    elif rule.reserved and kept == rule.most:
        said = "every place is kept, so no other survey is ever asked"
        yield Finding("warning", "contradictory", where, said)
    groups = [*(r.surveys for r in rule.reserved), *(s.surveys for s in rule.shorter)]
    named = [name for group in groups for name in group]
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield Finding("error", "twice", pointer, f"{name} is named in two groups; keep one")
    for name in sorted(set(named)):
        if rule.applies.surveys and name not in rule.applies.surveys:
            said = f"{name} has a place kept, but the rule is not about it"
            yield Finding("error", "never-true", pointer, said)
    for shorter in rule.shorter:
        if isinstance(shorter.window, Rolling) and isinstance(rule.window, Rolling):
            longer = shorter.window.length >= rule.window.length
        else:
            longer = isinstance(shorter.window, Ever)
        if longer:
            said = "is not shorter than the gap of the rule"
            yield Finding("error", "contradictory", f"{pointer}/shorter_for", said)


def _listed(rule: Rule, policy: SurveysPolicy, pointer: str) -> Iterator[Finding]:
    if not policy.surveys:
        return
    unknown = sorted(rule.applies.surveys - set(policy.surveys))
    for name in unknown:
        said = f"{name} is not among the surveys of the policy"
        yield Finding("error", "unreachable", f"{pointer}/surveys", said)
    types = {policy.surveys[name] for name in rule.applies.surveys if name in policy.surveys}
    if not unknown and types and rule.applies.types and not types & rule.applies.types:
        said = "none of its surveys is of one of its types, so the rule never applies"
        yield Finding("error", "never-true", f"{pointer}/types", said)


def _starved(rule: Rule, policy: SurveysPolicy, pointer: str) -> Iterator[Finding]:
    """A place kept in a cap is worth nothing where a gap to any other survey always comes first."""
    if not rule.gap or rule.same:
        return
    kept = {name for other in policy.rules for r in other.reserved for name in r.surveys}
    shortened = {name for shorter in rule.shorter for name in shorter.surveys}
    alone = len(rule.applies.surveys) == 1
    for name in sorted(kept - shortened):
        if not alone and (not rule.applies.surveys or name in rule.applies.surveys):
            said = f"a place is kept for {name}, but this gap to other surveys may use it up; say shorter_for"
            yield Finding("warning", "may-starve", f"{pointer}/shorter_for", said)


def _idle(rule: Rule, place: int, policy: SurveysPolicy, pointer: str) -> Iterator[Finding]:
    for at, other in enumerate(policy.rules):
        if (
            at != place
            and _always_as_strict(other, rule)
            and not (at > place and _always_as_strict(rule, other))
        ):
            said = f"never decides: {other.name} is always as strict"
            yield Finding("warning", "unreachable", pointer, said)
            return


def _always_as_strict(one: Rule, than: Rule) -> bool:
    """Wherever `than` has no room, `one` has none. Proved for rolling windows and equal ways of counting."""
    if one.reserved or one.shorter or than.reserved or than.shorter or one.counts != than.counts:
        return False
    if not isinstance(one.window, Rolling) or not isinstance(than.window, Rolling):
        return False
    scopes = one.scope in {than.scope, "both"}
    wide = one.reminders and _wider(one.applies, than.applies) and one.same <= than.same
    if not scopes or not wide or not set(one.when) <= set(than.when):
        return False
    if one.most == 1:  # keeping the gap, no more than this many fall into the other window
        return than.most >= ceil(than.window.length / one.window.length)
    return one.most <= than.most and one.window.length >= than.window.length


def _wider(one: Filter, than: Filter) -> bool:
    pairs = (
        (one.surveys, than.surveys),
        (one.types, than.types),
        (one.channels, than.channels),
        (one.touchpoints, than.touchpoints),
    )
    return all(not a or (b and b <= a) for a, b in pairs)
