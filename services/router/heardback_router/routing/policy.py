"""Reading the routing policy: shapes checked, every condition compiled and tried, its own tests run, errors
name the rule, gate or test."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from heardback_router.routing.conditions import ROOTS, Condition, ConditionError, context_of, named_in
from heardback_router.routing.domain import RoutingPolicy, Rule, Team
from heardback_router.routing.gates import ConfidenceGate, Dedicated, Gates, StakesGate
from heardback_router.routing.sample import SAMPLE_INPUTS
from heardback_router.routing.trials import Expectation, Trial, failures
from heardback_shared.contracts.customer import Tier
from heardback_shared.policies.reading import PolicyError, Shape, Slug, Version, Words, parsed

WHOLE: dict[str, frozenset[str] | None] = dict.fromkeys(ROOTS)
Share = Annotated[float, Field(ge=0, le=1)]
Minutes = Annotated[float, Field(gt=0, le=10_000)]


class _Team(Shape):
    id: Slug
    title: Words


class _Rule(Shape):
    name: Slug
    when: Words
    team: Slug | None = None
    because: Words
    note: Words | None = None
    owner: Literal["dedicated"] | None = None
    process: Slug | None = None
    go_on: Annotated[bool, Field(alias="continue")] = False
    gates: bool = True

    @model_validator(mode="after")
    def _ends_with_a_team(self) -> Self:
        if self.go_on and self.team is not None:
            raise ValueError(
                f"rule {self.name}: a rule that continues names no team; the rule that wins after it does"
            )
        if self.go_on and self.owner is None and self.process is None:
            raise ValueError(f"rule {self.name}: a rule that continues adds an owner or a process")
        if not self.go_on and self.team is None:
            raise ValueError(f"rule {self.name}: team is required, unless the rule has continue: true")
        return self


class _Confidence(Shape):
    """The least confidence is 1 − triage_minutes / misroute_minutes: below it, a guess costs more time on
    average than a person who reads first (Chow, On optimum recognition error and reject tradeoff, 1970)."""

    team: Slug
    because: Words
    triage_minutes: Minutes
    misroute_minutes: Minutes
    domains: dict[str, Minutes] = Field(default_factory=dict)

    def gate(self) -> ConfidenceGate:
        least = {domain: _least(self.triage_minutes, minutes) for domain, minutes in self.domains.items()}
        otherwise = _least(self.triage_minutes, self.misroute_minutes)
        return ConfidenceGate(
            self.team, self.because, otherwise, least, self.triage_minutes, self.misroute_minutes
        )


class _Stakes(Shape):
    team: Slug
    because: Words
    severity_at_least: Annotated[float, Field(ge=0, le=100)]
    tiers: tuple[Tier, ...] = ()
    cues: tuple[Slug, ...] = ()
    confidence_below: Share
    mismatch: bool = True


class _Gates(Shape):
    confidence: _Confidence | None = None
    stakes: _Stakes | None = None


class _Dedicated(Shape):
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    teams: Annotated[tuple[Slug, ...], Field(min_length=1)]


class _Expect(Shape):
    team: Slug
    rule: str | None = None
    gate: Literal["confidence", "stakes"] | None = None
    owner: str | None = None
    processes: tuple[Slug, ...] | None = None


class _Test(Shape):
    """`given` is what differs from an event about which nothing is known."""

    name: Words
    given: dict[str, Any] = Field(default_factory=dict)
    expect: _Expect


class _Routing(Shape):
    policy: Version
    teams: Annotated[tuple[_Team, ...], Field(min_length=1)]
    catch_all: Slug
    gates: _Gates = _Gates()
    dedicated: _Dedicated | None = None
    rules: tuple[_Rule, ...] = ()
    tests: tuple[_Test, ...] = ()


def read_routing(text: str) -> RoutingPolicy:
    """Raises PolicyError unless every rule compiles, runs and names a team, there is a catch-all, and every
    test of the policy's own passes."""
    shape = parsed(text, _Routing)
    faults = _team_faults(shape)
    rules, unusable = _rules(shape)
    faults += unusable
    if not faults:
        policy = _policy(shape, rules)
        faults += failures(policy, [_trial(test) for test in shape.tests])
    if faults:
        raise PolicyError(f"routing policy {shape.policy}: " + "; ".join(faults))
    return policy


def _rules(shape: _Routing) -> tuple[list[Rule], list[str]]:
    rules, faults = [], []
    sample = context_of(named_in(SAMPLE_INPUTS, WHOLE), SAMPLE_INPUTS["at"])
    for rule in shape.rules:
        try:
            condition = Condition(rule.when)
            condition.holds(sample)
        except ConditionError as error:
            faults.append(f"rule {rule.name}: its condition {error}")
        else:
            rules.append(
                Rule(
                    rule.name,
                    condition,
                    rule.team,
                    rule.because,
                    rule.note,
                    rule.process,
                    rule.owner is not None,
                    rule.gates,
                )
            )
    return rules, faults


def _policy(shape: _Routing, rules: Iterable[Rule]) -> RoutingPolicy:
    dedicated = shape.dedicated
    return RoutingPolicy(
        shape.policy,
        tuple(Team(t.id, t.title) for t in shape.teams),
        shape.catch_all,
        tuple(rules),
        _gates(shape.gates),
        Dedicated(frozenset(dedicated.tiers), frozenset(dedicated.teams)) if dedicated else None,
    )


def _gates(shape: _Gates) -> Gates:
    stakes = shape.stakes
    return Gates(
        shape.confidence.gate() if shape.confidence else None,
        StakesGate(
            stakes.team,
            stakes.because,
            stakes.severity_at_least,
            frozenset(stakes.tiers),
            stakes.cues,
            stakes.confidence_below,
            stakes.mismatch,
        )
        if stakes
        else None,
    )


def _trial(test: _Test) -> Trial:
    wants = test.expect
    return Trial(
        test.name,
        test.given,
        Expectation(wants.team, wants.rule, wants.gate, wants.owner, wants.processes),
    )


def _least(triage: float, misroute: float) -> float:
    return round(max(0.0, 1 - triage / misroute), 4)


def _team_faults(shape: _Routing) -> list[str]:
    teams = {team.id for team in shape.teams}
    faults = []
    if len(teams) < len(shape.teams):
        faults.append("teams: two have the same id")
    if shape.catch_all not in teams:
        faults.append(f"catch_all: there is no team {shape.catch_all}")
    names = [rule.name for rule in shape.rules]
    faults += [
        f"rule {name}: two rules have this name" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    faults += [f"{place}: there is no team {team}" for place, team in _named(shape) if team not in teams]
    return faults


def _named(shape: _Routing) -> list[tuple[str, str]]:
    """Every place that names a team, with the team."""
    named = [(f"rule {rule.name}", rule.team) for rule in shape.rules if rule.team is not None]
    if shape.gates.confidence:
        named.append(("gates/confidence", shape.gates.confidence.team))
    if shape.gates.stakes:
        named.append(("gates/stakes", shape.gates.stakes.team))
    if shape.dedicated:
        named += [("dedicated", team) for team in shape.dedicated.teams]
    return named + [(f"test {test.name}", test.expect.team) for test in shape.tests]
