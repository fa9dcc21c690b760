"""Reading the policies: shapes checked, every condition compiled and tried, errors name the rule."""

from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from heardback_router.backlog.grouping import GroupingPolicy
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

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+@[A-Za-z0-9._-]+$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


WHOLE: dict[str, frozenset[str] | None] = dict.fromkeys(ROOTS)


class PolicyError(ValueError):
    """The policy cannot be used; nothing of it is. The message names every fault and its place."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=_Shape)


class _Team(_Shape):
    id: Slug
    title: Words


class _Rule(_Shape):
    name: Slug
    when: Words
    team: Slug
    because: Words
    note: Words | None = None


class _Routing(_Shape):
    policy: Version
    teams: Annotated[tuple[_Team, ...], Field(min_length=1)]
    catch_all: Slug
    rules: tuple[_Rule, ...] = ()


class _Grouping(_Shape):
    policy: Version
    window_days: Annotated[int, Field(ge=1, le=366)]
    entities: tuple[Words, ...] = ()


def load_routing(path: Path | None = None) -> RoutingPolicy:
    """The policy at the path, or the one that comes with heardback. Raises PolicyError."""
    return read_routing(_text(path, "routing.yaml"))


def load_grouping(path: Path | None = None) -> GroupingPolicy:
    """The policy at the path, or the one that comes with heardback. Raises PolicyError."""
    shape = _parsed(_text(path, "grouping.yaml"), _Grouping)
    return GroupingPolicy(shape.policy, timedelta(days=shape.window_days), shape.entities)


def read_routing(text: str) -> RoutingPolicy:
    """Raises PolicyError unless every rule compiles, runs and names a team, and there is a catch-all."""
    shape = _parsed(text, _Routing)
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


def _text(path: Path | None, default: str) -> str:
    if path is None:
        return files("heardback_router.policies").joinpath(default).read_text("utf-8")
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}") from error


def _parsed(text: str, shape: type[S]) -> S:
    try:
        raw: Any = yaml.safe_load(text)
        return shape.model_validate(raw)
    except yaml.YAMLError as error:
        raise PolicyError(f"the policy is not YAML: {error}") from error
    except ValidationError as error:
        faults = [f"{'/'.join(str(p) for p in e['loc']) or 'policy'}: {e['msg']}" for e in error.errors()]
        raise PolicyError("the policy has faults: " + "; ".join(faults)) from error
