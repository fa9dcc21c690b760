"""What is wrong with a list of rules before anything is routed by them. Pure.

Proved, for conditions that are understood (`logic`): that a rule can never be true, that rules before it take
everything it could, that two rules say the same. Shown by an event (`witness`): that two rules with different
teams are both true of it. The events are made up from the conditions' own figures, or recorded ones. What is
neither proved nor shown is said to be undecided: fields are taken as independent of each other, so an overlap
that no real event has may be shown, and a rule that no real event reaches may be missed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Literal

from heardback_router.routing.conditions import ROOTS, ConditionError, context_of, named_in
from heardback_router.routing.domain import RoutingPolicy, Rule
from heardback_router.routing.logic import (
    Cube,
    Meaning,
    TooManyCasesError,
    left_over,
    meaning_of,
    together,
    values_for,
)
from heardback_router.routing.sample import SAMPLE_INPUTS, UNKNOWN_INPUTS
from heardback_router.routing.values import filled

MOST_OVERLAPS = 200
TRIED = 12
"""Made-up events per question."""

Level = Literal["error", "warning", "note"]
Kind = Literal["never-true", "unreachable", "contradictory", "overlap", "unused-team", "undecided"]
_WHOLE: dict[str, frozenset[str] | None] = dict.fromkeys(ROOTS)


@dataclass(frozen=True, slots=True)
class Finding:
    """`witness`: an event, as decisions look at it, that shows it."""

    level: Level
    kind: Kind
    rule: str | None
    other: str | None
    because: str
    witness: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Event:
    """`variables` are the inputs as conditions see them."""

    inputs: Mapping[str, Any]
    variables: Any


@dataclass(frozen=True, slots=True)
class _Read:
    rule: Rule
    meaning: Meaning | None


def lint(policy: RoutingPolicy, recorded: Sequence[Mapping[str, Any]] = ()) -> list[Finding]:
    """Errors first, then warnings, then notes. `recorded` are inputs of earlier decisions."""
    rules = [_Read(rule, meaning_of(rule.condition.text)) for rule in policy.rules]
    real = [_event(inputs) for inputs in recorded]
    found: list[Finding] = []
    dead: set[str] = set()
    for place, one in enumerate(rules):
        finding = _reach(one, rules[:place], real)
        if finding is not None:
            found.append(finding)
            if finding.level == "error":
                dead.add(one.rule.name)
    found += _overlaps([one for one in rules if one.rule.name not in dead], real)
    found += _unused(policy, dead)
    order = ("error", "warning", "note")
    return sorted(found, key=lambda f: order.index(f.level))


def _reach(one: _Read, before: Sequence[_Read], recorded: Sequence[_Event]) -> Finding | None:
    """Why no event gets to the rule and makes it true; or that it is not known; None where one does."""
    name = one.rule.name
    if one.meaning is not None and not one.meaning.alternatives:
        return Finding("error", "never-true", name, None, "Its tests contradict each other.")
    takers = [other for other in before if other.rule.team is not None]
    if _reached(one, takers, recorded):
        return None
    if one.meaning is None:
        return _undecided(name, "It has too many alternatives to be looked at one by one.")
    return _cut_off(one, one.meaning, takers)


def _cut_off(one: _Read, meaning: Meaning, takers: Sequence[_Read]) -> Finding | None:
    for other in takers:
        if _covered(meaning, [other]):
            return _taken(one, other)
    name = one.rule.name
    try:
        left = _left(meaning, takers)
    except TooManyCasesError:
        return _undecided(name, "Together with the rules before it there are too many cases.")
    if not left:
        said = "The rules before it together take everything it could."
        return Finding("error", "unreachable", name, None, said)
    if any(_reaches(one, takers, event) for event in _events(left)):
        return None
    return _undecided(name, "No event was found that reaches it, and no proof that there is none.")


def _taken(one: _Read, other: _Read) -> Finding:
    """The rule is true only where an earlier one is."""
    name, before = one.rule.name, other.rule.name
    same = one.meaning is not None and other.meaning is not None and _covered(other.meaning, [one])
    if same and one.rule.team not in {None, other.rule.team}:
        said = f"It is true exactly where {before} is, which gives {other.rule.team}, not {one.rule.team}."
        return Finding("error", "contradictory", name, before, said)
    return Finding("error", "unreachable", name, before, f"Whenever it is true, {before} before it is too.")


def _covered(meaning: Meaning, takers: Sequence[_Read]) -> bool:
    try:
        return not _left(meaning, takers)
    except TooManyCasesError:
        return False


def _left(meaning: Meaning, takers: Sequence[_Read]) -> list[Cube]:
    left = list(meaning.alternatives)
    for other in takers:
        if other.meaning is not None:
            left = left_over(left, other.meaning)
    return left


def _reached(one: _Read, takers: Sequence[_Read], recorded: Sequence[_Event]) -> bool:
    made = _events(one.meaning.alternatives) if one.meaning else iter(())
    return any(_reaches(one, takers, event) for event in chain(recorded, made))


def _reaches(one: _Read, takers: Sequence[_Read], event: _Event) -> bool:
    return _true(one.rule, event) and not any(_true(other.rule, event) for other in takers)


def _overlaps(rules: Sequence[_Read], recorded: Sequence[_Event]) -> Iterator[Finding]:
    """Pairs with different teams that are both true of one event; so many at most."""
    return islice(_pairs(rules, recorded), MOST_OVERLAPS)


def _pairs(rules: Sequence[_Read], recorded: Sequence[_Event]) -> Iterator[Finding]:
    seen = [{one.rule.name for one in rules if _true(one.rule, event)} for event in recorded]
    for place, one in enumerate(rules):
        for other in rules[place + 1 :]:
            teams = {one.rule.team, other.rule.team}
            if None in teams or len(teams) == 1:
                continue
            names = {one.rule.name, other.rule.name}
            real = next((e for e, true in zip(recorded, seen, strict=True) if names <= true), None)
            witness = real.inputs if real else _both(one, other)
            if witness is not None:
                where = "a recorded event" if real else "an event made up from their figures"
                said = (
                    f"Both are true of {where}; {one.rule.name} ({one.rule.team}) wins over "
                    f"{other.rule.name} ({other.rule.team}) because it stands first."
                )
                yield Finding("note", "overlap", other.rule.name, one.rule.name, said, witness)


def _both(one: _Read, other: _Read) -> Mapping[str, Any] | None:
    if one.meaning is None or other.meaning is None:
        return None
    for values in together(one.meaning, other.meaning)[:TRIED]:
        for base in (UNKNOWN_INPUTS, SAMPLE_INPUTS):
            event = _event(filled(base, values))
            if _true(one.rule, event) and _true(other.rule, event):
                return event.inputs
    return None


def _unused(policy: RoutingPolicy, dead: set[str]) -> list[Finding]:
    used = {rule.team for rule in policy.rules if rule.name not in dead} | {policy.catch_all}
    for gate in (policy.gates.confidence, policy.gates.stakes):
        if gate is not None:
            used.add(gate.team)
    return [
        Finding("warning", "unused-team", None, None, f"Nothing is routed to the team {team.id}.")
        for team in policy.teams
        if team.id not in used
    ]


def _undecided(rule: str, because: str) -> Finding:
    return Finding("note", "undecided", rule, None, because)


def _events(cubes: Sequence[Cube]) -> Iterator[_Event]:
    """Made-up events in which each case holds, as far as its tests are understood."""
    for cube in cubes[:TRIED]:
        values = values_for(cube)
        if values is not None:
            yield _event(filled(UNKNOWN_INPUTS, values))
            yield _event(filled(SAMPLE_INPUTS, values))


def _event(inputs: Mapping[str, Any]) -> _Event:
    return _Event(inputs, context_of(named_in(inputs, _WHOLE), inputs["at"]))


def _true(rule: Rule, event: _Event) -> bool:
    try:
        return rule.condition.holds(event.variables)
    except ConditionError:
        return False
