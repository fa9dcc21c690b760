"""Reading the policies: shapes checked, every condition compiled and tried, errors name the rule."""

from typing import Annotated

from pydantic import Field

from heardback_router.configuration.reading import PolicyError, Shape, Slug, Version, Words, parsed
from heardback_router.routing.domain import (
    ROOTS,
    Condition,
    ConditionError,
    RoutingPolicy,
    Rule,
    Team,
    context_of,
    named_in,
)
from heardback_router.routing.sample import SAMPLE_INPUTS

WHOLE: dict[str, frozenset[str] | None] = dict.fromkeys(ROOTS)


class _Team(Shape):
    id: Slug
    title: Words


class _Rule(Shape):
    name: Slug
    when: Words
    team: Slug
    because: Words
    note: Words | None = None


class _Routing(Shape):
    policy: Version
    teams: Annotated[tuple[_Team, ...], Field(min_length=1)]
    catch_all: Slug
    rules: tuple[_Rule, ...] = ()


def read_routing(text: str) -> RoutingPolicy:
    """Raises PolicyError unless every rule compiles, runs and names a team, and there is a catch-all."""
    shape = parsed(text, _Routing)
    teams = {team.id for team in shape.teams}
    faults = _team_faults(shape, teams)
    rules = []
    sample = context_of(named_in(SAMPLE_INPUTS, WHOLE), SAMPLE_INPUTS["at"])
    for rule in shape.rules:
        try:
            condition = Condition(rule.when)
            condition.holds(sample)
        except ConditionError as error:
            faults.append(f"rule {rule.name}: its condition {error}")
        else:
            rules.append(Rule(rule.name, condition, rule.team, rule.because, rule.note))
    if faults:
        raise PolicyError(f"routing policy {shape.policy}: " + "; ".join(faults))
    return RoutingPolicy(
        shape.policy, tuple(Team(t.id, t.title) for t in shape.teams), shape.catch_all, tuple(rules)
    )


def _team_faults(shape: _Routing, teams: set[str]) -> list[str]:
    faults = []
    if len(teams) < len(shape.teams):
        faults.append("teams: two have the same id")
    if shape.catch_all not in teams:
        faults.append(f"catch_all: there is no team {shape.catch_all}")
    names = [rule.name for rule in shape.rules]
    faults += [
        f"rule {name}: two rules have this name" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    faults += [
        f"rule {rule.name}: there is no team {rule.team}" for rule in shape.rules if rule.team not in teams
    ]
    return faults
